//! Verdicts of revocation lists on a path: the code of each refusal, and lists that do not count.
//!
//! Lists are put together element by element, so that each can break one rule; `openssl crl` makes them in recipes.

mod cases;
mod directories;
pub(crate) mod fetch;
mod fetch_chain;
mod hanging;
mod later;
mod live;
mod matrix;
mod names;
mod points;
mod post;
mod refresh;
mod rollover;
pub(crate) mod sessions;

use brokertls::error::{Code, Error};
use brokertls::keystore::TrustedCertificate;
use brokertls::revocation::{Crl, Crls, Depth, Mode, Revocation, RevocationPolicy};
use brokertls::verify::{Deviations, PeerVerifier, Purpose};
use rcgen::{KeyUsagePurpose, SerialNumber};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::rig::pki::{Made, ca, element, elements, host, now, self_signed};

pub(crate) const SERIAL: &[u8] = &[0x11, 0x22, 0x33];
const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// A list that is current at [`now`] and revokes [`SERIAL`] unless a test says otherwise.
pub(crate) struct List {
    pub(crate) version: &'static [u8],
    /// None for the name of the one that signs.
    pub(crate) issuer: Option<Vec<u8>>,
    pub(crate) this_update: &'static str,
    pub(crate) next_update: Option<&'static str>,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) algorithm: Vec<u8>,
}

impl List {
    pub(crate) fn new() -> Self {
        Self {
            version: &[2, 1, 1],
            issuer: None,
            this_update: "251201000000Z",
            next_update: Some("260201000000Z"),
            entries: vec![entry(SERIAL, &[])],
            extensions: Vec::new(),
            algorithm: ECDSA_SHA256.to_vec(),
        }
    }

    pub(crate) fn empty() -> Self {
        Self { entries: Vec::new(), ..Self::new() }
    }

    pub(crate) fn extension(mut self, number: u8, is_critical: bool, value: &[u8]) -> Self {
        self.extensions.push(extension(number, is_critical, value));
        self
    }

    pub(crate) fn signed_by(&self, issuer: &Made) -> Vec<u8> {
        let certificate = X509Certificate::from_der(&issuer.der).unwrap().1;
        let name = self.issuer.clone().unwrap_or_else(|| certificate.subject().as_raw().to_vec());
        let mut fields = vec![self.version.to_vec(), self.algorithm.clone(), name, time(self.this_update)];
        fields.extend(self.next_update.map(time));
        if !self.entries.is_empty() {
            fields.push(element(0x30, &self.entries.concat()));
        }
        if !self.extensions.is_empty() {
            fields.push(element(0xa0, &element(0x30, &self.extensions.concat())));
        }
        let list = element(0x30, &fields.concat());
        let signature = rcgen::SigningKey::sign(&issuer.key, &list).unwrap();
        let signature = element(0x03, &[&[0], signature.as_slice()].concat());
        element(0x30, &[list, self.algorithm.clone(), signature].concat())
    }
}

/// A UTCTime, or a GeneralizedTime if the text has a century.
fn time(text: &str) -> Vec<u8> {
    element(if text.len() > 13 { 0x18 } else { 0x17 }, text.as_bytes())
}

/// The identifier that a certificate gives its key.
pub(crate) fn key_identifier_of(certificate: &CertificateDer<'_>) -> Vec<u8> {
    let certificate = X509Certificate::from_der(certificate).unwrap().1;
    let identifier = certificate.extensions().iter().find(|extension| extension.oid.to_id_string() == "2.5.29.14");
    elements(identifier.unwrap().value).remove(0).split_off(2)
}

pub(crate) fn entry(serial: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut fields = vec![element(0x02, serial), element(0x17, b"251115103000Z")];
    if !extensions.is_empty() {
        fields.push(element(0x30, &extensions.concat()));
    }
    element(0x30, &fields.concat())
}

