//! A server's sessions: in tickets, and for clients that take none, in a bounded cache by session ID.
//!
//! Both go through one gate, [`Gate`], which says what a session carries and which ones are resumed.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::{ProducesTickets, StoresServerSessions};
use zeroize::Zeroizing;

use super::Sessions;
use super::content::{self, Issuers};
use crate::verify::{Notes, Recheck};

/// Bytes of a record with one ticket of TLS 1.3 beside the ticket: header, tag, type, and the message's other fields.
pub(super) const TICKET_OVERHEAD_BYTES: usize = 5 + 16 + 1 + 4 + 4 + 4 + 33 + 2 + 2;

/// All sessions of a cache together, bytes.
const MAX_CACHE_BYTES: usize = 1 << 20;

/// Decides about the sessions of one server configuration.
#[derive(Debug)]
pub(super) struct Gate {
    sessions: Arc<Sessions>,
    recheck: Arc<Recheck>,
    issuers: Issuers,
}

impl Gate {
    pub(super) fn new(sessions: Arc<Sessions>, recheck: Arc<Recheck>) -> Self {
        Self { sessions, recheck, issuers: Issuers::default() }
    }

    /// The session of the connection that is being stepped, as it is sealed or stored; none while there is no time.
    fn seal(&self, plain: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let now_s = self.sessions.now_s()?;
        let authenticated = Notes::authenticated_or(now_s);
        let known = (&self.issuers, self.recheck.verifier());
        Some(content::encode(now_s, Notes::version(), &authenticated, plain, known))
    }

    /// What rustls kept in a session, if the session is resumed.
    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        if !Notes::may_look_at_offered() {
            return None;
        }
        let mut content = content::decode(sealed, (&self.issuers, self.recheck.verifier()))?;
        let is_fresh = self.sessions.is_fresh(content.made_s, &self.sessions.server_timeout_s);
        if !is_fresh || !self.sessions.accepts(&self.recheck, &content.authenticated, content.version) {
            return None;
        }
        Notes::set_session(Arc::new(content.authenticated));
        Some(std::mem::take(&mut *content.plain))
    }
}

/// Tickets that carry what the gate seals.
pub(super) struct Tickets {
    pub(super) inner: Arc<dyn ProducesTickets>,
    pub(super) gate: Arc<Gate>,
    /// What is in it has no use once the client has a ticket.
    pub(super) cache: Option<Arc<Cache>>,
    /// The most bytes of what is sent at once.
    pub(super) most_bytes: usize,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("most_bytes", &self.most_bytes).finish_non_exhaustive()
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        let lifetime_s = self.gate.sessions.server_lifetime_s();
        lifetime_s.min(self.inner.lifetime())
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let ticket = self.inner.encrypt(&self.gate.seal(plain)?)?;
        if !Notes::add_ticket(ticket.len() + TICKET_OVERHEAD_BYTES, self.most_bytes) {
            return None;
        }
        if let Some((cache, id)) = self.cache.as_ref().zip(Notes::take_stored_id()) {
            cache.lock().remove(&id);
        }
        Some(ticket)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let sealed = Zeroizing::new(self.inner.decrypt(cipher)?);
        self.gate.open(&sealed)
    }
}

/// Sessions of TLS 1.2 by their IDs (RFC 5246 section 7.4.1.2); the one that came first is forgotten first.
pub(super) struct Cache {
    gate: Arc<Gate>,
    most: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<Vec<u8>, Zeroizing<Vec<u8>>>,
    order: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Held {
    fn remove(&mut self, id: &[u8]) {
        if let Some(session) = self.sessions.remove(id) {
            self.bytes -= session.len();
            // Most are removed right after they came.
            if let Some(at) = self.order.iter().rposition(|known| known == id) {
                self.order.remove(at);
            }
        }
    }

    /// Forgets the oldest. One more than the most is kept until the next call, because a ticket may take its place.
    fn make_room(&mut self, most: usize, bytes: usize) {
        while self.sessions.len() > most || self.bytes + bytes > MAX_CACHE_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(session) = self.sessions.remove(&oldest) {
                self.bytes -= session.len();
            }
        }
    }
}

impl Cache {
    pub(super) fn new(gate: Arc<Gate>, most: usize) -> Self {
        Self { gate, most, held: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("most", &self.most).finish_non_exhaustive()
    }
}

impl StoresServerSessions for Cache {
    fn put(&self, id: Vec<u8>, plain: Vec<u8>) -> bool {
        let plain = Zeroizing::new(plain);
        let Some(sealed) = self.gate.seal(&plain).filter(|sealed| sealed.len() <= MAX_CACHE_BYTES) else {
            return false;
        };
        // Without the room that was reserved for what a session may have needed.
        let session = Zeroizing::new(sealed.to_vec());
        let mut held = self.lock();
        held.remove(&id);
        held.make_room(self.most, session.len());
        held.bytes += session.len();
        held.order.push_back(id.clone());
        held.sessions.insert(id.clone(), session);
        drop(held);
        Notes::set_stored_id(id);
        true
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        // The application may be asked about it, which must not happen under a lock.
        let session = {
            let mut held = self.lock();
            held.make_room(self.most, 0);
            held.sessions.get(id).cloned()?
        };
        self.gate.open(&session)
    }

    /// Only sessions of TLS 1.3 are taken by rustls; those are in tickets alone.
    fn take(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn can_cache(&self) -> bool {
        true
    }
}
