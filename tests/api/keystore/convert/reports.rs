//! Inputs and outputs that users of other converters have reported, made here and tried with ours.

use brokertls::error::Code;

use super::super::tools::{KEYTOOL, made, made_from, pki};
use super::super::{opened, password};
use super::{assert_code, by_openssl, converted, identity, refused, told};

const NEW: [(&str, &str); 2] = [("to", "pkcs12"), ("out-password", "pass:secret")];
const FROM: (&str, &str) = ("password", "pass:secret");

/// The lines of keytool about the entries of a store with the password `secret`.
fn listed(content: &[u8]) -> Vec<String> {
    let script = format!("{KEYTOOL} -list -keystore in -storepass secret > out");
    let text = String::from_utf8(made_from(content, &script)).unwrap();
    let mut entries: Vec<String> = text.lines().filter(|line| line.contains("Entry, ")).map(entry_of).collect();
    entries.sort();
    entries
}

/// Name and kind of a line, without the date: `ca, Nov 28, 2026, trustedCertEntry, `.
fn entry_of(line: &str) -> String {
    let (name, rest) = line.split_once(", ").unwrap();
    let kind = rest.trim_end_matches(", ").rsplit(", ").next().unwrap();
    format!("{name} {kind}")
}

#[test]
fn pkcs7_becomes_a_trust_store_in_which_java_finds_each_certificate() {
    // openssl pkcs12 -export -nokeys writes one that keytool imports 0 entries of.
    for form in ["PEM", "DER"] {
        let bundle = made(&format!(
            "openssl crl2pkcs7 -nocrl -certfile $pki/root.crt -certfile $pki/mid.crt -outform {form} -out out"
        ));
        let done = converted(&bundle, &NEW);
        assert_eq!(listed(done.content.reveal()), ["1 trustedCertEntry", "2 trustedCertEntry"]);
    }
}

#[test]
fn trust_store_of_openssl_without_the_mark_of_java_gets_it() {
    let store = made("openssl pkcs12 -export -nokeys -in $pki/root.crt -caname ca -out out -passout pass:secret");
    assert!(listed(&store).is_empty(), "Java shows it, and the mark is not needed");
    let done = converted(&store, &[&NEW[..], &[FROM]].concat());
    assert_eq!(listed(done.content.reveal()), ["ca trustedCertEntry"]);
}

#[test]
fn trust_store_of_openssl_with_one_name_for_all_loses_none() {
    // keytool shows the last one alone, or none.
    let store = made(
        "cat $pki/root.crt $pki/mid.crt $pki/other.crt > all
        openssl pkcs12 -export -nokeys -in all -caname CA -caname CA -caname CA -out out -passout pass:secret",
    );
    let done = converted(&store, &[&NEW[..], &[FROM]].concat());
    assert_eq!(listed(done.content.reveal()).len(), 3);
}

#[test]
fn chain_of_an_identity_is_shown_as_one_entry_and_not_as_entries_of_its_own() {
    let done = converted(&identity(), &[&NEW[..], &[("name", "server")]].concat());
    assert_eq!(listed(done.content.reveal()), ["server PrivateKeyEntry"]);
    let script = format!("{KEYTOOL} -list -v -keystore in -storepass secret > out");
    let text = String::from_utf8(made_from(done.content.reveal(), &script)).unwrap();
    assert!(text.contains("Certificate chain length: 3"), "{text}");
}

#[test]
fn keystore_of_an_issuer_that_is_trusted_beside_it_keeps_both_and_tells_of_the_longer_chain() {
    let store = made(&format!(
        "cat $pki/rsa.crt $pki/mid.crt > chain
        openssl pkcs12 -export -inkey $pki/rsa.key -in chain -name server -out one -passout pass:secret
        {KEYTOOL} -importkeystore -srckeystore one -srcstorepass secret -destkeystore out -deststoretype JKS \
            -deststorepass secret
        {KEYTOOL} -importcert -noprompt -alias ca -file $pki/root.crt -keystore out -storepass secret"
    ));
    let done = converted(&store, &[&NEW[..], &[FROM]].concat());
    assert_eq!(listed(done.content.reveal()), ["ca trustedCertEntry", "server PrivateKeyEntry"]);
    let warning =
        "alias server: PKCS#12 does not keep chains; programs make one of 3 certificates of the 2 that it has";
    assert_eq!(done.warnings, [warning]);
}

#[test]
fn pkcs12_with_a_key_password_of_its_own_gets_one_password_for_all() {
    // OpenSSL asks for one password, and cannot take the key out of such a store.
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/keystore/Stores.java");
    let store = made(&format!(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out in -passout pass:storepw
        java -XX:TieredStopAtLevel=1 '{program}' PKCS12 in out storepw keypass"
    ));
    let from = [&NEW[..], &[("password", "pass:storepw")]].concat();
    assert_code(&refused(&store, &from), Code::KeyPasswordWrong, "in, alias broker");
    let done = converted(&store, &[&from[..], &[("key-password", "pass:keypass")]].concat());
    let text = by_openssl(done.content.reveal(), "openssl pkcs12 -in in -passin pass:secret -nodes -nocerts");
    assert!(text.contains("BEGIN PRIVATE KEY"), "{text}");
}

#[test]
fn subject_with_characters_beyond_the_basic_plane_is_carried() {
    let input = made(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -utf8 -subj '/CN=broker \u{1f511}' -out cert 2> /dev/null
        cat key cert > out",
    );
    let done = converted(&input, &NEW);
    assert_eq!(listed(done.content.reveal()), ["1 PrivateKeyEntry"]);
    assert_eq!(told(&opened("out", done.content.reveal(), &password("secret"))).len(), 1);
}

#[test]
fn empty_password_is_warned_about_as_java_shows_nothing_without_one() {
    let done = converted(&pki("root.crt"), &[("to", "pkcs12"), ("out-password", "pass:")]);
    assert_eq!(
        done.warnings,
        ["the password is empty; Java shows no entries to a program that gives it no password at all"]
    );
}
