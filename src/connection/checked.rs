//! The state that a connection keeps of its peer's authentication: for its sessions, and for the register of
//! connections.

use std::sync::Arc;

use rustls::pki_types::ServerName;

use crate::certificate::{IssuerTable, KeptFacts, KeptPeer};
use crate::error::{Error, Result};
use crate::policy::Standing;
use crate::revoked::{Register, Registration};
use crate::verify::host::Settled;
use crate::verify::{Authenticated, HandshakeNotes, ShownIdentity};

use super::ahead::Ahead;
use super::engine::Engine;
use super::setup::Setup;

/// The peer: it goes with each session that is kept, and into the register of connections.
#[derive(Debug)]
pub(super) struct Checked {
    /// The register, if peers are checked for revocation, and its sweeps before the connection was made.
    register: Option<(Arc<Register>, u64)>,
    /// The issuers that connections share.
    issuers: Arc<IssuerTable>,
    keeps_peer_chain: bool,
    /// The settings that decide which clients a server serves; none after the handshake.
    standing: Option<Arc<Standing>>,
    /// The host of a client.
    server_name: Option<Arc<str>>,
    /// The name that a client verifies, if it sends another one.
    verified_name: Option<Arc<ServerName<'static>>>,
    /// The key of the sessions of a client's connection.
    session_scope: Option<Arc<str>>,
    /// The peer that the handshake verified.
    verified: Option<Arc<Authenticated>>,
    /// The peer of the session that was offered; it counts once the session has been resumed.
    session: Option<Arc<Authenticated>>,
    /// The identity that a client has shown, if its host chose it.
    shown: Option<Arc<ShownIdentity>>,
    /// True if a host is asked during the handshake.
    asks_host: bool,
    /// True if that host is told the own identity.
    tells_identity: bool,
    /// The facts for the host that have been read from the hellos.
    settled: Option<Arc<Settled>>,
    /// The look at the server's flight, while it lasts.
    pub(super) ahead: Option<Box<Ahead>>,
    /// True to keep by what a host knows the session.
    pub(super) keeps_session_facts: bool,
    /// The largest record to send, in bytes.
    pub(super) max_record_bytes: Option<usize>,
    /// True if the handshake is complete and its outcome is kept.
    is_settled: bool,
    /// Then, in the register.
    registration: Option<Registration>,
}

impl Checked {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            register: setup.register,
            issuers: setup.issuers,
            keeps_peer_chain: setup.keeps_peer_chain,
            standing: setup.standing,
            server_name: setup.server_name,
            verified_name: setup.verified_name,
            session_scope: setup.session_scope,
            verified: None,
            session: None,
            shown: None,
            asks_host: setup.asks_host,
            tells_identity: setup.tells_identity,
            settled: None,
            ahead: None,
            keeps_session_facts: false,
            max_record_bytes: setup.max_record_bytes,
            is_settled: false,
            registration: None,
        }
    }

    /// Called when rustls has been given what was collected, and has left this many bytes.
    pub(super) fn end_look(&mut self, left: usize) {
        if let Some(ahead) = &mut self.ahead {
            ahead.fed(left);
        }
        if let Some(ahead) = self.ahead.take_if(|ahead| ahead.is_done()) {
            self.settled = Some(Arc::new(ahead.settled().clone()));
        }
    }

    pub(super) fn standing(&self) -> Option<&Standing> {
        self.standing.as_deref()
    }

    pub(super) fn server_name(&self) -> Option<Arc<str>> {
        self.server_name.clone()
    }

    pub(super) fn verified_name(&self) -> Option<Arc<ServerName<'static>>> {
        self.verified_name.clone()
    }

    /// Takes what a call of rustls has found.
    pub(super) fn keep(&mut self, notes: &mut HandshakeNotes) {
        self.verified = notes.verified.take().or_else(|| self.verified.take());
        self.session = notes.session.take().or_else(|| self.session.take());
        self.shown = notes.shown.take().or_else(|| self.shown.take());
        self.settled = notes.take_settled().or_else(|| self.settled.take());
    }

    /// Returns true if the host of a handshake is told the own identity.
    pub(super) fn tells_identity(&self) -> bool {
        self.tells_identity && !self.is_settled
    }

    /// The facts for a host: those of rustls, and what has been read before it. None without a host.
    pub(super) fn settled(&self, engine: &Engine) -> Option<Arc<Settled>> {
        if !self.asks_host || self.is_settled {
            return None;
        }
        let ahead = self.ahead.as_ref().map(|ahead| ahead.settled());
        let read = ahead.or(self.settled.as_deref()).cloned().unwrap_or_default();
        Some(Arc::new(Settled {
            version: engine.version().or(read.version),
            cipher_suite: engine.cipher_suite().or(read.cipher_suite),
            protocol: engine.alpn().map(Box::from).or(read.protocol),
            certificate_schemes: read.certificate_schemes,
        }))
    }

    /// The peer, as far as it is known; none if it showed no certificate to a server.
    pub(super) fn peer(&self, engine: &Engine) -> Option<Arc<Authenticated>> {
        let peer = match engine.is_resumed() {
            Some(true) => &self.session,
            Some(false) | None => &self.verified,
        };
        peer.as_ref().map(Arc::clone)
    }

    pub(super) fn shown(&self) -> Option<Arc<ShownIdentity>> {
        self.shown.as_ref().map(Arc::clone)
    }

    pub(super) fn session_scope(&self) -> Option<Arc<str>> {
        self.session_scope.as_ref().map(Arc::clone)
    }

    /// Settles what is kept for the connection's life once the handshake is complete, and enters the register; gives
    /// whether there is anything. Further calls change nothing.
    ///
    /// # Errors
    /// `CERT_REVOKED` if that has become known since the connection was made.
    pub(super) fn settle(&mut self, (number, user): (u64, usize), engine: &mut Engine) -> Result<bool> {
        if self.is_settled {
            return Ok(true);
        }
        self.is_settled = true;
        self.standing = None;
        self.settled = None;
        // A server without a register asks nothing of its peer any more.
        let mut peer = self.peer(engine).filter(|_| self.register.is_some() || engine.is_client());
        (self.verified, self.session) = (None, None);
        if let Some(kept) = engine.peer()
            && let KeptPeer::Chain(sent) = &*kept
        {
            let is_kept = self.keeps_peer_chain || peer.is_some();
            let chain = if is_kept { sent.sharing(sent, &self.issuers) } else { sent.clone() };
            peer = peer.map(|peer| Arc::new(peer.sharing(&chain, &self.issuers)));
            *kept = match chain.certificates().first().filter(|_| !self.keeps_peer_chain) {
                Some(end_entity) => KeptPeer::Facts(KeptFacts::of(end_entity)),
                None => KeptPeer::Chain(chain),
            };
        }
        let path = peer.as_ref().and_then(|peer| peer.path());
        if let Some(((register, since), path)) = self.register.take().zip(path) {
            self.registration = Some(register.enter((number, user), Arc::clone(path), since)?);
        }
        // A server has made its tickets by now; a client is given them as long as the connection lasts.
        if engine.is_client() {
            match engine.is_resumed() {
                Some(true) => self.session = peer,
                Some(false) | None => self.verified = peer,
            }
            return Ok(true);
        }
        Ok(self.registration.is_some())
    }

    /// The error that ends the connection, if any.
    pub(super) fn closed(&self) -> Option<&Error> {
        self.registration.as_ref().and_then(Registration::closed)
    }
}