/// An extension 2.5.29.`number`.
pub(crate) fn extension(number: u8, is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if is_critical { &[1, 1, 0xff] } else { &[] };
    element(0x30, &[&[6, 3, 0x55, 0x1d, number], critical, &element(0x04, value)].concat())
}

/// An issuing distribution point, critical as RFC 5280 demands.
pub(crate) fn scope(fields: &[Vec<u8>]) -> List {
    List::new().extension(28, true, &element(0x30, &fields.concat()))
}

/// The name of a distribution point: one URI.
pub(crate) fn point(uri: &str) -> Vec<u8> {
    element(0xa0, &element(0xa0, &element(0x86, uri.as_bytes())))
}

/// A root, and an end entity of it with the serial number [`SERIAL`].
pub(crate) struct Pki {
    pub(crate) root: Made,
    pub(crate) server: Made,
}

impl Pki {
    pub(crate) fn new() -> Self {
        Self::with_points(&[])
    }

    pub(crate) fn with_points(uris: &[&str]) -> Self {
        let root = self_signed(ca("root"));
        let mut params = host("broker.example");
        params.serial_number = Some(SerialNumber::from_slice(SERIAL));
        params.crl_distribution_points =
            uris.iter().map(|uri| rcgen::CrlDistributionPoint { uris: vec![(*uri).to_owned()] }).collect();
        let server = root.issue(params);
        Self { root, server }
    }

    pub(crate) fn judge(&self, policy: RevocationPolicy, lists: &[Vec<u8>]) -> Result<(), Error> {
        judge(&self.root, &[&self.server.der], policy, lists)
    }

    /// By the default policy, which requires to know.
    pub(crate) fn refusal(&self, list: &List) -> Error {
        self.judge(RevocationPolicy::default(), &[list.signed_by(&self.root)]).unwrap_err()
    }
}

