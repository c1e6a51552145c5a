//! The public half of a key that is not served, as far as the key itself shows it.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::pkcs8::pkcs8;
use crate::certificate::fault;
use crate::der::{BIT_STRING, CONTEXT_0, Cursor, INTEGER, OCTET_STRING, SEQUENCE, element};
use crate::error::{Code, Error, Result};
use crate::keystore::chain::Pool;
use crate::keystore::signing::PublicHalf;

const RSA: &str = "1.2.840.113549.1.1.1";
const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const EC: &str = "1.2.840.10045.2.1";
/// The public half in SEC 1 (RFC 5915 section 3).
const CONTEXT_1: u8 = 0xa1;
/// The public half in PKCS#8 of version 2 (RFC 5958 section 2): an implicit BIT STRING.
const CONTEXT_1_PRIMITIVE: u8 = 0x81;

/// The algorithm of a key, and its public half if the encoding has it.
pub(super) struct Public {
    oid: String,
    /// The AlgorithmIdentifier in DER.
    algorithm: Vec<u8>,
    /// The forms that a certificate can have it in; empty if it is not known.
    halves: Vec<PublicHalf>,
}

impl Public {
    /// # Errors
    /// `KEY_MALFORMED`, and what [`pkcs8`] reports.
    pub(super) fn of(key: &PrivateKeyDer<'_>) -> Result<Self> {
        let whole = pkcs8(key)?;
        let mut content = Cursor::new(&whole, Code::KeyMalformed).enter(SEQUENCE, "PKCS#8 key")?;
        content.unsigned("version of the PKCS#8 key")?;
        let algorithm = content.take(SEQUENCE, "algorithm of the PKCS#8 key")?;
        let oid = Cursor::new(algorithm.content, Code::KeyMalformed).oid("algorithm of the PKCS#8 key")?;
        let private = content.take(OCTET_STRING, "private key")?.content;
        let halves = match oid.as_str() {
            // A key for any use can have a certificate for PSS alone.
            RSA | RSA_PSS => {
                let public = rsa(private)?;
                [RSA, RSA_PSS].map(|oid| PublicHalf::from_parts(oid.to_owned(), &public)).into()
            }
            EC => point(private)?.map(|point| PublicHalf::from_parts(oid.clone(), point)).into_iter().collect(),
            _ => match key {
                PrivateKeyDer::Pkcs8(key) => second_half(key.secret_pkcs8_der())?
                    .map(|bits| PublicHalf::from_parts(oid.clone(), bits))
                    .into_iter()
                    .collect(),
                _ => Vec::new(),
            },
        };
        Ok(Self { oid, algorithm: algorithm.whole.to_vec(), halves })
    }

    /// Tells whether the key has its public half with it.
    pub(super) fn is_known(&self) -> bool {
        !self.halves.is_empty()
    }

    /// The certificate that has this public half.
    pub(super) fn certificate_in(&self, pool: &Pool) -> Option<usize> {
        self.halves.iter().find_map(|half| pool.certificate_with(half))
    }

    /// Tells whether the certificate has this public half; `None` if that is not known.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED`.
    pub(super) fn belongs_to(&self, certificate: &CertificateDer<'_>) -> Result<Option<bool>> {
        let certificate = fault::parse(certificate)?;
        let info = certificate.public_key();
        if self.is_known() {
            return Ok(Some(self.halves.contains(&PublicHalf::new(info))));
        }
        let is_same = info.algorithm.algorithm.to_id_string() == self.oid;
        Ok(if is_same { None } else { Some(false) })
    }

    /// The only certificate with the algorithm and the parameters of the key; `None` if there is none.
    ///
    /// # Errors
    /// `KEY_MISMATCH` for several: nothing shows the right one. `CERTIFICATE_MALFORMED`.
    pub(super) fn only_candidate(&self, pool: &Pool) -> Result<Option<usize>> {
        let mut only = None;
        for (position, certificate) in pool.certificates().iter().enumerate() {
            let certificate = fault::parse(certificate)?;
            let info = Cursor::new(certificate.public_key().raw, Code::CertificateMalformed);
            let algorithm = info.clone().enter(SEQUENCE, "public key")?.take(SEQUENCE, "algorithm")?.whole;
            if algorithm != self.algorithm {
                continue;
            }
            if only.replace(position).is_some() {
                let detail = "several certificates have its algorithm, and nothing shows the right one";
                let hint = "Leave one certificate of this algorithm in the file.";
                return Err(Error::new(Code::KeyMismatch, detail).with_hint(hint));
            }
        }
        Ok(only)
    }
}

/// RSAPublicKey from RSAPrivateKey (RFC 8017 appendix A.1).
fn rsa(private: &[u8]) -> Result<Vec<u8>> {
    let mut content = Cursor::new(private, Code::KeyMalformed).enter(SEQUENCE, "RSA key")?;
    content.unsigned("version of the RSA key")?;
    let modulus = content.take(INTEGER, "modulus of the RSA key")?.whole;
    let exponent = content.take(INTEGER, "exponent of the RSA key")?.whole;
    Ok(element(SEQUENCE, &[modulus, exponent]))
}

/// The public point of a key of SEC 1.
fn point(sec1: &[u8]) -> Result<Option<&[u8]>> {
    let mut content = Cursor::new(sec1, Code::KeyMalformed).enter(SEQUENCE, "EC key")?;
    content.unsigned("version of the EC key")?;
    content.take(OCTET_STRING, "private value of the EC key")?;
    content.optional(CONTEXT_0, "parameters of the EC key")?;
    let Some(public) = content.optional(CONTEXT_1, "public point of the EC key")? else { return Ok(None) };
    let bits = Cursor::new(public.content, Code::KeyMalformed).take(BIT_STRING, "public point of the EC key")?;
    Ok(bits.content.get(1..))
}

/// The public half of PKCS#8 of version 2.
fn second_half(pkcs8: &[u8]) -> Result<Option<&[u8]>> {
    let mut content = Cursor::new(pkcs8, Code::KeyMalformed).enter(SEQUENCE, "PKCS#8 key")?;
    content.unsigned("version of the PKCS#8 key")?;
    content.take(SEQUENCE, "algorithm of the PKCS#8 key")?;
    content.take(OCTET_STRING, "private key")?;
    content.optional(CONTEXT_0, "attributes of the PKCS#8 key")?;
    let public = content.optional(CONTEXT_1_PRIMITIVE, "public half of the PKCS#8 key")?;
    Ok(public.and_then(|public| public.content.get(1..)))
}
