//! A session must not outlive, or leave, the identity that was verified: dates, age, and the application's word.

mod ids;
mod sessions;
mod tickets;
mod wolfssl;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use brokertls::host::{HandshakeHost, HelloFacts, IdentityRequest, PeerToJudge};
use brokertls::keystore::Identity;
use brokertls::verify::{AskAgain, VerifyCallback};
use brokertls::{
    ClientAuth, Code, ConnectionSettings, Context, ContextBuilder, Error, IdentitySource, Next, Result, Source,
    TrustSource,
};
use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;

use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, Ended, Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// 2030-01-01T00:00:00Z.
const NOW_UNIX_S: u64 = 1_893_456_000;

const HOUR_S: u64 = 3600;

fn date(unix_s: u64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(unix_s.try_into().unwrap()).unwrap()
}

fn identity(name: &str, pem: &str) -> IdentitySource {
    IdentitySource::new(Source::memory(format!("{name}.pem"), pem.as_bytes()))
}

/// One authority, one clock, one version.
struct World {
    authority: Authority,
    clock: Arc<Clock>,
    version: &'static str,
}

impl World {
    fn new(version: &'static str) -> Self {
        Self { authority: Authority::new("ca"), clock: Clock::at(NOW_UNIX_S), version }
    }

    fn context(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        context(|builder| set(builder.clock(Arc::clone(&self.clock) as Arc<dyn TimeProvider>).versions(self.version)))
    }

    /// A server that asks its clients for certificates.
    fn server(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        self.context(|builder| {
            let builder = builder.identity(self.authority.identity(&["broker"])).trust(self.authority.trust());
            set(builder.client_auth(ClientAuth::Want))
        })
    }

    fn client(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        self.context(|builder| {
            set(builder.identity(self.authority.identity(&["device"])).trust(self.authority.trust()))
        })
    }
}

fn plain(builder: &mut ContextBuilder) -> &mut ContextBuilder {
    builder
}

fn is_resumed(server: &Context, client: &Context) -> bool {
    let pair = Pair::connect(server, client, "broker");
    assert_eq!(pair.server.is_resumed(), pair.client.is_resumed());
    pair.client.is_resumed().unwrap()
}

fn refused(server: &Context, client: &Context) -> (Option<Code>, Option<Code>) {
    let Ended { server, client } = Pair::new(server, client, "broker").run();
    (server.err().map(|error| error.code()), client.err().map(|error| error.code()))
}

#[test]
fn session_ends_with_the_certificate_of_the_client() {
    for version in VERSIONS {
        let world = World::new(version);
        let pem = world.authority.issue(&["device"], |params| params.not_after = date(NOW_UNIX_S + HOUR_S));
        let server = world.server(plain);
        let client = world.context(|builder| builder.identity(identity("device", &pem)).trust(world.authority.trust()));
        assert!(!is_resumed(&server, &client));
        world.clock.advance(HOUR_S);
        assert!(is_resumed(&server, &client), "{version}");
        world.clock.advance(1);
        assert_eq!(refused(&server, &client), (Some(Code::CertExpired), Some(Code::from_received_alert(45))));
    }
}

#[test]
fn session_ends_with_the_certificate_of_an_issuer_of_the_client() {
    for version in VERSIONS {
        let world = World::new(version);
        let below = world.authority.subordinate("below", |params| params.not_after = date(NOW_UNIX_S + HOUR_S));
        let pem = below.issue(&["device"], |_| {}) + &below.pem();
        let server = world.server(plain);
        let client = world.context(|builder| builder.identity(identity("device", &pem)).trust(world.authority.trust()));
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client), "{version}");
        world.clock.advance(HOUR_S + 1);
        assert_eq!(refused(&server, &client), (Some(Code::CertExpired), Some(Code::from_received_alert(45))));
    }
}

#[test]
fn session_ends_with_the_certificate_of_the_server() {
    for version in VERSIONS {
        let world = World::new(version);
        let pem = world.authority.issue(&["broker"], |params| params.not_after = date(NOW_UNIX_S + HOUR_S));
        let server = world.context(|builder| builder.identity(identity("broker", &pem)));
        let client = world.client(plain);
        assert!(!is_resumed(&server, &client));
        world.clock.advance(HOUR_S);
        assert!(is_resumed(&server, &client), "{version}");
        world.clock.advance(1);
        assert_eq!(refused(&server, &client), (Some(Code::from_received_alert(45)), Some(Code::CertExpired)));
    }
}

