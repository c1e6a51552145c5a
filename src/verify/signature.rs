//! Signatures made in the handshake, and how long the keys of a path must be.
//!
//! Keys are checked as bare SubjectPublicKeyInfo, not as part of a certificate, so that version 1 certificates have
//! them too. Signatures between certificates are chain.rs's.

use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::EndEntityCert;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Deviation, Deviations};
use crate::certificate::{CertificateFacts, describe};
use crate::der::{BIT_STRING, Malformed, SEQUENCE, only};
use crate::error::{Code, Error, Result};
use crate::signature::{
    self, Allowed, Content, HandshakeScheme, KeyParts, MAX_RSA_BITS, RSA_BITS, Refused, SMALL_RSA_BITS, Scheme,
    Unproven, Unusable,
};

/// The hint for a key of another kind.
pub(super) const SERVED_KEYS: &str = "Reissue it with an RSA, ECDSA (P-256, P-384, P-521) or Ed25519 key.";

/// An RSA key of a length that is not accepted.
#[derive(Debug)]
pub(super) struct RefusedKey<'a> {
    /// The owner of the key.
    pub(super) certificate: &'a CertificateDer<'a>,
    /// Its length.
    pub(super) bits: usize,
}

impl RefusedKey<'_> {
    /// Returns the reason as an error. `place` is the place of the certificate in the chain.
    pub(super) fn error(&self, place: &str) -> Error {
        let detail = format!("RSA {} at {place}", self.bits);
        match self.bits {
            SMALL_RSA_BITS..RSA_BITS => Error::new(Code::CertKeyTooSmall, detail).with_hint(format!(
                "{} To accept keys from {SMALL_RSA_BITS} bits, allow {}.",
                Code::CertKeyTooSmall.hint(),
                Deviation::SmallRsa.name()
            )),
            0..RSA_BITS => Error::new(Code::CertKeyTooSmall, detail),
            _ => Error::new(Code::CertAlgorithmUnsupported, detail)
                .with_hint(format!("Reissue it with an RSA key of at most {MAX_RSA_BITS} bits, or an ECDSA key.")),
        }
    }
}

/// Checks the RSA keys of a path; says whether [`Deviation::SmallRsa`] was needed.
pub(super) fn check_key_sizes<'a>(
    path: &'a [CertificateDer<'a>],
    tolerated: Deviations,
) -> std::result::Result<bool, RefusedKey<'a>> {
    let mut needed = false;
    for certificate in path {
        if let Some(refused) = refused_key(certificate, tolerated) {
            return Err(refused);
        }
        needed |= rsa_bits(certificate).is_some_and(|bits| bits < RSA_BITS);
    }
    Ok(needed)
}

/// A certificate's key, if it is an RSA key of a length that is not accepted.
pub(super) fn refused_key<'a>(certificate: &'a CertificateDer<'a>, tolerated: Deviations) -> Option<RefusedKey<'a>> {
    let bits = rsa_bits(certificate)?;
    match bits {
        RSA_BITS..=MAX_RSA_BITS => None,
        SMALL_RSA_BITS..RSA_BITS if tolerated.contains(Deviation::SmallRsa) => None,
        _ => Some(RefusedKey { certificate, bits }),
    }
}

/// Returns true if any scheme that is offered could check a proof of this key.
pub(super) fn is_usable_key(certificate: &CertificateDer<'_>) -> bool {
    let Some(spki) = public_key(certificate) else { return false };
    KeyParts::of(&spki).is_ok_and(|key| signature::is_of_handshakes(&key))
}

/// The content of the algorithm identifier of a certificate's signature.
pub(super) fn signature_algorithm(certificate: &[u8]) -> std::result::Result<&[u8], Malformed> {
    let mut parts = only(SEQUENCE, certificate)?.inside();
    parts.expect(SEQUENCE)?;
    Ok(parts.expect(SEQUENCE)?.content)
}

