//! Sessions of peers that are checked for revocation: resumed only while the known lists and responses accept them.

use std::sync::Arc;

use brokertls::revocation::Mode;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, CrlSource, IdentitySource, Source};
use rustls::time_provider::TimeProvider;

use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, Pair, context};
use crate::stapling;

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// 2040-01-01T00:00:00Z, when the lists of [`Authority::crl`] have their next update.
pub(crate) const NEXT_UPDATE_UNIX_S: u64 = 2_208_988_800;

const DEVICE: &[u8] = &[7];

/// One authority, its list as of a minute before the next update, and who shows a certificate.
struct World {
    authority: Authority,
    clock: Arc<Clock>,
    versions: &'static str,
}

impl World {
    fn new(versions: &'static str) -> Self {
        Self { authority: Authority::new("ca"), clock: Clock::at(NEXT_UPDATE_UNIX_S - 60), versions }
    }

    fn context(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        context(|builder| set(builder.versions(self.versions).clock(Arc::clone(&self.clock) as Arc<dyn TimeProvider>)))
    }

    fn list(&self, serials: &[&[u8]]) -> CrlSource {
        CrlSource::Source(Source::memory("ca.crl", self.authority.crl(serials).as_bytes()))
    }

    fn identity(&self, name: &str) -> IdentitySource {
        let pem = self.authority.issue(&[name], |params| {
            params.serial_number = Some(rcgen::SerialNumber::from_slice(DEVICE));
        });
        IdentitySource::new(Source::memory(format!("{name}.pem"), pem.as_bytes()))
    }

    /// A server that asks its clients for certificates, and checks them by this list.
    fn checking_server(&self, list: CrlSource, mode: Mode) -> Context {
        self.context(|builder| {
            let builder = builder.identity(self.authority.identity(&["broker"])).trust(self.authority.trust());
            builder.client_auth(ClientAuth::Want).crl(list).revocation(mode)
        })
    }

    /// A client that checks nothing, with a certificate.
    fn device(&self) -> Context {
        self.context(|builder| builder.trust(self.authority.trust()).identity(self.identity("device")))
    }
}

fn is_resumed(server: &Context, client: &Context) -> bool {
    let pair = Pair::connect(server, client, "broker");
    assert_eq!(pair.server.is_resumed(), pair.client.is_resumed());
    pair.client.is_resumed().unwrap()
}

#[test]
fn session_of_a_client_is_resumed_while_the_list_says_that_it_is_good() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let server = world.checking_server(world.list(&[]), Mode::Require);
        let device = world.device();
        assert!(!is_resumed(&server, &device));
        // Tickets that a resumed connection is given have the path too.
        for _ in 0..3 {
            assert!(is_resumed(&server, &device), "{versions}");
        }

        world.clock.advance(120);
        let ended = Pair::new(&server, &device, "broker").run();
        assert_eq!(ended.server.unwrap_err().code(), Code::RevocationStale, "{versions}");
        assert!(ended.client.is_err(), "{versions}");
    }
}

#[test]
fn session_with_a_server_is_resumed_while_the_list_says_that_it_is_good() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let server = world.context(|builder| builder.identity(world.identity("broker")));
        let client = world.context(|builder| builder.trust(world.authority.trust()).crl(world.list(&[])));
        assert!(!is_resumed(&server, &client));
        for _ in 0..3 {
            assert!(is_resumed(&server, &client), "{versions}");
        }

        world.clock.advance(120);
        let mut pair = Pair::new(&server, &client, "broker");
        let ended = pair.run();
        assert_eq!(ended.client.unwrap_err().code(), Code::RevocationStale, "{versions}");
        assert_eq!(pair.server.is_resumed(), Some(false), "{versions}");
    }
}

#[test]
fn peer_of_unknown_standing_is_resumed_where_that_is_accepted() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let of_another = || {
            let list = Authority::new("another").crl(&[]);
            CrlSource::Source(Source::memory("another.crl", list.as_bytes()))
        };
        let server = world.checking_server(of_another(), Mode::Prefer);
        let client = world.context(|builder| {
            let builder = builder.trust(world.authority.trust()).identity(world.identity("device"));
            builder.crl(of_another()).revocation(Mode::Prefer)
        });
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client), "{versions}");
        // What was known once, and is out of date, is not known either.
        let server = world.checking_server(world.list(&[]), Mode::Prefer);
        let device = world.device();
        assert!(!is_resumed(&server, &device));
        world.clock.advance(120);
        assert!(is_resumed(&server, &device), "{versions}");
    }
}

