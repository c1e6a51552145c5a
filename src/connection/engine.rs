//! rustls' unbuffered connections, client and server, as one engine that is stepped.
//!
//! An engine that serves what rustls does not (older versions) would be a further variant here; nothing outside this
//! file could tell.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{
    ClientConfig, CommonState, HandshakeKind, NamedGroup, ProtocolVersion, ServerConfig, SupportedCipherSuite,
};

use crate::error::{Code, Error, Result};

use super::hello::{Decide, Decision, Undecided};
use super::record::HEADER_BYTES;

/// Length of the authentication tag of every suite that is served.
const TAG_BYTES: usize = 16;

/// The explicit nonce of AES-GCM in TLS 1.2 (RFC 5288 section 3).
const TLS12_GCM_NONCE_BYTES: usize = 8;

/// Room for an encrypted close_notify of any suite.
const CLOSE_NOTIFY_BYTES: usize = 64;

pub(super) enum Engine {
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
    /// A server that waits for the ClientHello.
    Undecided(Box<Undecided>),
    /// A client that has not begun: rustls takes the session that it offers when its connection is made.
    Unstarted(Arc<ClientConfig>, ServerName<'static>),
    /// A connection that has failed.
    Ended(Box<Ended>),
}

/// Facts of a connection that has failed: they stay known.
pub(super) struct Ended {
    is_client: bool,
    is_handshaking: bool,
    version: Option<ProtocolVersion>,
    suite: Option<SupportedCipherSuite>,
    group: Option<NamedGroup>,
    alpn: Option<Vec<u8>>,
    handshake_kind: Option<HandshakeKind>,
    peer_chain: Vec<CertificateDer<'static>>,
}

/// The result of one step of the engine.
pub(super) enum Step {
    /// Put this many bytes of plaintext out.
    Plaintext(usize),
    /// Appended records to the outgoing ones, or noticed that they are on their way.
    Emitted,
    /// The peer's close_notify was read.
    PeerClosed,
    /// The application has refused the peer.
    Refused(Error),
    /// Nothing more can be done without the outside.
    Idle,
}

/// The outcome of encrypting one chunk.
pub(super) enum Encrypted {
    /// This many bytes of records were written.
    Written(usize),
    /// The destination must have this number of bytes.
    NeedsRoom(usize),
    /// Records of the protocol's own (a key update's answer) have to go out first; they were appended to the outgoing.
    OutgoingFirst,
}

macro_rules! on_either {
    ($engine:expr, $connection:ident => $body:expr, $neither:expr) => {
        match $engine {
            Engine::Client($connection) => $body,
            Engine::Server($connection) => $body,
            Engine::Undecided(_) | Engine::Unstarted(..) | Engine::Ended(_) => $neither,
        }
    };
}

impl Engine {
    pub(super) fn unstarted(config: Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        Self::Unstarted(config, name)
    }

    pub(super) fn server(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self::Server(Box::new(UnbufferedServerConnection::new(config)?)))
    }

    pub(super) fn undecided(decide: Decide) -> Self {
        Self::Undecided(Box::new(Undecided::new(decide)))
    }

    /// One step over `tls`; gives the bytes to discard from its front and what was done.
    pub(super) fn step(
        &mut self,
        tls: &mut [u8],
        plain: &mut [u8],
        outgoing: &mut Vec<u8>,
    ) -> (usize, Result<Step, rustls::Error>) {
        if let Self::Undecided(undecided) = self {
            return (
                0,
                match undecided.read(tls) {
                    Decision::Incomplete => Ok(Step::Idle),
                    Decision::Chosen(config) => Self::server(config).map(|server| {
                        *self = server;
                        Step::Emitted
                    }),
                    Decision::Refused(refusal) => Ok(Step::Refused(refusal)),
                    Decision::Malformed(error) => Err(error),
                },
            );
        }
        if let Self::Unstarted(config, name) = self {
            let client = UnbufferedClientConnection::new(Arc::clone(config), name.clone());
            return (
                0,
                client.map(|client| {
                    *self = Self::Client(Box::new(client));
                    Step::Emitted
                }),
            );
        }
        on_either!(
            self,
            connection => handle(connection.process_tls_records(tls), plain, outgoing),
            (0, Ok(Step::Idle))
        )
    }

