//! Algorithms of keys: those that are not served are named, with or without a certificate.

use brokertls::error::Code;
use brokertls::keystore::{OpenOptions, signing_key};
use rustls::SignatureScheme;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::opened;
use super::tools::made;

/// A PKCS#8 key of an algorithm of NIST (2.16.840.1.101.3.4) by the last two numbers, with this private key.
fn nist(group: u8, number: u8, key: &[u8]) -> Vec<u8> {
    let algorithm = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, group, number];
    let length = |bytes: usize| u8::try_from(bytes).unwrap();
    let content = [&[2, 1, 0][..], &algorithm, &[4, length(key.len())], key].concat();
    [&[0x30, length(content.len())][..], &content].concat()
}

#[test]
fn key_of_an_algorithm_that_is_not_served_is_named_without_a_certificate() {
    let generated = |arguments: &str| made(&format!("openssl genpkey -out out {arguments} 2> /dev/null"));
    let curve = |name: &str| generated(&format!("-algorithm EC -pkeyopt ec_paramgen_curve:{name}"));
    for (key, name) in [
        (generated("-algorithm X25519"), "X25519"),
        (generated("-algorithm X448"), "X448"),
        (generated("-algorithm ED448"), "Ed448"),
        (generated("-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"), "RSA-PSS"),
        (curve("brainpoolP256r1"), "EC brainpoolP256r1"),
        (curve("secp224r1"), "EC P-224"),
        (curve("secp256k1"), "EC secp256k1"),
        (nist(4, 1, &[0x80; 66]), "ML-KEM-512"),
        (nist(4, 3, &[0x80; 66]), "ML-KEM-1024"),
        (nist(3, 20, &[7; 64]), "SLH-DSA-SHA2-128s"),
        (nist(3, 31, &[7; 100]), "SLH-DSA-SHAKE-256f"),
        (nist(3, 99, &[7; 64]), "an unknown algorithm (2.16.840.1.101.3.4.3.99)"),
    ] {
        let store = opened("key", &key, &OpenOptions::default());
        let facts = store.entries()[0].key.as_ref().unwrap();
        assert_eq!(facts.algorithm.as_deref(), Some(name));
        let error = store.identities().unwrap_err();
        assert_eq!(error.code(), Code::KeyAlgorithmUnsupported, "{error}");
        assert!(error.detail().ends_with(name), "{error}");
    }
}

#[test]
fn key_of_an_algorithm_that_is_served_lacks_its_certificate() {
    for key in [
        made("openssl genpkey -algorithm ED25519 -out out"),
        made("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out out"),
        nist(3, 18, &seed()),
    ] {
        let error = opened("key", &key, &OpenOptions::default()).identities().unwrap_err();
        assert_eq!(error.code(), Code::NoCertificate, "{error}");
    }
}

/// An ML-DSA key as its seed (RFC 9881 section 6).
fn seed() -> Vec<u8> {
    [&[0x80, 32][..], &[7; 32]].concat()
}

#[test]
fn ml_dsa_keys_sign() {
    for (number, scheme) in
        [(17, SignatureScheme::ML_DSA_44), (18, SignatureScheme::ML_DSA_65), (19, SignatureScheme::ML_DSA_87)]
    {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(nist(3, number, &seed())));
        let signer = signing_key(&key).unwrap().choose_scheme(&[scheme]).unwrap();
        assert!(!signer.sign(b"message").unwrap().is_empty());
    }
}
