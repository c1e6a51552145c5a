//! Opens a source on its own, so that a fault is known when the source is added and not when the context is built.

use crate::config::{ContextBuilder, CrlSource, IdentitySource, Source, TrustSource};
use crate::error::{Code, Error, Result};
use crate::keystore::{OpenOptions, Password};
use crate::revocation::{Crls, ocsp};

use super::load;

impl ContextBuilder {
    /// Opens the source of an identity as [`ContextBuilder::build`] does, and drops what it holds.
    ///
    /// No callback is asked for a password: a source that needs one is opened as far as that goes without it. A later
    /// setting may allow keys of DSA.
    ///
    /// # Errors
    /// As for [`IdentitySource::open`]; `KEY_MISMATCH` and the other errors of a key and its certificates.
    pub fn check_identity(&self, source: &IdentitySource) -> Result<()> {
        let unasked = IdentitySource { options: unasked(&source.options), ..source.clone() };
        but_for_callbacks(load::open_identity(&unasked, true, &mut Vec::new()), &source.options)
    }

    /// Reads trusted certificates, likewise.
    ///
    /// # Errors
    /// As for [`TrustSource::load`].
    pub fn check_trust(&self, source: &TrustSource) -> Result<()> {
        match source {
            TrustSource::Store { source, options } => {
                let unasked = TrustSource::Store { source: source.clone(), options: unasked(options) };
                but_for_callbacks(unasked.load(&mut Vec::new()), options)
            }
            TrustSource::Directory { path, options } => {
                let unasked = TrustSource::Directory { path: path.clone(), options: unasked(options) };
                but_for_callbacks(unasked.load(&mut Vec::new()), options)
            }
            TrustSource::System => source.load(&mut Vec::new()).map(drop),
        }
    }

    /// Reads revocation lists, likewise. Their size is judged when the context is built, by the limit that holds then.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`; those of lists that cannot be used.
    pub fn check_crl(&self, source: &CrlSource) -> Result<()> {
        let read = load::add_crls(source, self.spec.revocation.remote.max_crl_bytes, &mut Crls::default());
        read.or_else(|error| but_for(error, &[Code::StoreTooLarge]))
    }

    /// Reads OCSP responses, likewise.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `STORE_TOO_LARGE`; those of responses that cannot be used.
    pub fn check_ocsp_response(&self, source: &Source) -> Result<()> {
        ocsp::ocsp_responses_of(&load::read_responses(source)?, &source.label()).map(drop)
    }
}

/// The same without passwords that are asked for.
fn unasked(options: &OpenOptions) -> OpenOptions {
    let given = |password: &Password| if is_asked(password) { Password::None } else { password.clone() };
    OpenOptions { password: given(&options.password), key_password: given(&options.key_password), ..options.clone() }
}

fn is_asked(password: &Password) -> bool {
    matches!(password, Password::Callback(_))
}

/// The outcome of opening a store [`unasked`].
fn but_for_callbacks<T>(opened: Result<T>, options: &OpenOptions) -> Result<()> {
    const OF_PASSWORDS: &[Code] =
        &[Code::StorePasswordMissing, Code::StorePasswordWrong, Code::KeyPasswordMissing, Code::KeyPasswordWrong];
    let lacks_password = is_asked(&options.password) || is_asked(&options.key_password);
    opened.map(drop).or_else(|error| but_for(error, if lacks_password { OF_PASSWORDS } else { &[] }))
}

/// The error, unless it is one of those that are decided later.
fn but_for(error: Error, later: &[Code]) -> Result<()> {
    if later.contains(&error.code()) { Ok(()) } else { Err(error) }
}
