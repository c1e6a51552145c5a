//! Bytes to certificates, keys and trust: PEM, DER, PKCS#12, JKS and JCEKS.
//!
//! This room opens no files and no sockets: callers hand in bytes and the name that messages should use for them.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SigningKey};
use zeroize::Zeroize;

mod chain;
mod crypto;
mod dsa;
mod dsa_form;
pub(crate) mod export;
mod formats;
mod java;
mod key;
mod key_form;
mod open;
mod options;
mod pairing;
mod password;
mod pem;
mod pem_fault;
mod pkcs12;
mod pkcs7;
mod plain;
mod recognized;
mod rsa_small;
mod signing;
mod store;
mod traditional;
mod unread;

pub use export::pkcs8;
pub use open::open;
pub(crate) use open::whole;
pub use options::{Limits, OpenOptions, Password, PasswordCallback, PasswordRequest, PasswordUse, Secret, StoreType};
pub use pairing::pair;
pub(crate) use pem::{blocks_of_pem, lists_of_pem, lists_of_pkcs7};
pub(crate) use recognized::recognized;
pub use signing::signing_key;
pub use store::{Entry, EntryKind, KeyFacts, Store};

use crate::certificate::{CertificateFacts, date_text, describe};
use crate::error::{Code, Error, Result};

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
                () if now > facts.not_after_unix_s => {
                    format!("has expired at {}; put a new one here", date_text(facts.not_after_unix_s))
                }
                () if now < facts.not_before_unix_s => {
                    format!("is not valid before {}; check this clock", date_text(facts.not_before_unix_s))
                }
                () => return None,
            };
            Some(format!("{}: peers will refuse the certificate, which {what}: {facts}", self.place))
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
    /// The peers that it is trusted for.
    pub peers: TrustedPeers,
}

/// The peers that a trusted certificate is trusted for. Only the data of OpenSSL behind a certificate names some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrustedPeers {
    /// Servers and clients.
    #[default]
    All,
    /// Servers alone.
    Servers,
    /// Clients alone.
    Clients,
}

impl TrustedPeers {
    /// The name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "servers and clients",
            Self::Servers => "servers alone",
            Self::Clients => "clients alone",
        }
    }
}

impl TrustedCertificate {
    /// Makes a trusted certificate with its place, for all peers.
    pub fn new(der: CertificateDer<'static>, place: impl Into<String>) -> Self {
        Self { der, place: place.into(), peers: TrustedPeers::All }
    }
}
