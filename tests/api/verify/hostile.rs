//! Chains made to confuse or to exhaust the verification, and the proof of the private key.

use brokertls::error::Code;
use brokertls::keystore::TrustedCertificate;
use brokertls::verify::{Deviation, MAX_CHAIN_LENGTH, PeerVerifier, Purpose};
use rcgen::{BasicConstraints, CertificateParams, IsCa, SanType};
use rustls::pki_types::CertificateDer;

use crate::rig::pki::{Key, Made, ca, code, host, host_without_names, now, self_signed, self_signed_for, verify};

const HOST: &str = "broker.example.com";

#[test]
fn chain_of_more_certificates_than_the_limit_is_refused_as_too_complex() {
    let root = self_signed(ca("Root"));
    let server = root.issue(host(HOST));
    let filler = self_signed(ca("Filler"));
    let mut chain = vec![&filler.der; MAX_CHAIN_LENGTH];
    chain[0] = &server.der;
    assert!(verify(&[&root], &[], &chain, Some(HOST)).is_ok());
    chain.push(&filler.der);
    assert_eq!(code(verify(&[&root], &[], &chain, Some(HOST))), Code::CertTooComplex);
}

#[test]
fn issuers_that_all_name_each_other_are_refused_as_too_complex() {
    let namesakes: Vec<_> = (1..MAX_CHAIN_LENGTH).map(|_| self_signed(ca("Maze"))).collect();
    let server = namesakes[0].issue(host(HOST));
    let chain: Vec<_> = std::iter::once(&server.der).chain(namesakes.iter().map(|one| &one.der)).collect();
    for root in [self_signed(ca("Root")), self_signed(ca("Maze"))] {
        assert_eq!(code(verify(&[&root], Deviation::ALL, &chain, Some(HOST))), Code::CertTooComplex);
    }
    // So few of them are searched, and then are only unknown.
    let refused = verify(&[&self_signed(ca("Root"))], &[], &chain[..5], Some(HOST));
    assert_eq!(code(refused), Code::CertSelfSignedInChain);
}

#[test]
fn issuers_that_name_each_other_in_a_ring_are_refused_as_too_complex() {
    let key = Key::new();
    let names = ["Ring 0", "Ring 1", "Ring 2"];
    let issued = |i: usize| {
        let issuer = self_signed(ca(names[(i + 1) % 3]));
        issuer.issue(ca(names[i % 3])).der
    };
    let ring: Vec<_> = (0..39).map(issued).collect();
    let server = Made { der: ring[0].clone(), params: ca(names[0]), key }.issue(host(HOST));
    let chain: Vec<_> = std::iter::once(&server.der).chain(&ring).collect();
    assert_eq!(code(verify(&[&self_signed(ca("Root"))], &[], &chain, Some(HOST))), Code::CertTooComplex);
}

#[test]
fn chain_deeper_than_six_issuers_is_refused_as_too_complex() {
    let root = self_signed(ca("Root"));
    let mut issuers = vec![root.issue(ca("Issuing 0"))];
    for i in 1..7 {
        issuers.push(issuers[i - 1].issue(ca(&format!("Issuing {i}"))));
    }
    let ders = |count: usize| issuers[..count].iter().rev().map(|one| one.der.clone()).collect::<Vec<_>>();
    for (count, expected) in [(6, None), (7, Some(Code::CertTooComplex))] {
        let server = issuers[count - 1].issue(host(HOST));
        let issuers = ders(count);
        let chain: Vec<_> = std::iter::once(&server.der).chain(&issuers).collect();
        let verdict = verify(&[&root], &[], &chain, Some(HOST));
        assert_eq!(verdict.err().map(|refused| refused.code()), expected, "{count}");
    }
}

#[test]
fn certificate_of_thousands_of_names_is_matched_and_told_shortly() {
    let root = self_signed(ca("Root"));
    let mut params = host(HOST);
    let names = (0..2_000).map(|i| SanType::DnsName(format!("host-{i}.example.com").try_into().unwrap()));
    params.subject_alt_names = names.collect();
    let server = root.issue(params);
    assert!(verify(&[&root], &[], &[&server.der], Some("host-1999.example.com")).is_ok());
    let refused = verify(&[&root], &[], &[&server.der], Some(HOST)).unwrap_err();
    assert_eq!(refused.code(), Code::CertNameMismatch);
    assert!(refused.detail().len() < 1_000, "{refused}");
}

