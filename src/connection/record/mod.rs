//! Records: their headers, their ciphers, and the layer that serves a connection after its handshake.
//!
//! rustls does the handshake on our [`cipher`]s, which it borrows ([`lent`]). When the handshake is complete, its part
//! is dropped, and the ciphers come back into the [`layer`]. The traffic secrets of TLS 1.3 come by the key log
//! ([`key_log`]). Secrets are taken out of rustls in this room alone.

mod behind;
mod cipher;
mod fault;
mod gcm;
mod header;
mod key_log;
mod kind;
mod layer;
mod lent;
mod messages;
mod secret;

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::{ClientConfig, KeyLog, ProtocolVersion, ServerConfig};

use crate::error::{Code, Error, Result};

pub(super) use cipher::Cipher;
pub use cipher::MAX_PLAINTEXT_BYTES;
pub use header::MAX_RECORD_BYTES;
pub(super) use header::{Beginning, HEADER_BYTES, Header, whole_records};
use layer::TrafficSecrets;
pub(super) use layer::{Floods, Layer, Opened, sealed_alert};
pub(super) use lent::Lent;
pub(crate) use lent::on_own_ciphers;
pub(super) use secret::SessionId;

/// Prepares a server's configuration for connections with records of our own. `key_log` is the operator's.
pub(crate) fn prepare_server(config: &mut ServerConfig, key_log: Option<Arc<dyn KeyLog>>) {
    config.key_log = key_log::with_secrets(key_log, false);
}

/// Prepares a client's configuration for connections with records of our own. `key_log` is the operator's. With
/// `looks_ahead`, the flight of the server can be read before rustls reads it.
///
/// rustls gives the part of it that takes tickets only together with the secrets.
pub(crate) fn prepare_client(config: &mut ClientConfig, key_log: Option<Arc<dyn KeyLog>>, looks_ahead: bool) {
    config.key_log = key_log::with_secrets(key_log, looks_ahead);
    config.enable_secret_extraction = true;
}

/// Makes the layer of a server's connection that has completed its handshake. `end` drops rustls' part of it.
///
/// # Errors
/// `INTERNAL` if rustls does not give back the ciphers.
pub(super) fn layer_of_server(lent: Lent, is_tls13: bool, end: impl FnOnce()) -> Result<Layer> {
    layer(lent, is_tls13, false, || {
        end();
        Ok(None)
    })
}

/// Makes the layer of a client's connection that has completed its handshake.
///
/// # Errors
/// `INTERNAL` if rustls does not give back the ciphers, or not the part that takes tickets.
pub(super) fn layer_of_client(connection: UnbufferedClientConnection, lent: Lent) -> Result<Layer> {
    let is_tls13 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    layer(lent, is_tls13, true, || {
        if !is_tls13 {
            drop(connection);
            return Ok(None);
        }
        let (_, tickets) = connection
            .dangerous_into_kernel_connection()
            .map_err(|error| Error::new(Code::Internal, "no taker of tickets").with_source(error))?;
        Ok(Some(Box::new(tickets)))
    })
}

fn layer(
    mut lent: Lent,
    is_tls13: bool,
    is_client: bool,
    end: impl FnOnce() -> Result<Option<Box<layer::Tickets>>>,
) -> Result<Layer> {
    let mut tickets = Ok(None);
    let returned = lent.take_over(|| tickets = end());
    let (Some(write), Some(read)) = (returned.write, returned.read) else {
        return Err(Error::new(Code::Internal, "no ciphers after the handshake"));
    };
    let secrets = match (is_tls13, lent.secrets.client, lent.secrets.server) {
        (false, ..) => None,
        (true, Some(client), Some(server)) if is_client => Some(TrafficSecrets { write: client, read: server }),
        (true, Some(client), Some(server)) => Some(TrafficSecrets { write: server, read: client }),
        (true, ..) => return Err(Error::new(Code::Internal, "no traffic secrets after the handshake")),
    };
    Ok(Layer::new((write, read), secrets, tickets?, is_client))
}
