//! The sessions of a server: in tickets, or in a bounded cache by session ID for clients without tickets.
//!
//! Both use [`Gate`], which makes the content of a session and decides if it is resumed.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::{ProducesTickets, StoresServerSessions};
use rustls::ticketer::TicketRotator;
use zeroize::Zeroizing;

use super::content::{self, Issuers};
use super::sessions::Sessions;
use crate::verify::{HandshakeNotes, Recheck};

/// The overhead of a record with one TLS 1.3 ticket, in bytes: header, tag, type, and the other fields of the message.
pub(super) const TICKET_OVERHEAD_BYTES: usize = 5 + 16 + 1 + 4 + 4 + 4 + 33 + 2 + 2;

/// The largest size of all sessions of a cache, in bytes.
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

    /// Makes the content of the session of the current connection. `None` if the clock has no time.
    fn seal(&self, plain: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let now_s = self.sessions.now_s()?;
        let authenticated = HandshakeNotes::authenticated_or(now_s);
        let known = (&self.issuers, self.recheck.verifier());
        content::encode(now_s, HandshakeNotes::version(), &authenticated, plain, known)
    }

    /// Returns the state of rustls of a session, if the session is resumed.
    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        if !HandshakeNotes::may_look_at_offered() {
            return None;
        }
        let mut content = content::decode(sealed, (&self.issuers, self.recheck.verifier()))?;
        let is_fresh = self.sessions.is_fresh(content.made_s, &self.sessions.server_timeout_s);
        if !is_fresh || !self.sessions.accepts(&self.recheck, &content.authenticated, content.version) {
            return None;
        }
        HandshakeNotes::set_session(Arc::new(content.authenticated));
        Some(std::mem::take(&mut *content.plain))
    }
}

/// Tickets with the content that the gate makes.
pub(super) struct Tickets {
    pub(super) inner: TicketRotator,
    pub(super) gate: Arc<Gate>,
    /// The cache of sessions. An entry is not needed when the client has a ticket.
    pub(super) cache: Option<Arc<Cache>>,
    /// The largest size of the tickets sent at once, in bytes.
    pub(super) most_bytes: usize,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("most_bytes", &self.most_bytes).finish_non_exhaustive()
    }
}

impl Tickets {
    /// Makes a ticket that has this many bytes more.
    pub(super) fn encrypt_beside(&self, plain: &[u8], other_bytes: usize) -> Option<Vec<u8>> {
        let ticket = self.inner.encrypt(&self.gate.seal(plain)?)?;
        let bytes = ticket.len().saturating_add(other_bytes).saturating_add(TICKET_OVERHEAD_BYTES);
        HandshakeNotes::add_ticket(bytes, self.most_bytes).then_some(ticket)
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
        let ticket = self.encrypt_beside(plain, 0)?;
        if let Some((cache, id)) = self.cache.as_ref().zip(HandshakeNotes::take_stored_id()) {
            cache.lock().remove(&id);
        }
        Some(ticket)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let sealed = Zeroizing::new(self.inner.decrypt(cipher)?);
        self.gate.open(&sealed)
    }
}

