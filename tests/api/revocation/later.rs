//! News of a revoked peer while a context lives, without a reload: maintenance fetches a list or a response. The
//! session of the peer is no longer resumed, and its open connection is reported.

use std::sync::{Arc, Mutex};

use brokertls::{Code, Connection, Context, ContextBuilder, IdentitySource, RevokedAction, RevokedPeer, Source};
use rustls::time_provider::TimeProvider;

use super::fetch;
use crate::revocation::refresh::{BAD, GOOD, HOUR_S, World};
use crate::rig::pair::{Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// Records each report, and gives this answer.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<RevokedPeer>>>);

impl Told {
    fn on<'a>(&self, builder: &'a mut ContextBuilder, action: RevokedAction) -> &'a mut ContextBuilder {
        let told = Arc::clone(&self.0);
        builder.on_revoked(Arc::new(move |peer| {
            told.lock().unwrap().push(peer.clone());
            action
        }))
    }

    fn ids(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|peer| peer.connection_id).collect()
    }
}

fn is_resumed(server: &Context, client: &Context) -> bool {
    let pair = Pair::connect(server, client, "broker");
    assert_eq!(pair.server.is_resumed(), pair.client.is_resumed());
    pair.client.is_resumed().unwrap()
}

/// Has the list of the first hours renewed by this one, when that is due.
fn renew(world: &World, context: &Context, serials: &[&[u8]]) {
    world.clock.advance(9 * HOUR_S);
    world.serve(world.list(9, serials));
    context.maintain();
}

fn ended(connection: &mut Connection) -> Code {
    connection.unwrap(&mut [], &mut []).unwrap_err().code()
}

#[test]
fn session_of_a_client_is_not_resumed_once_a_fetched_list_revokes_it() {
    for versions in VERSIONS {
        let world = World::new();
        world.serve(world.list(0, &[BAD]));
        let server = world.server(|builder| builder.resumption(true).versions(versions));
        let client = world.client(GOOD);
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client), "{versions}");
        renew(&world, &server, &[BAD]);
        assert!(is_resumed(&server, &client), "{versions}: the new list says nothing else");

        world.clock.advance(9 * HOUR_S);
        world.serve(world.list(18, &[GOOD, BAD]));
        server.maintain();
        let mut pair = Pair::new(&server, &client, "broker");
        let ended = pair.run();
        assert_eq!(pair.server.is_resumed(), Some(false), "{versions}");
        assert_eq!(ended.server.unwrap_err().code(), Code::CertRevoked, "{versions}");
        assert_eq!(ended.client.unwrap_err().code(), Code::AlertCertificateRevoked, "{versions}");
    }
}

#[test]
fn session_with_a_server_is_not_offered_once_a_fetched_list_revokes_it() {
    for versions in VERSIONS {
        let world = World::new();
        world.serve(world.list(0, &[BAD]));
        let pem = world.device(GOOD);
        let server = context(|builder| {
            builder.identity(IdentitySource::new(Source::memory("device.pem", pem.as_bytes()))).versions(versions)
        });
        let client = context(|builder| {
            let builder =
                builder.trust(world.authority.trust()).clock(Arc::clone(&world.clock) as Arc<dyn TimeProvider>);
            builder.fetch(true).fetch_private_addresses(true)
        });
        let resumed = || Pair::connect(&server, &client, "device").client.is_resumed();
        assert_eq!(resumed(), Some(false));
        assert_eq!(resumed(), Some(true), "{versions}");
        renew(&world, &client, &[GOOD]);
        let mut pair = Pair::new(&server, &client, "device");
        let ended = pair.run();
        assert_eq!(pair.server.is_resumed(), Some(false), "{versions}");
        assert_eq!(ended.client.unwrap_err().code(), Code::CertRevoked, "{versions}");
        assert_eq!(ended.server.unwrap_err().code(), Code::AlertCertificateRevoked, "{versions}");
    }
}

#[test]
fn connected_client_is_reported_when_maintenance_has_fetched_that_it_is_revoked() {
    let (world, told) = (World::new(), Told::default());
    world.serve(world.list(0, &[]));
    let server = world.server(|builder| told.on(builder, RevokedAction::Close));
    let mut good = Pair::connect(&server, &world.client(GOOD), "broker");
    let mut bad = Pair::connect(&server, &world.client(BAD), "broker");
    renew(&world, &server, &[]);
    assert!(told.ids().is_empty());
    world.clock.advance(9 * HOUR_S);
    world.serve(world.list(18, &[BAD]));
    server.maintain();
    server.maintain();
    assert_eq!(told.ids(), [bad.server.id()]);
    assert_eq!(ended(&mut bad.server), Code::CertRevoked);
    good.server.unwrap(&mut [], &mut []).unwrap();
}

#[test]
fn connected_server_is_asked_about_again_and_reported_when_its_responder_says_that_it_is_revoked() {
    let (world, told) = (fetch::World::new("later"), Told::default());
    let (_responder, url) = world.responder(&world.authority);
    let client = world.client(|builder| told.on(builder.ocsp_responder(&url), RevokedAction::Close));
    let mut pair = Pair::connect(&world.server(fetch::GOOD, |_| {}), &client, "broker");
    // The answers serve for an hour of the machine's own time. No other handshake asks for them anew.
    let last_success =
        || client.revocation_sources().iter().map(|source| source.last_success_unix_s).collect::<Vec<_>>();
    let first = last_success();
    world.clock.advance(55 * 60);
    client.maintain();
    assert_ne!(last_success(), first);
    assert!(told.ids().is_empty());

    let index = fetch::INDEX.replace("V\t400101000000Z\t\t1001", "R\t400101000000Z\t250102030405Z,superseded\t1001");
    assert_ne!(index, fetch::INDEX);
    std::fs::write(world.folder.join("new.txt"), index).unwrap();
    std::fs::rename(world.folder.join("new.txt"), world.folder.join("index.txt")).unwrap();
    // The responder looks for another file before it waits for a request, so that this one may get the old answer.
    let other = world.client(|builder| builder.ocsp_responder(&url));
    Pair::new(&world.server(fetch::GOOD, |_| {}), &other, "broker").run();
    assert!(told.ids().is_empty());
    world.clock.advance(4 * 60 + 50);
    client.maintain();
    assert_eq!(told.ids(), [pair.client.id()]);
    assert_eq!(told.0.lock().unwrap()[0].reason.name(), "superseded");
    assert_eq!(ended(&mut pair.client), Code::CertRevoked);
}
