//! New passwords of every form.

use std::sync::Arc;

use brokertls::Source;
use brokertls::convert::Conversion;
use brokertls::error::Code;
use brokertls::keystore::{Password, Secret};

use super::super::tools::folder;
use super::super::{bytes, opened, password};
use super::{OpenOptions, assert_code, by_openssl, converted, identity, read, refused, told};

#[test]
fn password_of_every_form_opens_the_output_and_another_one_does_not() {
    let long = "x".repeat(1000);
    for secret in ["", "secret", "pässwörd", "пароль", "pä\u{1f511}", "a b'\"$", &long] {
        for legacy in ["no", "yes"] {
            let given = format!("pass:{secret}");
            let settings = [("to", "pkcs12"), ("out-password", given.as_str()), ("legacy-encryption", legacy)];
            let done = converted(&identity(), &settings);
            assert_eq!(told(&opened("out", done.content.reveal(), &password(secret))).len(), 1, "{secret}");
            let error = read(done.content.reveal(), &password("other")).unwrap_err();
            assert_eq!(error.code(), Code::StorePasswordWrong);
            let warns = done.warnings.iter().any(|warning| warning.contains("characters beyond ASCII"));
            assert_eq!(warns, !secret.is_ascii(), "{:?}", done.warnings);
            assert!(!format!("{done:?}").contains("PRIVATE"), "{done:?}");
        }
    }
    let settings = [("to", "pkcs12"), ("out-password", "pass:pä\u{1f511}")];
    let done = converted(&identity(), &settings);
    let said = by_openssl(done.content.reveal(), "openssl pkcs12 -in in -passin 'pass:pä\u{1f511}' -nodes");
    assert!(said.contains("PRIVATE KEY"), "{said}");
}

#[test]
fn password_that_programs_read_differently_is_refused() {
    for wrong in [&b"p\xe4ss"[..], b"a\0b"] {
        let mut conversion = Conversion::new();
        conversion.set("to", "pkcs12").unwrap().out_password(Password::Bytes(Secret::new(wrong)));
        let error = conversion.convert(&Source::memory("in", &identity())).unwrap_err();
        assert_code(&error, Code::InvalidArgument, "the new password is not UTF-8 text");
    }
}

#[test]
fn empty_password_is_taken_as_text_and_refused_from_elsewhere() {
    let empty = folder("empty-password").join("password");
    std::fs::write(&empty, "\nsecret\n").unwrap();
    let file = format!("file:{}", empty.display());
    for to in ["pem", "pkcs12"] {
        let error = refused(&identity(), &[("to", to), ("out-password", &file)]);
        assert_code(&error, Code::InvalidArgument, "the new password is empty");
        let warnings = converted(&identity(), &[("to", to), ("out-password", "pass:")]).warnings;
        assert_eq!(warnings[0], "the password is empty: anyone can read the private key");
    }
}

#[test]
fn pkcs12_without_a_new_password_is_refused() {
    assert_code(&refused(&identity(), &[("to", "pkcs12")]), Code::StorePasswordMissing, "for the output");
    let mut conversion = Conversion::new();
    conversion.set("to", "pkcs12").unwrap().out_password(Password::Callback(Arc::new(|_| None)));
    let error = conversion.convert(&Source::memory("in", &identity())).unwrap_err();
    assert_code(&error, Code::PasswordUnavailable, "for the output");
}

#[test]
fn wrong_passwords_of_the_input_are_named_with_their_places() {
    let store = super::super::java::different_passwords("JKS");
    let new = [("to", "pkcs12"), ("out-password", "pass:new")];
    let with = |given: &[(&'static str, &'static str)]| [&new[..], given].concat();
    let error = refused(&store, &with(&[("password", "pass:wrong")]));
    assert_code(&error, Code::StorePasswordWrong, "in");
    let error = refused(&store, &with(&[("password", "pass:storepw")]));
    assert_code(&error, Code::KeyPasswordWrong, "in, alias broker");
    let done = converted(&store, &with(&[("password", "pass:storepw"), ("key-password", "pass:keypass")]));
    // The keys of the output have the password of the output.
    assert_eq!(told(&opened("out", done.content.reveal(), &password("new"))).len(), 1);
    let options = OpenOptions { key_password: bytes("keypass"), ..password("new") };
    let error = read(done.content.reveal(), &options).unwrap().identities().unwrap_err();
    assert_eq!(error.code(), Code::KeyPasswordWrong);
}
