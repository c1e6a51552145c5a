//! Paths to find among several, and what certificates on a path may and may not have, each case with one thing changed.

use std::net::{IpAddr, Ipv4Addr};

use brokertls::error::Code;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyPair, KeyUsagePurpose, NameConstraints, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use x509_parser::asn1_rs::{Any, FromDer};

use crate::rig::pki::{
    Key, Made, ca, code, element, elements, expired, host, not_yet_valid, now, only_for, rewritten, self_signed, verify,
};

const HOST: &str = "broker.example.com";

/// The same key once more.
fn twin(key: &Key) -> Key {
    let Key::Modern(key) = key else { panic!("a key of rcgen's is expected") };
    Key::Modern(KeyPair::try_from(key.serialized_der()).unwrap())
}

fn constrained(
    mut params: CertificateParams,
    permitted: &[GeneralSubtree],
    excluded: &[GeneralSubtree],
) -> CertificateParams {
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted.to_vec(), excluded_subtrees: excluded.to_vec() });
    params
}

fn dns(name: &str) -> GeneralSubtree {
    GeneralSubtree::DnsName(name.to_owned())
}

/// An issuing CA with one defect each, and the code of it.
fn defects() -> Vec<(CertificateParams, Code)> {
    let issuing = || ca("Issuing");
    let with = |change: fn(&mut CertificateParams)| {
        let mut params = issuing();
        change(&mut params);
        params
    };
    vec![
        (expired(issuing()), Code::CertExpired),
        (not_yet_valid(issuing()), Code::CertNotYetValid),
        (with(|params| params.is_ca = IsCa::ExplicitNoCa), Code::CertIssuerNotCa),
        (with(|params| params.is_ca = IsCa::NoCa), Code::CertIssuerNotCa),
        (only_for(ExtendedKeyUsagePurpose::ClientAuth, issuing()), Code::CertPurposeMismatch),
        (constrained(issuing(), &[dns("example.org")], &[]), Code::CertNameConstraint),
        (constrained(issuing(), &[], &[dns("example.com")]), Code::CertNameConstraint),
        (
            with(|params| {
                let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55738, 1], vec![5, 0]);
                extension.set_criticality(true);
                params.custom_extensions.push(extension);
            }),
            Code::CertCriticalExtension,
        ),
    ]
}

#[test]
fn path_without_the_defect_is_found_beside_one_with_it() {
    let root = self_signed(ca("Root"));
    for (params, defect) in defects() {
        let good = root.issue(ca("Issuing"));
        let bad = root.issue_for(params, twin(&good.key));
        let server = good.issue(host(HOST));
        for chain in [[&server.der, &bad.der, &good.der], [&server.der, &good.der, &bad.der]] {
            let verdict = verify(&[&root], &[], &chain, Some(HOST));
            assert!(verdict.is_ok(), "{defect:?}: {verdict:?}");
        }
        assert_eq!(code(verify(&[&root], &[], &[&server.der, &bad.der], Some(HOST))), defect);
    }
}

#[test]
fn path_is_found_behind_a_crossing_of_cas() {
    // Two CAs of one name and key, below two roots of which one is trusted; the way back is further up.
    let (trusted, other) = (self_signed(ca("Trusted")), self_signed(ca("Other")));
    for (params, defect) in defects() {
        let policy = trusted.issue(ca("Policy"));
        let foreign = other.issue_for(ca("Policy"), twin(&policy.key));
        let issuing = policy.issue(ca("Issuing"));
        let bad = foreign.issue_for(params, twin(&issuing.key));
        let server = issuing.issue(host(HOST));
        let mut chain = vec![&server.der, &bad.der, &foreign.der, &other.der, &issuing.der, &policy.der];
        for _ in 0..5 {
            chain[1..].rotate_left(1);
            let verdict = verify(&[&trusted], &[], &chain, Some(HOST));
            assert!(verdict.is_ok(), "{defect:?}: {verdict:?}");
        }
    }
}

#[test]
fn root_that_an_older_one_certifies_is_reached_through_it() {
    let old = self_signed(ca("Old"));
    let new = self_signed(ca("New"));
    let crossed = old.issue_for(ca("New"), twin(&new.key));
    let server = new.issue(host(HOST));
    for chain in [[&server.der, &new.der, &crossed.der], [&server.der, &crossed.der, &new.der]] {
        assert!(verify(&[&old], &[], &chain, Some(HOST)).is_ok());
        assert!(verify(&[&new], &[], &chain, Some(HOST)).is_ok());
    }
    assert_eq!(code(verify(&[&old], &[], &[&server.der, &new.der], Some(HOST))), Code::CertSelfSignedInChain);
}

