//! Resumption: what lets a client that was here before skip the certificates.
//!
//! Servers keep nothing: a session travels in a ticket under keys that a context makes for itself and rotates, so that
//! no other context accepts it. Clients keep a bounded number of sessions a context.
//!
//! Where revocation is checked, a session has its peer's path with it, in the ticket or beside it: it is resumed only if
//! what is known now still accepts that path. Otherwise the full handshake follows, which gives the verdict.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, NamedGroup, ServerConfig};

use crate::error::{Code, Error, Result};
use crate::verify::{Notes, PeerVerifier, VerifiedPath};

/// Servers that a client context remembers sessions of unless it is told otherwise; the oldest is forgotten first.
const CLIENT_SESSIONS: usize = 256;

/// The most servers that a client context remembers sessions of, whatever it is told.
const CLIENT_SESSIONS_MAX: usize = 20_480;

/// Tickets of TLS 1.3 that a client keeps of one server; each serves once.
const CLIENT_TICKETS: usize = 8;

/// TLS 1.3 tickets sent after a full handshake, so that a client may open two connections at once later.
const TICKETS: usize = 2;

/// Bytes before a ticket's content: when it was made, in seconds since 1970.
const TIME_BYTES: usize = 8;

/// The most bytes of a ticket's content with a path; a longer one is not made. OpenSSL ends connections over a ticket of
/// more than 16 KiB.
const MAX_CONTENT_BYTES: usize = 15 * 1024;

/// The sessions of one context: how many are kept, for how long, and what its clients remember. Each configuration has
/// sessions of its own, and all count.
pub(crate) struct Sessions {
    client_sessions: AtomicUsize,
    /// 0 leaves the age to what a server says of its tickets.
    client_timeout_s: AtomicU32,
    /// 0 leaves the age to the ticket keys' rotation.
    server_timeout_s: AtomicU32,
    remembered: Mutex<Remembered>,
    configurations: AtomicU64,
    clock: Arc<dyn TimeProvider>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("client_sessions", &self.client_sessions).finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(clock: Arc<dyn TimeProvider>) -> Self {
        Self {
            client_sessions: AtomicUsize::new(CLIENT_SESSIONS),
            client_timeout_s: AtomicU32::new(0),
            server_timeout_s: AtomicU32::new(0),
            remembered: Mutex::default(),
            configurations: AtomicU64::new(0),
            clock,
        }
    }

    /// Bounds what clients remember; 0 is no limit but the greatest.
    pub(crate) fn limit_clients(&self, servers: usize, timeout_s: u32) {
        let most = if servers == 0 { CLIENT_SESSIONS_MAX } else { servers.min(CLIENT_SESSIONS_MAX) };
        self.client_sessions.store(most, Ordering::Relaxed);
        self.client_timeout_s.store(timeout_s, Ordering::Relaxed);
        self.lock().drop_oldest(most);
    }

