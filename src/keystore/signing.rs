//! A private key made ready to sign, and its public half, which certificates are found by.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::crypto::cost::Cost;
use super::dsa::{self, DsaKey};
use super::dsa_form;
use super::key::{self, Algorithm, RSA_LEAST_BITS, RSA_SMALL_BELOW_BITS, bits};
use super::key_form::Form;
use super::rsa_small::SmallRsaKey;
use crate::certificate::fault;
use crate::error::{Code, Error, Result};
use crate::random;

/// Makes the key ready to sign with.
///
/// RSA from 1024 to 8192 bits, ECDSA on P-256, P-384 and P-521, Ed25519, ML-DSA, in PKCS#8, PKCS#1 or SEC1.
///
/// # Errors
/// `KEY_ALGORITHM_UNSUPPORTED` with the kind and size, `KEY_MALFORMED`.
pub fn signing_key(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>> {
    if let Ok(key) = random::signing_key(key) {
        return Ok(key);
    }
    if let PrivateKeyDer::Pkcs8(pkcs8) = key
        && let Some(version_1) = key::version_1(pkcs8.secret_pkcs8_der())
    {
        return signing_key(&Zeroizing::new(PrivatePkcs8KeyDer::from(version_1).into()));
    }
    let (form, der) = match key {
        PrivateKeyDer::Pkcs8(key) => (Form::Pkcs8, key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => (Form::Pkcs1, key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => (Form::Sec1, key.secret_sec1_der()),
        _ => return Err(Error::new(Code::KeyMalformed, "neither PKCS#8, PKCS#1 nor SEC1")),
    };
    let algorithm = Algorithm::of(form, der)?;
    match algorithm.rsa_bits {
        Some(bits) if algorithm.served && (RSA_LEAST_BITS..RSA_SMALL_BELOW_BITS).contains(&bits) => {
            Ok(Arc::new(SmallRsaKey::new(form, der)?))
        }
        _ if algorithm.served => {
            Err(Error::new(Code::KeyMalformed, format!("its numbers are not a key of {}", algorithm.name)))
        }
        _ if algorithm.name == dsa_form::NAME => Err(dsa::unsupported()),
        _ => Err(Error::new(Code::KeyAlgorithmUnsupported, algorithm.name)),
    }
}

/// The same for a file that may have keys of DSA, in PKCS#8.
///
/// # Errors
/// As for [`signing_key`].
pub(super) fn signing_key_with(key: &PrivateKeyDer<'_>, reads_dsa: bool) -> Result<Arc<dyn SigningKey>> {
    match key {
        PrivateKeyDer::Pkcs8(key) if reads_dsa && dsa::is_dsa(key.secret_pkcs8_der()) => {
            Ok(Arc::new(DsaKey::new(key.secret_pkcs8_der())?))
        }
        key => signing_key(key),
    }
}

const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";

/// The cost of making a key ready, as measured: its numbers are checked against each other.
pub(super) fn cost(key: &PrivateKeyDer<'_>) -> Cost {
    const CHEAP_CURVE: u64 = 1_000;
    const DEAR_CURVE: u64 = 9_000;
    let algorithm = match key {
        PrivateKeyDer::Pkcs8(key) => Algorithm::of(Form::Pkcs8, key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => Algorithm::of(Form::Pkcs1, key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => Algorithm::of(Form::Sec1, key.secret_sec1_der()),
        _ => return Cost::default(),
    };
    let Ok(algorithm) = algorithm else { return Cost::default() };
    let iterations = match (algorithm.rsa_bits, algorithm.name.as_str()) {
        (Some(bits), _) => {
            let square = (bits as u64).saturating_mul(bits as u64);
            square / if bits < RSA_SMALL_BELOW_BITS { 90 } else { 800 }
        }
        (None, "Ed25519" | "EC P-256") => CHEAP_CURVE,
        (None, _) => DEAR_CURVE,
    };
    Cost::of(iterations, 1, 1)
}

/// The public half of a key, as certificates and keys can be compared by, of whatever X.509 version.
///
/// rustls' own comparison goes through webpki, which refuses version 1. The algorithm's parameters are left out:
/// certificates exist with RSA's NULL missing and with a curve written out. Points are compared in their compressed
/// form (SEC 1 section 2.3.3), which certificates may have.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PublicHalf {
    algorithm: String,
    key: Vec<u8>,
}

impl PublicHalf {
    pub(super) fn new(info: &SubjectPublicKeyInfo<'_>) -> Self {
        Self::from_parts(info.algorithm.algorithm.to_id_string(), info.subject_public_key.data.as_ref())
    }

    /// The public half of this algorithm, an object identifier, with these bytes.
    pub(super) fn from_parts(algorithm: String, bytes: &[u8]) -> Self {
        let point = if algorithm == EC_PUBLIC_KEY { compressed(bytes) } else { None };
        Self { algorithm, key: point.unwrap_or_else(|| bytes.to_vec()) }
    }

    /// Tells whether it is a compressed point of a curve, which some peers do not read.
    pub(super) fn is_compressed(info: &SubjectPublicKeyInfo<'_>) -> bool {
        info.algorithm.algorithm.to_id_string() == EC_PUBLIC_KEY
            && matches!(info.subject_public_key.data.first(), Some(2 | 3))
    }

    /// # Errors
    /// `KEY_ALGORITHM_UNSUPPORTED` if the key does not contain it.
    pub(super) fn of_key(key: &dyn SigningKey) -> Result<Self> {
        let info = key.public_key().ok_or(Code::KeyAlgorithmUnsupported)?;
        let (_, info) =
            SubjectPublicKeyInfo::from_der(&info).map_err(|_| Error::from(Code::KeyAlgorithmUnsupported))?;
        Ok(Self::new(&info))
    }
}

/// The compressed form of a point that is uncompressed (4) or hybrid (6, 7).
fn compressed(point: &[u8]) -> Option<Vec<u8>> {
    let (form, coordinates) = point.split_first()?;
    if !matches!(form, 4 | 6 | 7) || !coordinates.len().is_multiple_of(2) {
        return None;
    }
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    Some([&[2 | (y.last()? & 1)], x].concat())
}

/// Tells whether a certificate is for this key.
///
/// # Errors
/// `CERTIFICATE_MALFORMED`, and `KEY_ALGORITHM_UNSUPPORTED` if the key does not contain its public half.
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
