//! The proof that a peer holds its certificate's private key, as the handshake carries it.

use brokertls::error::{Code, Error};
use brokertls::verify::{Deviation, PeerVerifier};
use rcgen::{KeyPair, SigningKey as _};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use rsa::{RsaPrivateKey, pkcs1v15, pss};
use rustls::internal::msgs::codec::Codec;
use rustls::pki_types::CertificateDer;
use rustls::{DigitallySignedStruct, SignatureScheme};

use crate::rig::pki::{Key, Made, host, self_signed, self_signed_for};

const MESSAGE: &[u8] = b"64 spaces, a context string, a zero and the hash of the transcript";

#[derive(Clone, Copy, PartialEq)]
enum Tls {
    V1_2,
    V1_3,
}

fn check(
    version: Tls,
    switches: &[Deviation],
    certificate: &CertificateDer<'_>,
    scheme: SignatureScheme,
    signature: &[u8],
) -> Result<(), Error> {
    let mut wire = u16::from(scheme).to_be_bytes().to_vec();
    wire.extend(u16::try_from(signature.len()).unwrap().to_be_bytes());
    wire.extend(signature);
    let signed = DigitallySignedStruct::read_bytes(&wire).unwrap();
    let verifier = PeerVerifier::new(vec![], switches.iter().copied().collect()).unwrap();
    match version {
        Tls::V1_2 => verifier.verify_tls12_signature(MESSAGE, certificate, &signed),
        Tls::V1_3 => verifier.verify_tls13_signature(MESSAGE, certificate, &signed),
    }
}

fn code(outcome: Result<(), Error>) -> Code {
    outcome.expect_err("should be refused").code()
}

fn altered(signature: &[u8]) -> Vec<u8> {
    let mut signature = signature.to_vec();
    *signature.last_mut().unwrap() ^= 1;
    signature
}

fn rsa_key(made: &Made) -> RsaPrivateKey {
    match &made.key {
        Key::Rsa { key, .. } => key.as_ref().clone(),
        Key::Modern(_) => panic!("not an RSA key"),
    }
}

/// A signature of each RSA scheme that is offered.
fn rsa_signatures(key: &RsaPrivateKey) -> Vec<(SignatureScheme, Vec<u8>)> {
    let mut random = rand_core::OsRng;
    let key = || key.clone();
    vec![
        (
            SignatureScheme::RSA_PSS_SHA256,
            pss::SigningKey::<Sha256>::new(key()).sign_with_rng(&mut random, MESSAGE).to_vec(),
        ),
        (
            SignatureScheme::RSA_PSS_SHA384,
            pss::SigningKey::<Sha384>::new(key()).sign_with_rng(&mut random, MESSAGE).to_vec(),
        ),
        (SignatureScheme::RSA_PKCS1_SHA256, pkcs1v15::SigningKey::<Sha256>::new(key()).sign(MESSAGE).to_vec()),
        (SignatureScheme::RSA_PKCS1_SHA384, pkcs1v15::SigningKey::<Sha384>::new(key()).sign(MESSAGE).to_vec()),
        (SignatureScheme::RSA_PKCS1_SHA512, pkcs1v15::SigningKey::<Sha512>::new(key()).sign(MESSAGE).to_vec()),
    ]
}

fn is_pkcs1(scheme: SignatureScheme) -> bool {
    use SignatureScheme as S;
    matches!(scheme, S::RSA_PKCS1_SHA256 | S::RSA_PKCS1_SHA384 | S::RSA_PKCS1_SHA512)
}

#[test]
fn ecdsa_proof_is_accepted_for_version_3_and_version_1_and_an_altered_one_is_refused() {
    let version_3 = self_signed(host("client"));
    let version_1 = self_signed(host("client")).self_signed_as_version_1();
    for made in [version_3, version_1] {
        let signature = made.key.sign(MESSAGE).unwrap();
        for version in [Tls::V1_2, Tls::V1_3] {
            let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
            check(version, &[], &made.der, scheme, &signature).unwrap();
            assert_eq!(code(check(version, &[], &made.der, scheme, &altered(&signature))), Code::CertProofInvalid);
            assert_eq!(code(check(version, &[], &made.der, scheme, b"")), Code::CertProofInvalid);
        }
    }
}

#[test]
fn proof_by_another_key_is_refused() {
    let (one, other) = (self_signed(host("client")), self_signed(host("client")));
    let signature = other.key.sign(MESSAGE).unwrap();
    let outcome = check(Tls::V1_3, &[], &one.der, SignatureScheme::ECDSA_NISTP256_SHA256, &signature);
    assert_eq!(code(outcome), Code::CertProofInvalid);
}

