//! Records that OpenSSL has no function for: the alert that ends a connection for a reason of the core's, and in tests
//! what no client should send.
//!
//! Up to TLS 1.2, they are sealed here with the keys of the connection (RFC 5246 sections 6.3 and 6.2.3) and the number
//! of the next record. OpenSSL must send nothing after one.

use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use openssl::nid::Nid;
use openssl::ssl::{SslCipherRef, SslRef, SslVersion};
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::context::algorithms;
use crate::sent::Sent;

const MASTER_SECRET_BYTES: usize = 48;
const RANDOM_BYTES: usize = 32;
pub(crate) const TAG_BYTES: usize = 16;
/// The part of the nonce that is in the record.
const EXPLICIT_NONCE_BYTES: usize = 8;

pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// The side that seals a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// A record to seal.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its content type.
    pub kind: u8,
    /// Its content, less than 16 KiB.
    pub content: &'a [u8],
    /// The records of this side before it.
    pub sent: &'a Sent,
    /// True if the connection encrypts before it authenticates.
    pub encrypts_then_macs: bool,
}

impl Record<'_> {
    /// Seals the record with the keys of this side. None if they are not known here, as in TLS 1.3. It has keys from
    /// its first record on, also if no change of ciphers shows that.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn seal(&self, ssl: &SslRef, side: Side) -> Result<Option<Vec<u8>>, ErrorStack> {
        let version = ssl.version2();
        if version == Some(SslVersion::TLS1_3) && self.sent.count() > 0 {
            return Ok(None);
        }
        let Some(number) = self.sent.next_number() else { return Ok(Some(self.framed(version, self.content))) };
        match version {
            Some(SslVersion::TLS1 | SslVersion::TLS1_1 | SslVersion::TLS1_2) => {}
            _ => return Ok(None),
        }
        let Some(keys) = Keys::of(ssl, side)? else { return Ok(None) };
        let sealed = match &keys.mac {
            Some(mac) => keys.seal_block(mac, version, self, number)?,
            None => keys.seal_aead(version, self, number)?,
        };
        Ok(Some(self.framed(version, &sealed)))
    }

    fn header(&self, version: Option<SslVersion>, content: &[u8]) -> [u8; 5] {
        let [high, low] = length(content);
        let [major, minor] = match version {
            Some(SslVersion::TLS1) => [3, 1],
            Some(SslVersion::TLS1_1) => [3, 2],
            _ => [3, 3],
        };
        [self.kind, major, minor, high, low]
    }

    fn framed(&self, version: Option<SslVersion>, content: &[u8]) -> Vec<u8> {
        [&self.header(version, content)[..], content].concat()
    }
}

/// A sealed record has less than 64 KiB.
fn length(content: &[u8]) -> [u8; 2] {
    u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes()
}

/// The keys of a side for writing.
struct Keys {
    cipher: Cipher,
    key: Secret,
    iv: Vec<u8>,
    /// The digest and its key. None for a suite that authenticates itself.
    mac: Option<(Md, Secret)>,
    tag_bytes: usize,
}

impl Keys {
    #[allow(unsafe_code)]
    fn of(ssl: &SslRef, side: Side) -> Result<Option<Self>, ErrorStack> {
        use foreign_types::ForeignTypeRef;
        let Some(suite) = ssl.current_cipher() else { return Ok(None) };
        // SAFETY: the suite is valid.
        let (cipher, digest) =
            unsafe { (sys::SSL_CIPHER_get_cipher_nid(suite.as_ptr()), sys::SSL_CIPHER_get_digest_nid(suite.as_ptr())) };
        let library = algorithms()?;
        let cipher = Cipher::fetch(Some(library), Nid::from_raw(cipher).short_name()?, None)?;
        let digest = match digest {
            sys::NID_undef => None,
            digest => Some(Md::fetch(Some(library), Nid::from_raw(digest).short_name()?, None)?),
        };
        let mac_bytes = digest.as_ref().map_or(0, |digest| digest.size());
        let iv_bytes = if digest.is_some() { 0 } else { salt_bytes(&cipher) };
        let key_bytes = cipher.key_length();
        let block = key_block(ssl, 2 * (mac_bytes + key_bytes + iv_bytes))?;
        // Both sides' keys of the MAC, then both keys, then both IVs; the client's first.
        let place = if side == Side::Server { 1 } else { 0 };
        let own = |start: usize, length: usize| block[start + place * length..][..length].to_vec();
        Ok(Some(Self {
            key: Zeroizing::new(own(2 * mac_bytes, key_bytes)),
            iv: own(2 * (mac_bytes + key_bytes), iv_bytes),
            mac: digest.map(|digest| (digest, Zeroizing::new(own(0, mac_bytes)))),
            tag_bytes: tag_bytes(suite),
            cipher,
        }))
    }

