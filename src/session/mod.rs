//! Resumption: a peer continues an earlier session without its certificates.
//!
//! A server's session is in a ticket under keys that the context makes and rotates, so that no other context accepts it
//! (server.rs). Sessions of clients without tickets are in a small cache. Clients keep a bounded number of sessions a
//! context (client.rs).
//!
//! A session is resumed only within its age limit, which starts at its full handshake. Every certificate of the peer
//! must still be valid, and the peer must be accepted under the current lists and responses. Otherwise, a full
//! handshake follows, which gives the verdict.

mod client;
mod content;
mod server;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ServerConfig};

use crate::error::{Code, Error, Result};
use crate::verify::{AskAgain, Authenticated, Recheck};

pub(crate) use client::ClientSessions;
use client::Remembered;
use server::{Cache, Gate, Tickets};

/// The default number of servers with stored sessions in a client context. The oldest is removed first.
const CLIENT_SESSIONS: usize = 256;

/// The largest number of servers with stored sessions in a client context.
const CLIENT_SESSIONS_MAX: usize = 20_480;

/// The largest number of TLS 1.3 tickets after a handshake.
pub(crate) const TICKETS_MAX: usize = 8;

/// The largest limit of a ticket, in bytes. OpenSSL ends a connection that sends one over 16 KiB.
pub(crate) const TICKET_BYTES_MAX: usize = 16 * 1024;

/// The largest number of sessions in a server's cache.
pub(crate) const CACHE_MAX: usize = 65_536;

/// The settings of resumption.
#[derive(Clone, Debug)]
pub(crate) struct SessionSpec {
    pub(crate) is_on: bool,
    /// The number of TLS 1.3 tickets after a handshake. 0 turns them off, and does not change TLS 1.2.
    pub(crate) tls13_tickets: usize,
    /// The largest size of the tickets sent at once, in bytes with their record.
    pub(crate) max_ticket_bytes: usize,
    /// The number of TLS 1.2 sessions of clients without tickets in a server's cache.
    pub(crate) cache: usize,
    /// The time after the full handshake in which a session may be resumed, any number of times.
    pub(crate) max_age_s: u32,
    pub(crate) ask_again: AskAgain,
}

impl Default for SessionSpec {
    fn default() -> Self {
        Self {
            is_on: true,
            // A client may open two connections at once later.
            tls13_tickets: 2,
            max_ticket_bytes: 4096,
            cache: 256,
            max_age_s: 24 * 60 * 60,
            ask_again: AskAgain::default(),
        }
    }
}

/// The sessions of one context with their limits. Each configuration has its own sessions, and all count.
pub(crate) struct Sessions {
    max_age_s: u32,
    client_sessions: AtomicUsize,
    /// 0 leaves the age to the lifetime of the server's tickets.
    client_timeout_s: AtomicU32,
    /// 0 leaves the age to the rotation of the ticket keys.
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
    pub(crate) fn new(clock: Arc<dyn TimeProvider>, spec: &SessionSpec) -> Self {
        Self {
            max_age_s: spec.max_age_s,
            client_sessions: AtomicUsize::new(CLIENT_SESSIONS),
            client_timeout_s: AtomicU32::new(0),
            server_timeout_s: AtomicU32::new(0),
            remembered: Mutex::default(),
            configurations: AtomicU64::new(0),
            clock,
        }
    }

    /// Limits the number of servers with stored sessions. 0 selects the largest.
    pub(crate) fn limit_clients(&self, servers: usize, timeout_s: u32) {
        let most = if servers == 0 { CLIENT_SESSIONS_MAX } else { servers.min(CLIENT_SESSIONS_MAX) };
        self.client_sessions.store(most, Ordering::Relaxed);
        self.client_timeout_s.store(timeout_s, Ordering::Relaxed);
        self.lock().drop_oldest(most);
    }

    /// Limits the age of the sessions that servers resume. 0 sets no limit.
    pub(crate) fn limit_servers(&self, timeout_s: u32) {
        self.server_timeout_s.store(timeout_s, Ordering::Relaxed);
    }

    /// Removes the sessions with a server in this scope.
    pub(crate) fn forget(&self, name: &ServerName<'_>, scope: &str) {
        self.lock().forget(name, scope);
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the seconds since 1970, or `None` if the clock has no time.
    fn now_s(&self) -> Option<u64> {
        self.clock.current_time().map(|now| now.as_secs())
    }

    /// Returns true if the age allows to resume a session and its peer is still accepted. Without a time, or with one
    /// before the handshake, nothing is resumed.
    fn accepts(&self, recheck: &Recheck, authenticated: &Authenticated, version: &'static str) -> bool {
        let Some(now) = self.clock.current_time() else { return false };
        let age_s = now.as_secs().checked_sub(authenticated.at_s);
        age_s.is_some_and(|age_s| age_s < u64::from(self.max_age_s))
            && recheck.check(authenticated, version, now).is_ok()
    }

    fn is_fresh(&self, made_s: u64, timeout_s: &AtomicU32) -> bool {
        let timeout_s = u64::from(timeout_s.load(Ordering::Relaxed));
        timeout_s == 0 || self.now_s().is_some_and(|now_s| now_s.saturating_sub(made_s) < timeout_s)
    }

    /// The largest age of a session that a server resumes.
    fn server_lifetime_s(&self) -> u32 {
        match self.server_timeout_s.load(Ordering::Relaxed) {
            0 => self.max_age_s,
            timeout_s => timeout_s.min(self.max_age_s),
        }
    }
}

/// Configures resumption of a server, or turns it off.
pub(crate) fn configure_server(
    config: &mut ServerConfig,
    spec: &SessionSpec,
    sessions: &Arc<Sessions>,
    recheck: Recheck,
) -> Result<()> {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.send_tls13_tickets = 0;
    config.ticketer = Arc::new(NoTickets);
    if !spec.is_on {
        return Ok(());
    }
    let gate = Arc::new(Gate::new(Arc::clone(sessions), Arc::new(recheck)));
    let cache = (spec.cache > 0).then(|| Arc::new(Cache::new(Arc::clone(&gate), spec.cache)));
    if let Some(cache) = &cache {
        config.session_storage = Arc::clone(cache) as _;
    }
    let made = rustls::crypto::aws_lc_rs::Ticketer::new();
    let inner = made.map_err(|error| Error::new(Code::Internal, "no keys for tickets").with_source(error))?;
    config.send_tls13_tickets = spec.tls13_tickets;
    config.ticketer = Arc::new(Tickets { inner, gate, cache, most_bytes: spec.max_ticket_bytes });
    Ok(())
}

/// Configures resumption of a client, or turns it off. Returns its store of sessions.
pub(crate) fn configure_client(
    config: &mut ClientConfig,
    spec: &SessionSpec,
    sessions: &Arc<Sessions>,
    recheck: Recheck,
) -> Option<Arc<ClientSessions>> {
    config.enable_early_data = false;
    let sessions = spec.is_on.then(|| Arc::new(ClientSessions::new(Arc::clone(sessions), recheck)));
    config.resumption = match &sessions {
        Some(sessions) => Resumption::store(Arc::clone(sessions) as _),
        None => Resumption::disabled(),
    };
    sessions
}

/// A ticketer that makes and accepts no tickets.
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
