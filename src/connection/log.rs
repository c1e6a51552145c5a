//! The lines of a connection in the log.

use crate::error::{Category, Code, Error};

use super::Connection;
use super::hints::Stage;
use super::state::Seen;

impl Connection {
    /// Returns true if the peer has sent a whole record of TLS, and on a client. A failure before is that of a port
    /// that is looked at and left, as health checks do.
    pub fn has_begun(&self) -> bool {
        self.seen >= Seen::Record || self.is_client()
    }

    /// Writes a line about a peer that is refused, or refuses this side. A port that is looked at and left, and the end
    /// of a connection in use, are no news.
    pub(super) fn log_refusal(&self, error: &Error, stage: Stage) {
        let code = error.code();
        let has_begun = self.has_begun();
        let is_of_peer = match code.category() {
            Category::Io => {
                matches!(code, Code::ConnectionReset | Code::BrokenPipe) && stage < Stage::Data && has_begun
            }
            Category::Progress => false,
            // The register of connections has said so already.
            Category::Revocation => stage < Stage::Complete,
            _ => code == Code::PeerNotTls || stage < Stage::Data && has_begun,
        };
        if let Some(log) = self.log.as_ref().filter(|_| is_of_peer) {
            let hint = error.hint();
            let hint = if hint.is_empty() { String::new() } else { format!("; {hint}") };
            log.write(self.number, &format!("connection {}: {error}{hint}", self.number));
        }
    }
}
