//! Entries of each kind and algorithm, and those that cannot be carried.

use brokertls::error::Code;
use brokertls::keystore::{EntryKind, StoreType};

use super::super::tools::{KEYTOOL, made, pki};
use super::super::{bytes, opened, password};
use super::{OpenOptions, as_pkcs12, assert_code, by_openssl, converted, identity, refused, told};

/// A store of Java's with two keys, one with a chain, and a trusted certificate.
fn mixed(store_type: &str) -> Vec<u8> {
    made(&format!(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name Broker -out rsa -passout pass:secret
        {KEYTOOL} -importkeystore -srckeystore rsa -srcstorepass secret -destkeystore out \
            -deststoretype {store_type} -deststorepass storepw -destkeypass keypass
        {KEYTOOL} -genkeypair -keyalg EC -dname CN=own -alias own -keystore out -storetype {store_type} \
            -storepass storepw -keypass keypass
        {KEYTOOL} -importcert -noprompt -alias other -file $pki/other.crt -keystore out -storetype {store_type} \
            -storepass storepw"
    ))
}

const MIXED: [(&str, &str); 2] = [("password", "pass:storepw"), ("key-password", "pass:keypass")];

#[test]
fn stores_of_java_become_pkcs12_with_the_same_entries() {
    for (name, store_type) in [("JKS", StoreType::Jks), ("JCEKS", StoreType::Jceks)] {
        let store = mixed(name);
        let options = OpenOptions { key_password: bytes("keypass"), ..password("storepw") };
        let before = opened("a.ks", &store, &options);
        assert_eq!(before.store_type(), store_type);
        let expected = told(&before);
        assert_eq!(expected.len(), 3);
        assert_eq!(told(&as_pkcs12(&store, &MIXED)), expected);
    }
}

#[test]
fn chain_that_pkcs12_makes_longer_is_told() {
    let store = made(&format!(
        "for name in rsa p256; do
            chain=$pki/$name-chain.crt
            [[ -e $chain ]] || chain=$pki/$name.crt
            openssl pkcs12 -export -inkey $pki/$name.key -in $chain -name $name -out $name -passout pass:secret
            {KEYTOOL} -importkeystore -srckeystore $name -srcstorepass secret -destkeystore out -deststoretype JKS \
                -deststorepass secret
        done"
    ));
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("password", "pass:secret")];
    let warning = "alias p256: PKCS#12 does not keep chains; programs make one of 3 certificates of the 1 that it has";
    assert_eq!(converted(&store, &settings).warnings, [warning]);
    assert!(converted(&store, &[&settings[..], &[("alias", "p256")]].concat()).warnings.is_empty());
}

#[test]
fn pkcs12_is_written_as_current_programs_write_it_and_for_old_ones_if_asked() {
    let current = converted(&identity(), &[("to", "pkcs12"), ("out-password", "pass:new")]);
    assert!(current.warnings.is_empty(), "{:?}", current.warnings);
    let facts = by_openssl(current.content.reveal(), "openssl pkcs12 -in in -passin pass:new -info -noout 2>&1");
    for line in [
        "MAC: sha256, Iteration 10000",
        "PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256",
        "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256",
    ] {
        assert!(facts.contains(line), "{line} in {facts}");
    }
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("legacy-encryption", "yes")];
    let old = converted(&identity(), &[&settings[..], &[("iterations", "2000")]].concat());
    assert_eq!(old.warnings, ["the output is encrypted with triple DES and SHA-1, for old programs alone"]);
    let facts = by_openssl(old.content.reveal(), "openssl pkcs12 -in in -passin pass:new -info -noout 2>&1");
    for line in [
        "MAC: sha1, Iteration 2000",
        "PKCS7 Encrypted data: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2000",
        "Shrouded Keybag: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2000",
    ] {
        assert!(facts.contains(line), "{line} in {facts}");
    }
    assert_eq!(
        told(&opened("old", old.content.reveal(), &password("new"))),
        told(&opened("current", current.content.reveal(), &password("new")))
    );
}

#[test]
fn key_and_certificate_have_one_name_and_one_key_identifier_and_issuers_have_none() {
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("name", "broker")];
    let converted = converted(&identity(), &settings);
    let text = by_openssl(converted.content.reveal(), "openssl pkcs12 -in in -passin pass:new -nodes");
    assert_eq!(text.matches("friendlyName: broker").count(), 2, "{text}");
    let ids: Vec<&str> = text.lines().filter(|line| line.contains("localKeyID")).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{text}");
    assert_eq!(text.matches("-----BEGIN CERTIFICATE-----").count(), 3, "{text}");
}

#[test]
fn trusted_certificates_have_the_attribute_that_java_needs_and_no_empty_part_is_written() {
    let converted = converted(&pki("root.crt"), &[("to", "pkcs12"), ("out-password", "pass:new"), ("name", "ca")]);
    let facts = by_openssl(converted.content.reveal(), "openssl pkcs12 -in in -passin pass:new -info 2>&1");
    assert!(facts.contains("2.16.840.1.113894.746875.1.1") && !facts.contains("PKCS7 Data"), "{facts}");
    let store = opened("ca.p12", converted.content.reveal(), &password("new"));
    assert_eq!(store.entries()[0].kind, EntryKind::Trusted);
    assert_eq!(store.trusted().unwrap()[0].place, "ca.p12, alias ca");
}