    /// Seals with a block cipher and a MAC, in one of both orders.
    fn seal_block(
        &self,
        (digest, key): &(Md, Secret),
        version: Option<SslVersion>,
        record: &Record<'_>,
        number: u64,
    ) -> Result<Vec<u8>, ErrorStack> {
        let block = self.cipher.block_size();
        let mut iv = vec![0; block];
        let is_explicit = version != Some(SslVersion::TLS1);
        match is_explicit {
            true => openssl::rand::rand_bytes(&mut iv)?,
            false => {
                let mac_bytes = if record.encrypts_then_macs { digest.size() } else { 0 };
                iv.copy_from_slice(record.sent.block(block, mac_bytes).unwrap_or(&vec![0; block]));
            }
        }
        let mac = |content: &[u8]| {
            let header = record.header(version, content);
            hmac(digest, key, &[&number.to_be_bytes(), &header, content])
        };
        let mut plain = record.content.to_vec();
        if !record.encrypts_then_macs {
            plain.extend_from_slice(&mac(record.content)?);
        }
        let padding = block - plain.len() % block;
        plain.resize(plain.len() + padding, u8::try_from(padding - 1).unwrap_or_default());
        let mut sealed = if is_explicit { iv.clone() } else { Vec::new() };
        let mut cipher = CipherCtx::new()?;
        cipher.encrypt_init(Some(&self.cipher), Some(&self.key), Some(&iv))?;
        cipher.set_padding(false);
        cipher.cipher_update_vec(&plain, &mut sealed)?;
        cipher.cipher_final_vec(&mut sealed)?;
        if record.encrypts_then_macs {
            let mac = mac(&sealed)?;
            sealed.extend_from_slice(&mac);
        }
        Ok(sealed)
    }

    /// Seals with a cipher that authenticates (RFC 5288, RFC 6655, RFC 7905).
    fn seal_aead(&self, version: Option<SslVersion>, record: &Record<'_>, number: u64) -> Result<Vec<u8>, ErrorStack> {
        let content = record.content;
        let is_chacha = self.iv.len() > 4;
        // OpenSSL counts the nonces of GCM from a random one. This one is far from all that it has used.
        let explicit = (u64::from_be_bytes(record.sent.nonce()) ^ 1 << 63).to_be_bytes();
        let nonce: Vec<u8> = match is_chacha {
            true => {
                let number = [&[0; 4], &number.to_be_bytes()[..]].concat();
                self.iv.iter().zip(number).map(|(iv, number)| iv ^ number).collect()
            }
            false => [&self.iv[..], &explicit].concat(),
        };
        let authenticated = [&number.to_be_bytes()[..], &record.header(version, content)].concat();
        let mut sealed = if is_chacha { Vec::new() } else { explicit.to_vec() };
        let aead = Aead { cipher: &self.cipher, key: &self.key, nonce: &nonce, tag_bytes: self.tag_bytes };
        aead.seal(&authenticated, content, &mut sealed)?;
        Ok(sealed)
    }
}

/// A cipher that authenticates, with its parts for one record.
pub(crate) struct Aead<'a> {
    pub(crate) cipher: &'a CipherRef,
    pub(crate) key: &'a [u8],
    pub(crate) nonce: &'a [u8],
    pub(crate) tag_bytes: usize,
}

impl Aead<'_> {
    /// Appends the sealed content and its tag.
    pub(crate) fn seal(&self, authenticated: &[u8], content: &[u8], sealed: &mut Vec<u8>) -> Result<(), ErrorStack> {
        let mut cipher = CipherCtx::new()?;
        cipher.encrypt_init(Some(self.cipher), None, None)?;
        cipher.set_iv_length(self.nonce.len())?;
        let is_ccm = is_ccm(self.cipher);
        if is_ccm {
            cipher.set_tag_length(self.tag_bytes)?;
        }
        cipher.encrypt_init(None, Some(self.key), Some(self.nonce))?;
        if is_ccm {
            cipher.set_data_len(content.len())?;
        }
        cipher.cipher_update(authenticated, None)?;
        cipher.cipher_update_vec(content, sealed)?;
        cipher.cipher_final_vec(sealed)?;
        let mut tag = vec![0; self.tag_bytes];
        cipher.tag(&mut tag)?;
        sealed.extend(tag);
        Ok(())
    }
}

fn is_ccm(cipher: &CipherRef) -> bool {
    cipher.nid().short_name().is_ok_and(|name| name.to_ascii_uppercase().contains("CCM"))
}

