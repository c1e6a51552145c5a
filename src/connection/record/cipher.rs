//! The keys of one direction, and how they seal and open a record.
//!
//! A cipher serves rustls during the handshake and the connection itself after it. The expanded key is made at its
//! first use. It takes most of the memory of an idle connection, so it can be dropped again.

use std::ops::Range;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroize;

use super::behind::Behind;
use super::gcm::{Gcm, NONCE_BYTES, TAG_BYTES};
use super::header::{HEADER_BYTES, RecordType};
use super::kind::{Aead, EXPLICIT_NONCE_BYTES, Kind, MAX_RECORDS};

/// The longest key of a suite.
const MAX_KEY_BYTES: usize = 32;

/// The largest plaintext of one record (RFC 8446 section 5.1).
pub const MAX_PLAINTEXT_BYTES: usize = 16 * 1024;

/// Most bytes that encryption may add to a record in TLS 1.3 (RFC 8446 section 5.2) and in TLS 1.2 (RFC 5246 section
/// 6.2.3).
const MAX_EXPANSION_BYTES: [usize; 2] = [256, 2048];

/// The version in the header of each encrypted record, in TLS 1.3 too (RFC 8446 section 5.2).
const VERSION: [u8; 2] = [3, 3];

/// A fault of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is longer than it may be.
    TooLong,
    /// It is not authentic: another key, another number, an altered byte, or no room for a tag.
    NotAuthentic,
    /// TLS 1.3: it holds nothing but zeros (RFC 8446 section 5.4).
    NoType,
}

/// The content of an opened record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) kind: RecordType,
    pub(super) length: usize,
}

/// The use of a cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Write,
    Read,
}

/// An expanded key.
enum Expanded {
    /// AES-GCM, but for writing in TLS 1.2, which has no type behind the content: the other form takes less memory.
    Gcm(Gcm),
    Aead(LessSafeKey),
}

/// The keys of one direction, with the number of the next record.
pub(crate) struct Cipher {
    /// The expanded key: none before its first use, and while the connection sleeps.
    expanded: Option<Expanded>,
    direction: Direction,
    kind: Kind,
    /// None if the key had a wrong length: then every record is refused.
    keys: Option<Box<Keys>>,
    number: u64,
}

/// A key and its initialization vector, behind a pointer: where a cipher moves, no copy of them stays behind.
struct Keys {
    key: [u8; MAX_KEY_BYTES],
    iv: [u8; NONCE_BYTES],
}

