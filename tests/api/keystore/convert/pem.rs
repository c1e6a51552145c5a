//! PEM output: its parts, and what it cannot say.

use brokertls::Source;
use brokertls::error::Code;
use brokertls::keystore::StoreType;

use super::super::tools::{KEYTOOL, made, pki};
use super::super::{assert_signs, opened, password};
use super::{OpenOptions, as_pkcs12, assert_code, by_openssl, conversion, converted, identity, refused, told};

const FROM: (&str, &str) = ("password", "pass:secret");

/// A store with a key and its chain, and beside them a trusted certificate.
fn both() -> Vec<u8> {
    made(&format!(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out out -passout pass:secret
        {KEYTOOL} -importcert -noprompt -alias ca -file $pki/other.crt -keystore out -storepass secret"
    ))
}

fn text(input: &[u8], settings: &[(&str, &str)]) -> (String, Vec<String>) {
    let done = converted(input, &[settings, &[("to", "pem")]].concat());
    (String::from_utf8(done.content.reveal().to_vec()).unwrap(), done.warnings)
}

fn labels(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")).collect()
}

#[test]
fn each_part_of_a_store_becomes_the_file_that_a_broker_wants() {
    let store = both();
    let certificates = ["CERTIFICATE"; 3];
    let (key, warnings) = text(&store, &[FROM, ("part", "key")]);
    assert_eq!(labels(&key), ["PRIVATE KEY"]);
    assert_eq!(warnings, ["the private key in the output is not encrypted"]);
    let (chain, warnings) = text(&store, &[FROM, ("part", "chain")]);
    assert_eq!(labels(&chain), certificates);
    assert!(warnings.len() == 1 && warnings[0].starts_with("the output has certificates alone"), "{warnings:?}");
    assert_eq!(chain.as_bytes(), by_openssl(&pki("rsa-chain.crt"), "cat in").as_bytes());
    let (trust, _) = text(&store, &[FROM, ("part", "trust")]);
    assert_eq!(trust.as_bytes(), pki("other.crt"));
    let (identity, _) = text(&store, &[FROM, ("part", "identity")]);
    assert_eq!(identity, key + &chain);
}

#[test]
fn keys_and_trust_in_one_pem_file_are_refused_with_the_way_out() {
    let error = refused(&both(), &[FROM, ("to", "pem")]);
    assert_code(&error, Code::OptionConflict, "PEM does not say which certificates are trusted");
    assert_eq!(error.hint(), "Write two files: the part identity, and the part trust.");
    assert_eq!(labels(&text(&both(), &[FROM, ("alias", "CA")]).0), ["CERTIFICATE"]);
}

#[test]
fn key_with_a_password_is_encrypted_as_current_and_as_old_programs_read_it() {
    for legacy in ["no", "yes"] {
        let settings = [("part", "key"), ("out-password", "pass:pä\u{1f511}"), ("legacy-encryption", legacy)];
        let (key, _) = text(&identity(), &settings);
        assert_eq!(labels(&key), ["ENCRYPTED PRIVATE KEY"]);
        let plain = by_openssl(key.as_bytes(), "openssl pkey -in in -passin 'pass:pä\u{1f511}'");
        assert_eq!(plain.as_bytes(), pki("rsa.key"));
        let input = [key.as_bytes(), &pki("rsa-chain.crt")].concat();
        let store = opened("a.pem", &input, &password("pä\u{1f511}"));
        assert_signs(&store.identities().unwrap()[0]);
    }
}

#[test]
fn store_becomes_pem_and_pkcs12_again_with_the_same_keys_and_chains() {
    let store = both();
    let expected: Vec<_> = told(&opened("a", &store, &password("secret"))).into_iter().take(2).collect();
    let (pem, _) = text(&store, &[FROM, ("part", "identity")]);
    let again = told(&as_pkcs12(pem.as_bytes(), &[("name", "broker")]));
    assert_eq!(again[0], expected.into_iter().find(|entry| entry.kind == "key").unwrap());
}

#[test]
fn several_keys_in_pem_are_warned_about() {
    let keys = [identity(), pki("p256.key"), pki("p256.crt")].concat();
    let (text, warnings) = text(&keys, &[]);
    assert_eq!(
        labels(&text),
        [
            "PRIVATE KEY",
            "CERTIFICATE",
            "CERTIFICATE",
            "CERTIFICATE",
            "PRIVATE KEY",
            "CERTIFICATE",
            "CERTIFICATE",
            "CERTIFICATE"
        ]
    );
    assert!(warnings.iter().any(|warning| warning.contains("the output has 2 keys")), "{warnings:?}");
}

#[test]
fn key_of_another_file_is_paired_with_its_certificates() {
    let mut conversion = conversion(&[("to", "pkcs12"), ("out-password", "pass:new"), ("name", "broker")]);
    conversion.key(Source::memory("key", &pki("rsa.key")));
    let done = conversion.convert(&Source::memory("in", &pki("rsa-chain.crt"))).unwrap();
    let store = opened("out", done.content.reveal(), &password("new"));
    assert_eq!(store.identity("broker").unwrap().chain.len(), 3);
    let error = conversion.convert(&Source::memory("in", &pki("p256.crt"))).unwrap_err();
    assert_code(&error, Code::KeyMismatch, "key, line 1");
    let error = conversion.convert(&Source::memory("in", done.content.reveal())).unwrap_err();
    assert_code(&error, Code::StorePasswordMissing, "in");
    conversion.password(super::super::bytes("new"));
    let error = conversion.convert(&Source::memory("in", done.content.reveal())).unwrap_err();
    assert_code(&error, Code::OptionConflict, "a keystore has its keys in it");
    conversion.key(Source::memory("key", &pki("rsa.crt")));
    let error = conversion.convert(&Source::memory("in", &pki("rsa.crt"))).unwrap_err();
    assert_code(&error, Code::NoPrivateKey, "key: the option key");
}

#[test]
fn der_is_read_and_a_certificate_alone_is_trusted() {
    let der = made("openssl x509 -in $pki/root.crt -outform DER -out out");
    assert_eq!(opened("a", &der, &OpenOptions::default()).store_type(), StoreType::Der);
    assert_eq!(told(&as_pkcs12(&der, &[]))[0].kind, "trusted");
    assert_eq!(text(&der, &[]).0.as_bytes(), pki("root.crt"));
    let key = made("openssl pkey -in $pki/rsa.key -outform DER -out out");
    assert_eq!(text(&key, &[]).0.as_bytes(), pki("rsa.key"));
}

#[test]
fn parts_that_are_not_there_or_that_the_format_does_not_have_are_refused() {
    let trust = pki("root.crt");
    let cases: [(&[u8], &str, &str, Code); 6] = [
        (&trust, "pem", "identity", Code::NoPrivateKey),
        (&trust, "pem", "key", Code::NoPrivateKey),
        (&trust, "pem", "chain", Code::NoPrivateKey),
        (&identity(), "pem", "trust", Code::NoTrustedCertificate),
        (&identity(), "pkcs12", "key", Code::OptionConflict),
        (&identity(), "pkcs12", "chain", Code::OptionConflict),
    ];
    for (input, to, part, code) in cases {
        let error = refused(input, &[("to", to), ("part", part), ("out-password", "pass:new")]);
        assert_eq!(error.code(), code, "{to} {part}: {error:?}");
    }
    assert_code(&refused(&pki("rsa.key"), &[("to", "pem"), ("part", "chain")]), Code::NoCertificate, "in");
}
