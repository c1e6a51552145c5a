//! The keys that this side encrypts with, shared by rustls and the connection, so that each failure ends with its own alert.
//!
//! rustls queues no alert for some failures, and for others not the one of the table of codes. Its suites are wrapped
//! here: a fatal alert leaves the wrapper in plain text. alert.rs takes it out of the records and seals another one with
//! the same keys and the next sequence number, so that no number is used twice.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES;
use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, PrefixedPayload, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
};

/// Level of an alert that ends the connection (RFC 8446 section 6).
const FATAL: u8 = 2;

/// Handshake type of a key update (RFC 8446 section 4.6.3).
const KEY_UPDATE: u8 = 24;

/// The keys that a connection encrypts with.
#[derive(Clone)]
pub(super) struct Sealer(Arc<Mutex<Keys>>);

struct Keys {
    encrypter: Box<dyn MessageEncrypter>,
    /// The sequence number of the next record.
    next: u64,
    /// The answer to a key update, encrypted with the keys before these. rustls sends it with its next record.
    unsent: Vec<u8>,
    /// In TLS 1.2 keys are made before they are used, in TLS 1.3 they are used at once.
    is_tls13: bool,
}

/// What rustls has made on this thread and the connection has not taken yet.
#[derive(Default)]
struct Fresh {
    sealer: Option<Sealer>,
    key_update: Vec<u8>,
}

thread_local! {
    static FRESH: RefCell<Fresh> = RefCell::default();
}

impl Sealer {
    /// Starts a call of rustls: what an earlier one left belongs to another connection.
    pub(super) fn begin() {
        FRESH.take();
    }

    /// The keys that rustls has made in this call, if it has.
    pub(super) fn take_fresh() -> Option<Self> {
        FRESH.with_borrow_mut(|fresh| fresh.sealer.take())
    }

    /// Returns true if records are encrypted with these keys by now.
    pub(super) fn is_active(&self) -> bool {
        let keys = self.keys();
        keys.is_tls13 || keys.next > 0
    }

    /// The records that tell the peer of a fatal alert, encrypted; none if the keys are used up.
    pub(super) fn alert(&self, description: u8) -> Vec<u8> {
        let mut keys = self.keys();
        let message = OutboundPlainMessage {
            typ: ContentType::Alert,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(&[FATAL, description]),
        };
        let mut records = std::mem::take(&mut keys.unsent);
        let number = keys.next;
        if let (Some(next), Ok(record)) = (number.checked_add(1), keys.encrypter.encrypt(message, number)) {
            keys.next = next;
            records.extend(record.encode());
        }
        records
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The encrypter that rustls gets.
struct Shared {
    sealer: Sealer,
    /// Bytes that a record adds to its plaintext, the same for each length.
    overhead: usize,
}

/// Wraps an encrypter that rustls has asked for, and keeps its other half for the connection.
fn share(encrypter: Box<dyn MessageEncrypter>, is_tls13: bool) -> Box<dyn MessageEncrypter> {
    let overhead = encrypter.encrypted_payload_len(0);
    FRESH.with_borrow_mut(|fresh| {
        let unsent = std::mem::take(&mut fresh.key_update);
        let sealer = Sealer(Arc::new(Mutex::new(Keys { encrypter, next: 0, unsent, is_tls13 })));
        fresh.sealer = Some(sealer.clone());
        Box::new(Shared { sealer, overhead }) as _
    })
}

impl MessageEncrypter for Shared {
    fn encrypt(&mut self, message: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, rustls::Error> {
        let mut keys = self.sealer.keys();
        // rustls puts it before this record.
        keys.unsent = Vec::new();
        match message.typ {
            ContentType::Alert if message.payload.to_vec().first() == Some(&FATAL) => {
                keys.next = seq;
                let payload = PrefixedPayload::from(message.payload.to_vec().as_slice());
                Ok(OutboundOpaqueMessage::new(message.typ, message.version, payload))
            }
            ContentType::Handshake if keys.is_tls13 => {
                let is_key_update = message.payload.to_vec().first() == Some(&KEY_UPDATE);
                let record = keys.encrypt(message, seq)?;
                if is_key_update {
                    FRESH.with_borrow_mut(|fresh| fresh.key_update = record.clone().encode());
                }
                Ok(record)
            }
            _ => keys.encrypt(message, seq),
        }
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        payload_len + self.overhead
    }
}

impl Keys {
    fn encrypt(&mut self, message: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, rustls::Error> {
        let record = self.encrypter.encrypt(message, seq)?;
        self.next = seq.saturating_add(1);
        Ok(record)
    }
}

/// Each suite of the provider with its keys shared. Made once for the process: a configuration refers to suites that live
/// as long.
static SHARING: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
    let sharing = |suite: &SupportedCipherSuite| match suite {
        SupportedCipherSuite::Tls13(suite) => SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
            common: CipherSuiteCommon { ..suite.common },
            hkdf_provider: suite.hkdf_provider,
            aead_alg: Box::leak(Box::new(SharedTls13(suite.aead_alg))),
            quic: None,
        }))),
        SupportedCipherSuite::Tls12(suite) => SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
            common: CipherSuiteCommon { ..suite.common },
            prf_provider: suite.prf_provider,
            kx: suite.kx,
            sign: suite.sign,
            aead_alg: Box::leak(Box::new(SharedTls12(suite.aead_alg))),
        }))),
    };
    ALL_CIPHER_SUITES.iter().map(sharing).collect()
});

/// The same suites, of which a connection can send alerts that rustls does not.
pub(crate) fn with_own_alerts(suites: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    let sharing = |suite: &SupportedCipherSuite| SHARING.iter().find(|sharing| sharing.suite() == suite.suite());
    suites.iter().map(|suite| *sharing(suite).unwrap_or(suite)).collect()
}

struct SharedTls13(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for SharedTls13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        share(self.0.encrypter(key, iv), true)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(&self, key: AeadKey, iv: Iv) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

struct SharedTls12(&'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for SharedTls12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        share(self.0.encrypter(key, iv, extra), false)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_of_the_provider_shares_its_keys() {
        assert_eq!(SHARING.as_slice(), ALL_CIPHER_SUITES);
        assert_eq!(with_own_alerts(ALL_CIPHER_SUITES), ALL_CIPHER_SUITES);
    }
}
