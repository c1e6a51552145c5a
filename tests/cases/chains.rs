//! Chains of certificates.

use crate::kept::{assert_accepted, assert_refused, client, client_of, kept};

#[test]
fn issuer_in_another_string_type_is_the_same_issuer() {
    let ran = client_of("03-issuer-name-other-string-type", &[]);
    assert_accepted(&ran);
}

#[test]
fn critical_policies_of_an_intermediate_are_accepted() {
    assert_accepted(&client_of("07-critical-policies-of-intermediate", &[]));
}

#[test]
fn critical_inhibit_any_policy_of_an_intermediate_is_accepted() {
    assert_accepted(&client_of("07b-inhibit-any-policy-of-intermediate", &[]));
}

#[test]
fn odd_certificate_in_a_bundle_is_warned_about_and_the_others_count() {
    let ran = client_of("11-one-odd-certificate-in-a-bundle", &[]);
    assert_accepted(&ran);
    assert!(ran.err.contains("trust.pem, line 1"), "{ran:?}");
}

#[test]
fn parameters_of_a_curve_that_are_written_out_are_named() {
    let ran = client_of("14-ec-parameters-written-out", &[]);
    assert_refused(&ran, "CERT_ALGORITHM_UNSUPPORTED", &["named curve"]);
    let chain = kept("14-ec-parameters-written-out/chain.pem");
    assert_refused(&client(&chain, &chain, &[]), "CERT_ALGORITHM_UNSUPPORTED", &["named curve"]);
}

#[test]
fn version_1_written_explicitly_is_accepted_with_its_switch() {
    let case = "17-version-1-written-explicitly";
    assert_refused(&client_of(case, &[]), "CERT_VERSION_UNSUPPORTED", &["insecure-x509-v1"]);
    assert_accepted(&client_of(case, &["--allow", "insecure-x509-v1"]));
}

#[test]
fn end_entity_that_may_not_sign_is_refused() {
    let case = "20-key-usage-without-digital-signature";
    assert_refused(&client_of(case, &[]), "CERT_KEY_USAGE", &["digitalSignature", "insecure-key-usage"]);
    assert_accepted(&client_of(case, &["--allow", "insecure-key-usage"]));
}

#[test]
fn common_name_outside_of_a_constraint_is_refused() {
    let ran = client_of("21-common-name-outside-of-constraint", &[]);
    assert_refused(&ran, "CERT_NAME_CONSTRAINT", &["device.evil.net"]);
}

#[test]
fn constraint_on_uris_is_said_not_to_be_compared() {
    let ran = client_of("22-uri-constraint", &[]);
    assert_refused(&ran, "CERT_CONSTRAINT_UNSUPPORTED", &["URIs", "certificate 2 of 2"]);
}

#[test]
fn rsa_pss_with_another_salt_is_accepted() {
    assert_accepted(&client_of("23-rsa-pss-with-another-salt", &[]));
}

#[test]
fn any_extended_key_usage_of_an_end_entity_is_said_not_to_count() {
    let ran = client_of("24-any-extended-key-usage", &[]);
    assert_refused(&ran, "CERT_PURPOSE_MISMATCH", &["anyExtendedKeyUsage"]);
}

#[test]
fn any_extended_key_usage_of_an_intermediate_is_told_of_a_ca() {
    let ran = client_of("24b-any-extended-key-usage-of-intermediate", &[]);
    assert_refused(&ran, "CERT_PURPOSE_MISMATCH", &["anyExtendedKeyUsage", "certificate 2 of 2"]);
    assert!(!ran.out.contains("belongs to a client"), "{ran:?}");
}
