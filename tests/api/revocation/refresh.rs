//! Fetched lists over time: renewed before they are out of date, one fetch for all who wait, the last good one kept,
//! shared by a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use brokertls::revocation::{SourceFacts, SourceKind};
use brokertls::{ClientAuth, Code, Context, ContextBuilder, Error, IdentitySource, Source};
use rustls::time_provider::TimeProvider;
use time::OffsetDateTime;

use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, Ended, Pair, context};
use crate::rig::web::{Play, Web, eventually};

/// 2026-01-01T00:00:00Z.
const START_UNIX_S: u64 = 1_767_225_600;
pub(crate) const HOUR_S: u64 = 3600;
pub(crate) const GOOD: &[u8] = &[7];
pub(crate) const BAD: &[u8] = &[8];

/// An authority, a web server with its lists that certificates name, and a clock.
pub(crate) struct World {
    pub(crate) authority: Authority,
    web: Web,
    pub(crate) clock: Arc<Clock>,
}

impl World {
    pub(crate) fn new() -> Self {
        let (authority, web) = (Authority::new("ca"), Web::playing(Play::Status(404)));
        Self { authority, web, clock: Clock::at(START_UNIX_S) }
    }

    /// A list of this many hours from the start on, which ends ten hours later.
    pub(crate) fn list(&self, from_h: u64, serials: &[&[u8]]) -> Vec<u8> {
        let at = |hour: u64| {
            OffsetDateTime::from_unix_timestamp(i64::try_from(START_UNIX_S + hour * HOUR_S).unwrap()).unwrap()
        };
        self.authority.crl_between(serials, at(from_h), at(from_h + 10)).der().to_vec()
    }

    pub(crate) fn serve(&self, list: Vec<u8>) {
        self.web.play("/ca.crl", Play::Content(list));
    }

    pub(crate) fn server(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        context(|builder| {
            let builder = builder.identity(self.authority.identity(&["broker"])).trust(self.authority.trust());
            let builder = builder.client_auth(ClientAuth::Need).clock(Arc::clone(&self.clock) as Arc<dyn TimeProvider>);
            // Each handshake is to ask.
            set(builder.resumption(false).fetch(true).fetch_private_addresses(true))
        })
    }

    /// Certificate and key of a client of this serial number.
    pub(crate) fn device(&self, serial: &[u8]) -> String {
        self.authority.issue(&["device"], |params| {
            params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
            let uris = vec![self.web.url("/ca.crl")];
            params.crl_distribution_points = vec![rcgen::CrlDistributionPoint { uris }];
        })
    }

    pub(crate) fn client(&self, serial: &[u8]) -> Context {
        let pem = self.device(serial);
        let identity = IdentitySource::new(Source::memory("device.pem", pem.as_bytes()));
        context(|builder| builder.trust(self.authority.trust()).identity(identity))
    }

    /// Runs a handshake with a client of this serial number and returns the result of the server.
    fn outcome(&self, server: &Context, serial: &[u8]) -> Result<(), Error> {
        self.ended(server, serial).server
    }

    fn ended(&self, server: &Context, serial: &[u8]) -> Ended {
        Pair::new(server, &self.client(serial), "broker").run()
    }

    fn fetches(&self) -> usize {
        self.web.asked().len()
    }
}

fn source(context: &Context) -> SourceFacts {
    let mut sources = context.revocation_sources();
    assert_eq!(sources.len(), 1, "{sources:?}");
    sources.pop().unwrap()
}

/// A directory of its own for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refresh-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[test]
fn list_of_the_distribution_point_decides_and_is_fetched_once() {
    let world = World::new();
    world.serve(world.list(0, &[BAD]));
    let server = world.server(|builder| builder);
    world.outcome(&server, GOOD).unwrap();
    let ended = world.ended(&server, BAD);
    let refusal = ended.server.unwrap_err();
    assert_eq!(refusal.code(), Code::CertRevoked);
    assert!(refusal.detail().contains("keyCompromise"), "{refusal}");
    assert_eq!(ended.client.unwrap_err().code(), Code::AlertCertificateRevoked);
    assert_eq!(world.fetches(), 1);
    let source = source(&server);
    assert_eq!((source.kind, source.entries, source.failures), (SourceKind::Crl, 1, 0));
    assert_eq!(source.place, world.web.url("/ca.crl"));
    assert_eq!(source.last_success_unix_s, Some(START_UNIX_S as i64));
}

