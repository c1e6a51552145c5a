//! `brokertls inspect` on revocation lists and OCSP responses.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::ocsp::verdicts::block as der;
use crate::revocation::{Pki, point, scope};
use crate::rig::command::{file, folder, run};
use crate::rig::pair::Authority;
use crate::rig::pki::element;

/// A file of the kept responses, which has the certificates in it too.
fn kept(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ocsp").join(format!("{name}.pem"));
    path.into_os_string().into_string().unwrap()
}

#[test]
fn list_is_inspected_in_pem_and_der_with_what_it_says_of_itself() {
    let folder = folder("inspect-crl");
    let pem = Authority::new("ca").crl(&[&[7], &[8]]);
    let paths = [file(&folder, "ca.pem", &pem), file(&folder, "ca.crl", der(&pem, "X509 CRL"))];
    for path in &paths {
        let ran = run(&["inspect", path]);
        assert_eq!((ran.code, ran.first_line()), (0, format!("{path}: 1 revocation list").as_str()), "{ran:?}");
        for line in [
            "1. revocation list",
            "   issuer       CN=ca",
            "   this update  2020-01-01T00:00:00Z",
            "   next update  2040-01-01T00:00:00Z",
            "   number       01",
            "   entries      2",
            "   signature    ecdsa-with-SHA256",
        ] {
            assert!(ran.out.lines().any(|told| told == line), "{line} in {}", ran.out);
        }
    }
    let [one, two] = paths.each_ref().map(|path| run(&["inspect", path, "--json"]).json());
    assert_eq!(one["crls"], two["crls"]);
    assert_eq!(one["ocsp_responses"], json!([]));
    let crl = &one["crls"][0];
    assert_eq!((&crl["issuer"], &crl["entries"], &crl["number"]), (&json!("CN=ca"), &json!(2), &json!("01")));
    assert_eq!(crl["next_update"], "2040-01-01T00:00:00Z");
    assert_eq!(crl["signature_algorithm"], "ecdsa-with-SHA256");
    assert_eq!(crl["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn list_with_an_issuing_distribution_point_is_inspected_with_its_scope() {
    let folder = folder("inspect-scope");
    let only_users = element(0x81, &[0xff]);
    let some_reasons = element(0x83, &[5, 0b0110_0000]);
    let list = scope(&[point("http://crl.example/1"), only_users, some_reasons]);
    let path = file(&folder, "ca.crl", list.signed_by(&Pki::new().root));
    let told = "end-entity certificates alone; \
                certificates with the distribution point URI:http://crl.example/1; \
                the reasons keyCompromise, cACompromise alone";
    let ran = run(&["inspect", &path]);
    assert!(ran.code == 0 && ran.out.lines().any(|line| line == format!("   scope        {told}")), "{ran:?}");
    assert_eq!(run(&["inspect", &path, "--json"]).json()["crls"][0]["scope"], told);

    let whole = file(&folder, "whole.crl", der(&Authority::new("ca").crl(&[]), "X509 CRL"));
    let ran = run(&["inspect", &whole]);
    assert!(ran.code == 0 && !ran.out.contains("\n   scope "), "{ran:?}");
    assert_eq!(run(&["inspect", &whole, "--json"]).json()["crls"][0].get("scope"), Some(&json!(null)));
}

#[test]
fn response_is_inspected_with_what_it_says_of_each_certificate() {
    let folder = folder("inspect-ocsp");
    let text = fs::read_to_string(kept("revoked-with-reason")).unwrap();
    let path = file(&folder, "response.der", der(&text, "OCSP RESPONSE"));
    let ran = run(&["inspect", &path]);
    assert_eq!((ran.code, ran.first_line()), (0, format!("{path}: 1 OCSP response").as_str()), "{ran:?}");
    for line in [
        "1. OCSP response",
        "   status       successful",
        "   responder    CN=Fixture Issuing CA,O=Example",
        "   produced at  2025-12-31T12:00:00Z",
        "   certificate  05: revoked 2025-11-15T10:30:00Z, reason keyCompromise",
        "   this update  2025-12-31T12:00:00Z",
        "   next update  not stated",
        "   signature    ecdsa-with-SHA256",
    ] {
        assert!(ran.out.lines().any(|told| told == line), "{line} in {}", ran.out);
    }
    let json = run(&["inspect", &path, "--json"]).json();
    let response = &json["ocsp_responses"][0];
    assert_eq!(
        (&response["status"], &response["responder"]),
        (&json!("successful"), &json!("CN=Fixture Issuing CA,O=Example"))
    );
    assert_eq!(response["produced_at"], "2025-12-31T12:00:00Z");
    let told = json!({
        "serial": "05", "status": "revoked", "reason": "keyCompromise", "revoked": "2025-11-15T10:30:00Z",
        "this_update": "2025-12-31T12:00:00Z", "next_update": null,
    });
    assert_eq!(response["certificates"], json!([told]));

    let old = run(&["inspect", &kept("stale")]);
    assert!(old.out.contains("next update  2025-12-31T18:00:00Z (out of date)"), "{old:?}");
    assert!(old.out.contains("certificate  05: good\n"), "{old:?}");
    let error = file(&folder, "error.der", [0x30, 3, 0x0a, 1, 3]);
    let ran = run(&["inspect", &error]);
    assert!(ran.code == 0 && ran.out.contains("status       tryLater"), "{ran:?}");
    let by_key = run(&["inspect", &kept("responder-by-key")]);
    assert!(by_key.out.contains("responder    key 626de89918a2bf0566f354e3106270548d4d89a4"), "{by_key:?}");
}

#[test]
fn file_with_certificates_beside_lists_and_responses_is_inspected_as_both() {
    let folder = folder("inspect-both");
    let authority = Authority::new("ca");
    let response = fs::read_to_string(kept("good")).unwrap();
    let response = response.split("-----BEGIN CA CERTIFICATE").next().unwrap();
    let mixed = file(&folder, "mixed.pem", format!("{}{}{response}", authority.pem(), authority.crl(&[])));
    let ran = run(&["inspect", &mixed]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for told in ["subject      CN=ca", "1 revocation list, 1 OCSP response", "1. revocation list", "2. OCSP response"] {
        assert!(ran.out.contains(told), "{told} in {}", ran.out);
    }
    let ran = run(&["inspect", &mixed, "--json"]);
    let documents: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents[0]["entries"][0]["certificates"][0]["subject"], "CN=ca");
    assert_eq!(documents[1]["crls"][0]["entries"], 0);
    // Who says that it is a keystore sees the keystore.
    let ran = run(&["inspect", &mixed, "--type", "pem"]);
    assert!(ran.code == 0 && !ran.out.contains("revocation list"), "{ran:?}");
}

#[test]
fn list_or_response_that_cannot_be_read_exits_with_one_and_its_code() {
    let folder = folder("inspect-broken");
    let list = Authority::new("ca").crl(&[]);
    let list = der(&list, "X509 CRL");
    let text = fs::read_to_string(kept("another-type")).unwrap();
    let response = der(&text, "OCSP RESPONSE");
    // The first digit of thisUpdate.
    let mut damaged = list.clone();
    let at = damaged.windows(2).position(|window| window == [0x17, 13]).unwrap();
    damaged[at + 2] = b'x';
    let label = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let cases = [
        (file(&folder, "damaged.crl", damaged), "CRL_MALFORMED"),
        (file(&folder, "damaged.pem", label("X509 CRL", "AAAA")), "CRL_MALFORMED"),
        (file(&folder, "other.der", response), "OCSP_UNUSABLE"),
        (file(&folder, "none.pem", label("OCSP RESPONSE", "MAA=")), "OCSP_MALFORMED"),
        (file(&folder, "none.der", [0x30, 3, 0x0a, 1, 9]), "OCSP_MALFORMED"),
        (file(&folder, "cut.crl", &list[..list.len() - 1]), "CRL_MALFORMED"),
    ];
    for (path, code) in cases {
        let ran = run(&["inspect", &path]);
        assert!(ran.code == 1 && ran.err.contains(code), "{path}: {ran:?}");
        let ran = run(&["inspect", &path, "--json"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(ran.json()["error"]["code"], code, "{path}");
    }
}
