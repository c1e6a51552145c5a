//! Resumption: what lets a client that was here before skip the certificates.
//!
//! Servers keep nothing: a session travels in a ticket under keys that a context makes for itself and rotates, so that
//! no other context accepts it. Clients keep a bounded number of sessions a context.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::{ClientConfig, ServerConfig};

use crate::error::{Code, Error, Result};

/// Servers that a client context remembers sessions of; the oldest is forgotten first.
const CLIENT_SESSIONS: usize = 256;

/// TLS 1.3 tickets sent after a full handshake, so that a client may open two connections at once later.
const TICKETS: usize = 2;

/// Sets up resumption of a server, or switches it off.
pub(crate) fn configure_server(config: &mut ServerConfig, is_enabled: bool) -> Result<()> {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.send_tls13_tickets = if is_enabled { TICKETS } else { 0 };
    config.ticketer = match is_enabled {
        true => {
            rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|error| Error::new(Code::Internal, error.to_string()))?
        }
        false => Arc::new(NoTickets),
    };
    Ok(())
}

/// Sets up resumption of a client, or switches it off.
pub(crate) fn configure_client(config: &mut ClientConfig, is_enabled: bool) {
    config.enable_early_data = false;
    config.resumption = match is_enabled {
        true => Resumption::in_memory_sessions(CLIENT_SESSIONS),
        false => Resumption::disabled(),
    };
}

/// A ticketer that makes and accepts none.
#[derive(Debug)]
struct NoTickets;

impl ProducesTickets for NoTickets {
    fn enabled(&self) -> bool {
        false
    }

    fn lifetime(&self) -> u32 {
        0
    }

    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}