#[test]
fn client_without_a_certificate_is_resumed_though_nothing_is_known() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let server = world.checking_server(world.list(&[]), Mode::Require);
        let anonymous = world.context(|builder| builder.trust(world.authority.trust()));
        assert!(!is_resumed(&server, &anonymous));
        world.clock.advance(120);
        assert!(is_resumed(&server, &anonymous), "{versions}");
        assert!(is_resumed(&server, &anonymous), "{versions}");
    }
}

#[test]
fn peer_that_stands_itself_in_the_trust_store_is_resumed() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let pem = world.authority.issue(&["device"], |_| {});
        let end = pem.find("-----BEGIN PRIVATE").unwrap();
        let certificate = brokertls::TrustSource::store(Source::memory("device.pem", &pem.as_bytes()[..end]));
        let server = world.context(|builder| {
            let builder = builder.identity(world.authority.identity(&["broker"])).trust(certificate);
            builder.client_auth(ClientAuth::Need).crl(world.list(&[]))
        });
        let identity = IdentitySource::new(Source::memory("device.pem", pem.as_bytes()));
        let device = world.context(|builder| builder.trust(world.authority.trust()).identity(identity));
        assert!(!is_resumed(&server, &device));
        assert!(is_resumed(&server, &device), "{versions}");
    }
}

#[test]
fn session_of_another_context_is_not_resumed_and_its_revoked_client_is_refused() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let device = world.device();
        let good = world.checking_server(world.list(&[]), Mode::Require);
        assert!(!is_resumed(&good, &device));
        assert!(is_resumed(&good, &device));
        let revoking = world.checking_server(world.list(&[DEVICE]), Mode::Require);
        let mut pair = Pair::new(&revoking, &device, "broker");
        let ended = pair.run();
        assert_eq!(ended.server.unwrap_err().code(), Code::CertRevoked, "{versions}");
        assert_eq!(ended.client.unwrap_err().code(), Code::from_received_alert(44), "{versions}");
        assert_eq!(pair.client.is_resumed(), Some(false));
        // Nor by one that does not check and issues tickets without a path, and the other way round.
        let plain = world.context(|builder| builder.identity(world.authority.identity(&["broker"])));
        assert!(!is_resumed(&plain, &device), "{versions}");
        assert!(!is_resumed(&good, &device), "{versions}");
    }
}

#[test]
fn session_is_not_resumed_when_a_reload_has_read_that_its_client_is_revoked() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let path = std::env::temp_dir().join(format!("brokertls-sessions-{versions}-{}.crl", std::process::id()));
        std::fs::write(&path, world.authority.crl(&[])).unwrap();
        let server = world.checking_server(CrlSource::Source(Source::file(&path)), Mode::Require);
        let device = world.device();
        assert!(!is_resumed(&server, &device));
        assert!(is_resumed(&server, &device));
        std::fs::write(&path, world.authority.crl(&[DEVICE])).unwrap();
        server.reload().unwrap();
        std::fs::remove_file(&path).unwrap();
        let ended = Pair::new(&server, &device, "broker").run();
        assert_eq!(ended.server.unwrap_err().code(), Code::CertRevoked, "{versions}");
        assert_eq!(ended.client.unwrap_err().code(), Code::from_received_alert(44), "{versions}");
    }
}

#[test]
fn session_with_a_server_that_its_staple_alone_speaks_for_is_resumed_until_the_end_of_the_staple() {
    for versions in VERSIONS {
        let world = stapling::World::new(&format!("resumed-{versions}"));
        let pem = world.issue("broker", stapling::SERIAL, stapling::must_staple);
        let staple = Source::memory("staple.der", &world.office.answer(&pem, "-nmin 10"));
        let server = world.server(&pem, |builder| builder.staple_file(staple).resumption(true));
        let client = context(|builder| {
            let builder =
                builder.trust(world.authority.trust()).clock(Arc::clone(&world.clock) as Arc<dyn TimeProvider>);
            builder.ocsp_mode(Mode::Require).versions(versions)
        });
        assert!(!is_resumed(&server, &client));
        for _ in 0..3 {
            assert!(is_resumed(&server, &client), "{versions}");
        }
        // Ten minutes, and five for clocks that differ.
        world.clock.advance(901);
        let mut pair = Pair::new(&server, &client, "broker");
        let ended = pair.run();
        assert_eq!(pair.server.is_resumed(), Some(false), "{versions}");
        assert_eq!(ended.client.unwrap_err().code(), Code::StapleMissing, "{versions}");
    }
}
