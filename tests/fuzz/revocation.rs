//! Lists, responses and certificates, as collections of bad ones have them and mutated, through everything that reads
//! them. The collections come from `seeds`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use brokertls::certificate::CertificateFacts;
use brokertls::revocation::ocsp::{demands_staple, request, responders_of};
use brokertls::revocation::{
    CertIdHash, Crl, Crls, OcspResponse, OcspStanding, Revocation, RevocationPolicy, ocsp_responses_of,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, IsCa, Issuer, KeyIdMethod, KeyPair, RevocationReason, RevokedCertParams,
    SerialNumber, SigningKey, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::ber::{as_der, element, inside};
use crate::mutation::{Random, mutate};
use crate::seeds::{self, THEN};

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;

/// A root with a certificate, and lists of every kind of entry and extension that it signed.
struct Pki {
    root: CertificateDer<'static>,
    server: CertificateDer<'static>,
    lists: Vec<Vec<u8>>,
    issuer: Issuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let uris = vec!["http://crl.example/1".to_owned()];
        let mut server = CertificateParams::default();
        server.serial_number = Some(SerialNumber::from_slice(&[7]));
        server.crl_distribution_points = vec![CrlDistributionPoint { uris: uris.clone() }];
        let server = server.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().clone();
        let point = |scope| CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint { uris: uris.clone() },
            scope,
        };
        let scopes = [None, Some(point(None)), Some(point(Some(CrlScope::UserCertsOnly)))];
        let lists = scopes.into_iter().map(|issuing_distribution_point| list(issuing_distribution_point, &issuer));
        Self { lists: lists.collect(), root, server, issuer }
    }
}

impl Pki {
    /// A list with the entries and extensions of another, under the root's name and signed by it, so that every one of
    /// them is looked at.
    fn adopted(&self, list: &[u8]) -> Option<Vec<u8>> {
        let algorithm = element(0x30, &element(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
        let list = inside(inside(list).first()?);
        let version = list.first().filter(|field| field.starts_with(&[2])).map(|_| [2, 1, 1].as_slice());
        let rest = list.get(2 + usize::from(version.is_some())..)?.concat();
        let (_, root) = X509Certificate::from_der(&self.root).unwrap();
        let list = element(0x30, &[version.unwrap_or_default(), &algorithm, root.subject().as_raw(), &rest].concat());
        let signature = self.issuer.key().sign(&list).unwrap();
        Some(element(0x30, &[list, algorithm, element(3, &[&[0], signature.as_slice()].concat())].concat()))
    }
}

fn list(issuing_distribution_point: Option<CrlIssuingDistributionPoint>, issuer: &Issuer<'_, KeyPair>) -> Vec<u8> {
    let entry = |serial: u8, reason_code| RevokedCertParams {
        serial_number: SerialNumber::from_slice(&[serial]),
        revocation_time: date_time_ymd(2025, 11, 15),
        reason_code,
        invalidity_date: reason_code.map(|_| date_time_ymd(2025, 11, 1)),
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 12, 1),
        next_update: date_time_ymd(2026, 2, 1),
        crl_number: SerialNumber::from_slice(&[1]),
        issuing_distribution_point,
        revoked_certs: vec![entry(8, None), entry(7, Some(RevocationReason::KeyCompromise))],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}

/// Everything that is done with a list; says whether it could be read.
fn use_list(pki: &Pki, list: &[u8]) -> bool {
    let mut crls = Crls::default();
    let is_read = crls.add(list, "mutated").is_ok();
    if let Ok(crl) = Crl::from_der(list, "mutated") {
        let _ = (crl.facts(), crl.find(&[7]), crl.find(&[]), crl.is_by(crl.issuer()));
    }
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64));
    let path = [pki.server.clone(), pki.root.clone()];
    let _ = Revocation::new(RevocationPolicy::default(), crls).check(&path, None, now);
    is_read
}

/// Everything that is done with a response about a certificate; says whether it could be read.
fn use_response(case: &Case, response: &[u8]) -> bool {
    let Ok(read) = OcspResponse::from_der(response, "mutated") else { return false };
    let standing = read.standing(&case.certificate, &case.issuer, THEN, 0);
    // What is not signed, the certificates beside a signature, changes nothing.
    let is_altered = signed_part(response) != signed_part(&case.response);
    assert!(
        !is_altered || !matches!(standing, OcspStanding::Good { .. } | OcspStanding::Revoked { .. }),
        "{response:x?}"
    );
    let now = UnixTime::since_unix_epoch(Duration::from_secs(THEN as u64));
    let path = [case.certificate.clone(), case.issuer.clone()];
    let stapled = Revocation::new(RevocationPolicy::default(), Crls::default()).check(&path, Some(response), now);
    assert!(!is_altered || stapled.is_err(), "{response:x?}");
    let _ = (read.facts(), read.nonce(), read.cert_ids().count(), read.this_update_unix_s(), read.next_update_unix_s());
    true
}

/// The part of a response that its signature covers.
fn signed_part(response: &[u8]) -> Option<Vec<u8>> {
    let bytes = inside(inside(response).get(1)?).first()?.to_vec();
    let basic = inside(&bytes).get(1)?.to_vec();
    // The response is in an OCTET STRING.
    let basic = inside(&basic).first()?.to_vec();
    inside(&basic).first().map(|part| part.to_vec())
}

