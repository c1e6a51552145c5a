//! `brokertls verify` with responses in files, with a limited depth, and with requests to `openssl ocsp` and a web
//! server on this machine.

use std::path::PathBuf;

use rcgen::{CertificateParams, SerialNumber};

use crate::revocation::fetch::{list_at, responder_at};
use crate::rig::command::{file, folder, run};
use crate::rig::pair::Authority;
use crate::rig::responder::{Office, Register};
use crate::rig::web::{Play, Web};

const GOOD: &[u8] = &[0x10, 0x01];
const BAD: &[u8] = &[0x10, 0x02];
/// One that the responder has never heard of.
const LOST: &[u8] = &[0x10, 0x03];

/// An authority, its responder's folder, and the files of a test.
struct World {
    folder: PathBuf,
    authority: Authority,
    office: Office,
    ca: String,
}

impl World {
    fn new(name: &str) -> Self {
        let (folder, authority) = (folder(name), Authority::new("ca"));
        let office = Office::new(name, &authority, &authority);
        office.register(&Register { good: &[GOOD], revoked: &[BAD] });
        let ca = file(&folder, "ca.pem", authority.pem());
        Self { folder, authority, office, ca }
    }

    /// A certificate of this serial number, that `change` sees.
    fn issue(&self, serial: &[u8], change: impl FnOnce(&mut CertificateParams)) -> String {
        self.authority.issue(&["broker.example"], |params| {
            params.serial_number = Some(SerialNumber::from_slice(serial));
            change(params);
        })
    }

    /// A file with that certificate.
    fn chain(&self, name: &str, serial: &[u8], change: impl FnOnce(&mut CertificateParams)) -> String {
        file(&self.folder, name, self.issue(serial, change))
    }

    #[track_caller]
    fn assert_told(&self, chain: &str, more: &[&str], first: &str) {
        let ran = run(&[&["verify", "--chain", chain, "--trust", &self.ca], more].concat());
        assert_eq!(ran.code, i32::from(first != "accepted"), "{more:?}: {ran:?}");
        assert!(ran.first_line().starts_with(first), "{more:?}: {ran:?}");
    }
}

#[test]
fn responses_in_files_decide_about_the_certificates_that_they_are_of() {
    let world = World::new("verify-responses");
    let certificates = [GOOD, BAD, LOST].map(|serial| world.issue(serial, |_| {}));
    let chains = ["good", "bad", "lost"];
    let chains = [0, 1, 2].map(|at| file(&world.folder, &format!("{}.pem", chains[at]), &certificates[at]));
    let responses = [0, 1, 2].map(|at| {
        let answer = world.office.answer(&certificates[at], "-ndays 1");
        file(&world.folder, &format!("{at}.der"), answer)
    });
    let all: Vec<&str> = responses.iter().flat_map(|response| ["--ocsp", response]).collect();
    world.assert_told(&chains[0], &["--ocsp", &responses[0]], "accepted");
    world.assert_told(&chains[1], &["--ocsp", &responses[1]], "refused CERT_REVOKED: ");
    world.assert_told(&chains[2], &["--ocsp", &responses[2]], "refused REVOCATION_UNKNOWN: ");
    world.assert_told(&chains[0], &all, "accepted");
    world.assert_told(&chains[1], &all, "refused CERT_REVOKED: ");
    // One about another says nothing, and lists stand beside responses.
    world.assert_told(&chains[1], &["--ocsp", &responses[0]], "refused REVOCATION_UNKNOWN: ");
    world.assert_told(&chains[2], &["--ocsp", &responses[0], "--revocation", "prefer"], "accepted");
    let list = file(&world.folder, "ca.crl", world.authority.crl(&[LOST]));
    world.assert_told(&chains[2], &["--ocsp", &responses[0], "--crl", &list], "refused CERT_REVOKED: ");
    world.assert_told(&chains[0], &["--ocsp", &responses[0], "--crl", &list, "--crl-mode", "require"], "accepted");
    world.assert_told(&chains[0], &["--ocsp", &world.ca], "refused OCSP_MALFORMED: ");
    world.assert_told(&chains[0], &["--ocsp", "/nonexistent.der"], "refused FILE_UNREADABLE: ");
}

#[test]
fn response_serves_for_its_time_and_as_long_after_as_is_told() {
    let world = World::new("verify-stale");
    let certificate = world.issue(GOOD, |_| {});
    let chain = file(&world.folder, "chain.pem", &certificate);
    let response = file(&world.folder, "response.der", world.office.answer(&certificate, "-nmin 60"));
    let later = ["--ocsp", &response, "--time", "2039-06-01T00:00:00Z"];
    world.assert_told(&chain, &later[..2], "accepted");
    world.assert_told(&chain, &later, "refused REVOCATION_STALE: ");
    world.assert_told(&chain, &[later.as_slice(), &["--revocation-max-stale-s", "1000000000"]].concat(), "accepted");
}

