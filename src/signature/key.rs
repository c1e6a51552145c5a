//! The parts of a public key that select the check of a signature.

use rustls::pki_types::alg_id;

use crate::der::{BIT_STRING, Element, INTEGER, Malformed, SEQUENCE, only};

/// id-RSASSA-PSS, 1.2.840.113549.1.1.10.
pub(super) const PSS_OID: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
/// The smallest size of an RSA key, in bits.
pub(crate) const RSA_BITS: usize = 2048;
/// The smallest size of an RSA key if small ones are allowed, in bits.
pub(crate) const SMALL_RSA_BITS: usize = 1024;
/// The largest size of an RSA key, in bits. aws-lc-rs checks no longer ones, and the time of a check grows faster than
/// it.
pub(crate) const MAX_RSA_BITS: usize = 8192;

/// A SubjectPublicKeyInfo (RFC 5280 section 4.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyParts<'a> {
    /// The content of the algorithm's identifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) bits: &'a [u8],
}

impl<'a> KeyParts<'a> {
    /// Parses the DER of a key.
    pub(crate) fn of(key: &'a [u8]) -> Result<Self, Malformed> {
        let mut parts = only(SEQUENCE, key)?.inside();
        let algorithm = parts.expect(SEQUENCE)?;
        let point = parts.expect(BIT_STRING)?;
        parts.end()?;
        Ok(Self { algorithm: algorithm.content, bits: bits(point)? })
    }

    /// Returns true for a key for PSS only that has parameters (RFC 4055 section 1.2).
    pub(crate) fn has_pss_parameters(&self) -> bool {
        self.algorithm.strip_prefix(PSS_OID).is_some_and(|parameters| !parameters.is_empty())
    }

    /// Returns true for an RSA key, for every padding or for PSS only.
    pub(crate) fn is_rsa(&self) -> bool {
        self.algorithm == alg_id::RSA_ENCRYPTION.as_ref() || self.algorithm.starts_with(PSS_OID)
    }
}

/// The bytes of a BIT STRING that ends with a whole byte.
pub(crate) fn bits(element: Element<'_>) -> Result<&[u8], Malformed> {
    match element.content {
        [0, bytes @ ..] => Ok(bytes),
        _ => Err(Malformed),
    }
}

/// The exact length of an RSA key, a PKCS#1 `RSAPublicKey`.
pub(crate) fn rsa_bits(key: &[u8]) -> Option<usize> {
    let modulus = only(SEQUENCE, key).ok()?.inside().expect(INTEGER).ok()?;
    let mut bytes = modulus.content.iter().skip_while(|byte| **byte == 0);
    let first = bytes.next()?;
    let rest = bytes.count().checked_mul(8)?;
    rest.checked_add(8)?.checked_sub(first.leading_zeros() as usize)
}
