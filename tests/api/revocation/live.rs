//! Open connections with a peer that is revoked meanwhile: reported once, and closed if the application says so.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use brokertls::revocation::{Depth, Reason};
use brokertls::{
    ClientAuth, Code, Connection, Context, ContextBuilder, CrlSource, IdentitySource, MAX_RECORD_BYTES, RevokedAction,
    RevokedPeer, Source, Status, Stream,
};

use crate::rig::pair::{Authority, Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];
const DEVICE: &[u8] = &[7];
const OTHER: &[u8] = &[8];

/// An authority, its list in a file, and the reports so far.
struct World {
    authority: Authority,
    versions: &'static str,
    list: PathBuf,
    told: Arc<Mutex<Vec<RevokedPeer>>>,
    logged: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn new(name: &str, versions: &'static str) -> Self {
        let list = std::env::temp_dir().join(format!("brokertls-{name}-{versions}-{}.crl", std::process::id()));
        let world =
            Self { authority: Authority::new("ca"), versions, list, told: Arc::default(), logged: Arc::default() };
        world.revoke(&[]);
        world
    }

    fn revoke(&self, serials: &[&[u8]]) {
        std::fs::write(&self.list, self.authority.crl(serials)).unwrap();
    }

    fn context(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        let logged = Arc::clone(&self.logged);
        context(|builder| {
            set(builder.versions(self.versions).trust(self.authority.trust()))
                .log(Arc::new(move |line| logged.lock().unwrap().push(line.text.to_owned())))
        })
    }

    fn identity(&self, name: &str, serial: &[u8]) -> IdentitySource {
        let pem = self.authority.issue(&[name], |params| {
            params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
        });
        IdentitySource::new(Source::memory(format!("{name}.pem"), pem.as_bytes()))
    }

    /// A server that checks its clients by the list and has no callback.
    fn quiet_server(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        self.context(|builder| {
            let builder = builder.identity(self.identity("broker", &[1])).client_auth(ClientAuth::Want);
            set(builder.crl(CrlSource::Source(Source::file(&self.list))))
        })
    }

    /// The same that tells, and does this with the connections.
    fn server(&self, action: RevokedAction) -> Context {
        let told = Arc::clone(&self.told);
        self.quiet_server(|builder| {
            builder.on_revoked(Arc::new(move |peer| {
                told.lock().unwrap().push(peer.clone());
                action
            }))
        })
    }

    fn client(&self, name: &str, serial: &[u8]) -> Context {
        self.context(|builder| builder.identity(self.identity(name, serial)))
    }

    fn told(&self) -> Vec<RevokedPeer> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// The lines of the log about connections.
    fn logged(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.logged.lock().unwrap());
        lines.into_iter().filter(|line| line.starts_with("connection ")).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.list);
    }
}

/// Sends a line each way, and fails unless both arrive.
fn exchange(pair: &mut Pair) {
    pass(&mut pair.client, &mut pair.server);
    pass(&mut pair.server, &mut pair.client);
}

fn pass(from: &mut Connection, to: &mut Connection) {
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut plain = [0; 100];
    let sent = from.wrap(b"a line", &mut wire).unwrap();
    assert_eq!(sent.consumed, 6);
    let taken = to.unwrap(&mut wire[..sent.produced], &mut plain).unwrap();
    assert_eq!(&plain[..taken.produced], b"a line");
}

/// 2020-01-01T00:00:00Z, as [`Authority::crl`] dates revocations.
const REVOKED_UNIX_S: u32 = 1_577_836_800;

fn assert_is_device(peer: &RevokedPeer, id: u64) {
    assert_eq!(peer.connection_id, id);
    assert_eq!((peer.subject.as_str(), peer.issuer.as_str()), ("CN=device", "CN=ca"));
    assert_eq!((peer.serial.as_str(), peer.reason), ("07", Reason::KeyCompromise));
    assert_eq!(peer.revoked_unix_s, REVOKED_UNIX_S);
}

