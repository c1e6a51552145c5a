//! Tickets of TLS 1.3 with the second engine: for clients with a key, and for those that rustls cannot serve.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use brokertls::{ClientAuth, Code, Connection, Context, ContextBuilder, Psk, PskCallback, PskHash, PskRequest};
use client::sessions::{Clock, Device, MALLORY, connect_to, mallory, meet, refused, ticket};
use client::{Kind, Pipe, SECRET, server, server_with};
use openssl::ssl::{SslContextBuilder, SslSession, SslStream, SslVersion};

const TLS13: Kind = (SslVersion::TLS1_3, "", true);

/// A server with keys alone: that of `device`.
fn keys_alone() -> Context {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).psk(b"device", Psk::new(&SECRET).unwrap());
    if let Some(library) = std::env::var_os("BROKERTLS_LEGACY_LIBRARY") {
        builder.legacy_library(library);
    }
    builder.build().unwrap()
}

/// Leaves a client its session alone.
fn no_key(builder: &mut SslContextBuilder) {
    builder.set_psk_client_callback(|_, _, _, _| Ok(0));
}

/// Gives a client a group that rustls does not have.
fn p521(builder: &mut SslContextBuilder) {
    no_key(builder);
    builder.set_groups_list("P-521").unwrap();
}

/// A server with that group.
fn server_with_p521(set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
    server_with(|builder| set(builder).groups("X25519:P-256:P-521"))
}

/// The facts of a connection that a session may change.
fn facts(server: &Connection) -> (Option<&'static str>, Option<bool>, Option<&[u8]>, usize) {
    (server.version(), server.is_resumed(), server.psk_identity(), server.peer_chain().len())
}

fn by_key(is_resumed: bool) -> (Option<&'static str>, Option<bool>, Option<&'static [u8]>, usize) {
    (Some("TLSv1.3"), Some(is_resumed), Some(b"device"), 0)
}

const BY_CERTIFICATE: (Option<&str>, Option<bool>, Option<&[u8]>, usize) = (Some("TLSv1.3"), Some(false), None, 0);

fn first(context: &Context) -> SslSession {
    let (first, _, session) = meet(context, TLS13, None, None, |_| {});
    assert_eq!(facts(&first), by_key(false));
    session
}

#[test]
fn client_with_a_key_resumes_its_session_and_that_of_the_resumption_with_its_identity() {
    for context in [server(), keys_alone()] {
        let session = first(&context);
        let (second, _, next) = meet(&context, TLS13, Some(&session), None, |_| {});
        assert_eq!(facts(&second), by_key(true));
        let (third, _, _) = meet(&context, TLS13, Some(&next), None, |_| {});
        assert_eq!(facts(&third), by_key(true));
    }
}

#[test]
fn client_that_shows_its_ticket_alone_resumes_its_session_with_its_identity() {
    for context in [server(), keys_alone()] {
        let session = first(&context);
        let (second, _, next) = meet(&context, TLS13, Some(&session), None, no_key);
        assert_eq!(facts(&second), by_key(true));
        let (third, _, _) = meet(&context, TLS13, Some(&next), None, no_key);
        assert_eq!(facts(&third), by_key(true));
    }
}

#[test]
fn resumed_client_with_a_key_is_counted_as_one() {
    let context = server();
    let session = first(&context);
    meet(&context, TLS13, Some(&session), None, no_key);
    assert!(context.legacy_uses().contains(&("pre-shared key", 2)), "{:?}", context.legacy_uses());
}

#[test]
fn session_ends_with_the_secret_of_its_identity() {
    let secret = Arc::new(Mutex::new(Some(vec![0xee; 16])));
    let present = Arc::clone(&secret);
    let context = server_with(|builder| {
        let callback: PskCallback = Arc::new(move |request: &PskRequest<'_>| match request.identity {
            b"mallory" => {
                let secret = present.lock().unwrap();
                secret.as_ref().map(|secret| Psk::new(secret)).transpose().map_err(|error| error.to_string())
            }
            _ => Ok(None),
        });
        builder.psk_callback(callback, false)
    });
    let known = (Some("TLSv1.3"), Some(true), Some(&b"mallory"[..]), 0);
    let (_, _, session) = meet(&context, TLS13, None, None, mallory);
    let (second, _, session) = meet(&context, TLS13, Some(&session), None, mallory);
    assert_eq!(facts(&second), known);
    for changed in [Some(vec![0xdd; 16]), None] {
        *secret.lock().unwrap() = changed.clone();
        // The ticket alone is none, so the certificate of this side is left. With a key, its other secret is refused.
        let (third, _, _) = meet(&context, TLS13, Some(&session), None, no_key);
        assert_eq!(facts(&third), BY_CERTIFICATE);
        if changed.is_some() {
            let (server, error) = refused(&context, TLS13, &session, mallory);
            assert_eq!((error.code(), error.detail()), (Code::PskRefused, "\"mallory\": its secret is another one"));
            assert_eq!((server.is_resumed(), server.psk_identity()), (Some(false), None));
        }
    }
    // The secret is back: so is the session.
    *secret.lock().unwrap() = Some(vec![0xee; 16]);
    assert_eq!(facts(&meet(&context, TLS13, Some(&session), None, no_key).0), known);
}

