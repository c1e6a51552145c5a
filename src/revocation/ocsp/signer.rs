//! Finds the signer of a response, and checks its right to sign (RFC 6960 sections 3.2 and 4.2.2.2).

use std::ops::RangeInclusive;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::X509Extension;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::response::{Basic, Responder};
use crate::certificate::algorithm_text;
use crate::certificate::matching::same_name;
use crate::der::{BIT_STRING, Malformed, SEQUENCE, only};
use crate::revocation::signed::Signed;
use crate::signature::{Allowed, Refused};

/// The contents of the object identifiers 2.5.29.15, 17, 19 and 37 and of 1.3.6.1.5.5.7.48.1.5 (nocheck): what may be
/// critical in a signer's certificate.
const UNDERSTOOD: [&[u8]; 5] =
    [&[0x55, 0x1d, 15], &[0x55, 0x1d, 17], &[0x55, 0x1d, 19], &[0x55, 0x1d, 37], &[0x2b, 6, 1, 5, 5, 7, 48, 1, 5]];

/// The periods in which the signers of a response may be believed, in seconds since 1970: an issuer always, a delegated
/// responder as long as its certificate is valid.
pub(super) type Terms = Vec<RangeInclusive<i64>>;

/// Checks the signature with the key of the issuer, or of its delegated responder, whichever the response names.
///
/// # Errors
/// The reason why no allowed signer has signed it.
pub(super) fn terms(
    basic: &Basic<'_>,
    responder: &Responder,
    issuer: &X509Certificate<'_>,
    allowed: Allowed,
) -> Result<Terms, String> {
    let signed = Signed::new(basic.algorithm, basic.data.whole, basic.signature, allowed);
    let signed = signed.map_err(|Malformed| "its signature cannot be read".to_owned())?;
    let Some(signed) = signed else {
        return Err(format!("its signature's algorithm {} is not served", algorithm_text(basic.algorithm.content)));
    };
    let mut why = "its signer is neither the issuer nor in the response".to_owned();
    if names(responder, issuer) {
        why = match signed.check(issuer.public_key().raw, allowed) {
            Ok(()) => return Ok(vec![i64::MIN..=i64::MAX]),
            Err(Refused::Wrong) => "it is not signed with the issuer's key".to_owned(),
            Err(Refused::NotServed) => not_served("the issuer's key"),
        };
    }
    let mut terms = Vec::new();
    for der in &basic.certificates {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { continue };
        if !names(responder, &certificate) {
            continue;
        }
        match check_delegate(der, &certificate, issuer, allowed) {
            _ if signed.check(certificate.public_key().raw, allowed) == Err(Refused::Wrong) => {
                why = "it is not signed with the key of the signer that it names".to_owned();
            }
            _ if signed.check(certificate.public_key().raw, allowed).is_err() => {
                why = not_served("the key of the signer that it names");
            }
            Ok(()) => {
                let validity = certificate.validity();
                terms.push(validity.not_before.timestamp()..=validity.not_after.timestamp());
            }
            Err(wrong) => why = wrong.to_owned(),
        }
    }
    if terms.is_empty() { Err(why) } else { Ok(terms) }
}

fn not_served(key: &str) -> String {
    format!("its signature cannot be checked with {key}, a key of another kind or length")
}

fn names(responder: &Responder, certificate: &X509Certificate<'_>) -> bool {
    match responder {
        Responder::Name(name) => same_name(name, certificate.subject().as_raw()),
        Responder::KeyHash(hash) => {
            let key = &certificate.public_key().subject_public_key.data;
            digest(&SHA1_FOR_LEGACY_USE_ONLY, key).as_ref() == &**hash
        }
    }
}

/// Returns true if a certificate allows its owner to sign for the issuer.
fn check_delegate(
    der: &[u8],
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
    allowed: Allowed,
) -> Result<(), &'static str> {
    if !same_name(certificate.issuer().as_raw(), issuer.subject().as_raw()) {
        return Err("its signer's certificate is of another issuer");
    }
    if !matches!(certificate.extended_key_usage(), Ok(Some(usage)) if usage.value.ocsp_signing) {
        return Err("its signer's certificate does not allow to sign responses (OCSPSigning)");
    }
    let usage = certificate.key_usage().map_err(|_| "its signer's key usage cannot be read")?;
    if usage.is_some_and(|usage| !usage.value.digital_signature() && !usage.value.non_repudiation()) {
        return Err("its signer's key usage is not to sign (digitalSignature)");
    }
    let is_foreign =
        |extension: &X509Extension<'_>| extension.critical && !UNDERSTOOD.contains(&extension.oid.as_bytes());
    if certificate.extensions().iter().any(is_foreign) {
        return Err("its signer's certificate has a critical extension that is not understood");
    }
    // What responses may be signed with is not what certificates may be.
    match is_issued(der, certificate, issuer, Allowed { sha1: false, ..allowed }) {
        Ok(true) => Ok(()),
        Ok(false) | Err(Malformed) => Err("its signer's certificate is not signed with the issuer's key"),
    }
}

/// Returns true if `issuer` has issued a certificate, by its name and the signature.
pub(crate) fn is_issuer(certificate: &CertificateDer<'_>, issuer: &CertificateDer<'_>) -> bool {
    let read = (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer));
    let (Ok((_, read)), Ok((_, issuer))) = read else { return false };
    same_name(read.issuer().as_raw(), issuer.subject().as_raw())
        && is_issued(certificate, &read, &issuer, Allowed::default()) == Ok(true)
}

/// RFC 6960 section 4.2.2.2: with the same key as the certificate that is asked about.
fn is_issued(
    der: &[u8],
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
    allowed: Allowed,
) -> Result<bool, Malformed> {
    let mut parts = only(SEQUENCE, der)?.inside();
    let content = parts.expect(SEQUENCE)?;
    let algorithm = parts.expect(SEQUENCE)?;
    let signature = parts.expect(BIT_STRING)?;
    parts.end()?;
    let signed = Signed::new(algorithm, content.whole, signature, allowed)?;
    Ok(certificate.signature_algorithm == certificate.tbs_certificate.signature
        && signed.is_some_and(|signed| signed.check(issuer.public_key().raw, allowed).is_ok()))
}
