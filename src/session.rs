//! Resumption: what lets a client that was here before skip the certificates.
//!
//! Servers keep nothing: a session travels in a ticket under keys that a context makes for itself and rotates, so that
//! no other context accepts it. Clients keep a bounded number of sessions a context.

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

    fn is_fresh(&self, made_s: u64, timeout_s: &AtomicU32) -> bool {
        let timeout_s = u64::from(timeout_s.load(Ordering::Relaxed));
        timeout_s == 0 || self.now_s().saturating_sub(made_s) < timeout_s
    }
}

/// Sets up resumption of a server, or switches it off.
pub(crate) fn configure_server(config: &mut ServerConfig, is_enabled: bool, sessions: &Arc<Sessions>) -> Result<()> {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.send_tls13_tickets = if is_enabled { TICKETS } else { 0 };
    config.ticketer = match is_enabled {
        true => {
            let made = rustls::crypto::aws_lc_rs::Ticketer::new();
            let inner = made.map_err(|error| Error::new(Code::Internal, error.to_string()))?;
            Arc::new(DatedTickets { inner, sessions: Arc::clone(sessions) })
        }
        false => Arc::new(NoTickets),
    };
    Ok(())
}

/// Sets up resumption of a client, or switches it off; gives the sessions that it keeps.
pub(crate) fn configure_client(
    config: &mut ClientConfig,
    is_enabled: bool,
    sessions: &Arc<Sessions>,
) -> Option<Arc<ClientSessions>> {
    config.enable_early_data = false;
    let sessions = is_enabled.then(|| Arc::new(ClientSessions::new(Arc::clone(sessions))));
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

/// Tickets that say when they were made, and are refused when they are older than the limit.
#[derive(Debug)]
struct DatedTickets {
    inner: Arc<dyn ProducesTickets>,
    sessions: Arc<Sessions>,
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
        let dated = zeroize::Zeroizing::new([&self.sessions.now_s().to_be_bytes(), plain].concat());
        self.inner.encrypt(&dated)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let mut plain = self.inner.decrypt(cipher)?;
        let made = plain.first_chunk::<TIME_BYTES>().copied()?;
        plain.drain(..TIME_BYTES);
        self.sessions.is_fresh(u64::from_be_bytes(made), &self.sessions.server_timeout_s).then_some(plain)
    }
}

/// What a client remembers of one server; times are in seconds since 1970.
#[derive(Debug, Default)]
struct Server {
    group: Option<NamedGroup>,
    tls12: Option<(u64, Tls12ClientSessionValue)>,
    tls13: VecDeque<(u64, Tls13ClientSessionValue)>,
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
}

impl ClientSessions {
    fn new(sessions: Arc<Sessions>) -> Self {
        Self { configuration: sessions.configurations.fetch_add(1, Ordering::Relaxed), sessions }
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

    fn is_fresh(&self, made_s: u64) -> bool {
        self.sessions.is_fresh(made_s, &self.sessions.client_timeout_s)
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
        let now_s = self.sessions.now_s();
        self.remember(name, |server| server.tls12 = Some((now_s, value)));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let (made_s, value) = self.change(name, |server| server.tls12.clone())??;
        self.is_fresh(made_s).then_some(value)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.change(name, |server| server.tls12 = None);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        let now_s = self.sessions.now_s();
        self.remember(name, |server| {
            if server.tls13.len() == CLIENT_TICKETS {
                server.tls13.pop_front();
            }
            server.tls13.push_back((now_s, value));
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let taken = self.change(name, |server| {
            server.tls13.retain(|(made_s, _)| self.is_fresh(*made_s));
            server.tls13.pop_back()
        });
        taken?.map(|(_, value)| value)
    }
}
