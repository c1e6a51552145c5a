//! The encodings that a private key can have when it is not encrypted.

use super::dsa_form;
use crate::der::{Cursor, INTEGER, OCTET_STRING, SEQUENCE};
use crate::error::Code;

/// The encodings of a key that is not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 5958, of any algorithm.
    Pkcs8,
    /// RFC 8017 appendix A.1.2, RSA.
    Pkcs1,
    /// RFC 5915, elliptic curves.
    Sec1,
    /// OpenSSL's own, DSA.
    Dsa,
}

impl Form {
    /// Tells the encodings apart by what follows the version.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "key").ok()?;
        content.take(INTEGER, "version").ok()?;
        match content.peek()? {
            SEQUENCE => Some(Self::Pkcs8),
            INTEGER if dsa_form::is_own_encoding(der) => Some(Self::Dsa),
            INTEGER => Some(Self::Pkcs1),
            OCTET_STRING => Some(Self::Sec1),
            _ => None,
        }
    }
}