/// Checks that a certificate was signed with the key of this SubjectPublicKeyInfo.
pub(super) fn check_issued(certificate: &[u8], key: &[u8], allowed: Allowed) -> std::result::Result<(), Refused> {
    let parts = || {
        let mut parts = only(SEQUENCE, certificate)?.inside();
        let signed = parts.expect(SEQUENCE)?;
        let algorithm = parts.expect(SEQUENCE)?;
        let signature = parts.expect(BIT_STRING)?;
        Ok((signed.whole, algorithm.content, signature.content))
    };
    let parts: std::result::Result<_, Malformed> = parts();
    let Ok((signed, algorithm, [0, signature @ ..])) = parts else { return Err(Refused::Wrong) };
    let scheme = Scheme::of(algorithm, allowed).ok_or(Refused::NotServed)?;
    scheme.verify(key, Content::Message(signed), signature, allowed)
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
    let key = KeyParts::of(&spki).ok().filter(KeyParts::is_rsa)?;
    signature::rsa_bits(key.bits)
}

/// A signature over a handshake's transcript.
pub(super) struct Proof<'a> {
    pub(super) message: &'a [u8],
    pub(super) scheme: SignatureScheme,
    pub(super) signature: &'a [u8],
}

impl Proof<'_> {
    /// Checks it by the rules of the version: the scheme was offered, the version allows it, and it goes with the key.
    ///
    /// # Errors
    /// `HANDSHAKE_SIGNATURE_ILLEGAL` for a signature that the peer must not have made; `CERT_KEY_TOO_SMALL` and
    /// `CERT_ALGORITHM_UNSUPPORTED` for a legal one that cannot be checked here; `CERT_PROOF_INVALID` for a wrong one.
    pub(super) fn verify(&self, certificate: &CertificateDer<'_>, is_tls13: bool, tolerated: Deviations) -> Result<()> {
        let malformed = |what: &str| Error::new(Code::CertMalformed, what).at(describe(certificate));
        let scheme = HandshakeScheme::of(self.scheme, is_tls13).map_err(|why| self.illegal(certificate, why))?;
        let spki = public_key(certificate).ok_or_else(|| malformed("not X.509 DER"))?;
        let key = KeyParts::of(&spki).map_err(|_| malformed("its public key is malformed"))?;
        match scheme.verify(&key, self.message, self.signature, is_tls13, tolerated.allowed()) {
            Ok(()) => Ok(()),
            Err(Unproven::Illegal(why)) => Err(self.illegal(certificate, why)),
            Err(Unproven::Wrong) => {
                let detail = format!("{} by {}", signature::scheme_name(self.scheme), describe(certificate));
                Err(Error::new(Code::CertProofInvalid, detail))
            }
            Err(Unproven::NotServed) => Err(refused_key(certificate, tolerated).map_or_else(
                || {
                    let key = CertificateFacts::from_der(certificate).map(|facts| facts.key).unwrap_or_default();
                    let detail = format!("the handshake is signed by a key of kind {key} ({})", describe(certificate));
                    Error::new(Code::CertAlgorithmUnsupported, detail).with_hint(SERVED_KEYS)
                },
                |key| key.error(&describe(certificate)),
            )),
        }
    }

    fn illegal(&self, certificate: &CertificateDer<'_>, why: Unusable) -> Error {
        illegal(self.scheme, certificate, why)
    }
}

/// The error for a proof by a scheme that this connection did not offer.
pub(super) fn unoffered(scheme: SignatureScheme, certificate: &CertificateDer<'_>) -> Error {
    illegal(scheme, certificate, Unusable::Unoffered)
}

fn illegal(scheme: SignatureScheme, certificate: &CertificateDer<'_>, why: Unusable) -> Error {
    let why = match why {
        Unusable::Unoffered => "which was not offered",
        Unusable::Version => "which the version of the connection does not allow",
        Unusable::Key => "which does not go with the certificate's key",
    };
    let detail = format!("{}, {why} ({})", signature::scheme_name(scheme), describe(certificate));
    Error::new(Code::HandshakeSignatureIllegal, detail)
}
