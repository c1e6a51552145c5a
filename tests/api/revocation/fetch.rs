//! Certificates checked by asking, in handshakes: of the real responder (`openssl ocsp`), and of servers that do not
//! answer, or answer what they should not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use brokertls::fetch::{FetchPolicy, FetchRequest, Fetched, Fetcher};
use brokertls::revocation::{CertIdHash, Mode, SourceKind};
use brokertls::{ClientAuth, Code, Context, ContextBuilder, IdentitySource, Source};
use rcgen::{CertificateParams, CustomExtension, SerialNumber};
use rustls::time_provider::TimeProvider;
use time::OffsetDateTime;

use crate::process::Running;
use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, Ended, Pair, context};
use crate::rig::pki::element;
use crate::rig::responder::url_of;
use crate::rig::web::{PATIENCE, Play, Web, eventually};

pub(crate) const GOOD: &[u8] = &[0x10, 0x01];
pub(crate) const BAD: &[u8] = &[0x10, 0x02];
/// One that the responder has never heard of.
pub(crate) const LOST: &[u8] = &[0x10, 0x03];

const MINUTE_S: u64 = 60;

/// The index file of `openssl ocsp`.
pub(crate) const INDEX: &str = "V\t400101000000Z\t\t1001\tunknown\t/CN=good\n\
                     R\t400101000000Z\t250102030405Z,keyCompromise\t1002\tunknown\t/CN=bad\n";

/// An authority, a web server that certificates name, and a clock that starts at the machine's own time.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) authority: Authority,
    pub(crate) web: Web,
    pub(crate) clock: Arc<Clock>,
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fetch-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("index.txt"), INDEX).unwrap();
        let authority = Authority::new("ca");
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self { folder, authority, web: Web::playing(Play::Status(404)), clock: Clock::at(now_s) }
    }

    /// A responder for this authority, which signs as `signer`; its answers serve for an hour. Gives its URL as well.
    pub(crate) fn responder(&self, signer: &Authority) -> (Running, String) {
        std::fs::write(self.folder.join("ca.pem"), self.authority.pem()).unwrap();
        std::fs::write(self.folder.join("signer.pem"), signer.pem() + &signer.key_pem()).unwrap();
        let arguments = "ocsp -index index.txt -CA ca.pem -rsigner signer.pem -rkey signer.pem -nmin 60 -port 0";
        let mut command = Command::new("openssl");
        let running = Running::start(command.args(arguments.split(' ')).current_dir(&self.folder));
        let url = url_of(&running);
        (running, url)
    }

    /// A server with a certificate of this serial number, that `change` sees.
    pub(crate) fn server(&self, serial: &[u8], change: impl FnOnce(&mut CertificateParams)) -> Context {
        let pem = self.authority.issue(&["broker"], |params| {
            params.serial_number = Some(SerialNumber::from_slice(serial));
            change(params);
        });
        let identity = IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()));
        context(|builder| builder.identity(identity))
    }

    /// A client that asks the responders and servers that certificates name.
    pub(crate) fn client(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        context(|builder| {
            let builder = builder.trust(self.authority.trust()).clock(Arc::clone(&self.clock) as Arc<dyn TimeProvider>);
            set(builder.resumption(false).fetch(true).fetch_private_addresses(true))
        })
    }

    /// Runs a handshake with a server that names this URL as its responder, and returns the result of the client.
    pub(crate) fn ask(&self, client: &Context, serial: &[u8], url: &str) -> Result<(), brokertls::Error> {
        Pair::new(&self.server(serial, responder_at(&[url])), client, "broker").run().client
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Names responders in a certificate (RFC 5280 section 4.2.2.1).
pub(crate) fn responder_at(urls: &[&str]) -> impl FnOnce(&mut CertificateParams) {
    let responder = |url: &&str| {
        let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 48, 1];
        element(0x30, &[method.as_slice(), &element(0x86, url.as_bytes())].concat())
    };
    let access = element(0x30, &urls.iter().flat_map(responder).collect::<Vec<u8>>());
    let access = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access);
    move |params| params.custom_extensions.push(access)
}

/// Names the place of a list in a certificate.
pub(crate) fn list_at(url: &str) -> impl FnOnce(&mut CertificateParams) {
    let uris = vec![url.to_owned()];
    move |params| params.crl_distribution_points = vec![rcgen::CrlDistributionPoint { uris }]
}

#[track_caller]
pub(crate) fn assert_code(result: &Result<(), brokertls::Error>, code: Code) {
    let error = result.as_ref().unwrap_err();
    assert_eq!(error.code(), code, "{error}");
}