#[test]
fn keys_of_every_encoding_become_pkcs8_that_other_programs_read() {
    let forms = [
        ("rsa", "openssl rsa -traditional -in $pki/rsa.key"),
        ("p256", "openssl ec -in $pki/p256.key"),
        ("p384", "openssl ec -in $pki/p384.key -param_enc explicit"),
        ("k256", "openssl ec -in $pki/k256.key"),
        ("ed25519", "cat $pki/ed25519.key"),
        ("ed448", "cat $pki/ed448.key"),
        ("rsa1024", "openssl rsa -traditional -aes128 -passout pass:old -in $pki/rsa1024.key"),
    ];
    for (name, script) in forms {
        let key = made(&format!("{script} > out 2> /dev/null"));
        let input = [key, pki(&format!("{name}.crt"))].concat();
        let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("password", "pass:old")];
        let converted = converted(&input, &settings);
        let script = "openssl pkcs12 -in in -passin pass:new -nodes -out all && openssl pkey -in all -pubout && \
                      openssl x509 -in all -noout -pubkey";
        let public = by_openssl(converted.content.reveal(), script);
        let (of_key, of_certificate) = public.split_at(public.len() / 2);
        let is_explicit = name == "p384";
        assert!(of_key == of_certificate || is_explicit, "{name}: {public}");
    }
}

#[test]
fn key_of_version_2_loses_what_older_programs_do_not_read() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["broker".to_owned()]).unwrap().self_signed(&key).unwrap();
    let input = format!("{}{}", key.serialize_pem(), certificate.pem());
    let converted = converted(input.as_bytes(), &[("to", "pem"), ("part", "key")]);
    let text = by_openssl(converted.content.reveal(), "openssl asn1parse -in in");
    assert!(!text.contains("cont [") && text.contains("INTEGER           :00"), "{text}");
}

#[test]
fn key_of_dsa_is_carried_in_both_encodings_and_checked() {
    for traditional in ["", "-traditional"] {
        let input = made(&format!(
            "openssl dsaparam -genkey -noout -out key 2048 2> /dev/null
            openssl req -x509 -key key -subj /CN=old -out cert
            (openssl pkey -in key {traditional}; cat cert) > out"
        ));
        let store = as_pkcs12(&input, &[("name", "old")]);
        assert_eq!(told(&store)[0].alias.as_deref(), Some("old"));
        assert!(told(&store)[0].certificates.len() == 1, "{traditional}");
        let end = input.windows(21).position(|window| window == b"-----BEGIN CERTIFICAT").unwrap();
        let other = [&input[..end], &pki("rsa.crt")].concat();
        let settings = [("to", "pkcs12"), ("out-password", "pass:new")];
        assert_code(&refused(&other, &settings), Code::KeyMismatch, "in, line 1: certificate");
    }
}

#[test]
fn key_of_another_certificate_is_refused() {
    let input = [pki("rsa.key"), pki("p256.crt")].concat();
    let settings = [("to", "pkcs12"), ("out-password", "pass:new")];
    assert_code(&refused(&input, &settings), Code::KeyMismatch, "in, line 1: certificate");
}

#[test]
fn secret_keys_are_named_and_left_out_and_refused_if_asked_for() {
    let store = made(&format!(
        "{KEYTOOL} -genseckey -alias aes -keyalg AES -keysize 256 -keystore out -storetype JCEKS -storepass secret
        {KEYTOOL} -importcert -noprompt -alias ca -file $pki/root.crt -keystore out -storetype JCEKS -storepass secret"
    ));
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("password", "pass:secret")];
    let done = converted(&store, &settings);
    assert_eq!(done.warnings, ["in, alias aes: secret key: skipped; it is not in the output"]);
    assert_eq!(done.entries.len(), 1);
    let asked = [&settings[..], &[("alias", "aes")]].concat();
    assert_code(&refused(&store, &asked), Code::NoPrivateKey, "in, alias aes: secret key");
}

#[test]
fn store_whose_integrity_is_unknown_is_refused() {
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("key-password", "pass:keypass")];
    assert_code(&refused(&mixed("JKS"), &settings), Code::StorePasswordMissing, "in");
    let store = made("openssl pkcs12 -export -nomac -nokeys -in $pki/root.crt -out out -passout pass:secret");
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("password", "pass:secret")];
    assert_code(&refused(&store, &settings), Code::StoreMacMissing, "in");
    let allowed = [&settings[..], &[("insecure-allow-missing-mac", "yes")]].concat();
    let warnings = converted(&store, &allowed).warnings;
    assert!(warnings.iter().any(|warning| warning.contains("it has no MAC")), "{warnings:?}");
}

#[test]
fn certificate_of_no_key_stays_one_that_nothing_trusts() {
    let input = [identity(), pki("other.crt")].concat();
    let settings = [("to", "pkcs12"), ("out-password", "pass:new")];
    let done = converted(&input, &settings);
    assert!(done.warnings[0].contains("a certificate is in the chain of no key"), "{:?}", done.warnings);
    let store = opened("out", done.content.reveal(), &password("new"));
    let kinds: Vec<EntryKind> = store.entries().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Key, EntryKind::Certificate]);
}

#[test]
fn work_beyond_the_limits_of_readers_is_refused_before_it_is_done() {
    let keys = ["rsa", "p256", "p384", "p521"].map(|name| pki(&format!("{name}.key"))).concat();
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("iterations", "5000000")];
    assert_code(&refused(&keys, &settings), Code::CostTooHigh, "25000000 iterations");
}