#[test]
fn dates_count_to_the_second() {
    let root = self_signed(ca("Root"));
    let clock = OffsetDateTime::from_unix_timestamp(now().as_secs() as i64).unwrap();
    let second = Duration::SECOND;
    let cases = [
        (clock, clock + second, None),
        (clock - second, clock, None),
        (clock - second * 2, clock - second, Some(Code::CertExpired)),
        (clock + second, clock + second * 2, Some(Code::CertNotYetValid)),
    ];
    for (not_before, not_after, refusal) in cases {
        let dated = |mut params: CertificateParams| {
            (params.not_before, params.not_after) = (not_before, not_after);
            params
        };
        let issuing = root.issue(ca("Issuing"));
        let dated_issuing = root.issue_for(dated(ca("Issuing")), twin(&issuing.key));
        let chains = [(root.issue(dated(host(HOST))), &issuing), (issuing.issue(host(HOST)), &dated_issuing)];
        for (server, issuing) in chains {
            let verdict = verify(&[&root], &[], &[&server.der, &issuing.der], Some(HOST));
            assert_eq!(verdict.map(|_| ()).map_err(|error| error.code()).err(), refusal);
        }
    }
}

#[test]
fn serial_numbers_of_every_form_are_accepted() {
    let root = self_signed(ca("Root"));
    for serial in [&[0][..], &[1], &[0xff], &[0x80, 1], &[0, 0xff], &[0x7f; 20], &[1; 40]] {
        let server = root.issue(host(HOST));
        let der = rewritten(&server.der, &root.key, |fields| fields[1] = element(2, serial));
        assert!(verify(&[&root], &[], &[&der], Some(HOST)).is_ok(), "{serial:x?}");
    }
}

#[test]
fn identifiers_of_keys_decide_nothing() {
    let root = self_signed(ca("Root"));
    let with = |oid: &[u64], content: Vec<u8>| {
        let mut params = host(HOST);
        params.custom_extensions.push(CustomExtension::from_oid_content(oid, content));
        root.issue(params)
    };
    let foreign = element(0x30, &element(0x80, &[7; 20]));
    let of_issuer = element(0x30, &[element(0xa1, &element(0x82, b"ca.example")), element(0x82, &[9])].concat());
    for content in [foreign, of_issuer] {
        let server = with(&[2, 5, 29, 35], content);
        assert!(verify(&[&root], &[], &[&server.der], Some(HOST)).is_ok());
    }
}

/// A server's certificate, changed and signed again by the root, is refused with one of these codes.
#[track_caller]
fn assert_rewritten(change: impl FnOnce(&mut Vec<Vec<u8>>), expected: Code) {
    let root = self_signed(ca("Root"));
    let der = rewritten(&root.issue(host(HOST)).der, &root.key, change);
    assert_eq!(code(verify(&[&root], &[], &[&der], Some(HOST))), expected);
}

#[test]
fn extension_that_occurs_twice_makes_a_certificate_malformed() {
    assert_rewritten(
        |fields| {
            let extensions = fields.last_mut().unwrap();
            let list = content(content(extensions));
            let twice = [list, &elements(list)[0]].concat();
            *extensions = element(0xa3, &element(0x30, &twice));
        },
        Code::CertMalformed,
    );
}

/// The content of an element.
fn content(element: &[u8]) -> &[u8] {
    Any::from_der(element).unwrap().1.data
}

#[test]
fn empty_issuer_and_an_algorithm_that_is_told_twice_differently_are_refused() {
    assert_rewritten(|fields| fields[3] = element(0x30, &[]), Code::CertUnknownIssuer);
    let root = self_signed(ca("Root"));
    let server = root.issue(host(HOST));
    // Within what is signed ECDSA with SHA-256, outside SHA-384.
    let mut der = server.der.to_vec();
    let oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let last = der.windows(oid.len()).rposition(|window| window == oid).unwrap();
    der[last + oid.len() - 1] = 3;
    assert_eq!(code(verify(&[&root], &[], &[&CertificateDer::from(der)], Some(HOST))), Code::CertMalformed);
}

/// A CA with constraints issues for these names.
fn issued(permitted: &[GeneralSubtree], excluded: &[GeneralSubtree], names: Vec<SanType>) -> Result<(), Code> {
    let root = self_signed(ca("Root"));
    let limited = root.issue(constrained(ca("Limited"), permitted, excluded));
    let mut params = host(HOST);
    params.subject_alt_names = names;
    let server = limited.issue(params);
    let verdict = verify(&[&root], &[], &[&server.der, &limited.der], None);
    verdict.map(|_| ()).map_err(|error| error.code())
}

