//! Signatures made in the handshake, and how long the keys of a path must be.
//!
//! Keys are checked as bare SubjectPublicKeyInfo, not as part of a certificate, so that version 1 certificates have them
//! too. Signatures between certificates are chain.rs's.

use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::{EndEntityCert, RawPublicKeyEntity};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::legacy::TolerantAlgorithm;
use super::{Switch, Switches};
use crate::certificate::describe;
use crate::der::{Malformed, SEQUENCE, only};
use crate::error::{Code, Error, Result};

/// The fewest bits of an RSA key.
const MIN_RSA_BITS: usize = 2048;
/// The fewest bits of an RSA key with [`Switch::SmallRsa`].
const MIN_SMALL_RSA_BITS: usize = 1024;
/// The most bits of an RSA key: aws-lc-rs checks none that are longer, and checking takes time that grows faster.
const MAX_RSA_BITS: usize = 8192;

/// An RSA key of a length that is not accepted.
#[derive(Debug)]
pub(super) struct RefusedKey<'a> {
    /// Whose key it is.
    pub(super) certificate: &'a CertificateDer<'a>,
    /// Its length.
    pub(super) bits: usize,
}

impl RefusedKey<'_> {
    /// Why, as an error; `place` says where the certificate stands.
    pub(super) fn error(&self, place: &str) -> Error {
        let detail = format!("RSA {} at {place}", self.bits);
        match self.bits {
            MIN_SMALL_RSA_BITS..MIN_RSA_BITS => Error::new(Code::CertKeyTooSmall, detail).with_hint(format!(
                "{} To accept keys from {MIN_SMALL_RSA_BITS} bits, allow {}.",
                Code::CertKeyTooSmall.hint(),
                Switch::SmallRsa.name()
            )),
            0..MIN_RSA_BITS => Error::new(Code::CertKeyTooSmall, detail),
            _ => Error::new(Code::CertAlgorithmUnsupported, detail)
                .with_hint(format!("Reissue it with an RSA key of at most {MAX_RSA_BITS} bits, or an ECDSA key.")),
        }
    }
}

/// Checks the RSA keys of a path; says whether [`Switch::SmallRsa`] was needed.
pub(super) fn check_key_sizes<'a>(
    path: &'a [CertificateDer<'a>],
    switches: Switches,
) -> std::result::Result<bool, RefusedKey<'a>> {
    let mut needed = false;
    for certificate in path {
        if let Some(refused) = refused_key(certificate, switches) {
            return Err(refused);
        }
        needed |= rsa_bits(certificate).is_some_and(|bits| bits < MIN_RSA_BITS);
    }
    Ok(needed)
}

/// A certificate's key, if it is an RSA key of a length that is not accepted.
pub(super) fn refused_key<'a>(certificate: &'a CertificateDer<'a>, switches: Switches) -> Option<RefusedKey<'a>> {
    let bits = rsa_bits(certificate)?;
    match bits {
        MIN_RSA_BITS..=MAX_RSA_BITS => None,
        MIN_SMALL_RSA_BITS..MIN_RSA_BITS if switches.contains(Switch::SmallRsa) => None,
        _ => Some(RefusedKey { certificate, bits }),
    }
}

/// Whether any algorithm that is offered could check a proof of this key.
pub(super) fn is_usable_key(certificate: &CertificateDer<'_>, algorithms: &WebPkiSupportedAlgorithms) -> bool {
    let Some(spki) = public_key(certificate) else { return false };
    let kind = key_algorithm(&spki);
    let mut offered = algorithms.mapping.iter().flat_map(|(_, offered)| offered.iter());
    kind.is_ok_and(|kind| offered.any(|one| one.public_key_alg_id().as_ref() == kind))
}

/// The content of the algorithm identifier of a SubjectPublicKeyInfo (RFC 5280 section 4.1).
fn key_algorithm(spki: &[u8]) -> std::result::Result<&[u8], Malformed> {
    Ok(only(SEQUENCE, spki)?.inside().expect(SEQUENCE)?.content)
}

