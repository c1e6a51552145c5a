//! What a connection keeps of its peer's path, where its context checks peers for revocation.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::live::{Place, Register};
use crate::verify::{Notes, VerifiedPath};

use super::engine::Engine;

/// The peer's path: it goes with each session that is kept, and into the register of connections.
#[derive(Debug)]
pub(super) struct Checked {
    register: Arc<Register>,
    /// The sweeps of the register before the connection was made.
    since: u64,
    /// The path that the handshake verified.
    verified: Option<Arc<VerifiedPath>>,
    /// The path of the session that was offered; it counts once the session has been resumed.
    session: Option<Arc<VerifiedPath>>,
    /// Once the handshake is complete.
    place: Option<Place>,
}

impl Checked {
    pub(super) fn new(register: Arc<Register>, since: u64) -> Self {
        Self { register, since, verified: None, session: None, place: None }
    }

    /// Takes what a call of rustls has found.
    pub(super) fn keep(&mut self, notes: &mut Notes) {
        self.verified = notes.path.take().or_else(|| self.verified.take());
        self.session = notes.session_path.take().or_else(|| self.session.take());
    }

    /// The path of the peer, as far as it is known; none where the peer showed no certificate.
    pub(super) fn path(&self, engine: &Engine) -> Option<Arc<VerifiedPath>> {
        let handshake = match engine.is_resumed() {
            Some(true) => &self.session,
            Some(false) | None => &self.verified,
        };
        self.place.as_ref().map(Place::path).or(handshake.as_ref()).map(Arc::clone)
    }

    /// Enters the register when the handshake is complete; gives whether the peer has a certificate to be asked about.
    ///
    /// # Errors
    /// `CERT_REVOKED` where that has become known since the connection was made.
    pub(super) fn enter(&mut self, number: u64, engine: &Engine) -> Result<bool> {
        if self.place.is_some() {
            return Ok(true);
        }
        let Some(path) = self.path(engine) else { return Ok(false) };
        (self.verified, self.session) = (None, None);
        self.place = Some(self.register.enter(number, path, self.since)?);
        Ok(true)
    }

    /// Why the connection has to end, once it has to.
    pub(super) fn closed(&self) -> Option<&Error> {
        self.place.as_ref().and_then(Place::closed)
    }
}
