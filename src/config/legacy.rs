//! The settings of the second engine.

use std::path::PathBuf;

use crate::error::{Code, Error, Result};
use crate::legacy::{Psks, known_suites};
use crate::policy::{LegacyAllowed, SecondMeans};

use super::source::Source;

/// The largest size of a file of pre-shared keys, in bytes.
const MAX_PSK_BYTES: usize = 64 << 20;

/// The settings of the second engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct LegacySpec {
    pub(crate) is_on: bool,
    /// The file of the engine's library, if it is not where the loader looks.
    pub(crate) library: Option<PathBuf>,
    pub(crate) allowed: LegacyAllowed,
    pub(crate) psk_file: Option<Source>,
}

impl LegacySpec {
    /// Refuses settings of an engine that is off, and of one without a server.
    pub(crate) fn check(&self, serves: bool) -> Result<()> {
        let has_other = self.psk_file.is_some() || self.library.is_some() || self.allowed != LegacyAllowed::default();
        match self.is_on {
            false if has_other => {
                Err(Error::new(Code::OptionConflict, "settings of the second engine, and legacy-engine is off"))
            }
            true if !serves => {
                let detail = "legacy-engine: it serves clients, and the context has neither an identity nor pre-shared \
                    keys; connections of this side are by rustls alone";
                Err(Error::new(Code::OptionConflict, detail))
            }
            _ => Ok(()),
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

    /// Reads the pre-shared keys.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `STORE_TOO_LARGE`, `PSK_MALFORMED`.
    pub(crate) fn psks(&self) -> Result<Option<Psks>> {
        let read = |file: &Source| {
            let text = file.read_at_most(MAX_PSK_BYTES, "Give fewer keys; for their number there is no option.")?;
            Psks::read(&text, &file.label())
        };
        self.psk_file.as_ref().map(read).transpose()
    }
}
