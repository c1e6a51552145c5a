//! The other side of a connection: rustls without this library, which reads the alert that it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use brokertls::{Connection, Error, MAX_RECORD_BYTES};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName, KeyLog, ServerConfig, ServerConnection,
    SignatureScheme,
};

use super::tamper;

/// Accepts every certificate with a right proof.
#[derive(Debug)]
pub(crate) struct AnyCertificate {
    pub(crate) schemes: Vec<SignatureScheme>,
    pub(crate) asks: bool,
}

impl AnyCertificate {
    pub(crate) fn new() -> Self {
        Self { schemes: tamper::provider().signature_verification_algorithms.supported_schemes(), asks: true }
    }
}

macro_rules! proofs {
    () => {
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
            self.schemes.clone()
        }
    };
}

impl ServerCertVerifier for AnyCertificate {
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

    proofs!();
}

impl ClientCertVerifier for AnyCertificate {
    fn offer_client_auth(&self) -> bool {
        self.asks
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    proofs!();
}

/// The settings of a peer; see [`Peer::client`] and [`Peer::server`].
pub(crate) struct Settings {
    pub(crate) version: &'static str,
    /// Certificate and key in PEM.
    pub(crate) identity: Option<String>,
    pub(crate) verifier: AnyCertificate,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) groups: Option<&'static str>,
    /// Numbers of the suites that it has; all if there is none.
    pub(crate) suites: Option<Vec<u16>>,
    /// The secrets of the connection, as it makes them.
    pub(crate) secrets: Arc<Secrets>,
}

/// Traffic secrets of a connection by their labels (draft-ietf-tls-keylogfile section 2).
#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<BTreeMap<String, Vec<u8>>>);

impl Secrets {
    pub(crate) fn get(&self, label: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(label).cloned()
    }
}

impl KeyLog for Secrets {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        self.0.lock().unwrap().insert(label.to_owned(), secret.to_owned());
    }
}

impl Settings {
    pub(crate) fn new(version: &'static str) -> Self {
        let verifier = AnyCertificate::new();
        let secrets = Arc::default();
        Self { version, identity: None, verifier, alpn: Vec::new(), groups: None, suites: None, secrets }
    }

    fn provider(&self) -> Arc<rustls::crypto::CryptoProvider> {
        let mut provider = rustls::crypto::CryptoProvider::clone(&tamper::provider());
        if let Some(group) = self.groups {
            provider.kx_groups.retain(|kept| kept.name().as_str() == Some(group));
        }
        if let Some(suites) = &self.suites {
            provider.cipher_suites.retain(|suite| suites.contains(&suite.suite().into()));
        }
        Arc::new(provider)
    }

    fn versions(&self) -> Vec<&'static rustls::SupportedProtocolVersion> {
        rustls::ALL_VERSIONS.iter().filter(|version| name_of(version.version) == self.version).copied().collect()
    }
}

fn name_of(version: rustls::ProtocolVersion) -> &'static str {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2",
        _ => "TLSv1.3",
    }
}

fn read_identity(pem: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap();
    (chain, PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap())
}

/// rustls on the other side.
pub(crate) struct Peer {
    pub(crate) rustls: rustls::Connection,
    /// The alert that it was sent.
    pub(crate) alert: Option<u8>,
    /// Another error that it met.
    pub(crate) error: Option<rustls::Error>,
}

impl Peer {
    pub(crate) fn client(settings: Settings) -> Self {
        let builder = ClientConfig::builder_with_provider(settings.provider())
            .with_protocol_versions(&settings.versions())
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(settings.verifier));
        let mut config = match &settings.identity {
            Some(pem) => {
                let (chain, key) = read_identity(pem);
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = settings.alpn;
        config.key_log = settings.secrets;
        config.enable_secret_extraction = true;
        let name = ServerName::try_from("broker.example").unwrap();
        Self::new(ClientConnection::new(Arc::new(config), name).unwrap().into())
    }

    pub(crate) fn server(settings: Settings) -> Self {
        let (chain, key) = read_identity(settings.identity.as_ref().unwrap());
        let mut config = ServerConfig::builder_with_provider(settings.provider())
            .with_protocol_versions(&settings.versions())
            .unwrap()
            .with_client_cert_verifier(Arc::new(settings.verifier))
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = settings.alpn;
        config.key_log = settings.secrets;
        config.enable_secret_extraction = true;
        Self::new(ServerConnection::new(Arc::new(config)).unwrap().into())
    }

    fn new(rustls: rustls::Connection) -> Self {
        Self { rustls, alert: None, error: None }
    }

    /// Moves records both ways until neither side has any, the peer's through `change`; gives what ended our side.
    pub(crate) fn run(&mut self, ours: &mut Connection, mut change: impl FnMut(&mut Vec<u8>)) -> Option<Error> {
        loop {
            let mut to_us = Vec::new();
            while self.rustls.wants_write() {
                self.rustls.write_tls(&mut to_us).unwrap();
            }
            change(&mut to_us);
            let is_quiet = to_us.is_empty();
            feed(ours, &mut to_us);
            let to_peer = drain(ours);
            self.read(&to_peer);
            if is_quiet && to_peer.is_empty() {
                return ours.failure().cloned();
            }
        }
    }

    /// Reads what our side has sent.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.rustls.read_tls(&mut bytes).is_ok_and(|count| count > 0) {
            match self.rustls.process_new_packets() {
                Ok(_) => {}
                Err(rustls::Error::AlertReceived(alert)) => self.alert = Some(alert.into()),
                Err(error) => self.error = Some(error),
            }
        }
    }
}

/// Feeds our side until the bytes are used up, wait for more or are refused.
pub(crate) fn feed(ours: &mut Connection, mut bytes: &mut [u8]) {
    let mut plain = vec![0; MAX_RECORD_BYTES];
    while !bytes.is_empty() {
        match ours.unwrap(bytes, &mut plain) {
            Ok(taken) if taken.consumed > 0 => bytes = &mut bytes[taken.consumed..],
            _ => return,
        }
    }
}

/// Takes all the output of our side.
pub(crate) fn drain(ours: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut wire = vec![0; MAX_RECORD_BYTES];
    while ours.has_outgoing() {
        let sent = ours.wrap(&[], &mut wire).unwrap().produced;
        bytes.extend_from_slice(&wire[..sent]);
    }
    bytes
}
