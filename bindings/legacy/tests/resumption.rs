//! Resumption with the second engine: by tickets, under the rules that hold with rustls.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use brokertls::{ClientAuth, Code, Psk, PskCallback, PskRequest};
use client::sessions::{Clock, Device, MALLORY, connect, connect_to, mallory, refused, resume, ticket, unbound};
use client::{KINDS, Kind, client_on, exchange, handshake, server, server_with};
use openssl::ssl::{SslSession, SslVersion};

const OLD: Kind = (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA", true);

#[test]
fn session_is_resumed_with_every_kind_of_suite_and_again_with_the_ticket_of_the_resumption() {
    let context = server();
    for kind in KINDS {
        let (first, _, session) = connect(&context, kind, None);
        assert_eq!(first.is_resumed(), Some(false), "{kind:?}");
        let (second, _, next) = connect(&context, kind, Some(&session));
        assert_eq!(second.is_resumed(), Some(true), "{kind:?}");
        assert_eq!(second.cipher_suite(), first.cipher_suite());
        assert_eq!(second.version(), first.version());
        assert_eq!(second.psk_identity(), first.psk_identity());
        let (third, _, _) = connect(&context, kind, Some(&next));
        assert_eq!(third.is_resumed(), Some(true), "{kind:?}");
    }
}

#[test]
fn session_of_another_context_is_not_resumed() {
    let (_, _, session) = connect(&server(), OLD, None);
    let (second, _, _) = connect(&server(), OLD, Some(&session));
    assert_eq!(second.is_resumed(), Some(false));
}

#[test]
fn session_is_resumed_only_for_the_server_name_that_it_was_made_for() {
    let context = server();
    let (_, _, session) = connect_to(&context, OLD, None, Some("broker"), |_| {});
    for (name, is_resumed) in [(Some("other"), false), (None, false), (Some("broker"), true)] {
        let (next, _, _) = connect_to(&context, OLD, Some(&session), name, |_| {});
        assert_eq!(next.is_resumed(), Some(is_resumed), "{name:?}");
    }
}

#[test]
fn no_ticket_is_sent_without_resumption_and_none_that_is_larger_than_its_limit() {
    for context in
        [server_with(|builder| builder.resumption(false)), server_with(|builder| builder.max_ticket_bytes(64).unwrap())]
    {
        let (_, _, session) = connect(&context, OLD, None);
        assert_eq!(ticket(&session).len(), 0);
        let (second, _, _) = connect(&context, OLD, Some(&session));
        assert_eq!(second.is_resumed(), Some(false));
    }
}

#[test]
fn ticket_of_a_resumption_fits_wherever_the_first_one_does() {
    let tight = (64..4096).step_by(8).find_map(|most| {
        let context = server_with(|builder| builder.max_ticket_bytes(most).unwrap());
        let (_, _, session) = connect(&context, OLD, None);
        (!ticket(&session).is_empty()).then_some((context, session))
    });
    let (context, mut session) = tight.unwrap();
    for turn in 0..3 {
        let (next, _, renewed) = connect(&context, OLD, Some(&session));
        assert_eq!((next.is_resumed(), ticket(&renewed).is_empty()), (Some(true), false), "{turn}");
        session = renewed;
    }
}

#[test]
fn session_is_resumed_only_within_its_age_which_begins_with_the_full_handshake() {
    let clock = Clock::new();
    let context = server_with(|builder| builder.session_max_age_s(600).unwrap().clock(Arc::clone(&clock) as _));
    let (_, _, session) = connect(&context, OLD, None);
    clock.set(400);
    let (second, _, next) = connect(&context, OLD, Some(&session));
    assert_eq!(second.is_resumed(), Some(true));
    clock.set(599);
    assert_eq!(connect(&context, OLD, Some(&next)).0.is_resumed(), Some(true));
    for late in [600, 700] {
        clock.set(late);
        assert_eq!(connect(&context, OLD, Some(&next)).0.is_resumed(), Some(false), "{late}");
    }
}

#[test]
fn altered_ticket_is_answered_with_a_full_handshake() {
    let context = server();
    let (_, _, session) = connect(&context, OLD, None);
    let (der, ticket) = (session.to_der().unwrap(), ticket(&session));
    let start = (0..der.len()).find(|at| der[*at..].starts_with(&ticket)).unwrap();
    for at in start..start + ticket.len() {
        let mut altered = der.clone();
        altered[at] ^= 1;
        let altered = SslSession::from_der(&altered).unwrap();
        assert_eq!(connect(&context, OLD, Some(&altered)).0.is_resumed(), Some(false), "{at}");
    }
    assert_eq!(connect(&context, OLD, Some(&session)).0.is_resumed(), Some(true));
}

#[test]
fn client_of_a_session_is_asked_about_again_and_its_certificates_are_known() {
    let device = Device::new();
    let is_wanted = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_wanted);
    let versions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&versions);
    let context = server_with(|builder| {
        builder.trust(device.trust()).client_auth(ClientAuth::Need);
        builder.verify_callback(
            Arc::new(move |peer| {
                seen.lock().unwrap().push(peer.connection.version);
                match peer.is_resumed && !asked.load(Ordering::Relaxed) {
                    true => Err("not again".to_owned()),
                    false => Ok(()),
                }
            }),
            false,
        )
    });
    for version in [OLD, KINDS[4], KINDS[7]] {
        is_wanted.store(true, Ordering::Relaxed);
        let (_, _, session) = connect_to(&context, version, None, None, |builder| device.show(builder));
        let (second, _, next) = connect_to(&context, version, Some(&session), None, |builder| device.show(builder));
        assert_eq!(second.is_resumed(), Some(true));
        assert_eq!(second.peer_chain()[0].as_ref(), device.der);
        is_wanted.store(false, Ordering::Relaxed);
        let (third, _, _) = connect_to(&context, version, Some(&next), None, |builder| device.show(builder));
        assert_eq!(third.is_resumed(), Some(false));
        assert_eq!(third.peer_chain()[0].as_ref(), device.der);
        // Of the certificate, the session, the session of the resumption, and the certificate again.
        assert_eq!(std::mem::take(&mut *versions.lock().unwrap()), [third.version().unwrap(); 4]);
    }
}

