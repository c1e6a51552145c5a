//! Asks about the peer of an earlier session again, before the session is resumed. No certificate is shown then, and no
//! signature checked: this check alone notices that the peer would be refused by now.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};

use crate::error::{Code, Error, Result};

use super::adapter::{HandshakeNotes, Judge};
use super::approval::{PeerCertificate, VerifyCallback};
use super::authenticated::{Authenticated, Peer, ShownIdentity};
use super::host::{HandshakeHost, PeerToJudge};
use super::{PeerVerifier, Purpose, Verdict};

/// The parts of the application that are asked again about the peer of a session before the session is resumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskAgain {
    /// None: dates, trust and revocation alone decide.
    Nobody,
    /// The verify callback, and on a client the host that chooses identities.
    #[default]
    Callback,
    /// Those, and the host that decides about peers: trust managers of a JVM, which its own TLS does not ask again.
    Managers,
}

/// The settings by which one side of a context asks about the peers of its sessions again.
#[derive(Clone)]
pub(crate) struct Recheck {
    pub(crate) judge: Judge,
    pub(crate) callback: Option<VerifyCallback>,
    /// Chooses what a client shows.
    pub(crate) identities: Option<Arc<dyn HandshakeHost>>,
    /// The role of the peer.
    pub(crate) purpose: Purpose,
    pub(crate) ask_again: AskAgain,
    /// True if the peer's certificate counts at all.
    pub(crate) is_verifying: bool,
}

impl fmt::Debug for Recheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recheck").field("ask_again", &self.ask_again).finish_non_exhaustive()
    }
}

impl Recheck {
    /// Returns true if the application is asked, which may take its time.
    pub(crate) fn asks_application(&self) -> bool {
        let is_asked = match &self.judge {
            Judge::Own(_) => self.callback.is_some() && self.ask_again != AskAgain::Nobody,
            Judge::Host(..) => self.ask_again == AskAgain::Managers,
        };
        self.is_verifying && is_asked || self.identities.is_some() && self.ask_again != AskAgain::Nobody
    }

    /// Returns true if anything but dates is looked at: the peer's certificates must be kept for that.
    pub(crate) fn needs_peer(&self) -> bool {
        self.is_verifying && (self.judge.rechecker().is_some() || self.asks_application())
    }

    /// The trusted certificates' owner.
    pub(crate) fn verifier(&self) -> &PeerVerifier {
        self.judge.verifier()
    }

    /// Decides about a peer that was accepted before.
    ///
    /// # Errors
    /// `CERT_EXPIRED`; why it would be refused now.
    pub(crate) fn check(&self, authenticated: &Authenticated, version: &'static str, now: UnixTime) -> Result<()> {
        if now.as_secs() > authenticated.expires_s {
            return Err(Error::from(Code::CertExpired));
        }
        let Some(peer) = authenticated.peer.as_ref().filter(|_| self.is_verifying) else { return Ok(()) };
        match &self.judge {
            Judge::Own(verifier) => {
                verifier.recheck(&peer.path, now)?;
                self.callback.as_ref().filter(|_| self.ask_again != AskAgain::Nobody).map_or(Ok(()), |callback| {
                    let verdict = verdict(peer);
                    let connection = HandshakeNotes::connection(version);
                    let chain = peer.chain.certificates();
                    let peer = PeerCertificate {
                        chain: &chain,
                        purpose: self.purpose,
                        verdict: &verdict,
                        connection: &connection,
                        is_resumed: true,
                    };
                    HandshakeNotes::aside(|| callback(&peer))
                        .map_err(|why| Error::new(Code::CertRejectedByCallback, why))
                })
            }
            Judge::Host(host, _) if self.ask_again == AskAgain::Managers => {
                let staple = peer.path.staple().unwrap_or_default();
                let chain = peer.chain.certificates();
                let settled = HandshakeNotes::settled();
                let purpose = self.purpose;
                let peer = PeerToJudge { chain: &chain, purpose, version, staple, settled: &settled, own_chain: &[] };
                HandshakeNotes::aside(|| host.check_peer_again(&peer))
            }
            Judge::Host(..) => Ok(()),
        }
    }

    /// Returns true if the host would answer the server's request as it did in the session.
    pub(crate) fn shows_again(&self, shown: Option<&ShownIdentity>, server: &Authenticated) -> bool {
        let (Some(host), Some(shown)) = (&self.identities, shown) else { return true };
        if self.ask_again == AskAgain::Nobody {
            return true;
        }
        let server = server.peer.as_ref().map(|peer| peer.chain.certificates()).unwrap_or_default();
        shown
            .request(&server)
            .is_some_and(|request| HandshakeNotes::aside(|| host.still_shows(&request, shown.end_entity())))
    }
}

fn verdict(peer: &Peer) -> Verdict {
    Verdict {
        path: peer.path.certificates().into_iter().map(CertificateDer::into_owned).collect(),
        direct: peer.is_direct,
        deviations: peer.deviations.iter().collect(),
    }
}

/// The most sessions of one ClientHello that are asked about; clients offer one or two.
pub(crate) const MAX_OFFERED: u8 = 4;

impl HandshakeNotes {
    /// Counts a session that a client offers; whether it may be looked at.
    pub(crate) fn may_look_at_offered() -> bool {
        Self::count_offered() <= MAX_OFFERED
    }
}
