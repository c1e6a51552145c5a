//! Settings by name: the table, the values of its texts, and options that belong to one identity.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brokertls::error::Code;
use brokertls::keystore::{Limits, Password, StoreType};
use brokertls::options::{OPTIONS, OptionKind, Options, password};
use brokertls::verify::Deviation;
use brokertls::{Source, TrustSource};

use crate::rig::pair::{Authority, Pair};

/// The path of a file with this content, of this test process alone.
fn file(name: &str, content: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("options");
    fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join(name);
    fs::write(&path, content).unwrap();
    path.into_os_string().into_string().unwrap()
}

fn set(pairs: &[(&str, &str)]) -> Result<Options, Code> {
    let mut options = Options::new();
    for (name, text) in pairs {
        options.set(name, text).map_err(|error| error.code())?;
    }
    Ok(options)
}

/// The password itself, of those that are given in the text.
fn revealed(password: &Password) -> &[u8] {
    match password {
        Password::Bytes(secret) => secret.reveal(),
        other => panic!("{other:?}"),
    }
}

/// A certificate and its key, encrypted under this password.
fn locked(name: &str, password: &str) -> String {
    let plain = file(&format!("{name}-plain.pem"), &Authority::new("ca").issue(&["broker.example"], |_| {}));
    let arguments = ["pkcs8", "-topk8", "-in", &plain, "-passout", &format!("pass:{password}")];
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success());
    let certificate = fs::read_to_string(&plain).unwrap();
    let certificate = certificate.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    file(name, &format!("{certificate}{}", String::from_utf8(output.stdout).unwrap()))
}

fn label(source: &Source) -> String {
    source.label()
}

#[test]
fn names_of_the_table_are_unique_and_in_kebab_case() {
    let mut names: Vec<&str> = OPTIONS.iter().map(|row| row.name).collect();
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), OPTIONS.len());
}

#[test]
fn help_of_the_table_is_one_line_with_the_defaults_that_hold() {
    let help = |name: &str| OPTIONS.iter().find(|row| row.name == name).unwrap().help;
    assert!(OPTIONS.iter().all(|row| !row.help.is_empty() && !row.help.contains('\n')));
    let limits = Limits::default();
    assert!(help("max-content-bytes").ends_with(&format!("[default: {}]", limits.max_content_bytes)));
    assert!(help("max-kdf-iterations").ends_with(&format!("[default: {}]", limits.max_kdf_iterations)));
    assert!(help("max-kdf-memory-bytes").ends_with(&format!("[default: {}]", limits.max_kdf_memory_bytes)));
    assert!(Deviation::ALL.iter().all(|switch| help("allow").contains(switch.name())));
    let groups = brokertls::policy::Policy::default().group_names().join(":");
    assert!(help("groups").ends_with(&format!("[default: {groups}]")));
}

#[test]
fn unknown_option_is_refused_with_the_nearest_names() {
    let error = Options::new().set("cipher-suite", "ALL").unwrap_err();
    assert_eq!(error.code(), Code::UnknownOption);
    assert!(error.detail().contains("did you mean cipher-suites"), "{error}");
    assert_eq!(Options::new().set(&"x".repeat(100_000), "").unwrap_err().code(), Code::UnknownOption);
    assert_eq!(Options::new().set("", "").unwrap_err().code(), Code::UnknownOption);
}

#[test]
fn text_that_an_option_does_not_take_is_refused_with_the_options_name() {
    let wrong = [
        ("resumption", "perhaps"),
        ("preset", "ancient"),
        ("client-auth", "maybe"),
        ("type", "keychain"),
        ("allow", "insecure-everything"),
        ("max-kdf-iterations", "-1"),
        ("max-content-bytes", "99999999999999999999999"),
        ("cert", ""),
    ];
    for (name, text) in wrong {
        let error = Options::new().set(name, text).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{name}");
        assert!(error.detail().starts_with(&format!("option {name}: ")), "{error}");
    }
    assert_eq!(Options::new().set("alpn", "mqtt,,h2").unwrap_err().code(), Code::InvalidAlpn);
}