#[test]
fn real_responder_decides_however_it_is_asked() {
    let world = World::new("real");
    let (_responder, url) = world.responder(&world.authority);
    for (hash, nonce) in
        [CertIdHash::Sha1, CertIdHash::Sha256].into_iter().flat_map(|hash| [(hash, false), (hash, true)])
    {
        let client = world.client(|builder| builder.ocsp_hash(hash).ocsp_nonce(nonce));
        world.ask(&client, GOOD, &url).unwrap();
        let server = world.server(BAD, responder_at(&[&url]));
        let Ended { server, client: refused } = Pair::new(&server, &client, "broker").run();
        assert_code(&refused, Code::CertRevoked);
        assert_code(&server, Code::AlertCertificateRevoked);
        let refused = refused.unwrap_err();
        for part in ["2025-01-02T03:04:05Z", "keyCompromise", &url] {
            assert!(refused.detail().contains(part), "{part}: {refused}");
        }
        assert_code(&world.ask(&client, LOST, &url), Code::RevocationUnknown);
    }
}

#[test]
fn responder_that_is_configured_is_asked_in_place_of_the_one_that_the_certificate_names() {
    let world = World::new("configured");
    let (_responder, url) = world.responder(&world.authority);
    let named = world.web.url("/ocsp");
    // It may be anywhere; what certificates name may not.
    let client = world.client(|builder| builder.fetch_private_addresses(false).ocsp_responder(&url));
    world.ask(&client, GOOD, &named).unwrap();
    assert_code(&world.ask(&client, BAD, &named), Code::CertRevoked);
    let client = world.client(|builder| builder.fetch_private_addresses(false));
    assert_code(&world.ask(&client, GOOD, &named), Code::FetchRefused);
    assert_eq!(world.web.accepted(), 0);
}

#[test]
fn redirect_of_a_responder_is_followed_as_far_as_is_allowed() {
    let world = World::new("redirected");
    let (_responder, url) = world.responder(&world.authority);
    // A request by POST follows the redirection unchanged, which GET could not.
    world.web.play("*", Play::Redirect(307, url));
    let client = world.client(|builder| builder.ocsp_nonce(true));
    world.ask(&client, GOOD, &world.web.url("/ocsp")).unwrap();
    assert_code(&world.ask(&client, BAD, &world.web.url("/ocsp")), Code::CertRevoked);
    let client = world.client(|builder| builder.ocsp_nonce(true).fetch_redirects(0));
    assert_code(&world.ask(&client, GOOD, &world.web.url("/ocsp")), Code::RevocationUnreachable);
}

#[test]
fn responder_that_signs_with_a_foreign_key_is_not_believed() {
    let world = World::new("signer");
    for signer in [Authority::new("other"), Authority::new("ca")] {
        let (_responder, url) = world.responder(&signer);
        for serial in [GOOD, BAD] {
            let client = world.client(|builder| builder);
            assert_code(&world.ask(&client, serial, &url), Code::RevocationResponseInvalid);
            let client = world.client(|builder| builder.revocation(Mode::Prefer));
            world.ask(&client, serial, &url).unwrap();
            assert_eq!(client.revocation_unknown_accepted(), 1);
        }
    }
}

#[test]
fn recorded_answer_is_not_believed_where_a_nonce_was_sent() {
    let world = World::new("nonce");
    // The request by GET that a client without a nonce makes, and the responder's answer to it.
    let named = world.web.url("/ocsp");
    world.ask(&world.client(|builder| builder), GOOD, &named).unwrap_err();
    let asked = world.web.asked().remove(0);
    let (_responder, url) = world.responder(&world.authority);
    let url = format!("{url}{}", asked.line.strip_prefix("GET /ocsp").unwrap());
    let request = FetchRequest {
        url: &url,
        is_configured: true,
        post: None,
        accept: "application/ocsp-response",
        max_bytes: 10_000,
        deadline: Instant::now() + PATIENCE,
        validators: None,
        takes_refusals: false,
    };
    let Fetched::Content(recorded) = Fetcher::new(FetchPolicy::default()).unwrap().fetch(&request).unwrap() else {
        panic!("the responder answers without content");
    };
    world.web.play("*", Play::Content(recorded.bytes));
    world.ask(&world.client(|builder| builder), GOOD, &named).unwrap();
    let outcome = world.ask(&world.client(|builder| builder.ocsp_nonce(true)), GOOD, &named);
    assert_code(&outcome, Code::RevocationResponseInvalid);
    assert!(outcome.unwrap_err().detail().contains("nonce"));
}

