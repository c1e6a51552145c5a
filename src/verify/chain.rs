//! Trust through a chain of issuers, as webpki builds and checks it (RFC 5280 section 6).
//!
//! This file decides which trusted certificates may vouch for others, and hands the rest to webpki. It tolerates nothing;
//! legacy.rs does.

use std::collections::HashSet;

use rustls::DistinguishedName;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath, anchor_from_trusted_cert};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Purpose;
use super::legacy::TolerantAlgorithm;
use super::refusal::Peer;
use crate::certificate::fault;
use crate::error::Result;
use crate::keystore::TrustedCertificate;

/// A name without any part, which chooses nothing.
const EMPTY_NAME: &[u8] = &[0x30, 0x00];
/// The most bytes of CA names in a certificate request.
///
/// TLS has room for 65,535, but Java refuses handshake messages over 32 KiB (`jdk.tls.maxHandshakeMessageSize`). An
/// empty list lets the client choose.
const MAX_NAMES_LENGTH: usize = 30_000;

/// So few intermediates that no search among them is long.
const FEW_INTERMEDIATES: usize = 4;
/// The most looks at an intermediate that a chain may cost; one takes less than a microsecond.
const MAX_SEARCH_COST: u64 = 10_000;
/// The most issuers between end entity and anchor that webpki follows, and the one that it then gives up at.
const MAX_DEPTH: usize = 7;

/// The trusted certificates that may vouch for others.
#[derive(Debug)]
pub(super) struct Anchors {
    anchors: Vec<TrustAnchor<'static>>,
    /// Of each anchor, its position among the trusted certificates.
    positions: Vec<usize>,
    subjects: Vec<DistinguishedName>,
    /// Of each trusted certificate, its subject, and whether it may vouch for others.
    known: Vec<(Vec<u8>, bool)>,
}

impl Anchors {
    /// The anchors among the trusted certificates.
    pub(super) fn new(trusted: &[TrustedCertificate]) -> Result<Self> {
        let mut this = Self { anchors: Vec::new(), positions: Vec::new(), subjects: Vec::new(), known: Vec::new() };
        let mut names = Vec::new();
        for (position, certificate) in trusted.iter().enumerate() {
            let parsed = fault::parse(&certificate.der).map_err(|error| error.at(&certificate.place))?;
            names.push(parsed.subject().as_raw().to_vec());
            this.known.push((parsed.subject().as_raw().to_vec(), may_vouch(&parsed)));
            if !may_vouch(&parsed) {
                names.push(parsed.issuer().as_raw().to_vec());
                continue;
            }
            // One that webpki cannot read is still trusted directly.
            if let Ok(anchor) = anchor_from_trusted_cert(&certificate.der) {
                this.anchors.push(anchor.to_owned());
                this.positions.push(position);
            }
        }
        this.subjects = names_to_send(names);
        Ok(this)
    }

    /// The names to send with a certificate request, each once.
    pub(super) fn subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    /// The position of a trusted certificate of this subject, and whether it may vouch for others; rather one that may.
    pub(super) fn find(&self, subject: &[u8]) -> Option<(usize, bool)> {
        let named = self.known.iter().enumerate().filter(|(_, (name, _))| name == subject);
        named.map(|(position, (_, vouches))| (position, *vouches)).max_by_key(|(_, vouches)| *vouches)
    }

    /// The path from `leaf` to an anchor.
    pub(super) fn verify(
        &self,
        leaf: &EndEntityCert<'_>,
        algorithms: &[TolerantAlgorithm<'_>],
        peer: &Peer<'_>,
    ) -> std::result::Result<Vec<CertificateDer<'static>>, webpki::Error> {
        let algorithms: Vec<_> = algorithms.iter().map(|one| one as &dyn SignatureVerificationAlgorithm).collect();
        let intermediates = peer.chain.get(1..).unwrap_or_default();
        if search_cost(leaf.issuer(), intermediates) > MAX_SEARCH_COST {
            return Err(webpki::Error::MaximumPathBuildCallsExceeded);
        }
        let path = leaf.verify_for_usage(
            &algorithms,
            &self.anchors,
            intermediates,
            peer.now,
            usage(peer.purpose),
            None,
            Some(&issuers_may_sign_certificates),
        )?;
        Ok(self.certificates(&path, peer))
    }

