//! Peers' certificates through chains, by direct trust and by name, with every switch off.

mod cases;
mod handshake_signatures;
mod hostile;
mod paths;
mod proof;
mod signatures;
mod switches;

use std::net::IpAddr;

use brokertls::error::Code;
use brokertls::keystore::TrustedCertificate;
use brokertls::verify::{Deviations, PeerVerifier, Purpose};
use rcgen::{
    BasicConstraints, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints,
    SanType,
};
use rustls::pki_types::{CertificateDer, ServerName};

use crate::rig::pki::{
    Key, Made, ca, code, expired, host, host_without_names, not_yet_valid, now, only_for, rewritten, self_signed,
    verify, verify_for,
};

const HOST: &str = "broker.example.com";

#[test]
fn chain_to_a_trusted_ca_is_accepted_with_its_path() {
    let root = self_signed(ca("Root"));
    let issuing = root.issue(ca("Issuing"));
    let server = issuing.issue(host(HOST));
    let verdict = verify(&[&root], &[], &[&server.der, &issuing.der], Some(HOST)).unwrap();
    assert_eq!(verdict.path, [server.der, issuing.der, root.der]);
    assert!(!verdict.direct);
    assert_eq!(verdict.deviations, []);
}

#[test]
fn chain_in_any_order_with_root_and_strangers_is_accepted() {
    let root = self_signed(ca("Root"));
    let first = root.issue(ca("First"));
    let second = first.issue(ca("Second"));
    let server = second.issue(host(HOST));
    let stranger = self_signed(ca("Stranger"));
    let sent = [&server.der, &root.der, &stranger.der, &first.der, &second.der];
    let verdict = verify(&[&root], &[], &sent, Some(HOST)).unwrap();
    assert_eq!(verdict.path, [server.der, second.der, first.der, root.der]);
}

#[test]
fn trusted_issuing_ca_is_an_anchor_without_its_root() {
    let issuing = self_signed(ca("Root")).issue(ca("Issuing"));
    let server = issuing.issue(host(HOST));
    let verdict = verify(&[&issuing], &[], &[&server.der], Some(HOST)).unwrap();
    assert_eq!(verdict.path, [server.der, issuing.der]);
}

#[test]
fn version_1_root_is_an_anchor() {
    let root = self_signed(ca("Old Root"));
    let server = root.issue(host(HOST));
    let root = root.self_signed_as_version_1();
    assert_eq!(verify(&[&root], &[], &[&server.der], Some(HOST)).unwrap().path, [server.der, root.der]);
    let stranger = self_signed(ca("Old Root")).issue(host(HOST));
    assert_eq!(
        code(verify(&[&self_signed(ca("Old Root")).self_signed_as_version_1()], &[], &[&stranger.der], Some(HOST))),
        Code::CertSignatureInvalid
    );
}

