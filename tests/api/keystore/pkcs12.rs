//! PKCS#12 as OpenSSL and Java write it, and its faults.

use std::sync::Arc;

use brokertls::error::Code;
use brokertls::keystore::{EntryKind, OpenOptions, Password, PasswordUse, Secret, StoreType, open};

use super::der::{Node, der_integer};
use super::tools::{KEYTOOL, made, made_from};
use super::{assert_code, assert_signs, bytes, opened, password, refused, subjects};

const CHAIN: [&str; 3] = ["CN=rsa,O=Example", "CN=mid,O=Example", "CN=root,O=Example"];

/// `openssl pkcs12 -export` of the RSA key and its chain, named `broker`, with these further options.
fn export(options: &str) -> Vec<u8> {
    made(&format!(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out out -passout pass:secret {options}"
    ))
}

fn assert_is_broker(store: &[u8], options: &OpenOptions) {
    let store = opened("broker.p12", store, options);
    assert_eq!(store.store_type(), StoreType::Pkcs12);
    let identity = store.identity("Broker").unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(subjects(&identity.chain), CHAIN);
    assert_eq!(identity.warnings, [""; 0]);
    assert_signs(&identity);
}

#[test]
fn every_encryption_and_mac_that_openssl_writes_is_opened() {
    for options in [
        "",
        "-legacy",
        "-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha1",
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha224",
        "-certpbe NONE -macalg sha384 -iter 5000",
        "-keypbe NONE -certpbe NONE -macalg sha512",
        "-legacy -certpbe PBE-SHA1-RC2-128 -noiter -nomaciter",
        "-keypbe DES-EDE3-CBC -macalg sha512-256",
    ] {
        assert_is_broker(&export(options), &password("secret"));
        assert_code(&refused(&export(options), &password("Secret")), Code::StorePasswordWrong, "file");
        assert_code(&refused(&export(options), &OpenOptions::default()), Code::StorePasswordMissing, "file");
    }
}

#[test]
fn every_encryption_and_mac_that_java_writes_is_opened() {
    for (pbe, mac) in [
        ("PBEWithHmacSHA1AndAES_128", "HmacPBESHA1"),
        ("PBEWithHmacSHA224AndAES_256", "HmacPBESHA224"),
        ("PBEWithHmacSHA384AndAES_128", "HmacPBESHA384"),
        ("PBEWithHmacSHA512AndAES_256", "HmacPBESHA512"),
        ("PBEWithSHA1AndDESede", "HmacPBESHA1"),
        ("PBEWithSHA1AndRC2_40", "HmacPBESHA512/256"),
        ("PBEWithSHA1AndRC2_128", "HmacPBESHA512/224"),
    ] {
        let settings = format!(
            "-J-Dkeystore.pkcs12.keyProtectionAlgorithm={pbe} -J-Dkeystore.pkcs12.certProtectionAlgorithm={pbe} \
             -J-Dkeystore.pkcs12.macAlgorithm={mac}"
        );
        let store = made(&format!(
            "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out in -passout pass:secret
            {KEYTOOL} -importkeystore -srckeystore in -destkeystore out -srcstorepass secret -deststorepass secret \
             -deststoretype PKCS12 {settings}"
        ));
        assert_is_broker(&store, &password("secret"));
    }
}

#[test]
fn passwords_of_every_kind_open_the_store() {
    for password_text in ["", "pässwörd", "пароль", "schl\u{1f511}ssel", "a b\"c"] {
        let store = made(&format!(
            "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out out -passout 'pass:{password_text}'"
        ));
        assert_is_broker(&store, &password(password_text));
        let legacy = made(&format!(
            "openssl pkcs12 -export -legacy -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out out \
             -passout 'pass:{password_text}'"
        ));
        assert_is_broker(&legacy, &password(password_text));
    }
}

#[test]
fn store_of_an_empty_password_is_opened_without_one() {
    let store =
        made("openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name broker -out out -passout pass:");
    assert_is_broker(&store, &OpenOptions::default());
}