/// The content of the algorithm identifier of a certificate's signature.
pub(super) fn signature_algorithm(certificate: &[u8]) -> std::result::Result<&[u8], Malformed> {
    let mut parts = only(SEQUENCE, certificate)?.inside();
    parts.expect(SEQUENCE)?;
    Ok(parts.expect(SEQUENCE)?.content)
}

/// A certificate's SubjectPublicKeyInfo.
///
/// webpki finds it several times faster than x509-parser, which also reads what webpki refuses.
fn public_key(certificate: &CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'static>> {
    if let Ok(parsed) = EndEntityCert::try_from(certificate) {
        return Some(parsed.subject_public_key_info());
    }
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(SubjectPublicKeyInfoDer::from(parsed.public_key().raw.to_vec()))
}

/// The exact length of a certificate's RSA key; `None` for other keys.
fn rsa_bits(certificate: &CertificateDer<'_>) -> Option<usize> {
    let spki = public_key(certificate)?;
    let (_, parsed) = SubjectPublicKeyInfo::from_der(&spki).ok()?;
    let Ok(PublicKey::RSA(key)) = parsed.parsed() else { return None };
    let mut bytes = key.modulus.iter().skip_while(|byte| **byte == 0);
    let first = bytes.next()?;
    let rest = bytes.count().checked_mul(8)?;
    rest.checked_add(8)?.checked_sub(first.leading_zeros() as usize)
}

/// A signature over a handshake's transcript.
pub(super) struct Proof<'a> {
    pub(super) message: &'a [u8],
    pub(super) scheme: SignatureScheme,
    pub(super) signature: &'a [u8],
}

impl Proof<'_> {
    /// By the rules of TLS 1.2, where a scheme fixes no curve (RFC 8422 section 5.10).
    pub(super) fn verify_tls12(
        &self,
        certificate: &CertificateDer<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
        switches: Switches,
    ) -> Result<()> {
        self.verify(certificate, algorithms, switches, usize::MAX)
    }

    /// By the rules of TLS 1.3: schemes fix the curve, and PKCS#1 1.5 is gone (RFC 8446 section 4.2.3).
    pub(super) fn verify_tls13(
        &self,
        certificate: &CertificateDer<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
        switches: Switches,
    ) -> Result<()> {
        use SignatureScheme as Scheme;
        if let Scheme::RSA_PKCS1_SHA256 | Scheme::RSA_PKCS1_SHA384 | Scheme::RSA_PKCS1_SHA512 = self.scheme {
            return Err(self.unusable(certificate, "TLS 1.3 does not allow it"));
        }
        self.verify(certificate, algorithms, switches, 1)
    }

    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
        switches: Switches,
        candidates: usize,
    ) -> Result<()> {
        let malformed = |what: &str| Error::new(Code::CertMalformed, what).at(describe(certificate));
        let spki = public_key(certificate).ok_or_else(|| malformed("not X.509 DER"))?;
        check_key_sizes(std::slice::from_ref(certificate), switches)
            .map_err(|refused| refused.error(&describe(certificate)))?;
        let key = RawPublicKeyEntity::try_from(&spki).map_err(|_| malformed("its public key is malformed"))?;
        let known = algorithms.mapping.iter().find(|(scheme, _)| *scheme == self.scheme);
        let (_, known) = known.ok_or_else(|| self.unusable(certificate, "it was not offered"))?;
        for strict in known.iter().take(candidates) {
            let algorithm = TolerantAlgorithm::for_handshake(*strict, switches);
            match key.verify_signature(&algorithm, self.message, self.signature) {
                Ok(()) => return Ok(()),
                Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
                Err(_) => return Err(self.refused(certificate)),
            }
        }
        Err(self.unusable(certificate, "it does not go with the certificate's key"))
    }

    fn refused(&self, certificate: &CertificateDer<'_>) -> Error {
        Error::new(Code::CertProofInvalid, format!("{:?} by {}", self.scheme, describe(certificate)))
    }

    fn unusable(&self, certificate: &CertificateDer<'_>, why: &str) -> Error {
        let detail = format!("signed with {:?}, {why} ({})", self.scheme, describe(certificate));
        Error::new(Code::CertAlgorithmUnsupported, detail)
    }
}
