//! x509-limbo, the cases of C2SP and of BetterTLS, through the library's verification with every switch off.
//!
//! A deviation from the expected result is listed in limbo-exceptions.txt with its reason. An unlisted deviation fails,
//! and so does a listed one that no longer deviates. What is skipped follows rustls-webpki's own harness, but for the
//! cases that state a key usage, which are run.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use brokertls::keystore::TrustedCertificate;
use brokertls::verify::{Deviation, Deviations, PeerVerifier, Purpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::Value;

use crate::outside;

const EXCEPTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/limbo-exceptions.txt");

/// The time for cases that name none, 2025-11-24T16:00:00Z; all their certificates are valid then.
const DEFAULT_UNIX_S: u64 = 1_764_000_000;

/// The result of rustls-webpki 0.103 on the same cases.
const RIGHT_AT_LEAST: usize = 207;
const WRONGLY_ACCEPTED_AT_MOST: usize = 52;
const WRONGLY_REFUSED_AT_MOST: usize = 5;
const SKIPPED_AT_MOST: usize = 17;

fn cases() -> Vec<Value> {
    let text = fs::read_to_string(outside::path("x509-limbo/limbo.json")).unwrap();
    let mut limbo: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(cases) = limbo["testcases"].take() else { panic!("limbo.json has no list of testcases") };
    cases
}

/// Of each listed case, the outcome here: `accepted` or `refused`.
fn exceptions() -> BTreeMap<String, String> {
    let text = fs::read_to_string(EXCEPTIONS).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let listed = lines.map(|line| {
        let [outcome, case, reason] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("not three columns: {line}")
        };
        assert!(["accepted", "refused"].contains(&outcome), "{line}");
        assert!(!reason.is_empty(), "no reason: {line}");
        (case.to_owned(), outcome.to_owned())
    });
    listed.collect()
}

fn skipped(case: &Value) -> bool {
    let features = case["features"].as_array().unwrap();
    // There is no setting for the depth, and no asking for a peer by its e-mail address.
    features.iter().any(|feature| feature == "max-chain-depth") || case["validation_kind"] != "SERVER"
}

fn is_accepted(case: &Value, switches: Deviations) -> bool {
    let certificate = |pem: &Value| CertificateDer::from_pem_slice(pem.as_str().unwrap().as_bytes()).unwrap();
    let certificates = |list: &str| case[list].as_array().unwrap().iter().map(certificate).collect::<Vec<_>>();
    let mut chain = vec![certificate(&case["peer_certificate"])];
    chain.extend(certificates("untrusted_intermediates"));
    let trust = certificates("trusted_certs").into_iter().map(|der| TrustedCertificate::new(der, "trusted_certs"));
    let Ok(verifier) = PeerVerifier::new(trust.collect(), switches) else { return false };
    let name = case["expected_peer_name"]["value"].as_str().map(|name| ServerName::try_from(name).unwrap());
    let unix_s = case["validation_time"].as_str().map_or(DEFAULT_UNIX_S, unix_seconds);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(unix_s));
    verifier.verify(&chain, Purpose::Server, name.as_ref(), now).is_ok()
}

/// Seconds since 1970 of a time in RFC 3339 form in UTC; parts of a second are cut off.
fn unix_seconds(text: &str) -> u64 {
    assert!(text.ends_with("+00:00"), "{text}");
    let parts = text.split(|byte: char| !byte.is_ascii_digit()).take(6).map(|part| part.parse::<u64>().unwrap());
    let [year, month, day, hour, minute, second] = parts.collect::<Vec<_>>()[..] else { panic!("{text}") };
    let leap_days = |before: u64| before / 4 - before / 100 + before / 400;
    let is_leap = leap_days(year) != leap_days(year - 1);
    let february = if is_leap { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days_in_year: u64 = months.iter().take(month as usize - 1).sum::<u64>() + day - 1;
    let days = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969) + days_in_year;
    ((days * 24 + hour) * 60 + minute) * 60 + second
}

#[test]
fn limbo_cases_are_decided_as_expected_but_for_the_listed_exceptions() {
    let cases = cases();
    let mut exceptions = exceptions();
    let (mut right, mut accepted, mut refused, mut skipped_count) = (0, 0, 0, 0);
    let mut complaints = Vec::new();
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        if skipped(case) {
            skipped_count += 1;
            continue;
        }
        let outcome = if is_accepted(case, Deviations::default()) { "accepted" } else { "refused" };
        let expected = if case["expected_result"] == "SUCCESS" { "accepted" } else { "refused" };
        match (outcome == expected, outcome) {
            (true, _) => right += 1,
            (false, "accepted") => accepted += 1,
            (false, _) => refused += 1,
        }
        match (exceptions.remove(id), outcome == expected) {
            (Some(_), true) => complaints.push(format!("{id} is {outcome}, as expected, but listed as an exception")),
            (None, false) => complaints.push(format!("{id} is {outcome}, and not listed as an exception")),
            (Some(listed), false) => assert_eq!(listed, outcome, "{id}"),
            (None, true) => {}
        }
    }
    complaints.extend(exceptions.into_keys().map(|id| format!("{id} is listed as an exception, and was not run")));
    println!("limbo: {right} right, {accepted} wrongly accepted, {refused} wrongly refused, {skipped_count} skipped");
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    assert!(right >= RIGHT_AT_LEAST, "{right} right");
    assert!(accepted <= WRONGLY_ACCEPTED_AT_MOST, "{accepted} wrongly accepted");
    assert!(refused <= WRONGLY_REFUSED_AT_MOST, "{refused} wrongly refused");
    assert!(skipped_count <= SKIPPED_AT_MOST, "{skipped_count} skipped");
}

#[test]
fn limbo_cases_that_a_switch_opens_are_those_it_names() {
    let cases = cases();
    let opened: &[(&[Deviation], &[&str])] = &[
        (&[Deviation::X509V1], &[]),
        (&[Deviation::CaAsEndEntity], &["webpki::ee-basicconstraints-ca"]),
        (&[Deviation::KeyUsage], &[]),
        // These may sign certificates and lists alone.
        (
            &[Deviation::CaAsEndEntity, Deviation::KeyUsage],
            &[
                "pathlen::validation-ignores-pathlen-in-leaf",
                "rfc5280::ca-as-leaf",
                "webpki::ee-basicconstraints-ca",
                "webpki::ca-as-leaf",
            ],
        ),
        // nc-dos-3 is valid but for its size: its common name lies within thousands of constraints, which are checked.
        (&[Deviation::CommonName], &["pathological::nc-dos-3", "webpki::san::no-san"]),
        (&[Deviation::SmallRsa], &["webpki::forbidden-weak-rsa-key-in-root", "webpki::forbidden-weak-rsa-in-leaf"]),
        (
            &[Deviation::X509V1, Deviation::CommonName],
            &["pathological::nc-dos-3", "webpki::san::no-san", "webpki::v1-cert"],
        ),
    ];
    for (switches, expected) in opened {
        let on: Deviations = switches.iter().copied().collect();
        let changed = cases.iter().filter(|case| is_accepted(case, on) != is_accepted(case, Deviations::default()));
        let changed: Vec<_> = changed.map(|case| case["id"].as_str().unwrap()).collect();
        assert_eq!(changed, *expected, "{switches:?}");
    }
}