#[test]
fn client_that_is_revoked_while_connected_is_reported_once_and_continues_if_it_is_kept() {
    for versions in VERSIONS {
        let world = World::new("kept", versions);
        let server = world.server(RevokedAction::Keep);
        let (device, other) = (world.client("device", DEVICE), world.client("other", OTHER));
        let mut first = Pair::connect(&server, &device, "broker");
        let mut resumed = Pair::connect(&server, &device, "broker");
        assert_eq!(resumed.server.is_resumed(), Some(true));
        let mut another = Pair::connect(&server, &other, "broker");
        let mut anonymous = Pair::connect(&server, &world.context(|builder| builder), "broker");
        let ids: Vec<u64> = [&first, &resumed, &another, &anonymous].iter().map(|pair| pair.server.id()).collect();
        assert_eq!(ids, [1, 2, 3, 4]);

        server.reload().unwrap();
        assert_eq!(server.sweep_revoked(), 0);
        assert_eq!(world.told(), []);

        world.revoke(&[DEVICE]);
        server.reload().unwrap();
        let mut told = world.told();
        told.sort_by_key(|peer| peer.connection_id);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_is_device(&told[0], first.server.id());
        assert_is_device(&told[1], resumed.server.id());
        let logged = world.logged();
        assert_eq!(logged.len(), 2);
        for part in ["continues", "CN=device", "keyCompromise", "revoked 2020-01-01T00:00:00Z"] {
            assert!(logged[0].contains(part), "{part}: {}", logged[0]);
        }

        server.reload().unwrap();
        assert_eq!((server.sweep_revoked(), world.told().len()), (0, 0));
        for pair in [&mut first, &mut resumed, &mut another, &mut anonymous] {
            exchange(pair);
        }
    }
}

#[test]
fn server_that_is_revoked_while_connected_is_reported_to_its_client() {
    for versions in VERSIONS {
        let world = World::new("server", versions);
        let told = Arc::clone(&world.told);
        let client = world.context(|builder| {
            builder.crl(CrlSource::Source(Source::file(&world.list))).on_revoked(Arc::new(move |peer| {
                told.lock().unwrap().push(peer.clone());
                RevokedAction::Close
            }))
        });
        let device = world.context(|builder| builder.identity(world.identity("device", DEVICE)));
        let other = world.context(|builder| builder.identity(world.identity("other", OTHER)));
        let mut gone = Pair::connect(&device, &client, "device");
        let mut good = Pair::connect(&other, &client, "other");
        exchange(&mut gone);
        world.revoke(&[DEVICE]);
        client.reload().unwrap();
        let told = world.told();
        assert_eq!(told.len(), 1);
        assert_is_device(&told[0], gone.client.id());
        assert_eq!(gone.client.unwrap(&mut [], &mut []).unwrap_err().code(), Code::CertRevoked, "{versions}");
        exchange(&mut good);
    }
}

#[test]
fn closed_connection_gives_the_revocation_and_its_peer_the_alert() {
    for versions in VERSIONS {
        let world = World::new("closed", versions);
        let server = world.server(RevokedAction::Close);
        let device = world.client("device", DEVICE);
        let mut by_wrap = Pair::connect(&server, &device, "broker");
        let mut by_unwrap = Pair::connect(&server, &device, "broker");
        world.revoke(&[DEVICE]);
        server.reload().unwrap();
        assert_eq!(world.told().len(), 2);
        assert!(world.logged().iter().all(|line| line.contains(" is closed, ")));

        let mut wire = vec![0; MAX_RECORD_BYTES];
        // No plaintext goes out any more, only the alert.
        let sent = by_wrap.server.wrap(b"a line", &mut wire).unwrap();
        assert_eq!(sent.consumed, 0, "{versions}");
        let seen = by_wrap.client.unwrap(&mut wire[..sent.produced], &mut [0; 100]).unwrap_err();
        assert_eq!(seen.code(), Code::AlertCertificateRevoked, "{versions}");
        let error = by_wrap.server.wrap(b"a line", &mut wire).unwrap_err();
        assert_eq!(error.code(), Code::CertRevoked, "{versions}");
        assert!(error.detail().contains("serial 07") && error.detail().contains("keyCompromise"), "{error}");
        assert_eq!(by_wrap.server.close_write().unwrap_err().code(), Code::CertRevoked);

        // Nor does any come in.
        let sent = by_unwrap.client.wrap(b"a line", &mut wire).unwrap();
        let error = by_unwrap.server.unwrap(&mut wire[..sent.produced], &mut [0; 100]).unwrap_err();
        assert_eq!(error.code(), Code::CertRevoked, "{versions}");
        let sent = by_unwrap.server.wrap(&[], &mut wire).unwrap();
        let seen = by_unwrap.client.unwrap(&mut wire[..sent.produced], &mut [0; 100]).unwrap_err();
        assert_eq!(seen.code(), Code::AlertCertificateRevoked, "{versions}");
        assert_eq!(by_unwrap.server.wrap(&[], &mut wire).unwrap_err().code(), Code::CertRevoked);
    }
}

