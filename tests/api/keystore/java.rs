//! JKS and JCEKS as keytool and Java's KeyStore write them, and their faults.

use brokertls::error::Code;
use brokertls::keystore::{EntryKind, OpenOptions, StoreType};

use super::tools::{KEYTOOL, made};
use super::{assert_code, assert_signs, bytes, opened, password, refused, subjects};

const TYPES: [(&str, StoreType); 2] = [("JKS", StoreType::Jks), ("JCEKS", StoreType::Jceks)];

/// A store of this type with the RSA key, its chain and the name `broker`. The key has another password.
pub(super) fn different_passwords(store_type: &str) -> Vec<u8> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/keystore/Stores.java");
    made(&format!(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out in -passout pass:storepw
        java -XX:TieredStopAtLevel=1 '{program}' {store_type} in out storepw keypass"
    ))
}

/// A store of this type made by keytool, of the named keys, with these passwords.
fn keys(store_type: &str, names: &str, store_password: &str, key_password: &str) -> Vec<u8> {
    made(&format!(
        "for name in {names}; do
            openssl pkcs12 -export -inkey $pki/$name.key -in $pki/$name.crt -certfile $pki/mid.crt -name $name -out $name \
                -passout pass:secret
            {KEYTOOL} -importkeystore -srckeystore $name -srcstorepass secret -srcalias $name -destkeystore out \
                -deststoretype {store_type} -deststorepass '{store_password}' -destkeypass '{key_password}'
        done"
    ))
}

#[test]
fn several_entries_with_chains_are_loaded_and_sign() {
    for (name, store_type) in TYPES {
        let store = keys(name, "rsa p256 ed25519", "secret", "secret");
        let store = opened("broker.ks", &store, &password("secret"));
        assert_eq!(store.store_type(), store_type);
        assert_eq!(store.warnings(), [""; 0]);
        let identities = store.identities().unwrap();
        assert_eq!(identities.len(), 3);
        identities.iter().for_each(assert_signs);
        let identity = store.identity("RSA").unwrap();
        assert_eq!(subjects(&identity.chain), ["CN=rsa,O=Example", "CN=mid,O=Example"]);
        assert_eq!(identity.place, "broker.ks, alias rsa");
        let error = store.identity("broker").unwrap_err();
        for alias in ["broker.ks: alias broker", "rsa", "p256", "ed25519"] {
            assert_code(&error, Code::AliasNotFound, alias);
        }
        assert_eq!(store.trusted().unwrap().len(), 3);
    }
}

#[test]
fn key_password_may_differ_and_a_wrong_one_names_the_alias() {
    for (name, _) in TYPES {
        let store = different_passwords(name);
        let options = |key| OpenOptions { key_password: bytes(key), ..password("storepw") };
        assert_signs(&opened("broker.ks", &store, &options("keypass")).identity("broker").unwrap());
        for wrong in ["", "Keypass"] {
            let error = opened("broker.ks", &store, &options(wrong)).identity("broker").unwrap_err();
            assert_code(&error, Code::KeyPasswordWrong, "broker.ks, alias broker");
        }
        assert_code(&refused(&store, &password("wrong")), Code::StorePasswordWrong, "file");
    }
}

#[test]
fn passwords_and_aliases_beyond_ascii_are_read() {
    let script = |store_type: &str, key_password: &str| {
        format!(
            "{KEYTOOL} -genkeypair -alias 'Ключ-ä\u{1f511}' -keyalg EC -dname CN=x -keystore out -storetype {store_type} \
             -storepass 'пароль\u{1f511}' -keypass '{key_password}'"
        )
    };
    let store = made(&script("JKS", "schlüssel"));
    let options = OpenOptions { key_password: bytes("schlüssel"), ..password("пароль\u{1f511}") };
    assert_signs(&opened("a.jks", &store, &options).identity("ключ-ä\u{1f511}").unwrap());
    // Java itself takes ASCII only as a key's password in JCEKS.
    let store = made(&script("JCEKS", "keypass"));
    let options = OpenOptions { key_password: bytes("keypass"), ..password("пароль\u{1f511}") };
    assert_signs(&opened("a.jceks", &store, &options).identity("КЛЮЧ-Ä\u{1f511}").unwrap());
}

