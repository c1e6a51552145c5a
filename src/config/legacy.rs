//! The settings of the second engine.

use std::path::PathBuf;

use crate::error::{Code, Error, Result};
use crate::legacy::Psks;
use crate::policy::LegacyAllowed;

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
    /// Refuses settings of an engine that is off.
    pub(crate) fn check(&self) -> Result<()> {
        let has_other = self.psk_file.is_some() || self.library.is_some() || self.allowed != LegacyAllowed::default();
        match has_other && !self.is_on {
            true => Err(Error::new(Code::OptionConflict, "settings of the second engine, and legacy-engine is off")),
            false => Ok(()),
        }
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

    /// The lines of the log about what weakens the context.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.allowed.names().map(|name| format!("{name}: a weak part of TLS is allowed for old peers"))
    }
}
