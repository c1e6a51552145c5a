//! Keystores, keys and certificate files of other writers.

use crate::kept::{assert_error, assert_no_debug_text, kept};
use crate::process::Running;
use crate::rig::command::{Ran, command, run};

/// `brokertls inspect` with this password.
fn inspected(name: &str, password: &str) -> Ran {
    run(&["inspect", &kept(name), "--password", &format!("pass:{password}")])
}

/// Fails unless the store was opened with this title, and holds so many private keys and certificates.
#[track_caller]
fn assert_opened(ran: &Ran, title: &str, keys: usize, certificates: usize) {
    assert!(ran.code == 0 && ran.first_line().ends_with(title), "{ran:?}");
    let count = |mark: &str| ran.out.lines().filter(|line| line.contains(mark)).count();
    assert_eq!((count(" private key "), count("   subject ")), (keys, certificates), "{}", ran.out);
    assert!(!ran.out.contains("not used"), "{}", ran.out);
    assert_no_debug_text(&ran.out);
}

/// The subject of the certificate that `brokertls serve` with these arguments shows, and its warnings.
#[track_caller]
fn served(arguments: &[&str]) -> (String, String) {
    let server = Running::start(&mut command(&[&["serve", "--port", "0"], arguments].concat()));
    // The port stands in a line by itself, a warning begins with the path of a file.
    let port = server.line(0, &["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let ran = run(&["connect", &format!("localhost:{port}"), "--insecure-accept-any-server"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let subject = ran.err.lines().find_map(|line| line.trim_start().strip_prefix("subject "));
    (subject.unwrap_or_else(|| panic!("{ran:?}")).trim().to_owned(), server.printed())
}

#[test]
fn pkcs12_with_pbmac1_is_opened() {
    assert_opened(&inspected("12-pkcs12-with-pbmac1/Modern2026.p12", "secret"), "PKCS#12, 1 entry", 1, 2);
    assert_opened(&inspected("stores/openssl403-pbmac1.p12", "secret"), "PKCS#12, 1 entry", 1, 3);
    assert_opened(&inspected("stores/go-modern2026-pbmac1.p12", "secret"), "PKCS#12, 1 entry", 1, 3);
    for name in
        ["12-pkcs12-with-pbmac1/Modern2026.p12", "stores/openssl403-pbmac1.p12", "stores/go-modern2026-pbmac1.p12"]
    {
        assert_error(&inspected(name, "other"), "STORE_PASSWORD_WRONG", &[]);
    }
}

#[test]
fn keystore_with_an_unusable_entry_serves_the_usable_one() {
    let store = kept("13-keystore-with-an-unusable-entry/rsa-dsa.jks");
    let (subject, warnings) = served(&["--cert", &store, "--password", "pass:secret"]);
    assert_eq!(subject, "CN=broker.example");
    assert!(warnings.contains("alias old: not used") && warnings.contains("DSA"), "{warnings}");
}

#[test]
fn pkcs12_with_an_orphan_key_serves_the_key_that_has_a_certificate() {
    let store = kept("13b-pkcs12-with-an-orphan-key/two-keys-one-cert.p12");
    let (subject, warnings) = served(&["--cert", &store]);
    assert_eq!(subject, "CN=localhost,O=Example");
    assert!(warnings.contains("bag 2 without a name: not used"), "{warnings}");
}

#[test]
fn certificate_with_a_compressed_point_is_served_with_a_warning() {
    let [leaf, key] = ["cpleaf", "kz"].map(|name| kept(&format!("14b-compressed-point/{name}.pem")));
    let (subject, warnings) = served(&["--cert", &leaf, "--key", &key]);
    assert_eq!(subject, "CN=broker.example");
    assert!(warnings.contains("compressed point"), "{warnings}");
}

#[test]
fn pem_blocks_that_share_a_line_are_told_with_the_line() {
    let ran = run(&["inspect", &kept("18-pem-joined-without-line-end/no-newline.pem")]);
    assert_error(&ran, "PEM_MALFORMED", &["line 12", "line end is missing"]);
    let ran = run(&["inspect", &kept("stores/selfsigned-joined.pem")]);
    assert_error(&ran, "PEM_MALFORMED", &["line 19", "line end is missing"]);
}

#[test]
fn pem_in_one_line_is_told_with_its_form() {
    let ran = run(&["inspect", &kept("18b-pem-in-one-line/one-line.pem")]);
    assert_error(&ran, "PEM_MALFORMED", &["\\n"]);
    let ran = run(&["inspect", &kept("18b-pem-in-one-line/spaces.pem")]);
    assert_error(&ran, "PEM_MALFORMED", &["space"]);
}

#[test]
fn certificates_of_pkcs7_in_der_are_read() {
    let ran = run(&["inspect", &kept("19-pkcs7-in-der/chain.p7b")]);
    assert!(ran.code == 0 && ran.first_line().ends_with("DER, 2 entries"), "{ran:?}");
    assert_eq!(ran.out.lines().filter(|line| line.contains("   subject ")).count(), 2, "{}", ran.out);
}

#[test]
fn stores_of_bouncy_castle_are_named_with_the_command_that_converts_them() {
    for (name, kind) in [("19b-bcfks/bcfks", "BCFKS"), ("19b-bcfks/bks", "BKS"), ("stores/bc187.bcfks", "BCFKS")] {
        assert_error(&inspected(name, "secret"), "STORE_FORMAT_UNKNOWN", &[kind, "keytool -importkeystore"]);
    }
}

#[test]
fn encryption_of_a_store_that_is_not_supported_is_named() {
    let store = kept("stores/bc187-gcm.p12");
    let arguments = ["--password", "pass:secret", "--insecure-allow-missing-mac"];
    let ran = run(&[&["inspect", &store], arguments.as_slice()].concat());
    assert!(ran.out.contains("AES-256-GCM (2.16.840.1.101.3.4.1.46)"), "{ran:?}");
    assert!(ran.out.contains("AES-128-GCM (2.16.840.1.101.3.4.1.6)"), "{ran:?}");
    assert!(!ran.out.contains("current tool"), "{ran:?}");
    let ran = run(&[&["serve", "--port", "0", "--connections", "1", "--cert", &store], arguments.as_slice()].concat());
    assert_error(&ran, "ENCRYPTION_UNSUPPORTED", &["AES-256-GCM"]);
}

#[test]
fn stores_with_costly_passwords_are_opened_with_the_default_limits() {
    assert_opened(&inspected("stores/bc185-one-key.p12", "secret1"), "PKCS#12, 1 entry", 1, 3);
    assert_opened(&inspected("stores/bc187-two-keys.p12", "secret1"), "PKCS#12, 2 entries", 2, 6);
    assert_opened(&inspected("stores/gnutls-seven-cas.p12", "secret"), "PKCS#12, 7 entries", 0, 7);
    assert_opened(&inspected("stores/jdk17-thirteen-keys.jceks", "secret1"), "JCEKS, 13 entries", 13, 39);
}

#[test]
fn costly_key_leaves_the_rest_of_its_file_readable() {
    let ran = inspected("stores/pycryptodome-scrypt.pem", "secret");
    assert!(ran.code == 0 && ran.first_line().ends_with("PEM, 3 entries"), "{ran:?}");
    assert!(ran.out.contains("scrypt N=131072 r=8 p=1"), "{ran:?}");
    assert_eq!(ran.out.lines().filter(|line| line.contains("   subject ")).count(), 2, "{ran:?}");
}

#[test]
fn keys_of_java_25_are_served() {
    for name in ["jdk25-ec-v2.pem", "jdk25-ed25519-v2-works.pem"] {
        assert_eq!(served(&["--cert", &kept(&format!("stores/{name}"))]).0, "CN=localhost", "{name}");
    }
}

#[test]
fn pkcs12_in_pem_armour_is_opened() {
    assert_opened(&inspected("stores/certtool-pem-armoured.p12", "secret"), "PKCS#12, 1 entry", 1, 2);
}

#[test]
fn key_with_a_label_of_its_algorithm_is_served() {
    assert_eq!(served(&["--cert", &kept("stores/cfssl-ed25519-label.pem")]).0, "CN=cfssl");
}
