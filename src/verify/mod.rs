//! Decides if a peer's certificate is accepted: the order of the rules.
//!
//! The end entity is trusted directly (direct.rs) or through a chain (chain.rs). Its key is long enough (signature.rs),
//! and it is for the requested name (name.rs). Last, its path is not revoked (revocation/). Tolerated deviations are in
//! legacy.rs, explanations of refusals in refusal.rs, and paths that are checked again later in path.rs. This room
//! opens no files and no sockets, and keeps no state between peers.

mod adapter;
mod approval;
mod authenticated;
mod chain;
mod culprit;
mod deviation;
mod direct;
mod end_entity;
mod foreseen;
pub mod host;
mod legacy;
mod name;
mod path;
mod presented;
mod recast;
mod recheck;
mod refusal;
mod signature;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};

pub(crate) use adapter::{HandshakeInput, HandshakeNotes, Judge, RustlsVerifier};
pub use approval::{PeerCertificate, PeerConnection, VerifyCallback};
pub(crate) use authenticated::{Authenticated, Peer, ShownIdentity};
pub use deviation::{Deviation, Deviations};
pub(crate) use foreseen::{EarlyVerdict, Foreseen};
pub(crate) use path::{Fingerprint, VerifiedPath, fingerprint};
use presented::Presented;
pub use presented::Purpose;
use recast::Reshaped;
pub use recheck::AskAgain;
pub(crate) use recheck::{MAX_OFFERED, Recheck};
use refusal::Refusal;

use crate::error::{Code, Error, Result};
use crate::keystore::TrustedCertificate;
use crate::revocation::{Link, Revocation, Revoked};
use crate::signature::schemes;

/// The most certificates that a peer may send: its own and its issuers.
///
/// Chains in use have two to four, and webpki follows at most six issuers; but some servers send all that they have.
pub const MAX_CHAIN_LENGTH: usize = 40;

/// Refuses a chain with too many certificates, also if a host decides about them.
fn check_chain_length(chain: &[CertificateDer<'_>]) -> Result<()> {
    if chain.len() <= MAX_CHAIN_LENGTH {
        return Ok(());
    }
    let detail = format!("{} certificates were sent, {MAX_CHAIN_LENGTH} is the most", chain.len());
    Err(Error::new(Code::CertTooComplex, detail))
}

/// The facts of an accepted certificate of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The path from the end entity to the trust anchor, or the end entity alone if it is trusted directly.
    pub path: Vec<CertificateDer<'static>>,
    /// True if the trust store has the end entity itself.
    pub direct: bool,
    /// The deviations without which it would have been refused.
    pub deviations: Vec<Deviation>,
}

/// Decides about peers' certificates against one set of trusted certificates.
#[derive(Debug)]
pub struct PeerVerifier {
    trusted: Vec<TrustedCertificate>,
    direct: direct::Index,
    anchors: chain::Anchors,
    tolerated: Deviations,
    revocation: Option<Revocation>,
    /// The fingerprints of the trusted certificates.
    fingerprints: path::Fingerprints,
}

impl PeerVerifier {
    /// A verifier that trusts these certificates, and tolerates these deviations.
    ///
    /// A certificate of `trust` is an anchor for chains if it is a CA (or X.509 version 1, which cannot say so), and is
    /// itself accepted as a peer's certificate.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED`, with its place, for what is no certificate.
    pub fn new(trust: Vec<TrustedCertificate>, tolerated: Deviations) -> Result<Self> {
        let anchors = chain::Anchors::new(&trust)?;
        Ok(Self {
            direct: direct::Index::new(&trust),
            anchors,
            fingerprints: path::Fingerprints::of(&trust),
            trusted: trust,
            tolerated,
            revocation: None,
        })
    }

    /// With paths checked for revocation too.
    pub fn with_revocation(self, revocation: Revocation) -> Self {
        Self { revocation: Some(revocation.with_trusted(&self.trusted)), ..self }
    }

    /// Returns true if paths are checked for revocation.
    pub(crate) fn checks_revocation(&self) -> bool {
        self.revocation.as_ref().is_some_and(Revocation::is_on)
    }

    /// Checks a path that was accepted before for revocation, by what is known now.
    ///
    /// # Errors
    /// As for [`Revocation::recheck`].
    pub(crate) fn recheck(&self, path: &VerifiedPath, now: UnixTime) -> Result<()> {
        let Some(revocation) = &self.revocation else { return Ok(()) };
        revocation.recheck(&path.certificates(), path.staple(), now)
    }

    /// The number of checked certificates of a path, from the end entity on.
    pub(crate) fn asked_of(&self, path: &VerifiedPath) -> usize {
        self.revocation.as_ref().map_or(0, |revocation| revocation.asked_of(&path.certificates()))
    }

    /// Returns how a certificate was revoked, if that is known. Asks no one.
    pub(crate) fn revoked(&self, link: Link<'_>, now: UnixTime) -> Option<Revoked> {
        self.revocation.as_ref().and_then(|revocation| revocation.revoked(link, now))
    }

