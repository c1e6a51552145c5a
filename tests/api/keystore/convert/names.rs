//! The names of entries: selection, new names, and names that clash.

use brokertls::error::Code;

use super::super::tools::{KEYTOOL, made, pki};
use super::{as_pkcs12, assert_code, by_openssl, converted, identity, refused, told};

const NEW: [(&str, &str); 2] = [("to", "pkcs12"), ("out-password", "pass:new")];

fn aliases(input: &[u8], settings: &[(&str, &str)]) -> Vec<Option<String>> {
    let mut aliases: Vec<_> = told(&as_pkcs12(input, settings)).into_iter().map(|entry| entry.alias).collect();
    aliases.sort();
    aliases
}

#[test]
fn entries_without_a_name_get_numbers_as_java_gives_them() {
    let keys = [identity(), pki("p256.key"), pki("p256.crt")].concat();
    assert_eq!(aliases(&keys, &[]), [Some("1".to_owned()), Some("2".to_owned())]);
    let bundle = [pki("root.crt"), pki("mid.crt"), pki("other.crt")].concat();
    assert_eq!(aliases(&bundle, &[]), ["1", "2", "3"].map(|name| Some(name.to_owned())));
    // A selection does not number them anew.
    assert_eq!(aliases(&bundle, &[("alias", "2")]), [Some("2".to_owned())]);
    assert_eq!(aliases(&bundle, &[("alias", "3"), ("alias", "1")]), ["1", "3"].map(|name| Some(name.to_owned())));
    let unnamed = made("openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa.crt -out out -passout pass:a");
    assert_eq!(aliases(&unnamed, &[("password", "pass:a")]), [Some("1".to_owned())]);
}

#[test]
fn names_of_any_characters_are_kept() {
    for name in ["Bröker", "брокер 1", "\u{1f511}", "a,b=c", "x\u{7}", ""] {
        assert_eq!(aliases(&identity(), &[("name", name)]), [Some(name.to_lowercase())], "{name:?}");
    }
}

#[test]
fn new_name_for_several_entries_is_refused() {
    let bundle = [pki("root.crt"), pki("mid.crt")].concat();
    let settings = [&NEW[..], &[("name", "ca")]].concat();
    assert_code(&refused(&bundle, &settings), Code::OptionConflict, "the name ca is for one entry");
    assert_eq!(aliases(&bundle, &[("name", "ca"), ("alias", "1")]), [Some("ca".to_owned())]);
}

#[test]
fn entries_are_selected_by_alias_without_case_and_a_missing_one_is_named() {
    let store = made(&format!(
        "for name in one two; do
            {KEYTOOL} -genkeypair -alias $name -keyalg EC -dname CN=$name -keystore out -storetype JKS -storepass secret
        done"
    ));
    let from = ("password", "pass:secret");
    assert_eq!(aliases(&store, &[from, ("alias", "TWO")]), [Some("two".to_owned())]);
    assert_eq!(aliases(&store, &[from, ("alias", "one"), ("alias", "two")]).len(), 2);
    let error = refused(&store, &[&NEW[..], &[from, ("alias", "one"), ("alias", "three")]].concat());
    assert_code(&error, Code::AliasNotFound, "alias three; there are: ");
}

#[test]
fn entries_of_one_name_are_all_kept_and_the_renamed_one_is_told() {
    // Windows and OpenSSL write the same name on every certificate without a word.
    let store = made(
        "for name in root mid other; do cat $pki/$name.crt; done > all
        openssl pkcs12 -export -nokeys -in all -caname CA -caname ca -caname CA -out out -passout pass:secret",
    );
    let from = ("password", "pass:secret");
    assert_eq!(aliases(&store, &[from]), ["ca", "ca-2", "ca-3"].map(|name| Some(name.to_owned())));
    let warnings = converted(&store, &[&NEW[..], &[from]].concat()).warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].ends_with("is there several times; one is called ca-2 in the output"), "{warnings:?}");
}

#[test]
fn keys_with_one_certificate_stay_two_entries() {
    let store = made(&format!(
        "for name in one two; do
            openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa.crt -name $name -out $name -passout pass:secret
            {KEYTOOL} -importkeystore -srckeystore $name -srcstorepass secret -destkeystore out -deststoretype JKS \
                -deststorepass secret
        done"
    ));
    assert_eq!(aliases(&store, &[("password", "pass:secret")]), ["one", "two"].map(|name| Some(name.to_owned())));
}

#[test]
fn number_that_is_a_name_of_another_entry_is_not_given_twice() {
    let store = made(
        "cat $pki/root.crt $pki/mid.crt $pki/other.crt > all
        openssl pkcs12 -export -nokeys -in all -caname 2 -out out -passout pass:secret",
    );
    let found = aliases(&store, &[("password", "pass:secret")]);
    assert_eq!(found, ["1", "2", "3"].map(|name| Some(name.to_owned())));
}

#[test]
fn number_that_no_entry_has_is_answered_with_the_numbers_that_there_are() {
    let bundle = [pki("root.crt"), pki("mid.crt"), pki("other.crt")].concat();
    for (input, alias, there) in [
        (&bundle[..], "9", "in: alias 9; there are: 1 to 3 (entries without a name)"),
        (&bundle, "0", "in: alias 0; there are: 1 to 3 (entries without a name)"),
        (&identity(), "2", "in: alias 2; there are: 1 (an entry without a name)"),
    ] {
        let error = refused(input, &[&NEW[..], &[("alias", alias)]].concat());
        assert_eq!((error.code(), error.detail()), (Code::AliasNotFound, there));
    }
    let store = made("openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa.crt -out out -passout pass:a");
    let error = refused(&store, &[&NEW[..], &[("password", "pass:a"), ("alias", "9")]].concat());
    assert_code(&error, Code::AliasNotFound, "in: alias 9; there are: 1 (an entry without a name)");
    let error = super::super::opened("in", &store, &super::super::password("a")).identity("9").unwrap_err();
    assert_code(&error, Code::AliasNotFound, "in: alias 9; there are: 1 (an entry without a name)");
}

#[test]
fn names_of_certificates_in_a_chain_are_kept() {
    let store = made(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name srv -caname 'Mittlere CA' -caname wurzel \
            -out out -passout pass:secret",
    );
    let done = converted(&store, &[&NEW[..], &[("password", "pass:secret")]].concat());
    assert_eq!(done.entries.len(), 1);
    let text = by_openssl(done.content.reveal(), "openssl pkcs12 -in in -passin pass:new -nokeys");
    let names: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("friendlyName: ")).collect();
    assert_eq!(names, ["srv", "Mittlere CA", "wurzel"], "{text}");
    let listed = by_openssl(
        done.content.reveal(),
        &format!("{KEYTOOL} -list -keystore in -storepass new | sed -n 's/, .*Entry, *$//p'"),
    );
    assert_eq!(listed.trim(), "srv");
}
