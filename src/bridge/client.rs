//! A client's side: the verifier of servers and the store of sessions, each with notes of its own.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme};

use crate::connection::Refusals;
use crate::session::ClientSessions;
use crate::verify::{Authenticated, HandshakeInput, RustlsVerifier};

use super::refusal;
use super::with_notes;

/// The most servers of one configuration that are kept, and the most certificate chains of one server.
const MOST_SERVERS: usize = 4096;
const MOST_CHAINS: usize = 2;

/// The scope of all sessions: connections have none of their own.
const SCOPE: &str = "rustls";

/// Makes the parts of a client's configuration that know of one another.
pub(crate) fn for_client(config: &mut ClientConfig, sessions: Option<Arc<ClientSessions>>, servers: &Arc<Servers>) {
    config.client_auth_cert_resolver = Arc::new(Resolver(Arc::clone(&config.client_auth_cert_resolver)));
    if let Some(sessions) = sessions {
        config.resumption = Resumption::store(Arc::new(Store { sessions, servers: Arc::clone(servers) }));
    }
}

/// The servers that were accepted, by name. rustls does not say which chain the server of a session has shown: none is
/// kept of a name with two chains.
#[derive(Debug)]
pub(crate) struct Servers {
    /// The age at which no session of a chain is resumed any more, in seconds.
    max_age_s: u64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    chains: HashMap<ServerName<'static>, VecDeque<Arc<Authenticated>>>,
    order: VecDeque<ServerName<'static>>,
}

impl Servers {
    pub(crate) fn new(max_age_s: u32) -> Self {
        Self { max_age_s: max_age_s.into(), known: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &ServerName<'_>, server: Arc<Authenticated>) {
        let name = name.to_owned();
        let mut known = self.lock();
        if !known.chains.contains_key(&name) {
            if known.order.len() >= MOST_SERVERS
                && let Some(oldest) = known.order.pop_front()
            {
                known.chains.remove(&oldest);
            }
            known.order.push_back(name.clone());
        }
        let chains = known.chains.entry(name).or_default();
        let chain_of = |one: &Authenticated| one.peer.as_ref().map(|peer| peer.chain.clone());
        let is_other = |one: &Arc<Authenticated>| {
            server.at_s.saturating_sub(one.at_s) < self.max_age_s && chain_of(one) != chain_of(&server)
        };
        chains.retain(is_other);
        chains.push_front(server);
        chains.truncate(MOST_CHAINS);
    }

    /// The server of a name, if it has shown one chain alone.
    fn only_one(&self, name: &ServerName<'_>) -> Option<Arc<Authenticated>> {
        let known = self.lock();
        let chains = known.chains.get(&name.to_owned()).filter(|chains| chains.len() == 1)?;
        chains.front().map(Arc::clone)
    }
}

/// The verifier of servers.
pub(crate) struct ServerVerifier {
    pub(crate) inner: RustlsVerifier,
    pub(crate) log: Option<Arc<Refusals>>,
    pub(crate) servers: Arc<Servers>,
}

impl fmt::Debug for ServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerVerifier").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl ServerVerifier {
    fn judge<T>(
        &self,
        name: Option<&ServerName<'_>>,
        call: impl FnOnce() -> Result<T, rustls::Error>,
    ) -> Result<T, rustls::Error> {
        let (outcome, notes) = with_notes(HandshakeInput::default(), call);
        if let (Ok(_), Some(name), Some(server)) = (&outcome, name, notes.verified) {
            self.servers.add(name, server);
        }
        refusal::told(outcome, notes.refusal, self.log.as_deref())
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        refusal::forget();
        self.judge(Some(name), || self.inner.verify_server_cert(end_entity, intermediates, name, staple, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge(None, || ServerCertVerifier::verify_tls12_signature(&self.inner, message, cert, dss))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge(None, || ServerCertVerifier::verify_tls13_signature(&self.inner, message, cert, dss))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(&self.inner)
    }
}

/// The choice of an identity.
#[derive(Debug)]
struct Resolver(Arc<dyn ResolvesClientCert>);

impl ResolvesClientCert for Resolver {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        with_notes(HandshakeInput::default(), || self.0.resolve(hints, schemes)).0
    }

    fn has_certs(&self) -> bool {
        self.0.has_certs()
    }
}

/// The sessions, under the rules of connections of this library.
#[derive(Debug)]
struct Store {
    sessions: Arc<ClientSessions>,
    servers: Arc<Servers>,
}

impl Store {
    fn with<T>(&self, peer: Option<Arc<Authenticated>>, call: impl FnOnce(&ClientSessions) -> T) -> T {
        let input = HandshakeInput { peer, session_scope: Some(Arc::from(SCOPE)), ..HandshakeInput::default() };
        with_notes(input, || call(&self.sessions)).0
    }

    /// Keeps a session of a server that was accepted.
    fn keep(&self, name: &ServerName<'_>, call: impl FnOnce(&ClientSessions)) {
        if let Some(server) = self.servers.only_one(name) {
            self.with(Some(server), call);
        }
    }
}

impl ClientSessionStore for Store {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.with(None, |sessions| sessions.set_kx_hint(name, group));
    }

    /// The first call of a handshake.
    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        refusal::forget();
        self.with(None, |sessions| sessions.kx_hint(name))
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.keep(&name.clone(), |sessions| sessions.set_tls12_session(name, value));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.with(None, |sessions| sessions.tls12_session(name))
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.with(None, |sessions| sessions.remove_tls12_session(name));
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.keep(&name.clone(), |sessions| sessions.insert_tls13_ticket(name, value));
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.with(None, |sessions| sessions.take_tls13_ticket(name))
    }
}
