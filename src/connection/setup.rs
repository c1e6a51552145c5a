//! The parts of a context for one connection.

use std::sync::Arc;

use rustls::pki_types::ServerName;

use crate::certificate::IssuerTable;
use crate::policy::Standing;
use crate::revoked::Register;

use super::refusals::Refusals;

/// The part of a server's flight that a client reads before rustls does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlightLook {
    /// The facts for a host that judges the server.
    Facts,
    /// Those, and the certificates, for a host that chooses the identity.
    Certificates,
}

/// The parts of the context for a connection.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Its number in the context.
    pub(crate) number: u64,
    /// The log of peers that are refused, or refuse this side.
    pub(crate) log: Option<Arc<Refusals>>,
    /// Handshake messages are processed only by [`super::Connection::run_task`].
    pub(crate) uses_tasks: bool,
    /// Servers: the settings that decide which clients are served.
    pub(crate) standing: Option<Arc<Standing>>,
    /// The register of connections if peers are checked for revocation, and the number of its sweeps before the
    /// configuration of the connection was made.
    pub(crate) register: Option<(Arc<Register>, u64)>,
    /// The issuers that connections share.
    pub(crate) issuers: Arc<IssuerTable>,
    /// True if the peer's certificates are kept after the handshake, and not only the facts of its own.
    pub(crate) keeps_peer_chain: bool,
    /// A number of the application's choice.
    pub(crate) user: usize,
    /// Clients: the host, for the application.
    pub(crate) server_name: Option<Arc<str>>,
    /// Clients: the name to verify, if another one is sent.
    pub(crate) verified_name: Option<Arc<ServerName<'static>>>,
    /// Clients: the key of sessions, with the server's name. `None` keeps no session.
    pub(crate) session_scope: Option<Arc<str>>,
    /// Clients: the part of the server's flight to read before rustls does, if any.
    pub(crate) look: Option<FlightLook>,
    /// True if a host is asked during the handshake.
    pub(crate) asks_host: bool,
    /// True if that host is told the own identity, which it has not chosen.
    pub(crate) tells_identity: bool,
    /// The largest record to send, in bytes, if it is limited.
    pub(crate) max_record_bytes: Option<usize>,
    /// Clients: true if the application is asked about a session before the first message, in a task.
    pub(crate) asks_first: bool,
}