#[test]
fn what_a_responder_said_serves_until_its_next_update_and_a_hanging_one_does_not_matter_before() {
    let world = World::new("clock");
    let (responder, url) = world.responder(&world.authority);
    let server = world.server(GOOD, responder_at(&[&url]));
    let client = world.client(|builder| builder.revocation_deadline_ms(500));
    let outcome = || Pair::new(&server, &client, "broker").run().client;
    outcome().unwrap();
    drop(responder);
    // No process answers at its port now.
    world.clock.advance(59 * MINUTE_S);
    outcome().unwrap();
    assert_eq!(client.revocation_sources()[0].failures, 0);
    // Clocks may differ by five minutes.
    world.clock.advance(7 * MINUTE_S);
    assert_code(&outcome(), Code::RevocationStale);
    let source = client.revocation_sources().remove(0);
    assert_eq!(
        (source.kind, source.place.as_str(), source.entries, source.failures),
        (SourceKind::Ocsp, url.as_str(), 1, 1)
    );
    assert!(source.last_error.unwrap().contains("REVOCATION_UNREACHABLE"));

    let patient = world.client(|builder| builder.revocation_max_stale_s(600));
    assert_code(&Pair::new(&server, &patient, "broker").run().client, Code::RevocationUnreachable);
}

#[test]
fn answer_out_of_date_serves_for_as_long_as_allowed() {
    let world = World::new("stale");
    let (_responder, url) = world.responder(&world.authority);
    let server = world.server(GOOD, responder_at(&[&url]));
    let client = world.client(|builder| builder.revocation_max_stale_s(600));
    // Five minutes that clocks may differ, and ten that are allowed.
    world.clock.advance(74 * MINUTE_S);
    Pair::new(&server, &client, "broker").run().client.unwrap();
    world.clock.advance(2 * MINUTE_S);
    assert_code(&Pair::new(&server, &client, "broker").run().client, Code::RevocationStale);
}

#[test]
fn answer_of_the_future_is_not_believed() {
    let mut world = World::new("early");
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    world.clock = Clock::at(now_s - 20 * MINUTE_S);
    let (_responder, url) = world.responder(&world.authority);
    assert_code(&world.ask(&world.client(|builder| builder), GOOD, &url), Code::RevocationResponseInvalid);
}

/// Behaviours of servers that give no answer, each with the code of the refusal.
fn hostile_plays(web: &Web) -> Vec<(&'static str, Play, Code)> {
    const MIB_100: usize = 100 * 1024 * 1024;
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {MIB_100}\r\n\r\n");
    let trickle = |head: &str| Play::Trickle(head.as_bytes().to_vec(), b"a".to_vec());
    let unreachable = Code::RevocationUnreachable;
    vec![
        ("hanging", Play::Hang(Vec::new()), unreachable),
        ("hanging in the answer", Play::hang_after_head(), unreachable),
        ("slow in the head", trickle("HTTP/1.1 200 OK\r\nA: "), unreachable),
        ("slow in the answer", trickle("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"), unreachable),
        ("status 500", Play::Status(500), unreachable),
        ("status 404", Play::Status(404), unreachable),
        ("nothing", Play::Raw(Vec::new()), unreachable),
        ("no HTTP", Play::Raw(b"\x15\x03\x01\0\x02\x02\x46".to_vec()), unreachable),
        ("100 MiB", Play::Flood(long.into_bytes(), MIB_100), unreachable),
        ("100 MiB of unknown length", Play::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), MIB_100), unreachable),
        ("a redirect loop", Play::Redirect(302, web.url("/loop")), unreachable),
        ("a redirect to https", Play::Redirect(301, "https://127.0.0.1/".to_owned()), Code::FetchRefused),
        ("an empty answer", Play::Content(Vec::new()), Code::RevocationResponseInvalid),
        ("garbage", Play::Content(vec![0x30; 1000]), Code::RevocationResponseInvalid),
        ("a page", Play::Content(b"<html>not found</html>".to_vec()), Code::RevocationResponseInvalid),
    ]
}

