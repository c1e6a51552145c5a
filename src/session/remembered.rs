//! The sessions that the clients of a context remember, by server.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rustls::NamedGroup;
use rustls::client::{Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

use crate::verify::{Authenticated, ShownIdentity};

/// A stored session of a client.
#[derive(Clone, Debug)]
pub(super) struct StoredSession<Session> {
    /// The time in seconds since 1970.
    pub(super) made_s: u64,
    /// The server.
    pub(super) authenticated: Arc<Authenticated>,
    /// The identity of this side, if a host chose it.
    pub(super) shown: Option<Arc<ShownIdentity>>,
    pub(super) session: Session,
}

/// The stored sessions of one server.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) group: Option<NamedGroup>,
    pub(super) tls12: Option<StoredSession<Tls12ClientSessionValue>>,
    pub(super) tls13: VecDeque<StoredSession<Tls13ClientSessionValue>>,
}

/// A server, its configuration, and the scope of the connection. A session is never resumed by a connection that
/// verifies something else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) configuration: u64,
    /// The name that is sent.
    pub(super) name: ServerName<'static>,
    /// The name that is verified, if it is another one.
    pub(super) verified: Option<Arc<ServerName<'static>>>,
    pub(super) scope: Arc<str>,
}

/// The servers of all configurations, and their keys, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    pub(super) servers: HashMap<Key, Server>,
    pub(super) order: VecDeque<Key>,
}

impl Remembered {
    pub(super) fn drop_oldest(&mut self, most: usize) {
        while self.servers.len() > most {
            let Some(oldest) = self.order.pop_front() else { break };
            self.servers.remove(&oldest);
        }
    }

    pub(super) fn forget(&mut self, name: &ServerName<'_>, scope: &str) {
        for (key, server) in &mut self.servers {
            if key.verified.as_deref().unwrap_or(&key.name) == name && &*key.scope == scope {
                server.tls12 = None;
                server.tls13.clear();
            }
        }
    }
}
