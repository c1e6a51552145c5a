//! The questions of the engine to both sides of this library.

use std::sync::Arc;

use brokertls_legacy_abi::{Bytes, IdentityParts};
use rustls::pki_types::{CertificateDer, ServerName};

use crate::error::Result;
use crate::keystore::Identity;
use crate::session::SecondSessions;

use super::psk::Given;
use super::uses::Used;

/// The side that the engine asks during a call.
pub(super) trait Answers: Send + Sync {
    /// Judges the certificates of the peer, with the staple and the name of a server.
    ///
    /// # Errors
    /// The alert that refuses it. The notes of the call have the reason.
    fn judge(&self, chain: &[CertificateDer<'_>], staple: &[u8], name: Option<&ServerName<'_>>) -> Result<(), u8>;

    /// Counts a handshake that is complete.
    fn note_use(&self, used: Used);

    /// Notes a secret of a connection, as a line of a key log.
    fn note_secret(&self, line: &[u8]);

    /// The answers of a server.
    fn as_server(&self) -> Option<&dyn AnswersClient> {
        None
    }

    /// The answers of a client.
    fn as_client(&self) -> Option<&dyn Asks> {
        None
    }
}

/// A server, which the engine asks about its client.
pub(super) trait AnswersClient: Send + Sync {
    /// Puts the secret of an identity into `room`, up to TLS 1.2.
    ///
    /// # Errors
    /// The reason why no secret can be given.
    fn secret(&self, identity: &[u8], room: &mut [u8]) -> Result<Given>;

    /// The hint for a client that has another secret than this identity here.
    fn hint(&self, identity: &[u8]) -> Option<&'static str>;

    /// The sessions of clients. None if no session is resumed.
    fn sessions(&self) -> Option<&SecondSessions>;
}

/// The answers of a client to the engine.
pub(super) trait Asks: Send + Sync {
    /// Puts the identity, with a zero byte at its end, and the secret of this side into the two buffers. Returns the
    /// identity, and the length of the secret.
    ///
    /// # Errors
    /// The reason why there is none.
    fn own_key(&self, hint: Option<&[u8]>, identity: &mut [u8], secret: &mut [u8]) -> Result<(Box<[u8]>, usize)>;

    /// Chooses the identity for a server that asks for one.
    ///
    /// # Errors
    /// The reason why the host refuses to choose.
    fn present(&self, issuers: &[&[u8]], schemes: &[u16], version: u16) -> Result<Option<Presented>>;

    /// Checks a handshake that is complete, with this application protocol.
    ///
    /// # Errors
    /// The reason to refuse it.
    fn check(&self, protocol: Option<&[u8]>) -> Result<()>;
}

/// An identity of a client for the length of a call.
pub(super) struct Presented {
    _identity: Option<Arc<Identity>>,
    _chain: Vec<Bytes>,
    parts: IdentityParts,
}

impl Presented {
    /// None if its key is not in bytes.
    pub(super) fn new(identity: &Arc<Identity>) -> Option<Self> {
        let key = Bytes::of(identity.key.as_ref()?.secret_der());
        let chain: Vec<Bytes> = identity.chain.iter().map(|der| Bytes::of(der)).collect();
        let parts = IdentityParts { chain: chain.as_ptr(), chain_length: chain.len(), key };
        Some(Self { _identity: Some(Arc::clone(identity)), _chain: chain, parts })
    }

    /// Makes one without a certificate, which ends the handshake.
    pub(super) fn refusal() -> Self {
        let parts = IdentityParts { chain: std::ptr::null(), chain_length: 0, key: Bytes::of(&[]) };
        Self { _identity: None, _chain: Vec::new(), parts }
    }

    /// The identity for the engine. It is valid as long as this value.
    pub(super) fn parts(&self) -> *const IdentityParts {
        &self.parts
    }
}