#[test]
fn store_without_a_mac_is_refused_unless_asked_for() {
    let store = export("-nomac -certpbe AES-256-CBC");
    assert_code(&refused(&store, &password("secret")), Code::StoreMacMissing, "file");
    let allowed = |text| OpenOptions { insecure_allow_missing_mac: true, ..password(text) };
    assert_is_broker(&store, &allowed("secret"));
    assert!(opened("broker.p12", &store, &allowed("secret")).warnings()[0].contains("no MAC"));
    assert_code(&refused(&store, &allowed("wrong")), Code::StorePasswordWrong, "file");
    let only_the_key_is_encrypted = export("-nomac -certpbe NONE");
    assert_is_broker(&only_the_key_is_encrypted, &allowed("secret"));
    assert_code(&refused(&only_the_key_is_encrypted, &allowed("wrong")), Code::KeyPasswordWrong, "file, alias broker");
}

#[test]
fn key_without_a_name_is_an_identity_and_number_one() {
    let store = made("openssl pkcs12 -export -inkey $pki/p256.key -in $pki/p256.crt -out out -passout pass:secret");
    let store = opened("a.p12", &store, &password("secret"));
    assert_eq!(store.entries()[0].alias, None);
    assert_eq!(store.identities().unwrap().len(), 1);
    assert_signs(&store.identity("1").unwrap());
    assert_code(&store.identity("2").unwrap_err(), Code::AliasNotFound, "a.p12: alias 2");
}

#[test]
fn entries_that_java_has_made_in_one_millisecond_keep_their_certificates() {
    let mut store = made(&format!(
        "for name in rsa p256; do
            openssl pkcs12 -export -inkey $pki/$name.key -in $pki/$name.crt -name $name -out $name -passout pass:secret
            {KEYTOOL} -J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE -J-Dkeystore.pkcs12.macAlgorithm=NONE \
                -importkeystore -srckeystore $name -destkeystore out -srcstorepass secret -deststorepass secret
        done"
    ));
    // Java's key id is the word and the milliseconds since 1970.
    let at: Vec<usize> = (0..store.len()).filter(|at| store[*at..].starts_with(b"Time 1")).collect();
    assert_eq!(at.len(), 4, "two keys and their certificates");
    let id = store[at[0]..][..18].to_vec();
    at.iter().for_each(|at| store[*at..][..18].copy_from_slice(&id));

    let options = OpenOptions { insecure_allow_missing_mac: true, ..password("secret") };
    let store = open("all.p12", &store, &options).unwrap();
    assert_eq!(store.entries().len(), 2);
    for entry in store.entries() {
        let alias = entry.alias.as_deref().unwrap();
        assert_eq!(subjects(&entry.chain), [format!("CN={alias},O=Example")]);
    }
}

#[test]
fn several_aliases_are_several_identities_and_a_wrong_one_lists_them() {
    let store = made(&format!(
        "for name in rsa p256 ed25519; do
            openssl pkcs12 -export -inkey $pki/$name.key -in $pki/$name.crt -certfile $pki/mid.crt -name $name -out $name \
                -passout pass:secret
            {KEYTOOL} -importkeystore -srckeystore $name -destkeystore out -srcstorepass secret -deststorepass secret
        done
        {KEYTOOL} -importcert -noprompt -alias ca -file $pki/root.crt -keystore out -storepass secret
        {KEYTOOL} -genseckey -alias secret -keyalg AES -keysize 128 -keystore out -storepass secret"
    ));
    let store = opened("all.p12", &store, &password("secret"));
    let identities = store.identities().unwrap();
    assert_eq!(identities.len(), 3);
    identities.iter().for_each(assert_signs);
    for name in ["rsa", "p256", "ed25519"] {
        let identity = store.identity(name).unwrap();
        assert_eq!(identity.place, format!("all.p12, alias {name}"));
        let subject = format!("CN={name},O=Example");
        assert_eq!(subjects(&identity.chain), [subject.as_str(), "CN=mid,O=Example", "CN=root,O=Example"]);
    }
    let error = store.identity("broker").unwrap_err();
    for alias in ["all.p12", "broker", "rsa", "p256", "ed25519", "ca"] {
        assert_code(&error, Code::AliasNotFound, alias);
    }
    assert_code(&store.identity("CA").unwrap_err(), Code::NoPrivateKey, "all.p12, alias ca");
    assert_eq!(store.entries().iter().filter(|entry| entry.kind == EntryKind::SecretKey).count(), 1);
    let trusted = store.trusted().unwrap();
    assert_eq!(trusted.len(), 4);
    assert!(trusted.iter().any(|certificate| certificate.place == "all.p12, alias ca"));
}

