//! Certificates for the tests of verification: made by rcgen, and rewritten where rcgen will not make what users have.
//!
//! All dates are fixed: everything is valid from 2020 to 2040 unless a test says otherwise, and the clock stands at
//! 2026-01-01.

use std::time::Duration;

use brokertls::error::{Code, Error};
use brokertls::keystore::TrustedCertificate;
use brokertls::verify::{Deviation, PeerVerifier, Purpose, Verdict};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PublicKeyData, SanType, SignatureAlgorithm, SigningKey, date_time_ymd,
};
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer;

/// 2026-01-01T00:00:00Z.
pub(crate) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600))
}

/// A key that signs certificates.
pub(crate) enum Key {
    Modern(KeyPair),
    Rsa { key: Box<rsa::RsaPrivateKey>, public: Vec<u8> },
}

impl Key {
    pub(crate) fn new() -> Self {
        Self::Modern(KeyPair::generate().unwrap())
    }

    /// An RSA key of any length.
    pub(crate) fn rsa(bits: usize) -> Self {
        let key = Box::new(rsa::RsaPrivateKey::new(&mut rand_core::OsRng, bits).unwrap());
        let public = key.to_public_key().to_pkcs1_der().unwrap().as_bytes().to_vec();
        Self::Rsa { key, public }
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::Modern(key) => key.der_bytes(),
            Self::Rsa { public, .. } => public,
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::Modern(key) => key.algorithm(),
            Self::Rsa { .. } => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self {
            Self::Modern(key) => key.sign(message),
            Self::Rsa { key, .. } => {
                Ok(rsa::pkcs1v15::SigningKey::<Sha256>::new(key.as_ref().clone()).sign(message).to_vec())
            }
        }
    }
}

/// A certificate, with what issues others in its name.
pub(crate) struct Made {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) params: CertificateParams,
    pub(crate) key: Key,
}

impl Made {
    /// Issues a certificate for a key.
    pub(crate) fn issue_for(&self, params: CertificateParams, key: Key) -> Self {
        let der = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap().der().clone();
        Self { der, params, key }
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Self {
        self.issue_for(params, Key::new())
    }

    /// Issues a version 1 certificate: no version, no extensions.
    pub(crate) fn issue_version_1(&self, params: CertificateParams) -> Self {
        let made = self.issue(params);
        let der = rewritten(&made.der, &self.key, into_version_1);
        Self { der, ..made }
    }

    /// The same certificate as version 1, signed by its own key.
    pub(crate) fn self_signed_as_version_1(self) -> Self {
        let der = rewritten(&self.der, &self.key, into_version_1);
        Self { der, ..self }
    }

    /// The same certificate with one bit of its signature turned.
    pub(crate) fn with_broken_signature(&self) -> CertificateDer<'static> {
        let mut der = self.der.to_vec();
        *der.last_mut().unwrap() ^= 1;
        CertificateDer::from(der)
    }

    pub(crate) fn trusted(&self) -> TrustedCertificate {
        TrustedCertificate::new(self.der.clone(), "test.ts, alias one")
    }
}

pub(crate) fn self_signed_for(params: CertificateParams, key: Key) -> Made {
    let der = params.self_signed(&key).unwrap().der().clone();
    Made { der, params, key }
}

pub(crate) fn self_signed(params: CertificateParams) -> Made {
    self_signed_for(params, Key::new())
}

fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}

/// A certificate for a host, with its name as subject alternative name, for servers and clients.
pub(crate) fn host(name: &str) -> CertificateParams {
    let mut params = host_without_names(name);
    params.subject_alt_names = vec![match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into().unwrap()),
    }];
    params
}

/// A certificate with the host's name as common name alone.
pub(crate) fn host_without_names(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

pub(crate) fn ca(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

pub(crate) fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_after = date_time_ymd(2025, 12, 31);
    params
}

pub(crate) fn not_yet_valid(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2026, 1, 2);
    params
}

pub(crate) fn only_for(usage: ExtendedKeyUsagePurpose, mut params: CertificateParams) -> CertificateParams {
    params.extended_key_usages = vec![usage];
    params
}

fn into_version_1(fields: &mut Vec<Vec<u8>>) {
    fields.remove(0);
    fields.pop();
}

/// A certificate with changed to-be-signed fields, signed again by `issuer`.
pub(crate) fn rewritten(
    der: &CertificateDer<'_>,
    issuer: &Key,
    change: impl FnOnce(&mut Vec<Vec<u8>>),
) -> CertificateDer<'static> {
    let parts = elements(Any::from_der(der).unwrap().1.data);
    let mut fields = elements(Any::from_der(&parts[0]).unwrap().1.data);
    change(&mut fields);
    let signed = element(0x30, &fields.concat());
    let signature = issuer.sign(&signed).unwrap();
    let signature = element(0x03, &[&[0], signature.as_slice()].concat());
    let algorithm = fields.iter().find(|field| field[0] == 0x30).unwrap();
    CertificateDer::from(element(0x30, &[&signed, algorithm, &signature].map(Vec::as_slice).concat()))
}

/// The DER elements that follow one another.
pub(crate) fn elements(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        let (rest, _) = Any::from_der(input).unwrap();
        found.push(input[..input.len() - rest.len()].to_vec());
        input = rest;
    }
    found
}

/// A DER element with a length of two bytes, or of one where that is too long.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let header = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        _ => [&[tag, 0x82], length.to_be_bytes().as_slice()].concat(),
    };
    [header.as_slice(), content].concat()
}

/// The verdict on a server's chain with `trust` as trusted certificates.
pub(crate) fn verify(
    trust: &[&Made],
    switches: &[Deviation],
    chain: &[&CertificateDer<'static>],
    name: Option<&str>,
) -> Result<Verdict, Error> {
    verify_for(Purpose::Server, trust, switches, chain, name)
}

pub(crate) fn verify_for(
    purpose: Purpose,
    trust: &[&Made],
    switches: &[Deviation],
    chain: &[&CertificateDer<'static>],
    name: Option<&str>,
) -> Result<Verdict, Error> {
    let trust = trust.iter().map(|made| made.trusted()).collect();
    let verifier = PeerVerifier::new(trust, switches.iter().copied().collect()).unwrap();
    let chain: Vec<_> = chain.iter().map(|der| (*der).clone()).collect();
    let name = name.map(|name| ServerName::try_from(name).unwrap());
    verifier.verify(&chain, purpose, name.as_ref(), now())
}

/// The code of a refusal, which must also carry an alert and name a certificate.
#[track_caller]
pub(crate) fn code(result: Result<Verdict, Error>) -> Code {
    let refused = result.expect_err("should be refused");
    assert!(refused.code().alert().is_some(), "{refused}");
    assert!(refused.detail().contains("subject \"") || refused.code() == Code::CertTooComplex, "{refused}");
    refused.code()
}
