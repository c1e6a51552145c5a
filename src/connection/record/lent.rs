//! rustls' cipher suites on our own ciphers, which the connection takes over: for its records after the handshake, and
//! for its last alert.
//!
//! rustls owns the ciphers during the handshake. When the connection drops rustls' part, they hand themselves over as
//! they are dropped, with their next number, so that no number is used twice. rustls queues no alert for some failures,
//! and for others not the one of the table of codes. So a fatal alert leaves the cipher in plain text, and alert.rs
//! takes it out of the records. No record takes a lock: a cipher has one owner at a time.

use std::cell::RefCell;
use std::num::NonZeroU64;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::LocalKey;

use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter,
    OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls12AeadAlgorithm, Tls13AeadAlgorithm,
    UnsupportedOperationError,
};
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};

use super::cipher::{Cipher, Direction, MAX_PLAINTEXT_BYTES};
use super::fault::as_rustls;
use super::gcm::{NONCE_BYTES, TAG_BYTES};
use super::header::{HEADER_BYTES, RecordType};
use super::kind::{Aead, EXPLICIT_NONCE_BYTES, Kind};
use super::secret::{Secrets, SessionId};

/// Level of an alert that ends the connection (RFC 8446 section 6).
const FATAL: u8 = 2;

/// Names a cipher that rustls has, among all of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name(NonZeroU64);

