//! Findings of a full handshake about a peer, kept with each session of it. They are the time of the handshake, the
//! time until which they hold, and what is needed to ask about the peer again. Nothing here decides.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::certificate::{IssuerTable, KeptChain};

use super::host::{IdentityRequest, Settled};
use super::{Deviations, Purpose, Verdict, VerifiedPath};

/// A peer as a full handshake authenticated it.
#[derive(Debug)]
pub(crate) struct Authenticated {
    /// The number of the connection with that handshake; 0 until it is noted.
    pub(crate) origin: u64,
    /// Time of that handshake, in seconds since 1970. Resumptions keep it.
    pub(crate) at_s: u64,
    /// The last second in which every certificate of the peer is valid; the greatest there is without a certificate.
    pub(crate) expires_s: u64,
    /// None if the peer showed no certificate, or none that counted.
    pub(crate) peer: Option<Peer>,
}

/// The certificates of a peer that was accepted.
#[derive(Debug)]
pub(crate) struct Peer {
    /// As the peer sent them, end entity first.
    pub(crate) chain: KeptChain,
    /// The verified path, with the staple; if a host decided, the certificates as they were sent.
    pub(crate) path: Arc<VerifiedPath>,
    /// True if the end entity is trusted itself.
    pub(crate) is_direct: bool,
    /// The deviations that were needed.
    pub(crate) deviations: Deviations,
}

impl Authenticated {
    /// A peer without a certificate, or with one that does not count.
    pub(crate) fn anonymous(at_s: u64) -> Self {
        Self { origin: 0, at_s, expires_s: u64::MAX, peer: None }
    }

    /// A peer that was accepted by the rules here.
    pub(super) fn verified(chain: &[CertificateDer<'_>], verdict: &Verdict, staple: &[u8], at_s: u64) -> Self {
        // The dates of a trusted CA do not count, whatever they are.
        let dated = verdict.path.len().saturating_sub(1).max(1);
        let expires_s = verdict.path.iter().take(dated).map(|der| not_after_s(der)).min().unwrap_or_default();
        let peer = Peer {
            chain: KeptChain::of(chain),
            path: Arc::new(VerifiedPath::new(&verdict.path).with_staple(staple)),
            is_direct: verdict.direct,
            deviations: verdict.deviations.iter().copied().collect(),
        };
        Self { origin: 0, at_s, expires_s, peer: Some(peer) }
    }

    /// A peer that a host accepted. Its path is not known: of the issuers in the chain, those count that were valid.
    pub(super) fn by_host(chain: &[CertificateDer<'_>], staple: &[u8], at_s: u64) -> Self {
        let mut dates = chain.iter().map(|der| not_after_s(der));
        let end_entity = dates.next().unwrap_or_default();
        let expires_s = dates.filter(|date| *date >= at_s).fold(end_entity, u64::min);
        let path = Arc::new(VerifiedPath::new(chain).with_staple(staple));
        let peer = Peer { chain: KeptChain::of(chain), path, is_direct: false, deviations: Deviations::default() };
        Self { origin: 0, at_s, expires_s, peer: Some(peer) }
    }

    /// The same peer, if nothing will be asked about its certificates.
    pub(super) fn without_certificates(self) -> Self {
        Self { peer: None, ..self }
    }

    /// The same peer, which shares its certificates with a chain that is kept and with the others of `table`.
    pub(crate) fn sharing(&self, chain: &KeptChain, table: &Arc<IssuerTable>) -> Self {
        let peer = self.peer.as_ref().map(|peer| Peer {
            chain: peer.chain.sharing(chain, table),
            path: Arc::new(peer.path.sharing(chain, table)),
            is_direct: peer.is_direct,
            deviations: peer.deviations,
        });
        Self { origin: self.origin, at_s: self.at_s, expires_s: self.expires_s, peer }
    }

    /// Returns true if both are the same peer, as one handshake authenticated it.
    pub(crate) fn is_of_handshake(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|one| one.peer.as_ref().map(|peer| &peer.chain));
        self.at_s == other.at_s && own == others
    }

    pub(crate) fn path(&self) -> Option<&Arc<VerifiedPath>> {
        self.peer.as_ref().map(|peer| &peer.path)
    }
}

/// The last second of a certificate's validity; 0 for one that cannot be read, so that no session outlives it.
fn not_after_s(der: &[u8]) -> u64 {
    let parsed = X509Certificate::from_der(der).ok();
    parsed.and_then(|(_, parsed)| u64::try_from(parsed.validity().not_after.timestamp()).ok()).unwrap_or_default()
}

/// The most bytes of issuers in a server's request that a client keeps to repeat it.
const MAX_ISSUERS_BYTES: usize = 4096;

/// A request of a server for a certificate, and what a host had this side answer.
#[derive(Debug)]
pub(crate) struct ShownIdentity {
    key_types: Vec<&'static str>,
    schemes: Vec<SignatureScheme>,
    issuers: Vec<Vec<u8>>,
    version: Option<&'static str>,
    is_repeatable: bool,
    end_entity: Option<CertificateDer<'static>>,
}

impl ShownIdentity {
    pub(crate) fn new(request: &IdentityRequest<'_>, end_entity: Option<CertificateDer<'static>>) -> Self {
        let is_repeatable = request.issuers.iter().map(|issuer| issuer.len()).sum::<usize>() <= MAX_ISSUERS_BYTES;
        Self {
            key_types: request.key_types.clone(),
            schemes: request.signature_schemes.to_vec(),
            issuers: if is_repeatable {
                request.issuers.iter().map(|name| name.to_vec()).collect()
            } else {
                Vec::new()
            },
            version: request.version,
            is_repeatable,
            end_entity,
        }
    }

    /// The request once more; none if it was too long to be kept.
    pub(super) fn request<'a>(&'a self, server: &'a [CertificateDer<'a>]) -> Option<IdentityRequest<'a>> {
        self.is_repeatable.then(|| IdentityRequest {
            purpose: Purpose::Client,
            server_name: None,
            key_types: self.key_types.clone(),
            signature_schemes: &self.schemes,
            issuers: self.issuers.iter().map(Vec::as_slice).collect(),
            version: self.version,
            settled: Settled::NOTHING,
            peer_chain: server,
        })
    }

    /// The certificate that was shown; none if there was none that fits.
    pub(super) fn end_entity(&self) -> Option<&CertificateDer<'static>> {
        self.end_entity.as_ref()
    }
}
