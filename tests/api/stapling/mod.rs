//! Staples of servers: fetched from the real responder and from bad ones, fresh, and never served past nextUpdate.

mod files;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brokertls::host::{HandshakeHost, HelloFacts, IdentityRequest, PeerToJudge};
use brokertls::keystore::Identity;
use brokertls::revocation::{Mode, OcspResponse, SourceFacts, SourceKind};
use brokertls::{
    ClientAuth, Code, ConnectionSettings, Context, ContextBuilder, IdentitySource, Level, Result, Source, TrustSource,
};
use rcgen::{CertificateParams, CustomExtension, SerialNumber};
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::time_provider::TimeProvider;

use crate::process::Running;
use crate::revocation::fetch::responder_at;
use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, Pair, context};
use crate::rig::responder::{Office, Register};
use crate::rig::web::{Play, Web, eventually};

pub(crate) const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];
pub(crate) const SERIAL: &[u8] = &[0x10, 0x01];
pub(crate) const OTHER_SERIAL: &[u8] = &[0x10, 0x02];
/// A refresh is due after five minutes and at most an eighth more.
const DUE_S: u64 = 340;

/// An authority with its responder, a web server that plays other ones, and a clock that starts at the machine's own
/// time.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) office: Office,
    pub(crate) web: Web,
    pub(crate) clock: Arc<Clock>,
    lines: Arc<Mutex<Vec<(Level, String)>>>,
}

impl World {
    pub(crate) fn new(test: &str) -> Self {
        let authority = Authority::new("ca");
        let office = Office::new(test, &authority, &authority);
        office.register(&Register { good: &[SERIAL, OTHER_SERIAL], revoked: &[] });
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (web, clock) = (Web::playing(Play::Status(500)), Clock::at(now_s));
        Self { authority, office, web, clock, lines: Arc::default() }
    }

    /// Certificate and key with this serial number.
    pub(crate) fn issue(&self, name: &str, serial: &[u8], change: impl FnOnce(&mut CertificateParams)) -> String {
        self.authority.issue(&[name], |params| {
            params.serial_number = Some(SerialNumber::from_slice(serial));
            change(params);
        })
    }

    pub(crate) fn builder(&self) -> ContextBuilder {
        let lines = Arc::clone(&self.lines);
        let mut builder = ContextBuilder::new();
        builder.clock(Arc::clone(&self.clock) as Arc<dyn TimeProvider>).resumption(false);
        builder.log(Arc::new(move |line| lines.lock().unwrap().push((line.level, line.text.to_owned()))));
        builder
    }

    /// A server with this identity and the certificate of its issuer.
    pub(crate) fn server(&self, pem: &str, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        let mut builder = self.builder();
        builder.identity(identity(pem)).staple_issuer(Source::memory("ca.pem", self.authority.pem().as_bytes()));
        set(&mut builder);
        builder.build().unwrap()
    }

    /// A server that asks the web server for staples.
    fn asking(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> (Context, String) {
        let pem = self.issue("broker", SERIAL, |_| {});
        let server = self.server(&pem, |builder| set(builder.staple(true).staple_responder(&self.web.url("/ocsp"))));
        (server, pem)
    }

    /// A client that goes by OCSP alone.
    fn strict_client(&self, versions: &str) -> Context {
        context(|builder| {
            let builder = builder.trust(self.authority.trust()).clock(Arc::clone(&self.clock) as Arc<dyn TimeProvider>);
            builder.ocsp_mode(Mode::Require).versions(versions).resumption(false)
        })
    }

    /// The lines of the log that hold this text.
    pub(crate) fn logged(&self, text: &str) -> Vec<(Level, String)> {
        self.lines.lock().unwrap().iter().filter(|(_, line)| line.contains(text)).cloned().collect()
    }
}

pub(crate) fn identity(pem: &str) -> IdentitySource {
    IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()))
}

/// Demands a staple (RFC 7633).
pub(crate) fn must_staple(params: &mut CertificateParams) {
    let feature = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5]);
    params.custom_extensions.push(feature);
}

/// Takes any server, and keeps what it stapled.
#[derive(Debug, Default)]
struct Witness(Mutex<Vec<Vec<u8>>>);

impl HandshakeHost for Witness {
    fn client_hello(&self, _: &HelloFacts<'_>) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn choose_identity(&self, _: &IdentityRequest<'_>) -> Result<Option<Arc<Identity>>> {
        Ok(None)
    }

