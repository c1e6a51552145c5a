//! Facts about a connection and its peer.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use crate::certificate::CertificateFacts;
use crate::error::Result;
use crate::verify::Deviation;

use super::Connection;
use super::hints::{Moment, Own, Side, Stage};
use super::state::Seen;

impl Connection {
    /// The number of the connection, by which its context names it: 1 for the first of a context, and so on.
    pub fn id(&self) -> u64 {
        self.number
    }

    /// The number that the application gave the connection: [`crate::ConnectionSettings::user`].
    pub fn user(&self) -> usize {
        self.user
    }

    /// The peer's certificates, end entity first, as it sent them; empty if it sent none, and after a handshake with
    /// [`keep_peer_chain`](crate::ContextBuilder::keep_peer_chain) off.
    pub fn peer_chain(&self) -> Vec<CertificateDer<'_>> {
        self.engine.peer_chain()
    }

    /// The facts of the peer's own certificate, also if its chain is not kept; none if it sent none.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED` for one that cannot be parsed, which was accepted without a check. That is so too if its
    /// chain is not kept.
    pub fn peer_facts(&self) -> Option<Result<CertificateFacts>> {
        match self.engine.peer_facts() {
            Some(kept) => Some(kept.facts()),
            None => self.peer_chain().first().map(CertificateFacts::from_der),
        }
    }

    /// The certificates of the identity that was chosen to be shown to the peer, end entity first; empty if there is
    /// none.
    pub fn local_chain(&self) -> &[CertificateDer<'static>] {
        self.identity.as_ref().map(|identity| identity.cert.as_slice()).unwrap_or_default()
    }

    /// The protocol version, once it is chosen: `TLSv1.3` or `TLSv1.2`. The second engine also serves `TLSv1.1` and
    /// `TLSv1`.
    pub fn version(&self) -> Option<&'static str> {
        self.engine.version()
    }

    /// The cipher suite by its IANA name, once it is chosen.
    pub fn cipher_suite(&self) -> Option<&'static str> {
        self.engine.cipher_suite()
    }

    /// The key exchange group by its IANA name, once it is chosen.
    pub fn group(&self) -> Option<&'static str> {
        self.engine.group()
    }

    /// Returns true for the client's side.
    pub fn is_client(&self) -> bool {
        self.engine.is_client()
    }

    /// On a server, the identity of the pre-shared key that authenticated the client. `None` if another proof did, and
    /// on a client.
    pub fn psk_identity(&self) -> Option<&[u8]> {
        self.engine.psk_identity()
    }

    /// On a client, the identity of the pre-shared key that authenticated the two sides: its own one. `None` if another
    /// proof did, and on a server.
    pub fn own_psk_identity(&self) -> Option<&[u8]> {
        self.facts.as_ref()?.own_psk_identity.as_deref()
    }

    /// The application protocol that was agreed on.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.engine.alpn()
    }

    /// The server name: the one the client sent (RFC 6066 section 3) on a server.
    pub fn server_name(&self) -> Option<&str> {
        self.facts.as_ref().and_then(|facts| facts.server_name.as_deref())
    }

    /// The name that a client has sent to this server, or the host of this client.
    pub(super) fn known_server_name(&self) -> Option<Arc<str>> {
        let received = self.facts.as_ref().and_then(|facts| facts.server_name.clone());
        received.or_else(|| self.checked.as_ref().and_then(|checked| checked.server_name()))
    }

    /// True if an earlier session was resumed; `None` during the handshake.
    pub fn is_resumed(&self) -> Option<bool> {
        self.engine.is_resumed()
    }

    /// The number of the connection with the full handshake of the session. It is the own number if no session was
    /// resumed, or without [`Connection::keep_session_facts`].
    pub fn origin(&self) -> u64 {
        self.kept_origin().map_or(self.number, |(number, _)| number)
    }

    /// The time of that handshake, in seconds since 1970; `None` if no session was resumed, or without
    /// [`Connection::keep_session_facts`].
    pub fn origin_time_s(&self) -> Option<u64> {
        self.kept_origin().map(|(_, at_s)| at_s)
    }

    fn kept_origin(&self) -> Option<(u64, u64)> {
        self.facts.as_ref()?.session.as_ref()?.origin
    }

    /// Takes the identifier of a session of TLS 1.2, which the peer and its resumptions have too. `None` without
    /// [`Connection::keep_session_facts`], for other versions, with the second engine, and at later calls.
    pub fn take_session_id(&mut self) -> Option<Box<[u8; 32]>> {
        self.facts.as_mut()?.session.as_mut()?.id.take()
    }

    /// The deviations without which the peer's certificate would have been refused.
    pub fn deviations(&self) -> &[Deviation] {
        self.facts.as_ref().map(|facts| facts.deviations.as_slice()).unwrap_or_default()
    }

    /// The present facts about the connection, for a hint.
    pub(super) fn moment(&self) -> Moment {
        let version = self.engine.version();
        let stage = match version {
            None => Stage::Hello,
            Some(_) if self.is_handshaking() => Stage::Handshake,
            Some(_) if self.seen < Seen::Data => Stage::Complete,
            Some(_) => Stage::Data,
        };
        let facts = self.facts.as_ref();
        let withheld = facts.and_then(|facts| facts.withheld.clone());
        let unnamed = facts.and_then(|facts| facts.unnamed.clone());
        let own = match (withheld, unnamed) {
            (Some(why), _) if why.is_empty() => Own::Nothing,
            (Some(why), _) => Own::Withheld(why),
            (None, Some(why)) => Own::Unnamed(why),
            (None, None) if self.identity.is_some() => Own::Sent,
            (None, None) => Own::NotAsked,
        };
        let side = if self.engine.is_client() { Side::Client } else { Side::Server };
        let has_begun = self.seen >= Seen::Record || !self.beginning.is_empty();
        Moment { side, version, stage, own, has_begun }
    }
}