#[test]
fn nothing_is_fetched_for_whom_trust_refuses_nor_from_private_addresses_unless_allowed() {
    let (world, stranger) = (World::new(), World::new());
    world.serve(world.list(0, &[]));
    let server = world.server(|builder| builder);
    let pem = stranger.device(GOOD);
    let identity = IdentitySource::new(Source::memory("stranger.pem", pem.as_bytes()));
    let client = context(|builder| builder.trust(world.authority.trust()).identity(identity));
    let refusal = Pair::new(&server, &client, "broker").run().server.unwrap_err();
    assert_eq!(refusal.code(), Code::CertSignatureInvalid);

    let careful = world.server(|builder| builder.fetch_private_addresses(false));
    let refusal = world.outcome(&careful, GOOD).unwrap_err();
    assert_eq!(refusal.code(), Code::FetchRefused);
    assert!(refusal.detail().contains("127.0.0.1"), "{refusal}");
    assert_eq!((world.fetches(), stranger.web.accepted(), world.web.accepted()), (0, 0, 0));
}

#[test]
fn list_is_renewed_before_its_next_update_by_a_request_that_may_find_nothing_new() {
    let world = World::new();
    let (etag, last_modified) = ("\"one\"", "Thu, 01 Jan 2026 00:00:00 GMT");
    world.web.play("/ca.crl", Play::Versioned { etag, last_modified, body: world.list(0, &[BAD]) });
    let server = world.server(|builder| builder);
    world.outcome(&server, GOOD).unwrap();
    let next_s = u64::try_from(source(&server).next_refresh_unix_s.unwrap()).unwrap() - START_UNIX_S;
    assert!((7 * HOUR_S..9 * HOUR_S).contains(&next_s), "{next_s}");

    world.clock.advance(next_s - 1);
    world.outcome(&server, GOOD).unwrap();
    assert_eq!(server.maintain(), Duration::from_secs(1));
    assert_eq!(world.fetches(), 1, "not due yet");
    world.clock.advance(1);
    server.maintain();
    assert_eq!(world.fetches(), 2);
    assert_eq!(world.web.asked()[1].field("if-none-match"), Some(etag));
    assert_eq!(source(&server).last_success_unix_s, Some((START_UNIX_S + next_s) as i64));

    // No handshake has asked since. The list is due after seven eighths of what was left, at the latest.
    world.serve(world.list(8, &[BAD, GOOD]));
    world.clock.advance((10 * HOUR_S - next_s) * 7 / 8 + 1);
    server.maintain();
    assert_eq!((world.fetches(), source(&server).entries), (3, 2));
    assert_eq!(world.outcome(&server, GOOD).unwrap_err().code(), Code::CertRevoked);
    assert_eq!(world.fetches(), 3);

    world.clock.advance(25 * HOUR_S);
    server.maintain();
    assert_eq!(server.revocation_sources(), [], "a list that no handshake asks for in a day is forgotten");
}

#[test]
fn period_that_is_set_renews_a_list_that_would_serve_for_longer() {
    let world = World::new();
    world.serve(world.list(0, &[BAD]));
    let server = world.server(|builder| builder.fetch_refresh_s(600));
    world.outcome(&server, GOOD).unwrap();
    world.clock.advance(700);
    server.maintain();
    assert_eq!(world.fetches(), 2);
}