    fn check_peer(&self, peer: &PeerToJudge<'_>) -> Result<()> {
        self.0.lock().unwrap().push(peer.staple.to_vec());
        Ok(())
    }

    fn check_proof(&self, _: &CertificateDer<'_>, _: SignatureScheme, _: &[u8], _: &[u8]) -> Result<()> {
        panic!("the keys of these tests are served")
    }
}

/// The staple of a server for a client that connects to this host.
pub(crate) fn staple_for(server: &Context, host: &str, versions: &str) -> Option<Vec<u8>> {
    let witness = Arc::new(Witness::default());
    let host_of_client = Arc::clone(&witness) as Arc<dyn HandshakeHost>;
    let client = context(|builder| builder.host_trust(host_of_client, Vec::new()).versions(versions).resumption(false));
    Pair::connect(server, &client, host);
    let staple = witness.0.lock().unwrap().pop().unwrap();
    Some(staple).filter(|staple| !staple.is_empty())
}

pub(crate) fn staple(server: &Context) -> Option<Vec<u8>> {
    staple_for(server, "broker", "TLSv1.3")
}

/// The only staple that a context tells of.
pub(crate) fn source(context: &Context) -> SourceFacts {
    let mut sources = context.revocation_sources();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert_eq!(sources[0].kind, SourceKind::Staple);
    sources.pop().unwrap()
}

#[test]
fn staple_of_the_real_responder_is_shown_in_both_versions() {
    let world = World::new("real");
    let (_responder, url) = world.office.open(60);
    // Its address is a private one: only the operator chooses the certificate that names it.
    let pem = world.issue("broker", SERIAL, responder_at(&[&url]));
    let server = world.server(&pem, |builder| builder.staple(true));
    for versions in VERSIONS {
        assert_eq!(staple_for(&server, "broker", versions), None, "no responder has been asked yet");
        let ended = Pair::new(&server, &world.strict_client(versions), "broker").run();
        assert_eq!(ended.client.unwrap_err().code(), Code::RevocationUnknown, "{versions}");
    }
    let rest = server.maintain();
    assert!(rest <= Duration::from_secs(60), "{rest:?}");
    for versions in VERSIONS {
        let stapled = staple_for(&server, "broker", versions).unwrap();
        assert!(OcspResponse::from_der(&stapled, "staple").is_ok());
        Pair::connect(&server, &world.strict_client(versions), "broker");
    }
    let facts = source(&server);
    assert!(facts.place.starts_with(&url) && facts.place.contains("broker"), "{facts:?}");
    assert_eq!((facts.entries, facts.failures, facts.last_error), (1, 0, None));
    assert!(facts.last_success_unix_s.is_some() && facts.next_refresh_unix_s > facts.last_success_unix_s);
    let told = world.logged("a response is shown, good until");
    assert!(matches!(told.as_slice(), [(Level::Info, line)] if line.contains("broker")), "{told:?}");
}

#[test]
fn staple_is_asked_for_by_post_where_the_responder_serves_no_get() {
    let world = World::new("post");
    let (server, pem) = world.asking(|builder| builder);
    for play in [
        Play::Status(404),
        Play::Status(405),
        Play::Redirect(301, world.web.url("/mangled")),
        Play::Content(vec![0x30, 3, 0x0a, 1, 1]),
        Play::Content(b"<html>".to_vec()),
    ] {
        world.web.play("*", play);
        world.web.play("/ocsp", Play::Content(world.office.answer(&pem, "-nmin 60")));
        server.maintain();
        assert_eq!(source(&server).last_error, None);
        Pair::connect(&server, &world.strict_client("TLSv1.3"), "broker");
        world.clock.advance(DUE_S);
    }
    // The last answer is kept if the responder does not answer, with any status.
    world.web.play("*", Play::Raw(b"HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\n0\x03\x0a\x01\x03".to_vec()));
    server.maintain();
    let told = source(&server).last_error.unwrap();
    assert!(told.contains("the responder answers tryLater"), "{told}");
}

