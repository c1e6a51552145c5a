//! The sessions of the second engine of a server, under the same rules as with rustls: in tickets, or by session ID.
//!
//! Keys and cache are its own: no session of one engine is one of the other.

use std::fmt;
use std::sync::Arc;

use rustls::server::{ProducesTickets, StoresServerSessions};
use zeroize::Zeroizing;

use super::server::{Cache, Gate, Tickets};
use super::{SessionSpec, Sessions, ticketer};
use crate::error::{Code, Error, Result};
use crate::random;
use crate::verify::Recheck;

/// The first bytes of each ticket of a server of the second engine.
pub(crate) type TicketTag = [u8; 8];

/// The sessions of a server of the second engine.
pub(crate) struct SecondSessions {
    tickets: Option<Tickets>,
    cache: Option<Cache>,
    tag: TicketTag,
    of_tls13: u8,
}

impl fmt::Debug for SecondSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondSessions").field("tickets", &self.tickets).finish_non_exhaustive()
    }
}

impl SecondSessions {
    /// Makes the keys and the cache. None if no session is resumed.
    ///
    /// # Errors
    /// `INTERNAL` without random bytes.
    pub(crate) fn new(spec: &SessionSpec, sessions: &Arc<Sessions>, recheck: Recheck) -> Result<Option<Self>> {
        if !spec.is_on || !spec.has_tickets && spec.cache == 0 {
            return Ok(None);
        }
        let gate = Arc::new(Gate::new(Arc::clone(sessions), Arc::new(recheck)));
        let cache = (spec.cache > 0).then(|| Cache::new(Arc::clone(&gate), spec.cache));
        let most_bytes = spec.max_ticket_bytes;
        let tickets = match spec.has_tickets {
            true => Some(Tickets { inner: ticketer::ticketer()?, gate, cache: None, most_bytes }),
            false => None,
        };
        let mut tag = TicketTag::default();
        random::fill(&mut tag).map_err(|_| Error::new(Code::Internal, "no random bytes for tickets"))?;
        let of_tls13 = u8::try_from(spec.tls13_tickets).unwrap_or_default();
        Ok(Some(Self { tickets, cache, tag, of_tls13 }))
    }

    /// Seals these facts for a ticket with this many other bytes. None for no ticket.
    pub(crate) fn seal(&self, facts: &[u8], other_bytes: usize) -> Option<Vec<u8>> {
        self.tickets.as_ref()?.encrypt_beside(facts, other_bytes)
    }

    /// Gives back the facts, if the session is resumed.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.tickets.as_ref()?.decrypt(sealed)
    }

    /// Keeps a session and these facts about it by its ID.
    pub(crate) fn put(&self, id: &[u8], facts: &[u8], session: &[u8]) {
        let Some((cache, length)) = self.cache.as_ref().zip(u32::try_from(facts.len()).ok()) else { return };
        let mut plain = Vec::with_capacity(size_of::<u32>() + facts.len() + session.len());
        plain.extend(length.to_be_bytes());
        plain.extend_from_slice(facts);
        plain.extend_from_slice(session);
        // It is left out if it is too large.
        cache.put(id.to_vec(), plain);
    }

    /// Gives back the facts of a session, and the session, if it is resumed.
    pub(crate) fn get(&self, id: &[u8]) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
        let plain = Zeroizing::new(self.cache.as_ref()?.get(id)?);
        let (length, rest) = plain.split_first_chunk()?;
        let (facts, session) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        Some((facts.to_vec(), Zeroizing::new(session.to_vec())))
    }

    /// The age up to which a session is resumed by a ticket, in seconds; 0 if there are no tickets.
    pub(crate) fn ticket_lifetime_s(&self) -> u32 {
        self.tickets.as_ref().map_or(0, |tickets| tickets.lifetime().max(1))
    }

    /// The number of tickets after a handshake of TLS 1.3.
    pub(crate) fn tickets_of_tls13(&self) -> u8 {
        self.of_tls13
    }

    /// Returns true if sessions are kept by their IDs.
    pub(crate) fn has_ids(&self) -> bool {
        self.cache.is_some()
    }

    /// The first bytes of each ticket.
    pub(crate) fn tag(&self) -> TicketTag {
        self.tag
    }
}
