//! The certificate of the server, which the driver makes and every side gets: files in a folder.

use std::fs;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The name that the server's certificate has.
pub const HOST: &str = "broker.example";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    EcdsaP256,
    Rsa2048,
}

/// A server's certificate and key, and the CA that a client trusts, in PEM.
pub struct Identity {
    pub certificate: String,
    /// PKCS #8.
    pub key: String,
    pub ca: String,
}

impl KeyKind {
    pub const ALL: [Self; 2] = [Self::EcdsaP256, Self::Rsa2048];

    pub fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::Rsa2048 => "RSA-2048",
        }
    }
}

impl Identity {
    /// Reads what [`Identity::write`] left for `kind`.
    pub fn read(folder: &Path, kind: KeyKind) -> Self {
        let text = |part| fs::read_to_string(folder.join(file_name(kind, part))).unwrap();
        Self { certificate: text("certificate"), key: text("key"), ca: text("ca") }
    }

    pub fn write(&self, folder: &Path, kind: KeyKind) {
        for (part, text) in [("certificate", &self.certificate), ("key", &self.key), ("ca", &self.ca)] {
            fs::write(folder.join(file_name(kind, part)), text).unwrap();
        }
    }

    pub fn certificate_der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }

    pub fn ca_der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap()
    }

    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

fn file_name(kind: KeyKind, part: &str) -> String {
    format!("{} {part}.pem", kind.name())
}