/// Sessions of TLS 1.2 by their IDs (RFC 5246 section 7.4.1.2). The oldest is removed first.
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
            // Most are removed soon after they were added.
            if let Some(at) = self.order.iter().rposition(|known| known == id) {
                self.order.remove(at);
            }
        }
    }

    /// Removes the oldest. One over the limit is kept until the next call, because a ticket may replace it.
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
        // Frees the spare capacity.
        let session = Zeroizing::new(sealed.to_vec());
        let mut held = self.lock();
        held.remove(&id);
        held.make_room(self.most, session.len());
        held.bytes += session.len();
        held.order.push_back(id.clone());
        held.sessions.insert(id.clone(), session);
        drop(held);
        HandshakeNotes::set_stored_id(id);
        true
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        // The application may be called, which must not happen under a lock.
        let session = {
            let mut held = self.lock();
            held.make_room(self.most, 0);
            held.sessions.get(id).cloned()?
        };
        self.gate.open(&session)
    }

    /// rustls takes only sessions of TLS 1.3, which are in tickets.
    fn take(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

    use super::super::SessionSpec;
    use super::super::ticketer::ticketer;
    use super::*;
    use crate::keystore::TrustedCertificate;
    use crate::verify::{AskAgain, Authenticated, Deviations, HandshakeInput, Judge, PeerVerifier, Purpose};

    const SECRET: &[u8] = b"what rustls puts into a ticket";

    fn now_s() -> u64 {
        DefaultTimeProvider.current_time().unwrap().as_secs()
    }

    fn gate() -> Arc<Gate> {
        let trusted = TrustedCertificate::new(CertificateDer::from(certificate()), "ca.pem");
        let verifier = Arc::new(PeerVerifier::new(vec![trusted], Deviations::default()).unwrap());
        let recheck = Recheck {
            judge: Judge::Own(verifier),
            callback: None,
            identities: None,
            purpose: Purpose::Client,
            ask_again: AskAgain::Callback,
            is_verifying: true,
        };
        let spec = SessionSpec { max_age_s: 60, ..SessionSpec::default() };
        Arc::new(Gate::new(Arc::new(Sessions::new(Arc::new(DefaultTimeProvider), &spec)), Arc::new(recheck)))
    }

    fn certificate() -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(["ca".to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec()
    }

    fn tickets(most_bytes: usize) -> Tickets {
        let inner = ticketer().unwrap();
        Tickets { inner, gate: gate(), cache: None, most_bytes }
    }

    /// Begins a call with a peer that had a full handshake at this time.
    fn begin(at_s: u64) {
        HandshakeNotes::begin(HandshakeInput {
            peer: Some(Arc::new(Authenticated::anonymous(at_s))),
            ..HandshakeInput::default()
        });
    }

    #[test]
    fn ticket_gives_back_what_was_put_in_and_since_when_its_peer_is_here() {
        let tickets = tickets(4096);
        let at_s = now_s() - 30;
        begin(at_s);
        let ticket = tickets.encrypt(SECRET).unwrap();
        HandshakeNotes::begin(HandshakeInput::default());
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(SECRET));
        assert_eq!(HandshakeNotes::take().session.unwrap().at_s, at_s);
        // A ticket that is too old already, or of the future, is useless.
        for at_s in [now_s() - 60, now_s() + 3600] {
            begin(at_s);
            let ticket = tickets.encrypt(SECRET).unwrap();
            assert_eq!(tickets.decrypt(&ticket), None);
        }
        HandshakeNotes::take();
    }

    #[test]
    fn no_cut_and_no_altered_byte_of_a_ticket_is_accepted() {
        let tickets = tickets(4096);
        begin(now_s());
        let ticket = tickets.encrypt(SECRET).unwrap();
        for at in 0..ticket.len() {
            HandshakeNotes::begin(HandshakeInput::default());
            assert_eq!(tickets.decrypt(&ticket[..at]), None, "cut at {at}");
            let mut altered = ticket.clone();
            altered[at] ^= 1;
            assert_eq!(tickets.decrypt(&altered), None, "altered at {at}");
            assert!(HandshakeNotes::take().session.is_none());
        }
    }

    #[test]
    fn no_more_than_four_sessions_of_a_hello_are_looked_at() {
        let tickets = tickets(4096);
        begin(now_s());
        let ticket = tickets.encrypt(SECRET).unwrap();
        HandshakeNotes::begin(HandshakeInput::default());
        let opened = (0..100).filter(|_| tickets.decrypt(&ticket).is_some()).count();
        assert_eq!(opened, 4);
        HandshakeNotes::take();
    }

    #[test]
    fn tickets_of_one_call_have_together_no_more_bytes_than_they_may() {
        begin(now_s());
        let bytes = tickets(4096).encrypt(SECRET).unwrap().len() + TICKET_OVERHEAD_BYTES;
        for (most, expected) in [(bytes - 1, 0), (bytes, 1), (2 * bytes - 1, 1), (2 * bytes, 2)] {
            let tickets = tickets(most);
            begin(now_s());
            let made = (0..8).filter(|_| tickets.encrypt(SECRET).is_some()).count();
            assert_eq!(made, expected, "{most}");
        }
        HandshakeNotes::take();
    }

    #[test]
    fn cache_has_no_more_bytes_than_it_may_whatever_its_sessions_have() {
        let cache = Cache::new(gate(), 1000);
        for id in 0..100_u8 {
            begin(now_s());
            assert!(cache.put(vec![id], vec![id; 100_000]));
            assert!(cache.lock().bytes <= MAX_CACHE_BYTES);
        }
        let held = cache.lock();
        assert_eq!((held.sessions.len(), held.order.len()), (10, 10));
        drop(held);
        assert_eq!(cache.get(&[99]).as_deref(), Some([99; 100_000].as_slice()));
        assert_eq!((cache.get(&[89]), cache.take(&[99])), (None, None));
        // A session that is too large is not kept.
        assert!(!cache.put(vec![200], vec![0; MAX_CACHE_BYTES]));
        HandshakeNotes::take();
    }

    #[test]
    fn session_leaves_the_cache_when_a_ticket_takes_its_place() {
        let gate = gate();
        let cache = Arc::new(Cache::new(Arc::clone(&gate), 8));
        let inner = ticketer().unwrap();
        let tickets = Tickets { inner, gate, cache: Some(Arc::clone(&cache)), most_bytes: 4096 };
        begin(now_s());
        assert!(cache.put(vec![1], SECRET.to_vec()));
        begin(now_s());
        assert!(cache.put(vec![2], SECRET.to_vec()));
        tickets.encrypt(SECRET).unwrap();
        let held = cache.lock();
        assert_eq!((held.sessions.len(), held.order.iter().next()), (1, Some(&vec![1])));
        HandshakeNotes::take();
    }
}
