//! PEM and DER: certificates, keys, encrypted keys, their mixtures and their faults.

use brokertls::certificate::CertificateFacts;
use brokertls::error::Code;
use brokertls::keystore::{EntryKind, OpenOptions, Password, PasswordRequest, PasswordUse, Secret, StoreType};
use brokertls::keystore::{open, pair, signing_key};
use rustls::SignatureScheme;
use rustls::pki_types::UnixTime;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::der::Node;
use super::tools::{made, made_from, pki, verify};
use super::{assert_code, assert_signs, bytes, identity, opened, password, refused, subjects};

fn none() -> OpenOptions {
    OpenOptions::default()
}

/// Certificate and key of the common set in one file.
fn both(name: &str) -> Vec<u8> {
    [pki(&format!("{name}.crt")), pki(&format!("{name}.key"))].concat()
}

#[test]
fn every_supported_kind_of_key_is_loaded_and_signs() {
    for name in ["rsa", "rsa1024", "p256", "p384", "p521", "ed25519"] {
        let identity = identity(&both(name), &none());
        assert_eq!(subjects(&identity.chain), [format!("CN={name},O=Example")]);
        assert_signs(&identity);
    }
}

#[test]
fn every_scheme_of_an_rsa_1024_key_verifies_and_the_key_is_warned_about() {
    let identity = identity(&both("rsa1024"), &none());
    assert_eq!(identity.warnings.len(), 1);
    assert!(identity.warnings[0].contains("RSA 1024"), "{:?}", identity.warnings);
    for scheme in [
        SignatureScheme::RSA_PSS_SHA256,
        SignatureScheme::RSA_PSS_SHA384,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ] {
        let signature = identity.signing_key.choose_scheme(&[scheme]).unwrap().sign(b"message").unwrap();
        verify(&identity.chain[0], scheme, b"message", &signature);
    }
    assert!(identity.signing_key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA512]).is_none());
}

#[test]
fn key_of_an_unsupported_kind_is_refused_by_its_name() {
    for (name, detail) in [("rsa512", "RSA 512"), ("k256", "EC secp256k1"), ("ed448", "Ed448")] {
        assert_code(&refused(&both(name), &none()), Code::KeyAlgorithmUnsupported, detail);
    }
}

#[test]
fn rsa_key_with_numbers_that_do_not_fit_is_refused() {
    for name in ["rsa", "rsa1024"] {
        let mut der = made(&format!("openssl rsa -in $pki/{name}.key -traditional -outform DER -out out 2> /dev/null"));
        // Within the first prime, which follows modulus, public and private exponent.
        let prime = der.len() / 9 * 5;
        der[prime] ^= 0x10;
        let key = opened("key.der", &der, &none());
        let certificate = opened("certificate", &pki(&format!("{name}.crt")), &none());
        assert_code(&pair(&certificate, &key).unwrap_err(), Code::KeyMalformed, "RSA");
    }
}

#[test]
fn every_encoding_of_a_key_is_loaded() {
    for script in [
        "openssl rsa -in $pki/rsa.key -traditional -out out",
        "openssl ec -in $pki/p256.key -out out",
        "(openssl ecparam -name prime256v1; openssl ec -in $pki/p256.key) > out",
        "openssl ec -in $pki/p384.key -outform DER -out out",
        "openssl rsa -in $pki/rsa.key -traditional -outform DER -out out",
        "openssl pkcs8 -topk8 -nocrypt -in $pki/p521.key -outform DER -out out",
        "openssl pkey -in $pki/ed25519.key -outform DER -out out",
    ] {
        let name = script.split("$pki/").nth(1).unwrap().split(".key").next().unwrap();
        let key = opened("key", &made(&format!("{script} 2> /dev/null")), &none());
        let certificate = opened("certificate", &pki(&format!("{name}.crt")), &none());
        let identity = pair(&certificate, &key).unwrap();
        assert_signs(&identity);
        assert!(identity.place.contains("certificate with the key in key"), "{}", identity.place);
    }
}

