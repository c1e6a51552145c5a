//! The keys that this side encrypts with: rustls owns them, and the connection takes them over for its last alert.
//!
//! rustls queues no alert for some failures, and for others not the one of the table of codes. Its suites are wrapped
//! here: a fatal alert leaves the wrapper in plain text, and alert.rs takes it out of the records. When the connection
//! ends rustls' part, the wrapper hands its keys over as it is dropped. The right alert is sealed with them and the
//! next sequence number, so that no number is used twice. No record takes a lock: keys have one owner at a time.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Names the keys that a connection encrypts with, among all of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sealer(NonZeroU64);

/// The keys of a connection that has ended.
pub(super) struct Keys {
    encrypter: Box<dyn MessageEncrypter>,
    /// The sequence number of the next record.
    next: u64,
    /// The answer to a key update, encrypted with the keys before these. rustls sends it with its next record.
    unsent: Vec<u8>,
    /// In TLS 1.2 keys are made before they are used, in TLS 1.3 they are used at once.
    is_tls13: bool,
}

/// The way of keys to the connection that asks for them.
#[derive(Default)]
enum Handover {
    #[default]
    Idle,
    Asked(Sealer),
    Done(Keys),
}

thread_local! {
    /// The keys that rustls has made on this thread and the connection has not noted yet.
    static FRESH: Cell<Option<Sealer>> = const { Cell::new(None) };
    /// The answer to a key update, until the keys after it are made.
    static KEY_UPDATE_ANSWER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static HANDOVER: RefCell<Handover> = const { RefCell::new(Handover::Idle) };
}

/// Number of keys that have been named.
static NAMED: AtomicU64 = AtomicU64::new(0);

impl Sealer {
    /// Calls rustls; `current` names the keys that it made last. A callback of rustls may drive another connection on
    /// this thread, so that calls are nested.
    pub(super) fn note<T>(current: &mut Option<Self>, call: impl FnOnce() -> T) -> T {
        let outer = (FRESH.take(), KEY_UPDATE_ANSWER.take());
        let outcome = call();
        let made = FRESH.replace(outer.0);
        KEY_UPDATE_ANSWER.set(outer.1);
        *current = made.or_else(|| current.take());
        outcome
    }

    /// Takes the keys over from the part of rustls that `end` drops; none if it has others.
    pub(super) fn take_over(self, end: impl FnOnce()) -> Option<Keys> {
        HANDOVER.set(Handover::Asked(self));
        end();
        match HANDOVER.take() {
            Handover::Done(keys) => Some(keys),
            Handover::Asked(_) | Handover::Idle => None,
        }
    }
}

impl Keys {
    /// Returns true if records are encrypted with these keys by now.
    pub(super) fn is_active(&self) -> bool {
        self.is_tls13 || self.next > 0
    }

    /// The records that tell the peer of a fatal alert, encrypted; none if the keys are used up.
    pub(super) fn alert(mut self, description: u8) -> Vec<u8> {
        let message = OutboundPlainMessage {
            typ: ContentType::Alert,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(&[FATAL, description]),
        };
        let mut records = self.unsent;
        if self.next < u64::MAX
            && let Ok(record) = self.encrypter.encrypt(message, self.next)
        {
            records.extend(record.encode());
        }
        records
    }

    fn encrypt(&mut self, message: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, rustls::Error> {
        let record = self.encrypter.encrypt(message, seq)?;
        self.next = seq.saturating_add(1);
        Ok(record)
    }
}

/// The encrypter that rustls gets.
struct Lent {
    sealer: Sealer,
    /// Taken out only when this is dropped.
    keys: Option<Keys>,
}

/// Wraps an encrypter that rustls has asked for, and tells the connection its name.
fn lend(encrypter: Box<dyn MessageEncrypter>, is_tls13: bool) -> Box<dyn MessageEncrypter> {
    let sealer = Sealer(NonZeroU64::MIN.saturating_add(NAMED.fetch_add(1, Ordering::Relaxed)));
    FRESH.set(Some(sealer));
    let unsent = KEY_UPDATE_ANSWER.take();
    Box::new(Lent { sealer, keys: Some(Keys { encrypter, next: 0, unsent, is_tls13 }) })
}

impl MessageEncrypter for Lent {
    fn encrypt(&mut self, message: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, rustls::Error> {
        let keys = self.keys.as_mut().ok_or(rustls::Error::EncryptError)?;
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
                    KEY_UPDATE_ANSWER.set(record.clone().encode());
                }
                Ok(record)
            }
            _ => keys.encrypt(message, seq),
        }
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.keys.as_ref().map_or(payload_len, |keys| keys.encrypter.encrypted_payload_len(payload_len))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // At a thread's end its place for keys may be gone: then they are dropped.
        let _ = HANDOVER.try_with(|handover| {
            let mut handover = handover.borrow_mut();
            if matches!(*handover, Handover::Asked(sealer) if sealer == self.sealer)
                && let Some(keys) = self.keys.take()
            {
                *handover = Handover::Done(keys);
            }
        });
    }
}

/// Each suite of the provider with its keys lent. Made once for the process: a configuration refers to suites that live
/// as long.
static LENDING: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
    let lending = |suite: &SupportedCipherSuite| match suite {
        SupportedCipherSuite::Tls13(suite) => SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
            common: CipherSuiteCommon { ..suite.common },
            hkdf_provider: suite.hkdf_provider,
            aead_alg: Box::leak(Box::new(LentTls13(suite.aead_alg))),
            quic: None,
        }))),
        SupportedCipherSuite::Tls12(suite) => SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
            common: CipherSuiteCommon { ..suite.common },
            prf_provider: suite.prf_provider,
            kx: suite.kx,
            sign: suite.sign,
            aead_alg: Box::leak(Box::new(LentTls12(suite.aead_alg))),
        }))),
    };
    ALL_CIPHER_SUITES.iter().map(lending).collect()
});

