//! Stores and texts from the field: each is opened, or refused with its fault and a way out.

use std::path::{Path, PathBuf};

use brokertls::error::{Code, Error};
use brokertls::keystore::{EntryKind, Identity, OpenOptions, Store, open, pair};

use super::{assert_code, assert_signs, opened, password, refused};

/// A file of `tests/fixtures/cases`.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases").join(name)
}

fn case(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn store(name: &str, secret: &str) -> Store {
    opened(name, &case(name), &if secret.is_empty() { OpenOptions::default() } else { password(secret) })
}

/// The identities of a store, each of which signs for its first certificate.
fn identities(name: &str, secret: &str) -> Vec<Identity> {
    let identities = store(name, secret).identities().unwrap_or_else(|error| panic!("{name}: {error:?}"));
    identities.iter().for_each(assert_signs);
    identities
}

fn chain_lengths(identities: &[Identity]) -> Vec<usize> {
    identities.iter().map(|identity| identity.chain.len()).collect()
}

fn refused_case(name: &str) -> Error {
    refused(&case(name), &password("secret"))
}

#[test]
fn stores_of_bouncy_castle_are_opened_within_the_default_limits() {
    assert_eq!(chain_lengths(&identities("stores/bc185-one-key.p12", "secret1")), [3]);
    assert_eq!(chain_lengths(&identities("stores/bc187-two-keys.p12", "secret1")), [3, 3]);
}

#[test]
fn trust_store_of_certtool_with_seven_cas_is_opened_within_the_default_limits() {
    let store = store("stores/gnutls-seven-cas.p12", "secret");
    assert_eq!(store.trusted().unwrap().len(), 7);
    assert_eq!(store.warnings(), [""; 0]);
}

#[test]
fn jceks_with_thirteen_keys_is_opened_within_the_default_limits() {
    assert_eq!(chain_lengths(&identities("stores/jdk17-thirteen-keys.jceks", "secret1")), [3; 13]);
}

#[test]
fn identity_of_one_alias_does_not_pay_for_the_other_keys() {
    // 200,000 iterations of MD5 for two blocks, which count twice; a key of P-256 made ready counts 1,000.
    let mut options = password("secret1");
    options.limits.max_kdf_iterations = 801_000;
    let store = opened("jceks", &case("stores/jdk17-thirteen-keys.jceks"), &options);
    assert_signs(&store.identity("k7").unwrap());
    let error = store.identity("k8").unwrap_err();
    assert_code(&error, Code::CostTooHigh, "alias k8: with this the file asks for the work of 1601000 iterations");
    assert_eq!(error.hint(), "If the file is what it should be, set the option max-kdf-iterations to 1601000 or more.");
    assert_signs(&store.identity("k7").unwrap());
}

#[test]
fn scrypt_key_of_pycryptodome_is_served_and_refused_alone_above_the_limit_of_memory() {
    let name = "stores/pycryptodome-scrypt.pem";
    assert_eq!(chain_lengths(&identities(name, "secret")), [2]);
    let mut options = password("secret");
    options.limits.max_kdf_memory_bytes = 128 << 20;
    let store = opened("file", &case(name), &options);
    let kinds: Vec<_> = store.entries().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Key, EntryKind::Certificate, EntryKind::Certificate]);
    let scheme = store.entries()[0].key.as_ref().unwrap().scheme.clone().unwrap();
    assert_eq!(scheme, "PBES2 (scrypt N=131072 r=8 p=1; AES-256-CBC)");
    let error = store.identities().unwrap_err();
    assert_code(&error, Code::CostTooHigh, "scrypt asks for 134218752 bytes of memory, 134217728 are allowed");
    assert!(error.hint().contains("max-kdf-memory-bytes to 134218752 or more"), "{}", error.hint());
}

#[test]
fn pkcs8_of_version_2_is_served_whatever_its_algorithm() {
    for name in ["stores/jdk25-ec-v2.pem", "stores/jdk25-ed25519-v2-works.pem", "stores/cfssl-ed25519-label.pem"] {
        assert_eq!(identities(name, "").len(), 1, "{name}");
    }
}

#[test]
fn pkcs12_with_pbmac1_is_opened_and_its_mac_is_checked() {
    for (name, chain) in [
        ("stores/openssl403-pbmac1.p12", 3),
        ("stores/go-modern2026-pbmac1.p12", 3),
        ("12-pkcs12-with-pbmac1/Modern2026.p12", 2),
    ] {
        assert_eq!(chain_lengths(&identities(name, "secret")), [chain], "{name}");
        assert_code(&refused(&case(name), &password("wrong")), Code::StorePasswordWrong, "file");
        let mut altered = case(name);
        // A byte within the encrypted content.
        altered[1000] ^= 1;
        assert_code(&refused(&altered, &password("secret")), Code::StorePasswordWrong, "file");
    }
}

#[test]
fn pkcs12_in_pem_is_opened() {
    let store = store("stores/certtool-pem-armoured.p12", "secret");
    assert_eq!(chain_lengths(&store.identities().unwrap()), [2]);
    assert_eq!(store.entries()[0].alias.as_deref(), Some("gnu"));
    assert_code(&refused(&case("stores/certtool-pem-armoured.p12"), &password("x")), Code::StorePasswordWrong, "file");
}