#[test]
fn encrypted_keys_of_every_scheme_are_decrypted_and_a_wrong_password_is_told() {
    for script in [
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -v2 aes-128-cbc -v2prf hmacWithSHA1 -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -v2 aes-192-cbc -v2prf hmacWithSHA224 -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -v2 aes-256-cbc -v2prf hmacWithSHA384 -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -v2prf hmacWithSHA512 -iter 10000 -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -v2prf hmacWithSHA512-256 -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -v2 des3 -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -scrypt -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -v1 PBE-SHA1-3DES -out out",
        "openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:sécret -outform DER -out out",
        "openssl rsa -in $pki/rsa.key -traditional -passout pass:sécret -des3 -out out",
        "openssl rsa -in $pki/rsa.key -traditional -passout pass:sécret -aes128 -out out",
        "openssl rsa -in $pki/rsa.key -traditional -passout pass:sécret -aes192 -out out",
        "openssl rsa -in $pki/rsa.key -traditional -passout pass:sécret -aes256 -out out",
    ] {
        let key = made(&format!("{script} 2> /dev/null"));
        let certificate = opened("certificate", &pki("rsa.crt"), &none());
        let load = |options: &OpenOptions| pair(&certificate, &opened("server.key", &key, options));
        assert_signs(&load(&password("sécret")).unwrap_or_else(|error| panic!("{script}: {error:?}")));
        let own = OpenOptions { key_password: bytes("sécret"), ..password("store") };
        assert_signs(&load(&own).unwrap());
        assert_code(&load(&password("secret")).unwrap_err(), Code::KeyPasswordWrong, "server.key");
        assert_code(&load(&none()).unwrap_err(), Code::KeyPasswordMissing, "server.key");
    }
}

#[test]
fn encryption_that_is_not_read_is_named_and_does_not_hide_the_rest_of_the_file() {
    let script = "openssl rsa -in $pki/rsa.key -traditional -passout pass:x -camellia128 -out out 2> /dev/null";
    let text = [pki("rsa.crt"), made(script)].concat();
    assert_eq!(opened("server.pem", &text, &none()).entries().len(), 2);
    assert_code(&refused(&text, &password("x")), Code::EncryptionUnsupported, "CAMELLIA-128-CBC");
}

#[test]
fn file_with_everything_in_any_order_gives_the_chain_in_order() {
    let parts = ["root.crt", "rsa.key", "mid.crt", "rsa.crt"].map(pki);
    let text = parts.join(&b"text between\r\n"[..]);
    let text =
        [b"\xef\xbb\xbfsubject=\n".to_vec(), String::from_utf8(text).unwrap().replace('\n', "\r\n").into_bytes()]
            .concat();
    let identity = identity(&text, &none());
    assert_eq!(subjects(&identity.chain), ["CN=rsa,O=Example", "CN=mid,O=Example", "CN=root,O=Example"]);
    assert_eq!(identity.warnings.len(), 1);
    assert!(identity.warnings[0].contains("put into it"), "{:?}", identity.warnings);
    assert_signs(&identity);
}

#[test]
fn chain_in_order_is_kept_without_a_word() {
    let identity = identity(&[pki("rsa-chain.crt"), pki("rsa.key")].concat(), &none());
    assert_eq!(identity.chain.len(), 3);
    assert_eq!(identity.warnings, [""; 0]);
}

#[test]
fn certificates_that_do_not_belong_are_left_out_and_told() {
    let text = [pki("rsa-chain.crt"), pki("other.crt"), pki("mid.crt"), pki("rsa.key")].concat();
    let identity = identity(&text, &none());
    assert_eq!(identity.chain.len(), 3);
    assert_eq!(identity.warnings.len(), 1);
    assert!(identity.warnings[0].contains("CN=other"), "{:?}", identity.warnings);
}