impl Cipher {
    /// Makes a cipher. A key of another length than the algorithm's makes one that refuses every record.
    pub(super) fn new(direction: Direction, kind: Kind, key: &[u8], iv: &[u8; NONCE_BYTES]) -> Self {
        let keys = (key.len() == kind.aead().key_bytes()).then(|| {
            let mut keys = Box::new(Keys { key: [0; MAX_KEY_BYTES], iv: [0; NONCE_BYTES] });
            keys.key[..key.len()].copy_from_slice(key);
            keys.iv = *iv;
            keys
        });
        Self { expanded: None, direction, kind, keys, number: 0 }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn set_number(&mut self, number: u64) {
        self.number = number;
    }

    /// Returns true if records of this key have been sealed, or are sealed from now on: in TLS 1.2 keys are made before
    /// they are used.
    pub(crate) fn is_active(&self) -> bool {
        self.kind.is_tls13() || self.number > 0
    }

    /// Returns true if the key should seal one more record at the most.
    pub(super) fn is_worn_out(&self) -> bool {
        self.number + 1 >= self.kind.max_records()
    }

    /// The number of the next record.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Drops the expanded key. The next record makes it again.
    pub(super) fn sleep(&mut self) {
        self.expanded = None;
    }

    /// Seals `content` as one record at the start of `record`, and returns the record's length. None if the keys are
    /// used up, or `record` is shorter than the record.
    #[inline]
    pub(crate) fn seal(&mut self, kind: RecordType, content: &[u8], record: &mut [u8]) -> Option<usize> {
        let length = content.len() + self.kind.overhead();
        let (place, body) = record.get_mut(..length)?.split_first_chunk_mut::<HEADER_BYTES>()?;
        let header = self.header(kind, body.len())?;
        *place = header;
        let extra = if self.kind.is_tls13() { &[kind.0][..] } else { &[] };
        if content.len() > self.kind.most_copied() {
            return self.seal_apart(header, content, extra, body).map(|()| length);
        }
        // Without a key, nothing is copied.
        self.expanded()?;
        let start = self.kind.before();
        body.get_mut(start..start + content.len())?.copy_from_slice(content);
        body.get_mut(start + content.len()..)?.get_mut(..extra.len())?.copy_from_slice(extra);
        self.seal_body(header, body).map(|()| length)
    }

    /// The header of a record that has `length` bytes behind it.
    #[inline]
    pub(super) fn header(&self, kind: RecordType, length: usize) -> Option<[u8; HEADER_BYTES]> {
        let outer = if self.kind.is_tls13() { RecordType::APPLICATION_DATA } else { kind };
        let ([high, low], [major, minor]) = (u16::try_from(length).ok()?.to_be_bytes(), VERSION);
        Some([outer.0, major, minor, high, low])
    }

    /// Encrypts into `body`, which follows the header of a record and has its length.
    #[inline]
    fn seal_apart(&mut self, header: [u8; HEADER_BYTES], content: &[u8], extra: &[u8], body: &mut [u8]) -> Option<()> {
        let (nonce, data) = (self.nonce(), self.additional_data(header, content.len()));
        let (before, rest) = body.split_at_mut_checked(self.kind.before())?;
        put_explicit(before, &nonce);
        let number = self.number;
        match self.expanded()? {
            Expanded::Gcm(gcm) => {
                let (inner, tag) = rest.split_at_mut_checked(content.len() + extra.len())?;
                *<&mut [u8; TAG_BYTES]>::try_from(tag).ok()? =
                    gcm.seal_apart(&nonce, data.as_ref(), (content, extra), inner)?;
            }
            Expanded::Aead(key) => {
                let (ciphertext, after) = rest.split_at_mut_checked(content.len())?;
                let (nonce, data) = (Nonce::assume_unique_for_key(nonce), Aad::from(data.as_ref()));
                key.seal_out_of_place_scatter(nonce, data, content, ciphertext, extra, after).ok()?;
            }
        }
        self.number = number + 1;
        Some(())
    }

    /// Encrypts what follows the header of a record, in place: room for the explicit nonce of TLS 1.2, the content, in
    /// TLS 1.3 its type, and room for the tag.
    #[inline]
    pub(super) fn seal_body(&mut self, header: [u8; HEADER_BYTES], body: &mut [u8]) -> Option<()> {
        let nonce = self.nonce();
        let (before, rest) = body.split_at_mut_checked(self.kind.before())?;
        put_explicit(before, &nonce);
        let (inner, tag) = rest.split_last_chunk_mut::<TAG_BYTES>()?;
        let data = self.additional_data(header, inner.len());
        let number = self.number;
        match self.expanded()? {
            Expanded::Gcm(gcm) => *tag = gcm.seal_in_place(&nonce, data.as_ref(), inner)?,
            Expanded::Aead(key) => {
                let (nonce, data) = (Nonce::assume_unique_for_key(nonce), Aad::from(data.as_ref()));
                tag.copy_from_slice(key.seal_in_place_separate_tag(nonce, data, inner).ok()?.as_ref());
            }
        }
        self.number = number + 1;
        Some(())
    }

    /// Opens a whole record in place. The content stands at the returned place. A record that is not authentic leaves
    /// zeros.
    pub(super) fn open_in_place(&mut self, record: &mut [u8]) -> Result<(RecordType, Range<usize>), Fault> {
        let (header, body) = record.split_first_chunk_mut::<HEADER_BYTES>().ok_or(Fault::NotAuthentic)?;
        let inner = self.open_body(*header, body)?;
        let content = self.content(RecordType(header[0]), &mut body[inner.clone()])?;
        let start = HEADER_BYTES + inner.start;
        Ok((content.kind, start..start + content.length))
    }

    /// Opens a whole record of the handshake. None for a record of another type, an empty one, and one that is not
    /// authentic.
    pub(crate) fn read_handshake(&mut self, mut record: Vec<u8>) -> Option<Vec<u8>> {
        let (kind, place) = self.open_in_place(&mut record).ok()?;
        (kind == RecordType::HANDSHAKE && !place.is_empty()).then(|| record[place].to_vec())
    }

    /// Decrypts what follows the header of a record, in place. In TLS 1.3 the inner type and padding stand behind the
    /// content.
    pub(super) fn open_body(&mut self, header: [u8; HEADER_BYTES], body: &mut [u8]) -> Result<Range<usize>, Fault> {
        let (nonce, start) = self.nonce_of(body)?;
        let end = body.len().checked_sub(TAG_BYTES).filter(|end| *end >= start).ok_or(Fault::NotAuthentic)?;
        let data = self.additional_data(header, end - start);
        let (inner, tag) = body[start..].split_at_mut(end - start);
        let tag: &[u8; TAG_BYTES] = (&*tag).try_into().map_err(|_| Fault::NotAuthentic)?;
        let number = self.number;
        let is_authentic = match self.expanded() {
            Some(Expanded::Gcm(gcm)) => gcm.open_in_place(&nonce, data.as_ref(), tag, inner),
            Some(Expanded::Aead(key)) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place_separate_tag(nonce, Aad::from(data.as_ref()), tag, inner).is_ok()
            }
            None => false,
        };
        if !is_authentic {
            inner.fill(0);
            return Err(Fault::NotAuthentic);
        }
        self.number = number + 1;
        Ok(start..end)
    }

