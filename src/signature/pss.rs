//! RSASSA-PSS with its parameters (RFC 4055 section 3), and RSA signatures that aws-lc-rs does not check.

use aws_lc_rs::digest;
use rsa::pkcs1::der::Decode;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};

use super::key::{MAX_RSA_BITS, PSS_OID};
use super::refused::Refused;
use crate::der::{Elements, INTEGER, NULL, OID, SEQUENCE, only};

/// The content of id-mgf1, 1.2.840.113549.1.1.8.
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
/// The content of id-sha256, 2.16.840.1.101.3.4.2.1, and of its siblings, but for the last byte.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
/// DigestInfo up to the digest, for SHA-1 (RFC 8017 section 9.2).
const SHA1_PREFIX: [u8; 15] = [0x30, 0x21, 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, NULL, 0, 4, 0x14];

const HASH: u8 = 0xa0;
const MASK: u8 = 0xa1;
const SALT: u8 = 0xa2;
const TRAILER: u8 = 0xa3;

/// Supported parameters: SHA-2, MGF1 with the same digest, a salt of any length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    pub(super) digest: &'static digest::Algorithm,
    pub(super) salt: usize,
}

impl Parameters {
    /// The parameters in the content of an AlgorithmIdentifier. `None` for another one, and for unsupported ones.
    ///
    /// RFC 4055 section 2.1: the NULL of a digest may be absent.
    pub(super) fn of(identifier: &[u8]) -> Option<Self> {
        let parameters = only(SEQUENCE, identifier.strip_prefix(PSS_OID)?).ok()?;
        let mut fields = parameters.inside();
        // SHA-1 is the default of both.
        let digest = digest_of(fields.expect(HASH).ok()?.content)?;
        let mut mask = only(SEQUENCE, fields.expect(MASK).ok()?.content).ok()?.inside();
        let is_mgf1 = mask.expect(OID).ok()?.content == MGF1;
        let mask_digest = digest_of(mask.expect(SEQUENCE).ok()?.whole)?;
        mask.end().ok()?;
        let salt = match fields.optional(SALT).ok()? {
            Some(salt) => number(only(INTEGER, salt.content).ok()?.content)?,
            None => 20,
        };
        let trailer = match fields.optional(TRAILER).ok()? {
            Some(trailer) => number(only(INTEGER, trailer.content).ok()?.content)?,
            None => 1,
        };
        fields.end().ok()?;
        (is_mgf1 && mask_digest == digest && trailer == 1).then_some(Self { digest, salt })
    }
}

/// The digest of an AlgorithmIdentifier.
fn digest_of(identifier: &[u8]) -> Option<&'static digest::Algorithm> {
    let mut fields = only(SEQUENCE, identifier).ok()?.inside();
    let name = fields.expect(OID).ok()?.content;
    has_no_parameters(&mut fields)?;
    match name.strip_prefix(SHA2)? {
        [1] => Some(&digest::SHA256),
        [2] => Some(&digest::SHA384),
        [3] => Some(&digest::SHA512),
        _ => None,
    }
}

fn has_no_parameters(fields: &mut Elements<'_>) -> Option<()> {
    let parameters = fields.optional(NULL).ok()?;
    parameters.is_none_or(|null| null.content.is_empty()).then_some(())?;
    fields.end().ok()
}

/// The value of an INTEGER that is no longer than any salt.
fn number(content: &[u8]) -> Option<usize> {
    match *content {
        [byte @ 0..=0x7f] => Some(byte.into()),
        [high @ 0..=0x7f, low] if high != 0 || low > 0x7f => Some(u16::from_be_bytes([high, low]).into()),
        _ => None,
    }
    .filter(|number| *number <= MAX_RSA_BITS / 8)
}

/// Checks an RSA signature over a digest, with PSS padding if there is a salt and with PKCS#1 1.5 if there is none.
pub(super) fn verify_rsa(
    key: &[u8],
    algorithm: &'static digest::Algorithm,
    digest: &[u8],
    signature: &[u8],
    salt: Option<usize>,
) -> Result<(), Refused> {
    let parts = rsa::pkcs1::RsaPublicKey::from_der(key).map_err(|_| Refused::Wrong)?;
    let [modulus, exponent] = [parts.modulus, parts.public_exponent].map(|one| BigUint::from_bytes_be(one.as_bytes()));
    let key = RsaPublicKey::new_with_max_size(modulus, exponent, MAX_RSA_BITS).map_err(|_| Refused::NotServed)?;
    let outcome = match (salt, algorithm) {
        (Some(salt), sha) if *sha == digest::SHA256 => {
            key.verify(Pss::new_with_salt::<Sha256>(salt), digest, signature)
        }
        (Some(salt), sha) if *sha == digest::SHA384 => {
            key.verify(Pss::new_with_salt::<Sha384>(salt), digest, signature)
        }
        (Some(salt), sha) if *sha == digest::SHA512 => {
            key.verify(Pss::new_with_salt::<Sha512>(salt), digest, signature)
        }
        (None, sha) if *sha == digest::SHA256 => key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature),
        (None, sha) if *sha == digest::SHA384 => key.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature),
        (None, sha) if *sha == digest::SHA512 => key.verify(Pkcs1v15Sign::new::<Sha512>(), digest, signature),
        (None, sha) if *sha == digest::SHA1_FOR_LEGACY_USE_ONLY => {
            let padding = Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: SHA1_PREFIX.into() };
            key.verify(padding, digest, signature)
        }
        _ => return Err(Refused::NotServed),
    };
    outcome.map_err(|_| Refused::Wrong)
}