#[test]
fn several_keys_in_one_file_are_several_identities() {
    let text = [both("rsa"), both("p256"), pki("mid.crt")].concat();
    let identities = opened("file", &text, &none()).identities().unwrap();
    assert_eq!(identities.len(), 2);
    identities.iter().for_each(assert_signs);
    assert_eq!(subjects(&identities[1].chain), ["CN=p256,O=Example", "CN=mid,O=Example"]);
    let text = [both("rsa"), pki("p256.key")].concat();
    let identities = opened("file", &text, &none()).identities().unwrap();
    assert_eq!(identities.len(), 1);
    assert!(identities[0].warnings[0].contains("no certificate fits"), "{:?}", identities[0].warnings);
}

#[test]
fn version_1_certificate_is_matched_with_its_key() {
    let identity = identity(&[pki("self.crt"), pki("rsa.key")].concat(), &none());
    assert_eq!(subjects(&identity.chain), ["CN=self,O=Example"]);
    assert_signs(&identity);
}

#[test]
fn key_of_another_certificate_is_refused_with_both_named() {
    let error = refused(&[pki("rsa.crt"), pki("other.key")].concat(), &none());
    assert_code(&error, Code::KeyMismatch, "CN=rsa");
    let (certificate, key) = (opened("a.crt", &pki("rsa.crt"), &none()), opened("b.key", &pki("p256.key"), &none()));
    assert_code(&pair(&certificate, &key).unwrap_err(), Code::KeyMismatch, "a.crt with the key in b.key");
}

#[test]
fn file_without_key_or_certificate_is_refused_with_what_it_holds() {
    assert_code(&refused(&pki("rsa.crt"), &none()), Code::NoPrivateKey, "certificates: 1");
    assert_code(&refused(&pki("rsa.key"), &none()), Code::NoCertificate, "private keys: 1");
    let error = opened("rsa.key", &pki("rsa.key"), &none()).trusted().unwrap_err();
    assert_code(&error, Code::NoTrustedCertificate, "rsa.key");
}

#[test]
fn alias_in_a_pem_file_is_refused() {
    let error = opened("a.pem", &both("rsa"), &none()).identity("broker").unwrap_err();
    assert_code(&error, Code::AliasNotFound, "a.pem: alias broker");
}

#[test]
fn labels_of_certificates_in_use_are_all_read() {
    let text = String::from_utf8(pki("root.crt")).unwrap();
    for label in ["X509 CERTIFICATE", "CERTIFICATE"] {
        let store = opened("ca.pem", text.replace("CERTIFICATE", label).as_bytes(), &none());
        assert_eq!(store.trusted().unwrap().len(), 1);
    }
    let script =
        "openssl x509 -in $pki/root.crt -trustout -addtrust serverAuth -addtrust clientAuth -setalias name -out out";
    let store = opened("ca.pem", &made(script), &none());
    let plain = opened("ca.pem", &pki("root.crt"), &none());
    assert_eq!(store.trusted().unwrap(), plain.trusted().unwrap());
}

#[test]
fn all_certificates_of_a_pem_file_are_trusted_once() {
    let text = [pki("rsa-chain.crt"), pki("root.crt"), pki("rsa.key")].concat();
    let trusted = opened("ca.pem", &text, &none()).trusted().unwrap();
    assert_eq!(trusted.len(), 3);
    assert_eq!(trusted[0].place, "ca.pem, line 1");
}

#[test]
fn der_certificate_is_trusted() {
    let store = opened("ca.der", &made("openssl x509 -in $pki/root.crt -outform DER -out out"), &none());
    assert_eq!(store.store_type(), StoreType::Der);
    assert_eq!(store.trusted().unwrap().len(), 1);
}

#[test]
fn blocks_of_other_kinds_are_skipped_with_a_note() {
    let script = "openssl req -new -key $pki/rsa.key -subj /CN=x -out out";
    let store = opened("a.pem", &[made(script), pki("rsa.crt")].concat(), &none());
    let kinds = store.entries().iter().map(|entry| entry.kind).collect::<Vec<_>>();
    assert_eq!(kinds, [EntryKind::Other, EntryKind::Certificate]);
    assert_eq!(store.entries()[0].note.as_deref(), Some("CERTIFICATE REQUEST: skipped"));
}

