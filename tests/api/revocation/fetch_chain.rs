//! Lists that are fetched for a chain of several certificates: of which issuers, by which route, in which time in all.

use std::thread;
use std::time::{Duration, Instant};

use brokertls::revocation::{Depth, Mode};
use brokertls::{Code, Context, CrlSource, IdentitySource, Source};
use rcgen::SerialNumber;

use crate::revocation::fetch::{BAD, GOOD, World, assert_code, list_at, responder_at};
use crate::rig::pair::{Authority, Pair, context};
use crate::rig::web::{Play, Web, eventually};

/// A server with a certificate of an authority below the world's own. Each certificate names a list of its issuer.
struct Chain {
    world: World,
    subordinate: Authority,
    server: Context,
}

impl Chain {
    /// The serial number is that of the authority below; the server's is [`GOOD`].
    fn new(name: &str, serial: &[u8]) -> Self {
        let world = World::new(name);
        let subordinate = world.authority.subordinate("below", |params| {
            params.serial_number = Some(SerialNumber::from_slice(serial));
            list_at(&world.web.url("/root.crl"))(params);
        });
        let pem = subordinate.issue(&["broker"], |params| {
            params.serial_number = Some(SerialNumber::from_slice(GOOD));
            list_at(&world.web.url("/below.crl"))(params);
        });
        let pem = pem + &subordinate.pem();
        let identity = IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()));
        let server = context(|builder| builder.identity(identity));
        let chain = Self { world, subordinate, server };
        chain.serve("/root.crl", &chain.world.authority, &[BAD]);
        chain.serve("/below.crl", &chain.subordinate, &[BAD]);
        chain
    }

    fn serve(&self, path: &str, authority: &Authority, serials: &[&[u8]]) {
        self.world.web.play(path, Play::Content(authority.crl(serials).into_bytes()));
    }

    fn outcome(&self, client: &Context) -> Result<(), brokertls::Error> {
        Pair::new(&self.server, client, "broker").run().client
    }

    fn asked(&self) -> Vec<String> {
        self.world.web.asked().into_iter().map(|asked| asked.line).collect()
    }
}

#[test]
fn lists_of_all_issuers_are_fetched_and_one_revokes_an_issuer() {
    let good = Chain::new("chain-good", GOOD);
    good.outcome(&good.world.client(|builder| builder)).unwrap();
    assert_eq!(good.asked(), ["GET /root.crl", "GET /below.crl"]);

    let revoked = Chain::new("chain-revoked", BAD);
    let outcome = revoked.outcome(&revoked.world.client(|builder| builder));
    assert_code(&outcome, Code::CertRevoked);
    let error = outcome.unwrap_err();
    assert!(error.detail().contains("CN=below") && error.detail().contains("/root.crl"), "{error}");
}

#[test]
fn of_a_leaf_alone_the_list_of_its_issuer_alone_is_fetched() {
    let chain = Chain::new("leaf", BAD);
    chain.outcome(&chain.world.client(|builder| builder.revocation_depth(Depth::Leaf))).unwrap();
    assert_eq!(chain.asked(), ["GET /below.crl"]);
}

#[test]
fn list_of_the_wrong_issuer_of_the_chain_is_not_taken() {
    let chain = Chain::new("wrong", GOOD);
    // The root's list, where that of the authority below should be.
    chain.serve("/below.crl", &chain.world.authority, &[]);
    assert_code(&chain.outcome(&chain.world.client(|builder| builder)), Code::RevocationResponseInvalid);
}

#[test]
fn one_deadline_holds_for_the_whole_chain() {
    for hanging in [["/below.crl", "/none"], ["/root.crl", "/none"], ["/below.crl", "/root.crl"]] {
        let chain = Chain::new("deadline", GOOD);
        hanging.iter().for_each(|path| chain.world.web.play(path, Play::Hang(Vec::new())));
        let quick = |mode| chain.world.client(|builder| builder.revocation(mode).revocation_deadline_ms(300));
        let started = Instant::now();
        assert_code(&chain.outcome(&quick(Mode::Require)), Code::RevocationUnreachable);
        let preferred = quick(Mode::Prefer);
        chain.outcome(&preferred).unwrap();
        assert!(preferred.revocation_unknown_accepted() >= 1);
        assert!(started.elapsed() < Duration::from_secs(20), "{hanging:?}");
    }
}

#[test]
fn place_that_hangs_hides_nothing_that_another_place_knows() {
    let quick = |chain: &Chain, mode| {
        chain.outcome(&chain.world.client(|builder| builder.revocation(mode).revocation_deadline_ms(2000)))
    };
    // Accepted though no source knows the server's certificate, but not below an authority that is revoked.
    let chain = Chain::new("hides-issuer", BAD);
    chain.world.web.play("/below.crl", Play::Hang(Vec::new()));
    assert_code(&quick(&chain, Mode::Prefer), Code::CertRevoked);
    // The other way round.
    let chain = Chain::new("hides-leaf", GOOD);
    chain.world.web.play("/root.crl", Play::Hang(Vec::new()));
    chain.serve("/below.crl", &chain.subordinate, &[GOOD]);
    assert_code(&quick(&chain, Mode::Prefer), Code::CertRevoked);
    // Who is refused already is asked no more about.
    assert_code(&quick(&chain, Mode::Require), Code::RevocationUnreachable);
    assert_eq!(chain.asked(), ["GET /root.crl", "GET /below.crl", "GET /root.crl"]);
}