#[test]
fn trust_store_that_keytool_made_is_read_and_has_no_key() {
    let store = made(&format!(
        "{KEYTOOL} -importcert -noprompt -alias one -file $pki/root.crt -keystore out -storepass secret
        {KEYTOOL} -importcert -noprompt -alias two -file $pki/rsa.crt -keystore out -storepass secret"
    ));
    let opened = opened("broker.ts", &store, &password("secret"));
    assert!(opened.entries().iter().all(|entry| entry.kind == EntryKind::Trusted));
    assert_eq!(opened.trusted().unwrap().len(), 2);
    assert_code(&opened.identities().unwrap_err(), Code::NoPrivateKey, "trusted certificates: 2");
    assert_code(&opened.identity("one").unwrap_err(), Code::NoPrivateKey, "alias one");
}

#[test]
fn store_of_certificates_only_without_oracles_attribute_is_trusted_whole() {
    let store = made("openssl pkcs12 -export -nokeys -in $pki/rsa-chain.crt -out out -passout pass:secret");
    let store = opened("ca.p12", &store, &password("secret"));
    assert_eq!(store.trusted().unwrap().len(), 3);
    assert!(store.entries().iter().all(|entry| entry.kind == EntryKind::Certificate));
}

#[test]
fn key_store_is_trusted_for_its_end_entity_only() {
    let trusted = opened("broker.p12", &export(""), &password("secret")).trusted().unwrap();
    assert_eq!(trusted.len(), 1);
    assert_eq!(subjects(&[trusted[0].der.clone()]), [CHAIN[0]]);
}

#[test]
fn entries_tell_what_is_known_without_the_keys_password() {
    let store = opened("broker.p12", &export(""), &password("secret"));
    let [entry] = store.entries() else { panic!("{:?}", store.entries()) };
    let key = entry.key.clone().unwrap();
    assert_eq!((entry.kind, entry.alias.as_deref(), entry.chain.len()), (EntryKind::Key, Some("broker"), 3));
    assert_eq!((key.algorithm.as_deref(), key.encrypted), (Some("RSA 2048"), true));
    assert_eq!(key.scheme.as_deref(), Some("PBES2 (PBKDF2 HMAC-SHA-256, 2048 iterations; AES-256-CBC)"));
    assert!(!format!("{store:?}").contains("secret"));
}

#[test]
fn key_of_another_password_than_the_store_is_asked_for_by_its_alias() {
    let store = super::java::different_passwords("PKCS12");
    let options = |key| OpenOptions { key_password: bytes(key), ..password("storepw") };
    assert_signs(&opened("a.p12", &store, &options("keypass")).identity("broker").unwrap());
    let error = opened("a.p12", &store, &options("")).identity("broker").unwrap_err();
    assert_code(&error, Code::KeyPasswordWrong, "a.p12, alias broker");
    let ask: brokertls::keystore::PasswordCallback = Arc::new(|request| {
        let answer = match (request.usage, request.alias) {
            (PasswordUse::Store, None) => "storepw",
            (PasswordUse::Key, Some("broker")) => "keypass",
            other => panic!("{other:?} of {}", request.label),
        };
        Some(Secret::new(answer))
    });
    let (password, key_password) = (Password::Callback(Arc::clone(&ask)), Password::Callback(ask));
    let options = OpenOptions { password, key_password, ..OpenOptions::default() };
    assert_signs(&opened("a.p12", &store, &options).identity("broker").unwrap());
}