#[test]
fn every_switch_takes_the_usual_words() {
    for row in OPTIONS.iter().filter(|row| row.kind == OptionKind::Switch) {
        for word in ["yes", "no", "true", "false", "on", "off", "1", "0", "YES"] {
            Options::new().set(row.name, word).unwrap();
        }
    }
}

#[test]
fn password_forms_of_openssl_open_the_key() {
    assert_eq!(revealed(&password("pass:a:b c").unwrap()), b"a:b c");
    assert_eq!(revealed(&password("pass:").unwrap()), b"");
    let locked_by_text = locked("locked.pem", "s\u{e9}same");
    let secret = file("password", "s\u{e9}same\r\nsecond line\n");
    for text in ["pass:s\u{e9}same", &format!("file:{secret}")] {
        set(&[("cert", &locked_by_text), ("password", text)]).unwrap().build().unwrap();
    }
    let error = set(&[("cert", &locked_by_text), ("password", "pass:sesame")]).unwrap().build().unwrap_err();
    assert_eq!(error.code(), Code::KeyPasswordWrong);
    let variable = "CARGO_MANIFEST_DIR";
    let locked_by_variable = locked("locked-by-variable.pem", &std::env::var(variable).unwrap());
    set(&[("cert", &locked_by_variable), ("password", &format!("env:{variable}"))]).unwrap().build().unwrap();
}

#[test]
fn password_file_is_read_anew_at_a_reload() {
    let cert = locked("rotated.pem", "old");
    let secret = file("rotated", "old");
    let options = set(&[("cert", &cert), ("password", &format!("file:{secret}"))]).unwrap();
    let context = options.build().unwrap();
    fs::copy(locked("rotated-next.pem", "new"), &cert).unwrap();
    assert_eq!(context.reload().unwrap_err().code(), Code::KeyPasswordWrong);
    fs::write(&secret, "new").unwrap();
    context.reload().unwrap();
    fs::remove_file(&secret).unwrap();
    assert_eq!(context.reload().unwrap_err().code(), Code::PasswordUnavailable);
}

#[test]
fn password_that_is_not_there_is_refused_without_showing_anything_secret() {
    let cases = [
        ("hunter2", Code::InvalidArgument),
        ("secret:hunter2", Code::InvalidArgument),
        ("", Code::InvalidArgument),
        ("env:BROKERTLS_NOT_SET", Code::PasswordUnavailable),
        ("env:", Code::PasswordUnavailable),
        ("env:A=B", Code::PasswordUnavailable),
        ("file:/nonexistent/password", Code::FileUnreadable),
        ("file:/dev/zero", Code::FileUnreadable),
        ("file:", Code::FileUnreadable),
    ];
    for (text, code) in cases {
        let error = Options::new().set("password", text).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error}");
    }
    let mut options = Options::new();
    options.set("password", "pass:hunter2").unwrap();
    assert!(!format!("{options:?}").contains("hunter2"));
}

#[test]
fn options_of_an_identity_belong_together_in_any_order() {
    let options = set(&[
        ("password", "pass:a"),
        ("alias", "broker"),
        ("cert", "one.ks"),
        ("type", "jks"),
        ("key-password", "pass:b"),
    ]);
    let sources = options.unwrap().identity_sources().unwrap();
    assert_eq!(sources.len(), 1);
    assert_eq!(label(&sources[0].certificates), "one.ks");
    assert_eq!(sources[0].alias.as_deref(), Some("broker"));
    assert_eq!(sources[0].options.store_type, Some(StoreType::Jks));
    assert_eq!(revealed(&sources[0].options.password), b"a");
    assert_eq!(revealed(&sources[0].options.key_password), b"b");
}

