//! Clients of TLS 1.2 that take no tickets: their sessions are found by ID, in a cache that passes the same checks.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use brokertls::{ClientAuth, Code, Context, ContextBuilder, MAX_RECORD_BYTES, Stream};
use rustls::client::{ClientSessionMemoryCache, Resumption, Tls12Resumption};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

use super::{Asked, HOUR_S, NOW_UNIX_S, World, date, identity, plain};
use crate::process::Running;

/// A client of rustls that has these credentials and takes session IDs alone.
fn client(world: &World, credentials: Option<&str>, resumption: Tls12Resumption) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let clock = Arc::clone(&world.clock) as Arc<dyn TimeProvider>;
    let builder = ClientConfig::builder_with_details(provider, clock)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match credentials {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).map(|der| der.unwrap()).collect();
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap()
        }
    };
    config.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(8))).tls12_resumption(resumption);
    Arc::new(config)
}

/// Returns true if a session was resumed, or the server's refusal.
fn connect(server: &Context, config: &Arc<ClientConfig>) -> Result<bool, Code> {
    let mut server = server.accept().unwrap();
    let mut client = ClientConnection::new(Arc::clone(config), "broker".try_into().unwrap()).unwrap();
    let (mut wire, mut plain) = (vec![0; MAX_RECORD_BYTES], vec![0; MAX_RECORD_BYTES]);
    while client.is_handshaking() || server.is_handshaking() {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        let mut records = flight.as_mut_slice();
        while !records.is_empty() {
            let taken = server.unwrap(records, &mut plain).map_err(|error| error.code())?;
            records = &mut records[taken.consumed..];
        }
        while let Ok(sent) = server.wrap(&[], &mut wire)
            && sent.produced > 0
        {
            client.read_tls(&mut &wire[..sent.produced]).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    let is_resumed = client.handshake_kind() == Some(HandshakeKind::Resumed);
    assert_eq!(server.is_resumed(), Some(is_resumed));
    if let Some(sent) = config_certificate(config, &server) {
        assert!(sent);
    }
    Ok(is_resumed)
}

/// The server knows the client's certificate in a resumed session too.
fn config_certificate(config: &ClientConfig, server: &brokertls::Connection) -> Option<bool> {
    config.client_auth_cert_resolver.has_certs().then(|| !server.peer_chain().is_empty())
}

fn credentials(world: &World) -> String {
    world.authority.issue(&["device"], |params| params.not_after = date(NOW_UNIX_S + HOUR_S))
}

#[test]
fn client_without_tickets_is_resumed_by_its_session_id() {
    let world = World::new("TLSv1.2");
    let (server, credentials) = (world.server(plain), credentials(&world));
    for credentials in [None, Some(credentials.as_str())] {
        let client = client(&world, credentials, Tls12Resumption::SessionIdOnly);
        assert_eq!(connect(&server, &client), Ok(false));
        for _ in 0..3 {
            assert_eq!(connect(&server, &client), Ok(true));
        }
    }
    // Another context has a cache of its own, and a reload ends this one's.
    let client = client(&world, None, Tls12Resumption::SessionIdOnly);
    assert_eq!(connect(&server, &client), Ok(false));
    server.reload().unwrap();
    assert_eq!(connect(&server, &client), Ok(false));
    assert_eq!(connect(&world.server(plain), &client), Ok(false));
}

#[test]
fn session_of_the_cache_ends_with_the_certificate_and_with_its_age() {
    let world = World::new("TLSv1.2");
    let (server, credentials) = (world.server(plain), credentials(&world));
    let client_with = client(&world, Some(&credentials), Tls12Resumption::SessionIdOnly);
    assert_eq!(connect(&server, &client_with), Ok(false));
    world.clock.advance(HOUR_S);
    assert_eq!(connect(&server, &client_with), Ok(true));
    world.clock.advance(1);
    assert_eq!(connect(&server, &client_with), Err(Code::CertExpired));

    let server = world.server(|builder| builder.session_max_age_s(60).unwrap());
    let anonymous = client(&world, None, Tls12Resumption::SessionIdOnly);
    assert_eq!(connect(&server, &anonymous), Ok(false));
    world.clock.advance(59);
    assert_eq!(connect(&server, &anonymous), Ok(true));
    world.clock.advance(1);
    assert_eq!(connect(&server, &anonymous), Ok(false));

    server.limit_server_sessions(10);
    world.clock.advance(9);
    assert_eq!(connect(&server, &anonymous), Ok(true));
    world.clock.advance(1);
    assert_eq!(connect(&server, &anonymous), Ok(false));
}

#[test]
fn callback_is_asked_again_about_a_session_of_the_cache() {
    let world = World::new("TLSv1.2");
    let asked = Arc::new(Asked::default());
    let server = world.server(|builder| builder.verify_callback(asked.callback(), false));
    let client = client(&world, Some(&credentials(&world)), Tls12Resumption::SessionIdOnly);
    assert_eq!(connect(&server, &client), Ok(false));
    assert_eq!(connect(&server, &client), Ok(true));
    assert_eq!(asked.times(), 2);
    asked.refuses.store(true, Ordering::Relaxed);
    assert_eq!(connect(&server, &client), Err(Code::CertRejectedByCallback));
}

#[test]
fn cache_remembers_as_many_clients_as_it_may_and_none_that_takes_tickets() {
    let world = World::new("TLSv1.2");
    let one = |resumption| client(&world, None, resumption);
    let server = world.server(|builder| builder.session_cache(2).unwrap());
    let clients = [(); 3].map(|()| one(Tls12Resumption::SessionIdOnly));
    assert_eq!(clients.each_ref().map(|client| connect(&server, client)), [Ok(false); 3]);
    assert_eq!([connect(&server, &clients[2]), connect(&server, &clients[1])], [Ok(true); 2]);
    for _ in 0..8 {
        let other = one(Tls12Resumption::SessionIdOrTickets);
        assert_eq!((connect(&server, &other), connect(&server, &other)), (Ok(false), Ok(true)));
    }
    assert_eq!([connect(&server, &clients[2]), connect(&server, &clients[1])], [Ok(true), Ok(true)]);
    assert_eq!(connect(&server, &clients[0]), Ok(false));

    for off in
        [(|builder| builder.session_cache(0).unwrap()) as fn(&mut ContextBuilder) -> &mut ContextBuilder, |builder| {
            builder.resumption(false)
        }]
    {
        let server = world.server(off);
        let client = one(Tls12Resumption::SessionIdOnly);
        assert_eq!((connect(&server, &client), connect(&server, &client)), (Ok(false), Ok(false)));
    }
}

/// Serves connections, one after the other, until a client has come `times` times; gives which of them were resumed.
fn serve(listener: &TcpListener, client: &Running, context: &Context, times: usize) -> Vec<bool> {
    let mut resumed = Vec::new();
    for _ in 0..times {
        let socket = client.accepted_by(listener);
        let mut stream = Stream::new(context.accept().unwrap());
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&socket);
        stream.set_descriptors(descriptor, descriptor).unwrap();
        stream.handshake().unwrap();
        resumed.push(stream.connection().is_resumed().unwrap());
        // openssl s_client closes after it has received everything.
        let _ = stream.read(&mut [0; 16]);
    }
    resumed
}

#[test]
fn openssl_client_without_tickets_reconnects_to_its_session() {
    let world = World::new("TLSv1.2");
    let pem = world.authority.issue(&["broker"], |_| {});
    let context = |set: fn(&mut ContextBuilder) -> &mut ContextBuilder| {
        crate::rig::pair::context(|builder| {
            set(builder.identity(identity("broker", &pem)).versions("TLSv1.2").client_auth(ClientAuth::None))
        })
    };
    for (set, expected) in [
        ((|builder| builder) as fn(&mut ContextBuilder) -> &mut ContextBuilder, true),
        (|builder| builder.session_cache(0).unwrap(), false),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-tls1_2", "-no_ticket", "-reconnect", "-connect"]);
        let mut openssl = Running::start(openssl.arg(listener.local_addr().unwrap().to_string()));
        openssl.send("Q\n");
        openssl.end_input();
        let resumed = serve(&listener, &openssl, &context(set), 6);
        openssl.finish();
        assert_eq!(resumed, [vec![false], vec![expected; 5]].concat());
    }
}