impl Name {
    fn new() -> Self {
        Self(NonZeroU64::MIN.saturating_add(NAMED.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Number of ciphers that have been named.
static NAMED: AtomicU64 = AtomicU64::new(0);

/// The ciphers that rustls made last for a connection, and the traffic secrets that it has told.
#[derive(Default)]
pub(crate) struct Lent {
    write: Option<Name>,
    read: Option<Name>,
    pub(super) secrets: Secrets,
}

/// The ciphers of a connection that rustls has given back.
#[derive(Default)]
pub(crate) struct Returned {
    pub(crate) write: Option<Cipher>,
    pub(super) read: Option<Cipher>,
}

thread_local! {
    /// The notes of the call of rustls that runs on this thread.
    static NOTES: RefCell<Lent> = RefCell::default();
    /// The ciphers that are asked for, and those that have come.
    static RETURN: RefCell<Option<(Lent, Returned)>> = const { RefCell::new(None) };
}

impl Lent {
    /// Calls rustls, and notes the ciphers that it makes. A callback of rustls may drive another connection on this
    /// thread, so that calls are nested.
    pub(crate) fn note<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let aside = Aside { place: &NOTES, outer: NOTES.replace(std::mem::take(self)) };
        let outcome = call();
        *self = NOTES.take();
        drop(aside);
        outcome
    }

    /// Takes the keys for a copy of the server's flight, once rustls has made them for this suite.
    pub(crate) fn take_flight_reader(&mut self, suite: CipherSuite) -> Option<Cipher> {
        let secret = self.secrets.flight.take()?;
        secret.cipher(Direction::Read, aead_of(suite)?)
    }

    /// Takes the identifier of a session of TLS 1.2, once rustls has its secret.
    pub(crate) fn take_session_id(&mut self) -> Option<Box<SessionId>> {
        self.secrets.id.take()
    }

    /// Takes the ciphers over from the part of rustls that `end` drops.
    pub(crate) fn take_over(&mut self, end: impl FnOnce()) -> Returned {
        let asked = Self { write: self.write.take(), read: self.read.take(), secrets: Secrets::default() };
        let aside = Aside { place: &RETURN, outer: RETURN.replace(Some((asked, Returned::default()))) };
        end();
        let returned = RETURN.take().map(|(_, returned)| returned).unwrap_or_default();
        drop(aside);
        returned
    }
}

/// The value that a nested call has put aside, and that comes back as it ends, also by a panic.
struct Aside<T: Default + 'static> {
    place: &'static LocalKey<RefCell<T>>,
    outer: T,
}

impl<T: Default> Drop for Aside<T> {
    fn drop(&mut self) {
        let outer = std::mem::take(&mut self.outer);
        // At a thread's end the place may be gone.
        let _ = self.place.try_with(|place| place.try_borrow_mut().map(|mut place| *place = outer));
    }
}

/// Notes a secret that rustls tells the key log of.
pub(super) fn note_secret(label: &str, secret: &[u8]) {
    NOTES.with_borrow_mut(|notes| notes.secrets.note(label, secret));
}

/// An encrypter or a decrypter of rustls'.
struct Loan {
    name: Name,
    /// Taken out only when this is dropped.
    cipher: Option<Cipher>,
    direction: Direction,
}

impl Loan {
    fn write(cipher: Cipher) -> Box<dyn MessageEncrypter> {
        let name = Name::new();
        NOTES.with_borrow_mut(|notes| notes.write = Some(name));
        Box::new(Self { name, cipher: Some(cipher), direction: Direction::Write })
    }

    fn read(cipher: Cipher) -> Box<dyn MessageDecrypter> {
        let name = Name::new();
        NOTES.with_borrow_mut(|notes| notes.read = Some(name));
        Box::new(Self { name, cipher: Some(cipher), direction: Direction::Read })
    }
}

impl MessageEncrypter for Loan {
    fn encrypt(&mut self, message: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, rustls::Error> {
        let cipher = self.cipher.as_mut().ok_or(rustls::Error::EncryptError)?;
        cipher.set_number(seq);
        let (kind, content) = (cipher.kind(), message.payload);
        let length = content.len() + kind.overhead() - HEADER_BYTES;
        let mut payload = PrefixedPayload::with_capacity(length);
        if message.typ == ContentType::Alert && content.to_vec().first() == Some(&FATAL) {
            payload.extend_from_chunks(&content);
            return Ok(OutboundOpaqueMessage::new(message.typ, message.version, payload));
        }
        payload.extend_from_slice(&[0; EXPLICIT_NONCE_BYTES][..kind.before()]);
        payload.extend_from_chunks(&content);
        if kind.is_tls13() {
            payload.extend_from_slice(&message.typ.to_array());
        }
        payload.extend_from_slice(&[0; TAG_BYTES]);
        let header = cipher.header(RecordType(message.typ.into()), length).ok_or(rustls::Error::EncryptError)?;
        cipher.seal_body(header, payload.as_mut()).ok_or(rustls::Error::EncryptError)?;
        Ok(OutboundOpaqueMessage::new(header[0].into(), ProtocolVersion::TLSv1_2, payload))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        let overhead = self.cipher.as_ref().map_or(0, |cipher| cipher.kind().overhead() - HEADER_BYTES);
        payload_len + overhead
    }
}

impl MessageDecrypter for Loan {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, rustls::Error> {
        let cipher = self.cipher.as_mut().ok_or(rustls::Error::DecryptError)?;
        cipher.set_number(seq);
        let kind = cipher.kind();
        let header = header(message.typ, message.version, message.payload.len());
        let place = cipher.open_body(header, &mut message.payload).map_err(as_rustls)?;
        if kind.is_tls13() {
            message.payload.truncate(place.end);
            return message.into_tls13_unpadded_message();
        }
        if place.len() > MAX_PLAINTEXT_BYTES {
            return Err(rustls::Error::PeerSentOversizedRecord);
        }
        Ok(message.into_plain_message_range(place))
    }
}

/// The header of a record that rustls has taken apart.
fn header(kind: ContentType, version: ProtocolVersion, length: usize) -> [u8; HEADER_BYTES] {
    let [major, minor] = version.to_array();
    // A record is shorter than 64 KiB.
    let [high, low] = (length as u16).to_be_bytes();
    [kind.into(), major, minor, high, low]
}

impl Drop for Loan {
    fn drop(&mut self) {
        // At a thread's end its place for ciphers may be gone: then they are dropped.
        let _ = RETURN.try_with(|returned| {
            let mut returned = returned.borrow_mut();
            let Some((asked, returned)) = returned.as_mut() else { return };
            match self.direction {
                Direction::Write if asked.write == Some(self.name) => returned.write = self.cipher.take(),
                Direction::Read if asked.read == Some(self.name) => returned.read = self.cipher.take(),
                _ => {}
            }
        });
    }
}

/// Each suite of the provider on our ciphers. Made once for the process: a configuration refers to suites that live as
/// long.
static LENDING: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
    let lending = |suite: &SupportedCipherSuite| {
        let aead = aead_of(suite.suite())?;
        Some(match suite {
            SupportedCipherSuite::Tls13(suite) => SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: CipherSuiteCommon { ..suite.common },
                hkdf_provider: suite.hkdf_provider,
                aead_alg: Box::leak(Box::new(LentTls13 { aead, of_provider: suite.aead_alg })),
                quic: None,
            }))),
            SupportedCipherSuite::Tls12(suite) => SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: CipherSuiteCommon { ..suite.common },
                prf_provider: suite.prf_provider,
                kx: suite.kx,
                sign: suite.sign,
                aead_alg: Box::leak(Box::new(LentTls12 { aead, of_provider: suite.aead_alg })),
            }))),
        })
    };
    ALL_CIPHER_SUITES.iter().filter_map(lending).collect()
});