#[test]
fn last_good_list_serves_while_the_server_is_down_and_until_it_is_out_of_date() {
    let world = World::new();
    world.serve(world.list(0, &[BAD]));
    let server = world.server(|builder| builder);
    world.outcome(&server, GOOD).unwrap();
    world.web.play("/ca.crl", Play::Status(500));
    world.clock.advance(9 * HOUR_S);
    server.maintain();
    let failed = source(&server);
    assert_eq!((failed.entries, failed.failures), (1, 1));
    assert!(failed.last_error.unwrap().contains("500"));
    world.outcome(&server, GOOD).unwrap();
    assert_eq!(world.outcome(&server, BAD).unwrap_err().code(), Code::CertRevoked);

    // Each failure is followed by a longer pause.
    for (pause_s, failures) in [(13, 2), (26, 3)] {
        server.maintain();
        assert_eq!(source(&server).failures, failures - 1, "not yet");
        world.clock.advance(pause_s);
        server.maintain();
        assert_eq!(source(&server).failures, failures);
    }

    world.clock.advance(HOUR_S);
    let stale = world.outcome(&server, GOOD).unwrap_err();
    assert_eq!(stale.code(), Code::RevocationStale);
    assert!(stale.detail().contains("500"), "{stale}");
    assert_eq!(world.outcome(&server, BAD).unwrap_err().code(), Code::CertRevoked, "what is old still revokes");
    world.serve(world.list(10, &[]));
    world.clock.advance(HOUR_S);
    world.outcome(&server, GOOD).unwrap();
}

#[test]
fn many_who_wait_for_a_list_are_served_by_one_fetch() {
    let world = World::new();
    world.web.play("/ca.crl", Play::Held(Box::new(Play::Content(world.list(0, &[BAD])))));
    let server = world.server(|builder| builder.revocation_deadline_ms(60_000).fetch_timeout_s(60));
    let clients: Vec<Context> = (0..16).map(|_| world.client(GOOD)).collect();
    thread::scope(|scope| {
        for client in &clients {
            let server = &server;
            scope.spawn(move || Pair::new(server, client, "broker").run().server.unwrap());
        }
        eventually("the list is asked for", || world.fetches() == 1);
        world.web.release();
    });
    assert_eq!(world.fetches(), 1);
}

#[test]
fn known_list_serves_while_another_handshake_waits_for_an_unknown_one() {
    let (world, slow) = (World::new(), World { authority: Authority::new("slow"), ..World::new() });
    world.serve(world.list(0, &[BAD]));
    slow.web.play("/ca.crl", Play::Held(Box::new(Play::Content(slow.list(0, &[])))));
    let server = world
        .server(|builder| builder.trust(slow.authority.trust()).revocation_deadline_ms(60_000).fetch_timeout_s(60));
    world.outcome(&server, GOOD).unwrap();
    let pem = slow.device(GOOD);
    let identity = IdentitySource::new(Source::memory("slow.pem", pem.as_bytes()));
    let waiting = context(|builder| builder.trust(world.authority.trust()).identity(identity));
    thread::scope(|scope| {
        let outcome = scope.spawn(|| Pair::new(&server, &waiting, "broker").run().server);
        eventually("the slow server is asked", || slow.fetches() == 1);
        for _ in 0..20 {
            world.outcome(&server, GOOD).unwrap();
        }
        assert!(!outcome.is_finished(), "those who are known have not waited for the other");
        slow.web.release();
        outcome.join().unwrap().unwrap();
    });
}

#[test]
fn list_that_takes_longer_than_a_handshake_may_wait_is_had_by_maintenance() {
    let world = World::new();
    world.web.play("/ca.crl", Play::Held(Box::new(Play::Content(world.list(0, &[BAD])))));
    let server = world.server(|builder| builder.revocation_deadline_ms(200).fetch_timeout_s(60));
    assert_eq!(world.outcome(&server, GOOD).unwrap_err().code(), Code::RevocationUnreachable);
    world.web.release();
    server.maintain();
    assert_eq!((world.fetches(), source(&server).failures), (1, 1), "not before the pause is over");
    world.clock.advance(10);
    server.maintain();
    assert_eq!((world.fetches(), source(&server).entries), (2, 1));
    world.outcome(&server, GOOD).unwrap();
    assert_eq!(world.outcome(&server, BAD).unwrap_err().code(), Code::CertRevoked);
    assert_eq!(world.fetches(), 2);
}

