//! The settings of resumption.

use crate::verify::AskAgain;

/// The settings of resumption.
#[derive(Clone, Debug)]
pub(crate) struct SessionSpec {
    pub(crate) is_on: bool,
    /// False for a server that resumes sessions of TLS 1.2 by ID alone.
    pub(crate) has_tickets: bool,
    /// The number of TLS 1.3 tickets after a handshake. 0 turns them off, and does not change TLS 1.2.
    pub(crate) tls13_tickets: usize,
    /// The largest size of the tickets sent at once, in bytes with their record.
    pub(crate) max_ticket_bytes: usize,
    /// The number of TLS 1.2 sessions of clients without tickets in a server's cache.
    pub(crate) cache: usize,
    /// The time after the full handshake in which a session may be resumed, any number of times.
    pub(crate) max_age_s: u32,
    pub(crate) ask_again: AskAgain,
}

impl Default for SessionSpec {
    fn default() -> Self {
        Self {
            is_on: true,
            has_tickets: true,
            // A client may open two connections at once later.
            tls13_tickets: 2,
            max_ticket_bytes: 4096,
            cache: 256,
            max_age_s: 24 * 60 * 60,
            ask_again: AskAgain::default(),
        }
    }
}