/// By these plays of its web server a handshake fails in time with the code, or succeeds where unknown is accepted.
fn assert_each(world: &World, server: &Context, plays: Vec<(&str, Play, Code)>) {
    for (name, play, code) in plays {
        world.web.play("*", play);
        let quick =
            |mode| world.client(|builder| builder.revocation(mode).revocation_deadline_ms(300).max_crl_bytes(1 << 20));
        let required = quick(Mode::Require);
        let started = Instant::now();
        let ended = Pair::new(server, &required, "broker").run();
        let error = ended.client.expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(ended.server.is_err(), "{name}: the peer was not told");
        // Far more than the deadline, far less than what the server would take.
        assert!(started.elapsed() < Duration::from_secs(20), "{name}");
        let source = required.revocation_sources().remove(0);
        assert_eq!((source.failures, source.last_success_unix_s), (1, None), "{name}");

        let preferred = quick(Mode::Prefer);
        Pair::new(server, &preferred, "broker").run().client.expect(name);
        assert_eq!(preferred.revocation_unknown_accepted(), 1, "{name}");
    }
}

#[test]
fn responders_that_do_not_answer_follow_the_policy() {
    let world = World::new("responders");
    let server = world.server(GOOD, responder_at(&[&world.web.url("/loop")]));
    let mut plays = hostile_plays(&world.web);
    // The responder's own errors, which are unsigned: tryLater, unauthorized.
    for status in [3, 6] {
        plays.push(("an error", Play::Content(vec![0x30, 3, 0x0a, 1, status]), Code::RevocationUnknown));
    }
    assert_each(&world, &server, plays);
}

#[test]
fn places_of_lists_that_do_not_answer_follow_the_policy() {
    let world = World::new("places");
    let server = world.server(GOOD, list_at(&world.web.url("/loop")));
    let mut plays = hostile_plays(&world.web);
    let (start, end) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
    let list = |authority: &Authority, end: OffsetDateTime| authority.crl_between(&[], start, end).der().to_vec();
    let invalid = Code::RevocationResponseInvalid;
    plays.push(("a list of another", Play::Content(list(&Authority::new("other"), end)), invalid));
    plays.push(("a list of another key", Play::Content(list(&Authority::new("ca"), end)), invalid));
    assert_each(&world, &server, plays);
    // What is old is known to be so; it is kept, because it would revoke.
    world.web.play("*", Play::Content(list(&world.authority, rcgen::date_time_ymd(2021, 1, 1))));
    let outcome = Pair::new(&server, &world.client(|builder| builder), "broker").run().client;
    assert_code(&outcome, Code::RevocationStale);
}

#[test]
fn port_without_a_listener_follows_the_policy() {
    let world = World::new("nobody");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    assert_code(&world.ask(&world.client(|builder| builder), GOOD, &url), Code::RevocationUnreachable);
    world.ask(&world.client(|builder| builder.revocation(Mode::Prefer)), GOOD, &url).unwrap();
}

#[test]
fn places_that_are_not_http_are_refused_by_name() {
    let world = World::new("schemes");
    let client = world.client(|builder| builder);
    for (url, words) in [
        ("ldap://127.0.0.1/cn=ca?certificateRevocationList", "ldap is not served"),
        ("https://127.0.0.1/ca.crl", "https is not fetched"),
    ] {
        for server in [world.server(GOOD, list_at(url)), world.server(GOOD, responder_at(&[url]))] {
            let error = Pair::new(&server, &client, "broker").run().client.unwrap_err();
            assert_eq!(error.code(), Code::FetchRefused, "{error}");
            assert!(error.detail().contains(words), "{error}");
        }
    }
}

#[test]
fn second_responder_answers_where_the_first_one_hangs() {
    let world = World::new("second");
    let (_responder, url) = world.responder(&world.authority);
    world.web.play("*", Play::Hang(Vec::new()));
    let hanging = world.web.url("/ocsp");
    let client = world.client(|builder| builder.revocation_deadline_ms(2000));
    for (serial, outcome) in [(GOOD, None), (BAD, Some(Code::CertRevoked))] {
        let server = world.server(serial, responder_at(&[&hanging, &url]));
        let ended = Pair::new(&server, &client, "broker").run();
        assert_eq!(ended.client.err().map(|error| error.code()), outcome);
    }
    // By GET and by POST, for each of the two certificates.
    assert_eq!(world.web.asked().len(), 4);
}

#[test]
fn list_answers_where_the_responder_hangs() {
    let world = World::new("both");
    world.web.play("*", Play::Hang(Vec::new()));
    world.web.play("/ca.crl", Play::Content(world.authority.crl(&[BAD]).into_bytes()));
    for (serial, outcome) in [(GOOD, None), (BAD, Some(Code::CertRevoked))] {
        let server = world.server(serial, |params| {
            list_at(&world.web.url("/ca.crl"))(params);
            responder_at(&[&world.web.url("/ocsp")])(params);
        });
        let client = world.client(|builder| builder.revocation_deadline_ms(2000));
        let ended = Pair::new(&server, &client, "broker").run();
        assert_eq!(ended.client.err().map(|error| error.code()), outcome);
    }
}

