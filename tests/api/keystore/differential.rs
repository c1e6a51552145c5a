//! Every PKCS#12 that these tests open is also read by the crate `p12-keystore`; a difference needs its explanation
//! here.

use std::collections::BTreeSet;

use brokertls::error::{Code, Error};
use brokertls::keystore::{EntryKind, OpenOptions, Password, Secret, Store};
use p12_keystore::Pkcs12Archive;

/// Stores that the other reader does not read and ours does: what its error says, and why.
const NOT_READ_BY_THE_OTHER: &[(&str, &str)] = &[
    ("IndefiniteLength", "it reads DER only; Bouncy Castle and Windows write BER (RFC 7292 section 4)"),
    ("kind: Length { tag: Tag(0x10: SEQUENCE) }", "it takes lengths in their shortest form only, as DER has them"),
    ("TagUnknown { byte: 45 }", "it reads no PEM"),
    ("UnsupportedEncryptionScheme", "it knows neither PBMAC1 nor a MAC by SHA-224, SHA-384 or SHA-512"),
    ("1.2.840.113549.2.7 is unsupported", "it does not derive keys by PBKDF2 with HMAC-SHA-1"),
    ("OidUnknown { oid: ObjectIdentifier(1.2.840.113549.3.7) }", "it does not decrypt PBES2 with triple DES"),
    ("Value { tag: Tag(0x1e: BMPString) }", "it takes no password with characters beyond the basic plane"),
    ("MacError", "it does not try the Latin-1 form of a password, which old versions of OpenSSL wrote"),
    ("PKCS#5 decryption failed", "it takes one password for the store and its keys"),
];

/// Stores that the other reader opens and ours refuses, and why.
const NOT_OPENED_BY_OURS: &[(Code, &str)] = &[
    (Code::StoreTypeMismatch, "the caller gave a type that it is not; the other is given none"),
    (Code::StoreMacMissing, "ours opens a store without a MAC only if it is told to"),
];

/// Private keys and certificates, in DER.
type Found = (BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>);

/// Asserts that both readers find the same in a store that ours has opened.
pub(super) fn assert_read_alike(bytes: &[u8], options: &OpenOptions, store: &Store) {
    let Some(password) = password(options) else { return };
    let keys = store.entries().iter().filter(|entry| entry.kind == EntryKind::Key);
    let keys = keys.filter_map(|entry| store.private_key(entry, None).ok());
    let certificates = store.entries().iter().flat_map(|entry| entry.chain.iter().map(|der| der.to_vec()));
    let ours: Found = (keys.map(|key| key.secret_der().to_vec()).collect(), certificates.collect());
    match theirs(bytes, &password) {
        Ok(theirs) => assert_eq!(ours, theirs, "{}", store.label()),
        Err(error) => {
            let explained = NOT_READ_BY_THE_OTHER.iter().any(|(says, _)| error.contains(says));
            assert!(explained, "{}: the other reader says {error}", store.label());
        }
    }
}

/// Asserts that the other reader refuses a store too.
pub(super) fn assert_refused_alike(bytes: &[u8], options: &OpenOptions, ours: &Error) {
    let explained = NOT_OPENED_BY_OURS.iter().any(|(code, _)| *code == ours.code());
    // It has no limit, and would derive keys for years.
    if explained || ours.code() == Code::CostTooHigh {
        return;
    }
    let Some(password) = password(options) else { return };
    assert!(theirs(bytes, &password).is_err(), "the other reader opens it: {ours:?}");
}

/// The password as the other reader takes it: as text.
fn password(options: &OpenOptions) -> Option<String> {
    match &options.password {
        Password::None => Some(String::new()),
        Password::Bytes(secret) => String::from_utf8(Secret::reveal(secret).to_vec()).ok(),
        Password::Callback(_) => None,
    }
}

fn theirs(bytes: &[u8], password: &str) -> Result<Found, String> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| format!("{error:?}"))?;
    let keys = archive.keys.iter().map(|key| key.key.as_der().to_vec()).collect();
    Ok((keys, archive.certs.iter().map(|certificate| certificate.cert.as_der().to_vec()).collect()))
}