#[test]
fn scheme_of_another_kind_of_key_is_refused() {
    let made = self_signed(host("client"));
    let signature = made.key.sign(MESSAGE).unwrap();
    for scheme in [SignatureScheme::ED25519, SignatureScheme::RSA_PSS_SHA256, SignatureScheme::ECDSA_NISTP521_SHA512] {
        let outcome = check(Tls::V1_3, &[], &made.der, scheme, &signature);
        assert_eq!(code(outcome), Code::HandshakeSignatureIllegal, "{scheme:?}");
    }
}

#[test]
fn scheme_that_was_not_offered_is_refused() {
    let made = self_signed(host("client"));
    let signature = made.key.sign(MESSAGE).unwrap();
    for version in [Tls::V1_2, Tls::V1_3] {
        for scheme in [SignatureScheme::ECDSA_SHA1_Legacy, SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::Unknown(1)]
        {
            let outcome = check(version, Deviation::ALL, &made.der, scheme, &signature);
            assert_eq!(code(outcome), Code::HandshakeSignatureIllegal, "{scheme:?}");
        }
    }
}

#[test]
fn curve_is_fixed_by_the_scheme_in_tls_1_3_alone() {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let made = self_signed_for(host("client"), Key::Modern(key));
    let signature = made.key.sign(MESSAGE).unwrap();
    for version in [Tls::V1_2, Tls::V1_3] {
        check(version, &[], &made.der, SignatureScheme::ECDSA_NISTP384_SHA384, &signature).unwrap();
    }
    let crossed = |version| code(check(version, &[], &made.der, SignatureScheme::ECDSA_NISTP256_SHA256, &signature));
    assert_eq!(crossed(Tls::V1_2), Code::CertProofInvalid);
    assert_eq!(crossed(Tls::V1_3), Code::HandshakeSignatureIllegal);
}

#[test]
fn rsa_proof_is_accepted_with_every_padding_but_pkcs1_in_tls_1_3() {
    let made = self_signed_for(host("client"), Key::rsa(2048));
    for (scheme, signature) in rsa_signatures(&rsa_key(&made)) {
        check(Tls::V1_2, &[], &made.der, scheme, &signature).unwrap();
        assert_eq!(code(check(Tls::V1_2, &[], &made.der, scheme, &altered(&signature))), Code::CertProofInvalid);
        let outcome = check(Tls::V1_3, &[], &made.der, scheme, &signature);
        match is_pkcs1(scheme) {
            true => assert_eq!(code(outcome), Code::HandshakeSignatureIllegal),
            false => outcome.unwrap(),
        }
    }
}

#[test]
fn proof_by_a_small_rsa_key_is_accepted_with_its_switch_alone() {
    for bits in [1024, 2047] {
        let made = self_signed_for(host("client"), Key::rsa(bits));
        for (scheme, signature) in rsa_signatures(&rsa_key(&made)) {
            for version in [Tls::V1_2, Tls::V1_3] {
                if version == Tls::V1_3 && is_pkcs1(scheme) {
                    let outcome = check(version, Deviation::ALL, &made.der, scheme, &signature);
                    assert_eq!(code(outcome), Code::HandshakeSignatureIllegal);
                    continue;
                }
                check(version, &[Deviation::SmallRsa], &made.der, scheme, &signature).unwrap();
                let refused = code(check(version, &[Deviation::SmallRsa], &made.der, scheme, &altered(&signature)));
                assert_eq!(refused, Code::CertProofInvalid);
                let others = [Deviation::X509V1, Deviation::CaAsEndEntity, Deviation::CommonName];
                assert_eq!(code(check(version, &others, &made.der, scheme, &signature)), Code::CertKeyTooSmall);
            }
        }
    }
}

#[test]
fn proof_by_a_key_under_1024_bits_is_refused_with_the_switch() {
    let made = self_signed_for(host("client"), Key::rsa(1023));
    for (scheme, signature) in rsa_signatures(&rsa_key(&made)) {
        assert_eq!(code(check(Tls::V1_2, Deviation::ALL, &made.der, scheme, &signature)), Code::CertKeyTooSmall);
    }
}

#[test]
fn proof_for_what_is_no_certificate_is_refused_as_malformed() {
    let garbage = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
    for version in [Tls::V1_2, Tls::V1_3] {
        let outcome = check(version, Deviation::ALL, &garbage, SignatureScheme::ED25519, &[0; 64]);
        assert_eq!(code(outcome), Code::CertMalformed);
    }
}

#[test]
fn offered_schemes_hold_no_sha1() {
    let offered = PeerVerifier::new(vec![], Deviation::ALL.iter().copied().collect()).unwrap().signature_schemes();
    assert!(offered.contains(&SignatureScheme::ED25519) && offered.contains(&SignatureScheme::RSA_PSS_SHA256));
    assert!(!offered.contains(&SignatureScheme::RSA_PKCS1_SHA1));
    assert!(!offered.contains(&SignatureScheme::ECDSA_SHA1_Legacy));
}
