//! A server's side: the verifier of clients, the choice of an identity, tickets and the cache of sessions, each with
//! notes of its own.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert, StoresServerSessions};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use zeroize::Zeroizing;

use crate::connection::Refusals;
use crate::policy::version_name;
use crate::verify::{HandshakeInput, RustlsVerifier};

use super::refusal;
use super::session_value::SessionValue;
use super::{Lately, with_notes};

thread_local! {
    /// The clients that this thread has accepted lately.
    static CLIENTS: RefCell<Lately> = RefCell::default();
}

/// Wraps what a configuration asks during a handshake.
pub(crate) fn for_server(config: &mut ServerConfig) {
    config.cert_resolver = Arc::new(Resolver(Arc::clone(&config.cert_resolver)));
    config.ticketer = Arc::new(Tickets(Arc::clone(&config.ticketer)));
    config.session_storage = Arc::new(Cache(Arc::clone(&config.session_storage)));
}

/// The choice of an identity: the first call of a handshake.
#[derive(Debug)]
struct Resolver(Arc<dyn ResolvesServerCert>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        refusal::forget();
        let (chosen, notes) = with_notes(HandshakeInput::default(), || self.0.resolve(hello));
        if let Some(error) = notes.refusal {
            refusal::keep(error);
        }
        chosen
    }
}

/// The verifier of clients.
pub(crate) struct ClientVerifier {
    pub(crate) inner: RustlsVerifier,
    pub(crate) log: Option<Arc<Refusals>>,
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientVerifier").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl ClientVerifier {
    fn judge<T>(&self, call: impl FnOnce() -> Result<T, rustls::Error>) -> Result<T, rustls::Error> {
        let (outcome, notes) = with_notes(HandshakeInput::default(), call);
        if let (Ok(_), Some(peer)) = (&outcome, notes.verified) {
            CLIENTS.with_borrow_mut(|clients| clients.add(peer));
        }
        refusal::told(outcome, notes.refusal, self.log.as_deref())
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
        self.judge(|| self.inner.verify_client_cert(end_entity, intermediates, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge(|| ClientCertVerifier::verify_tls12_signature(&self.inner, message, cert, dss))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge(|| ClientCertVerifier::verify_tls13_signature(&self.inner, message, cert, dss))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ClientCertVerifier::supported_verify_schemes(&self.inner)
    }
}

/// The notes for keeping a session. None for a client that this thread does not know: its session is not kept, for
/// nothing could be asked about it before it is resumed.
fn input_of(plain: &[u8]) -> Option<HandshakeInput> {
    let session = SessionValue::read(plain)?;
    let version = Some(version_name(session.version)?);
    let peer = match session.chain.as_slice() {
        [] => None,
        chain => Some(CLIENTS.with_borrow(|clients| clients.find(chain))?),
    };
    Some(HandshakeInput { version, peer, ..HandshakeInput::default() })
}

/// Opens a session, and keeps its client for the next ticket.
fn opened(open: impl FnOnce() -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (plain, notes) = with_notes(HandshakeInput::default(), open);
    if let Some(client) = notes.session.filter(|client| plain.is_some() && client.peer.is_some()) {
        CLIENTS.with_borrow_mut(|clients| clients.add(client));
    }
    plain
}

/// The tickets.
#[derive(Debug)]
struct Tickets(Arc<dyn ProducesTickets>);

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        with_notes(input_of(plain)?, || self.0.encrypt(plain)).0
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        opened(|| self.0.decrypt(cipher))
    }
}

/// The sessions of clients without tickets.
#[derive(Debug)]
struct Cache(Arc<dyn StoresServerSessions>);

impl StoresServerSessions for Cache {
    fn put(&self, id: Vec<u8>, plain: Vec<u8>) -> bool {
        let plain = Zeroizing::new(plain);
        let Some(input) = input_of(&plain) else { return false };
        with_notes(input, || self.0.put(id, plain.to_vec())).0
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        opened(|| self.0.get(id))
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        opened(|| self.0.take(id))
    }

    fn can_cache(&self) -> bool {
        self.0.can_cache()
    }
}