#[test]
fn expired_own_certificate_is_warned_about_at_a_given_time_only() {
    let identity = identity(&both("rsa"), &none());
    let at = |seconds| identity.warnings_at(UnixTime::since_unix_epoch(Duration::from_secs(seconds)));
    let facts = CertificateFacts::from_der(&identity.chain[0]).unwrap();
    let date = |unix_s| OffsetDateTime::from_unix_timestamp(unix_s).unwrap().format(&Rfc3339).unwrap();
    let told = "peers will refuse the certificate, which ";
    let begins = format!("{told}is not valid before {}; check this clock: ", date(facts.not_before_unix_s));
    assert!(at(0)[0].contains(&begins), "{:?}", at(0));
    let ended = u64::from(u32::MAX) * 2;
    let ends = format!("{told}has expired at {}; put a new one here: ", date(facts.not_after_unix_s));
    assert!(at(ended)[0].contains(&ends), "{:?}", at(ended));
    assert_eq!(identity.warnings, [""; 0]);
}

#[test]
fn type_is_found_and_a_given_one_checked() {
    let given = |store_type| OpenOptions { store_type: Some(store_type), ..none() };
    assert_eq!(opened("a", &both("rsa"), &given(StoreType::Pem)).store_type(), StoreType::Pem);
    assert_code(
        &refused(&both("rsa"), &given(StoreType::Jks)),
        Code::StoreTypeMismatch,
        "JKS was given, and it is PEM",
    );
    for unknown in [&b""[..], b"hello", b"\xff\xfe-\0-\0"] {
        assert_code(&refused(unknown, &none()), Code::StoreFormatUnknown, "");
    }
}

#[test]
fn malformed_text_and_content_are_refused_with_their_line() {
    let text = String::from_utf8(both("rsa")).unwrap();
    let cut = text.rsplit_once("-----END").unwrap().0;
    assert_code(&refused(cut.as_bytes(), &none()), Code::PemMalformed, "file: line");
    let script = "(echo '-----BEGIN CERTIFICATE-----'; echo MAMCAQA=; echo '-----END CERTIFICATE-----') > out";
    assert_code(&refused(&made(script), &none()), Code::CertificateMalformed, "file, line 1");
    let key = made(&script.replace("CERTIFICATE", "PRIVATE KEY"));
    assert_code(&refused(&key, &none()), Code::KeyMalformed, "file, line 1");
}

#[test]
fn content_above_the_limit_is_refused_before_it_is_read() {
    let mut options = none();
    options.limits.max_content_bytes = 100;
    assert_code(&refused(&both("rsa"), &options), Code::StoreTooLarge, "100 are allowed");
}

#[test]
fn public_key_of_a_signing_key_is_that_of_the_certificate() {
    let identity = identity(&both("rsa1024"), &none());
    let key = signing_key(identity.key.as_ref().unwrap()).unwrap();
    assert_eq!(key.public_key(), identity.signing_key.public_key());
}

#[test]
fn callback_is_asked_for_an_encrypted_key_and_its_silence_is_told() {
    let key = made("openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:secret -out out");
    let text = [key, pki("rsa.crt")].concat();
    let asked = |answer: Option<&'static str>| {
        let callback = move |request: &PasswordRequest<'_>| {
            assert_eq!((request.label, request.alias, request.usage), ("file", None, PasswordUse::Key));
            answer.map(Secret::new)
        };
        OpenOptions { password: Password::Callback(Arc::new(callback)), ..none() }
    };
    assert_signs(&identity(&text, &asked(Some("secret"))));
    assert_code(&refused(&text, &asked(None)), Code::PasswordUnavailable, "file, line 1");
    // What is not encrypted is not asked for.
    assert_signs(&identity(&both("rsa"), &asked(None)));
}

