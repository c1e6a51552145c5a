//! The facts that the engine has asked about in a handshake, and those of the ticket that the client has sent.

use brokertls_legacy_abi::SessionParts;
use rustls::pki_types::CertificateDer;

use crate::error::Error;
use crate::policy::version_name;
use crate::verify::HandshakeNotes;

use super::psk::Mark;
use super::resumed::Resumed;

/// The identity of a pre-shared key that a client has named. The client may have proven nothing.
pub(super) struct Named {
    pub(super) identity: Box<[u8]>,
    pub(super) is_known: bool,
    /// The mark of its secret; none in TLS 1.3, which has no tickets here.
    pub(super) mark: Option<Mark>,
}

/// The facts that the engine has asked about.
#[derive(Default)]
pub(super) struct Asked {
    /// The certificates that the peer has sent in this handshake.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) identity: Option<Named>,
    /// The facts in the ticket that the client has sent. Anybody may send it: they count only if OpenSSL has resumed
    /// its session, and those of this handshake count otherwise.
    pub(super) offered: Option<Resumed>,
    /// The reason why no secret was given.
    pub(super) failure: Option<Error>,
}

impl Asked {
    /// The facts for a ticket: those of the session that is resumed, otherwise those of this handshake.
    pub(super) fn to_seal(&self, parts: SessionParts, server_name: Option<&str>) -> Option<Vec<u8>> {
        HandshakeNotes::set_version(version_name(parts.version)?);
        if parts.is_resumed == 1 {
            return self.offered.as_ref().map(Resumed::encode);
        }
        HandshakeNotes::drop_session();
        let known = self.identity.as_ref().filter(|named| named.is_known);
        let made = Resumed {
            version: parts.version,
            server_name: server_name.map(Box::from),
            identity: known.and_then(|named| Some((named.identity.clone(), named.mark?))),
            chain: self.chain.clone(),
        };
        Some(made.encode())
    }

    /// The certificates of the peer, and the identity of its key.
    pub(super) fn into_facts(self, is_resumed: bool) -> (Vec<CertificateDer<'static>>, Option<Box<[u8]>>) {
        match (is_resumed, self.offered) {
            (true, Some(resumed)) => (resumed.chain, resumed.identity.map(|(identity, _)| identity)),
            // A resumed session has no fact of this handshake.
            (true, None) => (Vec::new(), None),
            (false, _) => (self.chain, self.identity.filter(|named| named.is_known).map(|named| named.identity)),
        }
    }
}
