//! A client's side: the verifier of servers and the store of sessions, each with notes of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme};

use crate::certificate::KeptChain;
use crate::connection::Refusals;
use crate::session::ClientSessions;
use crate::verify::{Authenticated, HandshakeInput, RustlsVerifier};

use super::refusal;
use super::{judged, with_notes};

/// The most servers of one configuration that are kept. No session of a further one is.
const MOST_SERVERS: usize = 4096;

/// The scope of all sessions: connections have none of their own.
const SCOPE: &str = "rustls";

/// Makes the parts of a client's configuration that know of one another.
pub(crate) fn for_client(config: &mut ClientConfig, sessions: Option<Arc<ClientSessions>>, servers: &Arc<Servers>) {
    config.client_auth_cert_resolver = Arc::new(Resolver(Arc::clone(&config.client_auth_cert_resolver)));
    if let Some(sessions) = sessions {
        config.resumption = Resumption::store(Arc::new(Store { sessions, servers: Arc::clone(servers) }));
    }
}

/// The servers that were accepted, by name. rustls does not say which certificates the server of a session has shown,
/// so that no session is kept of a name with two chains.
#[derive(Debug, Default)]
pub(crate) struct Servers(Mutex<HashMap<ServerName<'static>, Known>>);

#[derive(Debug)]
enum Known {
    One(Arc<Authenticated>),
    Several,
}

impl Servers {
    fn lock(&self) -> MutexGuard<'_, HashMap<ServerName<'static>, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &ServerName<'_>, server: Arc<Authenticated>) {
        fn chain(server: &Authenticated) -> Option<&KeptChain> {
            server.peer.as_ref().map(|peer| &peer.chain)
        }
        let name = name.to_owned();
        let mut known = self.lock();
        let is_full = known.len() >= MOST_SERVERS;
        match known.get_mut(&name) {
            Some(Known::Several) => {}
            Some(Known::One(before)) if chain(before) == chain(&server) => *before = server,
            Some(other) => *other = Known::Several,
            None if is_full => {}
            None => _ = known.insert(name, Known::One(server)),
        }
    }

    /// The server of a name, if it has shown one chain alone.
    fn only_one(&self, name: &ServerName<'_>) -> Option<Arc<Authenticated>> {
        match self.lock().get(&name.to_owned())? {
            Known::One(server) => Some(Arc::clone(server)),
            Known::Several => None,
        }
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

/// A server of a configuration, by its name and its own certificate.
type Shown = (Arc<Servers>, ServerName<'static>, CertificateDer<'static>, Arc<Authenticated>);

thread_local! {
    /// The server that has shown its certificates, and has not proven that it has their key.
    static SHOWN: RefCell<Option<Shown>> = RefCell::default();
}

impl ServerVerifier {
    /// Judges a proof that the server has the key of its certificate.
    fn proven(
        &self,
        cert: &CertificateDer<'_>,
        call: impl FnOnce() -> Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let valid = judged(self.log.as_deref(), call).0?;
        let is_own = |(servers, _, end_entity, _): &Shown| Arc::ptr_eq(servers, &self.servers) && end_entity == cert;
        if let Some((_, name, _, server)) = SHOWN.take().filter(is_own) {
            self.servers.add(&name, server);
        }
        Ok(valid)
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
        let (outcome, notes) =
            judged(self.log.as_deref(), || self.inner.verify_server_cert(end_entity, intermediates, name, staple, now));
        let server = notes.verified.filter(|_| outcome.is_ok());
        SHOWN.set(
            server.map(|server| (Arc::clone(&self.servers), name.to_owned(), end_entity.clone().into_owned(), server)),
        );
        outcome
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.proven(cert, || ServerCertVerifier::verify_tls12_signature(&self.inner, message, cert, dss))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.proven(cert, || ServerCertVerifier::verify_tls13_signature(&self.inner, message, cert, dss))
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
