//! The interface of an application that judges peers and chooses identities itself, e.g. a JVM with its own key and
//! trust managers.
//!
//! If a host decides about trust, chains, names and dates are not verified here: the decision is the host's alone.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;

use super::Purpose;
use crate::error::Result;
use crate::keystore::Identity;

/// The question to a server's host about a ClientHello (RFC 8446 section 4.1.2).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HelloFacts<'a> {
    /// The server name that the client sent (RFC 6066 section 3).
    pub server_name: Option<&'a str>,
    /// The application protocols it offers, in its order (RFC 7301).
    pub protocols: Vec<&'a [u8]>,
    /// The settled facts. The protocol is open.
    pub settled: &'a Settled,
}

/// The facts of a handshake that are settled when a host is asked. None is a guess.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settled {
    /// The protocol version, such as `TLSv1.3`.
    pub version: Option<&'static str>,
    /// The cipher suite by its IANA name. A server of TLS 1.2 chooses it after its identity.
    pub cipher_suite: Option<&'static str>,
    /// The application protocol; empty if none is used.
    pub protocol: Option<Box<[u8]>>,
    /// The signature schemes that the peer accepts in certificates; empty until it has sent them.
    pub certificate_schemes: Vec<SignatureScheme>,
}

impl Settled {
    /// No fact.
    pub(crate) const NOTHING: &'static Self =
        &Self { version: None, cipher_suite: None, protocol: None, certificate_schemes: Vec::new() };
}

/// The facts by which an identity is chosen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IdentityRequest<'a> {
    /// The role in which the identity is shown.
    pub purpose: Purpose,
    /// On a server, the name that the client sent.
    pub server_name: Option<&'a str>,
    /// The kinds of key that the peer can verify, its favourite first, as Java names them: `EC`, `RSA`, `EdDSA`,
    /// `RSASSA-PSS`.
    pub key_types: Vec<&'static str>,
    /// The signature schemes that the peer offers.
    pub signature_schemes: &'a [SignatureScheme],
    /// The distinguished names (DER) of the issuers that the peer accepts; empty if it names none.
    pub issuers: Vec<&'a [u8]>,
    /// The protocol version, `TLSv1.2` or `TLSv1.3`; by the second engine, also `TLSv1.1` or `TLSv1`. None if it is not
    /// settled.
    pub version: Option<&'static str>,
    /// The other settled facts.
    pub settled: &'a Settled,
    /// On a client, the certificates of the server, end entity first. They have been accepted. The server proves its
    /// key later, and gets nothing before that. Empty by the second engine, which asks after the proof.
    pub peer_chain: &'a [CertificateDer<'a>],
}

/// A peer's certificate to decide about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PeerToJudge<'a> {
    /// The certificates as the peer sent them, end entity first; never empty.
    pub chain: &'a [CertificateDer<'a>],
    /// The role of the peer.
    pub purpose: Purpose,
    /// The protocol version, `TLSv1.2` or `TLSv1.3`; by the second engine, also `TLSv1.1` or `TLSv1`.
    pub version: &'static str,
    /// The OCSP response that a server sent with its certificate (RFC 6066 section 8); may be empty.
    pub staple: &'a [u8],
    /// The other settled facts. They are those of the handshake, also for a peer of an earlier session.
    pub settled: &'a Settled,
    /// On a server, the certificates that it has sent, end entity first; empty if the host has chosen them.
    pub own_chain: &'a [CertificateDer<'a>],
}

/// Decides in place of this library. Asked in the middle of a handshake, on the thread that processes it; may block
/// where the connection uses tasks.
pub trait HandshakeHost: Send + Sync + fmt::Debug {
    /// Chooses the application protocol of a server. `None` leaves it to the configuration, and an empty one means
    /// none. Called only for connections with a setting for it.
    ///
    /// # Errors
    /// Refuses the client with this error.
    fn client_hello(&self, hello: &HelloFacts<'_>) -> Result<Option<Vec<u8>>>;

    /// Chooses the identity to show; `None` if there is none that fits.
    ///
    /// # Errors
    /// Refuses the peer with this error.
    fn choose_identity(&self, request: &IdentityRequest<'_>) -> Result<Option<Arc<Identity>>>;

    /// Decides about the peer's certificate.
    ///
    /// # Errors
    /// Refuses the peer with this error.
    fn check_peer(&self, peer: &PeerToJudge<'_>) -> Result<()>;

    /// Decides again about the peer of an earlier session, which is resumed only if it is accepted. Asked only if
    /// [`super::AskAgain::Managers`] is set.
    ///
    /// # Errors
    /// Has the session not resumed; the full handshake follows.
    fn check_peer_again(&self, peer: &PeerToJudge<'_>) -> Result<()> {
        self.check_peer(peer)
    }

    /// Says whether the identity that was chosen for an earlier session, by its end entity, would be chosen again. If
    /// not, the session is not resumed.
    fn still_shows(&self, request: &IdentityRequest<'_>, end_entity: Option<&CertificateDer<'_>>) -> bool {
        let chosen = self.choose_identity(request);
        chosen.is_ok_and(|chosen| chosen.as_ref().and_then(|chosen| chosen.chain.first()) == end_entity)
    }

    /// Checks the peer's proof that it holds the private key, if the key is of a kind that is not served here.
    ///
    /// # Errors
    /// Refuses the peer with this error.
    fn check_proof(
        &self,
        end_entity: &CertificateDer<'_>,
        scheme: SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<()>;
}
