//! The settings that a store is opened with: type, passwords and limits.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Bytes that are wiped when dropped and never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes over the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves; do not copy them further than needed.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The purpose of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordUse {
    /// Opening the store as a whole.
    Store,
    /// Decrypting one private key.
    Key,
}

/// A question put to a password callback.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PasswordRequest<'a> {
    /// The file or memory the password is for, as the caller named it.
    pub label: &'a str,
    /// The alias of the key, if it has one.
    pub alias: Option<&'a str>,
    /// Store or key.
    pub usage: PasswordUse,
}

/// Answers a [`PasswordRequest`]; `None` means that there is no password.
pub type PasswordCallback = Arc<dyn Fn(&PasswordRequest<'_>) -> Option<Secret> + Send + Sync>;

/// The source of a password.
#[derive(Clone, Default)]
pub enum Password {
    /// None was given.
    #[default]
    None,
    /// These bytes (UTF-8 if the format wants characters).
    Bytes(Secret),
    /// Asked for when it is needed, and only then.
    Callback(PasswordCallback),
}

impl Password {
    /// The password for this use, if there is one.
    pub fn resolve(&self, request: &PasswordRequest<'_>) -> Option<Secret> {
        match self {
            Self::None => None,
            Self::Bytes(secret) => Some(secret.clone()),
            Self::Callback(ask) => ask(request),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bytes(_) => "Bytes(..)",
            Self::Callback(_) => "Callback(..)",
        })
    }
}

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreType {
    /// Text with `-----BEGIN …-----` blocks (RFC 7468).
    Pem,
    /// One DER certificate or private key, or the certificates of PKCS#7 (.p7b).
    Der,
    /// PKCS#12 (RFC 7292), DER or BER.
    Pkcs12,
    /// Java's JKS.
    Jks,
    /// Java's JCEKS.
    Jceks,
}

/// The options for opening a store.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The type that the content must have; `None` finds it from the content.
    pub store_type: Option<StoreType>,
    /// The store's password.
    pub password: Password,
    /// The keys' password; `Password::None` means that it is the store's.
    pub key_password: Password,
    /// Accepts a PKCS#12 store without a MAC. Anyone could have altered its content.
    pub insecure_allow_missing_mac: bool,
    /// Reads private keys of DSA, which the second engine alone can use.
    pub legacy_dsa: bool,
    /// The limits on the cost of a file.
    pub limits: Limits,
}

/// The limits on the cost of reading one file. They are checked before the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest file or memory block, bytes. Default 16 MiB.
    pub max_content_bytes: usize,
    /// Work that one file may ask for, to derive keys and to make private keys ready. Counted in iterations of PBKDF2
    /// with HMAC-SHA-256 (0.1 to 0.15 µs each on a current server). Default 20,000,000, two to three seconds.
    ///
    /// It is the sum over the integrity check, encrypted certificates and those keys that are used. Writers ask for
    /// 2,048 to 1,200,000 iterations at a time. SHA-384 and SHA-512 count five-fold, MD5 two-fold, one step of scrypt
    /// (N times r times p of them) three-fold. PKCS#12's own derivation counts each hash, twice for a password that is
    /// empty or not ASCII, as writers differ there.
    pub max_kdf_iterations: u64,
    /// Memory that scrypt may ask for, bytes. Default 160 MiB, enough for N = 131,072 and r = 8.
    pub max_kdf_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_content_bytes: 16 * 1024 * 1024,
            max_kdf_iterations: 20_000_000,
            max_kdf_memory_bytes: 160 * 1024 * 1024,
        }
    }
}
