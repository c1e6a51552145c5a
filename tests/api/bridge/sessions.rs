//! Sessions keep the facts of their peer, and the peer is asked about before they are resumed.

use std::fs;
use std::sync::Arc;

use brokertls::{ClientAuth, Code, Context, CrlSource, IdentitySource, Source, TrustSource};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, HandshakeKind};

use super::{Plain, assert_refused, context};
use crate::rig::clock::Clock;
use crate::rig::command::{file, folder};
use crate::rig::pair::Authority;

fn client_of(authority: &Authority, pem: &str, version: &str) -> Context {
    context(|builder| {
        builder
            .trust(authority.trust())
            .identity(IdentitySource::new(Source::memory("device.pem", pem.as_bytes())))
            .versions(version)
    })
}

#[test]
fn session_of_a_client_with_a_certificate_is_resumed_until_the_certificate_is_revoked() {
    let authority = Authority::new("ca");
    let serial = [7_u8];
    let pem =
        authority.issue(&["device"], |params| params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial)));
    let folder = folder("bridge-revoked");
    let list = file(&folder, "crl.pem", authority.crl(&[]));
    for version in ["TLSv1.2", "TLSv1.3"] {
        fs::write(&list, authority.crl(&[])).unwrap();
        let server = context(|builder| {
            builder
                .identity(authority.identity(&["broker"]))
                .trust(authority.trust())
                .client_auth(ClientAuth::Need)
                .crl(CrlSource::Source(Source::file(&list)))
        });
        let client = client_of(&authority, &pem, version);
        let kinds = [(); 3].map(|()| Plain::connect(&server, &client));
        assert_ne!(kinds[0], HandshakeKind::Resumed, "{version}");
        assert_eq!(kinds[1..], [HandshakeKind::Resumed; 2], "{version}");
        fs::write(&list, authority.crl(&[&serial])).unwrap();
        server.reload().unwrap();
        let (of_server, of_client) = Plain::new(&server, &client, "broker").run();
        assert_refused(of_server, of_client, Code::CertRevoked, AlertDescription::CertificateRevoked);
    }
}

#[test]
fn session_ends_with_the_certificate_of_its_client() {
    let authority = Authority::new("ca");
    let end = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
    let pem = authority.issue(&["device"], |params| params.not_after = end);
    let clock = Clock::new();
    let server = context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .trust(authority.trust())
            .client_auth(ClientAuth::Need)
            .clock(Arc::clone(&clock) as Arc<dyn TimeProvider>)
    });
    let client = client_of(&authority, &pem, "TLSv1.3");
    Plain::connect(&server, &client);
    assert_eq!(Plain::connect(&server, &client), HandshakeKind::Resumed);
    clock.advance(3700);
    let (of_server, of_client) = Plain::new(&server, &client, "broker").run();
    assert_refused(of_server, of_client, Code::CertExpired, AlertDescription::CertificateExpired);
}

#[test]
fn client_without_tickets_resumes_by_its_session_id() {
    let authority = Authority::new("ca");
    let pem = authority.issue(&["device"], |_| {});
    let server = context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .trust(authority.trust())
            .client_auth(ClientAuth::Need)
            .openssl_options("SSL_OP_NO_TICKET")
            .unwrap()
    });
    let client = client_of(&authority, &pem, "TLSv1.2");
    assert_eq!(Plain::connect(&server, &client), HandshakeKind::Full);
    assert_eq!(Plain::connect(&server, &client), HandshakeKind::Resumed);
}

#[test]
fn client_that_this_thread_does_not_know_gets_no_session() {
    let authority = Authority::new("ca");
    let pem = authority.issue(&["device"], |_| {});
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need)
    });
    let client = client_of(&authority, &pem, "TLSv1.2");
    // The certificate is judged on one thread, and the handshake completes on another.
    let half = half_done(&server, &client);
    std::thread::scope(|scope| scope.spawn(|| finish(half)).join().unwrap());
    assert_eq!(Plain::connect(&server, &client), HandshakeKind::Full);
    assert_eq!(Plain::connect(&server, &client), HandshakeKind::Resumed);
}

/// A handshake after the client's certificate, and the rest of what the client has sent.
fn half_done(server: &Context, client: &Context) -> (Plain, Vec<u8>) {
    let mut plain = Plain::new(server, client, "broker");
    first_flights(&mut plain);
    let mut wire = Vec::new();
    while plain.client.wants_write() {
        plain.client.write_tls(&mut wire).unwrap();
    }
    let rest = wire.split_off(after_certificate(&wire));
    plain.server.read_tls(&mut wire.as_slice()).unwrap();
    plain.server.process_new_packets().unwrap();
    (plain, rest)
}

fn finish((mut plain, rest): (Plain, Vec<u8>)) {
    plain.server.read_tls(&mut rest.as_slice()).unwrap();
    plain.server.process_new_packets().unwrap();
    let (of_server, of_client) = plain.run();
    of_server.unwrap();
    of_client.unwrap();
}

/// Moves the first flight of each side.
fn first_flights(plain: &mut Plain) {
    let mut wire = Vec::new();
    plain.client.write_tls(&mut wire).unwrap();
    plain.server.read_tls(&mut wire.as_slice()).unwrap();
    plain.server.process_new_packets().unwrap();
    wire.clear();
    while plain.server.wants_write() {
        plain.server.write_tls(&mut wire).unwrap();
    }
    let mut rest = wire.as_slice();
    while !rest.is_empty() {
        plain.client.read_tls(&mut rest).unwrap();
        plain.client.process_new_packets().unwrap();
    }
}

/// The length of the first record, which has the certificate.
fn after_certificate(wire: &[u8]) -> usize {
    5 + usize::from(u16::from_be_bytes([wire[3], wire[4]]))
}

/// One context trusts the device itself, and the other its issuer with a list. The first one's verdict is no fact of the
/// second one's sessions.
#[test]
fn client_of_one_context_is_not_known_to_another_on_the_same_thread() {
    let authority = Authority::new("ca");
    let pem = authority.issue(&["device"], |_| {});
    let server = |trust: TrustSource| {
        context(|builder| {
            builder
                .identity(authority.identity(&["broker"]))
                .trust(trust)
                .client_auth(ClientAuth::Need)
                .versions("TLSv1.2")
        })
    };
    let strict = server(authority.trust());
    let direct = server(TrustSource::store(Source::memory("device.pem", pem.as_bytes())));
    let client = client_of(&authority, &pem, "TLSv1.2");
    // The strict context has not judged the client on this thread, so that it keeps no session of it.
    let other = std::thread::scope(|scope| scope.spawn(|| half_done(&strict, &client)).join().unwrap());
    Plain::connect(&direct, &client_of(&authority, &pem, "TLSv1.2"));
    finish(other);
    assert_eq!(Plain::connect(&strict, &client), HandshakeKind::Full);
}

#[test]
fn name_with_two_certificate_chains_has_no_session() {
    let authority = Authority::new("ca");
    let servers = [(); 2].map(|()| context(|builder| builder.identity(authority.identity(&["broker"]))));
    let client = context(|builder| builder.trust(authority.trust()));
    assert_eq!(Plain::connect(&servers[0], &client), HandshakeKind::Full);
    assert_eq!(Plain::connect(&servers[0], &client), HandshakeKind::Resumed);
    Plain::connect(&servers[1], &client);
    Plain::connect(&servers[1], &client);
    assert_eq!(Plain::connect(&servers[1], &client), HandshakeKind::Full);
}
