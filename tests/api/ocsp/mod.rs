//! Verdicts of OCSP responses on a certificate: accepted signers, validity, and requests.
//!
//! Responses are put together element by element, so that each can break one rule; whole ones are in openssl.rs and
//! kept.rs.

mod dates;
mod kept;
mod openssl;
mod request;
mod signers;
pub(crate) mod verdicts;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use brokertls::error::{Code, Error};
use brokertls::revocation::{OcspResponse, OcspStanding, OcspStatus, Reason, ocsp_responses_of};
use rcgen::SerialNumber;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::rig::pki::{Key, Made, ca, element, host, now, self_signed};

const SERIAL: &[u8] = &[0x11, 0x22, 0x33];
const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const RSA_SHA1: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];
/// 2026-01-02T00:00:00Z, the usual nextUpdate.
const TOMORROW: i64 = 1_767_312_000;

const GOOD: &[u8] = &[0x80, 0];
const UNKNOWN: &[u8] = &[0x82, 0];

fn time(text: &str) -> Vec<u8> {
    element(0x18, text.as_bytes())
}

/// An extension of any object identifier, by its content.
fn extension(identifier: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if is_critical { &[1, 1, 0xff] } else { &[] };
    element(0x30, &[&element(6, identifier), critical, &element(0x04, value)].concat())
}

/// Revoked at 2025-11-15T10:30:00Z.
fn revoked(reason: Option<u8>) -> Vec<u8> {
    let reason = reason.map(|number| element(0xa0, &[0x0a, 1, number])).unwrap_or_default();
    element(0xa1, &[time("20251115103000Z"), reason].concat())
}

fn subject_of(certificate: &CertificateDer<'_>) -> Vec<u8> {
    X509Certificate::from_der(certificate).unwrap().1.subject().as_raw().to_vec()
}

fn key_hash(algorithm: &'static aws_lc_rs::digest::Algorithm, certificate: &CertificateDer<'_>) -> Vec<u8> {
    let certificate = X509Certificate::from_der(certificate).unwrap().1;
    digest(algorithm, &certificate.public_key().subject_public_key.data).as_ref().to_vec()
}

/// A CertID of `issuer`, with SHA-1 or SHA-256.
fn cert_id(issuer: &CertificateDer<'_>, serial: &[u8], is_sha256: bool) -> Vec<u8> {
    let (algorithm, identifier): (_, &[u8]) = match is_sha256 {
        false => (&SHA1_FOR_LEGACY_USE_ONLY, &[6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0]),
        true => (&SHA256, &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]),
    };
    let name = digest(algorithm, &subject_of(issuer));
    let parts = [
        element(0x30, identifier),
        element(4, name.as_ref()),
        element(4, &key_hash(algorithm, issuer)),
        element(2, serial),
    ];
    element(0x30, &parts.concat())
}

/// The statement of a response about one certificate.
#[derive(Clone)]
struct Said {
    id: Vec<u8>,
    status: Vec<u8>,
    this_update: &'static str,
    next_update: Option<&'static str>,
    extensions: Vec<Vec<u8>>,
}

impl Said {
    fn der(&self) -> Vec<u8> {
        let next = self.next_update.map(|next| element(0xa0, &time(next))).unwrap_or_default();
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => element(0xa1, &element(0x30, &self.extensions.concat())),
        };
        element(0x30, &[self.id.clone(), self.status.clone(), time(self.this_update), next, extensions].concat())
    }
}

/// A response; current at [`now`] unless a test says otherwise.
struct Answer {
    version: Vec<u8>,
    /// None for the signer's name.
    responder: Option<Vec<u8>>,
    produced_at: &'static str,
    said: Vec<Said>,
    extensions: Vec<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
    algorithm: &'static [u8],
}

impl Answer {
    fn signed_by(&self, signer: &Made) -> Vec<u8> {
        let responder = self.responder.clone().unwrap_or_else(|| element(0xa1, &subject_of(&signer.der)));
        let said: Vec<u8> = self.said.iter().flat_map(Said::der).collect();
        let mut fields = vec![self.version.clone(), responder, time(self.produced_at), element(0x30, &said)];
        if !self.extensions.is_empty() {
            fields.push(element(0xa1, &element(0x30, &self.extensions.concat())));
        }
        let data = element(0x30, &fields.concat());
        let signature = rcgen::SigningKey::sign(&signer.key, &data).unwrap();
        let signature = element(0x03, &[&[0], signature.as_slice()].concat());
        let mut fields = vec![data, self.algorithm.to_vec(), signature];
        if !self.certificates.is_empty() {
            fields.push(element(0xa0, &element(0x30, &self.certificates.concat())));
        }
        response(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 1], &element(0x30, &fields.concat()))
    }
}