    /// Appends the records that rustls has ready, the alert of a failure among them, and looks at no more bytes: what
    /// failed once must not be read again.
    pub(super) fn take_records(&mut self, outgoing: &mut Vec<u8>) {
        while self.common().is_some_and(CommonState::wants_write)
            && matches!(self.step(&mut [], &mut [], outgoing), (_, Ok(Step::Emitted)))
        {}
    }

    /// Encrypts `plain`, at most one record, into `tls`. `stash` is what rustls has been shown and not discarded.
    pub(super) fn encrypt(
        &mut self,
        plain: &[u8],
        tls: &mut [u8],
        stash: &mut [u8],
        outgoing: &mut Vec<u8>,
    ) -> Result<Encrypted> {
        on_either!(self, connection => {
            let UnbufferedStatus { state, .. } = connection.process_tls_records(stash);
            match state {
                Ok(ConnectionState::WriteTraffic(traffic)) => encrypt_record(traffic, plain, tls),
                Ok(ConnectionState::EncodeTlsData(mut records)) => {
                    append(&mut records, outgoing).map_err(internal)?;
                    Ok(Encrypted::OutgoingFirst)
                }
                Ok(_) => Err(Error::new(Code::Internal, "cannot encrypt in this state")),
                Err(error) => Err(super::failure::from_rustls(error, None, None)),
            }
        }, Err(Error::new(Code::Internal, "cannot encrypt before the ClientHello or after the end")))
    }

    /// Appends close_notify to `outgoing`; nothing during the handshake, when rustls has no place for it.
    pub(super) fn close_notify(&mut self, stash: &mut [u8], outgoing: &mut Vec<u8>) -> Result<()> {
        on_either!(self, connection => {
            let UnbufferedStatus { state, .. } = connection.process_tls_records(stash);
            if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state {
                let mut alert = [0; CLOSE_NOTIFY_BYTES];
                let written = traffic.queue_close_notify(&mut alert).map_err(internal)?;
                outgoing.extend_from_slice(&alert[..written]);
            }
        }, ());
        Ok(())
    }

    /// Drops rustls' part, its keys with it, and keeps what stays known.
    pub(super) fn end(&mut self) {
        let ended = Ended {
            is_client: self.is_client(),
            is_handshaking: self.is_handshaking(),
            version: self.protocol_version(),
            suite: self.suite(),
            group: self.named_group(),
            alpn: self.alpn().map(<[u8]>::to_vec),
            handshake_kind: self.handshake_kind(),
            peer_chain: self.peer_chain().to_vec(),
        };
        *self = Self::Ended(Box::new(ended));
    }

    pub(super) fn is_client(&self) -> bool {
        match self {
            Self::Ended(ended) => ended.is_client,
            _ => matches!(self, Self::Client(_) | Self::Unstarted(..)),
        }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        match self {
            Self::Ended(ended) => ended.is_handshaking,
            _ => self.common().is_none_or(CommonState::is_handshaking),
        }
    }

    pub(super) fn peer_chain(&self) -> &[CertificateDer<'static>] {
        match self {
            Self::Ended(ended) => &ended.peer_chain,
            _ => self.common().and_then(|common| common.peer_certificates()).unwrap_or_default(),
        }
    }

