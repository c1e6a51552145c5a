//! Lists, responses and certificates, as collections of bad ones have them and mutated, through everything that reads
//! them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
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

use super::ber::{as_der, element, inside};
use super::mutation::{Random, mutate};

/// 2026-01-01T00:00:00Z, and 2017-03-05, which the published responses are made for.
const NOW: i64 = 1_767_225_600;
const THEN: i64 = 1_488_672_000;

fn data(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    assert!(path.exists(), "the data is absent: {}", path.display());
    path
}

/// The inputs of one folder of OpenSSL's fuzz corpora.
fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpora").join(folder);
    let _ = fs::remove_dir_all(&into);
    fs::create_dir_all(&into).unwrap();
    let archive = data("openssl-fuzz-crl-x509.tar.xz");
    let output = Command::new("tar").arg("xJf").arg(archive).arg("-C").arg(&into).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut paths: Vec<PathBuf> = fs::read_dir(into.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

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
    /// A list with the entries and extensions of another, under the root's name and signed by it, so that every one of them
    /// is looked at.
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
    let is_altered = response != case.response;
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

/// A published response, and the certificates it is about.
struct Case {
    response: Vec<u8>,
    certificate: CertificateDer<'static>,
    issuer: CertificateDer<'static>,
}

fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(data("boringssl-ocsp")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
    paths.sort();
    let case = |path: &PathBuf| {
        // The issuer's has a label of its own.
        let text = fs::read_to_string(path).unwrap();
        let issuer = text.split("-----BEGIN CA CERTIFICATE-----").nth(1).unwrap().split("-----END").next().unwrap();
        let issuer = format!("-----BEGIN CERTIFICATE-----{issuer}-----END CERTIFICATE-----");
        let mut der = Vec::new();
        if let Ok(read) = ocsp_responses_of(text.as_bytes(), "published") {
            der = read[0].der().to_vec();
        }
        Case {
            response: der,
            certificate: CertificateDer::from_pem_slice(text.as_bytes()).unwrap(),
            issuer: CertificateDer::from_pem_slice(issuer.as_bytes()).unwrap(),
        }
    };
    let mut cases: Vec<Case> = paths.iter().map(case).collect();
    cases.retain(|case| !case.response.is_empty());
    cases
}

#[test]
fn corpus_and_mutations_of_lists_are_read_or_refused_without_a_panic() {
    let pki = Pki::new();
    let corpus = corpus("crl");
    let mut seeds = corpus.clone();
    let definite: Vec<Vec<u8>> = corpus.iter().filter_map(|seed| as_der(seed)).collect();
    seeds.extend(definite.iter().filter_map(|seed| pki.adopted(seed)));
    seeds.extend(definite);
    let as_they_are = seeds.iter().filter(|seed| use_list(&pki, seed)).count();
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut read = 0;
    for seed in seeds.iter().flat_map(|seed| [seed; 6]) {
        read += usize::from(use_list(&pki, &mutate(seed, &mut random)));
    }
    let mut own = 0;
    for round in 0..40_000 {
        let list = &pki.lists[round % pki.lists.len()];
        assert!(round > 2 || use_list(&pki, list));
        own += usize::from(use_list(&pki, &mutate(list, &mut random)));
    }
    assert!(
        corpus.len() > 2_000 && as_they_are > 1_000 && read > 500 && own > 2_000,
        "too few survive to show anything: of {} {as_they_are}, mutated {read}, own {own}",
        corpus.len()
    );
}

#[test]
fn corpus_and_mutations_of_certificates_are_asked_about_without_a_panic() {
    let pki = Pki::new();
    let cases = cases();
    let read = |case: &Case| OcspResponse::from_der(&case.response, "published").unwrap();
    let responses: Vec<OcspResponse> = cases.iter().take(2).map(read).collect();
    let mut seeds = corpus("x509");
    seeds.extend(corpus("x509").iter().filter_map(|seed| as_der(seed)));
    let count = seeds.len();
    seeds.extend(cases.iter().map(|case| case.certificate.to_vec()));
    seeds.extend([pki.server.to_vec(), pki.root.to_vec()]);
    let mut random = Random(0x0f1e_2d3c_4b5a_6978);
    let (mut as_they_are, mut mutated) = (0, 0);
    for (position, seed) in seeds.iter().enumerate() {
        as_they_are += usize::from(use_certificate(&pki, &responses, seed));
        // Most of the corpus is no certificate any more.
        for _ in 0..if position < count { 6 } else { 200 } {
            mutated += usize::from(use_certificate(&pki, &responses, &mutate(seed, &mut random)));
        }
    }
    assert!(
        count > 1_200 && as_they_are > 40 && mutated > 1_000,
        "too few survive to show anything: of {count} {as_they_are}, mutated {mutated}"
    );
}

#[test]
fn published_responses_mutated_are_read_or_refused_and_none_is_believed() {
    let cases = cases();
    let mut random = Random(0xfedc_ba98_7654_3210);
    let mut read = 0;
    for case in &cases {
        assert!(use_response(case, &case.response));
        for _ in 0..600 {
            read += usize::from(use_response(case, &mutate(&case.response, &mut random)));
        }
    }
    // And what is none at all: every list and certificate.
    for seed in corpus("x509").iter().chain(&corpus("crl")) {
        assert!(!use_response(&cases[0], seed));
    }
    assert!(cases.len() > 30 && read > 3_000, "too few survive to show anything: {read} of {}", cases.len());
}