    /// Opens a whole record into the start of `plain`, which has room for [`Cipher::room_for`]. A record that is not
    /// authentic leaves zeros there. The bytes behind the content stay as they were, unless there is more padding than
    /// Java adds to each record: then they are zeros.
    #[inline]
    pub(super) fn open_into(&mut self, record: &[u8], plain: &mut [u8]) -> Result<Content, Fault> {
        let (header, body) = record.split_first_chunk::<HEADER_BYTES>().ok_or(Fault::NotAuthentic)?;
        let (nonce, start) = self.nonce_of(body)?;
        let (ciphertext, tag) = body[start..].split_last_chunk::<TAG_BYTES>().ok_or(Fault::NotAuthentic)?;
        let data = self.additional_data(*header, ciphertext.len());
        let plain_bytes = plain.len().min(ciphertext.len());
        let plain = &mut plain[..plain_bytes];
        let behind = Behind::of(plain);
        let mut last = [0];
        let rest = last.get_mut(..ciphertext.len() - plain.len()).ok_or(Fault::NotAuthentic)?;
        let number = self.number;
        let is_authentic = match self.expanded() {
            Some(Expanded::Gcm(gcm)) => {
                gcm.open_apart(&nonce, data.as_ref(), (ciphertext, tag), (&mut *plain, &mut *rest))
            }
            Some(Expanded::Aead(key)) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_separate_gather(nonce, Aad::from(data.as_ref()), ciphertext, tag, plain).is_ok()
            }
            None => false,
        };
        if !is_authentic {
            plain.fill(0);
            return Err(Fault::NotAuthentic);
        }
        self.number = number + 1;
        if self.kind.is_tls13() && ciphertext.len() > MAX_PLAINTEXT_BYTES + 1 {
            plain.fill(0);
            return Err(Fault::TooLong);
        }
        // A type that has no room in `plain` says that all of it is content.
        if let [kind] = rest
            && *kind != 0
        {
            return Ok(Content { kind: RecordType(*kind), length: plain.len() });
        }
        let content = self.content(RecordType(header[0]), plain)?;
        behind.restore(plain, content.length);
        Ok(content)
    }

    /// The room that [`Cipher::open_into`] needs for a record of `length` bytes, header included.
    pub(super) const fn room_for(&self, length: usize) -> usize {
        self.inner_bytes(length).saturating_sub(self.kind.spared())
    }

    /// Bytes that a record of `length` bytes, header included, decrypts to: with the inner type and the padding.
    const fn inner_bytes(&self, length: usize) -> usize {
        length.saturating_sub(HEADER_BYTES + self.kind.before() + TAG_BYTES)
    }

    /// Checks the length of a record that its header gives, header included.
    pub(super) fn check_length(&self, length: usize) -> Result<(), Fault> {
        let most = MAX_PLAINTEXT_BYTES + MAX_EXPANSION_BYTES[usize::from(!self.kind.is_tls13())];
        if length > HEADER_BYTES + most { Err(Fault::TooLong) } else { Ok(()) }
    }

    /// The type and length of the content of decrypted bytes (RFC 8446 sections 5.2 and 5.4).
    #[inline]
    fn content(&self, outer: RecordType, inner: &mut [u8]) -> Result<Content, Fault> {
        let (kind, length) = match self.kind.is_tls13() {
            true if inner.len() > MAX_PLAINTEXT_BYTES + 1 => {
                inner.fill(0);
                return Err(Fault::TooLong);
            }
            true => {
                let last = inner.iter().rposition(|byte| *byte != 0).ok_or(Fault::NoType)?;
                (RecordType(inner[last]), last)
            }
            false => (outer, inner.len()),
        };
        if length > MAX_PLAINTEXT_BYTES {
            inner.fill(0);
            return Err(Fault::TooLong);
        }
        Ok(Content { kind, length })
    }

    /// The nonce of the next record: its number over the initialization vector (RFC 8446 section 5.3, RFC 7905 section
    /// 2). For the explicit nonce of AES-GCM in TLS 1.2 any value serves that no other record has.
    #[inline]
    fn nonce(&self) -> [u8; NONCE_BYTES] {
        let [a, b, c, d, last @ ..] = self.keys.as_ref().map_or([0; NONCE_BYTES], |keys| keys.iv);
        let [e, f, g, h, i, j, k, l] = (u64::from_be_bytes(last) ^ self.number).to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    /// The nonce of a received record, and the start of its ciphertext.
    #[inline]
    fn nonce_of(&self, body: &[u8]) -> Result<([u8; NONCE_BYTES], usize), Fault> {
        let mut nonce = self.nonce();
        let before = self.kind.before();
        if before > 0 {
            let explicit = body.first_chunk::<EXPLICIT_NONCE_BYTES>().ok_or(Fault::NotAuthentic)?;
            nonce[NONCE_BYTES - EXPLICIT_NONCE_BYTES..].copy_from_slice(explicit);
        }
        Ok((nonce, before))
    }

    /// The additional data of a record with `length` bytes of content. It is the header in TLS 1.3 (RFC 8446 section
    /// 5.2). In TLS 1.2, it is the number, type, version and length (RFC 5246 section 6.2.3.3).
    #[inline]
    fn additional_data(&self, [kind, major, minor, high, low]: [u8; HEADER_BYTES], length: usize) -> AdditionalData {
        let [high, low] = match self.kind.is_tls13() {
            true => [high, low],
            // A record is shorter than 64 KiB.
            false => (length as u16).to_be_bytes(),
        };
        // Whole words: the cipher reads them at once, and would wait for bytes that are stored one by one.
        let header = u64::from_be_bytes([kind, major, minor, high, low, 0, 0, 0]);
        AdditionalData { words: [self.number.to_be_bytes(), header.to_be_bytes()], has_number: !self.kind.is_tls13() }
    }

    #[inline]
    fn expanded(&mut self) -> Option<&mut Expanded> {
        if self.number >= MAX_RECORDS {
            return None;
        }
        if self.expanded.is_none() {
            self.wake();
        }
        self.expanded.as_mut()
    }

    #[cold]
    fn wake(&mut self) {
        let Some(keys) = &self.keys else { return };
        let key = &keys.key[..self.kind.aead().key_bytes()];
        let aead = || UnboundKey::new(self.kind.aead().algorithm(), key).ok().map(LessSafeKey::new);
        self.expanded = match (self.kind.aead(), self.direction) {
            (Aead::ChaCha20Poly1305, _) => aead().map(Expanded::Aead),
            (_, Direction::Write) if !self.kind.is_tls13() => aead().map(Expanded::Aead),
            (_, Direction::Write) => Gcm::sealing(key).map(Expanded::Gcm),
            (_, Direction::Read) => Gcm::opening(key).map(Expanded::Gcm),
        };
    }
}