#[test]
fn trust_store_is_read_with_and_without_its_password() {
    for (name, _) in TYPES {
        let store = made(&format!(
            "{KEYTOOL} -importcert -noprompt -alias ca -file $pki/root.crt -keystore out -storetype {name} -storepass secret"
        ));
        let checked = opened("broker.ts", &store, &password("secret"));
        assert_eq!(checked.warnings(), [""; 0]);
        assert_eq!(checked.trusted().unwrap()[0].place, "broker.ts, alias ca");
        let unchecked = opened("broker.ts", &store, &OpenOptions::default());
        assert_eq!(unchecked.trusted().unwrap(), checked.trusted().unwrap());
        assert_eq!(unchecked.warnings(), ["broker.ts: opened without a password, its integrity was not checked"]);
        assert_code(&refused(&store, &password("wrong")), Code::StorePasswordWrong, "file");
        assert_code(&refused(&store, &password("secret")), Code::NoPrivateKey, "trusted certificates: 1");
        assert_code(&checked.identity("ca").unwrap_err(), Code::NoPrivateKey, "broker.ts, alias ca");
    }
}

#[test]
fn key_store_without_a_password_needs_one_for_the_key() {
    let store = keys("JKS", "p256", "secret", "secret");
    assert_code(&refused(&store, &OpenOptions::default()), Code::KeyPasswordMissing, "file, alias p256");
    let options = OpenOptions { key_password: bytes("secret"), ..OpenOptions::default() };
    assert_signs(&opened("a.jks", &store, &options).identity("p256").unwrap());
}

#[test]
fn secret_keys_in_jceks_are_skipped_with_a_note() {
    let store = made(&format!(
        "for name in one two three; do
            {KEYTOOL} -genseckey -alias $name -keyalg AES -keysize 256 -keystore out -storetype JCEKS -storepass secret
        done
        {KEYTOOL} -genkeypair -alias key -keyalg EC -dname CN=key -keystore out -storetype JCEKS -storepass secret
        {KEYTOOL} -importcert -noprompt -alias ca -file $pki/root.crt -keystore out -storetype JCEKS -storepass secret"
    ));
    let store = opened("a.jceks", &store, &password("secret"));
    assert_eq!(store.entries().len(), 5);
    let skipped = store.entries().iter().filter(|entry| entry.kind == EntryKind::SecretKey).collect::<Vec<_>>();
    assert_eq!(skipped.len(), 3);
    assert!(skipped.iter().all(|entry| entry.note.as_deref() == Some("secret key: skipped")));
    assert_signs(&store.identity("key").unwrap());
    assert_eq!(store.trusted().unwrap().len(), 2);
}

#[test]
fn altered_and_cut_stores_are_refused() {
    for (name, _) in TYPES {
        let store = keys(name, "p256", "secret", "secret");
        let mut altered = store.clone();
        // Within the date of the first entry, which nothing but the digest covers.
        altered[28] ^= 1;
        assert_code(&refused(&altered, &password("secret")), Code::StorePasswordWrong, "file");
        assert_code(&refused(&store[..store.len() - 1], &password("secret")), Code::StoreMalformed, "19 bytes after");
        assert_code(&refused(&store[..100], &password("secret")), Code::StoreMalformed, "file, entry 1 of 1");
        let mut version = store.clone();
        version[7] = 9;
        assert_code(&refused(&version, &password("secret")), Code::StoreMalformed, "version 9");
    }
}

