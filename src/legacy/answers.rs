//! The questions of the engine during a call, which the server answers.

use rustls::pki_types::CertificateDer;

use crate::error::Result;
use crate::session::SecondSessions;

use super::psk::Given;
use super::uses::Used;

/// The side that the engine asks during a call.
pub(super) trait Answers: Send + Sync {
    /// Judges the certificates of a client.
    ///
    /// # Errors
    /// The alert that refuses it. The notes of the call have the reason.
    fn judge(&self, chain: &[CertificateDer<'_>]) -> Result<(), u8>;

    /// Puts the secret of an identity into `room`, up to TLS 1.2.
    ///
    /// # Errors
    /// The reason why no secret can be given.
    fn secret(&self, identity: &[u8], room: &mut [u8]) -> Result<Given>;

    /// The hint for a client that has another secret than this identity here.
    fn hint(&self, identity: &[u8]) -> Option<&'static str>;

    /// Counts a client that has completed its handshake.
    fn note_use(&self, used: Used);

    /// Notes a secret of a connection, as a line of a key log.
    fn note_secret(&self, line: &[u8]);

    /// The sessions of clients. None if no session is resumed.
    fn sessions(&self) -> Option<&SecondSessions>;
}