#[test]
fn callback_without_an_answer_is_told() {
    let options = OpenOptions { password: Password::Callback(Arc::new(|_| None)), ..OpenOptions::default() };
    assert_code(&refused(&export(""), &options), Code::PasswordUnavailable, "file");
}

#[test]
fn jks_may_be_given_for_pkcs12_as_in_java_and_nothing_else() {
    let given = |store_type| OpenOptions { store_type: Some(store_type), ..password("secret") };
    let store = opened("broker.ks", &export(""), &given(StoreType::Jks));
    assert_eq!(store.store_type(), StoreType::Pkcs12);
    assert_eq!(store.warnings(), ["broker.ks: it is PKCS#12 and was given as another type"]);
    assert_code(&refused(&export(""), &given(StoreType::Jceks)), Code::StoreTypeMismatch, "JCEKS was given");
    assert_code(&refused(&export(""), &given(StoreType::Pem)), Code::StoreTypeMismatch, "PEM was given");
}

#[test]
fn altered_store_is_refused_and_a_cut_one_is_malformed() {
    let store = export("");
    let mut altered = store.clone();
    altered[store.len() / 2] ^= 1;
    assert_code(&refused(&altered, &password("secret")), Code::StorePasswordWrong, "file");
    assert_code(&refused(&store[..store.len() - 9], &password("secret")), Code::StoreMalformed, "file");
    let mut node = Node::parse(&store);
    node.at(&[0]).content = vec![4];
    assert_code(&refused(&node.encode(), &password("secret")), Code::StoreMalformed, "PKCS#12 version 4");
}

#[test]
fn indefinite_lengths_and_strings_in_pieces_are_read() {
    let mut node = Node::parse(&export(""));
    // The content that the MAC covers stays, its string comes in pieces.
    let content = node.at(&[1, 1, 0]);
    let half = content.content.len() / 2;
    let (first, second) = (content.content[..half].to_vec(), content.content[half..].to_vec());
    content.children = vec![Node::octets(first), Node::octets(second)];
    content.tag = 0x24;
    let ber = node.encode_indefinite();
    assert_eq!(ber[..2], [0x30, 0x80]);
    made_from(&ber, "openssl pkcs12 -in in -passin pass:secret -nodes -out out");
    assert_is_broker(&ber, &password("secret"));
    assert_code(&refused(&ber[..ber.len() - 2], &password("secret")), Code::StoreMalformed, "file");
}

#[test]
fn indefinite_lengths_within_the_content_are_read() {
    let mut node = Node::parse(&export("-nomac -keypbe NONE -certpbe NONE"));
    let safe = node.at(&[1, 1, 0]);
    let mut contents = Node::parse(&safe.content);
    for index in 0..contents.children.len() {
        let bags = contents.at(&[index, 1, 0]);
        bags.content = Node::parse(&bags.content).encode_indefinite();
    }
    safe.content = contents.encode_indefinite();
    let options = OpenOptions { insecure_allow_missing_mac: true, ..password("secret") };
    assert_is_broker(&node.encode_indefinite(), &options);
}