#[test]
fn certificate_that_demands_a_staple_is_accepted_with_it_and_refused_without() {
    let world = World::new("must");
    let (_responder, url) = world.office.open(60);
    let pem = world.issue("broker", SERIAL, must_staple);
    let server = world.server(&pem, |builder| builder.staple(true).staple_responder(&url));
    for versions in VERSIONS {
        let mut pair = Pair::new(&server, &world.strict_client(versions), "broker");
        let ended = pair.run();
        assert_eq!(ended.client.unwrap_err().code(), Code::StapleMissing, "{versions}");
        assert_eq!(ended.server.unwrap_err().code(), Code::from_received_alert(113), "{versions}");
    }
    server.maintain();
    for versions in VERSIONS {
        Pair::connect(&server, &world.strict_client(versions), "broker");
    }
}

#[test]
fn maintenance_asks_as_soon_as_it_is_started() {
    let world = World::new("started");
    let (_responder, url) = world.office.open(60);
    let pem = world.issue("broker", SERIAL, responder_at(&[&url]));
    let server = world.server(&pem, |builder| builder.staple(true));
    server.start_maintenance().unwrap();
    eventually("a staple", || source(&server).entries == 1);
    assert!(staple(&server).is_some());
}

#[test]
fn staple_is_asked_for_again_when_it_is_due_and_not_before() {
    let world = World::new("due");
    let (server, pem) = world.asking(|builder| builder);
    let answer = || world.office.answer(&pem, "-nmin 60");
    let first = answer();
    world.web.play("*", Play::Content(first.clone()));
    server.maintain();
    assert_eq!(staple(&server).as_ref(), Some(&first));
    // The same thing signed anew: signatures of ECDSA differ.
    let second = answer();
    assert_ne!(first, second);
    world.web.play("*", Play::Content(second.clone()));
    world.clock.advance(299);
    server.maintain();
    assert_eq!((world.web.asked().len(), staple(&server).as_ref()), (1, Some(&first)));
    world.clock.advance(DUE_S - 299);
    server.maintain();
    assert_eq!((world.web.asked().len(), staple(&server).as_ref()), (2, Some(&second)));
    assert!(world.web.asked()[0].line.starts_with("GET /ocsp/"));
    assert_eq!(world.logged("a response is shown").len(), 1, "a state that continues is not logged again");
}

#[test]
fn staple_is_asked_for_before_its_next_update_and_on_a_period_that_is_set() {
    let world = World::new("period");
    let (server, pem) = world.asking(|builder| builder.staple_refresh_s(3600));
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 10")));
    server.maintain();
    let start = source(&server).last_success_unix_s.unwrap();
    let next = source(&server).next_refresh_unix_s.unwrap();
    assert!((start + 450 - 5..start + 540).contains(&next), "{} s", next - start);
    let (server, pem) = world.asking(|builder| builder.staple_refresh_s(60));
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 10")));
    server.maintain();
    let next = source(&server).next_refresh_unix_s.unwrap();
    assert!((start + 60..start + 70).contains(&next), "{} s", next - start);
}

#[test]
fn last_good_staple_is_shown_while_the_responder_is_down_and_no_second_past_its_end() {
    let world = World::new("down");
    let (server, pem) = world.asking(|builder| builder);
    let answer = world.office.answer(&pem, "-nmin 10");
    let read = OcspResponse::from_der(&answer, "answer").unwrap();
    let end_s = u64::try_from(read.next_update_unix_s().unwrap()).unwrap();
    world.web.play("*", Play::Content(answer));
    server.maintain();
    world.web.play("*", Play::Status(500));
    world.clock.advance(DUE_S);
    server.maintain();
    let facts = source(&server);
    assert_eq!((facts.entries, facts.failures), (1, 1));
    assert!(facts.last_error.as_ref().unwrap().contains("500"), "{facts:?}");
    assert_eq!(world.logged("no new response, the last one is shown until its end").len(), 1);
    // The pause after a failure grows, and no responder is asked during it.
    server.maintain();
    // Once when all was well, and by GET and POST after that.
    assert_eq!(world.web.asked().len(), 3);
    world.clock.advance(7);
    server.maintain();
    server.maintain();
    assert_eq!(world.web.asked().len(), 5);

    let now_s = world.clock.current_time().unwrap().as_secs();
    world.clock.advance(end_s - 1 - now_s);
    assert!(staple(&server).is_some());
    world.clock.advance(1);
    // With and without maintenance of the context.
    assert_eq!(staple(&server), None);
    assert_eq!(source(&server).entries, 0);
    server.maintain();
    let told = world.logged("none is shown until there is a new one");
    assert!(matches!(told.as_slice(), [(Level::Warn, _)]), "{told:?}");
    assert_eq!(source(&server).last_success_unix_s, facts.last_success_unix_s);
}