#[test]
fn unknown_issuer_is_refused_and_named() {
    let issuing = self_signed(ca("Root")).issue(ca("Issuing"));
    let server = issuing.issue(host(HOST));
    let refused = verify(&[&self_signed(ca("Other"))], &[], &[&server.der, &issuing.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertUnknownIssuer);
    assert!(
        refused.detail().starts_with("\"CN=Root\", the issuer of certificate 2 of 2 (subject \"CN=Issuing\""),
        "{refused}"
    );
}

#[test]
fn self_signed_certificate_that_is_not_trusted_is_refused_as_such() {
    for params in [host(HOST), ca(HOST)] {
        let server = self_signed(params);
        assert_eq!(code(verify(&[&self_signed(ca("Root"))], &[], &[&server.der], Some(HOST))), Code::CertSelfSigned);
    }
    let server = self_signed(host(HOST));
    let renewed = self_signed(host(HOST));
    let refused = verify(&[&server], &[], &[&renewed.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertSelfSigned);
    assert!(
        refused.hint().starts_with("test.ts, alias one has another certificate of this subject"),
        "{}",
        refused.hint()
    );
}

#[test]
fn chain_with_its_own_root_is_refused_naming_that_root() {
    let root = self_signed(ca("Private Root"));
    let server = root.issue(host(HOST));
    let refused = verify(&[&self_signed(ca("Other"))], &[], &[&server.der, &root.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertSelfSignedInChain);
    assert!(refused.detail().starts_with("certificate 2 of 2 (subject \"CN=Private Root\""), "{refused}");
}

#[test]
fn dates_are_checked_of_every_certificate_sent() {
    let root = self_signed(ca("Root"));
    let issuing = root.issue(ca("Issuing"));
    let server = issuing.issue(expired(host(HOST)));
    let refused = verify(&[&root], &[], &[&server.der, &issuing.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertExpired);
    let dates = "is valid until 2025-12-31T00:00:00Z, it is 2026-01-01T00:00:00Z";
    assert!(refused.detail().starts_with("certificate 1 of 2") && refused.detail().ends_with(dates), "{refused}");

    let server = issuing.issue(not_yet_valid(host(HOST)));
    let refused = verify(&[&root], &[], &[&server.der, &issuing.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertNotYetValid);
    assert!(refused.detail().ends_with("is valid from 2026-01-02T00:00:00Z, it is 2026-01-01T00:00:00Z"), "{refused}");

    let issuing = root.issue(expired(ca("Issuing")));
    let server = issuing.issue(host(HOST));
    let refused = verify(&[&root], &[], &[&server.der, &issuing.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertExpired);
    assert!(refused.detail().starts_with("certificate 2 of 2"), "{refused}");
}

#[test]
fn wrong_signature_is_refused_with_a_hint_at_the_namesake() {
    let root = self_signed(ca("Root"));
    let server = root.issue(host(HOST));
    assert_eq!(code(verify(&[&root], &[], &[&server.with_broken_signature()], Some(HOST))), Code::CertSignatureInvalid);
    let made_again = self_signed(ca("Root"));
    let refused = verify(&[&made_again], &[], &[&server.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertSignatureInvalid);
    assert!(refused.hint().starts_with("test.ts, alias one has the issuer's name"), "{}", refused.hint());
}

#[test]
fn purpose_counts_where_it_is_given() {
    let root = self_signed(ca("Root"));
    let client_only = root.issue(only_for(ExtendedKeyUsagePurpose::ClientAuth, host(HOST)));
    let refused = verify(&[&root], &[], &[&client_only.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertPurposeMismatch);
    assert!(refused.detail().contains("does not name serverAuth"), "{refused}");
    assert!(verify_for(Purpose::Client, &[&root], &[], &[&client_only.der], None).is_ok());

    let server_only = root.issue(only_for(ExtendedKeyUsagePurpose::ServerAuth, host(HOST)));
    let refused = verify_for(Purpose::Client, &[&root], &[], &[&server_only.der], None);
    assert_eq!(code(refused), Code::CertPurposeMismatch);

    let mut any = host(HOST);
    any.extended_key_usages.clear();
    let any = root.issue(any);
    assert!(verify(&[&root], &[], &[&any.der], Some(HOST)).is_ok());
    assert!(verify_for(Purpose::Client, &[&root], &[], &[&any.der], None).is_ok());
}

#[test]
fn issuer_that_is_no_ca_is_refused() {
    let root = self_signed(ca("Root"));
    let plain = root.issue(host("Plain"));
    let server = plain.issue(host(HOST));
    let refused = verify(&[&root], &[], &[&server.der, &plain.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertIssuerNotCa);
    assert!(refused.detail().starts_with("certificate 2 of 2 (subject \"CN=Plain\""), "{refused}");

    let mut no_signing = ca("No Signing");
    no_signing.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let no_signing = root.issue(no_signing);
    let server = no_signing.issue(host(HOST));
    assert_eq!(code(verify(&[&root], &[], &[&server.der, &no_signing.der], Some(HOST))), Code::CertIssuerNotCa);
}

#[test]
fn certificate_trusted_for_itself_vouches_for_no_other() {
    let client = self_signed(host("client"));
    let forged = client.issue(host("admin"));
    let refused = verify_for(Purpose::Client, &[&client], &[], &[&forged.der], None).unwrap_err();
    assert_eq!(refused.code(), Code::CertIssuerNotCa);
    assert!(refused.detail().contains("test.ts, alias one, which is trusted for itself only"), "{refused}");
    let refused = verify_for(Purpose::Client, &[&client], &[], &[&forged.der, &client.der], None);
    assert_eq!(code(refused), Code::CertIssuerNotCa);
}

#[test]
fn path_length_is_held() {
    let mut root = ca("Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let outer = self_signed(ca("Outer"));
    let root = outer.issue(root);
    let issuing = root.issue(ca("Issuing"));
    let server = issuing.issue(host(HOST));
    let refused = verify(&[&outer], &[], &[&server.der, &issuing.der, &root.der], Some(HOST));
    assert_eq!(code(refused), Code::CertPathLength);
}

#[test]
fn name_constraints_are_held() {
    let mut limited = ca("Limited");
    let permitted_subtrees = vec![GeneralSubtree::DnsName("example.com".to_owned())];
    limited.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
    let limited = self_signed(limited);
    assert!(verify(&[&limited], &[], &[&limited.issue(host(HOST)).der], Some(HOST)).is_ok());
    let outside = limited.issue(host("broker.example.org"));
    let refused = verify(&[&limited], &[], &[&outside.der], Some("broker.example.org"));
    assert_eq!(code(refused), Code::CertNameConstraint);
}

#[test]
fn unknown_critical_extension_is_refused_also_in_a_trusted_certificate() {
    let root = self_signed(ca("Root"));
    let mut params = host(HOST);
    let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55738, 1], vec![0x05, 0x00]);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
    let server = root.issue(params);
    assert_eq!(code(verify(&[&root], &[], &[&server.der], Some(HOST))), Code::CertCriticalExtension);
    assert_eq!(code(verify(&[&server], &[], &[&server.der], Some(HOST))), Code::CertCriticalExtension);
}

#[test]
fn sha1_signature_is_refused_by_name() {
    let root = self_signed(ca("Root"));
    let server = root.issue(host(HOST));
    let ecdsa_with_sha1 = vec![0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
    let der = rewritten(&server.der, &root.key, |fields| fields[2] = ecdsa_with_sha1);
    let refused = verify(&[&root], &[], &[&der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertAlgorithmUnsupported);
    assert!(refused.detail().ends_with("is signed with ecdsa-with-SHA1"), "{refused}");
}

#[test]
fn names_of_each_kind_are_matched() {
    let root = self_signed(ca("Root"));
    let accepted = [
        ("broker.example.com", "broker.example.com"),
        ("broker.example.com", "BROKER.Example.com"),
        ("broker.example.com", "broker.example.com."),
        ("*.example.com", "broker.example.com"),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8:0:0:0:0:0:7"),
    ];
    for (certified, wanted) in accepted {
        let server = root.issue(host(certified));
        assert!(verify(&[&root], &[], &[&server.der], Some(wanted)).is_ok(), "{certified} for {wanted}");
    }
    let refused = [
        ("broker.example.com", "example.com"),
        ("broker.example.com", "broker.example.org"),
        ("*.example.com", "example.com"),
        ("*.example.com", "a.broker.example.com"),
        ("*.com", "example.com"),
        ("b*.example.com", "broker.example.com"),
        ("192.0.2.7", "192.0.2.8"),
        ("2001:db8::7", "2001:db8::8"),
        ("192.0.2.7", "::ffff:192.0.2.7"),
        ("broker.example.com", "192.0.2.7"),
        ("192.0.2.7", "broker.example.com"),
    ];
    for (certified, wanted) in refused {
        let server = root.issue(host(certified));
        assert_eq!(code(verify(&[&root], &[], &[&server.der], Some(wanted))), Code::CertNameMismatch, "{certified}");
    }
}

#[test]
fn ip_address_written_as_dns_name_is_no_address() {
    let root = self_signed(ca("Root"));
    let mut params = host(HOST);
    params.subject_alt_names = vec![SanType::DnsName("192.0.2.7".try_into().unwrap())];
    let server = root.issue(params);
    assert_eq!(code(verify(&[&root], &[], &[&server.der], Some("192.0.2.7"))), Code::CertNameMismatch);
}

#[test]
fn name_mismatch_lists_the_names_that_there_are() {
    let root = self_signed(ca("Root"));
    let mut params = host("one.example.com");
    params.subject_alt_names.push(SanType::IpAddress(IpAddr::from([192, 0, 2, 7])));
    let server = root.issue(params);
    let refused = verify(&[&root], &[], &[&server.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertNameMismatch);
    let listed = "broker.example.com is not among its names, DNS:one.example.com, IP:192.0.2.7 (subject ";
    assert!(refused.detail().starts_with(listed), "{refused}");

    let mut params = host("one.example.com");
    params.subject_alt_names =
        (0..500).map(|i| SanType::DnsName(format!("h{i}.example").try_into().unwrap())).collect();
    let refused = verify(&[&root], &[], &[&root.issue(params).der], Some(HOST)).unwrap_err();
    assert!(refused.detail().contains("DNS:h7.example and 492 more"), "{refused}");
}

#[test]
fn common_name_alone_is_no_name() {
    let root = self_signed(ca("Root"));
    let server = root.issue(host_without_names(HOST));
    let refused = verify(&[&root], &[], &[&server.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertNoName);
    assert!(refused.hint().ends_with("allow insecure-common-name."), "{}", refused.hint());
}

#[test]
fn certificate_in_the_trust_store_is_trusted_directly_whatever_its_shape() {
    let issued = self_signed(ca("Unknown Root")).issue(host(HOST));
    let made = self_signed(host(HOST));
    let mut as_ca = host(HOST);
    as_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let as_ca = self_signed(as_ca);
    for server in [issued, made, as_ca] {
        let verdict = verify(&[&server], &[], &[&server.der], Some(HOST)).unwrap();
        assert!(verdict.direct);
        assert_eq!(verdict.path, [server.der]);
        assert_eq!(verdict.deviations, []);
    }
    let old = self_signed(host("client")).self_signed_as_version_1();
    let verdict = verify_for(Purpose::Client, &[&old], &[], &[&old.der], None).unwrap();
    assert!(verdict.direct);
    assert_eq!(verdict.deviations, []);
}

#[test]
fn directly_trusted_certificate_still_needs_dates_purpose_and_name() {
    let accepted = |made: &Made| verify(&[made], &[], &[&made.der], Some(HOST));
    assert_eq!(code(accepted(&self_signed(expired(host(HOST))))), Code::CertExpired);
    assert_eq!(code(accepted(&self_signed(not_yet_valid(host(HOST))))), Code::CertNotYetValid);
    let client_only = self_signed(only_for(ExtendedKeyUsagePurpose::ClientAuth, host(HOST)));
    assert_eq!(code(accepted(&client_only)), Code::CertPurposeMismatch);
    assert_eq!(code(accepted(&self_signed(host("other.example.com")))), Code::CertNameMismatch);
    assert_eq!(code(accepted(&self_signed(ca(HOST)))), Code::CertNoName);
}

#[test]
fn certificate_that_differs_in_one_bit_is_not_trusted_directly() {
    let server = self_signed(host(HOST));
    assert_eq!(code(verify(&[&server], &[], &[&server.with_broken_signature()], Some(HOST))), Code::CertSelfSigned);
}

#[test]
fn no_certificate_is_refused_with_cert_missing() {
    for purpose in [Purpose::Server, Purpose::Client] {
        let refused = verify_for(purpose, &[], &[], &[], None).unwrap_err();
        assert_eq!(refused.code(), Code::CertMissing);
    }
}

#[test]
fn trust_that_is_no_certificate_is_refused_with_its_place() {
    let garbage = TrustedCertificate::new(CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]), "broker.ts, alias odd");
    let refused = PeerVerifier::new(vec![garbage], Deviations::default()).unwrap_err();
    assert_eq!(refused.code(), Code::CertificateMalformed);
    assert!(refused.detail().starts_with("broker.ts, alias odd: "), "{refused}");
}

#[test]
fn names_to_send_are_subjects_of_cas_and_issuers_of_the_rest_each_once() {
    let root = self_signed(ca("Root"));
    let client = self_signed(ca("Elsewhere")).issue(host("client"));
    let trust = vec![root.trusted(), root.trusted(), client.trusted()];
    let verifier = PeerVerifier::new(trust, Deviations::default()).unwrap();
    let text = |der: &[u8]| String::from_utf8_lossy(der).into_owned();
    let names: Vec<_> = verifier.subjects().iter().map(|name| text(name.as_ref())).collect();
    assert_eq!(names.len(), 3);
    for (name, expected) in names.iter().zip(["Root", "client", "Elsewhere"]) {
        assert!(name.ends_with(expected), "{names:?}");
    }
    assert_eq!(verifier.trusted().len(), 3);
}

#[test]
fn names_to_send_are_left_out_where_java_would_refuse_the_message() {
    let key = Key::new();
    let client = |i: usize| self_signed_once(&key, &format!("client {i} of a broker with very many of them"));
    let trust = (0..600).map(client).collect();
    assert!(PeerVerifier::new(trust, Deviations::default()).unwrap().subjects().is_empty());
}

fn self_signed_once(key: &Key, name: &str) -> TrustedCertificate {
    TrustedCertificate::new(host(name).self_signed(key).unwrap().der().clone(), name)
}

#[test]
fn one_verifier_serves_every_thread() {
    fn shared<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    let root = self_signed(ca("Root"));
    let server = root.issue(host(HOST));
    let verifier = PeerVerifier::new(vec![root.trusted()], Deviations::default()).unwrap();
    shared(&verifier);
    let name = ServerName::try_from(HOST).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                verifier.verify(std::slice::from_ref(&server.der), Purpose::Server, Some(&name), now()).unwrap()
            });
        }
    });
}
