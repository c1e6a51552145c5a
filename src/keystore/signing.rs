//! A private key made ready to sign, and its public half, which certificates are found by.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::key::{Algorithm, Form, bits};
use super::rsa_small::SmallRsaKey;
use crate::certificate::fault;
use crate::error::{Code, Error, Result};

/// RSA keys below this are signed with by [`SmallRsaKey`].
pub(super) const RSA_SMALL_BELOW_BITS: usize = 2048;
/// RSA keys below this are refused.
pub(super) const RSA_LEAST_BITS: usize = 1024;

/// Makes the key ready to sign with.
///
/// RSA from 1024 to 8192 bits, ECDSA on P-256, P-384 and P-521, Ed25519, in PKCS#8, PKCS#1 or SEC1.
///
/// # Errors
/// `KEY_ALGORITHM_UNSUPPORTED` with the kind and size, `KEY_MALFORMED`.
pub fn signing_key(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>> {
    if let Ok(key) = any_supported_type(key) {
        return Ok(key);
    }
    let (form, der) = match key {
        PrivateKeyDer::Pkcs8(key) => (Form::Pkcs8, key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => (Form::Pkcs1, key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => (Form::Sec1, key.secret_sec1_der()),
        _ => return Err(Error::new(Code::KeyMalformed, "neither PKCS#8, PKCS#1 nor SEC1")),
    };
    let algorithm = Algorithm::of(form, der)?;
    match algorithm.rsa_bits {
        Some(bits) if (RSA_LEAST_BITS..RSA_SMALL_BELOW_BITS).contains(&bits) => {
            Ok(Arc::new(SmallRsaKey::new(form, der)?))
        }
        _ if algorithm.served => {
            Err(Error::new(Code::KeyMalformed, format!("its numbers are not a key of {}", algorithm.name)))
        }
        _ => Err(Error::new(Code::KeyAlgorithmUnsupported, algorithm.name)),
    }
}

/// The public half of a key, as certificates and keys can be compared by, of whatever X.509 version.
///
/// rustls' own comparison goes through webpki, which refuses version 1. The algorithm's parameters are left out:
/// certificates exist with RSA's NULL missing and with a curve written out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PublicHalf {
    algorithm: String,
    key: Vec<u8>,
}

impl PublicHalf {
    pub(super) fn new(info: &SubjectPublicKeyInfo<'_>) -> Self {
        Self { algorithm: info.algorithm.algorithm.to_id_string(), key: info.subject_public_key.data.to_vec() }
    }

    /// # Errors
    /// `KEY_ALGORITHM_UNSUPPORTED` where the key does not tell it.
    pub(super) fn of_key(key: &dyn SigningKey) -> Result<Self> {
        let info = key.public_key().ok_or(Code::KeyAlgorithmUnsupported)?;
        let (_, info) =
            SubjectPublicKeyInfo::from_der(&info).map_err(|_| Error::from(Code::KeyAlgorithmUnsupported))?;
        Ok(Self::new(&info))
    }
}

/// Whether a certificate is for this key.
///
/// # Errors
/// `CERTIFICATE_MALFORMED`, and `KEY_ALGORITHM_UNSUPPORTED` where the key does not tell its public half.
pub(super) fn belongs_to(key: &dyn SigningKey, certificate: &CertificateDer<'_>) -> Result<bool> {
    let certificate = fault::parse(certificate)?;
    Ok(PublicHalf::of_key(key)? == PublicHalf::new(certificate.public_key()))
}

/// The size of an RSA key below 2048 bits, which current peers refuse.
pub(super) fn small_rsa_bits(key: &dyn SigningKey) -> Option<usize> {
    let public = key.public_key()?;
    let (_, public) = SubjectPublicKeyInfo::from_der(&public).ok()?;
    match public.parsed().ok()? {
        PublicKey::RSA(key) => Some(bits(key.modulus)).filter(|bits| *bits < RSA_SMALL_BELOW_BITS),
        _ => None,
    }
}