pub(crate) fn judge(
    root: &Made,
    chain: &[&CertificateDer<'static>],
    policy: RevocationPolicy,
    lists: &[Vec<u8>],
) -> Result<(), Error> {
    let mut crls = Crls::default();
    for list in lists {
        crls.add(list, "ca.crl")?;
    }
    let trusted: Vec<TrustedCertificate> = vec![root.trusted()];
    let verifier = PeerVerifier::new(trusted, Deviations::default()).unwrap();
    let verifier = verifier.with_revocation(Revocation::new(policy, crls));
    let chain: Vec<_> = chain.iter().map(|der| (*der).clone()).collect();
    verifier.verify(&chain, Purpose::Server, None, now()).map(|_| ())
}

pub(crate) fn policy(mode: Mode) -> RevocationPolicy {
    RevocationPolicy { mode, ..RevocationPolicy::default() }
}

#[test]
fn revoked_certificate_is_refused_with_reason_and_date_and_list() {
    let pki = Pki::new();
    for (number, name) in [(1, "keyCompromise"), (4, "superseded"), (6, "certificateHold"), (10, "aACompromise")] {
        let mut list = List::empty();
        list.entries.push(entry(SERIAL, &[extension(21, false, &[0x0a, 1, number])]));
        let error = pki.refusal(&list);
        assert_eq!(error.code(), Code::CertRevoked);
        for part in ["112233", "2025-11-15T10:30:00Z", name, "ca.crl"] {
            assert!(error.detail().contains(part), "{part}: {error}");
        }
    }
    assert!(pki.refusal(&List::new()).detail().contains("unspecified"));
}

#[test]
fn certificate_that_a_current_list_does_not_have_is_accepted() {
    let pki = Pki::new();
    for mode in [Mode::Prefer, Mode::Require] {
        let mut others = List::empty();
        others.entries.extend([entry(&[0x11, 0x22, 0x34], &[]), entry(&[0x11, 0x22], &[])]);
        for list in [List::empty(), others] {
            assert_eq!(pki.judge(policy(mode), &[list.signed_by(&pki.root)]).map_err(|error| error.code()), Ok(()));
        }
    }
}

#[test]
fn what_is_not_known_is_refused_or_accepted_as_the_policy_says() {
    let pki = Pki::new();
    let stranger = self_signed(ca("stranger"));
    let lists = [
        (vec![], Code::RevocationUnknown),
        (vec![List::empty().signed_by(&stranger)], Code::RevocationUnknown),
        (
            vec![List { next_update: Some("251231235959Z"), ..List::empty() }.signed_by(&pki.root)],
            Code::RevocationStale,
        ),
        (vec![List { this_update: "260102000000Z", ..List::empty() }.signed_by(&pki.root)], Code::RevocationUnknown),
    ];
    for (lists, code) in lists {
        let refused = pki.judge(policy(Mode::Require), &lists).unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        for mode in [Mode::Prefer, Mode::Off] {
            assert_eq!(pki.judge(policy(mode), &lists).map_err(|error| error.code()), Ok(()));
        }
    }
}

#[test]
fn revoked_certificate_is_refused_unless_nothing_is_asked() {
    let pki = Pki::new();
    let list = [List::new().signed_by(&pki.root)];
    assert_eq!(pki.judge(policy(Mode::Prefer), &list).unwrap_err().code(), Code::CertRevoked);
    assert_eq!(pki.judge(policy(Mode::Off), &list).map_err(|error| error.code()), Ok(()));
}

#[test]
fn list_out_of_date_serves_for_as_long_as_allowed_and_revokes_for_ever() {
    let pki = Pki::new();
    // A second before the clock's time.
    let stale = List { next_update: Some("251231235959Z"), ..List::empty() }.signed_by(&pki.root);
    let allowed = RevocationPolicy { max_stale_s: 1, ..RevocationPolicy::default() };
    assert_eq!(pki.judge(allowed, std::slice::from_ref(&stale)).map_err(|error| error.code()), Ok(()));
    let old = List { next_update: Some("210101000000Z"), this_update: "201201000000Z", ..List::new() };
    assert_eq!(pki.refusal(&old).code(), Code::CertRevoked);
    let endless = List { next_update: None, ..List::empty() }.signed_by(&pki.root);
    assert_eq!(pki.judge(policy(Mode::Require), &[endless]).map_err(|error| error.code()), Ok(()));
}

#[test]
fn list_signed_with_another_key_says_nothing() {
    let pki = Pki::new();
    let namesake = self_signed(ca("root"));
    for list in [List::new(), List::empty()] {
        let error = pki.judge(policy(Mode::Require), &[list.signed_by(&namesake)]).unwrap_err();
        assert_eq!(error.code(), Code::RevocationUnknown);
        assert!(error.detail().contains("ca.crl is not signed with its issuer's key"), "{error}");
    }
    // Beside it, the right one counts.
    let lists = [List::empty().signed_by(&namesake), List::new().signed_by(&pki.root)];
    assert_eq!(pki.judge(policy(Mode::Require), &lists).unwrap_err().code(), Code::CertRevoked);
}

#[test]
fn issuer_with_a_key_usage_that_excludes_lists_cannot_be_asked() {
    let mut params = ca("root");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = self_signed(params);
    let mut params = host("broker.example");
    params.serial_number = Some(SerialNumber::from_slice(SERIAL));
    let server = root.issue(params);
    let list = [List::new().signed_by(&root)];
    let error = judge(&root, &[&server.der], policy(Mode::Require), &list).unwrap_err();
    assert_eq!(error.code(), Code::RevocationUnknown);
    assert!(error.detail().contains("cRLSign"), "{error}");
    // Told when the list is read, too.
    let mut crls = Crls::default();
    crls.add(&list[0], "ca.crl").unwrap();
    let warnings = Revocation::new(policy(Mode::Require), crls).warnings(&[root.trusted()]);
    assert!(warnings.iter().any(|line| line.contains("counts for nothing: its issuer's key usage")), "{warnings:?}");
}

#[test]
fn depth_decides_whether_issuers_are_asked_about() {
    let root = self_signed(ca("root"));
    let mut params = ca("intermediate");
    params.serial_number = Some(SerialNumber::from_slice(SERIAL));
    let intermediate = root.issue(params);
    let server = intermediate.issue(host("broker.example"));
    let chain = [&server.der, &intermediate.der];
    let lists = [List::new().signed_by(&root), List::empty().signed_by(&intermediate)];
    let leaf = RevocationPolicy { depth: Depth::Leaf, ..RevocationPolicy::default() };
    assert_eq!(judge(&root, &chain, leaf, &lists).map_err(|error| error.code()), Ok(()));
    let error = judge(&root, &chain, RevocationPolicy::default(), &lists).unwrap_err();
    assert_eq!(error.code(), Code::CertRevoked);
    assert!(error.detail().contains("CN=intermediate"), "{error}");
    // A list of one issuer says nothing of another's certificates.
    let error = judge(&root, &chain, RevocationPolicy::default(), &lists[1..]).unwrap_err();
    assert_eq!(error.code(), Code::RevocationUnknown);
}

#[test]
fn newer_list_of_the_same_scope_takes_the_place_of_an_older_one() {
    let pki = Pki::new();
    let held = List { this_update: "251101000000Z", ..List::new() }.signed_by(&pki.root);
    let released = List::empty().signed_by(&pki.root);
    for lists in [[held.clone(), released.clone()], [released, held]] {
        assert_eq!(pki.judge(policy(Mode::Require), &lists).map_err(|error| error.code()), Ok(()));
    }
}

#[test]
fn list_for_some_certificates_speaks_of_no_others() {
    let flag = |tag: u8| element(tag, &[0xff]);
    let pki = Pki::new();
    assert_eq!(pki.refusal(&scope(&[flag(0x81)])).code(), Code::CertRevoked);
    assert_eq!(pki.refusal(&scope(&[flag(0x82)])).code(), Code::RevocationUnknown);
    // Of one distribution point: the certificate must name it.
    let here = scope(&[point("http://crl.example/1")]);
    assert_eq!(pki.refusal(&here).code(), Code::RevocationUnknown);
    assert_eq!(Pki::with_points(&["http://crl.example/2"]).refusal(&here).code(), Code::RevocationUnknown);
    let named = Pki::with_points(&["http://crl.example/0", "http://crl.example/1"]);
    assert_eq!(named.refusal(&here).code(), Code::CertRevoked);
}

#[test]
fn lists_for_some_reasons_are_good_only_together() {
    let pki = Pki::new();
    // keyCompromise and cACompromise; all others.
    let some = element(0x83, &[5, 0b0110_0000]);
    let others = element(0x83, &[7, 0b0001_1111, 0x80]);
    let list = |reasons: &Vec<u8>| {
        let mut list = scope(std::slice::from_ref(reasons));
        list.entries.clear();
        list.signed_by(&pki.root)
    };
    let (some, others) = (list(&some), list(&others));
    for alone in [&some, &others] {
        let error = pki.judge(policy(Mode::Require), std::slice::from_ref(alone)).unwrap_err();
        assert_eq!(error.code(), Code::RevocationUnknown, "{error}");
    }
    assert_eq!(pki.judge(policy(Mode::Require), &[some, others]).map_err(|error| error.code()), Ok(()));
}

#[test]
fn lists_of_forms_that_are_not_honoured_are_refused_by_name() {
    let pki = Pki::new();
    let flag = |tag: u8| element(tag, &[0xff]);
    let mut indirect_entry = List::empty();
    indirect_entry.entries.push(entry(SERIAL, &[extension(29, true, &[0x30, 0])]));
    let mut critical_entry = List::empty();
    critical_entry.entries.push(entry(SERIAL, &[extension(99, true, &[5, 0])]));
    let sha1 = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0].to_vec();
    let lists = [
        (scope(&[flag(0x84)]), "an indirect list"),
        (indirect_entry, "an indirect list"),
        (scope(&[flag(0x85)]), "attribute certificates"),
        (List::new().extension(27, true, &[2, 1, 1]), "a delta list"),
        (List::new().extension(99, true, &[5, 0]), "the critical extension 2.5.29.99"),
        (critical_entry, "the critical entry extension 2.5.29.99"),
        (List { algorithm: sha1, ..List::new() }, "the signature algorithm sha1WithRSAEncryption"),
    ];
    for (list, name) in lists {
        let error = pki.refusal(&list);
        assert_eq!(error.code(), Code::CrlUnsupported, "{error}");
        assert!(error.detail().contains(name) && error.detail().starts_with("ca.crl"), "{error}");
    }
    // What is not critical may be passed over.
    let mut tolerated = List::new().extension(99, false, &[5, 0]).extension(20, false, &[2, 1, 7]);
    tolerated.entries = vec![entry(SERIAL, &[extension(24, false, &[5, 0])])];
    assert_eq!(pki.refusal(&tolerated).code(), Code::CertRevoked);
}

