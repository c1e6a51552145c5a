//! The question to an application about a peer with an accepted certificate.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::{Purpose, Verdict};

/// The connection of a peer that the application decides about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerConnection {
    /// [`crate::Connection::id`].
    pub id: u64,
    /// [`crate::Connection::user`].
    pub user: usize,
    /// The protocol version, `TLSv1.2` or `TLSv1.3`. With the second engine, also `TLSv1.1` or `TLSv1`.
    pub version: &'static str,
    /// On a server the name that the client sent (RFC 6066 section 3), on a client the host that it verifies.
    pub server_name: Option<Arc<str>>,
}

/// The question to the application about a peer with an accepted certificate.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PeerCertificate<'a> {
    /// The certificates as the peer sent them, end entity first.
    pub chain: &'a [CertificateDer<'a>],
    /// The role of the peer.
    pub purpose: Purpose,
    /// The path that was verified and how.
    pub verdict: &'a Verdict,
    /// The connection.
    pub connection: &'a PeerConnection,
    /// True if the peer is that of an earlier session, which is about to be resumed.
    pub is_resumed: bool,
}

/// Decides if a peer with an accepted certificate may continue; an `Err` has the reason. It can refuse, never accept.
pub type VerifyCallback = Arc<dyn Fn(&PeerCertificate<'_>) -> Result<(), String> + Send + Sync>;