#[test]
fn list_in_the_cache_directory_serves_another_context_and_is_verified_again() {
    let world = World::new();
    let cache = folder("shared");
    world.serve(world.list(0, &[BAD]));
    let first = world.server(|builder| builder.fetch_cache(&cache));
    world.outcome(&first, GOOD).unwrap();
    world.web.play("/ca.crl", Play::Status(500));
    let second = world.server(|builder| builder.fetch_cache(&cache));
    world.outcome(&second, GOOD).unwrap();
    assert_eq!(world.outcome(&second, BAD).unwrap_err().code(), Code::CertRevoked);
    assert_eq!(world.fetches(), 1);

    // One process has fetched anew: the others take it from the directory.
    world.clock.advance(9 * HOUR_S);
    world.serve(world.list(9, &[BAD, GOOD]));
    first.maintain();
    assert_eq!(world.fetches(), 2);
    second.maintain();
    assert_eq!(world.fetches(), 2);
    assert_eq!(world.outcome(&second, GOOD).unwrap_err().code(), Code::CertRevoked);

    // Whoever can write there cannot make a list.
    let file = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let third = world.server(|builder| builder.fetch_cache(&cache));
    assert_eq!(world.outcome(&third, GOOD).unwrap_err().code(), Code::CertRevoked);
    assert_eq!(world.fetches(), 3);
    std::fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn list_that_is_older_or_of_another_key_does_not_take_the_place_of_a_good_one() {
    let world = World::new();
    world.serve(world.list(5, &[BAD]));
    world.clock.advance(5 * HOUR_S);
    let server = world.server(|builder| builder.fetch_refresh_s(600));
    world.outcome(&server, GOOD).unwrap();
    let other = Authority::new("ca");
    let dates = (OffsetDateTime::UNIX_EPOCH, rcgen::date_time_ymd(2040, 1, 1));
    for (list, complaint) in [
        (world.list(4, &[]), "older"),
        (other.crl_between(&[], dates.0, dates.1).der().to_vec(), "not signed with the key"),
        (b"garbage".to_vec(), "not the DER of a CRL"),
    ] {
        world.serve(list);
        world.clock.advance(700);
        server.maintain();
        let source = source(&server);
        assert!(source.last_error.as_ref().is_some_and(|error| error.contains(complaint)), "{source:?}");
        assert_eq!(world.outcome(&server, BAD).unwrap_err().code(), Code::CertRevoked);
        world.outcome(&server, GOOD).unwrap();
    }
}

#[test]
fn what_was_fetched_outlives_a_reload() {
    let world = World::new();
    world.serve(world.list(0, &[BAD]));
    let server = world.server(|builder| builder);
    world.outcome(&server, GOOD).unwrap();
    server.reload().unwrap();
    assert_eq!(world.outcome(&server, BAD).unwrap_err().code(), Code::CertRevoked);
    assert_eq!(world.fetches(), 1);
}

#[test]
fn thread_of_a_context_renews_lists_and_ends_with_it() {
    let world = World::new();
    world.serve(world.list(0, &[BAD]));
    let server = world.server(|builder| builder);
    world.outcome(&server, GOOD).unwrap();
    world.clock.advance(9 * HOUR_S);
    server.start_maintenance().unwrap();
    server.start_maintenance().unwrap();
    eventually("the list is renewed", || world.fetches() == 2);
    let is_there = || thread_names().contains(&"brokertls-renew".to_owned());
    assert!(is_there());
    drop(server);
    eventually("the thread has ended", || !is_there());
}

/// The names of this process's threads.
fn thread_names() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim_end().to_owned()).collect()
}
