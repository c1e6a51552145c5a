//! The methods of the builder for the second engine.

use std::path::PathBuf;

use crate::error::Result;
use crate::policy::LegacyAllowed;

use super::builder::ContextBuilder;

impl ContextBuilder {
    /// Sets if a second engine serves the clients that rustls does not: older versions, CBC suites, finite-field
    /// Diffie-Hellman and pre-shared keys. Default: no. It is a library of its own, on the OpenSSL of the system.
    pub fn legacy_engine(&mut self, is_on: bool) -> &mut Self {
        self.spec.legacy.is_on = is_on;
        self
    }

    /// Sets the file of the second engine's library. Default: `libbrokertls_legacy.so` beside this library. If this
    /// library is a part of a program: beside the program, then in `../lib` from there. Then the loader's path.
    pub fn legacy_library(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.spec.legacy.library = Some(path.into());
        self
    }

    /// Allows weak parts of TLS in the second engine; each is logged when the context is built.
    pub fn legacy_allow(&mut self, allowed: LegacyAllowed) -> &mut Self {
        self.spec.legacy.allowed = allowed;
        self
    }

    /// Sets options of OpenSSL: names, with `SSL_OP_` or without it, and numbers, with `|`, commas, colons or spaces
    /// between. What would weaken connections is reported when the context is built, and not done.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an unknown name or bit, and for a bit with another meaning in another release.
    pub fn openssl_options(&mut self, text: &str) -> Result<&mut Self> {
        self.spec.openssl.add(text)?;
        Ok(self)
    }

    /// Returns true if a build looks for the library of the second engine: it is on, and no file is named or
    /// [brought](Self::bring_legacy_library).
    pub fn looks_for_legacy_library(&self) -> bool {
        self.spec.legacy.is_on && self.spec.legacy.library.is_none() && !crate::legacy::is_brought()
    }

    /// Loads the library of the second engine from this file, for every context of the process that names none. For a
    /// package that has the library in it. The file may be deleted afterwards. A second call changes nothing.
    ///
    /// # Errors
    /// `LEGACY_UNAVAILABLE`.
    pub fn bring_legacy_library(path: &std::path::Path) -> Result<()> {
        crate::legacy::bring(path)
    }
}