#[test]
fn ticket_whose_session_is_over_is_refused_by_a_context_with_keys_alone() {
    let clock = Clock::new();
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).psk(b"device", Psk::new(&SECRET).unwrap());
    if let Some(library) = std::env::var_os("BROKERTLS_LEGACY_LIBRARY") {
        builder.legacy_library(library);
    }
    let context = builder.session_max_age_s(600).unwrap().clock(Arc::clone(&clock) as _).build().unwrap();
    let session = first(&context);
    clock.set(600);
    let (server, error) = refused(&context, TLS13, &session, no_key);
    let detail = "pre-shared keys alone are served, and the session of its ticket is not resumed";
    assert_eq!((error.code(), error.detail()), (Code::NoCommonCipherSuite, detail));
    assert_eq!((server.is_resumed(), server.psk_identity()), (Some(false), None));
    // With its key, the client is served.
    assert_eq!(facts(&meet(&context, TLS13, Some(&session), None, |_| {}).0), by_key(false));
}

#[test]
fn age_of_a_session_begins_with_its_full_handshake_and_not_with_a_resumption() {
    let clock = Clock::new();
    let context = server_with(|builder| builder.session_max_age_s(600).unwrap().clock(Arc::clone(&clock) as _));
    let session = first(&context);
    clock.set(400);
    let (second, _, next) = meet(&context, TLS13, Some(&session), None, |_| {});
    assert_eq!(facts(&second), by_key(true));
    clock.set(599);
    assert_eq!(facts(&meet(&context, TLS13, Some(&next), None, |_| {}).0), by_key(true));
    clock.set(600);
    assert_eq!(facts(&meet(&context, TLS13, Some(&next), None, |_| {}).0), by_key(false));
}

#[test]
fn session_is_resumed_by_its_own_context_and_for_its_own_server_name_alone() {
    let context = server();
    let (_, _, session) = meet(&context, TLS13, None, Some("broker"), |_| {});
    for (name, is_resumed) in [(Some("other"), false), (None, false), (Some("broker"), true)] {
        let (next, _, _) = meet(&context, TLS13, Some(&session), name, |_| {});
        assert_eq!(facts(&next), by_key(is_resumed), "{name:?}");
    }
    assert_eq!(facts(&meet(&server(), TLS13, Some(&session), Some("broker"), |_| {}).0), by_key(false));
    // rustls does not take it either.
    assert_eq!(facts(&meet(&server(), TLS13, Some(&session), Some("broker"), no_key).0), BY_CERTIFICATE);
}

/// The session with another ticket or another secret in it.
fn altered(session: &SslSession, part: &[u8], at: usize) -> SslSession {
    let mut der = session.to_der().unwrap();
    let start = der.windows(part.len()).position(|bytes| bytes == part).unwrap();
    der[start + at] ^= 1;
    SslSession::from_der(&der).unwrap()
}

#[test]
fn altered_ticket_is_no_session() {
    let context = server();
    let session = first(&context);
    let whole = ticket(&session);
    for at in (0..whole.len()).step_by(7) {
        let altered = altered(&session, &whole, at);
        assert_eq!(facts(&meet(&context, TLS13, Some(&altered), None, |_| {}).0), by_key(false), "{at}");
        assert_eq!(facts(&meet(&context, TLS13, Some(&altered), None, no_key).0), BY_CERTIFICATE, "{at}");
    }
}

#[test]
fn client_that_has_a_ticket_and_not_the_secret_of_its_session_is_refused() {
    let context = server();
    let session = first(&context);
    let mut secret = [0; 64];
    let length = session.master_key(&mut secret);
    let stolen = altered(&session, &secret[..length], 0);
    for key in [mallory, no_key] {
        let (server, error) = refused(&context, TLS13, &stolen, key);
        let detail = "the binder of the session that it offers is wrong";
        assert_eq!((error.code(), error.detail()), (Code::FinishedInvalid, detail));
        assert_eq!((server.psk_identity(), server.peer_chain().len()), (None, 0));
    }
}

