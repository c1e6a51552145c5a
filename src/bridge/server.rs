//! A server's side: the verifier of clients, the choice of an identity, tickets and the cache of sessions, each with
//! notes of its own.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert, StoresServerSessions};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use zeroize::Zeroizing;

use crate::connection::Refusals;
use crate::policy::version_name;
use crate::verify::{HandshakeInput, HandshakeNotes, RustlsVerifier};

use super::clients::Clients;
use super::refusal;
use super::session_value::SessionValue;
use super::{judged, with_notes};

const TLS13: u16 = 0x0304;

/// Wraps what a configuration asks during a handshake. `clients` is that of its verifier.
pub(crate) fn for_server(config: &mut ServerConfig, clients: &Arc<Clients>, max_ticket_bytes: usize) {
    let suites = config.crypto_provider().cipher_suites.iter().map(|suite| suite.suite()).collect();
    let inner = Arc::clone(&config.cert_resolver);
    config.cert_resolver = Arc::new(Resolver { inner, suites, clients: Arc::clone(clients) });
    // rustls makes all tickets of TLS 1.3 at once, each by a call of its own.
    let most_bytes = max_ticket_bytes / config.send_tls13_tickets.max(1);
    config.ticketer =
        Arc::new(Tickets { inner: Arc::clone(&config.ticketer), clients: Arc::clone(clients), most_bytes });
    config.session_storage =
        Arc::new(Cache { inner: Arc::clone(&config.session_storage), clients: Arc::clone(clients) });
}

/// The choice of an identity: the first call of a handshake.
#[derive(Debug)]
struct Resolver {
    inner: Arc<dyn ResolvesServerCert>,
    suites: Vec<CipherSuite>,
    clients: Arc<Clients>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        refusal::forget();
        self.clients.begin();
        // Without a common suite, rustls has left no signature to choose from.
        let has_suite = hello.cipher_suites().iter().any(|suite| self.suites.contains(suite));
        let (chosen, notes) = with_notes(HandshakeInput::default(), || self.inner.resolve(hello));
        if let Some(error) = notes.refusal.filter(|_| has_suite) {
            refusal::keep(error);
        }
        chosen
    }
}

/// The verifier of clients.
pub(crate) struct ClientVerifier {
    pub(crate) inner: RustlsVerifier,
    pub(crate) log: Option<Arc<Refusals>>,
    pub(crate) clients: Arc<Clients>,
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientVerifier").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl ClientVerifier {
    /// Judges a proof that the client has the key of its certificate.
    fn proven(
        &self,
        cert: &CertificateDer<'_>,
        call: impl FnOnce() -> Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let valid = judged(self.log.as_deref(), call).0?;
        self.clients.prove(cert);
        Ok(valid)
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        with_notes(HandshakeInput::default(), || self.inner.client_auth_mandatory()).0
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        refusal::forget();
        let (outcome, notes) =
            judged(self.log.as_deref(), || self.inner.verify_client_cert(end_entity, intermediates, now));
        self.clients.show(notes.verified.filter(|_| outcome.is_ok()));
        outcome
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.proven(cert, || ClientCertVerifier::verify_tls12_signature(&self.inner, message, cert, dss))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.proven(cert, || ClientCertVerifier::verify_tls13_signature(&self.inner, message, cert, dss))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ClientCertVerifier::supported_verify_schemes(&self.inner)
    }
}

/// The notes for keeping a session. None for a client that this thread does not know: its session is not kept, for
/// nothing could be asked about it before it is resumed.
fn input_of(clients: &Clients, session: &SessionValue<'_>) -> Option<HandshakeInput> {
    let version = Some(version_name(session.version)?);
    let peer = match session.chain.as_slice() {
        [] => None,
        chain => Some(clients.find(chain)?),
    };
    Some(HandshakeInput { version, peer, ..HandshakeInput::default() })
}

/// Opens a session, and keeps its client for the next ticket.
fn opened(clients: &Clients, open: impl FnOnce() -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    if !clients.may_offer() {
        return None;
    }
    let (plain, notes) = with_notes(HandshakeInput::default(), open);
    if let Some(client) = notes.session.filter(|client| plain.is_some() && client.peer.is_some()) {
        clients.accept(client);
    }
    plain
}

/// The tickets.
#[derive(Debug)]
struct Tickets {
    inner: Arc<dyn ProducesTickets>,
    clients: Arc<Clients>,
    /// The most bytes of one of TLS 1.3.
    most_bytes: usize,
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.inner.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.inner.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let session = SessionValue::read(plain)?;
        let stored = self.clients.take_stored(session.secret);
        let make = || {
            stored.into_iter().for_each(HandshakeNotes::set_stored_id);
            self.inner.encrypt(plain)
        };
        let ticket = with_notes(input_of(&self.clients, &session)?, make).0;
        ticket.filter(|ticket| session.version < TLS13 || ticket.len() <= self.most_bytes)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        opened(&self.clients, || self.inner.decrypt(cipher))
    }
}

/// The sessions of clients without tickets.
#[derive(Debug)]
struct Cache {
    inner: Arc<dyn StoresServerSessions>,
    clients: Arc<Clients>,
}

impl StoresServerSessions for Cache {
    fn put(&self, id: Vec<u8>, plain: Vec<u8>) -> bool {
        let plain = Zeroizing::new(plain);
        let Some(session) = SessionValue::read(&plain) else { return false };
        let Some(input) = input_of(&self.clients, &session) else { return false };
        let is_stored = with_notes(input, || self.inner.put(id.clone(), plain.to_vec())).0;
        if is_stored {
            self.clients.store(session.secret, id);
        }
        is_stored
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        opened(&self.clients, || self.inner.get(id))
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        opened(&self.clients, || self.inner.take(id))
    }

    fn can_cache(&self) -> bool {
        self.inner.can_cache()
    }
}