#[test]
fn date_of_a_trusted_ca_ends_no_session_as_it_ends_no_handshake() {
    for version in VERSIONS {
        let world = World::new(version);
        let old = world.authority.subordinate("old", |params| params.not_after = date(NOW_UNIX_S - HOUR_S));
        let trust = || TrustSource::store(Source::memory("old.pem", old.pem().as_bytes()));
        let server = world.context(|builder| builder.identity(old.identity(&["broker"])));
        let client = world.context(|builder| builder.trust(trust()));
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client), "{version}");
    }
}

/// Counts the times that a session is resumed, once an hour, before a full handshake.
fn hours_resumed(world: &World, server: &Context, client: &Context) -> usize {
    assert!(!is_resumed(server, client));
    let resumed = (0..100).take_while(|_| {
        world.clock.advance(HOUR_S);
        is_resumed(server, client)
    });
    resumed.count()
}

#[test]
fn session_is_as_old_as_its_full_handshake_however_often_it_is_resumed() {
    for version in VERSIONS {
        let world = World::new(version);
        let aged = |seconds| {
            move |builder: &mut ContextBuilder| {
                builder.session_max_age_s(seconds).unwrap();
            }
        };
        let server = |set: &dyn Fn(&mut ContextBuilder)| {
            world.server(|builder| {
                set(builder);
                builder
            })
        };
        let client = |set: &dyn Fn(&mut ContextBuilder)| {
            world.client(|builder| {
                set(builder);
                builder
            })
        };
        // Each side by itself, the other one with a longer age.
        let (short, long) = (aged(5 * 3600), aged(7 * 86_400));
        assert_eq!(hours_resumed(&world, &server(&|_| {}), &client(&long)), 23, "{version}");
        assert_eq!(hours_resumed(&world, &server(&long), &client(&|_| {})), 23, "{version}");
        let (server, client) = (server(&short), client(&|_| {}));
        assert_eq!(hours_resumed(&world, &server, &client), 4, "{version}");
        // It begins anew with the full handshake.
        assert!(is_resumed(&server, &client), "{version}");
    }
}

#[test]
fn session_without_a_client_certificate_has_an_age_too() {
    for version in VERSIONS {
        let world = World::new(version);
        let server = world.context(|builder| builder.identity(world.authority.identity(&["broker"])));
        let client =
            world.context(|builder| builder.trust(world.authority.trust()).session_max_age_s(7 * 86_400).unwrap());
        assert_eq!(hours_resumed(&world, &server, &client), 23, "{version}");
    }
}

/// Accepts until a test sets it to refuse, and records each question.
#[derive(Default)]
struct Asked {
    refuses: AtomicBool,
    times: AtomicUsize,
    peers: Mutex<Vec<String>>,
}

impl Asked {
    fn callback(self: &Arc<Self>) -> VerifyCallback {
        let this = Arc::clone(self);
        Arc::new(move |peer| {
            this.times.fetch_add(1, Ordering::Relaxed);
            this.peers.lock().unwrap().push(format!("{:?} {:?} {:?}", peer.chain, peer.purpose, peer.verdict));
            if this.refuses.load(Ordering::Relaxed) { Err("locked".to_owned()) } else { Ok(()) }
        })
    }

    fn times(&self) -> usize {
        self.times.swap(0, Ordering::Relaxed)
    }
}

#[test]
fn server_asks_the_verify_callback_again_about_the_client_of_a_session() {
    for version in VERSIONS {
        let world = World::new(version);
        let asked = Arc::new(Asked::default());
        let server = world.server(|builder| builder.verify_callback(asked.callback(), false));
        let below = world.authority.below("below");
        let pem = below.issue(&["device"], |_| {}) + &below.pem();
        let client = world.context(|builder| builder.identity(identity("device", &pem)).trust(world.authority.trust()));
        assert!(!is_resumed(&server, &client));
        assert_eq!(asked.times(), 1);
        // Again from a ticket that a resumed connection was given.
        for _ in 0..2 {
            assert!(is_resumed(&server, &client), "{version}");
            assert_eq!(asked.times(), 1, "{version}");
        }
        let peers = asked.peers.lock().unwrap().clone();
        assert!(peers.iter().all(|peer| *peer == peers[0]), "{peers:?}");
        asked.refuses.store(true, Ordering::Relaxed);
        let refused = refused(&server, &client);
        assert_eq!(refused, (Some(Code::CertRejectedByCallback), Some(Code::from_received_alert(49))), "{version}");
        // About the session, and in the full handshake.
        assert_eq!(asked.times(), 2, "{version}");
    }
}

