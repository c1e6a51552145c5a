//! OpenSSL's client over bytes in memory, and a server of ours with the second engine.
//!
//! The client uses OpenSSL in the same process, as a host program does that has its own.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;

use brokertls::{Connection, Context, ContextBuilder, IdentitySource, MAX_RECORD_BYTES, Next, Source};
use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslStream, SslVersion};

pub const SECRET: [u8; 16] = [0x5a; 16];

/// A context with an RSA key, every version and suite, and the secret of `device`.
pub fn server() -> Context {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let certificate = rcgen::CertificateParams::new(["broker".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pem = certificate.pem() + &key.serialize_pem();
    let keys = Source::memory("init.psk", format!("device:{}\n", "5a".repeat(SECRET.len())).as_bytes());
    let mut builder = ContextBuilder::new();
    builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes())));
    builder.versions("tlsv1.3 tlsv1.2 tlsv1.1 tlsv1").legacy_engine(true).psk_file(keys).build().unwrap()
}

/// Bytes of both directions.
#[derive(Clone, Default)]
pub struct Pipe {
    pub to_client: Rc<RefCell<VecDeque<u8>>>,
    pub to_server: Rc<RefCell<Vec<u8>>>,
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
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client of this version and suite.
pub fn client(version: SslVersion, suite: &str) -> (SslStream<Pipe>, Pipe) {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
    builder.set_security_level(0);
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    builder.set_cipher_list(suite).unwrap();
    builder.set_psk_client_callback(|_, _, identity, secret| {
        identity[..7].copy_from_slice(b"device\0");
        secret[..SECRET.len()].copy_from_slice(&SECRET);
        Ok(SECRET.len())
    });
    let pipe = Pipe::default();
    let mut client = SslStream::new(Ssl::new(&builder.build()).unwrap(), pipe.clone()).unwrap();
    let _ = client.connect();
    (client, pipe)
}

/// Gives the server's records to the client.
pub fn answer(server: &mut Connection, pipe: &Pipe) {
    let mut wire = vec![0; MAX_RECORD_BYTES];
    while let Ok(sent) = server.wrap(&[], &mut wire) {
        if sent.produced == 0 {
            break;
        }
        pipe.to_client.borrow_mut().extend(&wire[..sent.produced]);
    }
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