/// Puts the explicit nonce of TLS 1.2 before a ciphertext, if there is room for one.
#[inline]
fn put_explicit(before: &mut [u8], nonce: &[u8; NONCE_BYTES]) {
    if let Ok(explicit) = <&mut [u8; EXPLICIT_NONCE_BYTES]>::try_from(before) {
        explicit.copy_from_slice(&nonce[NONCE_BYTES - EXPLICIT_NONCE_BYTES..]);
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.key.zeroize();
        self.iv.zeroize();
    }
}

/// The additional data of a record: the number, which TLS 1.3 leaves out, and the header.
struct AdditionalData {
    words: [[u8; 8]; 2],
    has_number: bool,
}

impl AsRef<[u8]> for AdditionalData {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        let start = if self.has_number { 0 } else { 8 };
        &self.words.as_flattened()[start..8 + HEADER_BYTES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 6] = [
        Kind::tls13(Aead::Aes128Gcm),
        Kind::tls13(Aead::Aes256Gcm),
        Kind::tls13(Aead::ChaCha20Poly1305),
        Kind::tls12(Aead::Aes128Gcm),
        Kind::tls12(Aead::Aes256Gcm),
        Kind::tls12(Aead::ChaCha20Poly1305),
    ];

    fn cipher(direction: Direction, kind: Kind) -> Cipher {
        Cipher::new(direction, kind, &vec![7; kind.aead().key_bytes()], &[9; NONCE_BYTES])
    }