#[test]
fn client_asks_the_verify_callback_again_about_the_server_of_a_session() {
    for version in VERSIONS {
        let world = World::new(version);
        let asked = Arc::new(Asked::default());
        let server = world.server(plain);
        let client = world.client(|builder| builder.verify_callback(asked.callback(), false));
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client), "{version}");
        assert_eq!(asked.times(), 2, "{version}");
        let peers = asked.peers.lock().unwrap().clone();
        assert_eq!(peers[0], peers[1]);
        asked.refuses.store(true, Ordering::Relaxed);
        let refused = refused(&server, &client);
        assert_eq!(refused, (Some(Code::from_received_alert(49)), Some(Code::CertRejectedByCallback)), "{version}");
        assert_eq!(asked.times(), 2, "{version}");
    }
}

#[test]
fn callback_that_may_block_is_asked_about_a_session_in_a_task_alone() {
    for version in VERSIONS {
        let world = World::new(version);
        let asked = Arc::new(Asked::default());
        let server = world.server(plain);
        let client = world.client(|builder| builder.verify_callback(asked.callback(), true));
        assert!(!is_resumed(&server, &client));
        asked.times();
        let mut pair = Pair::new(&server, &client, "broker");
        assert_eq!((pair.client.next(), pair.client.has_outgoing(), asked.times()), (Next::NeedTask, false, 0));
        pair.client.run_task();
        assert_eq!((pair.client.next(), asked.times()), (Next::NeedWrap, 1), "{version}");
        let Ended { server: at_server, client: at_client } = pair.run();
        at_server.unwrap();
        at_client.unwrap();
        assert_eq!(pair.client.is_resumed(), Some(true), "{version}");
        // One that is closed before its task has nothing to say.
        let mut pair = Pair::new(&server, &client, "broker");
        pair.client.close_write().unwrap();
        pair.client.run_task();
        assert_eq!(asked.times(), 1);
    }
}

#[test]
fn callback_is_not_asked_again_where_that_is_switched_off() {
    for version in VERSIONS {
        let world = World::new(version);
        let asked = Arc::new(Asked::default());
        let set = |builder: &mut ContextBuilder| {
            builder.verify_callback(asked.callback(), false).resumption_asks_again(AskAgain::Nobody);
        };
        let server = world.server(|builder| {
            set(builder);
            builder
        });
        let client = world.client(|builder| {
            set(builder);
            builder
        });
        assert!(!is_resumed(&server, &client));
        asked.times();
        assert!(is_resumed(&server, &client), "{version}");
        assert_eq!(asked.times(), 0, "{version}");
    }
}

#[test]
fn session_ends_when_a_reload_no_longer_trusts_its_issuer() {
    for version in VERSIONS {
        let world = World::new(version);
        let folder = std::env::temp_dir().join(format!("brokertls-trust-{version}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("ca.pem");
        let trust = || TrustSource::store(Source::file(&file));
        let other = Authority::new("other");
        let write = |trusted: &[&Authority]| {
            std::fs::write(&file, trusted.iter().map(|one| one.pem()).collect::<String>()).unwrap();
        };
        write(&[&world.authority, &other]);
        let server = world.context(|builder| {
            let builder = builder.identity(world.authority.identity(&["broker"])).trust(trust());
            builder.client_auth(ClientAuth::Want)
        });
        let client = world.context(|builder| builder.identity(other.identity(&["device"])).trust(trust()));
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client));
        write(&[&world.authority]);
        server.reload().unwrap();
        let ended = refused(&server, &client);
        assert_eq!(ended, (Some(Code::CertUnknownIssuer), Some(Code::from_received_alert(48))), "{version}");
        let server = world.context(|builder| builder.identity(world.authority.identity(&["broker"])));
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client));
        write(&[&other]);
        client.reload().unwrap();
        let ended = refused(&server, &client);
        assert_eq!(ended, (Some(Code::from_received_alert(48)), Some(Code::CertUnknownIssuer)), "{version}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// A clock that can lose its time.
#[derive(Debug)]
struct Unsteady {
    clock: Arc<Clock>,
    lacks: usize,
    asked: AtomicUsize,
}

impl TimeProvider for Unsteady {
    fn current_time(&self) -> Option<UnixTime> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        self.clock.current_time().filter(|_| asked != self.lacks)
    }
}

