//! The parts of a certificate that its facts are made of, and their compact form, which outlives the certificate.

use std::fmt;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use rustls::pki_types::CertificateDer;

use super::alternative::{SUBJECT_ALTERNATIVE_NAME, alternative_names};
use super::matching::same_name;
use super::text::hex;
use super::{CertificateFacts, DistinguishedName, fault, key_text, serial_text};
use crate::error::{Code, Error, Result};

/// The parts of a certificate from which its facts are made.
struct Parts<'a> {
    subject: &'a [u8],
    issuer: &'a [u8],
    /// The content of the INTEGER.
    serial: &'a [u8],
    key: &'a str,
    /// The values of the extensions with alternative names; a certificate should have one at most.
    alternative_names: Vec<&'a [u8]>,
    version: u32,
    not_before_unix_s: i64,
    not_after_unix_s: i64,
    is_ca: bool,
    sha256: [u8; SHA256_OUTPUT_LEN],
}

/// The facts of a certificate in one allocation, without the certificate.
///
/// The numbers stand first, then each part with its length, the alternative names last.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeptFacts(Box<[u8]>);

impl fmt::Debug for KeptFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeptFacts").field(&self.0.len()).finish()
    }
}

impl CertificateFacts {
    /// Parses the facts of a DER certificate.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED` if the bytes are not exactly one certificate.
    pub fn from_der(der: &CertificateDer<'_>) -> Result<Self> {
        with_parts(der, Self::of)
    }

    fn of(parts: &Parts<'_>) -> Self {
        Self {
            subject: DistinguishedName::new(parts.subject),
            issuer: DistinguishedName::new(parts.issuer),
            serial: serial_text(parts.serial),
            version: parts.version,
            not_before_unix_s: parts.not_before_unix_s,
            not_after_unix_s: parts.not_after_unix_s,
            subject_alternative_names: parts
                .alternative_names
                .iter()
                .flat_map(|value| alternative_names(value))
                .collect(),
            key: parts.key.to_owned(),
            is_ca: parts.is_ca,
            is_self_issued: same_name(parts.subject, parts.issuer),
            sha256_fingerprint: hex(&parts.sha256),
        }
    }
}

/// Reads the parts of a certificate.
fn with_parts<T>(der: &CertificateDer<'_>, use_parts: impl FnOnce(&Parts<'_>) -> T) -> Result<T> {
    let certificate = fault::parse(der)?;
    let key = key_text(&certificate);
    let mut sha256 = [0; SHA256_OUTPUT_LEN];
    sha256.copy_from_slice(digest(&SHA256, der).as_ref());
    Ok(use_parts(&Parts {
        subject: certificate.subject().as_raw(),
        issuer: certificate.issuer().as_raw(),
        serial: certificate.raw_serial(),
        key: &key,
        alternative_names: (certificate.extensions().iter())
            .filter(|extension| extension.oid.as_bytes() == SUBJECT_ALTERNATIVE_NAME)
            .map(|extension| extension.value)
            .collect(),
        version: certificate.version().0.saturating_add(1),
        not_before_unix_s: certificate.validity().not_before.timestamp(),
        not_after_unix_s: certificate.validity().not_after.timestamp(),
        is_ca: matches!(certificate.basic_constraints(), Ok(Some(constraints)) if constraints.value.ca),
        sha256,
    }))
}

impl KeptFacts {
    /// Keeps the facts of a certificate. One that cannot be parsed has none.
    pub(crate) fn of(der: &CertificateDer<'_>) -> Self {
        Self(with_parts(der, |parts| encode(parts).into_boxed_slice()).unwrap_or_default())
    }

    /// The facts of the certificate.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED` if it could not be parsed.
    pub(crate) fn facts(&self) -> Result<CertificateFacts> {
        let parts = decode(&self.0).ok_or_else(|| Error::new(Code::CertificateMalformed, "it was not kept"))?;
        Ok(CertificateFacts::of(&parts))
    }
}

fn encode(parts: &Parts<'_>) -> Vec<u8> {
    let texts = [parts.subject, parts.issuer, parts.serial, parts.key.as_bytes()];
    let texts = || texts.iter().chain(&parts.alternative_names);
    let mut bytes = Vec::with_capacity(texts().map(|text| text.len() + size_of::<u32>()).sum::<usize>() + 64);
    bytes.extend_from_slice(&parts.sha256);
    bytes.extend(parts.not_before_unix_s.to_be_bytes());
    bytes.extend(parts.not_after_unix_s.to_be_bytes());
    bytes.extend(parts.version.to_be_bytes());
    bytes.push(u8::from(parts.is_ca));
    for text in texts() {
        // A certificate came in a message of 64 KiB at most.
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text);
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<Parts<'_>> {
    let (sha256, rest) = bytes.split_first_chunk()?;
    let (not_before, rest) = rest.split_first_chunk()?;
    let (not_after, rest) = rest.split_first_chunk()?;
    let (version, rest) = rest.split_first_chunk()?;
    let ([is_ca], mut rest) = rest.split_first_chunk()?;
    let mut next = || {
        let (length, after) = rest.split_first_chunk()?;
        let (text, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        Some(text)
    };
    Some(Parts {
        subject: next()?,
        issuer: next()?,
        serial: next()?,
        key: str::from_utf8(next()?).ok()?,
        alternative_names: std::iter::from_fn(next).collect(),
        version: u32::from_be_bytes(*version),
        not_before_unix_s: i64::from_be_bytes(*not_before),
        not_after_unix_s: i64::from_be_bytes(*not_after),
        is_ca: *is_ca != 0,
        sha256: *sha256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(change: impl FnOnce(&mut rcgen::CertificateParams)) -> CertificateDer<'static> {
        let mut params = rcgen::CertificateParams::new(["broker.example".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Gerät 7");
        change(&mut params);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn kept_facts_are_those_of_the_certificate_and_take_less() {
        for der in [
            certificate(|_| {}),
            certificate(|params| params.subject_alt_names.clear()),
            certificate(|params| params.serial_number = Some(vec![0x80, 0xff].into())),
            certificate(|params| params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
            certificate(|params| params.distinguished_name = rcgen::DistinguishedName::new()),
        ] {
            let kept = KeptFacts::of(&der);
            assert_eq!(kept.facts().unwrap(), CertificateFacts::from_der(&der).unwrap());
            assert!(kept.0.len() < der.len() * 2 / 3, "{} of {}", kept.0.len(), der.len());
        }
    }

    #[test]
    fn what_is_no_certificate_stays_malformed_when_facts_alone_are_kept() {
        let der = certificate(|_| {});
        for bytes in [&b""[..], b"\x30\x00", &der[1..], &der[..der.len() - 1], &[&der[..], &[0]].concat()] {
            let bytes = CertificateDer::from(bytes);
            assert!(CertificateFacts::from_der(&bytes).is_err());
            let error = KeptFacts::of(&bytes).facts().unwrap_err();
            assert_eq!(error.code(), Code::CertificateMalformed);
        }
    }

    #[test]
    fn cut_bytes_are_no_facts_or_facts_with_fewer_names() {
        let kept = KeptFacts::of(&certificate(|_| {}));
        let facts = kept.facts().unwrap();
        for end in 0..kept.0.len() {
            let cut = KeptFacts(kept.0[..end].into()).facts().ok();
            assert!(cut.is_none_or(|cut| cut.subject == facts.subject && cut.subject_alternative_names.is_empty()));
        }
    }
}
