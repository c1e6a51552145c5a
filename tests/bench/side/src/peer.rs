//! The client at the other end: the same for every side, and never measured.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::{Resumption, WantsClientCert};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, HandshakeKind, RootCertStore, SupportedCipherSuite};

use crate::cases::Version;
use crate::identity::{HOST, Identity};
use crate::server::{Connection, Context};

/// The offer of the client; the server follows it.
#[derive(Clone, Copy)]
pub struct Offer {
    pub group: &'static dyn SupportedKxGroup,
    pub suite: SupportedCipherSuite,
    pub version: Version,
}

pub struct Peer {
    config: Arc<ClientConfig>,
    offer: Offer,
}

impl Peer {
    /// A client that trusts the CA of `identity`; with `resume` it keeps the tickets it gets.
    pub fn new(identity: &Identity, offer: Offer, resume: bool) -> Self {
        let mut config = Self::config(identity, offer).with_no_client_auth();
        config.resumption = if resume { Resumption::in_memory_sessions(1) } else { Resumption::disabled() };
        Self { config: Arc::new(config), offer }
    }

    /// A client that shows the certificate of `identity`, and resumes nothing.
    pub fn with_certificate(identity: &Identity, offer: Offer) -> Self {
        let chain = vec![identity.certificate_der()];
        let mut config = Self::config(identity, offer).with_client_auth_cert(chain, identity.key_der()).unwrap();
        config.resumption = Resumption::disabled();
        Self { config: Arc::new(config), offer }
    }

    fn config(identity: &Identity, offer: Offer) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let provider = CryptoProvider {
            cipher_suites: vec![offer.suite],
            kx_groups: vec![offer.group],
            ..aws_lc_rs::default_provider()
        };
        let mut roots = RootCertStore::empty();
        roots.add(identity.ca_der()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[offer.version.rustls()])
            .unwrap()
            .with_root_certificates(roots)
    }

    pub fn connect(&self) -> ClientConnection {
        let mut client = ClientConnection::new(self.config.clone(), ServerName::try_from(HOST).unwrap()).unwrap();
        client.set_buffer_limit(None);
        client
    }

    /// Fails unless `client` ended with what was offered, resumed or not.
    pub fn check(&self, client: &ClientConnection, resumed: bool) {
        let kind = if resumed { HandshakeKind::Resumed } else { HandshakeKind::Full };
        assert_eq!(client.handshake_kind(), Some(kind));
        assert_eq!(client.negotiated_cipher_suite(), Some(self.offer.suite));
        let group = client.negotiated_key_exchange_group().map(|group| group.name());
        assert_eq!(group, Some(self.offer.group.name()));
    }

    /// A connection between this client and a server of `context`, its handshake done.
    pub fn established(&self, context: &dyn Context) -> (ClientConnection, Box<dyn Connection>) {
        let mut client = self.connect();
        let mut server = context.accept();
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        let mut done = false;
        while !done {
            send(&mut client, &mut to_server);
            done = server.handshake(&mut to_server, &mut to_client);
            receive(&mut client, &mut to_client);
        }
        assert!(!client.is_handshaking());
        (client, server)
    }
}

/// Appends the pending records of the client.
pub fn send(client: &mut ClientConnection, output: &mut Vec<u8>) {
    while client.wants_write() {
        client.write_tls(output).unwrap();
    }
}

/// Appends `plaintext` as one record.
pub fn send_record(client: &mut ClientConnection, plaintext: &[u8], output: &mut Vec<u8>) {
    client.writer().write_all(plaintext).unwrap();
    send(client, output);
}

/// Fails unless `record` is one of `plaintext`.
pub fn read_record(client: &mut ClientConnection, record: &[u8], plaintext: &[u8]) {
    receive(client, &mut record.to_vec());
    let mut read = vec![0; plaintext.len()];
    client.reader().read_exact(&mut read).unwrap();
    assert!(read == plaintext);
}

/// Gives the client all of `input`.
pub fn receive(client: &mut ClientConnection, input: &mut Vec<u8>) {
    let mut rest = input.as_slice();
    while !rest.is_empty() {
        client.read_tls(&mut rest).unwrap();
        client.process_new_packets().unwrap();
    }
    input.clear();
}