/// Gives a client the key of `mallory` with SHA-384, by a session as OpenSSL wants it.
#[allow(unsafe_code)]
fn mallory_of_sha384(builder: &mut SslContextBuilder) {
    use foreign_types::ForeignType;
    use std::ffi::{c_int, c_void};
    type Use = unsafe extern "C" fn(
        *mut openssl_sys::SSL,
        *const c_void,
        *mut *const u8,
        *mut usize,
        *mut *mut openssl_sys::SSL_SESSION,
    ) -> c_int;
    unsafe extern "C" {
        fn SSL_CTX_set_psk_use_session_callback(context: *mut openssl_sys::SSL_CTX, callback: Use);
    }
    unsafe extern "C" fn give(
        _: *mut openssl_sys::SSL,
        _: *const c_void,
        identity: *mut *const u8,
        length: *mut usize,
        session: *mut *mut openssl_sys::SSL_SESSION,
    ) -> c_int {
        // Version 1 of the form, TLS 1.3, TLS_AES_256_GCM_SHA384, no identifier, the secret.
        let der = [&[0x30, 0x1f, 2, 1, 1, 2, 2, 3, 4, 4, 2, 0x13, 2, 4, 0, 4, 16][..], &MALLORY].concat();
        let made = SslSession::from_der(&der).unwrap();
        // SAFETY: OpenSSL gives valid pointers, and owns the session from here on.
        unsafe {
            (*identity, *length, *session) = (b"mallory".as_ptr(), 7, made.as_ptr());
        }
        std::mem::forget(made);
        1
    }
    // SAFETY: the context is the builder's, and the function fits.
    unsafe { SSL_CTX_set_psk_use_session_callback(builder.as_ptr(), give) };
}

#[test]
fn ticket_that_is_opened_and_not_resumed_authenticates_nobody() {
    let context =
        server_with(|builder| builder.psk(b"mallory", Psk::new(&MALLORY).unwrap().with_hash(PskHash::Sha384)));
    let stolen = first(&context);
    // The suite of the key does not fit the ticket, which comes first.
    let (second, _, next) = meet(&context, TLS13, Some(&stolen), None, mallory_of_sha384);
    assert_eq!(second.cipher_suite(), Some("TLS_AES_256_GCM_SHA384"));
    assert_eq!(facts(&second), (Some("TLSv1.3"), Some(false), Some(&b"mallory"[..]), 0));
    // The ticket of that connection is not that of the device either.
    let (third, _, _) = meet(&context, TLS13, Some(&next), None, mallory_of_sha384);
    assert_eq!(facts(&third), (Some("TLSv1.3"), Some(true), Some(&b"mallory"[..]), 0));
}

#[test]
fn client_with_a_certificate_is_asked_about_again_and_its_certificates_are_known() {
    let device = Device::new();
    let is_wanted = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_wanted);
    let versions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&versions);
    let context = server_with_p521(|builder| {
        builder.trust(device.trust()).client_auth(ClientAuth::Need);
        builder.verify_callback(
            Arc::new(move |peer| {
                seen.lock().unwrap().push((peer.connection.version, peer.is_resumed));
                match peer.is_resumed && !asked.load(Ordering::Relaxed) {
                    true => Err("not again".to_owned()),
                    false => Ok(()),
                }
            }),
            false,
        )
    });
    let show = |builder: &mut SslContextBuilder| {
        p521(builder);
        device.show(builder);
    };
    let (_, _, session) = connect_to(&context, TLS13, None, None, show);
    let (second, _, next) = connect_to(&context, TLS13, Some(&session), None, show);
    assert_eq!(second.is_resumed(), Some(true));
    assert_eq!(second.peer_chain()[0].as_ref(), device.der);
    is_wanted.store(false, Ordering::Relaxed);
    let (third, _, _) = connect_to(&context, TLS13, Some(&next), None, show);
    assert_eq!(third.is_resumed(), Some(false));
    assert_eq!(third.peer_chain()[0].as_ref(), device.der);
    let calls = [false, true, true, false].map(|is_resumed| ("TLSv1.3", is_resumed));
    assert_eq!(*versions.lock().unwrap(), calls);
}

/// The tickets that a client of this context is sent: their lifetimes in seconds, and the early data that they allow.
#[allow(unsafe_code)]
fn tickets_of(context: &Context, set: fn(&mut SslContextBuilder)) -> (Vec<(u64, u32)>, SslStream<Pipe>) {
    use foreign_types::ForeignTypeRef;
    use openssl::ssl::SslSessionCacheMode;
    unsafe extern "C" {
        fn SSL_SESSION_get_ticket_lifetime_hint(session: *const openssl_sys::SSL_SESSION) -> u64;
        fn SSL_SESSION_get_max_early_data(session: *const openssl_sys::SSL_SESSION) -> u32;
    }
    let tickets = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&tickets);
    let (_, client, _) = meet(context, TLS13, None, None, |builder| {
        builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        builder.set_new_session_callback(move |_, session| {
            // SAFETY: the session is valid.
            let facts = unsafe {
                let session = session.as_ptr();
                (SSL_SESSION_get_ticket_lifetime_hint(session), SSL_SESSION_get_max_early_data(session))
            };
            seen.lock().unwrap().push(facts);
        });
        set(builder);
    });
    let tickets = tickets.lock().unwrap().clone();
    (tickets, client)
}

