//! The traffic keys of a connection in the hands of a test: it seals any bytes, and opens what the other side sends.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey,
};
use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, KeyType, Prk};
use rustls::ConnectionTrafficSecrets;

/// Length of a record's header.
pub(crate) const HEADER_BYTES: usize = 5;

/// Length of the tag of each suite.
pub(crate) const TAG_BYTES: usize = 16;

/// The explicit part of the nonce of AES-GCM in TLS 1.2 (RFC 5288 section 3).
const EXPLICIT_BYTES: usize = 8;

/// The keys of one direction.
pub(crate) struct Keys {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    /// The sequence number of the next record.
    pub(crate) next: u64,
    /// The traffic secret that these keys come from, in TLS 1.3.
    secret: Option<Vec<u8>>,
}

/// The type, the version and the claimed length of a record's header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) kind: u8,
    pub(crate) version: [u8; 2],
    pub(crate) length: Option<u16>,
}

impl Header {
    pub(crate) fn of(kind: u8) -> Self {
        Self { kind, version: [3, 3], length: None }
    }

    fn bytes(self, length: usize) -> [u8; HEADER_BYTES] {
        let [high, low] = self.length.unwrap_or_else(|| u16::try_from(length).unwrap()).to_be_bytes();
        [self.kind, self.version[0], self.version[1], high, low]
    }
}

impl Keys {
    /// The keys that rustls gives away; `secret` is theirs in TLS 1.3.
    pub(crate) fn new((next, secrets): (u64, ConnectionTrafficSecrets), secret: Option<Vec<u8>>) -> Self {
        let (algorithm, key, iv) = match &secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
            _ => panic!("a suite that no test names"),
        };
        let iv = iv.as_ref().try_into().unwrap();
        Self { key: sealing_key(algorithm, &key.as_ref()[..algorithm.key_len()]), iv, next, secret }
    }

    fn is_tls13(&self) -> bool {
        self.secret.is_some()
    }

    fn has_explicit_nonce(&self) -> bool {
        !self.is_tls13() && *self.key.algorithm() != CHACHA20_POLY1305
    }

    /// Bytes that a record adds to its content.
    pub(crate) fn overhead(&self) -> usize {
        let added = if self.has_explicit_nonce() { EXPLICIT_BYTES } else { usize::from(self.is_tls13()) };
        HEADER_BYTES + added + TAG_BYTES
    }

    /// Seals a record of this type with the next number.
    pub(crate) fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        self.seal_padded(kind, content, 0)
    }

    /// The same with zeros after it (RFC 8446 section 5.4); TLS 1.2 has none.
    pub(crate) fn seal_padded(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        if !self.is_tls13() {
            assert_eq!(padding, 0);
            return self.seal_inner(Header::of(kind), content);
        }
        let inner = [content, &[kind], &vec![0; padding]].concat();
        self.seal_inner(Header::of(23), &inner)
    }

    /// Seals any bytes under any header with the next number.
    pub(crate) fn seal_inner(&mut self, header: Header, inner: &[u8]) -> Vec<u8> {
        let number = self.next;
        self.next += 1;
        self.seal_at(number, header, inner)
    }

    /// Seals any bytes under any header with any number.
    pub(crate) fn seal_at(&self, number: u64, header: Header, inner: &[u8]) -> Vec<u8> {
        let nonce = self.nonce(number);
        let explicit = if self.has_explicit_nonce() { &nonce[NONCE_LEN - EXPLICIT_BYTES..] } else { &[] };
        let mut sealed = inner.to_vec();
        let header_bytes = header.bytes(explicit.len() + inner.len() + TAG_BYTES);
        let aad = self.aad(number, &header_bytes, inner.len());
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed).unwrap();
        [&header_bytes[..], explicit, &sealed].concat()
    }

    /// Opens one record; gives its type and content.
    pub(crate) fn open(&mut self, record: &[u8]) -> (u8, Vec<u8>) {
        let (header, rest) = record.split_first_chunk::<HEADER_BYTES>().unwrap();
        let mut nonce = self.nonce(self.next);
        let explicit = if self.has_explicit_nonce() { EXPLICIT_BYTES } else { 0 };
        nonce[NONCE_LEN - explicit..].copy_from_slice(&rest[..explicit]);
        let mut sealed = rest[explicit..].to_vec();
        let aad = self.aad(self.next, header, sealed.len() - TAG_BYTES);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(aad), &mut sealed).expect("our side seals as it must");
        self.next += 1;
        if !self.is_tls13() {
            return (header[0], opened.to_vec());
        }
        assert_eq!(header[..3], [23, 3, 3]);
        let end = opened.iter().rposition(|byte| *byte != 0).expect("a content type");
        (opened[end], opened[..end].to_vec())
    }

    /// Changes to the keys after these (RFC 8446 section 7.2).
    pub(crate) fn update(&mut self) {
        let secret = self.secret.take().expect("keys of TLS 1.3");
        let secret = expand(&secret, "traffic upd", secret.len());
        let algorithm = self.key.algorithm();
        self.key = sealing_key(algorithm, &expand(&secret, "key", algorithm.key_len()));
        self.iv = expand(&secret, "iv", NONCE_LEN).try_into().unwrap();
        (self.next, self.secret) = (0, Some(secret));
    }

    fn nonce(&self, number: u64) -> [u8; NONCE_LEN] {
        let mut nonce = self.iv;
        let counter = nonce[NONCE_LEN - 8..].iter_mut().zip(number.to_be_bytes());
        counter.for_each(|(byte, number)| *byte ^= number);
        nonce
    }

    /// The authenticated bytes: RFC 8446 section 5.2, RFC 5246 section 6.2.3.3.
    fn aad(&self, number: u64, header: &[u8; HEADER_BYTES], plain_bytes: usize) -> Vec<u8> {
        if self.is_tls13() {
            return header.to_vec();
        }
        let length = u16::try_from(plain_bytes).unwrap().to_be_bytes();
        [&number.to_be_bytes()[..], &header[..3], &length].concat()
    }
}

fn sealing_key(algorithm: &'static Algorithm, key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap())
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label of RFC 8446 section 7.1, with an empty context.
fn expand(secret: &[u8], label: &str, bytes: usize) -> Vec<u8> {
    let hash = if secret.len() == 48 { HKDF_SHA384 } else { HKDF_SHA256 };
    let length = u16::try_from(bytes).unwrap().to_be_bytes();
    let label = format!("tls13 {label}");
    let info = [&length[..], &[u8::try_from(label.len()).unwrap()], label.as_bytes(), &[0]];
    let mut out = vec![0; bytes];
    Prk::new_less_safe(hash, secret).expand(&info, Bytes(bytes)).unwrap().fill(&mut out).unwrap();
    out
}