#[test]
fn constraints_hold_for_names_addresses_and_mail_of_every_kind() {
    let net =
        |a, b, c, d| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), 24));
    let mail = |name: &str| GeneralSubtree::Rfc822Name(name.to_owned());
    let host = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let address = |text: &str| SanType::IpAddress(text.parse().unwrap());
    let accepted = [
        issued(&[dns("example.com")], &[], vec![host("a.example.com"), host("example.com")]),
        issued(&[dns("example.com"), dns("example.org")], &[], vec![host("a.example.org")]),
        issued(&[dns("example.com")], &[dns("secret.example.com")], vec![host("a.example.com")]),
        issued(&[net(192, 0, 2, 0)], &[], vec![address("192.0.2.7")]),
        // A constraint of one kind says nothing of another.
        issued(&[net(192, 0, 2, 0)], &[], vec![host("a.example.com")]),
        issued(&[], &[net(192, 0, 2, 0)], vec![address("198.51.100.7"), address("2001:db8::7")]),
    ];
    for (at, outcome) in accepted.into_iter().enumerate() {
        assert_eq!(outcome, Ok(()), "{at}");
    }
    let refused = [
        issued(&[dns("example.com")], &[], vec![host("a.example.org")]),
        // Each name counts, not one of them.
        issued(&[dns("example.com")], &[], vec![host("a.example.com"), host("a.example.org")]),
        issued(&[dns("example.com")], &[], vec![host("badexample.com")]),
        issued(&[dns("example.com")], &[dns("secret.example.com")], vec![host("a.secret.example.com")]),
        issued(&[dns("example.com")], &[dns("example.com")], vec![host("a.example.com")]),
        issued(&[net(192, 0, 2, 0)], &[], vec![address("192.0.3.7")]),
        issued(&[net(192, 0, 2, 0)], &[], vec![address("2001:db8::7")]),
        issued(&[], &[net(192, 0, 2, 0)], vec![address("192.0.2.7")]),
        // A wildcard may stand for what is excluded.
        issued(&[], &[dns("secret.example.com")], vec![host("*.example.com")]),
    ];
    for (at, outcome) in refused.into_iter().enumerate() {
        assert_eq!(outcome, Err(Code::CertNameConstraint), "{at}");
    }
    // One on mail is not compared, and refuses each certificate with a mail address.
    for name in ["a@example.org", "a@example.com"] {
        let outcome = issued(&[mail("example.com")], &[], vec![SanType::Rfc822Name(name.try_into().unwrap())]);
        assert_eq!(outcome, Err(Code::CertConstraintUnsupported), "{name}");
    }
}

#[test]
fn constraints_of_every_ca_of_a_path_hold() {
    let root = self_signed(ca("Root"));
    let outer = root.issue(constrained(ca("Outer"), &[dns("example.com")], &[]));
    let accepted = |inner: CertificateParams, name: &str| {
        let inner = outer.issue(inner);
        let server = inner.issue(host(name));
        verify(&[&root], &[], &[&server.der, &inner.der, &outer.der], Some(name))
            .map(|_| ())
            .map_err(|error| error.code())
    };
    assert_eq!(accepted(ca("Inner"), HOST), Ok(()));
    assert_eq!(accepted(constrained(ca("Inner"), &[dns("a.example.com")], &[]), "x.a.example.com"), Ok(()));
    let narrowed = accepted(constrained(ca("Inner"), &[dns("a.example.com")], &[]), HOST);
    assert_eq!(narrowed, Err(Code::CertNameConstraint));
    let widened = accepted(constrained(ca("Inner"), &[dns("example.org")], &[]), "broker.example.org");
    assert_eq!(widened, Err(Code::CertNameConstraint));
}

#[test]
fn ca_that_may_not_sign_certificates_issues_nothing() {
    let root = self_signed(ca("Root"));
    let mut params = ca("Issuing");
    params.key_usages = vec![KeyUsagePurpose::CrlSign];
    let issuing = root.issue(params);
    let server = issuing.issue(host(HOST));
    assert_eq!(code(verify(&[&root], &[], &[&server.der, &issuing.der], Some(HOST))), Code::CertIssuerNotCa);
}

#[test]
fn path_length_of_an_intermediate_may_not_be_exceeded_and_may_grow_below() {
    let root = self_signed(ca("Root"));
    let limited = |name: &str, length| {
        let mut params = ca(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        params
    };
    let path = |outer: u8, inner: u8| {
        let outer = root.issue(limited("Outer", outer));
        let inner = outer.issue(limited("Inner", inner));
        let server = inner.issue(host(HOST));
        let verdict = verify(&[&root], &[], &[&server.der, &inner.der, &outer.der], Some(HOST));
        verdict.map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!((path(1, 0), path(1, 7), path(2, 1)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(path(0, 0), Err(Code::CertPathLength));
}

#[test]
fn serial_number_that_another_certificate_of_the_issuer_has_does_not_matter() {
    let root = self_signed(ca("Root"));
    let of = |mut params: CertificateParams| {
        params.serial_number = Some(SerialNumber::from_slice(&[1]));
        root.issue(params)
    };
    let (issuing, other) = (of(ca("Issuing")), of(ca("Issuing")));
    let server: Made = issuing.issue(host(HOST));
    assert!(verify(&[&root], &[], &[&server.der, &other.der, &issuing.der], Some(HOST)).is_ok());
}