/// The algorithm of a suite.
fn aead_of(suite: CipherSuite) -> Option<Aead> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => Some(Aead::Aes128Gcm),
        CipherSuite::TLS13_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => Some(Aead::Aes256Gcm),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => Some(Aead::ChaCha20Poly1305),
        _ => None,
    }
}

/// The same suites on our ciphers. A suite that our ciphers do not have is left out.
pub(crate) fn on_own_ciphers(suites: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    let own = |suite: &SupportedCipherSuite| LENDING.iter().find(|own| own.suite() == suite.suite());
    suites.iter().filter_map(own).copied().collect()
}

struct LentTls13 {
    aead: Aead,
    of_provider: &'static dyn Tls13AeadAlgorithm,
}

impl LentTls13 {
    fn cipher(&self, direction: Direction, key: &AeadKey, iv: &Iv) -> Cipher {
        Cipher::new(direction, Kind::tls13(self.aead), key.as_ref(), &nonce(iv.as_ref(), &[]))
    }
}

impl Tls13AeadAlgorithm for LentTls13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Loan::write(self.cipher(Direction::Write, &key, &iv))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Loan::read(self.cipher(Direction::Read, &key, &iv))
    }

    fn key_len(&self) -> usize {
        self.aead.key_bytes()
    }

    fn extract_keys(&self, key: AeadKey, iv: Iv) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.of_provider.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.of_provider.fips()
    }
}

struct LentTls12 {
    aead: Aead,
    of_provider: &'static dyn Tls12AeadAlgorithm,
}

impl Tls12AeadAlgorithm for LentTls12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Loan::write(Cipher::new(Direction::Write, Kind::tls12(self.aead), key.as_ref(), &nonce(iv, extra)))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Loan::read(Cipher::new(Direction::Read, Kind::tls12(self.aead), key.as_ref(), &nonce(iv, &[])))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.of_provider.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.of_provider.extract_keys(key, iv, explicit)
    }

    fn fips(&self) -> bool {
        self.of_provider.fips()
    }
}

/// The initialization vector: its fixed bytes, then those of the explicit nonce, which TLS 1.2 has for AES-GCM.
fn nonce(fixed: &[u8], explicit: &[u8]) -> [u8; NONCE_BYTES] {
    let mut iv = [0; NONCE_BYTES];
    iv.iter_mut().zip(fixed.iter().chain(explicit)).for_each(|(place, byte)| *place = *byte);
    iv
}

#[cfg(test)]
mod tests {
    use rustls::ProtocolVersion;
    use rustls::crypto::cipher::OutboundChunks;

    use super::*;

    #[test]
    fn every_suite_of_the_provider_has_one_of_our_ciphers() {
        assert_eq!(LENDING.as_slice(), ALL_CIPHER_SUITES);
        assert_eq!(on_own_ciphers(ALL_CIPHER_SUITES), ALL_CIPHER_SUITES);
    }

    fn cipher(direction: Direction, kind: Kind) -> Cipher {
        Cipher::new(direction, kind, &[7; 16], &[9; NONCE_BYTES])
    }

    fn lent(lent: &mut Lent, kind: Kind) -> Box<dyn MessageEncrypter> {
        lent.note(|| Loan::write(cipher(Direction::Write, kind)))
    }

