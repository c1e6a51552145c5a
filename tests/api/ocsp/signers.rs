//! Signers of responses: the issuer, and responders with a certificate of the issuer for that purpose.

use rcgen::{CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose, date_time_ymd};

use super::*;

/// A certificate to sign responses with, valid now.
fn signer() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "responder");
    params.not_before = date_time_ymd(2025, 12, 1);
    params.not_after = date_time_ymd(2026, 2, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params
}

pub(super) fn delegate(issuer: &Made) -> Made {
    issuer.issue(signer())
}

/// The verdict of a response that this delegate signed and that carries its certificate.
fn standing_by(pki: &Pki, delegate: &Made) -> OcspStanding {
    let certificates = vec![delegate.der.to_vec()];
    pki.standing_of(&Answer { certificates, ..pki.answer(GOOD) }.signed_by(delegate))
}

fn standing_with(change: impl FnOnce(&mut CertificateParams)) -> OcspStanding {
    let pki = Pki::new();
    let mut params = signer();
    change(&mut params);
    standing_by(&pki, &pki.root.issue(params))
}

#[test]
fn signer_with_the_issuers_certificate_is_believed_by_name_and_by_key() {
    let pki = Pki::new();
    let delegate = delegate(&pki.root);
    assert_eq!(standing_by(&pki, &delegate), good());
    let by_key = element(0xa2, &element(4, &key_hash(&SHA1_FOR_LEGACY_USE_ONLY, &delegate.der)));
    // Beside other certificates of any kind.
    let certificates = vec![pki.root.der.to_vec(), vec![0x30, 0], delegate.der.to_vec()];
    let answer = Answer { certificates, responder: Some(by_key), ..pki.answer(GOOD) };
    assert_eq!(pki.standing_of(&answer.signed_by(&delegate)), good());
    let answer = Answer { said: vec![pki.said(&revoked(Some(1)))], ..answer };
    assert!(matches!(pki.standing_of(&answer.signed_by(&delegate)), OcspStanding::Revoked { .. }));
    // With nocheck, critical or not, and with no key usage at all.
    for is_critical in [false, true] {
        assert_eq!(
            standing_with(|params| {
                let mut nocheck = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], vec![5, 0]);
                nocheck.set_criticality(is_critical);
                params.custom_extensions = vec![nocheck];
                params.key_usages = Vec::new();
            }),
            good()
        );
    }
}