    /// The trusted certificate with this fingerprint.
    pub(crate) fn trusted_of(&self, fingerprint: &Fingerprint) -> Option<&CertificateDer<'static>> {
        self.trusted.get(self.fingerprints.position(fingerprint)?).map(|trusted| &trusted.der)
    }

    /// Decides about the chain that a peer sent, end entity first, as of `now`.
    ///
    /// `name` is the host that was connected to; `None` asks for no name, as servers do of their clients. That the peer
    /// holds the private key is another question: [`Self::verify_tls12_signature`], [`Self::verify_tls13_signature`].
    ///
    /// # Errors
    /// A code of the certificate range, with the certificate, its position in the chain and what was found.
    pub fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> Result<Verdict> {
        self.verify_stapled(chain, purpose, name, None, now)
    }

    /// As [`Self::verify`], with the OCSP response that came with the end entity (RFC 6066 section 8): empty if the
    /// peer could have sent one and did not.
    ///
    /// # Errors
    /// As for [`Self::verify`], and those of the check of revocation.
    pub fn verify_stapled(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        staple: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<Verdict> {
        self.verify_within(chain, purpose, name, (staple, true), now)
    }

    /// As [`Self::verify_stapled`], after the staple with true if the check of revocation may wait for the network.
    /// Without that, what is known must do.
    ///
    /// # Errors
    /// As for [`Self::verify_stapled`].
    pub(crate) fn verify_within(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        (staple, may_wait): (Option<&[u8]>, bool),
        now: UnixTime,
    ) -> Result<Verdict> {
        let verdict = self.verify_path(chain, purpose, name, now)?;
        if let Some(revocation) = &self.revocation {
            match may_wait {
                true => revocation.check_sent(&verdict.path, chain, staple, now)?,
                false => revocation.check_known(&verdict.path, chain, staple, now)?,
            }
        }
        Ok(verdict)
    }

    /// The path of a chain, without a check of revocation.
    fn verify_path(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> Result<Verdict> {
        let Some(end_entity) = chain.first() else {
            return Err(match purpose {
                Purpose::Client => Error::from(Code::CertMissing),
                Purpose::Server => Error::from(Code::CertMissing).with_hint("The server needs a certificate and key."),
            });
        };
        check_chain_length(chain)?;
        let peer = Presented { chain, purpose, now, tolerated: self.tolerated };
        let refusal = Refusal { peer: &peer, trusted: &self.trusted, anchors: &self.anchors };
        let direct = self.direct.position(&self.trusted, end_entity).and_then(|position| self.trusted.get(position));
        let direct = direct.is_some_and(|trusted| purpose.is_among(trusted.peers));
        let mut reshaped = None;
        let found = self.path(&peer, None, direct, name).or_else(|error| {
            reshaped = Reshaped::of(chain, |names| self.anchors.has_other_form(names));
            if reshaped.is_some() { self.path(&peer, reshaped.as_ref(), direct, name) } else { Err(error) }
        });
        let (leaf, path) = found.map_err(|error| refusal.of(error))?;
        let parsed = leaf.shown.parse().map_err(|error| refusal.of(error))?;
        if !direct {
            end_entity::check_common_names(&refusal, &leaf, reshaped.as_ref(), &path)?;
        }

        let mut deviations = leaf.deviations.clone();
        if signature::check_key_sizes(&path, self.tolerated).map_err(|key| refusal.of_key(&key))? {
            deviations.push(Deviation::SmallRsa);
        }
        if end_entity::check_key_usage(&peer)? {
            deviations.push(Deviation::KeyUsage);
        }
        if !signature::is_usable_key(end_entity) {
            return Err(refusal.of_key_algorithm());
        }
        if let Some(name) = name {
            name::verify(&parsed, end_entity, name, deviations.contains(&Deviation::CommonName))?;
        }
        Ok(Verdict { path, direct, deviations })
    }

    /// The end entity as it was judged, and its path.
    fn path<'a>(
        &self,
        peer: &Presented<'a>,
        reshaped: Option<&Reshaped>,
        direct: bool,
        name: Option<&ServerName<'_>>,
    ) -> Result<(legacy::Leaf<'a>, Vec<CertificateDer<'static>>), webpki::Error> {
        let change = reshaped.map(|reshaped| reshaped.change(0)).unwrap_or_default();
        let leaf = legacy::Leaf::new(peer, change, direct, name)?;
        let path = match (direct, peer.chain.first()) {
            (true, Some(end_entity)) => direct::verify(&leaf.shown.parse()?, peer.purpose, peer.now, end_entity)?,
            _ => self.anchors.verify(&leaf.shown, reshaped, peer, &self.trusted)?,
        };
        Ok((leaf, path))
    }

    /// Checks a TLS 1.2 peer's proof that it holds the private key of `cert` (RFC 5246 sections 7.4.3 and 7.4.8).
    ///
    /// # Errors
    /// `CERT_PROOF_INVALID`, `CERT_KEY_TOO_SMALL`, `CERT_ALGORITHM_UNSUPPORTED` or `CERT_MALFORMED`.
    pub fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<()> {
        let proof = signature::Proof { message, scheme: dss.scheme, signature: dss.signature() };
        proof.verify(cert, false, self.tolerated)
    }

    /// Checks a TLS 1.3 peer's proof that it holds the private key of `cert` (RFC 8446 section 4.4.3).
    ///
    /// # Errors
    /// `CERT_PROOF_INVALID`, `CERT_KEY_TOO_SMALL`, `CERT_ALGORITHM_UNSUPPORTED` or `CERT_MALFORMED`.
    pub fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<()> {
        let proof = signature::Proof { message, scheme: dss.scheme, signature: dss.signature() };
        proof.verify(cert, true, self.tolerated)
    }

    /// The signature schemes to offer to the peer, best first.
    pub fn signature_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }

    /// The CA names to send with a certificate request (RFC 8446 section 4.2.4).
    ///
    /// Clients choose their certificate by its issuer. So the subject of each trusted certificate is named, and the
    /// issuer of those that are no CA.
    pub fn subjects(&self) -> Vec<DistinguishedName> {
        self.anchors.subjects().to_vec()
    }

    /// The check of revocation, if there is one.
    pub(crate) fn revocation(&self) -> Option<&Revocation> {
        self.revocation.as_ref()
    }

    /// The certificates that are trusted, in the order they were given.
    pub fn trusted(&self) -> &[TrustedCertificate] {
        &self.trusted
    }
}