    /// The path as the peer and the trust store have it; its end entity may have been recast.
    fn certificates(&self, path: &VerifiedPath<'_>, peer: &Peer<'_>) -> Vec<CertificateDer<'static>> {
        let anchor = self.anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()));
        let anchor =
            anchor.and_then(|found| self.positions.get(found)).and_then(|position| peer.trusted.get(*position));
        (peer.chain.first().into_iter().map(|end_entity| end_entity.clone().into_owned()))
            .chain(path.intermediate_certificates().map(|certificate| certificate.der().into_owned()))
            .chain(anchor.map(|certificate| certificate.der.clone()))
            .collect()
    }
}

/// The names, each once; none at all where they would make a message that peers refuse.
fn names_to_send(names: Vec<Vec<u8>>) -> Vec<DistinguishedName> {
    let mut seen = HashSet::new();
    let names: Vec<_> = names.into_iter().filter(|name| name != EMPTY_NAME && seen.insert(name.clone())).collect();
    let length: usize = names.iter().map(|name| name.len().saturating_add(2)).sum();
    match length <= MAX_NAMES_LENGTH {
        true => names.into_iter().map(DistinguishedName::from).collect(),
        false => Vec::new(),
    }
}

/// How often webpki would at most look at an intermediate in its search for a path, before it looks at a signature.
///
/// webpki's own budget counts steps, not looks; with a hundred certificates that name each other as issuers it is worth
/// seconds, to a peer that has proven nothing. The walks along issuers' names are counted instead, without repetition
/// of one certificate right after itself.
fn search_cost(issuer: &[u8], intermediates: &[CertificateDer<'_>]) -> u64 {
    if intermediates.len() <= FEW_INTERMEDIATES {
        return 0;
    }
    let parsed: Vec<_> = intermediates.iter().filter_map(|der| EndEntityCert::try_from(der).ok()).collect();
    let mut walks: Vec<u64> = parsed.iter().map(|one| u64::from(one.subject() == issuer)).collect();
    let mut steps: u64 = 1;
    for _ in 0..MAX_DEPTH {
        steps = walks.iter().fold(steps, |sum, walks| sum.saturating_add(*walks));
        let longer = |(position, next): (usize, &EndEntityCert<'_>)| {
            let before = (0..)
                .zip(&parsed)
                .zip(&walks)
                .filter(|((at, one), _)| *at != position && one.issuer() == next.subject());
            before.fold(0u64, |sum, (_, walks)| sum.saturating_add(*walks))
        };
        walks = parsed.iter().enumerate().map(longer).collect();
    }
    steps.saturating_mul(intermediates.len() as u64)
}

/// Refuses a path with an issuer whose key usage is not to sign certificates (RFC 5280 section 6.1.4 (n)), which webpki
/// does not look at.
fn issuers_may_sign_certificates(path: &VerifiedPath<'_>) -> std::result::Result<(), webpki::Error> {
    let may_sign = |issuer: &webpki::Cert<'_>| {
        let der = issuer.der();
        X509Certificate::from_der(&der).is_ok_and(|(_, parsed)| key_usage_allows_certificates(&parsed))
    };
    match path.intermediate_certificates().all(may_sign) {
        true => Ok(()),
        false => Err(webpki::Error::EndEntityUsedAsCa),
    }
}

fn key_usage_allows_certificates(certificate: &X509Certificate<'_>) -> bool {
    match certificate.key_usage() {
        Ok(Some(usage)) => usage.value.key_cert_sign(),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Whether a trusted certificate may vouch for others.
///
/// RFC 5280 section 6.1.1 leaves it open what an anchor must be. A store that holds a client's own certificate means
/// that client, not whomever it would like to certify; so, as with OpenSSL and with Java
/// (`jdk.security.allowNonCaAnchor`), version 3 anchors must be CAs. Version 1 has no way to say it.
fn may_vouch(certificate: &X509Certificate<'_>) -> bool {
    certificate.version().0 < 2 || may_issue(certificate)
}

/// Whether a version 3 certificate says that it is a CA, and that its key signs certificates where it says anything.
pub(super) fn may_issue(certificate: &X509Certificate<'_>) -> bool {
    certificate.is_ca() && key_usage_allows_certificates(certificate)
}

/// What the extended key usage must name where it is given.
pub(super) fn usage(purpose: Purpose) -> KeyUsage {
    match purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    }
}