/// Returns true if a record up to TLS 1.2 has less than its cipher adds. OpenSSL takes that for an error of its own.
pub(crate) fn is_cut(ssl: &SslRef, record: &[u8]) -> bool {
    use foreign_types::ForeignTypeRef;
    const HEADER_BYTES: usize = 5;
    let length = record.len().saturating_sub(HEADER_BYTES);
    if length >= EXPLICIT_NONCE_BYTES + TAG_BYTES || ssl.version2() == Some(SslVersion::TLS1_3) {
        return false;
    }
    let Some(suite) = ssl.current_cipher() else { return false };
    // SAFETY: the suite is valid.
    #[allow(unsafe_code)]
    let is_aead = unsafe { sys::SSL_CIPHER_get_digest_nid(suite.as_ptr()) } == sys::NID_undef;
    is_aead
        && length
            < match suite.name() {
                name if name.contains("CCM8") => EXPLICIT_NONCE_BYTES + TAG_BYTES / 2,
                name if name.contains("CHACHA") => TAG_BYTES,
                _ => EXPLICIT_NONCE_BYTES + TAG_BYTES,
            }
}

/// The length of the tag of a suite, in bytes.
pub(crate) fn tag_bytes(suite: &SslCipherRef) -> usize {
    let is_short = ["CCM8", "CCM_8"].iter().any(|short| suite.name().contains(short));
    if is_short { TAG_BYTES / 2 } else { TAG_BYTES }
}

/// The bytes of the nonce that come with the keys.
fn salt_bytes(cipher: &CipherRef) -> usize {
    match cipher.nid() {
        Nid::CHACHA20_POLY1305 => 12,
        _ => 12 - EXPLICIT_NONCE_BYTES,
    }
}

/// The key block (RFC 5246 section 6.3).
fn key_block(ssl: &SslRef, bytes: usize) -> Result<Secret, ErrorStack> {
    let mut master = Zeroizing::new(vec![0; MASTER_SECRET_BYTES]);
    let known = ssl.session().map_or(0, |session| session.master_key(&mut master));
    master.truncate(known);
    let (mut server, mut client) = ([0; RANDOM_BYTES], [0; RANDOM_BYTES]);
    ssl.server_random(&mut server);
    ssl.client_random(&mut client);
    let seed = [&b"key expansion"[..], &server, &client].concat();
    let library = algorithms()?;
    if ssl.version2() == Some(SslVersion::TLS1_2) {
        let is_384 = ssl
            .current_cipher()
            .and_then(|suite| suite.handshake_digest())
            .is_some_and(|digest| digest.type_() == Nid::SHA384);
        let digest = Md::fetch(Some(library), if is_384 { "SHA384" } else { "SHA256" }, None)?;
        return expand(&digest, &master, &seed, bytes);
    }
    // Both digests, each with its half of the secret (RFC 2246 section 5).
    let (first, second) = master.split_at(known / 2);
    let mut block = expand(&Md::fetch(Some(library), "MD5", None)?, first, &seed, bytes)?;
    let other = expand(&Md::fetch(Some(library), "SHA1", None)?, second, &seed, bytes)?;
    block.iter_mut().zip(&other[..]).for_each(|(byte, other)| *byte ^= other);
    Ok(block)
}

/// P_hash of RFC 5246 section 5.
fn expand(digest: &Md, secret: &[u8], seed: &[u8], bytes: usize) -> Result<Secret, ErrorStack> {
    let mut expanded = Zeroizing::new(Vec::with_capacity(bytes + digest.size()));
    let mut chained = hmac(digest, secret, &[seed])?;
    while expanded.len() < bytes {
        expanded.extend_from_slice(&hmac(digest, secret, &[&chained, seed])?);
        chained = hmac(digest, secret, &[&chained])?;
    }
    Ok(expanded)
}

/// HMAC (RFC 2104). All keys here are shorter than a block.
pub(crate) fn hmac(digest: &Md, key: &[u8], parts: &[&[u8]]) -> Result<Secret, ErrorStack> {
    let pad = |byte: u8| {
        let mut pad = Zeroizing::new(vec![byte; digest.block_size()]);
        pad.iter_mut().zip(key).for_each(|(pad, key)| *pad ^= key);
        pad
    };
    let hash = |parts: &[&[u8]]| {
        let mut context = MdCtx::new()?;
        context.digest_init(digest)?;
        parts.iter().try_for_each(|part| context.digest_update(part))?;
        let mut hash = Zeroizing::new(vec![0; digest.size()]);
        context.digest_final(&mut hash).map(|_| hash)
    };
    let (inner, outer) = (pad(0x36), pad(0x5c));
    let inner = hash(&[&[&inner[..]], parts].concat())?;
    hash(&[&outer, &inner])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion_is_that_of_the_known_vector_of_sha256() {
        let digest = Md::fetch(Some(algorithms().unwrap()), "SHA256", None).unwrap();
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = [&b"test label"[..], &hex("a0ba9f936cda311827a6f796ffd5198c")].concat();
        let expected = hex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a");
        assert_eq!(expand(&digest, &secret, &seed, 32).unwrap()[..32], expected);
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
