//! Cipher strings: against OpenSSL's own reading of them, and the names of the brokers' documents.

use std::process::Command;

use brokertls::error::Code;
use brokertls::policy::{Policy, PolicySpec, cipher_suite_openssl_name};

fn with_suites(text: &str) -> brokertls::error::Result<Policy> {
    Policy::from_spec(&PolicySpec { cipher_suites: Some(text.to_owned()), ..PolicySpec::default() })
}

/// OpenSSL's names of the suites of TLS 1.2 that the policy allows, in order.
fn tls12_names(policy: &Policy) -> Vec<&'static str> {
    let ids = policy.cipher_suites().iter().map(|suite| u16::from(suite.suite()));
    ids.filter(|id| *id > 0x13FF).filter_map(cipher_suite_openssl_name).collect()
}

/// The selection of OpenSSL, without suites that are not supported here.
fn openssl_selects(text: &str) -> Vec<String> {
    let output = Command::new("openssl").args(["ciphers", "-s", "-v", text]).output().unwrap();
    let served = tls12_names(&Policy::default());
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| served.contains(name)).map(str::to_owned).collect()
}

#[test]
fn cipher_string_selects_what_openssl_selects_in_its_order() {
    let strings = [
        "ALL",
        "DEFAULT",
        "HIGH:!aNULL",
        "HIGH:!aNULL:!MD5",
        "ECDHE+AESGCM",
        "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL",
        "EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM:EECDH:!aNULL:!eNULL:!LOW:!3DES:!MD5:!EXP:!PSK:!SRP:!DSS:!RC4",
        "ALL:@STRENGTH",
        "AES128:CHACHA20:AES256:@STRENGTH",
        "CHACHA20:ALL",
        "ALL:-AES256:+aRSA",
        "ALL:+AES256:-CHACHA20",
        "aRSA:-AESGCM:ALL",
        "ALL:!aECDSA",
        "AESGCM:!aRSA:!DSS",
        "TLSv1.2+aRSA:-kRSA:+CHACHA20",
        "kECDHE+SHA384:kECDHE+AES128:aECDSA",
        "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES256-GCM-SHA384,ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384",
        "ALL@SECLEVEL=1",
        "DEFAULT@SECLEVEL=2",
        "DEFAULT:-CHACHA20:!aECDSA",
        "AES256-SHA:HIGH:!kRSA:!DHE",
        "COMPLEMENTOFDEFAULT:ECDHE+aRSA",
        "ALL:!COMPLEMENTOFDEFAULT:!eNULL:-ECDHE+AES256",
    ];
    for text in strings {
        let expected = openssl_selects(text);
        assert!(!expected.is_empty(), "openssl selects nothing for {text}");
        assert_eq!(tls12_names(&with_suites(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn java_names_select_the_same_suites_as_openssl_names() {
    let java = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,\
                TLS_EMPTY_RENEGOTIATION_INFO_SCSV";
    let policy = with_suites(java).unwrap();
    assert_eq!(tls12_names(&policy), ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"]);
    assert!(policy.not_served().is_empty());
    let error = with_suites("SSL_RSA_WITH_3DES_EDE_CBC_SHA").unwrap_err();
    assert_eq!(error.code(), Code::NoCipherSuite);
    assert!(error.detail().contains("triple-DES"), "{error}");
}

const STATIC_RSA: &str = "static RSA key exchange";
const STATIC_ECDH: &str = "static ECDH key exchange";
const CBC: &str = "CBC encryption";
const DHE: &str = "finite-field Diffie-Hellman key exchange";
const PSK: &str = "pre-shared keys";

/// All the names of EMQX's document, with the first reason of those that are not served.
const EMQX: &[(&str, Option<&str>)] = &[
    ("TLS_AES_256_GCM_SHA384", None),
    ("TLS_AES_128_GCM_SHA256", None),
    ("TLS_CHACHA20_POLY1305_SHA256", None),
    ("TLS_AES_128_CCM_SHA256", Some("CCM encryption")),
    ("TLS_AES_128_CCM_8_SHA256", Some("CCM encryption")),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", None),
    ("ECDHE-RSA-AES256-GCM-SHA384", None),
    ("ECDHE-ECDSA-AES256-SHA384", Some(CBC)),
    ("ECDHE-RSA-AES256-SHA384", Some(CBC)),
    ("ECDH-ECDSA-AES256-GCM-SHA384", Some(STATIC_ECDH)),
    ("ECDH-RSA-AES256-GCM-SHA384", Some(STATIC_ECDH)),
    ("ECDH-ECDSA-AES256-SHA384", Some(STATIC_ECDH)),
    ("ECDH-RSA-AES256-SHA384", Some(STATIC_ECDH)),
    ("DHE-DSS-AES256-GCM-SHA384", Some(DHE)),
    ("DHE-DSS-AES256-SHA256", Some(DHE)),
    ("AES256-GCM-SHA384", Some(STATIC_RSA)),
    ("AES256-SHA256", Some(STATIC_RSA)),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", None),
    ("ECDHE-RSA-AES128-GCM-SHA256", None),
    ("ECDHE-ECDSA-AES128-SHA256", Some(CBC)),
    ("ECDHE-RSA-AES128-SHA256", Some(CBC)),
    ("ECDH-ECDSA-AES128-GCM-SHA256", Some(STATIC_ECDH)),
    ("ECDH-RSA-AES128-GCM-SHA256", Some(STATIC_ECDH)),
    ("ECDH-ECDSA-AES128-SHA256", Some(STATIC_ECDH)),
    ("ECDH-RSA-AES128-SHA256", Some(STATIC_ECDH)),
    ("DHE-DSS-AES128-GCM-SHA256", Some(DHE)),
    ("DHE-DSS-AES128-SHA256", Some(DHE)),
    ("AES128-GCM-SHA256", Some(STATIC_RSA)),
    ("AES128-SHA256", Some(STATIC_RSA)),
    ("ECDHE-ECDSA-AES256-SHA", Some(CBC)),
    ("ECDHE-RSA-AES256-SHA", Some(CBC)),
    ("DHE-DSS-AES256-SHA", Some(DHE)),
    ("ECDH-ECDSA-AES256-SHA", Some(STATIC_ECDH)),
    ("ECDH-RSA-AES256-SHA", Some(STATIC_ECDH)),
    ("ECDHE-ECDSA-AES128-SHA", Some(CBC)),
    ("ECDHE-RSA-AES128-SHA", Some(CBC)),
    ("DHE-DSS-AES128-SHA", Some(DHE)),
    ("ECDH-ECDSA-AES128-SHA", Some(STATIC_ECDH)),
    ("ECDH-RSA-AES128-SHA", Some(STATIC_ECDH)),
    ("RSA-PSK-AES256-GCM-SHA384", Some(PSK)),
    ("RSA-PSK-AES256-CBC-SHA384", Some(PSK)),
    ("RSA-PSK-AES128-GCM-SHA256", Some(PSK)),
    ("RSA-PSK-AES128-CBC-SHA256", Some(PSK)),
    ("RSA-PSK-AES256-CBC-SHA", Some(PSK)),
    ("RSA-PSK-AES128-CBC-SHA", Some(PSK)),
];

#[test]
fn every_name_of_the_emqx_list_alone_gets_its_verdict() {
    assert_eq!(EMQX.len(), 45);
    for (name, reason) in EMQX {
        match (with_suites(name), reason) {
            (Ok(policy), None) => assert!(policy.not_served().iter().all(|line| line.name != *name), "{name}"),
            (Err(error), Some(reason)) => {
                assert_eq!(error.code(), Code::NoCipherSuite, "{name}");
                assert!(error.detail().starts_with(&format!("{name}: {reason}")), "{error}");
            }
            (verdict, _) => panic!("{name}: {verdict:?}"),
        }
    }
}

#[test]
fn whole_emqx_list_serves_seven_and_reports_thirty_eight() {
    let list: Vec<&str> = EMQX.iter().map(|(name, _)| *name).collect();
    for separator in [",", ":", "\n", " "] {
        let policy = with_suites(&list.join(separator)).unwrap();
        assert_eq!(policy.cipher_suites().len(), 7);
        assert_eq!(policy.version_names(), ["TLSv1.3", "TLSv1.2"]);
        assert_eq!(policy.not_served().len(), 38);
        for (line, (name, reason)) in policy.not_served().iter().zip(EMQX.iter().filter(|row| row.1.is_some())) {
            assert_eq!(line.name, *name);
            assert!(line.reason.starts_with(reason.unwrap()), "{line:?}");
        }
    }
}

#[test]
fn psk_list_of_emqx_leaves_nothing_and_says_why_for_each() {
    let list = "PSK-AES256-GCM-SHA384,PSK-AES128-GCM-SHA256,PSK-AES256-CBC-SHA384,PSK-AES256-CBC-SHA,\
                PSK-AES128-CBC-SHA256,PSK-AES128-CBC-SHA,RSA-PSK-AES256-GCM-SHA384,RSA-PSK-AES256-CBC-SHA384,\
                RSA-PSK-AES128-GCM-SHA256,RSA-PSK-AES128-CBC-SHA256,RSA-PSK-AES256-CBC-SHA,RSA-PSK-AES128-CBC-SHA,\
                RSA-PSK-RC4-SHA";
    let error = with_suites(list).unwrap_err();
    assert_eq!(error.code(), Code::NoCipherSuite);
    for name in list.split(',') {
        assert!(error.detail().contains(&format!("{name}: pre-shared keys")), "{name} in {error}");
    }
}

#[test]
fn suites_that_arangodb_lists_are_known_and_refused_with_reasons() {
    for name in ["ECDHE-RSA-AES256-SHA", "DHE-RSA-AES256-SHA", "DHE-DSS-AES256-SHA", "DHE-RSA-CAMELLIA256-SHA"] {
        assert_eq!(with_suites(name).unwrap_err().code(), Code::NoCipherSuite, "{name}");
    }
}

#[test]
fn rule_of_which_nothing_is_served_is_reported_and_one_of_which_something_is_is_not() {
    let policy = with_suites("ALL:kRSA:RC4:AESGCM+MD5:!aNULL:-PSK:@SECLEVEL=0").unwrap();
    let lines: Vec<&str> = policy.not_served().iter().map(|line| line.name.as_str()).collect();
    assert_eq!(lines, ["kRSA", "RC4", "AESGCM+MD5", "@SECLEVEL=0"]);
}

#[test]
fn mistyped_name_is_refused_with_the_nearest_ones() {
    let error = with_suites("ECDHE-RSA-AES128-GCM-SHA257").unwrap_err();
    assert_eq!(error.code(), Code::CipherNotSupported);
    assert!(error.detail().contains("did you mean ECDHE-RSA-AES128-GCM-SHA256"), "{error}");
    assert_eq!(with_suites("ALL:!EXPPORT").unwrap_err().code(), Code::CipherNotSupported);
    assert_eq!(with_suites("SUITEB128").unwrap_err().code(), Code::CipherNotSupported);
}

#[test]
fn string_that_leaves_nothing_for_tls_1_2_is_refused() {
    for text in ["!aNULL", "ALL:!ECDHE", "NULL", "DHE+AESGCM", "aRSA:!aRSA"] {
        assert_eq!(with_suites(text).unwrap_err().code(), Code::NoCipherSuite, "{text}");
    }
}

#[test]
fn endless_and_binary_strings_are_refused() {
    for text in ["ALL:".repeat(1_000_000), "A".repeat(5_000), "+".repeat(5_000), "\u{0}\u{1}\u{ffff}".to_owned()] {
        assert_eq!(with_suites(&text).unwrap_err().code(), Code::CipherNotSupported);
    }
    assert_eq!(with_suites("").unwrap_err().code(), Code::NoCipherSuite);
}