#[test]
fn huge_iteration_counts_are_refused_before_they_run() {
    let mut mac = Node::parse(&export(""));
    mac.at(&[2, 2]).content = der_integer(i32::MAX as u64);
    assert_code(&refused(&mac.encode(), &password("secret")), Code::CostTooHigh, "MAC");
    mac.at(&[2, 2]).content = vec![1; 100];
    assert_code(&refused(&mac.encode(), &password("secret")), Code::CostTooHigh, "MAC");
    mac.at(&[2, 2]).content = vec![0];
    assert_code(&refused(&mac.encode(), &password("secret")), Code::ParameterInvalid, "MAC is 0");

    let options = OpenOptions { insecure_allow_missing_mac: true, ..password("secret") };
    for (position, what) in [(0, "part 1"), (1, "alias broker")] {
        let mut store = Node::parse(&export("-nomac -certpbe AES-256-CBC"));
        let mut safe = Node::parse(&store.at(&[1, 1, 0]).content);
        if position == 0 {
            *safe.at(&[0, 1, 0, 1, 1, 1, 0, 1, 1]) = Node::integer(9_000_000);
            *safe.at(&[0, 1, 0, 1, 1, 1, 0, 1, 2, 0]) = Node::parse(&[6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 11]);
        } else {
            let octets = safe.at(&[1, 1, 0]);
            let mut bags = Node::parse(&octets.content);
            *bags.at(&[0, 1, 0, 0, 1, 0, 1, 1]) = Node::integer(30_000_000);
            octets.content = bags.encode();
        }
        store.at(&[1, 1, 0]).content = safe.encode();
        assert_code(&refused(&store.encode(), &options), Code::CostTooHigh, what);
    }
}

#[test]
fn costs_of_keys_add_up_over_the_identities_of_a_store() {
    let mut store = Node::parse(&export("-nomac -certpbe AES-256-CBC"));
    let mut safe = Node::parse(&store.at(&[1, 1, 0]).content);
    let octets = safe.at(&[1, 1, 0]);
    let mut bags = Node::parse(&octets.content);
    bags.children = vec![bags.children[0].clone(); 6];
    octets.content = bags.encode();
    store.at(&[1, 1, 0]).content = safe.encode();
    let mut options = OpenOptions { insecure_allow_missing_mac: true, ..password("secret") };
    // 2,048 iterations for the certificates, and again for each key; RSA 2048 made ready costs 5,242 each time.
    options.limits.max_kdf_iterations = 5 * 2_048 + 3 * 5_242;
    let identities = opened("file", &store.encode(), &options).identities().unwrap();
    assert!((1..6).contains(&identities.len()), "{identities:?}");
    assert!(identities[0].warnings.iter().all(|warning| warning.contains("not used: the key derivation asks for")));
    assert_eq!(identities.len() + identities[0].warnings.len(), 6);
    options.limits.max_kdf_iterations = 7 * 2_048 + 6 * 5_242;
    let store = opened("file", &store.encode(), &options);
    // What was paid for once is not paid for again.
    assert!((0..3).all(|_| store.identities().is_ok_and(|identities| identities.len() == 6)));
}

#[test]
fn password_that_an_old_openssl_took_byte_by_byte_opens_the_store() {
    // What OpenSSL before 1.1 made of the UTF-8 of "pässwört".
    let store = export("-legacy -passout 'pass:pÃ¤sswÃ¶rt'");
    assert_is_broker(&store, &password("pässwört"));
}

#[test]
fn key_with_another_certificate_or_none_is_refused_with_its_alias() {
    let options = OpenOptions { insecure_allow_missing_mac: true, ..password("secret") };
    let mut store = Node::parse(&made(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa.crt -name broker -out out -passout pass:secret -nomac \
         -certpbe NONE",
    ));
    let mut safe = Node::parse(&store.at(&[1, 1, 0]).content);
    let mut bags = Node::parse(&safe.at(&[0, 1, 0]).content);
    bags.at(&[0, 1, 0, 1, 0]).content = made("openssl x509 -in $pki/other.crt -outform DER -out out");
    safe.at(&[0, 1, 0]).content = bags.encode();
    store.at(&[1, 1, 0]).content = safe.encode();
    let error = refused(&store.encode(), &options);
    assert_code(&error, Code::KeyMismatch, "file, alias broker: certificate subject \"CN=other,O=Example\"");
    let alone = made("openssl pkcs12 -export -nocerts -inkey $pki/rsa.key -name broker -out out -passout pass:secret");
    assert_code(&refused(&alone, &password("secret")), Code::NoCertificate, "file, alias broker");
}