    fn writer(kind: Kind) -> Cipher {
        cipher(Direction::Write, kind)
    }

    fn reader(kind: Kind) -> Cipher {
        cipher(Direction::Read, kind)
    }

    fn sealed(cipher: &mut Cipher, content: &[u8]) -> Vec<u8> {
        let mut record = vec![0; content.len() + cipher.kind().overhead()];
        let length = cipher.seal(RecordType::APPLICATION_DATA, content, &mut record).unwrap();
        assert_eq!(length, record.len());
        record
    }

    #[test]
    fn record_opens_in_place_and_into_a_buffer_alike() {
        for kind in KINDS {
            let (mut write, mut one, mut other) = (writer(kind), reader(kind), reader(kind));
            for length in [0, 1, 15, 16, 17, 1000, MAX_PLAINTEXT_BYTES] {
                let content: Vec<u8> = (0..length).map(|at| at as u8).collect();
                let mut record = sealed(&mut write, &content);
                let mut plain = vec![8; one.inner_bytes(record.len())];
                let expected = Content { kind: RecordType::APPLICATION_DATA, length };
                assert_eq!(one.open_into(&record, &mut plain), Ok(expected), "{kind:?} {length}");
                assert_eq!(plain[..length], content);
                assert!(plain[length..].iter().all(|byte| *byte == 8), "what stands behind the content stays");
                let (opened, place) = other.open_in_place(&mut record).unwrap();
                assert_eq!((opened, &record[place]), (RecordType::APPLICATION_DATA, &content[..]));
            }
        }
    }

    #[test]
    fn bytes_behind_the_content_of_a_padded_record_stay_or_are_zeros() {
        for kind in KINDS.iter().filter(|kind| kind.is_tls13()) {
            for (length, padding) in [(0, 0), (0, 16), (5, 16), (100, 16), (100, 31), (100, 32), (100, 300)] {
                let padded = [vec![5; length], vec![23], vec![0; padding]].concat();
                let (content, type_or_padding) = padded.split_at(padded.len() - 1);
                let mut record = vec![0; content.len() + kind.overhead()];
                writer(*kind).seal(RecordType(type_or_padding[0]), content, &mut record).unwrap();
                let mut read = reader(*kind);
                let mut plain = vec![8; read.inner_bytes(record.len())];
                let expected = Content { kind: RecordType::APPLICATION_DATA, length };
                assert_eq!(read.open_into(&record, &mut plain), Ok(expected), "{kind:?} {length} {padding}");
                assert!(plain[..length].iter().all(|byte| *byte == 5));
                let stays = plain.len().saturating_sub(Behind::MOST).max(length);
                assert!(plain[length..stays].iter().all(|byte| *byte == 0));
                assert!(plain[stays..].iter().all(|byte| *byte == 8), "{kind:?} {length} {padding}: {plain:?}");
            }
        }
    }