#[test]
fn both_ways_to_a_cross_signed_ca_are_sent() {
    let cross = made(
        "openssl req -x509 -key $pki/other.key -subj /CN=elsewhere -out other.crt
        openssl req -new -key $pki/mid.key -subj /O=Example/CN=mid > mid.csr
        openssl x509 -req -in mid.csr -CA other.crt -CAkey $pki/other.key -CAcreateserial -extfile $pki/ext -out out",
    );
    let text = [both("rsa"), pki("mid.crt"), cross].concat();
    let identity = identity(&text, &none());
    assert_eq!(subjects(&identity.chain), ["CN=rsa,O=Example", "CN=mid,O=Example", "CN=mid,O=Example"]);
    assert_eq!(identity.warnings, [""; 0]);
}

#[test]
fn more_issuers_than_a_chain_may_have_are_refused() {
    let cas = made(
        "openssl req -new -key $pki/mid.key -subj /O=Example/CN=mid > mid.csr
        for serial in $(seq 33); do
            openssl x509 -req -in mid.csr -CA $pki/root.crt -CAkey $pki/root.key -set_serial $serial 2> /dev/null
        done > out",
    );
    assert_code(&refused(&[both("rsa"), cas].concat(), &none()), Code::ChainBroken, "more than 32");
}

#[test]
fn key_that_costs_too_much_does_not_hide_another() {
    let key = made("openssl pkcs8 -topk8 -in $pki/p256.key -passout pass:secret -iter 2000 -outform DER -out out");
    let mut node = Node::parse(&key);
    *node.at(&[0, 1, 0, 1, 1]) = Node::integer(1_500_000);
    let pem = |der: Vec<u8>| {
        made_from(
            &der,
            "openssl enc -base64 -in in > b64
        (echo '-----BEGIN ENCRYPTED PRIVATE KEY-----'; cat b64; echo '-----END ENCRYPTED PRIVATE KEY-----') > out",
        )
    };
    // A changed count makes another key of the password: the third key is refused for it, the fourth for its cost.
    let text = |keys| [pem(node.encode()).repeat(keys), both("p256")].concat();
    let mut options = password("secret");
    options.limits.max_kdf_iterations = 3 * 1_500_000 + 500;
    assert_code(&refused(&text(1), &options), Code::KeyPasswordWrong, "file, line");
    options.limits.max_kdf_iterations = 1_499_999;
    let identities = opened("file", &text(1), &options).identities().unwrap();
    assert_eq!(identities.len(), 1);
    assert!(identities[0].warnings[0].contains("1500000 iterations, 1499999 are allowed"), "{identities:?}");
    assert!(identities[0].warnings[0].contains("max-kdf-iterations to 1500000 or more"), "{identities:?}");
    *node.at(&[0, 1, 0, 1, 1]) = Node::integer(u64::MAX / 2);
    let dear = [pem(node.encode()), pki("p256.crt")].concat();
    assert_code(&refused(&dear, &password("secret")), Code::CostTooHigh, "file, line");
}

#[test]
fn scrypt_that_asks_for_much_memory_or_nonsense_is_refused() {
    let key = made("openssl pkcs8 -topk8 -in $pki/p256.key -passout pass:secret -scrypt -outform DER -out out");
    let with = |n: u64, r: u64, p: u64| {
        let mut node = Node::parse(&key);
        for (position, number) in [n, r, p].into_iter().enumerate() {
            *node.at(&[0, 1, 0, 1, 1 + position]) = Node::integer(number);
        }
        let certificate = opened("certificate", &pki("p256.crt"), &none());
        open("key", &node.encode(), &password("secret")).and_then(|key| pair(&certificate, &key)).unwrap_err()
    };
    assert_code(&with(1 << 20, 8, 1), Code::CostTooHigh, "key");
    assert_code(&with(1 << 21, 1, 1), Code::CostTooHigh, "of memory");
    assert_code(&with(1 << 31, 1 << 31, 1 << 31), Code::CostTooHigh, "key");
    assert_code(&with(1 << 14, 8, 1000), Code::CostTooHigh, "key");
    assert_code(&with(2, 1, 1 << 21), Code::CostTooHigh, "of memory");
    assert_code(&with(1000, 8, 1), Code::ParameterInvalid, "key");
    assert_code(&with(1 << 14, 0, 1), Code::ParameterInvalid, "key");
}
