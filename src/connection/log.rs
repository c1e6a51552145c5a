//! The lines of a connection in the log.

use crate::error::{Category, Code, Error};

use super::Connection;
use super::hints::{Side, Stage};
use super::state::Seen;

impl Connection {
    /// Writes a line about a peer that is refused, or refuses this side. A port that is looked at and left, and the end
    /// of a connection in use, are no news.
    pub(super) fn log_refusal(&self, error: &Error, side: Side, stage: Stage) {
        let code = error.code();
        let has_begun = self.seen >= Seen::Record || side == Side::Client;
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
