//! Bytes to certificates, keys and trust: PEM, DER, PKCS#12, JKS and JCEKS.
//!
//! This room opens no files and no sockets: callers hand in bytes and the name that messages should use for them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SigningKey};
use zeroize::{Zeroize, Zeroizing};

mod chain;
mod crypto;
mod der;
mod formats;
mod java;
mod key;
mod key_form;
mod open;
mod pairing;
mod password;
mod pem;
mod pem_fault;
mod pkcs12;
mod pkcs7;
mod plain;
mod rsa_small;
mod signing;
mod store;
mod traditional;

pub(crate) use formats::recognized;
pub use open::open;
pub(crate) use open::whole;
pub use pairing::pair;
pub(crate) use pem::{blocks_of_pem, lists_of_pem, lists_of_pkcs7};
pub use signing::signing_key;
pub use store::{Entry, EntryKind, KeyFacts, Store};

use crate::certificate::{CertificateFacts, describe};
use crate::error::{Code, Error, Result};

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

/// A certificate chain, end entity first, and its private key.
#[derive(Debug)]
#[non_exhaustive]
pub struct Identity {
    /// The chain as it is sent: end entity first, each followed by its issuer.
    pub chain: Vec<CertificateDer<'static>>,
    /// The decrypted private key, if it was read from bytes. It is wiped when the identity is dropped.
    pub key: Option<PrivateKeyDer<'static>>,
    /// The private key ready to sign with, known to belong to the first certificate.
    pub signing_key: Arc<dyn SigningKey>,
    /// The place of the key, for messages: `broker.ks, alias broker`.
    pub place: String,
    /// The warnings about an accepted identity: a chain that was put in order, a key of 1024 bits. Those that depend on
    /// the time are in [`warnings_at`](Self::warnings_at).
    pub warnings: Vec<String>,
    /// True if the key is the caller's, and may fail to sign.
    is_foreign: bool,
    /// The same as rustls wants it, made when it is first asked for.
    certified: OnceLock<Arc<CertifiedKey>>,
}

impl Identity {
    /// Makes an identity with a key of another provider or in a token.
    ///
    /// # Errors
    /// `NO_CERTIFICATE` for an empty chain; `CERTIFICATE_MALFORMED`; `KEY_MISMATCH` if the key tells its public half
    /// and it is not the first certificate's.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        signing_key: Arc<dyn SigningKey>,
        place: impl Into<String>,
    ) -> Result<Self> {
        let place = place.into();
        let Some(end_entity) = chain.first() else { return Err(Error::from(Code::NoCertificate).at(place)) };
        if signing_key.public_key().is_some() && !signing::belongs_to(signing_key.as_ref(), end_entity)? {
            return Err(Error::new(Code::KeyMismatch, describe(end_entity)).at(place));
        }
        for certificate in &chain {
            CertificateFacts::from_der(certificate).map_err(|error| error.at(&place))?;
        }
        let certified = OnceLock::new();
        Ok(Self { chain, key: None, signing_key, place, warnings: Vec::new(), is_foreign: true, certified })
    }

    /// Makes an identity with a key in bytes, which are not kept.
    ///
    /// # Errors
    /// As for [`Identity::new`] and [`signing_key`].
    pub fn of_key(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'_>,
        place: impl Into<String>,
    ) -> Result<Self> {
        let mut identity = Self::new(chain, signing_key(key)?, place)?;
        identity.is_foreign = false;
        Ok(identity)
    }

    /// Returns true if the key may fail to sign: it was not read from bytes.
    pub(crate) fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Chain and key as rustls wants them.
    ///
    /// `CertifiedKey::new` is used as it is: rustls' own match of key and certificate cannot read X.509 version 1, and
    /// this room has already matched them. `ready` sees the key the first time, and may put another before it.
    pub(crate) fn certified(
        &self,
        ready: impl FnOnce(Arc<dyn SigningKey>) -> Arc<dyn SigningKey>,
    ) -> Arc<CertifiedKey> {
        let made = || Arc::new(CertifiedKey::new(self.chain.clone(), ready(Arc::clone(&self.signing_key))));
        Arc::clone(self.certified.get_or_init(made))
    }

    /// [`warnings`](Self::warnings), and which certificates of the chain are not valid at this time.
    pub fn warnings_at(&self, now: UnixTime) -> Vec<String> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let dated = self.chain.iter().filter_map(|der| {
            let facts = CertificateFacts::from_der(der).ok()?;
            let what = match () {
                () if now > facts.not_after_unix_s => "has expired",
                () if now < facts.not_before_unix_s => "is not valid yet",
                () => return None,
            };
            Some(format!("{}: the certificate {what}: {facts}", self.place))
        });
        self.warnings.iter().cloned().chain(dated).collect()
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// A certificate that is trusted because it stands in a trust store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustedCertificate {
    /// The certificate.
    pub der: CertificateDer<'static>,
    /// The place of the certificate, for messages: `broker.ts, alias client`.
    pub place: String,
}

impl TrustedCertificate {
    /// Makes a trusted certificate with its place.
    pub fn new(der: CertificateDer<'static>, place: impl Into<String>) -> Self {
        Self { der, place: place.into() }
    }
}
