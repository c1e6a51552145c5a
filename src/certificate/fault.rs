//! Parses whole certificates, and names the part that cannot be parsed.

use rustls::pki_types::CertificateDer;
use x509_parser::error::X509Error;
use x509_parser::nom;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::name::DistinguishedName;
use super::text::cut;
use crate::der::{Elements, SEQUENCE};
use crate::error::{Code, Error, Result};

/// The tag of the version, `[0]`.
const VERSION: u8 = 0xa0;

/// Parses one certificate and nothing after it.
///
/// # Errors
/// `CERTIFICATE_MALFORMED` with the part that cannot be parsed.
pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(malformed(der, "bytes after its end".to_owned())),
        Err(error) => Err(malformed(der, not_x509(&error))),
    }
}

fn malformed(der: &[u8], what: String) -> Error {
    let detail = match subject_of(der) {
        Some(subject) => format!("subject \"{}\": {what}", cut(subject.as_str())),
        None => what,
    };
    Error::new(Code::CertificateMalformed, detail)
}

/// The subject of a certificate with other parts that may be malformed.
pub(super) fn subject_of(der: &[u8]) -> Option<DistinguishedName> {
    let mut certificate = Elements::new(der).expect(SEQUENCE).ok()?.inside();
    let mut parts = certificate.expect(SEQUENCE).ok()?.inside();
    if parts.peek() == Some(VERSION) {
        parts.next().ok()?;
    }
    let mut parts = [(); 5].map(|()| parts.next().ok().flatten());
    let subject = parts.last_mut()?.take().filter(|subject| subject.tag == SEQUENCE)?;
    let name = DistinguishedName::new(subject.whole);
    Some(name).filter(|name| !name.as_str().is_empty())
}

/// The part of the bytes that is not as in an X.509 certificate.
fn not_x509(error: &nom::Err<X509Error>) -> String {
    let part = match error {
        nom::Err::Error(error) | nom::Err::Failure(error) => match error {
            X509Error::InvalidVersion => "its version",
            X509Error::InvalidSerial => "its serial number",
            X509Error::InvalidAlgorithmIdentifier => "an algorithm identifier",
            X509Error::InvalidX509Name => "its subject or issuer",
            X509Error::InvalidDate => "its validity",
            X509Error::InvalidSPKI => "its public key",
            X509Error::InvalidSubjectUID | X509Error::InvalidIssuerUID => "a unique identifier",
            X509Error::InvalidExtensions | X509Error::DuplicateExtensions => "its extensions",
            X509Error::InvalidSignatureValue => "its signature",
            _ => return "not X.509 DER".to_owned(),
        },
        nom::Err::Incomplete(_) => return "not X.509 DER: cut short".to_owned(),
    };
    format!("not X.509 DER: {part} cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(der: &[u8]) -> String {
        let der = CertificateDer::from(der.to_vec());
        let error = parse(&der).unwrap_err();
        assert_eq!(error.code(), Code::CertificateMalformed);
        error.detail().to_owned()
    }

    #[test]
    fn part_that_cannot_be_read_is_told_in_words_of_our_own() {
        assert_eq!(detail(b""), "not X.509 DER: cut short");
        assert_eq!(detail(&[0x30, 0]), "not X.509 DER: cut short");
        assert_eq!(detail(&[0x30, 4, 0x30, 2, 5, 0]), "not X.509 DER: its serial number cannot be read");
    }
}