#[test]
fn no_responder_is_asked_about_a_chain_that_is_refused_anyway() {
    let world = World::new("otherwise");
    let url = world.web.url("/ocsp");
    let server = world.server(GOOD, responder_at(&[&url]));
    let stranger = Authority::new("stranger");
    let client = context(|builder| builder.trust(stranger.trust()).fetch(true).fetch_private_addresses(true));
    assert_code(&Pair::new(&server, &client, "broker").run().client, Code::CertUnknownIssuer);
    let client = world.client(|builder| builder);
    assert_code(&Pair::new(&server, &client, "other.example").run().client, Code::CertNameMismatch);
    let expired = world.server(GOOD, |params| {
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        responder_at(&[&url])(params);
    });
    assert_code(&Pair::new(&expired, &client, "broker").run().client, Code::CertExpired);
    assert_eq!(world.web.accepted(), 0);
}

#[test]
fn nothing_is_asked_outside_of_tasks() {
    let world = World::new("tasks");
    world.web.play("*", Play::Hang(Vec::new()));
    let server = world.server(GOOD, responder_at(&[&world.web.url("/ocsp")]));
    let client = world.client(|builder| builder.revocation_deadline_ms(300));
    let mut connections = (server.accept().unwrap(), client.connect(Some("broker")).unwrap());
    let (mut wire, mut plain) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let sent = connections.1.wrap(&[], &mut wire).unwrap().produced;
    connections.0.unwrap(&mut wire[..sent], &mut plain).unwrap();
    let mut flight = Vec::new();
    while let produced @ 1.. = connections.0.wrap(&[], &mut wire).unwrap().produced {
        flight.extend_from_slice(&wire[..produced]);
    }
    let mut left = flight.as_mut_slice();
    while !left.is_empty() {
        let taken = connections.1.unwrap(left, &mut plain).unwrap();
        left = &mut left[taken.consumed..];
        if taken.next == brokertls::Next::NeedTask {
            assert_eq!(world.web.accepted(), 0, "asked before the task ran");
            connections.1.run_task();
        }
    }
    eventually("the responder is asked by GET and by POST", || world.web.asked().len() == 2);
    assert_eq!(connections.1.failure().unwrap().code(), Code::RevocationUnreachable);
}

#[test]
fn failure_is_not_tried_again_by_every_handshake() {
    let world = World::new("pause");
    world.web.play("*", Play::Status(500));
    let server = world.server(GOOD, responder_at(&[&world.web.url("/ocsp")]));
    let client = world.client(|builder| builder);
    for _ in 0..20 {
        assert_code(&Pair::new(&server, &client, "broker").run().client, Code::RevocationUnreachable);
    }
    // By GET and by POST.
    assert_eq!(world.web.asked().len(), 2);
    world.clock.advance(10);
    assert_code(&Pair::new(&server, &client, "broker").run().client, Code::RevocationUnreachable);
    assert_eq!(world.web.asked().len(), 4);
}

#[test]
fn server_asks_about_clients_and_tells_them_why_they_are_refused() {
    let world = World::new("clients");
    let (_responder, url) = world.responder(&world.authority);
    let server = world.client(|builder| {
        builder
            .identity(world.authority.identity(&["broker"]))
            .client_auth(ClientAuth::Need)
            .revocation_deadline_ms(5000)
    });
    let ended = |serial: &[u8]| {
        let pem = world.authority.issue(&["device"], |params| {
            params.serial_number = Some(SerialNumber::from_slice(serial));
            responder_at(&[&url])(params);
        });
        let identity = IdentitySource::new(Source::memory("device.pem", pem.as_bytes()));
        let client = context(|builder| builder.trust(world.authority.trust()).identity(identity));
        Pair::new(&server, &client, "broker").run()
    };
    let good = ended(GOOD);
    good.server.unwrap();
    good.client.unwrap();
    let revoked = ended(BAD);
    assert_code(&revoked.server, Code::CertRevoked);
    assert_code(&revoked.client, Code::AlertCertificateRevoked);
    let lost = ended(LOST);
    assert_code(&lost.server, Code::RevocationUnknown);
    assert_code(&lost.client, Code::AlertCertificateUnknown);
}
