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
mod remembered;
mod second;
mod server;
mod sessions;
mod spec;
mod ticketer;

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::{ClientConfig, ServerConfig};

use crate::error::Result;
use crate::verify::Recheck;

pub(crate) use client::ClientSessions;
pub(crate) use second::{SecondSessions, TicketTag};
use server::{Cache, Gate, Tickets};
pub(crate) use sessions::Sessions;
pub(crate) use spec::SessionSpec;

/// The largest number of TLS 1.3 tickets after a handshake.
pub(crate) const TICKETS_MAX: usize = 8;

/// The largest limit of a ticket, in bytes. OpenSSL ends a connection that sends one over 16 KiB.
pub(crate) const TICKET_BYTES_MAX: usize = 16 * 1024;

/// The largest number of sessions in a server's cache.
pub(crate) const CACHE_MAX: usize = 65_536;

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
    if !spec.has_tickets {
        return Ok(());
    }
    config.send_tls13_tickets = spec.tls13_tickets;
    config.ticketer =
        Arc::new(Tickets { inner: ticketer::ticketer()?, gate, cache, most_bytes: spec.max_ticket_bytes });
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
