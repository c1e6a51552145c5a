//! The named deviations: each switch accepts what it names, and no other defect with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use brokertls::error::Code;
use brokertls::keystore::TrustedCertificate;
use brokertls::verify::{Deviation, Deviations, PeerVerifier, Purpose};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, NameConstraints,
    SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::rig::pki::{
    Key, Made, ca, code, element, expired, host, host_without_names, not_yet_valid, only_for, rewritten, self_signed,
    self_signed_for, verify, verify_for,
};

const HOST: &str = "broker.example.com";

/// A CA that may certify hosts below example.com only.
fn limited_ca() -> Made {
    let mut params = ca("Limited");
    let permitted_subtrees = vec![GeneralSubtree::DnsName("example.com".to_owned())];
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
    self_signed(params)
}

fn with_ca_flag(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// Every switch but one.
fn all_but(left_out: Deviation) -> Vec<Deviation> {
    Deviation::ALL.iter().copied().filter(|switch| *switch != left_out).collect()
}

#[test]
fn switches_are_found_by_their_names_and_off_by_default() {
    for switch in Deviation::ALL {
        assert_eq!(Deviation::from_name(switch.name()), Some(*switch));
        assert!(switch.name().starts_with("insecure-"), "{}", switch.name());
        assert!(!switch.meaning().is_empty());
        assert!(!Deviations::default().contains(*switch));
        let one: Deviations = [*switch].into_iter().collect();
        assert_eq!(one.iter().collect::<Vec<_>>(), [*switch]);
    }
    assert_eq!(Deviation::from_name("insecure"), None);
    let all: Deviations = Deviation::ALL.iter().copied().collect();
    assert_eq!(all.iter().collect::<Vec<_>>(), Deviation::ALL);
}

#[test]
fn version_1_is_accepted_under_a_ca_with_its_switch_alone() {
    let root = self_signed(ca("Root"));
    let client = root.issue_version_1(host("client"));
    let refused = verify_for(Purpose::Client, &[&root], &all_but(Deviation::X509V1), &[&client.der], None).unwrap_err();
    assert_eq!(refused.code(), Code::CertVersionUnsupported);
    assert!(refused.hint().ends_with("allow insecure-x509-v1."), "{}", refused.hint());

    let verdict = verify_for(Purpose::Client, &[&root], &[Deviation::X509V1], &[&client.der], None).unwrap();
    assert_eq!(verdict.deviations, [Deviation::X509V1]);
    assert_eq!(verdict.path, [client.der, root.der]);
    assert!(!verdict.direct);
}

#[test]
fn version_1_under_an_intermediate_is_accepted_with_its_switch() {
    let root = self_signed(ca("Root"));
    let issuing = root.issue(ca("Issuing"));
    let client = issuing.issue_version_1(host("client"));
    let chain = [&client.der, &issuing.der];
    let verdict = verify_for(Purpose::Client, &[&root], &[Deviation::X509V1], &chain, None).unwrap();
    assert_eq!(verdict.path, [client.der, issuing.der, root.der]);
}

#[test]
fn version_1_with_another_defect_is_refused_with_that_defect() {
    let root = self_signed(ca("Root"));
    let refused = |chain: &[&CertificateDer<'static>], name| code(verify(&[&root], Deviation::ALL, chain, name));
    let made = |params| root.issue_version_1(params);
    assert_eq!(refused(&[&made(expired(host(HOST))).der], None), Code::CertExpired);
    assert_eq!(refused(&[&made(not_yet_valid(host(HOST))).der], None), Code::CertNotYetValid);
    assert_eq!(refused(&[&made(host(HOST)).with_broken_signature()], None), Code::CertSignatureInvalid);
    let stranger = self_signed(ca("Stranger"));
    assert_eq!(refused(&[&stranger.issue_version_1(host(HOST)).der], None), Code::CertUnknownIssuer);
    let namesake = self_signed(ca("Root"));
    assert_eq!(refused(&[&namesake.issue_version_1(host(HOST)).der], None), Code::CertSignatureInvalid);
    let own = self_signed(host(HOST)).self_signed_as_version_1();
    assert_eq!(refused(&[&own.der], None), Code::CertSelfSigned);
    assert_eq!(refused(&[&made(host("other.example.com")).der], Some(HOST)), Code::CertNameMismatch);
    assert_eq!(code(verify(&[&root], &[Deviation::X509V1], &[&made(host(HOST)).der], Some(HOST))), Code::CertNoName);
    let plain = root.issue(host("plain"));
    assert_eq!(refused(&[&plain.issue_version_1(host(HOST)).der, &plain.der], None), Code::CertIssuerNotCa);
}

#[test]
fn version_1_issuer_in_the_chain_is_refused_with_its_switch() {
    let root = self_signed(ca("Root"));
    let old = root.issue_version_1(ca("Old Issuing"));
    let server = old.issue(host(HOST));
    let refused = verify(&[&root], Deviation::ALL, &[&server.der, &old.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertVersionUnsupported);
    assert!(refused.detail().starts_with("version 1 of certificate 2 of 2"), "{refused}");
}

#[test]
fn version_2_and_version_1_with_extensions_are_refused_with_the_switch() {
    let root = self_signed(ca("Root"));
    let made = root.issue(host(HOST));
    let without_version = rewritten(&made.der, &root.key, |fields| drop(fields.remove(0)));
    assert!(verify(&[&root], Deviation::ALL, &[&without_version], None).is_err());
    let version_2 = rewritten(&made.der, &root.key, |fields| {
        fields[0] = element(0xa0, &element(0x02, &[1]));
        fields.pop();
    });
    assert_eq!(code(verify(&[&root], Deviation::ALL, &[&version_2], None)), Code::CertVersionUnsupported);
}

#[test]
fn name_constraints_hold_for_version_1_with_its_common_name() {
    let root = limited_ca();
    let switches = [Deviation::X509V1, Deviation::CommonName];
    let inside = root.issue_version_1(host(HOST));
    let verdict = verify(&[&root], &switches, &[&inside.der], Some(HOST)).unwrap();
    assert_eq!(verdict.deviations, switches);
    let outside = root.issue_version_1(host("broker.example.org"));
    let refused = verify(&[&root], &switches, &[&outside.der], Some("broker.example.org"));
    assert_eq!(code(refused), Code::CertNameConstraint);
}

#[test]
fn ca_as_end_entity_is_accepted_under_a_ca_with_its_switch_alone() {
    let root = self_signed(ca("Root"));
    let server = root.issue(with_ca_flag(host(HOST)));
    let refused = verify(&[&root], &all_but(Deviation::CaAsEndEntity), &[&server.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertCaAsEndEntity);
    assert!(refused.hint().ends_with("allow insecure-ca-as-end-entity."), "{}", refused.hint());

    let verdict = verify(&[&root], &[Deviation::CaAsEndEntity], &[&server.der], Some(HOST)).unwrap();
    assert_eq!(verdict.deviations, [Deviation::CaAsEndEntity]);
    assert_eq!(verdict.path, [server.der, root.der]);
}

#[test]
fn ca_as_end_entity_does_not_count_towards_the_path_length() {
    let mut issuing = ca("Issuing");
    issuing.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = self_signed(ca("Root"));
    let issuing = root.issue(issuing);
    let server = issuing.issue(with_ca_flag(host(HOST)));
    let chain = [&server.der, &issuing.der];
    assert!(verify(&[&root], &[Deviation::CaAsEndEntity], &chain, Some(HOST)).is_ok());
}

#[test]
fn ca_as_end_entity_with_another_defect_is_refused_with_that_defect() {
    let root = self_signed(ca("Root"));
    let refused = |der: &CertificateDer<'static>| code(verify(&[&root], Deviation::ALL, &[der], Some(HOST)));
    let made = |params| root.issue(with_ca_flag(params));
    assert_eq!(refused(&made(expired(host(HOST))).der), Code::CertExpired);
    assert_eq!(refused(&made(not_yet_valid(host(HOST))).der), Code::CertNotYetValid);
    assert_eq!(refused(&made(host(HOST)).with_broken_signature()), Code::CertSignatureInvalid);
    assert_eq!(refused(&made(host("other.example.com")).der), Code::CertNameMismatch);
    let client_only = made(only_for(ExtendedKeyUsagePurpose::ClientAuth, host(HOST)));
    assert_eq!(refused(&client_only.der), Code::CertPurposeMismatch);
    let stranger = self_signed(ca("Stranger"));
    assert_eq!(refused(&stranger.issue(with_ca_flag(host(HOST))).der), Code::CertUnknownIssuer);
    assert_eq!(refused(&self_signed(with_ca_flag(host(HOST))).der), Code::CertSelfSigned);
    let without_names = made(host_without_names(HOST));
    let no_name = verify(&[&root], &[Deviation::CaAsEndEntity], &[&without_names.der], Some(HOST));
    assert_eq!(code(no_name), Code::CertNoName);

    let limited = limited_ca();
    let outside = limited.issue(with_ca_flag(host("broker.example.org")));
    let outside = verify(&[&limited], Deviation::ALL, &[&outside.der], Some("broker.example.org"));
    assert_eq!(code(outside), Code::CertNameConstraint);
}

#[test]
fn switch_for_end_entities_lets_no_end_entity_issue() {
    let root = self_signed(ca("Root"));
    let plain = root.issue(host("plain"));
    let server = plain.issue(with_ca_flag(host(HOST)));
    let refused = verify(&[&root], Deviation::ALL, &[&server.der, &plain.der], Some(HOST));
    assert_eq!(code(refused), Code::CertIssuerNotCa);
}

#[test]
fn common_name_is_accepted_where_there_is_no_other_name_with_its_switch_alone() {
    let root = self_signed(ca("Root"));
    for (common_name, wanted) in [
        (HOST, HOST),
        (HOST, "BROKER.example.com"),
        ("*.example.com", HOST),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
    ] {
        let server = root.issue(host_without_names(common_name));
        let refused = verify(&[&root], &all_but(Deviation::CommonName), &[&server.der], Some(wanted));
        assert_eq!(code(refused), Code::CertNoName, "{common_name}");
        let verdict = verify(&[&root], &[Deviation::CommonName], &[&server.der], Some(wanted)).unwrap();
        assert_eq!(verdict.deviations, [Deviation::CommonName], "{common_name}");
        assert_eq!(verdict.path, [server.der, root.der.clone()]);
    }
}

#[test]
fn common_name_of_a_directly_trusted_certificate_needs_the_switch_too() {
    for server in [self_signed(ca(HOST)), self_signed(host_without_names(HOST)).self_signed_as_version_1()] {
        assert_eq!(code(verify(&[&server], &[], &[&server.der], Some(HOST))), Code::CertNoName);
        let verdict = verify(&[&server], &[Deviation::CommonName], &[&server.der], Some(HOST)).unwrap();
        assert!(verdict.direct);
        assert_eq!(verdict.deviations, [Deviation::CommonName]);
    }
}

#[test]
fn common_name_beside_names_does_not_count() {
    let root = self_signed(ca("Root"));
    let other_names =
        [SanType::DnsName("other.example.com".try_into().unwrap()), SanType::IpAddress("192.0.2.7".parse().unwrap())];
    for name in other_names {
        let mut params = host(HOST);
        params.subject_alt_names = vec![name];
        let server = root.issue(params);
        assert_eq!(code(verify(&[&root], Deviation::ALL, &[&server.der], Some(HOST))), Code::CertNameMismatch);
    }
}

#[test]
fn common_name_counts_beside_an_email_address() {
    let root = self_signed(ca("Root"));
    let mut params = host(HOST);
    params.subject_alt_names = vec![SanType::Rfc822Name("broker@example.com".try_into().unwrap())];
    let server = root.issue(params);
    assert!(verify(&[&root], &[Deviation::CommonName], &[&server.der], Some(HOST)).is_ok());
}

#[test]
fn most_specific_common_name_alone_counts() {
    let root = self_signed(ca("Root"));
    let mut params = host_without_names("first.example.com");
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), HOST);
    let server = root.issue(params);
    assert!(verify(&[&root], &[Deviation::CommonName], &[&server.der], Some(HOST)).is_ok());
    let refused = verify(&[&root], &[Deviation::CommonName], &[&server.der], Some("first.example.com"));
    assert_eq!(code(refused), Code::CertNameMismatch);
}

#[test]
fn common_name_that_is_no_host_is_no_name() {
    let root = self_signed(ca("Root"));
    for common_name in ["My Broker", "", "broker.example.com\0.evil.example", "broker.example.com ", "*"] {
        let server = root.issue(host_without_names(common_name));
        let refused = verify(&[&root], &[Deviation::CommonName], &[&server.der], Some(HOST));
        assert_eq!(code(refused), Code::CertNoName, "{common_name}");
    }
}

#[test]
fn common_name_with_another_defect_is_refused_with_that_defect() {
    let root = self_signed(ca("Root"));
    let refused = |der: &CertificateDer<'static>| code(verify(&[&root], Deviation::ALL, &[der], Some(HOST)));
    let made = |params| root.issue(params);
    assert_eq!(refused(&made(expired(host_without_names(HOST))).der), Code::CertExpired);
    assert_eq!(refused(&made(not_yet_valid(host_without_names(HOST))).der), Code::CertNotYetValid);
    assert_eq!(refused(&made(host_without_names(HOST)).with_broken_signature()), Code::CertSignatureInvalid);
    assert_eq!(refused(&made(host_without_names("other.example.com")).der), Code::CertNameMismatch);
    assert_eq!(refused(&made(host_without_names("*.com")).der), Code::CertNameMismatch);
    let client_only = made(only_for(ExtendedKeyUsagePurpose::ClientAuth, host_without_names(HOST)));
    assert_eq!(refused(&client_only.der), Code::CertPurposeMismatch);
    assert_eq!(refused(&self_signed(ca("Stranger")).issue(host_without_names(HOST)).der), Code::CertUnknownIssuer);

    let limited = limited_ca();
    let inside = limited.issue(host_without_names(HOST));
    assert!(verify(&[&limited], &[Deviation::CommonName], &[&inside.der], Some(HOST)).is_ok());
    let outside = limited.issue(host_without_names("broker.example.org"));
    let outside = verify(&[&limited], Deviation::ALL, &[&outside.der], Some("broker.example.org"));
    assert_eq!(code(outside), Code::CertNameConstraint);
}

#[test]
fn small_rsa_key_is_accepted_with_its_switch_alone() {
    let root = self_signed(ca("Root"));
    for bits in [1024, 1536, 2047] {
        let server = root.issue_for(host(HOST), Key::rsa(bits));
        let refused = verify(&[&root], &all_but(Deviation::SmallRsa), &[&server.der], Some(HOST)).unwrap_err();
        assert_eq!(refused.code(), Code::CertKeyTooSmall);
        assert!(refused.detail().starts_with(&format!("RSA {bits} at certificate 1 of 1")), "{refused}");
        assert!(refused.hint().ends_with("allow insecure-rsa-1024."), "{}", refused.hint());
        let verdict = verify(&[&root], &[Deviation::SmallRsa], &[&server.der], Some(HOST)).unwrap();
        assert_eq!(verdict.deviations, [Deviation::SmallRsa]);
    }
    let server = root.issue_for(host(HOST), Key::rsa(2048));
    assert_eq!(verify(&[&root], &[Deviation::SmallRsa], &[&server.der], Some(HOST)).unwrap().deviations, []);
}

#[test]
fn small_rsa_keys_of_issuers_are_accepted_with_the_switch_alone() {
    let root = self_signed_for(ca("Small Root"), Key::rsa(1024));
    let issuing = root.issue_for(ca("Small Issuing"), Key::rsa(1024));
    let server = issuing.issue(host(HOST));
    let chain = [&server.der, &issuing.der];
    let refused = verify(&[&root], &all_but(Deviation::SmallRsa), &chain, Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertKeyTooSmall);
    assert!(refused.detail().starts_with("RSA 1024 at certificate 2 of 2"), "{refused}");
    let verdict = verify(&[&root], &[Deviation::SmallRsa], &chain, Some(HOST)).unwrap();
    assert_eq!(verdict.deviations, [Deviation::SmallRsa]);

    let server = root.issue(host(HOST));
    let refused = verify(&[&root], &[], &[&server.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertKeyTooSmall);
    let place = "RSA 1024 at the trusted certificate test.ts, alias one (subject \"CN=Small Root\"";
    assert!(refused.detail().starts_with(place), "{refused}");
    assert!(verify(&[&root], &[Deviation::SmallRsa], &[&server.der], Some(HOST)).is_ok());
}

#[test]
fn small_rsa_key_of_a_directly_trusted_certificate_needs_the_switch_too() {
    let server = self_signed_for(host(HOST), Key::rsa(1024));
    assert_eq!(code(verify(&[&server], &[], &[&server.der], Some(HOST))), Code::CertKeyTooSmall);
    assert!(verify(&[&server], &[Deviation::SmallRsa], &[&server.der], Some(HOST)).unwrap().direct);
}

#[test]
fn rsa_key_under_1024_bits_is_refused_with_the_switch() {
    let root = self_signed(ca("Root"));
    for bits in [512, 1023] {
        let server = root.issue_for(host(HOST), Key::rsa(bits));
        assert_eq!(code(verify(&[&root], Deviation::ALL, &[&server.der], Some(HOST))), Code::CertKeyTooSmall);
        assert_eq!(code(verify(&[&server], Deviation::ALL, &[&server.der], Some(HOST))), Code::CertKeyTooSmall);
        let tiny_root = self_signed_for(ca("Tiny"), Key::rsa(bits));
        let server = tiny_root.issue(host(HOST));
        assert_eq!(code(verify(&[&tiny_root], Deviation::ALL, &[&server.der], Some(HOST))), Code::CertKeyTooSmall);
    }
}

#[test]
fn small_rsa_key_with_another_defect_is_refused_with_that_defect() {
    let root = self_signed_for(ca("Root"), Key::rsa(1024));
    let refused = |der: &CertificateDer<'static>| code(verify(&[&root], Deviation::ALL, &[der], Some(HOST)));
    let made = |params| root.issue_for(params, Key::rsa(1024));
    assert_eq!(refused(&made(expired(host(HOST))).der), Code::CertExpired);
    assert_eq!(refused(&made(not_yet_valid(host(HOST))).der), Code::CertNotYetValid);
    assert_eq!(refused(&made(host(HOST)).with_broken_signature()), Code::CertSignatureInvalid);
    assert_eq!(refused(&made(host("other.example.com")).der), Code::CertNameMismatch);
    let client_only = made(only_for(ExtendedKeyUsagePurpose::ClientAuth, host(HOST)));
    assert_eq!(refused(&client_only.der), Code::CertPurposeMismatch);
    let stranger = self_signed_for(ca("Stranger"), Key::rsa(1024));
    assert_eq!(refused(&stranger.issue(host(HOST)).der), Code::CertUnknownIssuer);
    let namesake = self_signed_for(ca("Root"), Key::rsa(1024));
    assert_eq!(refused(&namesake.issue(host(HOST)).der), Code::CertSignatureInvalid);
}

/// A folder of this test alone, emptied.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn openssl(folder: &Path, arguments: &str) {
    let run = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output();
    let run = run.expect("the openssl command is needed for this test");
    assert!(run.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn certificates_as_openssl_makes_them_without_extensions_are_accepted_with_the_switches() {
    let folder = folder("verify_openssl");
    openssl(&folder, "genrsa -traditional -des3 -passout pass:secret -out ca.key 1024");
    openssl(&folder, "req -new -key ca.key -passin pass:secret -subj /CN=OldCA -out ca.csr");
    openssl(&folder, "x509 -req -days 365 -in ca.csr -signkey ca.key -passin pass:secret -out ca.crt");
    openssl(&folder, "genrsa -out server.key 1024");
    openssl(&folder, "req -new -key server.key -subj /CN=localhost -out server.csr");
    openssl(
        &folder,
        "x509 -req -days 365 -in server.csr -CA ca.crt -CAkey ca.key -passin pass:secret -CAcreateserial -out server.crt",
    );
    let read = |name| CertificateDer::from_pem_file(folder.join(name)).unwrap();
    let (root, server): (CertificateDer<'static>, CertificateDer<'static>) = (read("ca.crt"), read("server.crt"));

    let not_before = X509Certificate::from_der(&server).unwrap().1.validity().not_before.timestamp();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(not_before as u64 + 1));
    let decide = |switches: &[Deviation]| {
        let trust = vec![TrustedCertificate::new(root.clone(), "ca.crt")];
        let verifier = PeerVerifier::new(trust, switches.iter().copied().collect()).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        verifier.verify(std::slice::from_ref(&server), Purpose::Server, Some(&name), now)
    };
    let needed = [Deviation::X509V1, Deviation::CommonName, Deviation::SmallRsa];
    let verdict = decide(&needed).unwrap();
    assert_eq!(verdict.deviations, needed);
    assert_eq!(verdict.path, [server.clone(), root.clone()]);
    assert_eq!(code(decide(&[Deviation::CommonName, Deviation::SmallRsa])), Code::CertVersionUnsupported);
    assert_eq!(code(decide(&[Deviation::X509V1, Deviation::SmallRsa])), Code::CertNoName);
    assert_eq!(code(decide(&[Deviation::X509V1, Deviation::CommonName])), Code::CertKeyTooSmall);
}
