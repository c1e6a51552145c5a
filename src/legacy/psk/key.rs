//! A pre-shared key, and the questions for one.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// The longest identity and secret, in bytes. OpenSSL takes no longer identity.
pub(in crate::legacy) const MAX_IDENTITY_BYTES: usize = 256;
pub(super) const MAX_SECRET_BYTES: usize = 256;

/// The hash of a key in TLS 1.3 (RFC 8446 section 4.2.11): it is used with suites of this hash alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PskHash {
    /// SHA-256, which a key has unless something else is agreed on.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
}

/// A pre-shared key. Its secret is wiped when dropped, and never printed.
#[derive(Clone)]
pub struct Psk {
    pub(in crate::legacy) secret: Zeroizing<Box<[u8]>>,
    pub(in crate::legacy) hash: PskHash,
}

impl fmt::Debug for Psk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Psk").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Psk {
    /// Copies the secret of a key for SHA-256.
    ///
    /// # Errors
    /// `PSK_MALFORMED` for an empty secret or one longer than 256 bytes.
    pub fn new(secret: &[u8]) -> Result<Self> {
        check_secret(secret).map_err(|why| Error::new(Code::PskMalformed, why))?;
        Ok(Self { secret: Zeroizing::new(Box::from(secret)), hash: PskHash::Sha256 })
    }

    /// Sets the hash of the key in TLS 1.3.
    #[must_use]
    pub fn with_hash(mut self, hash: PskHash) -> Self {
        self.hash = hash;
        self
    }
}

/// The question for the key of a client.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PskRequest<'a> {
    /// The identity that the client names. It has proven nothing yet.
    pub identity: &'a [u8],
    /// The number of the connection: [`crate::Connection::id`].
    pub connection_id: u64,
    /// The number that the application gave the connection: [`crate::Connection::user`].
    pub user: usize,
}

/// Returns the key of an identity, `None` for an unknown one. An `Err` ends the connection with `PSK_UNAVAILABLE`; it
/// has the reason.
pub type PskCallback = Arc<dyn Fn(&PskRequest<'_>) -> Result<Option<Psk>, String> + Send + Sync>;

/// The form of the secrets in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PskFormat {
    /// Hexadecimal digits, as in files of mosquitto.
    #[default]
    Hex,
    /// The secret itself, as in files of EMQX.
    Text,
}

impl PskFormat {
    /// Returns the format of a name: `hex` or `text`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "hex" => Some(Self::Hex),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// Returns the reason to refuse an identity.
pub(super) fn check_identity(identity: &[u8]) -> Result<(), &'static str> {
    match identity {
        [] => Err("the identity is empty"),
        identity if identity.len() > MAX_IDENTITY_BYTES => Err("the identity is longer than 256 bytes"),
        // OpenSSL takes what a client sends up to the zero byte for its identity.
        identity if identity.contains(&0) => Err("a zero byte in the identity"),
        _ => Ok(()),
    }
}

pub(super) fn check_secret(secret: &[u8]) -> Result<(), &'static str> {
    match secret.len() {
        0 => Err("the secret is empty"),
        length if length > MAX_SECRET_BYTES => Err("the secret is longer than 256 bytes"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_prints_its_hash_and_not_its_secret() {
        let key = Psk::new(&[0x5a; 16]).unwrap().with_hash(PskHash::Sha384);
        assert_eq!(format!("{key:?}"), "Psk { hash: Sha384, .. }");
        for secret in [&[][..], &[0; 257]] {
            assert_eq!(Psk::new(secret).unwrap_err().code(), Code::PskMalformed);
        }
    }
}