#[test]
fn clock_that_goes_back_before_the_handshake_resumes_nothing() {
    for version in VERSIONS {
        for back_at_client in [true, false] {
            let world = World::new(version);
            let set_back = Clock::at(NOW_UNIX_S);
            let steady = Arc::clone(&world.clock) as Arc<dyn TimeProvider>;
            let other = Arc::clone(&set_back) as Arc<dyn TimeProvider>;
            let (at_server, at_client) = if back_at_client { (steady, other) } else { (other, steady) };
            let server = world.server(|builder| builder.clock(at_server));
            let client = world.client(|builder| builder.clock(at_client));
            assert!(!is_resumed(&server, &client));
            assert!(is_resumed(&server, &client), "{version}");
            set_back.advance(u64::MAX); // One second back.
            assert!(!is_resumed(&server, &client), "{version}");
        }
    }
}

#[test]
fn clock_that_gives_no_time_when_a_session_is_offered_resumes_nothing() {
    for version in VERSIONS {
        // Wherever the time is missing, nothing is resumed, or the handshake fails; it never counts as a good time.
        let mut full = 0;
        for lacks in 0..40 {
            let world = World::new(version);
            let server = world.server(plain);
            let clock = Arc::new(Unsteady { clock: Arc::clone(&world.clock), lacks, asked: AtomicUsize::new(0) });
            let mut builder = ContextBuilder::new();
            builder.trust(world.authority.trust()).clock(Arc::clone(&clock) as Arc<dyn TimeProvider>);
            let Ok(client) = builder.versions(version).build() else { continue };
            let handshake = || {
                let mut pair = Pair { server: server.accept().unwrap(), client: client.connect(Some("broker")).ok()? };
                let ended = pair.run();
                (ended.client.is_ok() && ended.server.is_ok()).then(|| pair.client.is_resumed().unwrap())
            };
            let (_, again) = (handshake(), handshake());
            full += usize::from(again == Some(false));
        }
        assert!(full > 0, "{version}");
    }
}

#[test]
fn client_without_a_name_for_its_server_remembers_nothing() {
    for version in VERSIONS {
        let world = World::new(version);
        let server = world.server(plain);
        let client = world.client(|builder| builder.insecure_skip_server_name(true));
        for _ in 0..2 {
            let mut pair = Pair { server: server.accept().unwrap(), client: client.connect(None).unwrap() };
            let ended = pair.run();
            ended.client.unwrap();
            ended.server.unwrap();
            assert_eq!(pair.client.is_resumed(), Some(false), "{version}");
        }
    }
}

/// Trusts the certificates of one authority for the host that a test sets, as a trust manager does, and shows one
/// identity after the other.
#[derive(Debug, Default)]
struct Manager {
    expects: Mutex<Vec<u8>>,
    shows: Mutex<Option<Arc<Identity>>>,
    looks: AtomicUsize,
}

impl Manager {
    fn expect(&self, end_entity: &[u8]) {
        *self.expects.lock().unwrap() = end_entity.to_vec();
    }
}

impl HandshakeHost for Manager {
    fn client_hello(&self, _: &HelloFacts<'_>) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn choose_identity(&self, _: &IdentityRequest<'_>) -> Result<Option<Arc<Identity>>> {
        Ok(self.shows.lock().unwrap().clone())
    }

    fn check_peer(&self, peer: &PeerToJudge<'_>) -> Result<()> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        match peer.chain[0].as_ref() == self.expects.lock().unwrap().as_slice() {
            true => Ok(()),
            false => Err(Error::from(Code::CertRejectedByManager)),
        }
    }

    fn check_proof(&self, _: &CertificateDer<'_>, _: SignatureScheme, _: &[u8], _: &[u8]) -> Result<()> {
        panic!("the keys of these tests are served")
    }
}

fn der(pem: &str) -> Vec<u8> {
    let store = brokertls::keystore::open("pem", pem.as_bytes(), &brokertls::keystore::OpenOptions::default()).unwrap();
    store.identities().unwrap().remove(0).chain[0].to_vec()
}

fn in_scope(scope: Option<&str>) -> ConnectionSettings {
    ConnectionSettings { session_scope: scope.map(str::to_owned), uses_tasks: true, ..ConnectionSettings::default() }
}

/// Connects in this scope, with the name `bank`; gives whether a session was resumed, or why the client failed.
fn to_bank(server: &Context, client: &Context, scope: Option<&str>) -> std::result::Result<bool, Code> {
    let client = client.connect_with(Some("bank"), &in_scope(scope)).unwrap();
    let mut pair = Pair { server: server.accept().unwrap(), client };
    if pair.client.next() == Next::NeedTask {
        pair.client.run_task();
    }
    pair.run().client.map_err(|error| error.code())?;
    Ok(pair.client.is_resumed().unwrap())
}

