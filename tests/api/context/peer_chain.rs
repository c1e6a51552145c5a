//! The facts of a peer that a connection keeps after the handshake, with and without the chain.

use std::sync::{Arc, Mutex};

use brokertls::certificate::{AlternativeNameKind, CertificateFacts};
use brokertls::options::Options;
use brokertls::verify::Deviation;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, CrlSource, IdentitySource, RevokedAction, Source};

use crate::rig::pair::{Authority, Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// An authority, and an issuer below it that issues for the clients.
struct World {
    root: Authority,
    issuer: Authority,
    versions: &'static str,
}

impl World {
    fn new(versions: &'static str) -> Self {
        let root = Authority::new("root");
        let issuer = root.below("issuer");
        Self { root, issuer, versions }
    }

    fn context(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        context(|builder| set(builder.versions(self.versions).trust(self.root.trust())))
    }

    fn identity(&self, name: &str, serial: u8) -> IdentitySource {
        let leaf = self.issuer.issue(&[name], |params| params.serial_number = Some(vec![serial].into()));
        IdentitySource::new(Source::memory("identity.pem", [leaf, self.issuer.pem()].concat().as_bytes()))
    }

    /// A server that keeps the facts of its clients alone.
    fn server(&self, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
        self.context(|builder| {
            set(builder.identity(self.identity("broker", 1)).client_auth(ClientAuth::Want).keep_peer_chain(false))
        })
    }

    fn client(&self, serial: u8) -> Context {
        self.context(|builder| builder.identity(self.identity("device", serial)))
    }
}

fn assert_knows_facts_alone(pair: &Pair, facts: &CertificateFacts) {
    assert!(pair.server.peer_chain().is_empty());
    assert_eq!(&pair.server.peer_facts().unwrap().unwrap(), facts);
    assert_eq!(
        (facts.subject.as_str(), facts.issuer.as_str(), facts.serial.as_str()),
        ("CN=device", "CN=issuer", "07")
    );
    let names: Vec<_> = facts.subject_alternative_names.iter().map(|name| (name.kind, name.value.as_deref())).collect();
    assert_eq!(names, [(AlternativeNameKind::Dns, Some("device"))]);
}

#[test]
fn facts_of_a_client_are_the_same_without_its_chain_and_when_its_session_is_resumed() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let (server, client) = (world.server(|builder| builder), world.client(7));
        let full = Pair::connect(&server, &client, "broker");
        let facts = CertificateFacts::from_der(&full.client.local_chain()[0]).unwrap();
        assert_knows_facts_alone(&full, &facts);
        for _ in 0..2 {
            let resumed = Pair::connect(&server, &client, "broker");
            assert_eq!(resumed.server.is_resumed(), Some(true), "{versions}");
            assert_knows_facts_alone(&resumed, &facts);
        }
        // The client keeps its server's chain: the setting is of one context.
        assert_eq!(full.client.peer_chain().len(), 2);
        let kept = full.client.peer_facts().unwrap().unwrap();
        assert_eq!(kept, CertificateFacts::from_der(&full.client.peer_chain()[0]).unwrap());
    }
}

#[test]
fn facts_of_a_server_are_kept_and_its_sessions_are_resumed() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let server = world.context(|builder| builder.identity(world.identity("broker", 1)));
        let client = world.context(|builder| builder.keep_peer_chain(false));
        for is_resumed in [false, true] {
            let pair = Pair::connect(&server, &client, "broker");
            assert_eq!(pair.client.is_resumed(), Some(is_resumed), "{versions}");
            assert!(pair.client.peer_chain().is_empty());
            assert_eq!(pair.client.peer_facts().unwrap().unwrap().serial, "01");
            assert!(pair.server.peer_facts().is_none() && pair.server.peer_chain().is_empty());
        }
    }
}

