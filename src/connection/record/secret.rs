//! The traffic secrets of TLS 1.3, from which a key update makes the next keys (RFC 8446 section 7.2).
//!
//! rustls tells them to its key log, and to nothing else: key_log.rs.

use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, KeyType, Prk};
use aws_lc_rs::hmac;
use zeroize::Zeroize;

use super::cipher::{Cipher, Direction};
use super::gcm::NONCE_BYTES;
use super::kind::{Aead, Kind};

/// The longest secret: that of SHA-384.
const MAX_SECRET_BYTES: usize = 48;

/// The labels of the key log for the secrets of application data.
pub(super) const OF_CLIENT: &str = "CLIENT_TRAFFIC_SECRET_0";
pub(super) const OF_SERVER: &str = "SERVER_TRAFFIC_SECRET_0";

/// The label of the key log for the secret of a server's flight.
pub(super) const OF_FLIGHT: &str = "SERVER_HANDSHAKE_TRAFFIC_SECRET";

/// The label of the secret that a session of TLS 1.2 and its resumptions have.
pub(super) const MASTER: &str = "CLIENT_RANDOM";

/// An identifier that both sides of a connection can make. It shows nothing of the secret.
pub(crate) type SessionId = [u8; 32];

fn identifier(secret: &[u8]) -> SessionId {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"brokertls session identifier");
    let mut id = SessionId::default();
    id.copy_from_slice(tag.as_ref());
    id
}

/// The traffic secret of one direction.
pub(super) struct Secret {
    /// Behind a pointer: where a secret moves, no copy of it stays behind.
    bytes: Box<[u8; MAX_SECRET_BYTES]>,
    length: u8,
}

/// The traffic secrets of both sides, as far as they are known.
#[derive(Default)]
pub(super) struct Secrets {
    /// The identifier of a session of TLS 1.2; behind a pointer, because an idle connection keeps the room.
    pub(super) id: Option<Box<SessionId>>,
    pub(super) client: Option<Secret>,
    pub(super) server: Option<Secret>,
    /// That of the server's flight, for a client that looks ahead at it.
    pub(super) flight: Option<Secret>,
}

impl Secrets {
    /// Notes a secret of application data, or of a flight.
    pub(super) fn note(&mut self, label: &str, secret: &[u8]) {
        match label {
            OF_CLIENT => self.client = Secret::new(secret),
            OF_SERVER => self.server = Secret::new(secret),
            OF_FLIGHT => self.flight = Secret::new(secret),
            MASTER => self.id = Some(Box::new(identifier(secret))),
            _ => {}
        }
    }
}

/// A number of bytes that HKDF makes.
#[derive(Clone, Copy)]
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

impl Secret {
    /// Takes a secret of SHA-256 or SHA-384.
    fn new(secret: &[u8]) -> Option<Self> {
        matches!(secret.len(), 32 | MAX_SECRET_BYTES).then(|| {
            let mut bytes = Box::new([0; MAX_SECRET_BYTES]);
            bytes[..secret.len()].copy_from_slice(secret);
            // 48 at the most.
            Self { bytes, length: secret.len() as u8 }
        })
    }

    /// Makes the next secret of this direction, and its keys. None if HKDF fails.
    pub(super) fn update(&mut self, direction: Direction, aead: Aead) -> Option<Cipher> {
        let mut next = [0; MAX_SECRET_BYTES];
        let length = usize::from(self.length);
        let made = self.expand(b"traffic upd", &mut next[..length]);
        if made.is_some() {
            *self.bytes = next;
        }
        next.zeroize();
        made?;
        self.cipher(direction, aead)
    }

    /// The keys of this secret (RFC 8446 section 7.3).
    pub(super) fn cipher(&self, direction: Direction, aead: Aead) -> Option<Cipher> {
        let mut key = [0; MAX_SECRET_BYTES];
        let mut iv = [0; NONCE_BYTES];
        let key_bytes = aead.key_bytes();
        let made = self.expand(b"key", &mut key[..key_bytes]).and_then(|()| self.expand(b"iv", &mut iv));
        let cipher = made.map(|()| Cipher::new(direction, Kind::tls13(aead), &key[..key_bytes], &iv));
        key.zeroize();
        iv.zeroize();
        cipher
    }

    /// HKDF-Expand-Label without a context (RFC 8446 section 7.1).
    fn expand(&self, label: &[u8], out: &mut [u8]) -> Option<()> {
        let algorithm = if usize::from(self.length) == MAX_SECRET_BYTES { HKDF_SHA384 } else { HKDF_SHA256 };
        let secret = Prk::new_less_safe(algorithm, &self.bytes[..usize::from(self.length)]);
        // Secrets, keys and labels are shorter than 256 bytes.
        let lengths = [0, out.len() as u8, (PREFIX.len() + label.len()) as u8];
        let info = [&lengths[..], PREFIX, label, &[0]];
        secret.expand(&info, Bytes(out.len())).ok()?.fill(out).ok()
    }
}

/// The start of each label of TLS 1.3.
const PREFIX: &[u8] = b"tls13 ";

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::RecordType;
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn keys_are_those_of_the_trace_in_rfc_8448_section_3() {
        let secret = bytes("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");
        let secret = Secret::new(&secret).expect("32 bytes");
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        secret.expand(b"key", &mut key).expect("HKDF");
        secret.expand(b"iv", &mut iv).expect("HKDF");
        assert_eq!(key.to_vec(), bytes("9f02283b6c9c07efc26bb9f2ac92e356"));
        assert_eq!(iv.to_vec(), bytes("cf782b88dd83549aadf1e984"));
    }

    #[test]
    fn both_sides_come_to_the_same_keys_after_each_update() {
        for (length, aead) in [(32, Aead::Aes128Gcm), (48, Aead::Aes256Gcm), (32, Aead::ChaCha20Poly1305)] {
            let mut sides = [(); 2].map(|()| Secret::new(&vec![5; length]).expect("a length of a hash"));
            let mut last = Vec::new();
            for _ in 0..3 {
                let [write, read] = &mut sides;
                let (mut write, mut read) = (
                    write.update(Direction::Write, aead).expect("HKDF"),
                    read.update(Direction::Read, aead).expect("HKDF"),
                );
                let mut record = vec![0; 3 + write.kind().overhead()];
                write.seal(RecordType::APPLICATION_DATA, b"abc", &mut record).expect("a new key");
                assert_ne!(record, last, "each update makes other keys");
                last.clone_from(&record);
                let (kind, place) = read.open_in_place(&mut record).expect("the same key");
                assert_eq!((kind, &record[place]), (RecordType::APPLICATION_DATA, &b"abc"[..]));
            }
        }
    }

    #[test]
    fn secrets_of_another_length_or_label_are_not_noted() {
        let mut secrets = Secrets::default();
        secrets.note("CLIENT_HANDSHAKE_TRAFFIC_SECRET", &[1; 32]);
        secrets.note(OF_CLIENT, &[1; 20]);
        assert!(secrets.client.is_none() && secrets.server.is_none());
        secrets.note(OF_SERVER, &[1; 48]);
        assert!(secrets.client.is_none() && secrets.server.is_some());
    }
}