#[test]
fn what_is_known_to_be_revoked_is_said_before_what_is_not_known() {
    let chain = Chain::new("known", GOOD);
    chain.world.web.play("/root.crl", Play::Status(500));
    let outcome = chain.outcome(&chain.world.client(|builder| builder.revocation(Mode::Require)));
    assert_code(&outcome, Code::RevocationUnreachable);
    let list = chain.subordinate.crl(&[GOOD]);
    let known = CrlSource::Source(Source::memory("below.crl", list.as_bytes()));
    assert_code(&chain.outcome(&chain.world.client(|builder| builder.crl(known))), Code::CertRevoked);
}

#[test]
fn certificates_that_name_the_list_of_another_authority_do_not_keep_that_from_being_fetched() {
    let world = World::new("another");
    world.web.play("*", Play::Content(world.authority.crl(&[BAD]).into_bytes()));
    let url = world.web.url("/ca.crl");
    let other = Authority::new("other");
    let pem = other.issue(&["broker"], list_at(&url));
    let identity = IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()));
    let foreign = context(|builder| builder.identity(identity));
    let client = world.client(|builder| builder.trust(other.trust()).revocation(Mode::Prefer));
    Pair::connect(&foreign, &client, "broker");
    assert_eq!(client.revocation_unknown_accepted(), 1);
    let server = world.server(BAD, list_at(&url));
    assert_code(&Pair::new(&server, &client, "broker").run().client, Code::CertRevoked);
    let places: Vec<String> = client.revocation_sources().into_iter().map(|source| source.place).collect();
    assert_eq!(places, [url.clone(), url]);
}

#[test]
fn responder_that_hangs_leaves_turns_for_other_servers() {
    let world = World::new("turns");
    let hanging = Web::playing(Play::Held(Box::new(Play::Status(500))));
    world.web.play("/ca.crl", Play::Content(world.authority.crl(&[BAD]).into_bytes()));
    // More handshakes than there are turns, each with a certificate that only the responder could tell of.
    let lonely = Authority::new("lonely");
    let servers: Vec<Context> = (0..8_u8)
        .map(|at| {
            let pem = lonely.issue(&["broker"], |params| {
                params.serial_number = Some(SerialNumber::from_slice(&[0x30, at]));
                responder_at(&[&hanging.url("/ocsp")])(params);
            });
            let identity = IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()));
            context(|builder| builder.identity(identity))
        })
        .collect();
    let client =
        world.client(|builder| builder.trust(lonely.trust()).fetch_concurrency(4).revocation_deadline_ms(60_000));
    thread::scope(|scope| {
        for server in &servers {
            let outcome =
                || assert_code(&Pair::new(server, &client, "broker").run().client, Code::RevocationUnreachable);
            scope.spawn(outcome);
        }
        eventually("half of the turns are taken", || hanging.asked().len() == 2);
        for (serial, outcome) in [(GOOD, None), (BAD, Some(Code::CertRevoked))] {
            let server = world.server(serial, list_at(&world.web.url("/ca.crl")));
            let ended = Pair::new(&server, &client, "broker").run();
            assert_eq!(ended.client.err().map(|error| error.code()), outcome);
        }
        assert_eq!(hanging.asked().len(), 2);
        hanging.release();
    });
}

#[test]
fn timeout_of_a_fetch_ends_it_before_a_later_deadline() {
    let chain = Chain::new("timeout", GOOD);
    chain.world.web.play("/below.crl", Play::Hang(Vec::new()));
    let client = chain.world.client(|builder| builder.fetch_timeout_s(1).revocation_deadline_ms(120_000));
    let started = Instant::now();
    assert_code(&chain.outcome(&client), Code::RevocationUnreachable);
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn lists_are_fetched_by_the_proxy_that_is_set() {
    let proxy = Web::playing(Play::Status(404));
    let world = World::new("proxy");
    let list = world.authority.crl(&[BAD]).into_bytes();
    proxy.play("http://crl.invalid:8080/ca.crl", Play::Content(list));
    let by_proxy = || {
        let url = format!("http://127.0.0.1:{}", proxy.port());
        world.client(|builder| builder.fetch_private_addresses(false).fetch_proxy(&url))
    };
    let client = by_proxy();
    for (serial, outcome) in [(GOOD, None), (BAD, Some(Code::CertRevoked))] {
        let server = world.server(serial, list_at("http://crl.invalid:8080/ca.crl"));
        let ended = Pair::new(&server, &client, "broker").run();
        assert_eq!(ended.client.err().map(|error| error.code()), outcome);
    }
    assert_eq!(proxy.asked().len(), 1);
    let server = world.server(GOOD, list_at(&world.web.url("/ca.crl")));
    assert_code(&Pair::new(&server, &by_proxy(), "broker").run().client, Code::FetchRefused);
    assert_eq!((proxy.asked().len(), world.web.accepted()), (1, 0));
}

#[test]
fn list_longer_than_the_limit_is_not_taken() {
    let world = World::new("longer");
    let serials: Vec<[u8; 4]> = (0..1000_u32).map(|at| (at | 0x1000_0000).to_be_bytes()).collect();
    let serials: Vec<&[u8]> = serials.iter().map(<[u8; 4]>::as_slice).collect();
    let list = world.authority.crl(&serials).into_bytes();
    world.web.play("*", Play::Content(list.clone()));
    let server = world.server(GOOD, list_at(&world.web.url("/ca.crl")));
    let outcome = |limit: usize| {
        let client = world.client(|builder| builder.max_crl_bytes(limit));
        Pair::new(&server, &client, "broker").run().client
    };
    outcome(list.len()).unwrap();
    assert_code(&outcome(list.len() - 1), Code::RevocationUnreachable);
}
