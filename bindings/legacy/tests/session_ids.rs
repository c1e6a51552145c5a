//! Resumption by session IDs with the second engine, for clients that take no tickets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::sync::{Arc, Mutex};

use brokertls::{ClientAuth, Code, Psk, PskCallback, PskRequest};
use client::sessions::{Clock, Device, connect_to, mallory, meet, refused, ticket, unbound};
use client::{KINDS, Kind, server, server_with};
use openssl::ssl::{SslContextBuilder, SslOptions, SslSession, SslVersion};

const OLD: Kind = (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA", true);

/// A client without tickets.
fn no_ticket(builder: &mut SslContextBuilder) {
    builder.set_options(SslOptions::NO_TICKET);
}

fn connect(
    context: &brokertls::Context,
    kind: Kind,
    session: Option<&SslSession>,
) -> (brokertls::Connection, SslSession) {
    let (server, _, session) = connect_to(context, kind, session, None, no_ticket);
    (server, session)
}

#[test]
fn session_is_resumed_by_its_id_with_every_kind_of_suite_any_number_of_times() {
    let context = server();
    for kind in KINDS {
        let (first, session) = connect(&context, kind, None);
        assert_eq!((first.is_resumed(), session.id().len()), (Some(false), 32), "{kind:?}");
        for _ in 0..2 {
            let (next, same) = connect(&context, kind, Some(&session));
            assert_eq!((next.is_resumed(), same.id()), (Some(true), session.id()), "{kind:?}");
            assert_eq!((next.version(), next.cipher_suite()), (first.version(), first.cipher_suite()));
            assert_eq!(next.psk_identity(), first.psk_identity());
        }
    }
}

#[test]
fn session_has_no_id_without_a_cache_and_without_resumption() {
    for context in
        [server_with(|builder| builder.session_cache(0).unwrap()), server_with(|builder| builder.resumption(false))]
    {
        let (_, session) = connect(&context, OLD, None);
        assert_eq!(session.id().len(), 0);
        assert_eq!(connect(&context, OLD, Some(&session)).0.is_resumed(), Some(false));
    }
}

#[test]
fn client_with_a_ticket_takes_no_place_in_the_cache() {
    let context = server_with(|builder| builder.session_cache(1).unwrap());
    let (_, session) = connect(&context, OLD, None);
    for _ in 0..4 {
        connect_to(&context, OLD, None, None, |_| {});
    }
    assert_eq!(connect(&context, OLD, Some(&session)).0.is_resumed(), Some(true));
}

#[test]
fn context_without_tickets_resumes_by_id_alone_and_in_no_way_in_tls13() {
    let context = server_with(|builder| builder.openssl_options("NO_TICKET").unwrap());
    let (_, _, session) = connect_to(&context, OLD, None, None, |_| {});
    assert_eq!((ticket(&session).len(), session.id().len()), (0, 32));
    assert_eq!(connect_to(&context, OLD, Some(&session), None, |_| {}).0.is_resumed(), Some(true));
    let tls13 = (SslVersion::TLS1_3, "", true);
    for _ in 0..2 {
        let (first, _, session) = meet(&context, tls13, None, None, |_| {});
        assert_eq!((first.is_resumed(), first.psk_identity()), (Some(false), Some(&b"device"[..])));
        assert_eq!(ticket(&session).len(), 0);
    }
}

#[test]
fn oldest_session_leaves_a_cache_that_is_full() {
    let context = server_with(|builder| builder.session_cache(2).unwrap());
    let sessions: Vec<_> = (0..4).map(|_| connect(&context, OLD, None).1).collect();
    let resumes = |at: usize| connect(&context, OLD, Some(&sessions[at])).0.is_resumed() == Some(true);
    assert_eq!([3, 2, 0].map(resumes), [true, true, false]);
}

#[test]
fn session_is_resumed_only_within_its_age_by_its_context_for_its_name_and_version() {
    let clock = Clock::new();
    let context = server_with(|builder| builder.session_max_age_s(600).unwrap().clock(Arc::clone(&clock) as _));
    let (_, _, session) = connect_to(&context, OLD, None, Some("broker"), no_ticket);
    let resumes = |name| connect_to(&context, OLD, Some(&session), name, no_ticket).0.is_resumed() == Some(true);
    clock.set(599);
    assert_eq!([Some("broker"), Some("other"), None].map(resumes), [true, false, false]);
    let other = connect_to(&server(), OLD, Some(&session), Some("broker"), no_ticket).0;
    assert_eq!(other.is_resumed(), Some(false));
    let newer = (SslVersion::TLS1_2, OLD.1, true);
    let (second, _, _) = connect_to(&context, newer, Some(&session), Some("broker"), |builder| {
        no_ticket(builder);
        builder.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
    });
    assert_eq!((second.version(), second.is_resumed()), (Some("TLSv1.2"), Some(false)));
    clock.set(600);
    assert!(!resumes(Some("broker")));
}

#[test]
fn certificate_of_a_session_is_that_of_the_resumed_connection_and_of_no_other() {
    let device = Device::new();
    let context = server_with(|builder| builder.trust(device.trust()).client_auth(ClientAuth::Want));
    for kind in [OLD, KINDS[4], KINDS[7]] {
        let (_, _, stolen) = connect_to(&context, kind, None, None, |builder| {
            no_ticket(builder);
            unbound(builder);
            device.show(builder);
        });
        // OpenSSL resumes no session that is not bound to its handshake for a client that binds its own.
        let (second, _) = connect(&context, kind, Some(&stolen));
        assert_eq!((second.is_resumed(), second.peer_chain().len()), (Some(false), 0), "{kind:?}");
        let (third, _, _) = connect_to(&context, kind, Some(&stolen), None, |builder| {
            no_ticket(builder);
            unbound(builder);
        });
        assert_eq!(third.is_resumed(), Some(true), "{kind:?}");
        assert_eq!(third.peer_chain()[0].as_ref(), device.der);
    }
}

#[test]
fn session_with_a_key_ends_with_its_secret() {
    let secret = Arc::new(Mutex::new(vec![0xee; 16]));
    let present = Arc::clone(&secret);
    let context = server_with(|builder| {
        let callback: PskCallback = Arc::new(move |request: &PskRequest<'_>| match request.identity {
            b"mallory" => Psk::new(&present.lock().unwrap()).map(Some).map_err(|error| error.to_string()),
            _ => Ok(None),
        });
        builder.psk_callback(callback, false)
    });
    let kind = (SslVersion::TLS1_2, "PSK-AES128-GCM-SHA256", true);
    let by_key = |builder: &mut SslContextBuilder| {
        no_ticket(builder);
        mallory(builder);
    };
    let (_, _, session) = connect_to(&context, kind, None, None, by_key);
    let (second, _, _) = connect_to(&context, kind, Some(&session), None, by_key);
    assert_eq!((second.is_resumed(), second.psk_identity()), (Some(true), Some(&b"mallory"[..])));
    *secret.lock().unwrap() = vec![0xdd; 16];
    let (server, error) = refused(&context, kind, &session, by_key);
    assert_eq!((error.code(), error.detail()), (Code::PskRefused, "\"mallory\": its secret is another one"));
    assert_eq!((server.is_resumed(), server.psk_identity()), (Some(false), None));
}

#[test]
fn session_of_rustls_is_none_of_the_second_engine() {
    let context = server();
    let of_rustls = (SslVersion::TLS1_2, "ECDHE-RSA-AES128-GCM-SHA256", true);
    let (_, session) = connect(&context, of_rustls, None);
    assert_eq!(connect(&context, of_rustls, Some(&session)).0.is_resumed(), Some(true));
    // Its suite is changed to one of the second engine.
    let mut der = session.to_der().unwrap();
    let at = der.windows(4).position(|bytes| bytes == [4, 2, 0xc0, 0x2f]).unwrap();
    der[at + 3] = 0x13;
    let stolen = SslSession::from_der(&der).unwrap();
    let of_second = (SslVersion::TLS1_2, "ECDHE-RSA-AES128-SHA", true);
    assert_eq!(connect(&context, of_second, Some(&stolen)).0.is_resumed(), Some(false));
}