/// A stream over one end of a socket pair, its handshake not begun.
fn stream(connection: Connection) -> (Stream, UnixStream, UnixStream) {
    let (here, there) = UnixStream::pair().unwrap();
    here.set_nonblocking(true).unwrap();
    there.set_nonblocking(true).unwrap();
    let mut stream = Stream::new(connection);
    stream.set_descriptors(here.as_raw_fd(), here.as_raw_fd()).unwrap();
    (stream, here, there)
}

#[test]
fn closed_stream_sends_the_alert_whether_it_reads_or_writes() {
    for versions in VERSIONS {
        for is_reading in [true, false] {
            let world = World::new("stream", versions);
            let server_context = world.server(RevokedAction::Close);
            let (mut server, _here, there) = stream(server_context.accept().unwrap());
            let mut client = Stream::new(world.client("device", DEVICE).connect(Some("broker")).unwrap());
            client.set_descriptors(there.as_raw_fd(), there.as_raw_fd()).unwrap();
            for _ in 0..10 {
                client.handshake().unwrap();
                server.handshake().unwrap();
            }
            assert!(!client.connection().is_handshaking() && !server.connection().is_handshaking());
            // Takes the tickets that came with the handshake.
            assert_eq!(client.read(&mut [0; 10]).unwrap(), Status::WantRead);
            world.revoke(&[DEVICE]);
            server_context.reload().unwrap();
            let error = match is_reading {
                true => server.read(&mut [0; 10]).unwrap_err(),
                false => server.write(b"a line").unwrap_err(),
            };
            assert_eq!(error.code(), Code::CertRevoked, "{versions}");
            let seen = client.read(&mut [0; 10]).unwrap_err();
            assert_eq!(seen.code(), Code::AlertCertificateRevoked, "{versions}, {is_reading}");
        }
    }
}

#[test]
fn without_a_callback_it_is_logged_once_and_the_connection_continues() {
    let world = World::new("logged", "TLSv1.3");
    let server = world.quiet_server(|builder| builder);
    let mut pair = Pair::connect(&server, &world.client("device", DEVICE), "broker");
    world.revoke(&[DEVICE]);
    server.reload().unwrap();
    server.reload().unwrap();
    let logged = world.logged();
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0].starts_with("connection 1 continues, revoked while connected: "), "{}", logged[0]);
    exchange(&mut pair);
}

#[test]
fn connection_that_has_ended_is_not_reported() {
    let world = World::new("ended", "TLSv1.3");
    let server = world.server(RevokedAction::Keep);
    let device = world.client("device", DEVICE);
    drop(Pair::connect(&server, &device, "broker"));
    let pair = Pair::connect(&server, &device, "broker");
    world.revoke(&[DEVICE]);
    server.reload().unwrap();
    assert_eq!(world.told().iter().map(|peer| peer.connection_id).collect::<Vec<_>>(), [pair.server.id()]);
}

#[test]
fn client_that_waits_for_its_revocation_before_it_shows_its_certificate_is_refused() {
    for versions in VERSIONS {
        let world = World::new("waiting", versions);
        let server = world.server(RevokedAction::Keep);
        let device = world.client("device", DEVICE);
        // Made by the generation that does not know yet.
        let mut pair = Pair::new(&server, &device, "broker");
        let mut good = Pair::new(&server, &world.client("other", OTHER), "broker");
        world.revoke(&[DEVICE]);
        server.reload().unwrap();
        let ended = pair.run();
        assert_eq!(ended.server.unwrap_err().code(), Code::CertRevoked, "{versions}");
        assert_eq!(world.told(), []);
        let ended = good.run();
        ended.server.unwrap();
        ended.client.unwrap();
        exchange(&mut good);
    }
}