/// A successful response of this type.
fn response(kind: &[u8], basic: &[u8]) -> Vec<u8> {
    let bytes = element(0x30, &[element(6, kind), element(4, basic)].concat());
    element(0x30, &[vec![0x0a, 1, 0], element(0xa0, &bytes)].concat())
}

/// A root, and an end entity of it with the serial number [`SERIAL`].
struct Pki {
    root: Made,
    server: Made,
}

impl Pki {
    fn new() -> Self {
        let root = self_signed(ca("root"));
        let mut params = host("broker.example");
        params.serial_number = Some(SerialNumber::from_slice(SERIAL));
        let server = root.issue(params);
        Self { root, server }
    }

    /// Another root of the same name, with a key of its own.
    fn namesake(&self) -> Made {
        self_signed(ca("root"))
    }

    fn said(&self, status: &[u8]) -> Said {
        Said {
            id: cert_id(&self.root.der, SERIAL, false),
            status: status.to_vec(),
            this_update: "20251231120000Z",
            next_update: Some("20260102000000Z"),
            extensions: Vec::new(),
        }
    }

    fn answer(&self, status: &[u8]) -> Answer {
        self.answer_of(vec![self.said(status)])
    }

    fn answer_of(&self, said: Vec<Said>) -> Answer {
        Answer {
            version: Vec::new(),
            responder: None,
            produced_at: "20251231120000Z",
            said,
            extensions: Vec::new(),
            certificates: Vec::new(),
            algorithm: ECDSA_SHA256,
        }
    }

    /// The verdict of the answer, signed by the root.
    fn standing(&self, answer: &Answer) -> OcspStanding {
        self.standing_of(&answer.signed_by(&self.root))
    }

    fn standing_of(&self, der: &[u8]) -> OcspStanding {
        standing(&read(der).unwrap(), &self.server.der, &self.root.der)
    }
}

fn read(der: &[u8]) -> Result<OcspResponse, Error> {
    OcspResponse::from_der(der, "staple")
}

fn standing(response: &OcspResponse, certificate: &CertificateDer<'_>, issuer: &CertificateDer<'_>) -> OcspStanding {
    response.standing(certificate, issuer, now().as_secs() as i64, 0)
}

fn good() -> OcspStanding {
    OcspStanding::Good { until_unix_s: Some(TOMORROW) }
}

#[track_caller]
fn assert_invalid(standing: OcspStanding, why: &str) {
    assert!(matches!(&standing, OcspStanding::Invalid(told) if told.contains(why)), "{why}: {standing:?}");
}

#[track_caller]
fn assert_unknown(standing: OcspStanding, why: &str) {
    assert!(matches!(&standing, OcspStanding::Unknown(told) if told.contains(why)), "{why}: {standing:?}");
}

#[test]
fn certificate_that_its_issuer_calls_good_is_good_until_next_update() {
    let pki = Pki::new();
    assert_eq!(pki.standing(&pki.answer(GOOD)), good());
    let by_key = element(0xa2, &element(4, &key_hash(&SHA1_FOR_LEGACY_USE_ONLY, &pki.root.der)));
    assert_eq!(pki.standing(&Answer { responder: Some(by_key), ..pki.answer(GOOD) }), good());
    let version_1 = element(0xa0, &[2, 1, 0]);
    assert_eq!(pki.standing(&Answer { version: version_1, ..pki.answer(GOOD) }), good());
    let by_sha256 = Said { id: cert_id(&pki.root.der, SERIAL, true), ..pki.said(GOOD) };
    assert_eq!(pki.standing(&pki.answer_of(vec![by_sha256])), good());
}

