//! Loading of keys, certificates and stores, made by the tools that users make them with.

mod algorithms;
mod cases;
mod containers;
mod convert;
mod der;
mod differential;
mod hostile;
mod java;
mod messages;
mod pem;
mod pkcs12;
mod tools;

use brokertls::error::{Code, Error};
use brokertls::keystore::{Identity, OpenOptions, Password, Secret, Store, StoreType, open};
use differential::{assert_read_alike, assert_refused_alike};
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;

/// Options with this store password.
fn password(password: &str) -> OpenOptions {
    OpenOptions { password: bytes(password), ..OpenOptions::default() }
}

fn bytes(password: &str) -> Password {
    Password::Bytes(Secret::new(password))
}

fn opened(label: &str, bytes: &[u8], options: &OpenOptions) -> Store {
    let store = open(label, bytes, options).unwrap_or_else(|error| panic!("{error:?}"));
    if store.store_type() == StoreType::Pkcs12 {
        assert_read_alike(bytes, options, &store);
    }
    store
}

/// The only identity of a store without a password.
fn identity(bytes: &[u8], options: &OpenOptions) -> Identity {
    let mut identities = opened("file", bytes, options).identities().unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(identities.len(), 1);
    identities.remove(0)
}

/// The failure of opening or, if it opens, of its identities.
fn refused(bytes: &[u8], options: &OpenOptions) -> Error {
    match open("file", bytes, options) {
        Ok(store) => store.identities().err().unwrap_or_else(|| panic!("accepted")),
        Err(error) => {
            assert_refused_alike(bytes, options, &error);
            error
        }
    }
}

/// Proves that the identity's key made for the first certificate signs what that certificate verifies.
fn assert_signs(identity: &Identity) {
    let schemes = [
        SignatureScheme::RSA_PSS_SHA256,
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ECDSA_NISTP384_SHA384,
        SignatureScheme::ECDSA_NISTP521_SHA512,
        SignatureScheme::ED25519,
    ];
    let key = brokertls::keystore::signing_key(identity.key.as_ref().unwrap()).unwrap();
    for key in [&key, &identity.signing_key] {
        let signer = key.choose_scheme(&schemes).unwrap();
        let signature = signer.sign(b"message").unwrap();
        tools::verify(&identity.chain[0], signer.scheme(), b"message", &signature);
    }
}

/// The subjects of a chain, for comparison.
fn subjects(chain: &[CertificateDer<'_>]) -> Vec<String> {
    let subject = |der| brokertls::certificate::CertificateFacts::from_der(der).unwrap().subject.to_string();
    chain.iter().map(subject).collect()
}

fn assert_code(error: &Error, code: Code, detail: &str) {
    assert_eq!(error.code(), code, "{error:?}");
    assert!(error.detail().contains(detail), "{error:?} does not name {detail}");
}