#[test]
fn callback_that_panics_closes_its_connection_and_the_others_are_reported() {
    let world = World::new("panic", "TLSv1.3");
    let told = Arc::clone(&world.told);
    let server = world.quiet_server(|builder| {
        builder.on_revoked(Arc::new(move |peer| {
            told.lock().unwrap().push(peer.clone());
            assert_eq!(peer.serial, "08", "as a defect of the application would");
            RevokedAction::Keep
        }))
    });
    let mut device = Pair::connect(&server, &world.client("device", DEVICE), "broker");
    let mut other = Pair::connect(&server, &world.client("other", OTHER), "broker");
    world.revoke(&[DEVICE, OTHER]);
    server.reload().unwrap();
    assert_eq!(world.told().len(), 2);
    assert_eq!(device.server.unwrap(&mut [], &mut []).unwrap_err().code(), Code::CertRevoked);
    exchange(&mut other);
}

#[test]
fn callback_may_use_the_context_and_drop_the_connection() {
    let world = World::new("reentrant", "TLSv1.3");
    let pair = Arc::new(Mutex::new(None::<Pair>));
    let server = Arc::new(Mutex::new(None::<Context>));
    let (kept, own) = (Arc::clone(&pair), Arc::clone(&server));
    let context = world.quiet_server(|builder| {
        builder.on_revoked(Arc::new(move |_| {
            kept.lock().unwrap().take();
            assert_eq!(own.lock().unwrap().as_ref().unwrap().sweep_revoked(), 0);
            RevokedAction::Close
        }))
    });
    *pair.lock().unwrap() = Some(Pair::connect(&context, &world.client("device", DEVICE), "broker"));
    *server.lock().unwrap() = Some(context.clone());
    world.revoke(&[DEVICE]);
    context.reload().unwrap();
    assert!(pair.lock().unwrap().is_none());
}

#[test]
fn issuer_that_is_revoked_takes_the_connections_and_sessions_of_all_its_peers_with_it() {
    for versions in VERSIONS {
        let world = World::new("issuer", versions);
        let below = world.authority.subordinate("below", |params| {
            params.serial_number = Some(rcgen::SerialNumber::from_slice(DEVICE));
        });
        let of_below = CrlSource::Source(Source::memory("below.crl", below.crl(&[]).as_bytes()));
        let told = Arc::clone(&world.told);
        let server = world.quiet_server(|builder| {
            builder.crl(of_below.clone()).on_revoked(Arc::new(move |peer| {
                told.lock().unwrap().push(peer.clone());
                RevokedAction::Close
            }))
        });
        let leaf_only = world.quiet_server(|builder| builder.crl(of_below).revocation_depth(Depth::Leaf));
        let client = |name: &str| {
            let pem = below.issue(&[name], |_| {}) + &below.pem();
            world.context(|builder| builder.identity(IdentitySource::new(Source::memory("device.pem", pem.as_bytes()))))
        };
        let (one, two) = (client("one"), client("two"));
        let first = Pair::connect(&server, &one, "broker");
        let resumed = Pair::connect(&server, &one, "broker");
        assert_eq!(resumed.server.is_resumed(), Some(true), "{versions}");
        let second = Pair::connect(&server, &two, "broker");
        let mut direct = Pair::connect(&server, &world.client("other", OTHER), "broker");
        let mut unasked = Pair::connect(&leaf_only, &two, "broker");

        world.revoke(&[DEVICE]);
        server.reload().unwrap();
        let mut told = world.told();
        told.sort_by_key(|peer| peer.connection_id);
        let ids: Vec<u64> = told.iter().map(|peer| peer.connection_id).collect();
        assert_eq!(ids, [&first, &resumed, &second].map(|pair| pair.server.id()), "{versions}");
        assert!(
            told.iter().all(|peer| (peer.subject.as_str(), peer.serial.as_str()) == ("CN=below", "07")),
            "{told:?}"
        );
        exchange(&mut direct);
        assert_eq!(Pair::new(&server, &two, "broker").run().server.unwrap_err().code(), Code::CertRevoked);

        leaf_only.reload().unwrap();
        exchange(&mut unasked);
    }
}