#[test]
fn revoked_certificate_is_told_with_reason_and_date_however_old_the_response() {
    let pki = Pki::new();
    let revoked_unix_s = 1_763_202_600;
    let reasons = [
        (None, Reason::Unspecified),
        (Some(1), Reason::KeyCompromise),
        (Some(6), Reason::CertificateHold),
        (Some(10), Reason::AaCompromise),
        // Not used, and not defined.
        (Some(7), Reason::Unspecified),
        (Some(99), Reason::Unspecified),
    ];
    for (number, reason) in reasons {
        let told = OcspStanding::Revoked { reason, revoked_unix_s };
        assert_eq!(pki.standing(&pki.answer(&revoked(number))), told);
    }
    let old =
        Said { this_update: "20201231000000Z", next_update: Some("20210101000000Z"), ..pki.said(&revoked(Some(4))) };
    let told = OcspStanding::Revoked { reason: Reason::Superseded, revoked_unix_s };
    assert_eq!(pki.standing(&pki.answer_of(vec![old])), told);
}

#[test]
fn responder_that_does_not_know_or_does_not_answer_leaves_it_unknown() {
    let pki = Pki::new();
    assert_unknown(pki.standing(&pki.answer(UNKNOWN)), "the responder does not know it");
    let errors = [
        (1, OcspStatus::MalformedRequest),
        (2, OcspStatus::InternalError),
        (3, OcspStatus::TryLater),
        (5, OcspStatus::SigRequired),
        (6, OcspStatus::Unauthorized),
    ];
    for (number, status) in errors {
        let der = [0x30, 3, 0x0a, 1, number];
        assert_eq!(read(&der).unwrap().status(), status);
        assert_unknown(pki.standing_of(&der), status.name());
    }
    for number in [0, 4, 7, 17] {
        assert_eq!(read(&[0x30, 3, 0x0a, 1, number]).unwrap_err().code(), Code::OcspMalformed);
    }
}

#[test]
fn response_about_another_certificate_says_nothing() {
    let pki = Pki::new();
    let namesake = pki.namesake();
    let stranger = self_signed(ca("stranger"));
    let root = &pki.root.der;
    let mut unknown_hash = cert_id(root, SERIAL, false);
    // SHA-1's identifier, changed in its last arc.
    let at = unknown_hash.windows(5).position(|window| window == [0x2b, 0x0e, 3, 2, 0x1a]).unwrap() + 4;
    unknown_hash[at] = 0x1b;
    let ids = [
        cert_id(root, &[0x11, 0x22, 0x34], false),
        cert_id(root, &[0x11, 0x22], true),
        // Of the right name with another key, and of neither.
        cert_id(&namesake.der, SERIAL, false),
        cert_id(&namesake.der, SERIAL, true),
        cert_id(&stranger.der, SERIAL, false),
        unknown_hash,
    ];
    for id in ids {
        for status in [GOOD, &revoked(None)] {
            let said = Said { id: id.clone(), ..pki.said(status) };
            assert_unknown(pki.standing(&pki.answer_of(vec![said])), "not about it");
        }
    }
    assert_unknown(pki.standing(&pki.answer_of(Vec::new())), "not about it");
    // Nor does the issuer of another path make it one.
    let response = read(&pki.answer(GOOD).signed_by(&pki.root)).unwrap();
    assert_unknown(standing(&response, &pki.server.der, &namesake.der), "not about it");
    assert_eq!(standing(&response, &pki.server.der, &pki.root.der), good());
}

#[test]
fn response_about_many_certificates_says_the_same_of_each_whenever_it_is_asked() {
    let pki = Pki::new();
    let certificate = |serial: &[u8]| {
        let mut params = host("broker.example");
        params.serial_number = Some(SerialNumber::from_slice(serial));
        pki.root.issue(params).der
    };
    let statuses = [GOOD.to_vec(), revoked(None), UNKNOWN.to_vec()];
    let asked: Vec<_> = (1..=9).map(|number| (certificate(&[number]), &statuses[usize::from(number) % 3])).collect();
    let said = |number: u8, status: &[u8]| Said { id: cert_id(&pki.root.der, &[number], false), ..pki.said(status) };
    let said = (1..).zip(&asked).map(|(number, (_, status))| said(number, status)).collect();
    let response = read(&pki.answer_of(said).signed_by(&pki.root)).unwrap();
    for _ in 0..2 {
        for (certificate, status) in &asked {
            let told = pki.standing(&pki.answer(status));
            assert_eq!(standing(&response, certificate, &pki.root.der), told);
            assert_eq!(standing(&response, certificate, &pki.root.der), told);
            // Nor is what was found of one issuer's certificate held for another's.
            assert_unknown(standing(&response, certificate, &pki.namesake().der), "not about it");
        }
    }
}