#[test]
fn pem_file_has_any_number_of_lists_and_says_which_line_is_wrong() {
    let pki = Pki::new();
    let stranger = self_signed(ca("stranger"));
    let lists = [List::empty().signed_by(&stranger), List::new().signed_by(&pki.root)];
    let text: String = lists.iter().map(|list| pem("X509 CRL", list)).collect();
    assert_eq!(pki.judge(policy(Mode::Require), &[text.clone().into_bytes()]).unwrap_err().code(), Code::CertRevoked);
    let mut crls = Crls::default();
    crls.add(text.as_bytes(), "ca.crl").unwrap();
    assert_eq!(crls.iter().count(), 2);

    let broken = text + &pem("X509 CRL", b"nothing");
    let error = Crls::default().add(broken.as_bytes(), "ca.crl").unwrap_err();
    assert_eq!(error.code(), Code::CrlMalformed);
    assert!(error.detail().starts_with("ca.crl, line "), "{error}");
    let other = pem("CERTIFICATE", &pki.root.der);
    assert_eq!(Crls::default().add(other.as_bytes(), "ca.crl").unwrap_err().code(), Code::CrlMalformed);
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn no_altered_byte_and_no_cut_of_a_list_lets_a_revoked_certificate_in() {
    let pki = Pki::new();
    let whole = scope(&[element(0x81, &[0xff])]).signed_by(&pki.root);
    let refuses = |list: Vec<u8>| {
        let error = pki.judge(policy(Mode::Require), &[list]).unwrap_err();
        let codes = [
            Code::CertRevoked,
            Code::RevocationUnknown,
            Code::RevocationStale,
            Code::CrlMalformed,
            Code::CrlUnsupported,
        ];
        assert!(codes.contains(&error.code()), "{error}");
    };
    for at in 0..whole.len() {
        refuses(whole[..at].to_vec());
        for bit in 0..8 {
            let mut altered = whole.clone();
            altered[at] ^= 1 << bit;
            refuses(altered);
        }
    }
}

#[test]
fn facts_of_a_list_are_what_it_says_of_itself() {
    let pki = Pki::new();
    let der = List::new().extension(20, false, &[2, 2, 0x12, 0x34]).signed_by(&pki.root);
    let facts = Crl::from_der(&der, "ca.crl").unwrap().facts();
    assert_eq!(facts.issuer, "CN=root");
    assert_eq!((facts.this_update_unix_s, facts.next_update_unix_s), (1_764_547_200, Some(1_769_904_000)));
    assert_eq!((facts.number.as_deref(), facts.entries), (Some("1234"), 1));
    assert_eq!(facts.signature_algorithm, "ecdsa-with-SHA256");
    assert_eq!(elements(&der).len(), 1);
}