    pub(super) fn version(&self) -> Option<&'static str> {
        match self.protocol_version()? {
            ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
            ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
            _ => None,
        }
    }

    pub(super) fn cipher_suite(&self) -> Option<&'static str> {
        Some(crate::policy::cipher_suite_name(self.suite()?.suite().into()))
    }

    pub(super) fn group(&self) -> Option<&'static str> {
        self.named_group()?.as_str()
    }

    pub(super) fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Ended(ended) => ended.alpn.as_deref(),
            _ => self.common()?.alpn_protocol(),
        }
    }

    pub(super) fn is_resumed(&self) -> Option<bool> {
        self.handshake_kind().map(|kind| kind == HandshakeKind::Resumed)
    }

    /// Bytes that a record adds to its plaintext.
    pub(super) fn record_overhead(&self) -> usize {
        let added = match self.suite() {
            // The content type stands inside the ciphertext (RFC 8446 section 5.2).
            Some(SupportedCipherSuite::Tls13(_)) => 1,
            Some(SupportedCipherSuite::Tls12(suite)) if !is_chacha(suite.common.suite) => TLS12_GCM_NONCE_BYTES,
            _ => 0,
        };
        HEADER_BYTES + TAG_BYTES + added
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        match self {
            Self::Ended(ended) => ended.version,
            _ => self.common()?.protocol_version(),
        }
    }

    fn suite(&self) -> Option<SupportedCipherSuite> {
        match self {
            Self::Ended(ended) => ended.suite,
            _ => self.common()?.negotiated_cipher_suite(),
        }
    }

    fn named_group(&self) -> Option<NamedGroup> {
        match self {
            Self::Ended(ended) => ended.group,
            _ => Some(self.common()?.negotiated_key_exchange_group()?.name()),
        }
    }

    fn handshake_kind(&self) -> Option<HandshakeKind> {
        match self {
            Self::Ended(ended) => ended.handshake_kind,
            _ => self.common()?.handshake_kind(),
        }
    }

    fn common(&self) -> Option<&CommonState> {
        on_either!(self, connection => Some(connection), None)
    }
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, "a record that cannot be written").with_source(error)
}

fn is_chacha(suite: rustls::CipherSuite) -> bool {
    matches!(
        suite,
        rustls::CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
            | rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
    )
}

fn handle<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    plain: &mut [u8],
    outgoing: &mut Vec<u8>,
) -> (usize, Result<Step, rustls::Error>) {
    let UnbufferedStatus { discard, state } = status;
    let step = state.and_then(|state| match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            let mut produced = 0;
            while traffic.peek_len().is_some() {
                let Some(record) = traffic.next_record() else { break };
                let payload = record?.payload;
                let Some(room) = plain.get_mut(produced..produced + payload.len()) else {
                    return Err(rustls::Error::General("a record held more than its length allows".into()));
                };
                room.copy_from_slice(payload);
                produced += payload.len();
            }
            Ok(Step::Plaintext(produced))
        }
        ConnectionState::EncodeTlsData(mut records) => append(&mut records, outgoing)
            .map(|()| Step::Emitted)
            .map_err(|_| rustls::Error::General("a record that cannot be written".to_owned())),
        ConnectionState::TransmitTlsData(transmit) => {
            // What was encoded is kept by this connection until it is given away, so it is on its way.
            transmit.done();
            Ok(Step::Emitted)
        }
        ConnectionState::PeerClosed => Ok(Step::PeerClosed),
        ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) | ConnectionState::Closed => {
            Ok(Step::Idle)
        }
        // Early data is never accepted, so rustls never gives any; a future state is refused rather than guessed.
        _ => Err(rustls::Error::General("a state that is not known".to_owned())),
    });
    (discard, step)
}

/// Appends one queued record to `outgoing`.
fn append<Data>(records: &mut EncodeTlsData<'_, Data>, outgoing: &mut Vec<u8>) -> Result<(), EncodeError> {
    match records.encode(&mut []) {
        Ok(_) => Ok(()),
        Err(EncodeError::InsufficientSize(size)) => {
            let start = outgoing.len();
            outgoing.resize(start + size.required_size, 0);
            records.encode(&mut outgoing[start..]).map(|_| ())
        }
        Err(error) => Err(error),
    }
}

fn encrypt_record<Data>(mut traffic: WriteTraffic<'_, Data>, plain: &[u8], tls: &mut [u8]) -> Result<Encrypted> {
    match traffic.encrypt(plain, tls) {
        Ok(written) => Ok(Encrypted::Written(written)),
        Err(EncryptError::InsufficientSize(size)) => Ok(Encrypted::NeedsRoom(size.required_size)),
        Err(EncryptError::EncryptExhausted) => Err(Error::from(Code::KeysExhausted)),
    }
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    #[test]
    fn client_that_has_not_begun_is_a_client_before_and_after_its_end() {
        let versions = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = versions.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        let mut engine = Engine::unstarted(Arc::new(config), ServerName::try_from("broker.example").unwrap());
        assert!(engine.is_client());
        engine.end();
        assert!(engine.is_client());
    }
}
