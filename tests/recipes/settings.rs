//! A document's settings as a context's: files of a recipe as identity and trust.

use brokertls::keystore::{OpenOptions, Password, Secret};
use brokertls::{IdentitySource, Source, TrustSource};

use crate::files::Files;

fn options(password: &str) -> OpenOptions {
    let password = match password {
        "" => Password::None,
        password => Password::Bytes(Secret::new(password)),
    };
    OpenOptions { password, ..OpenOptions::default() }
}

/// A store or a PEM file with everything in it; an empty password means that none is given.
pub(crate) fn identity(files: &Files, name: &str, password: &str) -> IdentitySource {
    let mut identity = IdentitySource::new(Source::file(files.file(name)));
    identity.options = options(password);
    identity
}

/// A certificate file, and a key file with its password.
pub(crate) fn certificate_and_key(files: &Files, certificate: &str, key: &str, key_password: &str) -> IdentitySource {
    let mut identity = identity(files, certificate, "");
    identity.key = Some(Source::file(files.file(key)));
    identity.options.key_password = options(key_password).password;
    identity
}

/// A trust store or a file of certificates.
pub(crate) fn trust(files: &Files, name: &str, password: &str) -> TrustSource {
    TrustSource::Store { source: Source::file(files.file(name)), options: options(password) }
}