#[test]
fn signer_with_a_certificate_not_meant_for_responses_is_refused() {
    let no_usage = standing_with(|params| params.extended_key_usages = Vec::new());
    assert_invalid(no_usage, "OCSPSigning");
    let any = standing_with(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]);
    assert_invalid(any, "OCSPSigning");
    let other = standing_with(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert_invalid(other, "OCSPSigning");
    let no_signatures = standing_with(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert_invalid(no_signatures, "digitalSignature");
    let critical = standing_with(|params| {
        let mut foreign = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        foreign.set_criticality(true);
        params.custom_extensions = vec![foreign];
    });
    assert_invalid(critical, "critical extension");
}

#[test]
fn signer_is_refused_outside_its_dates_and_its_successor_believed() {
    let ended = |params: &mut CertificateParams| params.not_after = date_time_ymd(2025, 12, 31);
    assert_invalid(standing_with(ended), "not valid now");
    assert_invalid(standing_with(|params| params.not_before = date_time_ymd(2026, 1, 2)), "not valid now");

    let pki = Pki::new();
    let mut params = signer();
    ended(&mut params);
    let old = pki.root.issue(params);
    let new = signer().signed_by(&old.key, &rcgen::Issuer::from_params(&pki.root.params, &pki.root.key)).unwrap();
    let certificates = vec![old.der.to_vec(), new.der().to_vec()];
    assert_eq!(pki.standing_of(&Answer { certificates, ..pki.answer(GOOD) }.signed_by(&old)), good());
}

#[test]
fn signer_whom_the_issuer_did_not_certify_itself_is_refused() {
    let pki = Pki::new();
    // By another key under the issuer's name; by a CA of the issuer; by itself.
    assert_invalid(standing_by(&pki, &delegate(&pki.namesake())), "not signed with the issuer's key");
    let intermediate = pki.root.issue(ca("intermediate"));
    assert_invalid(standing_by(&pki, &delegate(&intermediate)), "of another issuer");
    assert_invalid(standing_by(&pki, &self_signed(signer())), "of another issuer");
    // The same as the issuer's own answer.
    let by_self = pki.answer(GOOD).signed_by(&pki.server);
    assert_invalid(pki.standing_of(&by_self), "neither the issuer nor in the response");
    assert_invalid(standing_by(&pki, &pki.server), "OCSPSigning");
}

#[test]
fn response_that_is_not_signed_by_whom_it_names_is_refused() {
    let pki = Pki::new();
    let namesake = pki.namesake();
    assert_invalid(pki.standing_of(&pki.answer(GOOD).signed_by(&namesake)), "not signed with the issuer's key");
    assert_invalid(
        pki.standing_of(&pki.answer(&revoked(None)).signed_by(&namesake)),
        "not signed with the issuer's key",
    );
    // The issuer's signature under another name, by name and by key.
    let delegate = delegate(&pki.root);
    let names = [
        element(0xa1, &subject_of(&delegate.der)),
        element(0xa2, &element(4, &key_hash(&SHA1_FOR_LEGACY_USE_ONLY, &delegate.der))),
        element(0xa2, &element(4, &[])),
    ];
    for name in names {
        let answer = Answer { responder: Some(name), ..pki.answer(GOOD) };
        assert_invalid(pki.standing(&answer), "neither the issuer nor in the response");
    }
    // A certificate of a responder in a response that another key signed.
    let borrowed = Answer {
        responder: Some(element(0xa1, &subject_of(&delegate.der))),
        certificates: vec![delegate.der.to_vec()],
        ..pki.answer(GOOD)
    };
    assert_invalid(pki.standing_of(&borrowed.signed_by(&namesake)), "not signed with the key of the signer");
    // Left out.
    assert_invalid(pki.standing_of(&pki.answer(GOOD).signed_by(&delegate)), "neither the issuer nor in the response");
}

#[test]
fn signature_with_sha1_is_refused_by_name() {
    let pki = Pki::new();
    let answer = Answer { algorithm: RSA_SHA1, ..pki.answer(GOOD) };
    assert_invalid(pki.standing(&answer), "sha1WithRSAEncryption");
}

#[test]
fn signature_is_right_for_one_issuer_only_however_often_it_is_asked() {
    let pki = Pki::new();
    let response = read(&pki.answer(GOOD).signed_by(&pki.root)).unwrap();
    // A certificate of the same name and key, which is in another chain.
    let cross_signed = self_signed(ca("other")).issue_for(ca("root"), Key::new());
    for _ in 0..3 {
        assert_eq!(standing(&response, &pki.server.der, &pki.root.der), good());
        for _ in 0..8 {
            let stranger = self_signed(ca("root"));
            let said = Said { id: cert_id(&stranger.der, SERIAL, false), ..pki.said(GOOD) };
            let forged = read(&pki.answer_of(vec![said]).signed_by(&pki.root)).unwrap();
            assert_invalid(standing(&forged, &pki.server.der, &stranger.der), "not signed with the issuer's key");
        }
        assert_unknown(standing(&response, &pki.server.der, &cross_signed.der), "not about it");
    }
}

#[test]
fn responder_and_its_issuer_are_the_same_in_another_string_type_case_or_spacing() {
    let pki = Pki::new();
    let name = |tag: u8, text: &[u8]| {
        let attribute = element(0x30, &[&[6, 3, 0x55, 4, 3][..], &element(tag, text)].concat());
        element(0x30, &element(0x31, &attribute))
    };
    for (tag, text) in [(0x13, &b"ROOT"[..]), (0x0c, b" root  "), (0x1e, b"\0r\0o\0o\0t")] {
        let responder = Some(element(0xa1, &name(tag, text)));
        let answer = |status: &[u8]| Answer { responder: responder.clone(), ..pki.answer(status) };
        assert_eq!(pki.standing(&answer(GOOD)), good());
        assert!(matches!(pki.standing(&answer(&revoked(None))), OcspStanding::Revoked { .. }));
        // The certificate of one who signs for the issuer names it so too.
        let delegate = delegate(&pki.root);
        let der = crate::rig::pki::rewritten(&delegate.der, &pki.root.key, |fields| fields[3] = name(tag, text));
        let signed = Answer { certificates: vec![der.to_vec()], ..pki.answer(&revoked(None)) };
        assert!(matches!(pki.standing_of(&signed.signed_by(&delegate)), OcspStanding::Revoked { .. }), "{tag}");
    }
    let other = Answer { responder: Some(element(0xa1, &name(0x0c, b"root2"))), ..pki.answer(GOOD) };
    assert_invalid(pki.standing(&other), "neither the issuer nor in the response");
}

#[test]
fn certificate_is_named_with_any_hash_of_the_sha_family() {
    use aws_lc_rs::digest::{SHA224, SHA384, SHA512};
    let pki = Pki::new();
    for (algorithm, last) in [(&SHA256, 1), (&SHA384, 2), (&SHA512, 3), (&SHA224, 4)] {
        for parameters in [&[5, 0][..], &[]] {
            let identifier = [&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last][..], parameters].concat();
            let id = |serial: &[u8]| {
                let name = digest(algorithm, &subject_of(&pki.root.der));
                let key = key_hash(algorithm, &pki.root.der);
                let parts =
                    [element(0x30, &identifier), element(4, name.as_ref()), element(4, &key), element(2, serial)];
                element(0x30, &parts.concat())
            };
            let said = |status: &[u8], serial: &[u8]| vec![Said { id: id(serial), ..pki.said(status) }];
            assert_eq!(pki.standing(&pki.answer_of(said(GOOD, SERIAL))), good());
            let told = pki.standing(&pki.answer_of(said(&revoked(Some(1)), SERIAL)));
            assert!(matches!(told, OcspStanding::Revoked { reason: Reason::KeyCompromise, .. }), "{told:?}");
            assert_unknown(pki.standing(&pki.answer_of(said(&revoked(None), &[0x11]))), "not about it");
        }
    }
    // A hash that is not served names nothing.
    let md5 = cert_id(&pki.root.der, SERIAL, false);
    let md5 = [&md5[..4], &[6, 5, 0x2b, 0x0e, 3, 2, 0x1b], &md5[11..]].concat();
    assert_unknown(pki.standing(&pki.answer_of(vec![Said { id: md5, ..pki.said(GOOD) }])), "not about it");
}