    #[test]
    fn record_without_room_for_its_type_opens_if_it_is_not_too_long() {
        for (length, padding) in [(1, 0), (100, 0), (MAX_PLAINTEXT_BYTES, 0), (100, 1), (0, 1)] {
            for kind in KINDS.iter().filter(|kind| kind.is_tls13() && kind.aead() != Aead::ChaCha20Poly1305) {
                let content = vec![5; length];
                let mut record = sealed(&mut writer(*kind), &content);
                if padding > 0 {
                    // The type stands in the content, and the padding in place of the type.
                    let padded = [content.as_slice(), &[23]].concat();
                    record = vec![0; padded.len() + kind.overhead()];
                    writer(*kind).seal(RecordType(0), &padded, &mut record).unwrap();
                }
                let mut read = reader(*kind);
                let mut plain = vec![0; read.room_for(record.len())];
                let expected = Content { kind: RecordType::APPLICATION_DATA, length };
                assert_eq!(read.open_into(&record, &mut plain), Ok(expected), "{kind:?} {length} {padding}");
                assert_eq!(plain[..length], content);
            }
        }
        let mut read = reader(KINDS[0]);
        let record = sealed(&mut writer(KINDS[0]), &vec![5; MAX_PLAINTEXT_BYTES + 1]);
        let mut plain = vec![7; read.room_for(record.len())];
        assert_eq!(read.open_into(&record, &mut plain), Err(Fault::TooLong));
        assert!(plain.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn every_altered_byte_is_refused_leaves_zeros_and_uses_up_no_number() {
        for kind in KINDS {
            let mut read = reader(kind);
            let record = sealed(&mut writer(kind), b"secret");
            for at in 0..record.len() {
                let mut altered = record.clone();
                altered[at] ^= 1;
                let mut plain = vec![1; read.inner_bytes(altered.len())];
                // In TLS 1.2 the length that counts is that of the content, which the caller has cut.
                if matches!(at, 3 | 4) && !kind.is_tls13() {
                    continue;
                }
                assert_eq!(read.open_into(&altered, &mut plain), Err(Fault::NotAuthentic), "{kind:?} {at}");
                assert!(plain.iter().all(|byte| *byte == 0), "{kind:?} {at}");
                assert_eq!(read.open_in_place(&mut altered), Err(Fault::NotAuthentic), "{kind:?} {at}");
            }
            let mut plain = vec![0; read.inner_bytes(record.len())];
            assert!(read.open_into(&record, &mut plain).is_ok(), "{kind:?}");
        }
    }

    #[test]
    fn record_of_any_length_below_its_overhead_is_refused() {
        for kind in KINDS {
            for length in 0..kind.overhead() {
                let mut record = vec![23; length];
                assert_eq!(reader(kind).open_into(&record, &mut [0; 64]), Err(Fault::NotAuthentic));
                assert_eq!(reader(kind).open_in_place(&mut record), Err(Fault::NotAuthentic));
            }
        }
    }

    #[test]
    fn record_that_does_not_fit_is_not_sealed() {
        for kind in KINDS {
            let mut write = writer(kind);
            for room in 0..kind.overhead() + 3 {
                assert_eq!(write.seal(RecordType::APPLICATION_DATA, b"abc", &mut vec![0; room]), None);
            }
            assert_eq!(write.number, 0);
        }
    }

    #[test]
    fn keys_end_before_their_numbers_do() {
        for kind in KINDS {
            let mut write = writer(kind);
            write.set_number(kind.max_records() - 2);
            assert!(!write.is_worn_out());
            sealed(&mut write, b"the last of data");
            assert!(write.is_worn_out());
            write.set_number(MAX_RECORDS);
            assert_eq!(write.seal(RecordType::APPLICATION_DATA, b"abc", &mut [0; 64]), None);
            let record = sealed(&mut writer(kind), b"abc");
            let mut read = reader(kind);
            read.set_number(MAX_RECORDS);
            assert_eq!(read.open_into(&record, &mut [0; 64]), Err(Fault::NotAuthentic));
        }
    }

    #[test]
    fn key_of_another_length_refuses_every_record() {
        let mut wrong = Cipher::new(Direction::Write, Kind::tls13(Aead::Aes256Gcm), &[7; 16], &[9; NONCE_BYTES]);
        wrong.set_number(0);
        assert_eq!(wrong.seal(RecordType::APPLICATION_DATA, b"abc", &mut [0; 64]), None);
    }

    #[test]
    fn sleep_drops_the_expanded_key_and_a_record_makes_it_again() {
        let (mut write, mut read) = (writer(KINDS[0]), reader(KINDS[0]));
        for _ in 0..2 {
            let mut record = sealed(&mut write, b"abc");
            assert!(read.open_in_place(&mut record).is_ok() && write.expanded.is_some() && read.expanded.is_some());
            write.sleep();
            read.sleep();
            assert!(write.expanded.is_none() && read.expanded.is_none());
        }
    }
}
