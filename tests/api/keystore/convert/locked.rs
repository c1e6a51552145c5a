//! Keys with passwords of their own: each is opened with the first password that fits, and only if it is needed.

use std::sync::Arc;

use brokertls::Source;
use brokertls::convert::Conversion;
use brokertls::error::Code;
use brokertls::keystore::{Password, Secret};

use super::super::tools::{KEYTOOL, made, pki};
use super::{as_pkcs12, assert_code, conversion, converted, refused, told};

const NEW: [(&str, &str); 2] = [("to", "pkcs12"), ("out-password", "pass:new")];
const FROM: (&str, &str) = ("password", "pass:storepw");

/// A store of Java's with three keys, two of them with passwords of their own, and a trusted certificate.
fn three(store_type: &str) -> Vec<u8> {
    made(&format!(
        "make() {{
            {KEYTOOL} -genkeypair -alias $1 -keyalg EC -dname CN=$1 -keystore out -storetype {store_type} \
                -storepass storepw -keypass $2 2> /dev/null
        }}
        make one onepass && make two twopass && make three storepw
        {KEYTOOL} -importcert -noprompt -alias ca -file $pki/root.crt -keystore out -storetype {store_type} \
            -storepass storepw"
    ))
}

#[test]
fn each_key_is_opened_with_the_first_password_that_fits_and_then_with_that_of_the_store() {
    for store_type in ["JKS", "JCEKS"] {
        let store = three(store_type);
        for order in [["pass:onepass", "pass:twopass"], ["pass:twopass", "pass:onepass"]] {
            let settings = [FROM, ("key-password", order[0]), ("key-password", order[1])];
            let found = told(&as_pkcs12(&store, &settings));
            let aliases: Vec<_> = found.iter().filter_map(|entry| entry.alias.as_deref()).collect();
            assert_eq!(aliases, ["one", "three", "two", "ca"], "{store_type}");
        }
        let some = [FROM, ("key-password", "pass:twopass"), ("alias", "two"), ("alias", "three")];
        assert_eq!(told(&as_pkcs12(&store, &some)).len(), 2);
    }
}

#[test]
fn key_that_no_password_opens_is_named_with_the_way_out() {
    let store = three("JKS");
    let error = refused(&store, &[&NEW[..], &[FROM, ("key-password", "pass:onepass")]].concat());
    assert_code(&error, Code::KeyPasswordWrong, "in, alias two");
    assert!(error.hint().starts_with("Give the password of this key with the option key-password, "), "{error:?}");
    assert_code(&refused(&store, &[&NEW[..], &[FROM]].concat()), Code::KeyPasswordWrong, "in, alias ");
}

#[test]
fn key_password_is_asked_for_by_alias() {
    let mut conversion = conversion(&[&NEW[..], &[FROM]].concat());
    conversion.key_password(Password::Callback(Arc::new(|request| {
        Some(Secret::new(format!("{}pass", request.alias.unwrap_or_default())))
    })));
    assert_eq!(conversion.convert(&Source::memory("in", &three("JKS"))).unwrap().entries.len(), 4);
    let mut silent = Conversion::new();
    silent.set("to", "pem").unwrap().set("password", "pass:storepw").unwrap();
    silent.key_password(Password::Callback(Arc::new(|_| None)));
    let error = silent.convert(&Source::memory("in", &three("JKS"))).unwrap_err();
    assert_code(&error, Code::PasswordUnavailable, "in, alias ");
}

#[test]
fn certificates_are_written_without_the_passwords_of_keys() {
    let store = three("JKS");
    let trust = converted(&store, &[&NEW[..], &[FROM, ("part", "trust")]].concat());
    assert_eq!((trust.entries.len(), trust.warnings.len()), (1, 0), "{trust:?}");
    let chains = converted(&store, &[FROM, ("to", "pem"), ("part", "chain")]);
    assert_eq!(chains.entries.len(), 3);
    assert_eq!(chains.content.reveal().windows(11).filter(|window| window == b"-----BEGIN ").count(), 3);
    assert_eq!(converted(&store, &[FROM, ("to", "pem"), ("alias", "ca")]).entries.len(), 1);
    // The keys of this store are encrypted with another password than its certificates.
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/keystore/Stores.java");
    let store = made(&format!(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out in -passout pass:storepw
        java -XX:TieredStopAtLevel=1 '{program}' PKCS12 in out storepw keypass"
    ));
    let chain = converted(&store, &[FROM, ("to", "pem"), ("part", "chain")]);
    assert_eq!(chain.content.reveal(), pki("rsa-chain.crt"));
}

#[test]
fn each_password_that_is_tried_has_its_cost() {
    let store =
        made("openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa.crt -out out -passout pass:storepw -iter 4000");
    let wrong = [("key-password", "pass:a"), ("key-password", "pass:b"), ("key-password", "pass:c")];
    let settings = [&NEW[..], &[FROM], &wrong].concat();
    assert_eq!(converted(&store, &settings).entries.len(), 1);
    let error = refused(&store, &[&settings[..], &[("max-kdf-iterations", "16000")]].concat());
    assert_eq!(error.code(), Code::CostTooHigh, "{error:?}");
    assert_eq!(converted(&store, &[&NEW[..], &[FROM, ("max-kdf-iterations", "60000")]].concat()).entries.len(), 1);
}
