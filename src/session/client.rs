//! The sessions of a client, by configuration, server and scope of the connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

use super::remembered::{Key, Server, StoredSession};
use super::sessions::Sessions;
use crate::verify::{HandshakeNotes, Recheck};

/// The number of TLS 1.3 tickets of one server that a client keeps. Each is used once.
const TICKETS: usize = 8;

/// The sessions of one client configuration.
#[derive(Debug)]
pub(crate) struct ClientSessions {
    configuration: u64,
    sessions: Arc<Sessions>,
    recheck: Recheck,
}

impl ClientSessions {
    pub(super) fn new(sessions: Arc<Sessions>, recheck: Recheck) -> Self {
        Self { configuration: sessions.configurations.fetch_add(1, Ordering::Relaxed), sessions, recheck }
    }

    /// Returns true if the application must accept the server of a stored session first.
    pub(crate) fn asks_first(
        &self,
        name: &ServerName<'static>,
        verified: Option<&Arc<ServerName<'static>>>,
        scope: Option<&Arc<str>>,
    ) -> bool {
        let Some(scope) = scope.filter(|_| self.recheck.asks_application()) else { return false };
        let key = self.key_of(name.clone(), verified.map(Arc::clone), scope);
        let remembered = self.sessions.lock();
        remembered.servers.get(&key).is_some_and(|server| server.tls12.is_some() || !server.tls13.is_empty())
    }

    fn key_of(&self, name: ServerName<'static>, verified: Option<Arc<ServerName<'static>>>, scope: &Arc<str>) -> Key {
        Key { configuration: self.configuration, name, verified, scope: Arc::clone(scope) }
    }

    /// The key of the current connection; none without a server name.
    fn key(&self, name: &ServerName<'_>) -> Option<Key> {
        Some(self.key_of(name.to_owned(), HandshakeNotes::verified_name(), &HandshakeNotes::session_scope()?))
    }

    fn is_fresh<Session>(&self, kept: &StoredSession<Session>) -> bool {
        self.sessions.is_fresh(kept.made_s, &self.sessions.client_timeout_s)
    }

    /// Makes the stored form of a session of the current connection.
    fn keep<Session>(&self, session: Session) -> Option<StoredSession<Session>> {
        let authenticated = HandshakeNotes::authenticated()?;
        let is_whole = authenticated.peer.is_some() || !self.recheck.needs_peer();
        let made_s = self.sessions.now_s().filter(|_| is_whole)?;
        Some(StoredSession { made_s, authenticated, shown: HandshakeNotes::shown(), session })
    }

    /// Gives a session to a new connection if its server is still accepted.
    fn give<Session>(&self, kept: StoredSession<Session>, version: &'static str) -> Option<Session> {
        let is_accepted = self.sessions.accepts(&self.recheck, &kept.authenticated, version)
            && self.recheck.shows_again(kept.shown.as_deref(), &kept.authenticated);
        is_accepted.then(|| {
            HandshakeNotes::set_session(kept.authenticated);
            HandshakeNotes::set_shown(kept.shown);
            kept.session
        })
    }

    /// Changes the sessions of a server, if there are any.
    fn change<T>(&self, name: &ServerName<'_>, change: impl FnOnce(&mut Server) -> T) -> Option<T> {
        let key = self.key(name)?;
        self.sessions.lock().servers.get_mut(&key).map(change)
    }

    fn remember(&self, name: &ServerName<'_>, change: impl FnOnce(&mut Server)) {
        let most = self.sessions.client_sessions.load(Ordering::Relaxed);
        let Some(key) = self.key(name) else { return };
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
        remembered.servers.retain(|key, _| key.configuration != self.configuration);
        remembered.order.retain(|key| key.configuration != self.configuration);
    }
}

impl ClientSessionStore for ClientSessions {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.remember(&name, |server| server.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.change(name, |server| server.group)?
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        if let Some(kept) = self.keep(value) {
            self.remember(&name, |server| server.tls12 = Some(kept));
        }
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let kept = self.change(name, |server| server.tls12.clone())??;
        let session = Some(kept).filter(|kept| self.is_fresh(kept)).and_then(|kept| self.give(kept, "TLSv1.2"));
        if session.is_none() {
            // The application is not called again for a session that it has refused.
            self.change(name, |server| server.tls12 = None);
        }
        session
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.change(name, |server| server.tls12 = None);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        let Some(kept) = self.keep(value) else { return };
        self.remember(&name, |server| {
            if server.tls13.len() == TICKETS {
                server.tls13.pop_front();
            }
            server.tls13.push_back(kept);
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        for _ in 0..TICKETS {
            let taken = self.change(name, |server| {
                server.tls13.retain(|kept| self.is_fresh(kept));
                server.tls13.pop_back()
            });
            let kept = taken??;
            let authenticated = Arc::clone(&kept.authenticated);
            if let Some(session) = self.give(kept, "TLSv1.3") {
                return Some(session);
            }
            // The next may have another certificate. Those of the same handshake are refused with this one.
            self.change(name, |server| server.tls13.retain(|kept| !kept.authenticated.is_of_handshake(&authenticated)));
        }
        None
    }
}