#[test]
fn certificate_in_a_ticket_that_is_not_resumed_is_none_of_the_connection_nor_of_its_next_ticket() {
    let device = Device::new();
    let context = server_with(|builder| builder.trust(device.trust()).client_auth(ClientAuth::Want));
    for kind in [OLD, KINDS[4], KINDS[7]] {
        let (first, _, stolen) = connect_to(&context, kind, None, None, |builder| {
            unbound(builder);
            device.show(builder);
        });
        assert_eq!(first.peer_chain()[0].as_ref(), device.der);
        let (second, _, next) = connect_to(&context, kind, Some(&stolen), None, |_| {});
        assert_eq!((second.is_resumed(), second.peer_chain().len()), (Some(false), 0), "{kind:?}");
        // The ticket of that connection has no certificate either.
        let (third, _, _) = connect_to(&context, kind, Some(&next), None, |_| {});
        assert_eq!((third.is_resumed(), third.peer_chain().len()), (Some(true), 0), "{kind:?}");
        // A client that can resume its session has its certificate.
        let (fourth, _, _) = connect_to(&context, kind, Some(&stolen), None, unbound);
        assert_eq!(fourth.is_resumed(), Some(true), "{kind:?}");
        assert_eq!(fourth.peer_chain()[0].as_ref(), device.der);
    }
}

#[test]
fn certificate_in_a_ticket_that_is_not_resumed_replaces_none_that_is_needed() {
    let device = Device::new();
    let context = server_with(|builder| builder.trust(device.trust()).client_auth(ClientAuth::Need));
    let (_, _, stolen) = connect_to(&context, KINDS[7], None, None, |builder| {
        unbound(builder);
        device.show(builder);
    });
    let (server, error) = refused(&context, KINDS[7], &stolen, |_| {});
    assert_eq!(error.code(), Code::CertMissing);
    assert_eq!((server.is_resumed(), server.peer_chain().len()), (Some(false), 0));
}

