//! The notes of a call of rustls: the facts that it gets of the connection, and those that it leaves.

use crate::verify::{HandshakeInput, HandshakeNotes};

use super::Connection;

impl Connection {
    /// Keeps the notes of a call of rustls in the handshake. A refusal in them ends the connection, even if rustls saw
    /// no error in it.
    pub(super) fn take_notes(&mut self) {
        let mut notes = HandshakeNotes::take();
        if let Some(refusal) = notes.refusal.take() {
            if self.failure().is_none() {
                self.outgoing.clear();
                self.outgoing_start = 0;
            }
            self.fail(refusal);
        }
        self.keep(notes);
    }

    pub(super) fn input(&self) -> HandshakeInput {
        let checked = self.checked.as_ref();
        HandshakeInput {
            connection_id: self.number,
            user: self.user,
            server_name: self.known_server_name(),
            verified_name: checked.and_then(|checked| checked.verified_name()),
            version: self.engine.version(),
            resumes_only: self.resumes_only,
            peer: checked.and_then(|checked| checked.peer(&self.engine)),
            shown: checked.and_then(|checked| checked.shown()),
            session_scope: checked.and_then(|checked| checked.session_scope()),
            settled: checked.and_then(|checked| checked.settled(&self.engine)),
            identity: self.identity.clone().filter(|_| checked.is_some_and(|checked| checked.tells_identity())),
            keeps_session_facts: checked.is_some_and(|checked| checked.keeps_session_facts),
        }
    }

    pub(super) fn keep(&mut self, mut notes: HandshakeNotes) {
        if let Some(checked) = &mut self.checked {
            checked.keep(&mut notes);
        }
        self.identity = notes.identity.or_else(|| self.identity.take());
        let has_answered = notes.withheld.is_some() || notes.unnamed.is_some();
        if notes.server_name.is_some() || !notes.deviations.is_empty() || has_answered {
            let facts = self.facts.get_or_insert_default();
            facts.unnamed = notes.unnamed.or_else(|| facts.unnamed.take());
            facts.server_name = notes.server_name.or_else(|| facts.server_name.take());
            facts.deviations.extend(notes.deviations);
            facts.withheld = notes.withheld.or_else(|| facts.withheld.take());
        }
    }
}