#[test]
fn responder_that_comes_back_is_believed_again() {
    let world = World::new("back");
    let (server, pem) = world.asking(|builder| builder);
    for failures in 1..=3 {
        server.maintain();
        assert_eq!((source(&server).failures, staple(&server)), (failures, None));
        world.clock.advance(30);
    }
    assert_eq!(world.logged("no response").len(), 3);
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 60")));
    server.maintain();
    assert!(staple(&server).is_some());
    assert_eq!((source(&server).failures, source(&server).last_error), (3, None));
}

#[test]
fn revoked_certificate_is_not_stapled_and_that_is_told_once() {
    let world = World::new("revoked");
    let (_responder, url) = world.office.open(60);
    let pem = world.issue("broker", SERIAL, responder_at(&[&url]));
    let server = world.server(&pem, |builder| builder.staple(true));
    server.maintain();
    assert!(staple(&server).is_some());
    world.office.register(&Register { good: &[], revoked: &[SERIAL] });
    world.office.ask(&url, &pem);
    for _ in 0..3 {
        world.clock.advance(DUE_S);
        server.maintain();
        // What was good before does not hide it, though its end has not come.
        assert!(staple(&server).is_none());
    }
    let facts = source(&server);
    assert_eq!((facts.entries, facts.failures), (0, 3));
    let error = facts.last_error.unwrap();
    assert!(error.contains("revoked 2025-01-02T03:04:05Z, reason keyCompromise"), "{error}");
    let told = world.logged("REVOKED");
    assert!(matches!(told.as_slice(), [(Level::Warn, line)] if line.contains("broker")), "{told:?}");
}

#[test]
fn answers_that_do_not_serve_are_not_stapled() {
    let world = World::new("bad");
    let (server, pem) = world.asking(|builder| builder.staple_timeout_s(2));
    let of_another = world.issue("another", OTHER_SERIAL, |_| {});
    let by_namesake = Office::new("namesake", &world.authority, &Authority::new("ca"));
    by_namesake.register(&Register { good: &[SERIAL], revoked: &[] });
    let good = world.office.answer(&pem, "-nmin 60");
    // Its last byte is one of its signature.
    let mut altered = world.office.answer(&pem, "-nmin 60 -resp_no_certs");
    *altered.last_mut().unwrap() ^= 1;
    let unknown = world.issue("broker", &[0x10, 0x77], |_| {});
    let plays = [
        ("of another certificate", Play::Content(world.office.answer(&of_another, "-nmin 60")), "not about it"),
        ("by another signer", Play::Content(by_namesake.answer(&pem, "-nmin 60")), "does not allow to sign"),
        ("altered", Play::Content(altered), "not signed with the issuer's key"),
        ("garbage", Play::Content(vec![0x30; 900]), "not the DER of an OCSP response"),
        ("nothing", Play::Content(Vec::new()), "not the DER of an OCSP response"),
        ("of an unknown certificate", Play::Content(world.office.answer(&unknown, "-nmin 60")), "not about it"),
        ("try later", Play::Content(vec![0x30, 3, 0x0a, 1, 3]), "tryLater"),
        ("an error", Play::Status(503), "503"),
        ("too long", Play::Content(vec![0; 1 << 20]), "bytes"),
        ("redirects inwards", Play::Redirect(307, world.web.url("/ocsp")), "is a loopback address"),
        ("hangs", Play::Hang(Vec::new()), "ocsp"),
    ];
    for (what, play, why) in plays {
        world.web.play("*", play);
        // The pauses after failures are no longer than five minutes and a quarter.
        world.clock.advance(376);
        server.maintain();
        let error = source(&server).last_error.unwrap_or_default();
        assert!(error.contains(why), "{what}: {error}");
        assert_eq!(staple(&server), None, "{what}");
    }
    world.clock.advance(376);
    world.web.play("*", Play::Content(good));
    server.maintain();
    assert!(source(&server).last_error.unwrap().contains("out of date"), "an hour has passed by the clock");
    world.clock.advance(376);
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 600")));
    server.maintain();
    assert!(staple(&server).is_some());
}

