//! Versions, groups and presets, and combinations of the settings of a policy.

mod ciphers;

use brokertls::error::Code;
use brokertls::policy::{NotServed, Policy, PolicySpec, Preset};
use rustls::{ProtocolVersion, SupportedCipherSuite};

fn spec(preset: Preset, versions: &str, cipher_suites: &str, groups: &str) -> PolicySpec {
    let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    PolicySpec { preset, versions: set(versions), cipher_suites: set(cipher_suites), groups: set(groups) }
}

fn with_versions(versions: &str) -> Result<Policy, Code> {
    let spec = PolicySpec { versions: Some(versions.to_owned()), ..PolicySpec::default() };
    Policy::from_spec(&spec).map_err(|error| error.code())
}

fn names(lines: &[NotServed]) -> Vec<&str> {
    lines.iter().map(|line| line.name.as_str()).collect()
}

/// A context could be built from it: rustls itself finds no fault.
fn assert_usable(policy: &Policy) {
    let built =
        rustls::ServerConfig::builder_with_provider(policy.provider().into()).with_protocol_versions(policy.versions());
    assert!(built.is_ok(), "{:?}", built.err());
    let of_version = |suite: &SupportedCipherSuite| policy.versions().contains(&suite.version());
    assert!(policy.cipher_suites().iter().all(of_version));
}

#[test]
fn default_policy_is_tls_1_2_and_1_3_with_the_hybrid_group_first() {
    let policy = Policy::from_spec(&PolicySpec::default()).unwrap();
    assert_eq!(policy.version_names(), ["TLSv1.3", "TLSv1.2"]);
    assert_eq!(policy.group_names(), ["X25519MLKEM768", "X25519", "secp256r1", "secp384r1"]);
    assert_eq!(policy.cipher_suites().len(), 9);
    assert!(policy.not_served().is_empty());
    assert_usable(&policy);
}

#[test]
fn modern_preset_is_tls_1_3_alone() {
    let policy = Policy::from_spec(&spec(Preset::Modern, "", "", "")).unwrap();
    assert_eq!(policy.version_names(), ["TLSv1.3"]);
    assert_eq!(policy.cipher_suites().len(), 3);
    assert_usable(&policy);
}

