//! Chains from the field and their kin: names in other bytes, critical extensions, constraints, key usages.

use std::path::Path;
use std::process::Command;

use crate::rig::command::{Ran, folder, run};

/// The verdict about the chain of a case, as of the day it was made.
fn case(name: &str, more: &[&str]) -> Ran {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases").join(name);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (chain, trust) = (path("chain.pem"), path("trust.pem"));
    let fixed =
        ["verify", "--chain", &chain, "--trust", &trust, "--purpose", "client", "--time", "2026-11-28T06:00:00Z"];
    run(&[&fixed, more].concat())
}

#[track_caller]
fn assert_accepted(name: &str, more: &[&str]) {
    let ran = case(name, more);
    assert_eq!((ran.code, ran.first_line()), (0, "accepted"), "{ran:?}");
}

/// The first line of a refusal begins with the code, and holds each of the texts.
#[track_caller]
fn assert_refused(ran: &Ran, code: &str, texts: &[&str]) {
    assert!(ran.first_line().starts_with(&format!("refused {code}: ")), "{ran:?}");
    for text in texts {
        assert!(ran.out.contains(text), "{text}: {ran:?}");
    }
}

#[test]
fn issuer_in_another_string_type_is_the_same_issuer() {
    assert_accepted("03-issuer-name-other-string-type", &[]);
}

#[test]
fn critical_policies_that_nothing_asks_for_are_accepted() {
    assert_accepted("07-critical-policies-of-intermediate", &[]);
    assert_accepted("07b-inhibit-any-policy-of-intermediate", &[]);
}

#[test]
fn parameters_of_a_curve_that_are_written_out_are_named() {
    let ran = case("14-ec-parameters-written-out", &[]);
    assert_refused(&ran, "CERT_ALGORITHM_UNSUPPORTED", &["are written out", "named curve", "certificate 1 of 1"]);
    assert!(!ran.out.contains("ff ff") && !ran.out.contains("SHA-256"), "{ran:?}");
}

#[test]
fn version_1_that_is_written_out_is_accepted_with_the_switch_that_the_refusal_names() {
    let ran = case("17-version-1-written-explicitly", &[]);
    assert_refused(&ran, "CERT_VERSION_UNSUPPORTED", &["allow insecure-x509-v1."]);
    assert_accepted("17-version-1-written-explicitly", &["--allow", "insecure-x509-v1"]);
}

#[test]
fn key_usage_that_is_not_to_sign_is_accepted_with_the_switch_that_the_refusal_names() {
    let ran = case("20-key-usage-without-digital-signature", &[]);
    assert_refused(&ran, "CERT_KEY_USAGE", &["certificate 1 of 1", "allow insecure-key-usage."]);
    assert_accepted("20-key-usage-without-digital-signature", &["--allow", "insecure-key-usage"]);
}

#[test]
fn common_name_of_a_client_outside_of_a_constraint_is_refused() {
    let ran = case("21-common-name-outside-of-constraint", &[]);
    assert_refused(&ran, "CERT_NAME_CONSTRAINT", &["the common name device.evil.net of certificate 1 of 2"]);
}

#[test]
fn constraint_on_uris_is_told_as_not_compared() {
    let ran = case("22-uri-constraint", &[]);
    assert_refused(&ran, "CERT_CONSTRAINT_UNSUPPORTED", &["URIs, by certificate 2 of 2"]);
    assert!(!ran.out.contains("outside"), "{ran:?}");
}

#[test]
fn pss_with_another_salt_is_accepted() {
    assert_accepted("23-rsa-pss-with-another-salt", &[]);
}

#[test]
fn any_extended_key_usage_is_told_as_not_counting_with_a_hint_for_whom_has_it() {
    let ran = case("24-any-extended-key-usage", &[]);
    let any = "anyExtendedKeyUsage does not count";
    assert_refused(&ran, "CERT_PURPOSE_MISMATCH", &[any, "certificate 1 of 1", "it belongs to a client"]);
    let ran = case("24b-any-extended-key-usage-of-intermediate", &[]);
    assert_refused(&ran, "CERT_PURPOSE_MISMATCH", &[any, "certificate 2 of 2", "Reissue this CA's certificate"]);
    assert!(!ran.out.contains("it belongs to a client"), "{ran:?}");
}