#[test]
fn text_of_a_hostile_subject_reaches_messages_without_control_characters_and_cut() {
    let hostile = format!("x\nINFO accepted \u{1b}[2J\u{202e}{}", "y".repeat(10_000));
    let root = self_signed(ca("Root"));
    let strangers = self_signed(ca(&hostile));
    for (trust, server) in [(&root, root.issue(host_without_names(&hostile))), (&root, strangers.issue(host(HOST)))] {
        let refused = verify(&[trust], Deviation::ALL, &[&server.der], Some(HOST)).unwrap_err();
        let text = format!("{refused} {}", refused.hint());
        assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text}");
        assert!(text.len() < 2_000, "{}", text.len());
    }
}

#[test]
fn garbage_beside_a_good_chain_is_passed_over_and_alone_is_refused_as_malformed() {
    let root = self_signed(ca("Root"));
    let issuing = root.issue(ca("Issuing"));
    let server = issuing.issue(host(HOST));
    for garbage in [vec![], vec![0x30], vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], vec![0xff; 300]] {
        let garbage = CertificateDer::from(garbage);
        assert!(verify(&[&root], &[], &[&server.der, &garbage, &issuing.der], Some(HOST)).is_ok());
        let refused = verify(&[&root], Deviation::ALL, &[&garbage, &issuing.der], Some(HOST)).unwrap_err();
        assert_eq!(refused.code(), Code::CertMalformed);
    }
}

/// One end entity for each deviation, under a root, with all that is needed to accept it.
fn deviating() -> Vec<(Made, Made)> {
    let root = || self_signed_for(ca("Root"), Key::rsa(1024));
    let with_ca_flag = |mut params: CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let (plain, version_1, flagged, unnamed) = (root(), self_signed(ca("Root")), root(), root());
    vec![
        (plain.issue(host(HOST)), plain),
        (version_1.issue_version_1(host(HOST)), version_1),
        (flagged.issue_for(with_ca_flag(host(HOST)), Key::rsa(1024)), flagged),
        (unnamed.issue(host_without_names(HOST)), unnamed),
    ]
}

#[test]
fn no_altered_byte_of_an_end_entity_is_accepted_with_all_switches() {
    for (server, root) in deviating() {
        let decide = |der: Vec<u8>| verify(&[&root], Deviation::ALL, &[&CertificateDer::from(der)], Some(HOST));
        assert!(decide(server.der.to_vec()).is_ok());
        for position in 0..server.der.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut der = server.der.to_vec();
                der[position] ^= change;
                assert!(decide(der).is_err(), "{position} ^ {change:#x}");
            }
        }
    }
}

#[test]
fn no_cut_or_lengthened_end_entity_is_accepted_with_all_switches() {
    for (server, root) in deviating() {
        let decide = |der: Vec<u8>| verify(&[&root], Deviation::ALL, &[&CertificateDer::from(der)], Some(HOST));
        for length in 0..server.der.len() {
            assert!(decide(server.der[..length].to_vec()).is_err(), "{length}");
        }
        assert!(decide([&server.der, &[0][..]].concat()).is_err());
        assert!(decide([&server.der, &server.der[..]].concat()).is_err());
    }
}

#[test]
fn no_altered_byte_of_a_trusted_certificate_breaks_the_verifier() {
    for (server, root) in deviating() {
        for position in 0..root.der.len() {
            let mut der = root.der.to_vec();
            der[position] ^= 0xff;
            let altered = TrustedCertificate::new(CertificateDer::from(der), "altered");
            let Ok(verifier) = PeerVerifier::new(vec![altered], Deviation::ALL.iter().copied().collect()) else {
                continue;
            };
            let _ = verifier.verify(std::slice::from_ref(&server.der), Purpose::Server, None, now());
        }
    }
}

#[test]
fn many_anchors_of_one_name_are_searched_within_bounds() {
    let namesakes: Vec<_> = (0..150).map(|_| self_signed(ca("Root"))).collect();
    let trust: Vec<_> = namesakes.iter().collect();
    let first = namesakes[0].issue(host(HOST));
    assert!(verify(&trust, &[], &[&first.der], Some(HOST)).is_ok());
    let stranger = self_signed(ca("Root")).issue(host(HOST));
    assert_eq!(code(verify(&trust, &[], &[&stranger.der], Some(HOST))), Code::CertTooComplex);
}