/// The same suites, of which a connection can send alerts that rustls does not.
pub(crate) fn with_own_alerts(suites: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    let lending = |suite: &SupportedCipherSuite| LENDING.iter().find(|lending| lending.suite() == suite.suite());
    suites.iter().map(|suite| *lending(suite).unwrap_or(suite)).collect()
}

struct LentTls13(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for LentTls13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        lend(self.0.encrypter(key, iv), true)
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

struct LentTls12(&'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for LentTls12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        lend(self.0.encrypter(key, iv, extra), false)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_of_the_provider_lends_its_keys() {
        assert_eq!(LENDING.as_slice(), ALL_CIPHER_SUITES);
        assert_eq!(with_own_alerts(ALL_CIPHER_SUITES), ALL_CIPHER_SUITES);
    }

    /// Appends the sequence number instead of encrypting.
    struct Plain;

    impl MessageEncrypter for Plain {
        fn encrypt(
            &mut self,
            message: OutboundPlainMessage<'_>,
            seq: u64,
        ) -> Result<OutboundOpaqueMessage, rustls::Error> {
            let mut payload = PrefixedPayload::from(message.payload.to_vec().as_slice());
            payload.extend_from_slice(&seq.to_be_bytes());
            Ok(OutboundOpaqueMessage::new(message.typ, message.version, payload))
        }

        fn encrypted_payload_len(&self, payload_len: usize) -> usize {
            payload_len + 8
        }
    }

    fn lent(is_tls13: bool) -> (Box<dyn MessageEncrypter>, Sealer) {
        let mut sealer = None;
        let lent = Sealer::note(&mut sealer, || lend(Box::new(Plain), is_tls13));
        (lent, sealer.expect("keys have just been made"))
    }

    #[test]
    fn keys_stay_noted_while_a_callback_drives_another_connection() {
        let (mut outer, mut inner) = (None, None);
        let keys = Sealer::note(&mut outer, || {
            let keys = lend(Box::new(Plain), true);
            drop(Sealer::note(&mut inner, || lend(Box::new(Plain), true)));
            Sealer::note(&mut inner, || ());
            keys
        });
        assert_ne!(outer, inner);
        assert!(outer.is_some_and(|sealer| sealer.take_over(|| drop(keys)).is_some()));
    }

    fn send(encrypter: &mut dyn MessageEncrypter, typ: ContentType, bytes: &[u8], seq: u64) -> Vec<u8> {
        let payload = OutboundChunks::Single(bytes);
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        encrypter.encrypt(message, seq).expect("these keys take any record").encode()
    }

    #[test]
    fn keys_are_handed_to_the_connection_that_asks_with_their_next_number() {
        let (mut encrypter, sealer) = lent(true);
        send(&mut *encrypter, ContentType::ApplicationData, b"a", 0);
        send(&mut *encrypter, ContentType::ApplicationData, b"b", 1);
        let keys = sealer.take_over(|| drop(encrypter)).expect("the keys are there");
        assert_eq!(keys.alert(40), [21, 3, 3, 0, 10, 2, 40, 0, 0, 0, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn fatal_alert_of_rustls_uses_up_no_number() {
        let (mut encrypter, sealer) = lent(true);
        send(&mut *encrypter, ContentType::ApplicationData, b"a", 0);
        assert_eq!(send(&mut *encrypter, ContentType::Alert, &[2, 50], 1), [21, 3, 3, 0, 2, 2, 50]);
        let keys = sealer.take_over(|| drop(encrypter)).expect("the keys are there");
        assert_eq!(keys.alert(40), [21, 3, 3, 0, 10, 2, 40, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn keys_of_another_connection_are_not_handed_over() {
        let (encrypter, sealer) = lent(true);
        let (other, _) = lent(true);
        assert!(sealer.take_over(|| drop(other)).is_none());
        drop(encrypter);
        assert!(matches!(HANDOVER.take(), Handover::Idle), "keys that are not asked for are dropped");
    }

    #[test]
    fn keys_of_tls12_are_in_use_from_their_first_record_on() {
        let (encrypter, sealer) = lent(false);
        let unused = sealer.take_over(|| drop(encrypter)).expect("the keys are there");
        assert!(!unused.is_active());
        let (mut encrypter, sealer) = lent(false);
        send(&mut *encrypter, ContentType::Handshake, b"Finished", 0);
        let used = sealer.take_over(|| drop(encrypter)).expect("the keys are there");
        assert!(used.is_active());
    }

    #[test]
    fn answer_to_a_key_update_goes_out_before_the_alert_unless_it_is_sent() {
        let (mut old, _) = lent(true);
        let mut update = || {
            let mut sealer = None;
            let (answer, new) = Sealer::note(&mut sealer, || {
                let answer = send(&mut *old, ContentType::Handshake, &[KEY_UPDATE, 0, 0, 1, 0], 7);
                (answer, lend(Box::new(Plain), true))
            });
            (answer, new, sealer.expect("keys have just been made"))
        };
        let (answer, new, sealer) = update();
        let unsent = sealer.take_over(|| drop(new)).expect("the keys are there").alert(40);
        assert_eq!(unsent[..answer.len()], answer);
        assert_eq!(unsent[answer.len()..], [21, 3, 3, 0, 10, 2, 40, 0, 0, 0, 0, 0, 0, 0, 0]);
        let (_, mut new, sealer) = update();
        send(&mut *new, ContentType::ApplicationData, b"a", 0);
        let sent = sealer.take_over(|| drop(new)).expect("the keys are there").alert(40);
        assert_eq!(sent, [21, 3, 3, 0, 10, 2, 40, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
}
