//! What a connection keeps of its peer's path, where its context checks peers for revocation.

use std::sync::Arc;

use crate::verify::{Notes, VerifiedPath};

use super::engine::Engine;

/// The peer's path, which goes with each session that is kept.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The path that the handshake verified.
    verified: Option<Arc<VerifiedPath>>,
    /// The path of the session that was offered; it counts once the session has been resumed.
    session: Option<Arc<VerifiedPath>>,
}

impl Checked {
    /// Takes what a call of rustls has found.
    pub(super) fn keep(&mut self, notes: &mut Notes) {
        self.verified = notes.path.take().or_else(|| self.verified.take());
        self.session = notes.session_path.take().or_else(|| self.session.take());
    }

    /// The path of the peer, as far as it is known; none where the peer showed no certificate.
    pub(super) fn path(&self, engine: &Engine) -> Option<Arc<VerifiedPath>> {
        match engine.is_resumed() {
            Some(true) => self.session.as_ref().map(Arc::clone),
            Some(false) | None => self.verified.as_ref().map(Arc::clone),
        }
    }
}
