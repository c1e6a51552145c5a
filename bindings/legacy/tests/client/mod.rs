//! OpenSSL's client over bytes in memory, and a server of ours with the second engine.
//!
//! The client uses OpenSSL in the same process, as a host program does that has its own.

#![allow(dead_code, unreachable_pub, reason = "each binary of tests uses a part")]

pub mod sessions;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;

use brokertls::{Connection, Context, ContextBuilder, IdentitySource, MAX_RECORD_BYTES, Next, Source};
use brokertls_legacy::{Record, Sent, Side};
use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslOptions, SslStream, SslVersion};

pub const SECRET: [u8; 16] = [0x5a; 16];

/// A client's version and suite, and its wish to encrypt before it authenticates.
pub type Kind = (SslVersion, &'static str, bool);

/// One of each way to seal a record up to TLS 1.2.
pub const KINDS: [Kind; 11] = [
    (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA", true),
    (SslVersion::TLS1, "DHE-RSA-AES256-SHA", false),
    (SslVersion::TLS1_1, "ECDHE-RSA-AES128-SHA", true),
    (SslVersion::TLS1_1, "ECDHE-RSA-AES128-SHA", false),
    (SslVersion::TLS1_2, "ECDHE-RSA-AES256-SHA384", true),
    (SslVersion::TLS1_2, "ECDHE-RSA-AES128-SHA256", false),
    (SslVersion::TLS1_2, "DHE-RSA-AES256-SHA256", true),
    (SslVersion::TLS1_2, "DHE-RSA-AES128-GCM-SHA256", false),
    (SslVersion::TLS1_2, "DHE-RSA-AES256-GCM-SHA384", false),
    (SslVersion::TLS1_2, "DHE-RSA-CHACHA20-POLY1305", false),
    (SslVersion::TLS1_2, "PSK-AES128-CCM8", false),
];

/// A context with an RSA key, every version and suite, and the secret of `device`.
pub fn server() -> Context {
    server_with(|builder| builder)
}

/// The same with other settings.
pub fn server_with(set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let certificate = rcgen::CertificateParams::new(["broker".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pem = certificate.pem() + &key.serialize_pem();
    let keys = Source::memory("init.psk", format!("device:{}\n", "5a".repeat(SECRET.len())).as_bytes());
    let mut builder = ContextBuilder::new();
    builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes())));
    builder.versions("tlsv1.3 tlsv1.2 tlsv1.1 tlsv1").legacy_engine(true).psk_file(keys);
    // An engine on another OpenSSL than that of this program.
    if let Some(library) = std::env::var_os("BROKERTLS_LEGACY_LIBRARY") {
        builder.legacy_library(library);
    }
    // Every suite by its name: the default leaves some out.
    builder.cipher_suites("ALL");
    builder.psk_replaces_certificate(true);
    set(&mut builder).build().unwrap()
}

/// Bytes of both directions.
#[derive(Clone, Default)]
pub struct Pipe {
    pub to_client: Rc<RefCell<VecDeque<u8>>>,
    pub to_server: Rc<RefCell<Vec<u8>>>,
    /// The records of the client so far.
    pub sent: Rc<RefCell<Sent>>,
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.to_client.borrow_mut().read(room)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to_server.borrow_mut().extend_from_slice(bytes);
        self.sent.borrow_mut().note(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client of this version and suite.
pub fn client(version: SslVersion, suite: &str) -> (SslStream<Pipe>, Pipe) {
    client_with(version, suite, |_| {})
}

/// A client of this kind.
pub fn client_of(kind: Kind) -> (SslStream<Pipe>, Pipe) {
    client_on(kind, |_| {}, |_| {})
}

/// A client of this kind, with other settings of its context and of its connection.
pub fn client_on(
    (version, suite, encrypts_then_macs): Kind,
    set: impl FnOnce(&mut SslContextBuilder),
    set_connection: impl FnOnce(&mut Ssl),
) -> (SslStream<Pipe>, Pipe) {
    const NO_ENCRYPT_THEN_MAC: u64 = 1 << 19;
    let set = |builder: &mut SslContextBuilder| {
        if !encrypts_then_macs {
            builder.set_options(SslOptions::from_bits_retain(NO_ENCRYPT_THEN_MAC));
        }
        set(builder);
    };
    start(version, suite, set, set_connection)
}

/// A client of this version and suite with a key.
pub fn with_key(version: SslVersion, suite: &str, identity: &str, secret: &[u8]) -> (SslStream<Pipe>, Pipe) {
    let (name, key) = (identity.as_bytes().to_vec(), secret.to_vec());
    client_with(version, suite, |builder| {
        builder.set_psk_client_callback(move |_, _, identity, secret| {
            identity[..name.len()].copy_from_slice(&name);
            identity[name.len()] = 0;
            secret[..key.len()].copy_from_slice(&key);
            Ok(key.len())
        });
    })
}

/// A client of this version and suite with other settings, which has sent its hello.
pub fn client_with(
    version: SslVersion,
    suite: &str,
    set: impl FnOnce(&mut SslContextBuilder),
) -> (SslStream<Pipe>, Pipe) {
    start(version, suite, set, |_| {})
}

fn start(
    version: SslVersion,
    suite: &str,
    set: impl FnOnce(&mut SslContextBuilder),
    set_connection: impl FnOnce(&mut Ssl),
) -> (SslStream<Pipe>, Pipe) {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
    builder.set_security_level(0);
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    if version != SslVersion::TLS1_3 {
        builder.set_cipher_list(suite).unwrap();
    }
    builder.set_psk_client_callback(|_, _, identity, secret| {
        identity[..7].copy_from_slice(b"device\0");
        secret[..SECRET.len()].copy_from_slice(&SECRET);
        Ok(SECRET.len())
    });
    set(&mut builder);
    let pipe = Pipe::default();
    let mut ssl = Ssl::new(&builder.build()).unwrap();
    set_connection(&mut ssl);
    let mut client = SslStream::new(ssl, pipe.clone()).unwrap();
    let _ = client.connect();
    (client, pipe)
}

/// Seals a record of the client that OpenSSL would not send.
pub fn sealed(client: &SslStream<Pipe>, pipe: &Pipe, kind: (u8, &[u8]), encrypts_then_macs: bool) -> Vec<u8> {
    let record = {
        let sent = &*pipe.sent.borrow();
        let record = Record { kind: kind.0, content: kind.1, sent, encrypts_then_macs };
        record.seal(client.ssl(), Side::Client).unwrap().unwrap()
    };
    pipe.sent.borrow_mut().note(&record);
    record
}

/// The number of the fatal alert that the client is sent.
#[track_caller]
pub fn alert_at(client: &mut SslStream<Pipe>) -> i32 {
    const ALERTS: i32 = 1000;
    let error = client.ssl_read(&mut [0; 64]).unwrap_err();
    let reason = error.ssl_error().and_then(|stack| stack.errors().first().map(|first| first.reason_code()));
    reason.unwrap_or_else(|| panic!("{error:?}")) - ALERTS
}

/// Gives the server's records to the client. Returns the number of bytes.
pub fn answer(server: &mut Connection, pipe: &Pipe) -> usize {
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut count = 0;
    while let Ok(sent) = server.wrap(&[], &mut wire) {
        if sent.produced == 0 {
            break;
        }
        count += sent.produced;
        pipe.to_client.borrow_mut().extend(&wire[..sent.produced]);
    }
    count
}

/// Sends a line each way.
pub fn exchange(server: &mut Connection, client: &mut SslStream<Pipe>, pipe: &Pipe) {
    client.ssl_write(b"ping").unwrap();
    let mut records = std::mem::take(&mut *pipe.to_server.borrow_mut());
    assert_eq!(feed(server, &mut records).unwrap(), b"ping");
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let sent = server.wrap(b"pong", &mut wire).unwrap();
    pipe.to_client.borrow_mut().extend(&wire[..sent.produced]);
    let mut heard = [0; 64];
    let count = client.ssl_read(&mut heard).unwrap();
    assert_eq!(&heard[..count], b"pong");
}

/// Feeds bytes until they are used up, wait for more, or are refused. Returns the plaintext.
pub fn feed(server: &mut Connection, mut bytes: &mut [u8]) -> brokertls::Result<Vec<u8>> {
    let mut plain = vec![0; MAX_RECORD_BYTES];
    let mut heard = Vec::new();
    loop {
        let taken = server.unwrap(bytes, &mut plain)?;
        heard.extend_from_slice(&plain[..taken.produced]);
        bytes = &mut bytes[taken.consumed..];
        if taken.consumed == 0 || taken.next == Next::Closed {
            return Ok(heard);
        }
    }
}

/// Completes the handshake.
pub fn handshake(server: &mut Connection, client: &mut SslStream<Pipe>, pipe: &Pipe) {
    for _ in 0..4 {
        let mut flight = std::mem::take(&mut *pipe.to_server.borrow_mut());
        feed(server, &mut flight).unwrap();
        answer(server, pipe);
        let _ = client.connect();
    }
    assert!(!server.is_handshaking());
}
