//! The facts that the engine has asked about in a handshake, and those of the ticket that the client has sent.

use brokertls_legacy_abi::SessionParts;
use rustls::pki_types::CertificateDer;

use crate::error::Error;
use crate::policy::version_name;
use crate::verify::HandshakeNotes;

use super::answers::AnswersClient;
use super::psk::Mark;
use super::resumed::Resumed;

/// The identity of a pre-shared key that a client has named. The client may have proven nothing.
pub(super) struct Named {
    pub(super) identity: Box<[u8]>,
    pub(super) is_known: bool,
    /// The mark of its secret.
    pub(super) mark: Mark,
}

/// The facts that the engine has asked about.
#[derive(Default)]
pub(super) struct Asked {
    /// The certificates that the peer has sent in this handshake.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// True if they are accepted.
    pub(super) is_judged: bool,
    pub(super) identity: Option<Named>,
    /// The facts in the ticket that the client has sent. Anybody may send it: they count only if OpenSSL has resumed
    /// its session, and those of this handshake count otherwise.
    pub(super) offered: Option<Resumed>,
    /// The reason why no secret was given.
    pub(super) failure: Option<Error>,
}

impl Asked {
    /// The facts for a ticket, or of a session that is stored: those of the session that is resumed, otherwise those of
    /// this handshake.
    pub(super) fn to_seal(&self, parts: SessionParts, server_name: Option<&str>) -> Option<Vec<u8>> {
        HandshakeNotes::set_version(version_name(parts.version)?);
        if parts.is_resumed == 1 {
            return self.offered.as_ref().map(Resumed::encode);
        }
        HandshakeNotes::drop_session();
        let known = self.identity.as_ref().filter(|named| named.is_known && parts.uses_psk == 1);
        let made = Resumed {
            version: parts.version,
            server_name: server_name.map(Box::from),
            identity: known.map(|named| (named.identity.clone(), named.mark)),
            chain: self.chain.clone(),
        };
        Some(made.encode())
    }

    /// Returns true if the session with these facts may be resumed in this version. Its facts are offered then, and
    /// those of another session are not any more.
    pub(super) fn takes_session(
        &mut self,
        (version, facts): (u16, Option<Vec<u8>>),
        server: &dyn AnswersClient,
        server_name: Option<&str>,
    ) -> bool {
        self.offered = facts
            .and_then(|facts| Resumed::decode(&facts))
            // A session is for the version and the name that it was made for (RFC 6066 section 3).
            .filter(|resumed| resumed.version == version && resumed.server_name.as_deref() == server_name)
            .filter(|resumed| HandshakeNotes::is_session_of(&resumed.chain))
            .filter(|resumed| resumed.has_secret(server));
        if self.offered.is_none() {
            HandshakeNotes::drop_session();
        }
        self.offered.is_some()
    }

    /// The certificates of the peer, and the identity of its key.
    pub(super) fn into_facts(
        self,
        is_resumed: bool,
        uses_psk: bool,
    ) -> (Vec<CertificateDer<'static>>, Option<Box<[u8]>>) {
        match (is_resumed, self.offered) {
            (true, Some(resumed)) => (resumed.chain, resumed.identity.map(|(identity, _)| identity)),
            // A resumed session has no fact of this handshake.
            (true, None) => (Vec::new(), None),
            (false, _) => {
                let known = self.identity.filter(|named| named.is_known && uses_psk);
                (self.chain, known.map(|named| named.identity))
            }
        }
    }
}
