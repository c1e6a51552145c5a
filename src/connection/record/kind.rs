//! The kinds of ciphers: an algorithm, and the form of its records.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Algorithm, CHACHA20_POLY1305};

use super::gcm::TAG_BYTES;
use super::header::HEADER_BYTES;

/// The explicit nonce of AES-GCM in TLS 1.2 (RFC 5288 section 3).
pub(super) const EXPLICIT_NONCE_BYTES: usize = 8;

/// Records that one key of AES-GCM may seal (RFC 8446 section 5.5: 2^24.5 at the most).
const AES_GCM_RECORDS: u64 = 1 << 24;

/// Records that any key may seal: numbers do not wrap (RFC 8446 section 5.3).
pub(super) const MAX_RECORDS: u64 = u64::MAX - 0xffff;

/// The algorithm of a suite, with the form of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    aead: Aead,
    is_tls13: bool,
}

/// The algorithm of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aead {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

impl Aead {
    pub(super) fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Aes128Gcm => &AES_128_GCM,
            Self::Aes256Gcm => &AES_256_GCM,
            Self::ChaCha20Poly1305 => &CHACHA20_POLY1305,
        }
    }

    pub(super) const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }
}

impl Kind {
    pub(super) const fn tls13(aead: Aead) -> Self {
        Self { aead, is_tls13: true }
    }

    pub(super) const fn tls12(aead: Aead) -> Self {
        Self { aead, is_tls13: false }
    }

    pub(super) const fn aead(self) -> Aead {
        self.aead
    }

    pub(super) const fn is_tls13(self) -> bool {
        self.is_tls13
    }

    /// Bytes between the header and the ciphertext.
    pub(super) const fn before(self) -> usize {
        match (self.is_tls13, self.aead) {
            (false, Aead::Aes128Gcm | Aead::Aes256Gcm) => EXPLICIT_NONCE_BYTES,
            _ => 0,
        }
    }

    /// Bytes behind the ciphertext of the content: the inner type of TLS 1.3 (RFC 8446 section 5.2) and the tag.
    pub(super) const fn after(self) -> usize {
        self.is_tls13 as usize + TAG_BYTES
    }

    /// Bytes behind the content that need no room of the caller: the inner type of TLS 1.3, if the cipher decrypts into
    /// two places.
    pub(super) const fn spared(self) -> usize {
        match self.aead {
            Aead::Aes128Gcm | Aead::Aes256Gcm => self.is_tls13 as usize,
            Aead::ChaCha20Poly1305 => 0,
        }
    }

    /// Bytes that a record adds to its content.
    pub(super) const fn overhead(self) -> usize {
        HEADER_BYTES + self.before() + self.after()
    }

    /// The largest content that is copied into its record before it is encrypted.
    ///
    /// aws-lc seals the inner type of TLS 1.3 on a slow way if ChaCha20 finds it apart from the content. That costs
    /// more than a copy of so many bytes.
    pub(super) const fn most_copied(self) -> usize {
        match self.aead {
            Aead::Aes128Gcm | Aead::Aes256Gcm => 0,
            Aead::ChaCha20Poly1305 => 2048,
        }
    }

    pub(super) const fn max_records(self) -> u64 {
        match self.aead {
            Aead::Aes128Gcm | Aead::Aes256Gcm => AES_GCM_RECORDS,
            Aead::ChaCha20Poly1305 => MAX_RECORDS,
        }
    }
}