#[test]
fn huge_counts_and_lengths_are_refused_without_allocating() {
    for magic in [[0xfe, 0xed, 0xfe, 0xed], [0xce, 0xce, 0xce, 0xce]] {
        let store = |rest: &[u8]| [&magic[..], &[0, 0, 0, 2], rest].concat();
        let error = refused(&store(&[0x7f, 0xff, 0xff, 0xff]), &password("secret"));
        assert_code(&error, Code::StoreMalformed, "file, entry 1 of 2147483647: tag of 4 bytes, 0 are left");
        let certificate = [&[0, 0, 0, 1, 0, 0, 0, 2, 0, 1, b'a'][..], &[0; 8], b"\0\x05X.509\xff\xff\xff\xff"].concat();
        let error = refused(&store(&certificate), &password("secret"));
        assert_code(&error, Code::StoreMalformed, "certificate of 4294967295 bytes, 0 are left");
        let chain = [&[0, 0, 0, 1, 0, 0, 0, 1, 0, 1, b'a'][..], &[0; 12], &[0xff; 4]].concat();
        assert_code(&refused(&store(&chain), &password("secret")), Code::StoreMalformed, "kind of certificate");
        let unknown = [&[0, 0, 0, 1, 0, 0, 0, 9, 0, 1, b'a'][..], &[0; 8]].concat();
        assert_code(&refused(&store(&unknown), &password("secret")), Code::StoreMalformed, "unknown kind 9");
    }
}

#[test]
fn huge_iteration_count_in_jceks_is_refused_before_it_runs() {
    let mut store = keys("JCEKS", "p256", "secret", "secret");
    // The algorithm's parameters: a salt of 8 bytes, then an iteration count of three.
    let count = store.windows(2).position(|window| window == [0x04, 0x08]).unwrap() + 10;
    assert_eq!(store[count..count + 2], [0x02, 0x03]);
    store[count + 2] = 0x7f;
    // Without a store password the integrity is not checked.
    let options = OpenOptions { key_password: bytes("secret"), ..OpenOptions::default() };
    assert_code(&refused(&store, &options), Code::CostTooHigh, "file, alias p256");
    store[count + 2..count + 5].fill(0);
    assert_code(&refused(&store, &OpenOptions::default()), Code::ParameterInvalid, "file, alias p256");
}

#[test]
fn jks_that_is_given_as_pkcs12_is_opened_as_in_java() {
    let store = keys("JKS", "p256", "secret", "secret");
    let options = OpenOptions { store_type: Some(StoreType::Pkcs12), ..password("secret") };
    assert_eq!(opened("a.p12", &store, &options).warnings(), ["a.p12: it is JKS and was given as another type"]);
    let options = OpenOptions { store_type: Some(StoreType::Jceks), ..password("secret") };
    assert_code(&refused(&store, &options), Code::StoreTypeMismatch, "JCEKS was given, and it is JKS");
}

#[test]
fn hostile_aliases_are_cut_and_escaped_in_messages() {
    let alias = [b"a\n\x1b[2J".to_vec(), vec![b'x'; 60_000]].concat();
    let entry = |tag: u8, alias: &[u8]| {
        let length = u16::try_from(alias.len()).unwrap().to_be_bytes();
        [&[0, 0, 0, tag][..], &length, alias, &[0; 8]].concat()
    };
    let store = [&b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01"[..], &entry(9, &alias)].concat();
    let error = refused(&store, &password("secret"));
    assert_code(&error, Code::StoreMalformed, "alias a\\u{a}\\u{1b}[2Jxxx");
    assert!(error.detail().len() < 400, "{}", error.detail().len());
    let certificate = made("openssl x509 -in $pki/root.crt -outform DER -out out");
    let body = [b"\0\x05X.509".to_vec(), u32::try_from(certificate.len()).unwrap().to_be_bytes().to_vec(), certificate]
        .concat();
    let entries = (0..2_000).flat_map(|number| [entry(2, format!("alias{number}").as_bytes()), body.clone()].concat());
    let entries = entries.collect::<Vec<_>>();
    let store = [&b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\x07\xd0"[..], &entries, &[0; 20]].concat();
    let error = opened("many.jks", &store, &OpenOptions::default()).identity("broker").unwrap_err();
    assert_code(&error, Code::AliasNotFound, "alias49, 1950 more");
}
