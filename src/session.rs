//! Resumption: what lets a client that was here before skip the certificates.
//!
//! Servers keep nothing: a session travels in a ticket under keys that a context makes for itself and rotates, so that
//! no other context accepts it. Clients keep a bounded number of sessions a context.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
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

/// How many sessions are kept, and for how long; changed while they are in use.
pub(crate) struct Limits {
    client_sessions: AtomicUsize,
    /// 0 leaves the age to the ticket keys' rotation, and to what a server says of its tickets.
    timeout_s: AtomicU32,
    clock: Arc<dyn TimeProvider>,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("timeout_s", &self.timeout_s).finish_non_exhaustive()
    }
}

impl Limits {
    pub(crate) fn new(clock: Arc<dyn TimeProvider>) -> Self {
        Self { client_sessions: AtomicUsize::new(CLIENT_SESSIONS), timeout_s: AtomicU32::new(0), clock }
    }

    /// Sets both; 0 is no limit but the greatest.
    pub(crate) fn set(&self, client_sessions: usize, timeout_s: u32) {
        let most = if client_sessions == 0 { CLIENT_SESSIONS_MAX } else { client_sessions.min(CLIENT_SESSIONS_MAX) };
        self.client_sessions.store(most, Ordering::Relaxed);
        self.timeout_s.store(timeout_s, Ordering::Relaxed);
    }

    fn now_s(&self) -> u64 {
        self.clock.current_time().map_or(0, |now| now.as_secs())
    }

    fn is_fresh(&self, made_s: u64) -> bool {
        let timeout_s = u64::from(self.timeout_s.load(Ordering::Relaxed));
        timeout_s == 0 || self.now_s().saturating_sub(made_s) < timeout_s
    }
}

/// Sets up resumption of a server, or switches it off.
pub(crate) fn configure_server(config: &mut ServerConfig, is_enabled: bool, limits: &Arc<Limits>) -> Result<()> {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.send_tls13_tickets = if is_enabled { TICKETS } else { 0 };
    config.ticketer = match is_enabled {
        true => {
            let made = rustls::crypto::aws_lc_rs::Ticketer::new();
            let inner = made.map_err(|error| Error::new(Code::Internal, error.to_string()))?;
            Arc::new(DatedTickets { inner, limits: Arc::clone(limits) })
        }
        false => Arc::new(NoTickets),
    };
    Ok(())
}

/// Sets up resumption of a client, or switches it off; gives the sessions that it keeps.
pub(crate) fn configure_client(
    config: &mut ClientConfig,
    is_enabled: bool,
    limits: &Arc<Limits>,
) -> Option<Arc<ClientSessions>> {
    config.enable_early_data = false;
    let sessions = is_enabled.then(|| Arc::new(ClientSessions::new(Arc::clone(limits))));
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
    limits: Arc<Limits>,
}

impl ProducesTickets for DatedTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        match self.limits.timeout_s.load(Ordering::Relaxed) {
            0 => self.inner.lifetime(),
            timeout_s => timeout_s.min(self.inner.lifetime()),
        }
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let dated = zeroize::Zeroizing::new([&self.limits.now_s().to_be_bytes(), plain].concat());
        self.inner.encrypt(&dated)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let mut plain = self.inner.decrypt(cipher)?;
        let made = plain.first_chunk::<TIME_BYTES>().copied()?;
        plain.drain(..TIME_BYTES);
        self.limits.is_fresh(u64::from_be_bytes(made)).then_some(plain)
    }
}

/// What a client remembers of one server; times are in seconds since 1970.
#[derive(Debug, Default)]
struct Server {
    group: Option<NamedGroup>,
    tls12: Option<(u64, Tls12ClientSessionValue)>,
    tls13: VecDeque<(u64, Tls13ClientSessionValue)>,
}

#[derive(Debug, Default)]
struct Remembered {
    servers: HashMap<ServerName<'static>, Server>,
    /// The servers' names, the one that came first in front.
    order: VecDeque<ServerName<'static>>,
}

/// The sessions of one client configuration.
#[derive(Debug)]
pub(crate) struct ClientSessions {
    remembered: Mutex<Remembered>,
    limits: Arc<Limits>,
}

impl ClientSessions {
    fn new(limits: Arc<Limits>) -> Self {
        Self { remembered: Mutex::default(), limits }
    }

    /// Forgets the sessions with a server.
    pub(crate) fn forget(&self, name: &ServerName<'static>) {
        if let Some(server) = self.lock().servers.get_mut(name) {
            server.tls12 = None;
            server.tls13.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, name: ServerName<'static>, change: impl FnOnce(&mut Server)) {
        let most = self.limits.client_sessions.load(Ordering::Relaxed);
        let mut remembered = self.lock();
        if !remembered.servers.contains_key(&name) {
            remembered.order.push_back(name.clone());
        }
        change(remembered.servers.entry(name).or_default());
        while remembered.servers.len() > most {
            let Some(oldest) = remembered.order.pop_front() else { break };
            remembered.servers.remove(&oldest);
        }
    }
}

impl ClientSessionStore for ClientSessions {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.remember(name, |server| server.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.lock().servers.get(name)?.group
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        let now_s = self.limits.now_s();
        self.remember(name, |server| server.tls12 = Some((now_s, value)));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let remembered = self.lock();
        let (made_s, value) = remembered.servers.get(name)?.tls12.as_ref()?;
        self.limits.is_fresh(*made_s).then(|| value.clone())
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        if let Some(server) = self.lock().servers.get_mut(name) {
            server.tls12 = None;
        }
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        let now_s = self.limits.now_s();
        self.remember(name, |server| {
            if server.tls13.len() == CLIENT_TICKETS {
                server.tls13.pop_front();
            }
            server.tls13.push_back((now_s, value));
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let mut remembered = self.lock();
        let tickets = &mut remembered.servers.get_mut(name)?.tls13;
        tickets.retain(|(made_s, _)| self.limits.is_fresh(*made_s));
        tickets.pop_back().map(|(_, value)| value)
    }
}