    fn send(encrypter: &mut dyn MessageEncrypter, typ: ContentType, bytes: &[u8], seq: u64) -> Vec<u8> {
        let payload = OutboundChunks::Single(bytes);
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        encrypter.encrypt(message, seq).expect("these keys take any record").encode()
    }

    /// The alert that a cipher gives, opened with the same keys as the record of this number.
    fn opens_as_number(returned: Returned, number: u64) -> bool {
        let mut write = returned.write.expect("the cipher is there");
        let mut record = super::super::sealed_alert(&mut write, FATAL, 40).expect("the keys are not used up");
        let mut read = cipher(Direction::Read, write.kind());
        read.set_number(number);
        read.open_in_place(&mut record)
            .is_ok_and(|(kind, place)| kind == RecordType::ALERT && record[place] == [FATAL, 40])
    }

    const TLS13: Kind = Kind::tls13(Aead::Aes128Gcm);

    #[test]
    fn ciphers_stay_noted_while_a_callback_drives_another_connection() {
        let (mut outer, mut inner) = (Lent::default(), Lent::default());
        let keys = outer.note(|| {
            let keys = Loan::write(cipher(Direction::Write, TLS13));
            drop(lent(&mut inner, TLS13));
            inner.note(|| note_secret("CLIENT_TRAFFIC_SECRET_0", &[1; 32]));
            keys
        });
        assert_ne!(outer.write, inner.write);
        assert!(outer.secrets.client.is_none() && inner.secrets.client.is_some());
        assert!(outer.take_over(|| drop(keys)).write.is_some());
    }

    #[test]
    fn cipher_is_given_to_the_connection_that_asks_with_its_next_number() {
        let mut noted = Lent::default();
        let mut encrypter = lent(&mut noted, TLS13);
        send(&mut *encrypter, ContentType::Handshake, b"a", 0);
        send(&mut *encrypter, ContentType::Handshake, b"b", 1);
        assert!(opens_as_number(noted.take_over(|| drop(encrypter)), 2));
    }

    #[test]
    fn fatal_alert_of_rustls_uses_up_no_number() {
        let mut noted = Lent::default();
        let mut encrypter = lent(&mut noted, TLS13);
        send(&mut *encrypter, ContentType::Handshake, b"a", 0);
        assert_eq!(send(&mut *encrypter, ContentType::Alert, &[2, 50], 1), [21, 3, 3, 0, 2, 2, 50]);
        assert!(opens_as_number(noted.take_over(|| drop(encrypter)), 1));
    }

    #[test]
    fn cipher_of_another_connection_is_not_given() {
        let (mut noted, mut others) = (Lent::default(), Lent::default());
        let encrypter = lent(&mut noted, TLS13);
        let other = lent(&mut others, TLS13);
        let returned = noted.take_over(|| drop(other));
        assert!(returned.write.is_none() && returned.read.is_none());
        drop(encrypter);
        assert!(RETURN.take().is_none(), "ciphers that are not asked for are dropped");
    }

    #[test]
    fn cipher_that_a_later_one_has_replaced_is_not_given() {
        let mut noted = Lent::default();
        let handshake = lent(&mut noted, TLS13);
        let traffic = lent(&mut noted, TLS13);
        assert!(noted.take_over(|| drop((handshake, traffic))).write.is_some());
        let handshake = lent(&mut noted, TLS13);
        let traffic = lent(&mut noted, TLS13);
        assert!(noted.take_over(|| drop(handshake)).write.is_none());
        drop(traffic);
    }

    #[test]
    fn cipher_of_tls12_is_in_use_from_its_first_record_on() {
        let kind = Kind::tls12(Aead::Aes128Gcm);
        let mut noted = Lent::default();
        let encrypter = lent(&mut noted, kind);
        let unused = noted.take_over(|| drop(encrypter)).write.expect("the cipher is there");
        assert!(!unused.is_active());
        let mut encrypter = lent(&mut noted, kind);
        send(&mut *encrypter, ContentType::Handshake, b"Finished", 0);
        let used = noted.take_over(|| drop(encrypter)).write.expect("the cipher is there");
        assert!(used.is_active());
    }
}
