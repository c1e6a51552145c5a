//! The settings of the second engine.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::legacy::{Uses, known_suites};
use crate::policy::{LegacyAllowed, SecondMeans};

use super::psk::PskSpec;

/// The settings of the second engine.
#[derive(Clone, Default)]
pub(crate) struct LegacySpec {
    pub(crate) is_on: bool,
    /// The file of the engine's library, if it is not where the loader looks.
    pub(crate) library: Option<PathBuf>,
    pub(crate) allowed: LegacyAllowed,
    pub(crate) psk: PskSpec,
    /// The counts of one context.
    pub(crate) uses: Arc<Uses>,
}

impl LegacySpec {
    /// Refuses settings of an engine that is off.
    pub(crate) fn check(&self, needs_certificate: bool) -> Result<()> {
        let has_other = self.psk.is_set() || self.library.is_some() || self.allowed != LegacyAllowed::default();
        match self.is_on {
            false if has_other => {
                Err(Error::new(Code::OptionConflict, "settings of the second engine, and legacy-engine is off"))
            }
            _ => self.psk.check(needs_certificate),
        }
    }

    /// Loads the second engine, if it is on, and reads what it can serve.
    ///
    /// # Errors
    /// `LEGACY_UNAVAILABLE`.
    pub(crate) fn means(&self, has_psk: bool) -> Result<Option<SecondMeans>> {
        let read = || {
            let known = known_suites(self.library.as_deref())?;
            Ok(SecondMeans { allowed: self.allowed, has_psk, known })
        };
        self.is_on.then(read).transpose()
    }
}