#[test]
fn tickets_are_as_many_as_are_set_and_last_as_long_as_sessions_do_without_early_data() {
    let count = |set: fn(&mut ContextBuilder) -> &mut ContextBuilder| {
        let context = server_with_p521(set);
        [|_: &mut SslContextBuilder| {}, p521].map(|client| tickets_of(&context, client).0)
    };
    // As rustls does: as long as the keys open tickets.
    const KEYS_OPEN_S: u64 = 12 * 60 * 60;
    assert_eq!(count(|builder| builder), [vec![(KEYS_OPEN_S, 0); 2], vec![(KEYS_OPEN_S, 0); 2]]);
    let aged = count(|builder| builder.session_max_age_s(600).unwrap().tls13_tickets(3).unwrap());
    assert_eq!(aged, [vec![(600, 0); 3], vec![(600, 0); 3]]);
    for none in [
        count(|builder| builder.tls13_tickets(0).unwrap()),
        count(|builder| builder.resumption(false)),
        count(|builder| builder.max_ticket_bytes(64).unwrap()),
    ] {
        assert_eq!(none, [vec![], vec![]]);
    }
    // Room for one.
    let one = count(|builder| builder.max_ticket_bytes(700).unwrap());
    assert_eq!(one.map(|tickets| tickets.len()), [1, 1]);
}

#[test]
fn client_that_sends_its_hello_again_for_another_group_resumes_its_session() {
    let context = server();
    let again = |builder: &mut SslContextBuilder| builder.set_groups_list("X448:P-256").unwrap();
    let (second, _, session) = meet(&context, TLS13, Some(&first(&context)), None, again);
    assert_eq!((facts(&second), second.group()), (by_key(true), Some("secp256r1")));
    let alone = |builder: &mut SslContextBuilder| {
        no_key(builder);
        again(builder);
    };
    let (third, _, _) = meet(&context, TLS13, Some(&session), None, alone);
    assert_eq!((facts(&third), third.group()), (by_key(true), Some("secp256r1")));
}

#[test]
fn ticket_of_rustls_is_none_of_the_second_engine() {
    let context = server();
    let (first, _, session) = connect_to(&context, TLS13, None, None, no_key);
    assert_eq!(facts(&first), BY_CERTIFICATE);
    let (second, _, _) = connect_to(&context, TLS13, Some(&session), None, no_key);
    assert_eq!(second.is_resumed(), Some(true));
    // With a key, the second engine serves it, and does not know the ticket.
    assert_eq!(facts(&meet(&context, TLS13, Some(&session), None, |_| {}).0), by_key(false));
}

#[test]
fn session_of_tls13_is_none_of_an_older_version() {
    let context = server();
    let session = first(&context);
    // The session is changed to one of TLS 1.2.
    let mut der = session.to_der().unwrap();
    let at = der.windows(6).position(|bytes| bytes == [2, 2, 3, 4, 4, 2]).unwrap();
    der[at..at + 8].copy_from_slice(&[2, 2, 3, 3, 4, 2, 0x00, 0xa8]);
    let stolen = SslSession::from_der(&der).unwrap();
    let older = (SslVersion::TLS1_2, "PSK-AES128-GCM-SHA256", true);
    let (second, _, _) = connect_to(&context, older, Some(&stolen), None, |_| {});
    assert_eq!((second.version(), second.is_resumed()), (Some("TLSv1.2"), Some(false)));
}

#[test]
fn secret_of_an_identity_is_looked_up_once_for_a_resumption() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let context = server_with(|builder| {
        let callback: PskCallback = Arc::new(move |request: &PskRequest<'_>| match request.identity {
            b"mallory" => {
                counted.fetch_add(1, Ordering::Relaxed);
                Psk::new(&MALLORY).map(Some).map_err(|error| error.to_string())
            }
            _ => Ok(None),
        });
        builder.psk_callback(callback, false)
    });
    let (_, _, session) = meet(&context, TLS13, None, None, mallory);
    asked.store(0, Ordering::Relaxed);
    meet(&context, TLS13, Some(&session), None, no_key);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