    /// Bounds the age of what servers resume; 0 is no limit of its own.
    pub(crate) fn limit_servers(&self, timeout_s: u32) {
        self.server_timeout_s.store(timeout_s, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_s(&self) -> u64 {
        self.clock.current_time().map_or(0, |now| now.as_secs())
    }

    /// Whether the peer of a session is accepted still, by what is known of its path.
    fn accepts(&self, verifier: &PeerVerifier, path: &VerifiedPath) -> bool {
        self.clock.current_time().is_some_and(|now| verifier.recheck(path, now).is_ok())
    }

    fn is_fresh(&self, made_s: u64, timeout_s: &AtomicU32) -> bool {
        let timeout_s = u64::from(timeout_s.load(Ordering::Relaxed));
        timeout_s == 0 || self.now_s().saturating_sub(made_s) < timeout_s
    }
}

/// Sets up resumption of a server, or switches it off. `rechecker` is there where revocation is checked.
pub(crate) fn configure_server(
    config: &mut ServerConfig,
    is_enabled: bool,
    sessions: &Arc<Sessions>,
    rechecker: Option<&Arc<PeerVerifier>>,
) -> Result<()> {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.send_tls13_tickets = if is_enabled { TICKETS } else { 0 };
    config.ticketer = match is_enabled {
        true => {
            let made = rustls::crypto::aws_lc_rs::Ticketer::new();
            let inner = made.map_err(|error| Error::new(Code::Internal, error.to_string()))?;
            Arc::new(DatedTickets { inner, sessions: Arc::clone(sessions), rechecker: rechecker.map(Arc::clone) })
        }
        false => Arc::new(NoTickets),
    };
    Ok(())
}

/// Sets up resumption of a client, or switches it off; gives the sessions that it keeps. `rechecker` is there where
/// revocation is checked.
pub(crate) fn configure_client(
    config: &mut ClientConfig,
    is_enabled: bool,
    sessions: &Arc<Sessions>,
    rechecker: Option<&Arc<PeerVerifier>>,
) -> Option<Arc<ClientSessions>> {
    config.enable_early_data = false;
    let sessions = is_enabled.then(|| Arc::new(ClientSessions::new(Arc::clone(sessions), rechecker.map(Arc::clone))));
    config.resumption = match &sessions {
        Some(sessions) => Resumption::store(Arc::clone(sessions) as _),
        None => Resumption::disabled(),
    };
    sessions
}

/// A ticketer that makes and accepts none.
#[derive(Debug)]
struct NoTickets;

impl ProducesTickets for NoTickets {
    fn enabled(&self) -> bool {
        false
    }

    fn lifetime(&self) -> u32 {
        0
    }

    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// Tickets that say when they were made, and are refused when they are older than the limit. Where revocation is checked
/// they have the path of the peer that they are for, and are refused when it is not accepted any more.
#[derive(Debug)]
struct DatedTickets {
    inner: Arc<dyn ProducesTickets>,
    sessions: Arc<Sessions>,
    rechecker: Option<Arc<PeerVerifier>>,
}

impl ProducesTickets for DatedTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        match self.sessions.server_timeout_s.load(Ordering::Relaxed) {
            0 => self.inner.lifetime(),
            timeout_s => timeout_s.min(self.inner.lifetime()),
        }
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let path = match &self.rechecker {
            Some(_) => VerifiedPath::encode(Notes::path_to_keep().as_deref(), plain),
            None => Vec::new(),
        };
        let dated = zeroize::Zeroizing::new([&self.sessions.now_s().to_be_bytes(), path.as_slice(), plain].concat());
        let is_too_long = !path.is_empty() && dated.len() > MAX_CONTENT_BYTES;
        if is_too_long { None } else { self.inner.encrypt(&dated) }
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let mut plain = self.inner.decrypt(cipher)?;
        let (made, content) = plain.split_first_chunk::<TIME_BYTES>()?;
        if !self.sessions.is_fresh(u64::from_be_bytes(*made), &self.sessions.server_timeout_s) {
            return None;
        }
        let content_bytes = match &self.rechecker {
            None => content.len(),
            Some(verifier) => {
                let (path, content) = verifier.path_of_ticket(content)?;
                if path.as_ref().is_some_and(|path| !self.sessions.accepts(verifier, path)) {
                    return None;
                }
                Notes::set_session_path(path.map(Arc::new));
                content.len()
            }
        };
        plain.drain(..plain.len() - content_bytes);
        Some(plain)
    }
}

/// A session as a client keeps it.
#[derive(Clone, Debug)]
struct Kept<Session> {
    /// In seconds since 1970.
    made_s: u64,
    /// The server's, where revocation is checked.
    path: Option<Arc<VerifiedPath>>,
    session: Session,
}

/// What a client remembers of one server.
#[derive(Debug, Default)]
struct Server {
    group: Option<NamedGroup>,
    tls12: Option<Kept<Tls12ClientSessionValue>>,
    tls13: VecDeque<Kept<Tls13ClientSessionValue>>,
}

/// A server as one configuration knows it.
type Key = (u64, ServerName<'static>);

/// Each server of each configuration, and their keys, the one that came first in front.
#[derive(Debug, Default)]
struct Remembered {
    servers: HashMap<Key, Server>,
    order: VecDeque<Key>,
}

impl Remembered {
    fn drop_oldest(&mut self, most: usize) {
        while self.servers.len() > most {
            let Some(oldest) = self.order.pop_front() else { break };
            self.servers.remove(&oldest);
        }
    }
}

/// The sessions of one client configuration.
#[derive(Debug)]
pub(crate) struct ClientSessions {
    configuration: u64,
    sessions: Arc<Sessions>,
    rechecker: Option<Arc<PeerVerifier>>,
}

impl ClientSessions {
    fn new(sessions: Arc<Sessions>, rechecker: Option<Arc<PeerVerifier>>) -> Self {
        Self { configuration: sessions.configurations.fetch_add(1, Ordering::Relaxed), sessions, rechecker }
    }

    /// Forgets the sessions with a server.
    pub(crate) fn forget(&self, name: &ServerName<'static>) {
        self.change(name, |server| {
            server.tls12 = None;
            server.tls13.clear();
        });
    }

    fn key(&self, name: &ServerName<'_>) -> Key {
        (self.configuration, name.to_owned())
    }

    fn is_fresh<Session>(&self, kept: &Kept<Session>) -> bool {
        self.sessions.is_fresh(kept.made_s, &self.sessions.client_timeout_s)
    }

    /// A session of the connection that is being stepped, as it is kept; none where its server's path is to be checked
    /// again and not known.
    fn keep<Session>(&self, session: Session) -> Option<Kept<Session>> {
        let path = self.rechecker.as_ref().and_then(|_| Notes::path_to_keep());
        let is_complete = path.is_some() || self.rechecker.is_none();
        is_complete.then(|| Kept { made_s: self.sessions.now_s(), path, session })
    }

    /// Gives a session to the connection that is about to begin, if its server is accepted still.
    fn give<Session>(&self, kept: Kept<Session>) -> Option<Session> {
        if let Some(verifier) = &self.rechecker {
            let path = kept.path.filter(|path| self.sessions.accepts(verifier, path))?;
            Notes::set_session_path(Some(path));
        }
        Some(kept.session)
    }

    /// Changes what is known of a server, if anything is.
    fn change<T>(&self, name: &ServerName<'_>, change: impl FnOnce(&mut Server) -> T) -> Option<T> {
        self.sessions.lock().servers.get_mut(&self.key(name)).map(change)
    }

    fn remember(&self, name: ServerName<'static>, change: impl FnOnce(&mut Server)) {
        let most = self.sessions.client_sessions.load(Ordering::Relaxed);
        let key = (self.configuration, name);
        let mut remembered = self.sessions.lock();
        if !remembered.servers.contains_key(&key) {
            remembered.order.push_back(key.clone());
        }
        change(remembered.servers.entry(key).or_default());
        remembered.drop_oldest(most);
    }
}

impl Drop for ClientSessions {
    fn drop(&mut self) {
        let mut remembered = self.sessions.lock();
        remembered.servers.retain(|(configuration, _), _| *configuration != self.configuration);
        remembered.order.retain(|(configuration, _)| *configuration != self.configuration);
    }
}

impl ClientSessionStore for ClientSessions {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.remember(name, |server| server.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.change(name, |server| server.group)?
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        if let Some(kept) = self.keep(value) {
            self.remember(name, |server| server.tls12 = Some(kept));
        }
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let kept = self.change(name, |server| server.tls12.clone())??;
        if !self.is_fresh(&kept) {
            return None;
        }
        self.give(kept)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.change(name, |server| server.tls12 = None);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        let Some(kept) = self.keep(value) else { return };
        self.remember(name, |server| {
            if server.tls13.len() == CLIENT_TICKETS {
                server.tls13.pop_front();
            }
            server.tls13.push_back(kept);
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        // What is refused is dropped with the ticket; the next may be of another certificate.
        for _ in 0..CLIENT_TICKETS {
            let taken = self.change(name, |server| {
                server.tls13.retain(|kept| self.is_fresh(kept));
                server.tls13.pop_back()
            });
            if let Some(session) = self.give(taken??) {
                return Some(session);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::time_provider::DefaultTimeProvider;

    use super::*;
    use crate::keystore::TrustedCertificate;
    use crate::revocation::{Crls, Mode, Revocation, RevocationPolicy};
    use crate::verify::{Purpose, Scene, Switches};

    const SECRET: &[u8] = b"what rustls puts into a ticket";

    /// A verifier that trusts one certificate and has no list, and that certificate.
    fn verifier() -> (Arc<PeerVerifier>, CertificateDer<'static>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["broker".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "broker");
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let trusted = TrustedCertificate { der: certificate.clone(), place: "broker.pem".to_owned() };
        let policy = RevocationPolicy { mode: Mode::Prefer, ..RevocationPolicy::default() };
        let verifier = PeerVerifier::new(vec![trusted], Switches::default()).unwrap();
        (Arc::new(verifier.with_revocation(Revocation::new(policy, Crls::default()))), certificate)
    }

    fn tickets(rechecker: Arc<PeerVerifier>) -> DatedTickets {
        let inner = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
        let sessions = Arc::new(Sessions::new(Arc::new(DefaultTimeProvider)));
        DatedTickets { inner, sessions, rechecker: Some(rechecker) }
    }

    fn path(verifier: &PeerVerifier, certificate: &CertificateDer<'static>) -> Arc<VerifiedPath> {
        let now = DefaultTimeProvider.current_time().unwrap();
        let verdict = verifier.verify(std::slice::from_ref(certificate), Purpose::Client, None, now).unwrap();
        Arc::new(VerifiedPath::new(verdict.path))
    }

    #[test]
    fn ticket_gives_back_what_was_put_in_and_the_path_of_its_peer() {
        let (verifier, certificate) = verifier();
        let path = path(&verifier, &certificate);
        let tickets = tickets(verifier);
        for kept in [Some(Arc::clone(&path)), None] {
            Notes::begin(Scene { path: kept.clone(), ..Scene::default() });
            let ticket = tickets.encrypt(SECRET).unwrap();
            Notes::begin(Scene::default());
            assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(SECRET));
            assert_eq!(Notes::take().session_path, kept);
        }
    }

    #[test]
    fn no_cut_and_no_altered_byte_of_a_ticket_is_accepted() {
        let (verifier, certificate) = verifier();
        let path = path(&verifier, &certificate);
        let tickets = tickets(verifier);
        Notes::begin(Scene { path: Some(path), ..Scene::default() });
        let ticket = tickets.encrypt(SECRET).unwrap();
        for at in 0..ticket.len() {
            assert_eq!(tickets.decrypt(&ticket[..at]), None, "cut at {at}");
            let mut altered = ticket.clone();
            altered[at] ^= 1;
            assert_eq!(tickets.decrypt(&altered), None, "altered at {at}");
        }
        assert!(Notes::take().session_path.is_none());
    }

    #[test]
    fn path_that_makes_a_ticket_too_long_makes_none() {
        let (verifier, certificate) = verifier();
        let tickets = tickets(verifier);
        let long = vec![CertificateDer::from(vec![0; MAX_CONTENT_BYTES]), certificate];
        Notes::begin(Scene { path: Some(Arc::new(VerifiedPath::new(long))), ..Scene::default() });
        assert_eq!(tickets.encrypt(SECRET), None);
        Notes::take();
    }
}