/// Everything that is done with a certificate that a peer sent, and with its issuer's.
fn use_certificate(pki: &Pki, responses: &[OcspResponse], der: &[u8]) -> bool {
    let certificate = CertificateDer::from(der);
    let _ = (responders_of(&certificate), demands_staple(&certificate));
    let _ = request(&certificate, &pki.root, CertIdHash::Sha256, None);
    let _ = request(&pki.server, &certificate, CertIdHash::Sha1, Some(&[1; 32]));
    for response in responses {
        let _ = response.standing(&certificate, &pki.root, NOW, 0);
        let _ = response.standing(&pki.server, &certificate, NOW, 0);
    }
    let mut crls = Crls::default();
    pki.lists.iter().for_each(|list| crls.add(list, "list").unwrap());
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64));
    let revocation = Revocation::new(RevocationPolicy::default(), crls);
    let _ = revocation.check(&[certificate.clone().into_owned(), pki.root.clone()], None, now);
    let _ = revocation.check(&[pki.server.clone(), certificate.clone().into_owned()], None, now);
    CertificateFacts::from_der(&certificate).is_ok()
}

/// A response, and the certificates it is about.
pub(crate) struct Case {
    response: Vec<u8>,
    certificate: CertificateDer<'static>,
    issuer: CertificateDer<'static>,
}

/// The responses of a folder that can be read.
pub(crate) fn cases_in(folder: &Path) -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
    paths.sort();
    let case = |path: &PathBuf| {
        // The issuer's has a label of its own.
        let text = fs::read_to_string(path).unwrap();
        let issuer = text.split("-----BEGIN CA CERTIFICATE-----").nth(1).unwrap().split("-----END").next().unwrap();
        let issuer = format!("-----BEGIN CERTIFICATE-----{issuer}-----END CERTIFICATE-----");
        let read = ocsp_responses_of(text.as_bytes(), "seed").ok()?;
        Some(Case {
            response: read[0].der().to_vec(),
            certificate: CertificateDer::from_pem_slice(text.as_bytes()).unwrap(),
            issuer: CertificateDer::from_pem_slice(issuer.as_bytes()).unwrap(),
        })
    };
    paths.iter().filter_map(case).collect()
}

/// The seeds as DER, of those that are elements at all.
fn definite(seeds: &[Vec<u8>]) -> Vec<Vec<u8>> {
    seeds.iter().filter_map(|seed| as_der(seed)).collect()
}

#[test]
fn lists_and_their_mutations_are_read_or_refused_without_a_panic() {
    let pki = Pki::new();
    let collected = seeds::lists();
    let count = collected.len();
    let definite = definite(&collected);
    let adopted: Vec<Vec<u8>> = definite.iter().filter_map(|seed| pki.adopted(seed)).collect();
    let seeds = [collected, adopted, definite].concat();
    let as_they_are = seeds.iter().filter(|seed| use_list(&pki, seed)).count();
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut read = 0;
    for seed in &seeds {
        for _ in 0..seeds::ROUNDS[0] {
            read += usize::from(use_list(&pki, &mutate(seed, &mut random)));
        }
    }
    let mut own = 0;
    for round in 0..40_000 {
        let list = &pki.lists[round % pki.lists.len()];
        assert!(round > 2 || use_list(&pki, list));
        own += usize::from(use_list(&pki, &mutate(list, &mut random)));
    }
    let [least, least_as_they_are, least_read] = seeds::LISTS;
    assert!(
        count > least && as_they_are > least_as_they_are && read > least_read && own > 2_000,
        "too few survive to show anything: of {count} {as_they_are}, mutated {read}, own {own}",
    );
}

#[test]
fn certificates_and_their_mutations_are_asked_about_without_a_panic() {
    let pki = Pki::new();
    let cases = seeds::responses();
    let read = |case: &Case| OcspResponse::from_der(&case.response, "seed").unwrap();
    let responses: Vec<OcspResponse> = cases.iter().take(2).map(read).collect();
    let mut seeds = seeds::certificates();
    seeds.extend(definite(&seeds));
    let count = seeds.len();
    seeds.extend(cases.iter().map(|case| case.certificate.to_vec()));
    seeds.extend([pki.server.to_vec(), pki.root.to_vec()]);
    let mut random = Random(0x0f1e_2d3c_4b5a_6978);
    let (mut as_they_are, mut mutated) = (0, 0);
    for (position, seed) in seeds.iter().enumerate() {
        as_they_are += usize::from(use_certificate(&pki, &responses, seed));
        // Few of a corpus are certificates any more.
        for _ in 0..if position < count { seeds::ROUNDS[1] } else { 200 } {
            mutated += usize::from(use_certificate(&pki, &responses, &mutate(seed, &mut random)));
        }
    }
    let [least, least_as_they_are, least_mutated] = seeds::CERTIFICATES;
    assert!(
        count > least && as_they_are > least_as_they_are && mutated > least_mutated,
        "too few survive to show anything: of {count} {as_they_are}, mutated {mutated}"
    );
}

#[test]
fn responses_mutated_are_read_or_refused_and_none_is_believed() {
    let cases = seeds::responses();
    let mut random = Random(0xfedc_ba98_7654_3210);
    let mut read = 0;
    for case in &cases {
        assert!(use_response(case, &case.response));
        for _ in 0..seeds::ROUNDS[2] {
            read += usize::from(use_response(case, &mutate(&case.response, &mut random)));
        }
    }
    // And inputs of other kinds: every list and certificate.
    for seed in seeds::certificates().iter().chain(&seeds::lists()) {
        assert!(!use_response(&cases[0], seed), "{seed:02x?}");
    }
    let [least, least_read] = seeds::RESPONSES;
    assert!(cases.len() > least && read > least_read, "too few survive to show anything: {read} of {}", cases.len());
}