/// Makes `ca.pem`, `mid.pem` under it and `leaf.pem` under that, with the extensions of files of these names.
const MAKE: &str = "
key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
issue() { openssl req -new -key $1.key -subj \"${4:-/CN=$1}\" -utf8 |
    openssl x509 -req -CA $2.pem -CAkey $2.key -set_serial $3 -extfile $1.ext -days 30 -out $1.pem 2> $1.err; }
root() { openssl req -new -key ca.key -subj /CN=ca |
    openssl x509 -req -signkey ca.key -extfile ca.ext -days 30 -out ca.pem 2> ca.err; }
chain() { cat leaf.pem mid.pem > chain.pem; }
";

/// A chain of three with these extensions of each.
fn made(name: &str, [ca, mid, leaf]: [&str; 3], subject: &str) -> std::path::PathBuf {
    let folder = folder(&format!("verify-{name}"));
    for (name, text) in [("ca.ext", ca), ("mid.ext", mid), ("leaf.ext", leaf)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    bash(
        &folder,
        &format!("{MAKE} key ca; key mid; key leaf; root; issue mid ca 2; issue leaf mid 3 '{subject}'; chain"),
    );
    folder
}

fn bash(folder: &Path, script: &str) {
    let script = format!("set -euo pipefail\n{script}");
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn verdict(folder: &Path, more: &[&str]) -> Ran {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (chain, trust) = (path("chain.pem"), path("ca.pem"));
    run(&[&["verify", "--chain", &chain, "--trust", &trust], more].concat())
}

const CLIENT: &[&str] = &["--purpose", "client"];
const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n";

#[test]
fn path_length_of_a_trusted_ca_is_honoured() {
    let leaf = "keyUsage=digitalSignature\n";
    let short = made("path-length-0", ["basicConstraints=critical,CA:TRUE,pathlen:0\n", CA, leaf], "");
    let ran = verdict(&short, CLIENT);
    assert_refused(&ran, "CERT_PATH_LENGTH", &["the trusted certificate", "allows 0 issuers below it, there are 1"]);
    let enough = made("path-length-1", ["basicConstraints=critical,CA:TRUE,pathlen:1\n", CA, leaf], "");
    assert_eq!(verdict(&enough, CLIENT).first_line(), "accepted");
}

#[test]
fn critical_extension_is_named_with_the_certificate_that_has_it() {
    let leaf = "keyUsage=digitalSignature\n";
    let of_mid = made("critical-mid", [CA, &format!("{CA}1.2.3.4=critical,DER:0500\n"), leaf], "");
    assert_refused(&verdict(&of_mid, CLIENT), "CERT_CRITICAL_EXTENSION", &["1.2.3.4 of certificate 2 of 2"]);
    let of_leaf = made("critical-leaf", [CA, CA, "tlsfeature=status_request\n2.5.29.99=critical,DER:0500\n"], "");
    assert_refused(&verdict(&of_leaf, CLIENT), "CERT_CRITICAL_EXTENSION", &["2.5.29.99 of certificate 1 of 2"]);
    // A chain that asks for a policy is not one that nothing asks of.
    let asking = format!("{CA}policyConstraints=critical,requireExplicitPolicy:0\n");
    let asks = made("critical-policy", [CA, &asking, leaf], "");
    let ran = verdict(&asks, CLIENT);
    assert_refused(&ran, "CERT_CRITICAL_EXTENSION", &["(2.5.29.36) of certificate 2 of 2"]);
}

#[test]
fn critical_policies_anywhere_are_accepted_unless_the_chain_asks_for_one() {
    let policies = "certificatePolicies=critical,1.2.3.4\n";
    let (mid, leaf) =
        (format!("{CA}{policies}inhibitAnyPolicy=critical,0\n"), format!("keyUsage=digitalSignature\n{policies}"));
    let folder = made("policies", [&format!("{CA}{policies}"), &mid, &leaf], "");
    assert_eq!(verdict(&folder, CLIENT).first_line(), "accepted");
    let asking = format!("{CA}{policies}policyConstraints=requireExplicitPolicy:0\n");
    let folder = made("policies-asked", [CA, &asking, &leaf], "");
    assert_refused(&verdict(&folder, CLIENT), "CERT_CRITICAL_EXTENSION", &["2.5.29.32"]);
}

#[test]
fn key_usage_is_asked_of_servers_too_and_of_certificates_that_are_trusted_themselves() {
    for (usage, signs) in [
        ("keyEncipherment", false),
        ("keyAgreement", false),
        ("nonRepudiation", false),
        ("digitalSignature,keyAgreement", true),
    ] {
        let leaf = format!("keyUsage=critical,{usage}\nsubjectAltName=DNS:broker.example\n");
        let folder = made(&format!("usage-{usage}"), [CA, CA, &leaf], "");
        for purpose in ["client", "server"] {
            let purpose = ["--purpose", purpose];
            let direct = folder.join("leaf.pem").to_str().unwrap().to_owned();
            let directly = run(&[&["verify", "--chain", &direct, "--trust", &direct], &purpose[..]].concat());
            for ran in [verdict(&folder, &purpose), directly] {
                match signs {
                    true => assert_eq!(ran.first_line(), "accepted", "{ran:?}"),
                    false => assert_refused(&ran, "CERT_KEY_USAGE", &["certificate 1 of"]),
                }
            }
            let allowed = [&purpose[..], &["--allow", "insecure-key-usage"]].concat();
            assert_eq!(verdict(&folder, &allowed).first_line(), "accepted");
        }
    }
}

#[test]
fn common_names_count_for_constraints_in_every_string_type_and_place() {
    let constrained = format!("{CA}nameConstraints=critical,permitted;DNS:example.org\n");
    let leaf = "keyUsage=digitalSignature\n";
    let outside = "the common name device.evil.net of certificate 1 of 2";
    for (name, subject, more) in [
        ("first", "/CN=device.evil.net/CN=device-1", ""),
        ("last", "/CN=device-1/CN=device.evil.net", ""),
        ("case", "/CN=device.evil.net", "subjectAltName=DNS:device.example.org\n"),
    ] {
        let folder = made(&format!("common-{name}"), [CA, &constrained, &format!("{leaf}{more}")], subject);
        assert_refused(&verdict(&folder, CLIENT), "CERT_NAME_CONSTRAINT", &[outside]);
    }
    // BMPString, with two bytes a character.
    let folder = made("common-bmp", [CA, &constrained, leaf], "");
    bash(
        &folder,
        "printf '[req]\nstring_mask=MASK:0x800\ndistinguished_name=n\n[n]\n' > names.conf
        openssl req -config names.conf -new -key leaf.key -subj /CN=device.evil.net |
            openssl x509 -req -CA mid.pem -CAkey mid.key -set_serial 4 -extfile leaf.ext -days 30 -out leaf.pem 2> leaf.err
        cat leaf.pem mid.pem > chain.pem; openssl asn1parse -in leaf.pem | grep -q BMPSTRING",
    );
    assert_refused(&verdict(&folder, CLIENT), "CERT_NAME_CONSTRAINT", &[outside]);
    // Of a server with a DNS name the common name does not count.
    let server = format!("{leaf}subjectAltName=DNS:device.example.org\n");
    let folder = made("common-server", [CA, &constrained, &server], "/CN=device.evil.net");
    let named = ["--purpose", "server", "--name", "device.example.org"];
    assert_eq!(verdict(&folder, &named).first_line(), "accepted");
    for subject in ["/CN=device.example.org", "/CN=device-1", "/CN=DEVICE.Example.ORG", "/O=evil.net"] {
        let folder = made("common-within", [CA, &constrained, leaf], subject);
        assert_eq!(verdict(&folder, CLIENT).first_line(), "accepted", "{subject}");
    }
}

#[test]
fn common_name_counts_for_the_constraints_of_the_trusted_ca_and_for_excluded_names() {
    let leaf = "keyUsage=digitalSignature\n";
    for (name, constraint) in [("permitted", "permitted;DNS:example.org"), ("excluded", "excluded;DNS:evil.net")] {
        let ca = format!("{CA}nameConstraints=critical,{constraint}\n");
        let folder = made(&format!("anchor-{name}"), [&ca, CA, leaf], "/CN=device.evil.net");
        assert_refused(&verdict(&folder, CLIENT), "CERT_NAME_CONSTRAINT", &["the common name device.evil.net"]);
    }
}

#[test]
fn constraints_on_other_kinds_of_names_are_told_as_not_compared() {
    let leaf = "keyUsage=digitalSignature\nsubjectAltName=email:a@example.org,URI:spiffe://example.org/a\n";
    for (name, constraint, told) in [
        ("mail", "permitted;email:example.org", "e-mail addresses"),
        ("uri", "permitted;URI:example.org", "URIs"),
        ("directory", "permitted;dirName:d\n[d]\nCN=a", "directory names"),
    ] {
        let mid = format!("{CA}nameConstraints=critical,{constraint}\n");
        let folder = made(&format!("constraint-{name}"), [CA, &mid, leaf], "");
        let ran = verdict(&folder, CLIENT);
        assert_refused(&ran, "CERT_CONSTRAINT_UNSUPPORTED", &[told, "certificate 2 of 2"]);
        assert!(!ran.out.contains("outside"), "{ran:?}");
    }
    let mid = format!("{CA}nameConstraints=critical,permitted;DNS:example.org\n");
    let folder = made("constraint-dns", [CA, &mid, "keyUsage=digitalSignature\nsubjectAltName=DNS:evil.net\n"], "");
    assert_refused(&verdict(&folder, CLIENT), "CERT_NAME_CONSTRAINT", &["certificate 1 of 2"]);
}

#[test]
fn self_issued_certificate_of_a_trusted_name_is_told_as_what_it_is() {
    let folder = made("self-issued", [CA, CA, "keyUsage=digitalSignature\n"], "");
    // The CA has got a new key, which is not trusted here; the chain ends in its self-signed certificate.
    bash(
        &folder,
        &format!(
            "{MAKE} cp ca.pem old.pem; key ca; root; cp ca.pem new.pem; issue mid ca 2; issue leaf mid 3; \
                  cat leaf.pem mid.pem new.pem > chain.pem; cp old.pem ca.pem"
        ),
    );
    let ran = verdict(&folder, CLIENT);
    assert_refused(&ran, "CERT_SELF_SIGNED_IN_CHAIN", &["certificate 3 of 3", "with another key"]);
    bash(&folder, "cat leaf.pem mid.pem > chain.pem");
    let ran = verdict(&folder, CLIENT);
    assert_refused(&ran, "CERT_SIGNATURE_INVALID", &["certificate 2 of 2", "is not signed with the key of"]);
}

#[test]
fn self_issued_certificate_that_carries_trust_from_the_old_key_to_the_new_is_accepted() {
    let folder = made("rollover", [CA, CA, "keyUsage=digitalSignature\n"], "");
    bash(
        &folder,
        &format!(
            "{MAKE} cp ca.pem old.pem; cp ca.key old.key; key ca; cp ca.key bridge.key; cp ca.ext bridge.ext
            issue bridge old 9 /CN=ca; cp bridge.pem ca.pem; issue mid ca 2; issue leaf mid 3
            cat leaf.pem mid.pem bridge.pem > chain.pem; cp old.pem ca.pem"
        ),
    );
    assert_eq!(verdict(&folder, CLIENT).first_line(), "accepted");
}

#[test]
fn names_that_differ_in_case_spaces_and_string_type_make_a_path_at_every_step() {
    let folder = made("names", [CA, CA, "keyUsage=digitalSignature\n"], "");
    // The same key under a name that is written in another way; what is trusted and sent has this one.
    bash(
        &folder,
        &format!(
            "{MAKE} cp ca.pem first.pem; issue mid ca 2 '/O=Example  Org/CN=Mid CA'; issue leaf mid 3
            printf 'string_mask=pkix\\n[req]\\ndistinguished_name=n\\n[n]\\n' > names.conf
            openssl req -config names.conf -new -key mid.key -subj '/O=EXAMPLE ORG/CN=mid  ca' |
                openssl x509 -req -CA ca.pem -CAkey ca.key -set_serial 4 -extfile mid.ext -days 30 -out mid.pem 2> mid.err
            chain"
        ),
    );
    assert_eq!(verdict(&folder, CLIENT).first_line(), "accepted");
    bash(
        &folder,
        "openssl req -new -key ca.key -subj '/CN=CA ' |
            openssl x509 -req -signkey ca.key -extfile ca.ext -days 30 -out ca.pem 2> ca.err",
    );
    assert_eq!(verdict(&folder, CLIENT).first_line(), "accepted");
    // Another name is another name, and the same name with another key is not the CA.
    bash(
        &folder,
        &format!(
            "{MAKE} key ca; openssl req -new -key ca.key -subj '/CN=CA' |
            openssl x509 -req -signkey ca.key -extfile ca.ext -days 30 -out ca.pem 2> ca.err"
        ),
    );
    assert_refused(&verdict(&folder, CLIENT), "CERT_SIGNATURE_INVALID", &["certificate 2 of 2"]);
}
