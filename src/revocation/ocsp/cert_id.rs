//! The name that OCSP gives a certificate (RFC 6960 section 4.1.1): hashes of its issuer's name and key, and its serial
//! number.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA224, SHA256, SHA384, SHA512, digest};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::der::{Element, INTEGER, Malformed, NULL, OCTET_STRING, OID, SEQUENCE, element, only};
use crate::error::{Code, Error, Result};
use crate::revocation::crl::entries::shortest;

/// `[0]`, which a certificate's version is tagged with.
const VERSION: u8 = 0xa0;

/// The hash of a [`CertId`]. It only names an issuer: SHA-1 is what every responder knows, and harms nothing here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CertIdHash {
    /// The one that RFC 5019 asks for.
    #[default]
    Sha1,
    /// SHA-224.
    Sha224,
    /// The one that RFC 9654 prefers; not every responder finds a certificate by it.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl CertIdHash {
    const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name in options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The hash of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// The content of its object identifier.
    const fn identifier(self) -> &'static [u8] {
        match self {
            // 1.3.14.3.2.26, and 2.16.840.1.101.3.4.2.1 to 4.
            Self::Sha1 => &[0x2b, 0x0e, 0x03, 0x02, 0x1a],
            Self::Sha256 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
            Self::Sha384 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
            Self::Sha512 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
            Self::Sha224 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04],
        }
    }

    fn of(self, bytes: &[u8]) -> Box<[u8]> {
        let algorithm: &'static Algorithm = match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &SHA224,
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        };
        digest(algorithm, bytes).as_ref().into()
    }
}

/// The name of a certificate in a request and a response. Two are equal if the hash and all parts are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertId {
    /// None for a hash that is not served.
    hash: Option<CertIdHash>,
    issuer_name: Box<[u8]>,
    issuer_key: Box<[u8]>,
    /// Without the zeros that an encoder put before it.
    serial: Box<[u8]>,
}

impl CertId {
    /// That of a certificate that `issuer` issued.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED` if one of the two cannot be read.
    pub fn new(certificate: &CertificateDer<'_>, issuer: &CertificateDer<'_>, hash: CertIdHash) -> Result<Self> {
        match (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer)) {
            (Ok((_, certificate)), Ok((_, issuer))) => Ok(Self::of(&certificate, &issuer, hash)),
            _ => Err(Error::new(Code::CertificateMalformed, "a certificate to ask about, or its issuer")),
        }
    }

    pub(super) fn of(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>, hash: CertIdHash) -> Self {
        Self {
            hash: Some(hash),
            issuer_name: hash.of(certificate.issuer().as_raw()),
            issuer_key: hash.of(&issuer.public_key().subject_public_key.data),
            serial: shortest(certificate.raw_serial()).into(),
        }
    }

    /// Reads one.
    pub(super) fn read(id: Element<'_>) -> std::result::Result<Self, Malformed> {
        let mut fields = id.inside();
        let identifier = fields.expect(SEQUENCE)?.inside().expect(OID)?;
        let issuer_name = fields.expect(OCTET_STRING)?.content.into();
        let issuer_key = fields.expect(OCTET_STRING)?.content.into();
        let serial = shortest(fields.expect(INTEGER)?.content).into();
        fields.end()?;
        let hash = CertIdHash::ALL.into_iter().find(|hash| hash.identifier() == identifier.content);
        Ok(Self { hash, issuer_name, issuer_key, serial })
    }

    /// Returns true if it names a certificate that `issuer` issued.
    pub(super) fn is_of(&self, certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
        let Some(hash) = self.hash.filter(|_| self.has_serial(certificate.raw_serial())) else { return false };
        // Responders hash the name as the issuer's own certificate has it, which may be in other string types.
        let names = [certificate.issuer().as_raw(), issuer.subject().as_raw()];
        *self.issuer_key == *hash.of(&issuer.public_key().subject_public_key.data)
            && names.iter().any(|name| *self.issuer_name == *hash.of(name))
    }

    /// Returns true if it names a certificate with this serial number, the content of its INTEGER.
    pub(super) fn has_serial(&self, serial: &[u8]) -> bool {
        *self.serial == *shortest(serial)
    }

    /// The serial number, the content of its INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Its DER.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let identifier = self.hash.unwrap_or_default().identifier();
        let algorithm = element(SEQUENCE, &[&element(OID, &[identifier]), &element(NULL, &[])]);
        let name = element(OCTET_STRING, &[&self.issuer_name]);
        let key = element(OCTET_STRING, &[&self.issuer_key]);
        element(SEQUENCE, &[&algorithm, &name, &key, &element(INTEGER, &[&self.serial])])
    }
}

/// The serial number of a certificate, the content of its INTEGER; found much faster than by reading all of it.
pub(super) fn serial_of(certificate: &[u8]) -> std::result::Result<&[u8], Malformed> {
    let mut fields = only(SEQUENCE, certificate)?.inside().expect(SEQUENCE)?.inside();
    fields.optional(VERSION)?;
    Ok(fields.expect(INTEGER)?.content)
}