#[test]
fn depth_says_whether_issuers_have_to_be_known_too() {
    let folder = folder("verify-depth");
    let root = Authority::new("root");
    let issuing = root.below("issuing");
    let leaf = issuing.issue(&["broker.example"], |_| {});
    let chain = file(&folder, "chain.pem", leaf + &issuing.pem());
    let ca = file(&folder, "root.pem", root.pem());
    let of_issuing = file(&folder, "issuing.crl", issuing.crl(&[]));
    let of_root = file(&folder, "root.crl", root.crl(&[]));
    let cases: [(&[&str], &str); 4] = [
        (&["--crl", &of_issuing], "refused REVOCATION_UNKNOWN: "),
        (&["--crl", &of_issuing, "--revocation-depth", "leaf"], "accepted"),
        (&["--crl", &of_issuing, "--crl", &of_root, "--revocation-depth", "chain"], "accepted"),
        (&["--crl", &of_root, "--revocation-depth", "leaf"], "refused REVOCATION_UNKNOWN: "),
    ];
    for (more, first) in cases {
        let ran = run(&[&["verify", "--chain", &chain, "--trust", &ca], more].concat());
        assert_eq!(ran.code, i32::from(first != "accepted"), "{ran:?}");
        assert!(ran.first_line().starts_with(first), "{more:?}: {ran:?}");
    }
    let ran = run(&["verify", "--chain", &chain, "--trust", &ca, "--crl", &of_root, "--revocation-depth", "root"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn responder_that_is_named_is_asked_where_fetching_is_on() {
    let world = World::new("verify-responder");
    let (_running, url) = world.office.open(60);
    let asking = ["--fetch", "--ocsp-responder", &url];
    for (name, serial, first) in [
        ("good.pem", GOOD, "accepted"),
        ("bad.pem", BAD, "refused CERT_REVOKED: "),
        ("lost.pem", LOST, "refused REVOCATION_UNKNOWN: "),
    ] {
        let chain = world.chain(name, serial, |_| {});
        world.assert_told(&chain, &asking, first);
        world.assert_told(&chain, &[asking.as_slice(), &["--ocsp-hash", "sha256"]].concat(), first);
    }
    let chain = world.chain("good.pem", GOOD, |_| {});
    world.assert_told(&chain, &[asking.as_slice(), &["--ocsp-nonce"]].concat(), "accepted");
    let ran = run(&["verify", "--chain", &chain, "--trust", &world.ca, "--ocsp-responder", &url]);
    assert_eq!(ran.code, 2, "a responder, and nothing is fetched: {ran:?}");
}

#[test]
fn places_that_the_chain_names_are_asked_where_they_may_be() {
    let world = World::new("verify-places");
    let (_running, url) = world.office.open(60);
    let list = world.authority.crl_between(&[BAD], rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
    let web = Web::playing(Play::Content(list.der().to_vec()));
    let may_ask = ["--fetch", "--fetch-private-addresses"];
    for (name, serial, first) in [("good", GOOD, "accepted"), ("bad", BAD, "refused CERT_REVOKED: ")] {
        let answered = world.chain(&format!("{name}-answered.pem"), serial, responder_at(&[&url]));
        let listed = world.chain(&format!("{name}-listed.pem"), serial, list_at(&web.url("/ca.crl")));
        world.assert_told(&answered, &may_ask, first);
        world.assert_told(&listed, &may_ask, first);
        for chain in [&answered, &listed] {
            world.assert_told(chain, &["--fetch"], "refused FETCH_REFUSED: ");
            world.assert_told(chain, &["--fetch", "--revocation", "prefer"], "accepted");
        }
    }
    assert_eq!(web.asked().len(), 2, "each run asked for itself, and only if a setting allowed it");
}

#[test]
fn responder_that_is_not_there_or_talks_nonsense_is_told_by_its_code() {
    let world = World::new("verify-nonsense");
    let chain = world.chain("chain.pem", GOOD, |_| {});
    let web = Web::playing(Play::Content(b"neither".to_vec()));
    let url = web.url("/");
    world.assert_told(&chain, &["--fetch", "--ocsp-responder", &url], "refused REVOCATION_RESPONSE_INVALID: ");
    // A reserved port without a listener, which no test may open.
    let closed = "http://127.0.0.1:1/";
    world.assert_told(&chain, &["--fetch", "--ocsp-responder", closed], "refused REVOCATION_UNREACHABLE: ");
}