#[test]
fn older_answer_does_not_take_the_place_of_a_newer_one() {
    let world = World::new("older");
    let (server, pem) = world.asking(|builder| builder);
    let older = world.office.answer(&pem, "-nmin 600");
    let at = |der: &[u8]| OcspResponse::from_der(der, "answer").unwrap().this_update_unix_s();
    let mut newer = world.office.answer(&pem, "-nmin 600");
    eventually("a later second", || {
        newer = world.office.answer(&pem, "-nmin 600");
        at(&newer) > at(&older)
    });
    world.web.play("*", Play::Content(newer.clone()));
    server.maintain();
    world.web.play("*", Play::Content(older));
    world.clock.advance(DUE_S);
    server.maintain();
    assert_eq!(staple(&server), Some(newer));
    assert!(source(&server).last_error.unwrap().contains("older than the one before"));
}

#[test]
fn each_identity_has_its_own_staple_on_every_kind_of_connection() {
    let world = World::new("each");
    let (_responder, url): (Running, String) = world.office.open(60);
    let one = world.issue("one", SERIAL, |_| {});
    let two = world.issue("two", OTHER_SERIAL, |_| {});
    let server = world.server(&one, |builder| {
        let builder = builder.identity(identity(&two)).staple(true).staple_responder(&url);
        builder.trust(world.authority.trust()).client_auth(ClientAuth::Want)
    });
    server.maintain();
    let serials = |der: Vec<u8>| -> Vec<Vec<u8>> {
        let response = OcspResponse::from_der(&der, "staple").unwrap();
        response.cert_ids().map(|id| id.serial().to_vec()).collect()
    };
    for versions in VERSIONS {
        assert_eq!(serials(staple_for(&server, "one", versions).unwrap()), [SERIAL]);
        assert_eq!(serials(staple_for(&server, "two", versions).unwrap()), [OTHER_SERIAL]);
        // A listener with settings of its own has a configuration of its own.
        let client = world.strict_client(versions);
        let settings = ConnectionSettings { versions: Some(versions.to_owned()), ..ConnectionSettings::default() };
        let accepted = server.accept_with(&settings).unwrap();
        let mut pair = Pair { server: accepted, client: client.connect(Some("two")).unwrap() };
        let ended = pair.run();
        ended.client.unwrap();
        ended.server.unwrap();
    }
    let sources = server.revocation_sources();
    assert_eq!(sources.iter().map(|source| source.entries).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn proxy_is_asked_for_staples_where_one_is_set() {
    let world = World::new("proxy");
    let pem = world.issue("broker", SERIAL, responder_at(&["http://ocsp.example/status"]));
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 60")));
    let proxy = world.web.url("");
    let server = world.server(&pem, |builder| builder.staple(true).fetch_proxy(&proxy));
    server.maintain();
    assert!(staple(&server).is_some(), "{:?}", source(&server));
    assert!(world.web.asked()[0].line.starts_with("GET http://ocsp.example/status/"), "{:?}", world.web.asked());
}

#[test]
fn issuer_is_found_in_the_chain_in_the_trust_store_or_where_it_is_named() {
    let world = World::new("issuer");
    let pem = world.issue("broker", SERIAL, |_| {});
    let asks = |builder: &mut ContextBuilder| {
        builder.staple(true).staple_responder(&world.web.url("/ocsp"));
        let server = builder.build()?;
        world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 60")));
        server.maintain();
        Ok::<_, brokertls::Error>(staple(&server).is_some())
    };
    let namesake = TrustSource::store(Source::memory("namesake.pem", Authority::new("ca").pem().as_bytes()));
    let with_chain = pem.clone() + &world.authority.pem();
    assert!(asks(world.builder().identity(identity(&with_chain))).unwrap());
    assert!(
        asks(world.builder().identity(identity(&pem)).trust(namesake.clone()).trust(world.authority.trust())).unwrap()
    );
    let named = Source::memory("ca.pem", world.authority.pem().as_bytes());
    assert!(asks(world.builder().identity(identity(&pem)).trust(namesake.clone()).staple_issuer(named)).unwrap());

    let error = asks(world.builder().identity(identity(&pem)).trust(namesake)).unwrap_err();
    assert_eq!(error.code(), Code::NoCertificate);
    assert!(error.to_string().contains("broker.pem") && error.hint().contains("staple-issuer"), "{error}");
}