/// A host that trusts `evil` when it connects to evil, and the bank when it connects to the bank. The name that is sent
/// plays no part.
#[test]
fn server_that_another_host_was_verified_for_is_not_resumed_under_the_name_of_the_bank() {
    for version in VERSIONS {
        for asked in [AskAgain::Nobody, AskAgain::Callback, AskAgain::Managers] {
            let world = World::new(version);
            let (evil, bank) = (world.authority.issue(&["evil"], |_| {}), world.authority.issue(&["bank"], |_| {}));
            let manager = Arc::new(Manager::default());
            let client = world.context(|builder| {
                let builder = builder.host_trust(Arc::clone(&manager) as _, Vec::new());
                builder.resumption_asks_again(asked)
            });
            let evils = world.context(|builder| builder.identity(identity("evil", &evil)));
            manager.expect(&der(&evil));
            assert_eq!(to_bank(&evils, &client, Some("evil:443")), Ok(false));
            assert_eq!(to_bank(&evils, &client, Some("evil:443")), Ok(true));
            manager.expect(&der(&bank));
            let refused = Err(Code::CertRejectedByManager);
            assert_eq!(to_bank(&evils, &client, Some("bank:443")), refused, "{version}");
            // A host that does not know which peer it is remembers none.
            assert_eq!(to_bank(&evils, &client, None), refused, "{version}");
            // Within one scope the host is asked again if that is set.
            let within = to_bank(&evils, &client, Some("evil:443"));
            assert_eq!(within, if asked == AskAgain::Managers { refused } else { Ok(true) }, "{version}");
        }
    }
}

#[test]
fn host_is_asked_again_in_the_first_task_of_a_client() {
    for version in VERSIONS {
        let world = World::new(version);
        let bank = world.authority.issue(&["bank"], |_| {});
        let manager = Arc::new(Manager::default());
        manager.expect(&der(&bank));
        let client = world.context(|builder| {
            let builder = builder.host_trust(Arc::clone(&manager) as _, Vec::new());
            builder.resumption_asks_again(AskAgain::Managers)
        });
        let server = world.context(|builder| builder.identity(identity("bank", &bank)));
        assert_eq!(to_bank(&server, &client, Some("")), Ok(false));
        manager.looks.store(0, Ordering::Relaxed);
        let mut waiting = client.connect_with(Some("bank"), &in_scope(Some(""))).unwrap();
        assert_eq!((waiting.next(), manager.looks.load(Ordering::Relaxed)), (Next::NeedTask, 0), "{version}");
        waiting.run_task();
        assert_eq!((waiting.next(), manager.looks.load(Ordering::Relaxed)), (Next::NeedWrap, 1), "{version}");
        // No session, no question.
        let fresh = client.connect_with(Some("bank"), &in_scope(Some("other"))).unwrap();
        assert_eq!(fresh.next(), Next::NeedWrap);
    }
}

#[test]
fn session_is_not_resumed_by_a_client_if_its_host_would_show_another_identity() {
    for version in VERSIONS {
        let world = World::new(version);
        let bank = world.authority.issue(&["bank"], |_| {});
        let manager = Arc::new(Manager::default());
        let show = |name: Option<&str>| {
            let identity = name.map(|name| {
                let pem = world.authority.issue(&[name], |_| {});
                let options = brokertls::keystore::OpenOptions::default();
                let store = brokertls::keystore::open(name, pem.as_bytes(), &options).unwrap();
                Arc::new(store.identities().unwrap().remove(0))
            });
            *manager.shows.lock().unwrap() = identity;
        };
        let server = world.context(|builder| {
            let builder = builder.identity(identity("bank", &bank)).trust(world.authority.trust());
            builder.client_auth(ClientAuth::Want)
        });
        let client =
            world.context(|builder| builder.host_identities(Arc::clone(&manager) as _).trust(world.authority.trust()));
        show(Some("alice"));
        assert_eq!(to_bank(&server, &client, Some("")), Ok(false));
        assert_eq!(to_bank(&server, &client, Some("")), Ok(true));
        for other in [Some("bob"), None, Some("carol")] {
            show(other);
            assert_eq!(to_bank(&server, &client, Some("")), Ok(false), "{version} {other:?}");
            assert_eq!(to_bank(&server, &client, Some("")), Ok(true), "{version} {other:?}");
        }
    }
}
