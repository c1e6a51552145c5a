//! Resumption with the second engine: by tickets, under the rules that hold with rustls.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use brokertls::{ClientAuth, Connection, Context, Source, TrustSource};
use client::{KINDS, Kind, Pipe, client_on, exchange, handshake, server, server_with};
use openssl::pkey::PKey;
use openssl::ssl::{SslSession, SslStream, SslVersion};
use openssl::x509::X509;

const OLD: Kind = (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA", true);

/// A connection that resumes a session if it can. Returns the session for the next one.
fn connect(context: &Context, kind: Kind, session: Option<&SslSession>) -> (Connection, SslStream<Pipe>, SslSession) {
    connect_to(context, kind, session, None, |_| {})
}

fn connect_to(
    context: &Context,
    kind: Kind,
    session: Option<&SslSession>,
    name: Option<&str>,
    set: impl FnOnce(&mut openssl::ssl::SslContextBuilder),
) -> (Connection, SslStream<Pipe>, SslSession) {
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client_on(kind, set, |ssl| {
        if let Some(session) = session {
            // SAFETY: the session is one of a context with the same methods.
            #[allow(unsafe_code)]
            unsafe {
                ssl.set_session(session).unwrap();
            }
        }
        if let Some(name) = name {
            ssl.set_hostname(name).unwrap();
        }
    });
    handshake(&mut server, &mut client, &pipe);
    exchange(&mut server, &mut client, &pipe);
    assert_eq!(server.is_resumed(), Some(client.ssl().session_reused()));
    // A copy: OpenSSL resumes no session of a connection that was not shut down.
    let session = SslSession::from_der(&client.ssl().session().unwrap().to_der().unwrap()).unwrap();
    (server, client, session)
}

/// The ticket of a session; empty if it has none.
#[allow(unsafe_code)]
fn ticket(session: &SslSession) -> Vec<u8> {
    use foreign_types::ForeignType;
    unsafe extern "C" {
        fn SSL_SESSION_get0_ticket(
            session: *const openssl_sys::SSL_SESSION,
            ticket: *mut *const u8,
            length: *mut usize,
        );
    }
    let (mut data, mut length) = (std::ptr::null(), 0);
    // SAFETY: the session is valid, and its ticket lives as long as it.
    unsafe {
        SSL_SESSION_get0_ticket(session.as_ptr(), &mut data, &mut length);
        if length == 0 { Vec::new() } else { std::slice::from_raw_parts(data, length).to_vec() }
    }
}

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

/// A clock that a test sets.
#[derive(Debug)]
struct Clock(AtomicU64);

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed))))
    }
}

#[test]
fn session_is_resumed_only_within_its_age_which_begins_with_the_full_handshake() {
    const START_S: u64 = 1_800_000_000;
    let clock = Arc::new(Clock(AtomicU64::new(START_S)));
    let context = server_with(|builder| builder.session_max_age_s(600).unwrap().clock(Arc::clone(&clock) as _));
    let (_, _, session) = connect(&context, OLD, None);
    clock.0.store(START_S + 400, Ordering::Relaxed);
    let (second, _, next) = connect(&context, OLD, Some(&session));
    assert_eq!(second.is_resumed(), Some(true));
    clock.0.store(START_S + 599, Ordering::Relaxed);
    assert_eq!(connect(&context, OLD, Some(&next)).0.is_resumed(), Some(true));
    for late in [600, 700] {
        clock.0.store(START_S + late, Ordering::Relaxed);
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
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "ca");
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let device = rcgen::CertificateParams::new(["device".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let certificate = X509::from_der(device.der()).unwrap();
    let key = PKey::private_key_from_pem(key.serialize_pem().as_bytes()).unwrap();
    let show = |builder: &mut openssl::ssl::SslContextBuilder| {
        builder.set_certificate(&certificate).unwrap();
        builder.set_private_key(&key).unwrap();
    };
    let is_wanted = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_wanted);
    let context = server_with(|builder| {
        builder.trust(TrustSource::store(Source::memory("ca.pem", authority.as_bytes())));
        builder.client_auth(ClientAuth::Need);
        builder.verify_callback(
            Arc::new(move |peer| match peer.is_resumed && !asked.load(Ordering::Relaxed) {
                true => Err("not again".to_owned()),
                false => Ok(()),
            }),
            false,
        )
    });
    for version in [OLD, KINDS[4], KINDS[7]] {
        is_wanted.store(true, Ordering::Relaxed);
        let (_, _, session) = connect_to(&context, version, None, None, show);
        let (second, _, next) = connect_to(&context, version, Some(&session), None, show);
        assert_eq!(second.is_resumed(), Some(true));
        assert_eq!(second.peer_chain()[0].as_ref(), device.der().as_ref());
        is_wanted.store(false, Ordering::Relaxed);
        let (third, _, _) = connect_to(&context, version, Some(&next), None, show);
        assert_eq!(third.is_resumed(), Some(false));
        assert_eq!(third.peer_chain()[0].as_ref(), device.der().as_ref());
    }
}
