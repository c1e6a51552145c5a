//! One client: rustls over a socket that does not block.

use std::fs;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, ipproto, socket_with, sockopt};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, NamedGroup, SignatureScheme,
    SupportedProtocolVersion,
};

use crate::pki::HOST;
use crate::programs::Clients;

/// Connections from one address: less than half of its ports, because the kernel searches long for one of the last.
const PORTS: usize = 10_000;

/// Accepts every server unseen. The clients of a broker are as many machines; here they share one processor, and what
/// they would verify is left out, so that the server is the slower side.
#[derive(Debug)]
struct Unverified(Vec<SignatureScheme>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

/// The settings of `count` clients, each of which resumes its own session.
pub fn config(
    folder: &Path,
    version: &'static SupportedProtocolVersion,
    clients: Clients,
    count: usize,
) -> Arc<ClientConfig> {
    let mut provider = default_provider();
    // In TLS 1.2, a client needs the group of the certificate's key too.
    provider.kx_groups.retain(|group| [NamedGroup::X25519, NamedGroup::secp256r1].contains(&group.name()));
    let verifier = Unverified(provider.signature_verification_algorithms.supported_schemes());
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[version]).unwrap();
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match clients {
        Clients::Unknown => builder.with_no_client_auth(),
        Clients::Certified => {
            let chain = fs::read(folder.join("client0.pem")).unwrap();
            let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().unwrap();
            let key = PrivateKeyDer::from_pem_file(folder.join("client0.key")).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    // The number counts tickets: eight of each server, and every client names another one.
    config.resumption = Resumption::in_memory_sessions(count * 8);
    Arc::new(config)
}

/// The result of a call on a client.
#[derive(Default)]
pub struct Progress {
    /// Plaintext bytes that arrived.
    pub got: usize,
    /// The server has ended the connection.
    pub ended: bool,
}

pub struct Client {
    pub stream: TcpStream,
    tls: ClientConnection,
}

impl Client {
    /// Connects the client of this number, with sessions of its own, and sends its first records.
    pub fn connect(config: &Arc<ClientConfig>, number: usize, port: u16) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, Some(ipproto::TCP))?;
        let last = u8::try_from(1 + number / PORTS).expect("less than two million clients");
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0))?;
        connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        let stream = TcpStream::from(socket);
        stream.set_nonblocking(true)?;
        let name = ServerName::try_from(format!("d{number}.{HOST}")).expect("a DNS name");
        let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        let mut client = Self { stream, tls };
        client.flush()?;
        Ok(client)
    }

    pub fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    pub fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    pub fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    /// Encrypts a message and sends what the socket takes.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.tls.writer().write_all(message)?;
        self.flush()
    }

    pub fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what has arrived, through a buffer that all clients share, so that one call of the system is enough.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Progress> {
        let mut progress = Progress::default();
        loop {
            let length = match self.stream.read(buffer) {
                Ok(0) => {
                    progress.ended = true;
                    return Ok(progress);
                }
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(progress),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    progress.ended = true;
                    return Ok(progress);
                }
                Err(error) => return Err(error),
            };
            let mut records = &buffer[..length];
            while !records.is_empty() {
                self.tls.read_tls(&mut records)?;
                let state = self.tls.process_new_packets().map_err(io::Error::other)?;
                if state.plaintext_bytes_to_read() > 0 {
                    progress.got += self.drain()?;
                }
            }
            self.flush()?;
            if length < buffer.len() {
                return Ok(progress);
            }
        }
    }

    fn drain(&mut self) -> io::Result<usize> {
        let mut sum = 0;
        loop {
            let mut reader = self.tls.reader();
            let length = match reader.fill_buf() {
                Ok(bytes) => bytes.len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            };
            if length == 0 {
                return Ok(sum);
            }
            reader.consume(length);
            sum += length;
        }
    }
}