#[test]
fn client_with_a_key_has_no_certificate_of_a_ticket_that_is_not_resumed() {
    let device = Device::new();
    let context = server_with(|builder| {
        let key = Psk::new(&MALLORY).unwrap();
        builder.psk(b"mallory", key).trust(device.trust()).client_auth(ClientAuth::Need)
    });
    let (_, _, stolen) = connect_to(&context, KINDS[7], None, None, |builder| {
        unbound(builder);
        device.show(builder);
    });
    let own = (SslVersion::TLS1_2, "PSK-AES128-GCM-SHA256", true);
    let (second, _, next) = connect_to(&context, own, Some(&stolen), None, mallory);
    assert_eq!((second.is_resumed(), second.peer_chain().len()), (Some(false), 0));
    assert_eq!(second.psk_identity(), Some(&b"mallory"[..]));
    let (third, _, _) = connect_to(&context, own, Some(&next), None, mallory);
    assert_eq!((third.is_resumed(), third.peer_chain().len()), (Some(true), 0));
    assert_eq!(third.psk_identity(), Some(&b"mallory"[..]));
}

#[test]
fn session_is_resumed_only_in_the_version_that_it_was_made_for() {
    let device = Device::new();
    let context = server_with(|builder| builder.trust(device.trust()).client_auth(ClientAuth::Want));
    let (first, _, session) = connect_to(&context, OLD, None, None, |builder| device.show(builder));
    assert_eq!(first.peer_chain()[0].as_ref(), device.der);
    let newer = (SslVersion::TLS1_2, "ECDHE-RSA-AES128-SHA", true);
    let (second, _, _) = connect_to(&context, newer, Some(&session), None, |builder| {
        builder.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
    });
    assert_eq!((second.version(), second.is_resumed(), second.peer_chain().len()), (Some("TLSv1.2"), Some(false), 0));
}

#[test]
fn ticket_of_an_older_version_is_no_identity_of_tls13() {
    let context = server_with(|builder| builder.psk(b"mallory", Psk::new(&MALLORY).unwrap()));
    for suite in ["PSK-AES128-CBC-SHA", "PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384"] {
        let (first, _, session) = connect(&context, (SslVersion::TLS1_2, suite, true), None);
        assert_eq!(first.psk_identity(), Some(&b"device"[..]));
        // A client sends a ticket only in its version. The session is changed to one of TLS 1.3.
        let mut der = session.to_der().unwrap();
        let at = der.windows(6).position(|bytes| bytes == [2, 2, 3, 3, 4, 2]).unwrap();
        der[at..at + 8].copy_from_slice(&[2, 2, 3, 4, 4, 2, 0x13, 0x01]);
        let stolen = SslSession::from_der(&der).unwrap();
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client_on((SslVersion::TLS1_3, "", true), mallory, |ssl| resume(ssl, &stolen));
        let sent = pipe.to_server.borrow().clone();
        let ticket = ticket(&session);
        let has = |part: &[u8]| sent.windows(part.len()).any(|bytes| bytes == part);
        assert!(has(&ticket) && has(b"mallory"), "{suite}");
        handshake(&mut server, &mut client, &pipe);
        exchange(&mut server, &mut client, &pipe);
        assert_eq!((server.version(), server.is_resumed()), (Some("TLSv1.3"), Some(false)), "{suite}");
        assert_eq!(server.psk_identity(), Some(&b"mallory"[..]), "{suite}");
    }
}

#[test]
fn session_with_a_key_ends_with_its_secret_of_a_callback() {
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
    let (_, _, session) = connect_to(&context, kind, None, None, mallory);
    let (second, _, session) = connect_to(&context, kind, Some(&session), None, mallory);
    assert_eq!((second.is_resumed(), second.psk_identity()), (Some(true), Some(&b"mallory"[..])));
    *secret.lock().unwrap() = vec![0xdd; 16];
    let (server, error) = refused(&context, kind, &session, mallory);
    assert_eq!((error.code(), error.detail()), (Code::PskRefused, "\"mallory\": its secret is another one"));
    assert_eq!((server.is_resumed(), server.psk_identity()), (Some(false), None));
    // The secret is back: so is the session.
    *secret.lock().unwrap() = vec![0xee; 16];
    let (third, _, _) = connect_to(&context, kind, Some(&session), None, mallory);
    assert_eq!((third.is_resumed(), third.psk_identity()), (Some(true), Some(&b"mallory"[..])));
}