#[test]
fn encryption_that_is_not_read_is_named_with_a_way_out() {
    let options = OpenOptions { insecure_allow_missing_mac: true, ..password("secret") };
    let error = open("gcm.p12", &case("stores/bc187-gcm.p12"), &options).unwrap().identities().unwrap_err();
    assert_code(&error, Code::EncryptionUnsupported, "AES-256-GCM (2.16.840.1.101.3.4.1.46)");
    assert!(error.hint().contains("openssl pkcs12 -export") && !error.hint().contains("current tool"));
    let store = open("gcm.p12", &case("stores/bc187-gcm.p12"), &options).unwrap();
    let named = |text: &str| store.warnings().iter().any(|warning| warning.contains(text));
    assert!(named("gcm.p12, part 2: not used") && named("AES-128-GCM (2.16.840.1.101.3.4.1.6)"));
    let trust = store.trusted().map(|trusted| trusted.len());
    assert_code(&trust.unwrap_err(), Code::EncryptionUnsupported, "AES-128-GCM (2.16.840.1.101.3.4.1.6)");
}

#[test]
fn stores_of_bouncy_castle_that_are_not_read_are_named_with_the_command_that_converts_them() {
    for (name, kind) in [("stores/bc187.bcfks", "BCFKS"), ("19b-bcfks/bcfks", "BCFKS"), ("19b-bcfks/bks", "BKS")] {
        let error = refused_case(name);
        assert_code(&error, Code::StoreFormatUnknown, &format!("it is a keystore of Bouncy Castle ({kind})"));
        let command = format!("keytool -importkeystore -srckeystore FILE -srcstoretype {kind}");
        assert!(error.hint().contains(&command), "{}", error.hint());
    }
}

#[test]
fn certificates_of_pkcs7_are_trusted() {
    let store = store("19-pkcs7-in-der/chain.p7b", "");
    assert_eq!(store.trusted().unwrap().len(), 2);
    assert_code(&refused_case("19-pkcs7-in-der/chain.p7b"), Code::NoPrivateKey, "it holds certificates: 2");
}

#[test]
fn text_with_lost_line_ends_is_refused_with_the_characters_in_their_place() {
    for (name, detail, hint) in [
        (
            "18-pem-joined-without-line-end/no-newline.pem",
            "line 12: a line end is missing between the end of CERTIFICATE and the next -----BEGIN",
            "Put a line end between the two blocks.",
        ),
        (
            "stores/selfsigned-joined.pem",
            "line 19: a line end is missing between the end of CERTIFICATE and the next -----BEGIN",
            "Put a line end between the two blocks.",
        ),
        (
            "18b-pem-in-one-line/one-line.pem",
            "line 1: CERTIFICATE stands on one line, its line ends have become the characters \\n",
            "Replace each \\n by a line end: printf '%b' \"$TEXT\" > FILE.pem.",
        ),
        (
            "18b-pem-in-one-line/spaces.pem",
            "line 1: CERTIFICATE stands on one line, its line ends have become spaces",
            "Keep the line ends: quote the variable in the shell (\"$TEXT\"), or use a block (|) in YAML.",
        ),
    ] {
        let error = refused_case(name);
        assert_code(&error, Code::PemMalformed, detail);
        assert_eq!(error.hint(), hint, "{name}");
    }
}

#[test]
fn certificate_that_cannot_be_read_does_not_hide_the_others_of_a_bundle() {
    let store = store("11-one-odd-certificate-in-a-bundle/trust.pem", "");
    assert!(!store.trusted().unwrap().is_empty());
    let [warning] = store.warnings() else { panic!("{:?}", store.warnings()) };
    assert!(warning.contains("trust.pem, line 1: not used: a certificate is malformed"), "{warning}");
    assert!(warning.contains("subject \"CN=Old gentime-offset,O=Old Root\""), "{warning}");
    assert!(warning.contains("its validity cannot be read"), "{warning}");
    // Nothing else in the file: an error, with the same words.
    let text = String::from_utf8(case("11-one-odd-certificate-in-a-bundle/trust.pem")).unwrap();
    let (first, _) = text.split_once("-----END CERTIFICATE-----").unwrap();
    let alone = format!("{first}-----END CERTIFICATE-----\n");
    let error = refused(alone.as_bytes(), &OpenOptions::default());
    assert_code(&error, Code::CertificateMalformed, "file, line 1: subject \"CN=Old gentime-offset,O=Old Root\"");
}

#[test]
fn entry_that_cannot_be_used_does_not_hide_the_one_that_can() {
    let identities = identities("13-keystore-with-an-unusable-entry/rsa-dsa.jks", "secret");
    assert_eq!(identities.len(), 1);
    let warning = &identities[0].warnings[0];
    assert!(warning.contains("rsa-dsa.jks, alias old: not used: the private key's algorithm is not supported: DSA"));
    let error = store("13-keystore-with-an-unusable-entry/rsa-dsa.jks", "secret").identity("old").unwrap_err();
    assert_code(&error, Code::KeyAlgorithmUnsupported, "alias old: DSA");

    let name = "13b-pkcs12-with-an-orphan-key/two-keys-one-cert.p12";
    let options = OpenOptions::default();
    let identities = opened(name, &case(name), &options).identities().unwrap();
    assert_eq!(identities.len(), 1);
    assert!(identities[0].warnings[0].contains("bag 2 without a name: not used"), "{:?}", identities[0].warnings);
    assert!(identities[0].warnings[0].contains("no certificate fits it"), "{:?}", identities[0].warnings);
}

#[test]
fn certificate_with_a_compressed_point_is_served_with_its_key() {
    let options = OpenOptions::default();
    let certificate = opened("cpleaf.pem", &case("14b-compressed-point/cpleaf.pem"), &options);
    let key = opened("kz.pem", &case("14b-compressed-point/kz.pem"), &options);
    let identity = pair(&certificate, &key).unwrap();
    assert!(identity.warnings[0].contains("compressed point"), "{:?}", identity.warnings);
    let other = opened("other", &case("stores/jdk25-ec-v2.pem"), &options);
    assert_code(&pair(&certificate, &other).unwrap_err(), Code::KeyMismatch, "cpleaf.pem with the key in other");
}