#[test]
fn preset_is_found_by_name_in_any_case_and_another_is_refused() {
    assert_eq!(Preset::from_name("Modern").unwrap(), Preset::Modern);
    assert_eq!(Preset::from_name(Preset::Intermediate.name()).unwrap(), Preset::Intermediate);
    assert_eq!(Preset::from_name("ancient").unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn modern_preset_reports_tls_1_2_and_conflicts_with_it_alone() {
    let policy = Policy::from_spec(&spec(Preset::Modern, "TLSv1.2,TLSv1.3", "", "")).unwrap();
    assert_eq!(policy.version_names(), ["TLSv1.3"]);
    assert_eq!(names(policy.not_served()), ["TLSv1.2"]);
    let error = Policy::from_spec(&spec(Preset::Modern, "TLSv1.2", "", "")).unwrap_err();
    assert_eq!(error.code(), Code::OptionConflict);
}

#[test]
fn every_spelling_of_a_served_version_means_it() {
    for name in ["TLSv1.2", "tlsv1.2", "TLS1.2", "1.2", "TLSv1_2", "5", "[\"tlsv1.2\"]"] {
        assert_eq!(with_versions(name).unwrap().versions()[0].version, ProtocolVersion::TLSv1_2, "{name}");
        assert_eq!(with_versions(name).unwrap().versions().len(), 1, "{name}");
    }
    for name in ["TLSv1.3", "tlsv1.3", "TLS1.3", "1.3", "TLSv1_3", "6"] {
        assert_eq!(with_versions(name).unwrap().version_names(), ["TLSv1.3"], "{name}");
    }
    for name in ["TLS", "tls", "TLSv1.2 TLSv1.3", "TLSv1.3:TLSv1.2", "9"] {
        assert_eq!(with_versions(name).unwrap().version_names(), ["TLSv1.3", "TLSv1.2"], "{name}");
    }
}

#[test]
fn every_spelling_of_an_old_version_alone_is_refused_by_name() {
    for name in ["SSLv2", "SSLv3", "TLSv1", "tlsv1.0", "TLSv1.1", "tlsv1.1", "1", "2", "3", "4", "1.0", "1.1"] {
        let spec = PolicySpec { versions: Some(name.to_owned()), ..PolicySpec::default() };
        let error = Policy::from_spec(&spec).unwrap_err();
        assert_eq!(error.code(), Code::VersionNotSupported, "{name}");
        assert!(error.detail().contains(name), "{error}");
        assert!(error.detail().contains("prohibited") || error.detail().contains("deprecated"), "{error}");
    }
}

#[test]
fn numbers_of_arangodb_are_named_in_words_too() {
    let spec = PolicySpec { versions: Some("4".to_owned()), ..PolicySpec::default() };
    assert!(Policy::from_spec(&spec).unwrap_err().detail().contains("4 (TLSv1)"));
}

#[test]
fn emqx_list_keeps_what_is_served_and_reports_the_rest() {
    let policy = with_versions(r#"["tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1"]"#).unwrap();
    assert_eq!(policy.version_names(), ["TLSv1.3", "TLSv1.2"]);
    assert_eq!(names(policy.not_served()), ["tlsv1.1", "tlsv1"]);
    assert!(policy.not_served().iter().all(|line| line.reason.contains("RFC 8996")));
}

#[test]
fn mistyped_and_hostile_versions_are_refused() {
    for name in ["TLSv1.4", "tlsv12,TLSv1.2", "7", "TLSv1.2-TLSv1.3", "", " , ", "TLSv1.2\0", "\u{feff}TLS"] {
        assert_eq!(with_versions(name).unwrap_err(), Code::VersionNotSupported, "{name:?}");
    }
    assert_eq!(with_versions(&"TLS,".repeat(1_000_000)).unwrap_err(), Code::VersionNotSupported);
}

#[test]
fn groups_are_taken_by_openssl_java_and_iana_names_in_the_order_given() {
    let list = "P-384:prime256v1,x25519 X25519MLKEM768";
    let policy = Policy::from_spec(&spec(Preset::Intermediate, "", "", list)).unwrap();
    assert_eq!(policy.group_names(), ["secp384r1", "secp256r1", "X25519", "X25519MLKEM768"]);
    assert_usable(&policy);
}

#[test]
fn groups_in_openssl_3_5_form_are_read() {
    let list = "?SecP384r1MLKEM1024:*X25519MLKEM768/?future:X25519:DEFAULT:-secp384r1";
    let policy = Policy::from_spec(&spec(Preset::Intermediate, "", "", list)).unwrap();
    assert_eq!(policy.group_names(), ["X25519MLKEM768", "X25519", "secp256r1"]);
    assert!(policy.not_served().is_empty());
}

#[test]
fn known_group_that_is_not_served_is_reported_and_alone_refused() {
    let policy = Policy::from_spec(&spec(Preset::Intermediate, "", "", "secp521r1:X25519:ffdhe2048")).unwrap();
    assert_eq!(policy.group_names(), ["X25519"]);
    assert_eq!(names(policy.not_served()), ["secp521r1", "ffdhe2048"]);
    let error = Policy::from_spec(&spec(Preset::Intermediate, "", "", "brainpoolP256r1:ffdhe2048")).unwrap_err();
    assert_eq!(error.code(), Code::GroupNotSupported);
    assert!(error.detail().contains("brainpoolP256r1: ") && error.detail().contains("ffdhe2048: "), "{error}");
}

#[test]
fn mistyped_empty_and_hostile_groups_are_refused() {
    for list in ["X25518", "X25519:prime256v2", " ", "é", "-X25519", &"X25519:".repeat(100_000)] {
        let error = Policy::from_spec(&spec(Preset::Intermediate, "", "", list)).unwrap_err();
        assert_eq!(error.code(), Code::GroupNotSupported, "{list:.40}");
    }
}

#[test]
fn groups_of_tls_1_3_alone_drop_tls_1_2_and_refuse_it_alone() {
    let policy = Policy::from_spec(&spec(Preset::Intermediate, "", "", "X25519MLKEM768")).unwrap();
    assert_eq!(policy.version_names(), ["TLSv1.3"]);
    assert_eq!(names(policy.not_served()), ["TLSv1.2"]);
    assert_usable(&policy);
    let error = Policy::from_spec(&spec(Preset::Intermediate, "TLSv1.2", "", "X25519MLKEM768")).unwrap_err();
    assert_eq!(error.code(), Code::GroupNotSupported);
}

#[test]
fn suites_of_tls_1_3_alone_drop_tls_1_2_and_refuse_it_alone() {
    let policy = Policy::from_spec(&spec(Preset::Intermediate, "", "TLS_AES_128_GCM_SHA256", "")).unwrap();
    assert_eq!(policy.cipher_suite_names(), ["TLS_AES_128_GCM_SHA256"]);
    assert_eq!(names(policy.not_served()), ["TLSv1.2"]);
    assert_usable(&policy);
    let error = Policy::from_spec(&spec(Preset::Intermediate, "TLSv1.2", "TLS_AES_128_GCM_SHA256", "")).unwrap_err();
    assert_eq!(error.code(), Code::NoCipherSuite);
    assert!(error.detail().contains("TLSv1.3 is not allowed"), "{error}");
}

#[test]
fn suites_of_tls_1_2_leave_those_of_tls_1_3_alone() {
    let policy = Policy::from_spec(&spec(Preset::Intermediate, "", "ECDHE-RSA-AES128-GCM-SHA256", "")).unwrap();
    assert_eq!(policy.version_names(), ["TLSv1.3", "TLSv1.2"]);
    assert_eq!(policy.cipher_suites().len(), 4);
    let policy = Policy::from_spec(&spec(Preset::Modern, "", "ECDHE-RSA-AES128-GCM-SHA256", "")).unwrap();
    assert_eq!(policy.cipher_suites().len(), 3);
    assert_eq!(names(policy.not_served()), ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
    assert_usable(&policy);
}

#[test]
fn suite_of_tls_1_3_is_taken_away_by_its_name() {
    let policy = Policy::from_spec(&spec(Preset::Modern, "", "!TLS_AES_256_GCM_SHA384", "")).unwrap();
    assert_eq!(policy.cipher_suite_names(), ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"]);
}

#[test]
fn unserved_suite_of_tls_1_3_drops_the_version_where_tls_1_2_is_left() {
    let text = "TLS_AES_128_CCM_SHA256,ECDHE-RSA-AES128-GCM-SHA256";
    let policy = Policy::from_spec(&spec(Preset::Intermediate, "", text, "")).unwrap();
    assert_eq!(policy.version_names(), ["TLSv1.2"]);
    assert_eq!(names(policy.not_served()), ["TLS_AES_128_CCM_SHA256", "TLSv1.3"]);
    assert_usable(&policy);
}