#[test]
fn strictest_of_several_statements_counts_wherever_it_stands() {
    let pki = Pki::new();
    let by_sha256 = |status: &[u8]| Said { id: cert_id(&pki.root.der, SERIAL, true), ..pki.said(status) };
    let stale = Said { next_update: Some("20251231130000Z"), ..pki.said(GOOD) };
    let other = Said { id: cert_id(&pki.root.der, &[9], false), ..pki.said(&revoked(None)) };
    let orders = |one: Said, two: Said| [vec![one.clone(), two.clone()], vec![two, one]];
    for said in orders(pki.said(GOOD), by_sha256(&revoked(Some(1)))) {
        assert!(matches!(pki.standing(&pki.answer_of(said)), OcspStanding::Revoked { .. }));
    }
    for said in orders(pki.said(GOOD), by_sha256(UNKNOWN)) {
        assert_unknown(pki.standing(&pki.answer_of(said)), "does not know it");
    }
    for said in orders(stale, by_sha256(GOOD)) {
        assert_eq!(pki.standing(&pki.answer_of(said)), good());
    }
    for said in orders(other, pki.said(GOOD)) {
        assert_eq!(pki.standing(&pki.answer_of(said)), good());
    }
}

#[test]
fn critical_extension_that_is_not_understood_makes_a_response_invalid() {
    let pki = Pki::new();
    // 1.2.3.4.
    let foreign = |is_critical| extension(&[0x2a, 3, 4], is_critical, &[5, 0]);
    let of_response = |extension| Answer { extensions: vec![extension], ..pki.answer(GOOD) };
    let of_single = |extension| pki.answer_of(vec![Said { extensions: vec![extension], ..pki.said(GOOD) }]);
    for answer in [of_response(foreign(true)), of_single(foreign(true))] {
        assert_invalid(pki.standing(&answer), "the critical extension 1.2.3.4");
    }
    for answer in [of_response(foreign(false)), of_single(foreign(false))] {
        assert_eq!(pki.standing(&answer), good());
    }
    // What is said of another certificate does not matter.
    let other = Said { id: cert_id(&pki.root.der, &[9], false), extensions: vec![foreign(true)], ..pki.said(GOOD) };
    assert_eq!(pki.standing(&pki.answer_of(vec![other, pki.said(GOOD)])), good());
    // The archive cutoff, CRL references, a nonce and "extended revoke" change nothing.
    let cutoff = extension(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 6], true, &time("20200101000000Z"));
    let references = extension(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 3], true, &[0x30, 0]);
    for known in [cutoff, references] {
        assert_eq!(pki.standing(&of_single(known)), good());
    }
    let extended = extension(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 9], true, &[5, 0]);
    assert_eq!(pki.standing(&of_response(extended)), good());
    let nonce = of_response(extension(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 2], true, &[4, 3, 1, 2, 3]));
    assert_eq!(pki.standing(&nonce), good());
    assert_eq!(read(&nonce.signed_by(&pki.root)).unwrap().nonce(), Some(&[1, 2, 3][..]));
    let bare = of_response(extension(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 2], false, &[1, 2, 3]));
    assert_eq!(read(&bare.signed_by(&pki.root)).unwrap().nonce(), Some(&[1, 2, 3][..]));
    assert_eq!(read(&pki.answer(GOOD).signed_by(&pki.root)).unwrap().nonce(), None);
}

#[test]
fn response_of_another_form_is_refused_with_what_it_is() {
    let pki = Pki::new();
    let refused = |der: &[u8], why: &str| {
        let error = read(der).unwrap_err();
        assert_eq!(error.code(), Code::OcspUnusable, "{error}");
        assert!(error.detail().starts_with("staple") && error.detail().contains(why), "{error}");
    };
    refused(&response(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 2], &[0x30, 0]), "the type 1.3.6.1.5.5.7.48.1.2");
    let version_2 = Answer { version: element(0xa0, &[2, 1, 1]), ..pki.answer(GOOD) };
    refused(&version_2.signed_by(&pki.root), "version");
    let with = |count| Answer { certificates: vec![pki.root.der.to_vec(); count], ..pki.answer(GOOD) };
    assert_eq!(pki.standing(&with(16)), good());
    refused(&with(17).signed_by(&pki.root), "more than 16 certificates");
    let of = |count| pki.answer_of(vec![pki.said(GOOD); count]);
    assert_eq!(pki.standing(&of(128)), good());
    refused(&of(129).signed_by(&pki.root), "more than 128 certificates");

    for malformed in [&b""[..], b"garbage", &[0x30, 0], &pki.root.der] {
        assert_eq!(read(malformed).unwrap_err().code(), Code::OcspMalformed);
    }
}