#[test]
fn client_without_a_chain_is_reported_and_closed_when_it_is_revoked_while_connected_and_not_resumed_then() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let list = std::env::temp_dir().join(format!("brokertls-facts-{versions}-{}.crl", std::process::id()));
        std::fs::write(&list, world.issuer.crl(&[])).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let server = world.server(|builder| {
            let told = Arc::clone(&told);
            let builder = builder.crl(CrlSource::Source(Source::file(&list)));
            builder.revocation(brokertls::revocation::Mode::Prefer).on_revoked(Arc::new(move |peer| {
                told.lock().unwrap().push((peer.subject.to_string(), peer.serial.clone()));
                RevokedAction::Close
            }))
        });
        let (client, other) = (world.client(7), world.client(8));
        let mut pair = Pair::connect(&server, &client, "broker");
        let stays = Pair::connect(&server, &other, "broker");
        let facts = CertificateFacts::from_der(&pair.client.local_chain()[0]).unwrap();
        assert_knows_facts_alone(&pair, &facts);
        std::fs::write(&list, world.issuer.crl(&[&[7]])).unwrap();
        server.reload().unwrap();
        assert_eq!(*told.lock().unwrap(), [("CN=device".to_owned(), "07".to_owned())], "{versions}");
        // The alert comes first.
        pair.server.wrap(b"", &mut [0; 100]).unwrap();
        assert_eq!(pair.server.wrap(b"", &mut []).unwrap_err().code(), Code::CertRevoked);
        // The facts stay known after the end.
        assert_knows_facts_alone(&pair, &facts);
        assert!(stays.server.failure().is_none());
        let ended = Pair::new(&server, &client, "broker").run();
        assert_eq!(ended.server.unwrap_err().code(), Code::CertRevoked);
        std::fs::remove_file(&list).unwrap();
    }
}

#[test]
fn deviations_of_a_client_are_known_without_its_chain() {
    let world = World::new("TLSv1.3");
    let server = world.server(|builder| builder.allow(Deviation::KeyUsage));
    let pem = world.issuer.issue(&["device"], |params| {
        params.serial_number = Some(vec![7].into());
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyAgreement];
    });
    let pem = [pem, world.issuer.pem()].concat();
    let client =
        world.context(|builder| builder.identity(IdentitySource::new(Source::memory("device.pem", pem.as_bytes()))));
    let pair = Pair::connect(&server, &client, "broker");
    assert_eq!(pair.server.deviations(), [Deviation::KeyUsage]);
    assert_knows_facts_alone(&pair, &pair.server.peer_facts().unwrap().unwrap());
}

#[test]
fn client_with_a_long_chain_of_others_leaves_only_its_own_facts() {
    for versions in VERSIONS {
        let world = World::new(versions);
        let mut pem = world.issuer.issue(&["device"], |params| params.serial_number = Some(vec![7].into()));
        pem += &world.issuer.pem();
        for number in 0..30 {
            pem += &Authority::new(&format!("in no path {number}")).pem();
        }
        let client = world
            .context(|builder| builder.identity(IdentitySource::new(Source::memory("device.pem", pem.as_bytes()))));
        let server = world.server(|builder| builder);
        let pair = Pair::connect(&server, &client, "broker");
        assert_knows_facts_alone(&pair, &pair.server.peer_facts().unwrap().unwrap());
    }
}

#[test]
fn client_without_a_certificate_has_no_facts() {
    let world = World::new("TLSv1.3");
    let pair = Pair::connect(&world.server(|builder| builder), &world.context(|builder| builder), "broker");
    assert!(pair.server.peer_facts().is_none() && pair.server.peer_chain().is_empty());
}

#[test]
fn option_takes_yes_and_no_and_refuses_all_else() {
    for value in ["yes", "no", "true", "off"] {
        Options::new().set("keep-peer-chain", value).unwrap();
    }
    for value in ["", "maybe", "no\0", "leaf"] {
        let error = Options::new().set("keep-peer-chain", value).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{value}");
    }
}
