//! Connections of rustls that the caller drives, with configurations of a context.

mod sessions;
mod settings;
mod verdicts;

use std::sync::Arc;

use brokertls::bridge::{RustlsFetch, error_of};
use brokertls::{Code, Context, Error};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConnection, HandshakeKind, ServerConnection};

/// A plain server and a plain client.
struct Plain {
    server: ServerConnection,
    client: ClientConnection,
}

/// The end of a handshake on one side: the error of rustls, and the one of this library.
type Side = Result<(), (rustls::Error, Error)>;

impl Plain {
    fn new(server: &Context, client: &Context, host: &str) -> Self {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        Self {
            server: ServerConnection::new(server.rustls_server_config(RustlsFetch::KnownOnly).unwrap()).unwrap(),
            client: ClientConnection::new(client.rustls_client_config(RustlsFetch::KnownOnly).unwrap(), name).unwrap(),
        }
    }

    /// Moves bytes both ways until neither side has any.
    fn run(&mut self) -> (Side, Side) {
        let (mut server, mut client) = (Ok(()), Ok(()));
        loop {
            let mut wire = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut wire).unwrap();
            }
            let to_server = read(&mut self.server, &wire, &mut server);
            wire.clear();
            while self.server.wants_write() {
                self.server.write_tls(&mut wire).unwrap();
            }
            let to_client = read(&mut self.client, &wire, &mut client);
            if !to_server && !to_client {
                return (server, client);
            }
        }
    }

    /// Runs the handshake, which must succeed. Returns its kind.
    fn connect(server: &Context, client: &Context) -> HandshakeKind {
        let mut plain = Self::new(server, client, "broker");
        let (of_server, of_client) = plain.run();
        of_server.unwrap();
        of_client.unwrap();
        assert!(!plain.server.is_handshaking() && !plain.client.is_handshaking());
        let kind = plain.server.handshake_kind().unwrap();
        assert_eq!(plain.client.handshake_kind(), Some(kind));
        kind
    }
}

fn read<Side>(
    connection: &mut rustls::ConnectionCommon<Side>,
    mut wire: &[u8],
    outcome: &mut Result<(), (rustls::Error, Error)>,
) -> bool {
    let has_any = !wire.is_empty();
    while !wire.is_empty() && outcome.is_ok() {
        connection.read_tls(&mut wire).unwrap();
        *outcome = connection.process_new_packets().map(|_| ()).map_err(|error| {
            let told = error_of(&error);
            (error, told)
        });
    }
    has_any
}

/// Asserts that a side refused with this code, and that the other one received this alert.
fn assert_refused(refused: Side, told: Side, code: Code, alert: AlertDescription) {
    assert_eq!(refused.unwrap_err().1.code(), code);
    assert_eq!(told.unwrap_err().0, rustls::Error::AlertReceived(alert));
}

/// A context with what `set` sets, without a log.
fn context(set: impl FnOnce(&mut brokertls::ContextBuilder) -> &mut brokertls::ContextBuilder) -> Context {
    crate::rig::pair::context(|builder| set(builder).log(Arc::new(|_| {})))
}
