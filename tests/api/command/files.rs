//! `brokertls inspect` and `brokertls verify` on files that openssl, keytool and rcgen write.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::rig::command::{file, folder, run};
use crate::rig::pair::Authority;

/// Runs a script of shell commands in the folder.
fn script(folder: &Path, commands: &str) {
    let commands = format!("set -euo pipefail\n{commands}");
    let output = Command::new("bash").args(["-c", &commands]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Keystores as the ActiveMQ document has them made, with one key password that differs.
static STORES: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = folder("stores");
    let pair = "-genkeypair -keyalg RSA -dname CN=broker -validity 30 -storepass password";
    script(
        &folder,
        &format!(
            "keytool {pair} -alias broker -keystore broker.jks -storetype JKS -keypass other-password 2> err
             keytool {pair} -alias broker -keystore broker.p12 -storetype PKCS12 2> err
             keytool -exportcert -alias broker -keystore broker.p12 -storepass password -file broker.cer 2> err
             keytool -importcert -noprompt -alias broker -keystore client.ts -storepass password -file broker.cer 2> err"
        ),
    );
    folder
});

fn store(name: &str) -> String {
    STORES.join(name).into_os_string().into_string().unwrap()
}

#[test]
fn keystore_is_inspected_with_its_aliases_chains_and_roles() {
    let ran = run(&["inspect", &store("broker.p12"), "--password", "pass:password"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for told in ["PKCS#12, 1 entry", "\"broker\" private key RSA", "CN=broker", "valid ", "server and client"] {
        assert!(ran.out.contains(told), "{told} in {}", ran.out);
    }
    assert!(ran.out.contains("CERT_NO_NAME"), "{}", ran.out);
    assert!(ran.out.contains("hint: Reissue it with the host as subject alternative name."), "{}", ran.out);
    assert!(ran.out.contains("\n\n1. \"broker\" private key") && !ran.out.contains("\\u000a"), "{}", ran.out);
}

#[test]
fn key_password_that_differs_is_named_with_the_option_that_sets_it() {
    let ran = run(&["inspect", &store("broker.jks"), "--password", "pass:password"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("cannot be used: KEY_PASSWORD_WRONG"), "{}", ran.out);
    let arguments = ["--password", "pass:password", "--key-password", "pass:other-password", "--json"];
    let json = run(&[&["inspect", &store("broker.jks")], arguments.as_slice()].concat()).json();
    assert_eq!(json["type"], "JKS");
    assert_eq!(json["entries"][0]["alias"], "broker");
    assert_eq!(json["entries"][0]["kind"], "key");
    assert_eq!(json["judged"][0]["accepted_as"], serde_json::json!(["server", "client"]));
    assert_eq!(json["judged"][0]["refusals"][0]["code"], "CERT_NO_NAME");
}

#[test]
fn trust_store_is_inspected_without_keys() {
    let ran = run(&["inspect", &store("client.ts"), "--password", "pass:password", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let json = ran.json();
    assert_eq!(json["entries"][0]["kind"], "trusted");
    assert_eq!(json["entries"][0]["certificates"][0]["subject"], "CN=broker");
    assert_eq!(json["judged"], serde_json::json!([]));
}

#[test]
fn alias_and_subject_cannot_command_the_terminal_or_forge_lines() {
    let folder = folder("deceiving");
    let pem = Authority::new("ca").issue(&["broker.example"], |params| {
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "x\naccepted\u{1b}[2J");
    });
    let pem = file(&folder, "server.pem", pem);
    script(&folder, "openssl pkcs12 -export -in server.pem -name $'a\\e[31m' -passout pass:a -out server.p12");
    let store = folder.join("server.p12").into_os_string().into_string().unwrap();
    for arguments in [["inspect", &pem, "--type", "pem"], ["inspect", &store, "--password", "pass:a"]] {
        let ran = run(&arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!ran.out.contains('\u{1b}') && !ran.out.contains("\naccepted"), "{ran:?}");
    }
}

#[test]
fn store_that_cannot_be_read_exits_with_one_and_its_code() {
    let garbage = file(&folder("garbage"), "garbage.ks", [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF]);
    let cases = [
        (store("broker.p12"), "pass:wrong", "STORE_PASSWORD_WRONG"),
        (garbage, "pass:password", "STORE_"),
        ("/nonexistent.ks".to_owned(), "pass:password", "FILE_UNREADABLE"),
    ];
    for (path, password, code) in cases {
        let ran = run(&["inspect", &path, "--password", password]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(code), "{ran:?}");
        let ran = run(&["inspect", &path, "--password", password, "--json"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.json()["error"]["code"].as_str().unwrap().starts_with(code), "{ran:?}");
    }
}

#[test]
fn certificate_that_peers_refuse_is_told_with_every_reason() {
    let folder = folder("refused");
    script(
        &folder,
        "openssl genrsa -out small.key 1024 2> err
         openssl req -new -key small.key -subj /CN=old -out old.csr
         openssl x509 -req -in old.csr -signkey small.key -days 30 -out old.pem 2> err
         cat old.pem small.key > server.pem",
    );
    let ran = run(&["inspect", folder.join("server.pem").to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for code in ["CERT_NO_NAME", "CERT_KEY_TOO_SMALL"] {
        assert!(ran.out.contains(code), "{code} in {}", ran.out);
    }
    let expired = Authority::new("ca").issue(&["broker.example"], |params| {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let ran = run(&["inspect", &file(&folder, "expired.pem", expired), "--json"]);
    let json = ran.json();
    assert_eq!(json["judged"][0]["accepted_as"], serde_json::json!([]));
    assert_eq!(json["judged"][0]["refusals"][0]["code"], "CERT_EXPIRED");
}

/// A CA and a certificate of it for `broker.example`, valid in 2019 only.
struct Chain {
    chain: String,
    ca: String,
}

fn chain_of_2019(name: &str) -> Chain {
    let folder = folder(name);
    let authority = Authority::new("ca");
    let chain = authority.issue(&["broker.example"], |params| {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    Chain { chain: file(&folder, "chain.pem", chain), ca: file(&folder, "ca.pem", authority.pem()) }
}

#[test]
fn chain_is_accepted_at_its_time_under_its_name() {
    let Chain { chain, ca } = chain_of_2019("accepted");
    let arguments = ["verify", "--chain", &chain, "--trust", &ca, "--time", "2019-06-01T00:00:00Z"];
    let ran = run(&[arguments.as_slice(), &["--name", "broker.example"]].concat());
    assert_eq!((ran.code, ran.first_line()), (0, "accepted"), "{ran:?}");
    let ran = run(&[arguments.as_slice(), &["--purpose", "client", "--json"]].concat());
    assert_eq!(ran.code, 0);
    assert_eq!(ran.json()["verdict"], "accepted");
    assert_eq!(ran.json()["path"][1]["subject"], "CN=ca");
}

#[test]
fn chain_is_refused_with_its_code_on_the_first_line() {
    let Chain { chain, ca } = chain_of_2019("refusal");
    let other_ca = file(&folder("refusal-other"), "other.pem", Authority::new("other").pem());
    let then = ["--time", "2019-06-01T00:00:00Z"];
    let cases: [(&str, &[&str], &str); 4] = [
        (&ca, &[], "CERT_EXPIRED"),
        (&ca, &["--time", "2018-06-01T00:00:00+02:00"], "CERT_NOT_YET_VALID"),
        (&ca, &[then.as_slice(), &["--name", "other.example"]].concat(), "CERT_NAME_MISMATCH"),
        (&other_ca, &then, "CERT_UNKNOWN_ISSUER"),
    ];
    for (trust, more, code) in cases {
        let ran = run(&[&["verify", "--chain", &chain, "--trust", trust], more].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.first_line().starts_with(&format!("refused {code}: ")), "{ran:?}");
        let ran = run(&[&["verify", "--chain", &chain, "--trust", trust, "--json"], more].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(ran.json()["error"]["code"], code);
    }
}

#[test]
fn certificate_that_stands_in_the_trust_store_is_accepted_directly() {
    let trust = ["--trust", &store("client.ts"), "--trust-password", "pass:password"];
    let ran = run(&[&["verify", "--chain", &store("broker.cer")], trust.as_slice()].concat());
    assert_eq!((ran.code, ran.first_line()), (0, "accepted"), "{ran:?}");
    assert!(ran.out.contains("trusted directly"), "{ran:?}");
}

#[test]
fn deviation_is_tolerated_only_with_its_switch() {
    let folder = folder("switch");
    let authority = Authority::new("ca");
    let chain = authority.issue(&["broker.example"], |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let chain = file(&folder, "chain.pem", chain);
    let ca = file(&folder, "ca.pem", authority.pem());
    let arguments = ["verify", "--chain", &chain, "--trust", &ca];
    assert!(run(&arguments).first_line().starts_with("refused CERT_CA_AS_END_ENTITY: "));
    let other = run(&[arguments.as_slice(), &["--allow", "insecure-common-name"]].concat());
    assert!(other.first_line().starts_with("refused CERT_CA_AS_END_ENTITY: "), "{other:?}");
    let ran = run(&[arguments.as_slice(), &["--allow", "insecure-ca-as-end-entity"]].concat());
    assert_eq!((ran.code, ran.first_line()), (0, "accepted"), "{ran:?}");
    assert!(ran.out.contains("tolerated: insecure-ca-as-end-entity"), "{ran:?}");
}

#[test]
fn lists_and_rules_of_revocation_decide_with_the_rest() {
    let folder = folder("revocation");
    let authority = Authority::new("ca");
    let chain = authority.issue(&["broker.example"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[7]));
    });
    let chain = file(&folder, "chain.pem", chain);
    let ca = file(&folder, "ca.pem", authority.pem());
    let has_it = file(&folder, "has.crl", authority.crl(&[&[7]]));
    let has_others = file(&folder, "others.crl", authority.crl(&[&[8]]));
    let of_another = file(&folder, "another.crl", Authority::new("another").crl(&[]));
    let cases: [(&[&str], &str); 7] = [
        (&["--crl", &has_others], "accepted"),
        (&["--crl", &has_it], "refused CERT_REVOKED: "),
        (&["--crl", &of_another, "--crl", &has_it], "refused CERT_REVOKED: "),
        (&["--crl", &of_another], "refused REVOCATION_UNKNOWN: "),
        (&["--crl", &of_another, "--revocation", "prefer"], "accepted"),
        (&["--crl", &has_it, "--revocation", "off"], "accepted"),
        (&["--crl", &chain], "refused CRL_MALFORMED: "),
    ];
    for (more, first) in cases {
        let ran = run(&[&["verify", "--chain", &chain, "--trust", &ca], more].concat());
        assert_eq!(ran.code, i32::from(first != "accepted"), "{ran:?}");
        assert!(ran.first_line().starts_with(first), "{more:?}: {ran:?}");
    }
    let ran = run(&["verify", "--chain", &chain, "--trust", &ca, "--revocation", "require"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn files_that_hold_no_chain_or_no_trust_are_refused() {
    let Chain { chain, ca } = chain_of_2019("no-files");
    let empty = file(&folder("no-files-empty"), "empty.pem", "");
    for (chain, trust) in [("/nonexistent.pem", ca.as_str()), (&empty, &ca), (&chain, &empty), (&chain, "/nonexistent")]
    {
        let ran = run(&["verify", "--chain", chain, "--trust", trust]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.first_line().starts_with("refused "), "{ran:?}");
    }
}
