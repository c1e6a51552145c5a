//! Clients that resume sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use brokertls::{Connection, Context, Error, Source, TrustSource};
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContextBuilder, SslOptions, SslSession, SslStream};
use openssl::x509::X509;

use super::{Kind, Pipe, answer, client_on, exchange, feed, handshake};

/// A connection that resumes a session if it can. Returns the session for the next one.
pub fn connect(
    context: &Context,
    kind: Kind,
    session: Option<&SslSession>,
) -> (Connection, SslStream<Pipe>, SslSession) {
    connect_to(context, kind, session, None, |_| {})
}

#[allow(unsafe_code)]
pub fn resume(ssl: &mut Ssl, session: &SslSession) {
    // A copy: OpenSSL resumes no session of a connection that has failed.
    let session = SslSession::from_der(&session.to_der().unwrap()).unwrap();
    // SAFETY: the session is one of a context with the same methods.
    unsafe { ssl.set_session(&session) }.unwrap();
}

pub fn connect_to(
    context: &Context,
    kind: Kind,
    session: Option<&SslSession>,
    name: Option<&str>,
    set: impl FnOnce(&mut SslContextBuilder),
) -> (Connection, SslStream<Pipe>, SslSession) {
    let (server, client, session) = meet(context, kind, session, name, set);
    assert_eq!(server.is_resumed(), Some(client.ssl().session_reused()));
    (server, client, session)
}

/// The same for a client of TLS 1.3. OpenSSL calls a key of it a resumed session too.
pub fn meet(
    context: &Context,
    kind: Kind,
    session: Option<&SslSession>,
    name: Option<&str>,
    set: impl FnOnce(&mut SslContextBuilder),
) -> (Connection, SslStream<Pipe>, SslSession) {
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client_on(kind, set, |ssl| {
        if let Some(session) = session {
            resume(ssl, session);
        }
        if let Some(name) = name {
            ssl.set_hostname(name).unwrap();
        }
    });
    handshake(&mut server, &mut client, &pipe);
    exchange(&mut server, &mut client, &pipe);
    // A copy: OpenSSL resumes no session of a connection that was not shut down.
    let session = SslSession::from_der(&client.ssl().session().unwrap().to_der().unwrap()).unwrap();
    (server, client, session)
}

/// The refusal of a client with this session, and the connection that has refused it.
pub fn refused(
    context: &Context,
    kind: Kind,
    session: &SslSession,
    set: impl FnOnce(&mut SslContextBuilder),
) -> (Connection, Error) {
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client_on(kind, set, |ssl| resume(ssl, session));
    let mut error = None;
    for _ in 0..4 {
        let mut flight = std::mem::take(&mut *pipe.to_server.borrow_mut());
        let refused = feed(&mut server, &mut flight).err();
        error = error.or(refused);
        answer(&mut server, &pipe);
        let _ = client.connect();
    }
    (server, error.unwrap())
}

/// A client with a certificate.
pub struct Device {
    authority: String,
    pub der: Vec<u8>,
    key: String,
}

impl Device {
    pub fn new() -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "ca");
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        let issuer = rcgen::Issuer::new(params, key);
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let device = rcgen::CertificateParams::new(["device".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        Self { authority, der: device.der().to_vec(), key: key.serialize_pem() }
    }

    pub fn trust(&self) -> TrustSource {
        TrustSource::store(Source::memory("ca.pem", self.authority.as_bytes()))
    }

    pub fn show(&self, builder: &mut SslContextBuilder) {
        builder.set_certificate(&X509::from_der(&self.der).unwrap()).unwrap();
        builder.set_private_key(&PKey::private_key_from_pem(self.key.as_bytes()).unwrap()).unwrap();
    }
}

/// A client that does not bind its sessions to their handshakes (RFC 7627). OpenSSL resumes none of them for a hello
/// that asks for it.
pub fn unbound(builder: &mut SslContextBuilder) {
    const NO_EXTENDED_MASTER_SECRET: u64 = 1;
    builder.set_options(SslOptions::from_bits_retain(NO_EXTENDED_MASTER_SECRET));
}

/// Gives a client the key of `mallory`.
pub fn mallory(builder: &mut SslContextBuilder) {
    builder.set_psk_client_callback(|_, _, identity, secret| {
        identity[..8].copy_from_slice(b"mallory\0");
        secret[..MALLORY.len()].copy_from_slice(&MALLORY);
        Ok(MALLORY.len())
    });
}

pub const MALLORY: [u8; 16] = [0xee; 16];

/// The ticket of a session; empty if it has none.
#[allow(unsafe_code)]
pub fn ticket(session: &SslSession) -> Vec<u8> {
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

/// A clock that a test sets.
#[derive(Debug)]
pub struct Clock(pub AtomicU64);

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed))))
    }
}

impl Clock {
    pub const START_S: u64 = 1_800_000_000;

    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(Self::START_S)))
    }

    /// Sets the seconds since the start.
    pub fn set(&self, seconds: u64) {
        self.0.store(Self::START_S + seconds, Ordering::Relaxed);
    }
}