#[test]
fn no_altered_byte_and_no_cut_of_a_response_makes_a_certificate_good() {
    let pki = Pki::new();
    let delegate = signers::delegate(&pki.root);
    let certificates = vec![delegate.der.to_vec()];
    let answers = [
        pki.answer(GOOD).signed_by(&pki.root),
        Answer { certificates, ..pki.answer(GOOD) }.signed_by(&delegate),
        pki.answer(&revoked(None)).signed_by(&pki.root),
    ];
    let is_good = |der: &[u8]| {
        read(der).is_ok_and(|read| matches!(standing(&read, &pki.server.der, &pki.root.der), OcspStanding::Good { .. }))
    };
    assert!(is_good(&answers[0]) && is_good(&answers[1]) && !is_good(&answers[2]));
    for whole in answers {
        for at in 0..whole.len() {
            assert!(!is_good(&whole[..at]), "cut at {at}");
            for bit in 0..8 {
                let mut altered = whole.clone();
                altered[at] ^= 1 << bit;
                assert!(!is_good(&altered), "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn file_has_one_response_or_any_number_in_pem_and_says_which_line_is_wrong() {
    let pki = Pki::new();
    let der = pki.answer(GOOD).signed_by(&pki.root);
    assert_eq!(ocsp_responses_of(&der, "ocsp.der").unwrap().len(), 1);
    let one = pem("OCSP RESPONSE", &der);
    let text = format!("{one}{}{one}", pem("CERTIFICATE", &pki.root.der));
    let responses = ocsp_responses_of(text.as_bytes(), "ocsp.pem").unwrap();
    assert_eq!(responses.len(), 2);
    assert!(responses.iter().all(|read| read.der() == der && standing(read, &pki.server.der, &pki.root.der) == good()));
    let broken = text + &pem("OCSP RESPONSE", b"nothing");
    let error = ocsp_responses_of(broken.as_bytes(), "ocsp.pem").unwrap_err();
    assert_eq!(error.code(), Code::OcspMalformed);
    assert!(error.detail().starts_with("ocsp.pem, line "), "{error}");
    let other = pem("CERTIFICATE", &pki.root.der);
    assert_eq!(ocsp_responses_of(other.as_bytes(), "ocsp.pem").unwrap_err().code(), Code::OcspMalformed);
    assert_eq!(
        ocsp_responses_of(b"-----BEGIN OCSP RESPONSE-----\n", "ocsp.pem").unwrap_err().code(),
        Code::PemMalformed
    );
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn facts_of_a_response_are_what_it_says_of_itself() {
    let pki = Pki::new();
    let endless = Said { next_update: None, id: cert_id(&pki.root.der, &[0, 0x99], true), ..pki.said(GOOD) };
    let response = read(&pki.answer_of(vec![pki.said(&revoked(Some(1))), endless]).signed_by(&pki.root)).unwrap();
    let facts = response.facts();
    assert_eq!((facts.status, facts.responder.as_deref()), (OcspStatus::Successful, Some("CN=root")));
    assert_eq!(facts.produced_at_unix_s, Some(1_767_182_400));
    assert_eq!(facts.signature_algorithm.as_deref(), Some("ecdsa-with-SHA256"));
    assert_eq!(facts.sha256_fingerprint.len(), 64);
    let [one, two] = facts.certificates.as_slice() else { panic!("{facts:?}") };
    assert_eq!((one.serial.as_str(), one.status, one.reason), ("112233", "revoked", Some(Reason::KeyCompromise)));
    assert_eq!((one.revoked_unix_s, one.next_update_unix_s), (Some(1_763_202_600), Some(TOMORROW)));
    assert_eq!((two.serial.as_str(), two.status, two.reason, two.revoked_unix_s), ("99", "good", None, None));
    assert_eq!((two.this_update_unix_s, two.next_update_unix_s), (1_767_182_400, None));
    assert_eq!((response.this_update_unix_s(), response.next_update_unix_s()), (Some(1_767_182_400), Some(TOMORROW)));

    let error = read(&[0x30, 3, 0x0a, 1, 3]).unwrap().facts();
    assert_eq!((error.status, error.responder, error.certificates), (OcspStatus::TryLater, None, Vec::new()));
}