#[test]
fn option_given_again_starts_the_next_identity() {
    for order in [["cert", "key", "cert", "key"], ["key", "cert", "key", "cert"]] {
        let numbered = [1, 1, 2, 2].into_iter().zip(order);
        let texts: Vec<(&str, String)> = numbered.map(|(number, name)| (name, format!("{name}{number}"))).collect();
        let pairs: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let sources = set(&pairs).unwrap().identity_sources().unwrap();
        let files: Vec<(String, String)> =
            sources.iter().map(|source| (label(&source.certificates), label(source.key.as_ref().unwrap()))).collect();
        let expected = [("cert1", "key1"), ("cert2", "key2")].map(|(cert, key)| (cert.to_owned(), key.to_owned()));
        assert_eq!(files, expected);
    }
}

#[test]
fn options_of_a_store_without_its_file_conflict() {
    for pairs in [[("key", "server.key")], [("alias", "broker")], [("trust-password", "pass:a")]] {
        assert_eq!(set(&pairs).unwrap().build().unwrap_err().code(), Code::OptionConflict, "{pairs:?}");
    }
}

#[test]
fn trust_is_a_file_a_directory_or_the_system() {
    let path = file("ca.pem", "");
    let folder = Path::new(&path).parent().unwrap().to_str().unwrap().to_owned();
    let options = set(&[("trust", &path), ("trust", &folder), ("system-trust", "yes")]).unwrap();
    let sources = options.trust_sources().unwrap();
    assert!(matches!(&sources[0], TrustSource::Store { source, .. } if label(source) == path));
    assert!(matches!(&sources[1], TrustSource::Directory { path, .. } if path.to_str() == Some(folder.as_str())));
    assert!(matches!(&sources[2], TrustSource::System));
}

#[test]
fn limits_apply_to_every_store() {
    let authority = Authority::new("ca");
    let ca = file("limited-ca.pem", &authority.pem());
    let error = set(&[("trust", &ca), ("max-content-bytes", "10")]).unwrap().build().unwrap_err();
    assert_eq!(error.code(), Code::StoreTooLarge);
    assert!(error.detail().contains("limited-ca.pem"), "{error}");
}

#[test]
fn hint_about_a_password_file_that_is_too_large_names_no_option_of_other_files() {
    let secret = file("large-password", &"x".repeat(64 * 1024 + 1));
    let error = Options::new().set("trust-password", &format!("file:{secret}")).unwrap_err();
    assert_eq!(error.code(), Code::StoreTooLarge);
    assert_eq!(error.hint(), "Give a file with the password alone.");
}

#[test]
fn contexts_made_of_options_connect_as_they_say() {
    let authority = Authority::new("ca");
    let ca = file("ca-of-pair.pem", &authority.pem());
    let server = file("server.pem", &authority.issue(&["broker.example"], |_| {}));
    let client = file("client.pem", &authority.issue(&["client.example"], |_| {}));
    let server = set(&[
        ("cert", &server),
        ("trust", &ca),
        ("client-auth", "need"),
        ("alpn", "mqtt, h2"),
        ("versions", "TLSv1.2"),
        ("cipher-suites", "ECDHE+CHACHA20"),
        ("resumption", "no"),
    ]);
    let server = server.unwrap().build().unwrap();
    let client = set(&[("cert", &client), ("trust", &ca), ("alpn", "h2")]).unwrap().build().unwrap();
    let pair = Pair::connect(&server, &client, "broker.example");
    assert_eq!(pair.client.version(), Some("TLSv1.2"));
    assert_eq!(pair.client.cipher_suite(), Some("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"));
    assert_eq!(pair.client.alpn(), Some(b"h2".as_slice()));
    assert_eq!(pair.server.peer_chain().len(), 1);
}

#[test]
fn client_without_certificate_is_refused_by_a_server_with_options_that_need_one() {
    let authority = Authority::new("ca");
    let ca = file("ca-needed.pem", &authority.pem());
    let server = file("server-needs.pem", &authority.issue(&["broker.example"], |_| {}));
    let server = set(&[("cert", &server), ("trust", &ca), ("client-auth", "need")]).unwrap().build().unwrap();
    let client = set(&[("trust", &ca)]).unwrap().build().unwrap();
    let ended = Pair::new(&server, &client, "broker.example").run();
    assert_eq!(ended.server.unwrap_err().code(), Code::CertMissing);
}
