//! Trust through a chain of issuers, as webpki builds and checks it (RFC 5280 section 6).
//!
//! This file decides which trusted certificates may vouch for others, and hands the rest to webpki. It tolerates
//! nothing; legacy.rs does.

use std::collections::{HashMap, HashSet};

use rustls::DistinguishedName;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::{EndEntityCert, VerifiedPath, anchor_from_trusted_cert};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::presented::{Presented, Purpose, usage};
use super::recast::{Change, Reshaped, Shown, has_pss_parameters, with_algorithms, without_parameters};
use crate::certificate::fault;
use crate::certificate::matching::NameKey;
use crate::der::{SEQUENCE, only};
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
#[derive(Debug, Default)]
pub(super) struct Anchors {
    anchors: Vec<TrustAnchor<'static>>,
    /// The position of each anchor among the trusted certificates.
    positions: Vec<usize>,
    /// The number of issuers that may stand between each anchor and an end entity (RFC 5280 section 4.2.1.9).
    path_lengths: Vec<Option<u32>>,
    /// The SubjectPublicKeyInfos of those that webpki knows without parameters.
    keys: Vec<Vec<u8>>,
    subjects: Vec<DistinguishedName>,
    /// The subject of each trusted certificate, and true if it may vouch for others.
    known: Vec<(NameKey, bool)>,
}

impl Anchors {
    /// The anchors among the trusted certificates.
    pub(super) fn new(trusted: &[TrustedCertificate]) -> Result<Self> {
        let mut this = Self::default();
        let mut names = Vec::new();
        for (position, certificate) in trusted.iter().enumerate() {
            let parsed = fault::parse(&certificate.der).map_err(|error| error.at(&certificate.place))?;
            // They go to clients.
            let is_named = Purpose::Client.is_among(certificate.peers);
            names.extend(is_named.then(|| parsed.subject().as_raw().to_vec()));
            this.known.push((NameKey::new(parsed.subject().as_raw()), may_vouch(&parsed)));
            if !may_vouch(&parsed) {
                if !is_named {
                    continue;
                }
                names.push(parsed.issuer().as_raw().to_vec());
                continue;
            }
            // One that webpki cannot read is still trusted directly.
            this.add(position, certificate, &parsed);
        }
        this.subjects = names_to_send(names);
        Ok(this)
    }

    fn add(&mut self, position: usize, certificate: &TrustedCertificate, parsed: &X509Certificate<'_>) {
        let Ok(shown) = Shown::new(&certificate.der, &Change::of_version(&certificate.der)) else { return };
        let Ok(anchor) = anchor_from_trusted_cert(&shown.der) else { return };
        let mut anchor = anchor.to_owned();
        if has_pss_parameters(parsed.public_key().raw) {
            let Ok(plain) = without_parameters(parsed.public_key().raw) else { return };
            // Its content alone, as webpki has it.
            let Ok(plain) = only(SEQUENCE, &plain) else { return };
            anchor.subject_public_key_info = plain.content.to_vec().into();
            self.keys.push(parsed.public_key().raw.to_vec());
        }
        self.anchors.push(anchor);
        self.positions.push(position);
        let constraints = parsed.basic_constraints().ok().flatten();
        self.path_lengths.push(constraints.and_then(|constraints| constraints.value.path_len_constraint));
    }

    /// Returns true if an anchor has one of these names, written in another way.
    pub(super) fn has_other_form(&self, names: &HashMap<NameKey, Vec<u8>>) -> bool {
        self.other_forms(names).next().is_some()
    }

    /// The positions of anchors that have one of these names written in another way, and the subject that is asked for,
    /// without its header.
    fn other_forms<'a>(
        &'a self,
        names: &'a HashMap<NameKey, Vec<u8>>,
    ) -> impl Iterator<Item = (usize, &'a TrustAnchor<'static>, &'a [u8])> {
        (0..).zip(&self.positions).zip(&self.anchors).filter_map(|((position, trusted), anchor)| {
            let (name, _) = self.known.get(*trusted)?;
            let wanted = only(SEQUENCE, names.get(name)?).ok()?.content;
            (wanted != anchor.subject.as_ref()).then_some((position, anchor, wanted))
        })
    }

    /// The names to send with a certificate request, each once.
    pub(super) fn subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    /// The position of a trusted certificate of this subject, and whether it may vouch for others; rather one that may.
    pub(super) fn find(&self, subject: &[u8]) -> Option<(usize, bool)> {
        self.named(subject).max_by_key(|(_, vouches)| *vouches)
    }

    /// The positions of all trusted certificates of this subject, each with whether it may vouch for others.
    pub(super) fn named(&self, subject: &[u8]) -> impl Iterator<Item = (usize, bool)> {
        let wanted = NameKey::new(subject);
        let known = (0..).zip(&self.known);
        known.filter_map(move |(position, (name, vouches))| (*name == wanted).then_some((position, *vouches)))
    }

    /// The path from `leaf` to an anchor, with the chain as it is, or as it was reshaped.
    pub(super) fn verify(
        &self,
        leaf: &Shown<'_>,
        reshaped: Option<&Reshaped>,
        peer: &Presented<'_>,
        trusted: &[TrustedCertificate],
    ) -> std::result::Result<Vec<CertificateDer<'static>>, webpki::Error> {
        let others = peer.chain.iter().enumerate().skip(1);
        let shown: Vec<_> = others
            .map(|(position, der)| {
                let change = reshaped.map(|reshaped| reshaped.change(position)).unwrap_or_default();
                // One that cannot be reshaped is shown as it is, for webpki to refuse.
                Shown::new(der, &change).or_else(|_| Shown::new(der, &Change::default()))
            })
            .collect::<Result<_, _>>()?;
        let outcome = self.search(leaf, &shown, &self.anchors, Some, peer, trusted);
        let (Err(error), Some(reshaped)) = (&outcome, reshaped) else { return outcome };
        let renamed: Vec<_> = self.other_forms(reshaped.names()).collect();
        if renamed.is_empty() {
            return outcome;
        }
        let anchors: Vec<_> = renamed
            .iter()
            .map(|(_, anchor, subject)| TrustAnchor { subject: (*subject).into(), ..(*anchor).clone() })
            .collect();
        let position = |position: usize| renamed.get(position).map(|(position, ..)| *position);
        match self.search(leaf, &shown, &anchors, position, peer, trusted) {
            Err(webpki::Error::UnknownIssuer) => Err(error.clone()),
            found => found,
        }
    }

    /// The path to one of `anchors`; `known` finds each among this store's.
    fn search(
        &self,
        leaf: &Shown<'_>,
        shown: &[Shown<'_>],
        anchors: &[TrustAnchor<'_>],
        known: impl Fn(usize) -> Option<usize>,
        peer: &Presented<'_>,
        trusted: &[TrustedCertificate],
    ) -> std::result::Result<Vec<CertificateDer<'static>>, webpki::Error> {
        let parsed = leaf.parse()?;
        let intermediates: Vec<_> = shown.iter().map(|shown| CertificateDer::from(shown.der.as_ref())).collect();
        if search_cost(parsed.issuer(), &intermediates) > MAX_SEARCH_COST {
            return Err(webpki::Error::MaximumPathBuildCallsExceeded);
        }
        let anchor_of = |path: &VerifiedPath<'_>| {
            anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor())).and_then(&known)
        };
        // Looked at before the search: its frames are on the stack when `check` runs, and parsing needs many more.
        let signers: Vec<_> = intermediates.iter().filter(|der| may_sign_certificates(der)).collect();
        let check = |path: &VerifiedPath<'_>| {
            issuers_are_among(&signers, path)?;
            let found = anchor_of(path).and_then(|anchor| trusted.get(*self.positions.get(anchor)?));
            if found.is_some_and(|anchor| !peer.purpose.is_among(anchor.peers)) {
                return Err(webpki::Error::UnknownIssuer);
            }
            let limit = anchor_of(path).and_then(|anchor| self.path_lengths.get(anchor).copied().flatten());
            is_within(limit, path)
        };
        let all: Vec<_> = std::iter::once(leaf).chain(shown).collect();
        with_algorithms(&all, &self.keys, peer.tolerated.allowed(), |algorithms| {
            let usage = usage(peer.purpose);
            let path =
                parsed.verify_for_usage(algorithms, anchors, &intermediates, peer.now, usage, None, Some(&check))?;
            let anchor = anchor_of(&path).and_then(|anchor| self.positions.get(anchor));
            let anchor = anchor.and_then(|position| trusted.get(*position));
            let place = |certificate: &webpki::Cert<'_>| {
                let at = intermediates.iter().position(|shown| *shown == certificate.der());
                at.and_then(|at| peer.chain.get(at + 1)).map(|original| original.clone().into_owned())
            };
            Ok((peer.chain.first().into_iter().map(|end_entity| end_entity.clone().into_owned()))
                .chain(path.intermediate_certificates().filter_map(place))
                .chain(anchor.map(|certificate| certificate.der.clone()))
                .collect())
        })
    }
}

/// Refuses a path with more issuers under its anchor than the anchor allows; those that issued themselves do not count
/// (RFC 5280 section 6.1.4 (l)). webpki knows nothing of anchors but names, keys and constraints on names.
fn is_within(limit: Option<u32>, path: &VerifiedPath<'_>) -> std::result::Result<(), webpki::Error> {
    let Some(limit) = limit else { return Ok(()) };
    let issuers = path.intermediate_certificates().filter(|issuer| issuer.subject() != issuer.issuer()).count();
    match u32::try_from(issuers).is_ok_and(|issuers| issuers <= limit) {
        true => Ok(()),
        false => Err(webpki::Error::PathLenConstraintViolated),
    }
}

/// The names, each once; none at all if they would make a message that peers refuse.
fn names_to_send(names: Vec<Vec<u8>>) -> Vec<DistinguishedName> {
    let mut seen = HashSet::new();
    let names: Vec<_> = names.into_iter().filter(|name| name != EMPTY_NAME && seen.insert(name.clone())).collect();
    let length: usize = names.iter().map(|name| name.len().saturating_add(2)).sum();
    match length <= MAX_NAMES_LENGTH {
        true => names.into_iter().map(DistinguishedName::from).collect(),
        false => Vec::new(),
    }
}

/// The upper limit of webpki's visits to intermediates in its search for a path, before it checks a signature.
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

/// Refuses a path with an issuer that is not among those that may sign certificates.
fn issuers_are_among(
    signers: &[&CertificateDer<'_>],
    path: &VerifiedPath<'_>,
) -> std::result::Result<(), webpki::Error> {
    let may_sign = |issuer: &webpki::Cert<'_>| signers.iter().any(|signer| **signer == issuer.der());
    match path.intermediate_certificates().all(may_sign) {
        true => Ok(()),
        false => Err(webpki::Error::EndEntityUsedAsCa),
    }
}

/// Returns true if an issuer's key usage is to sign certificates (RFC 5280 section 6.1.4 (n)), which webpki does not
/// look at.
fn may_sign_certificates(issuer: &[u8]) -> bool {
    X509Certificate::from_der(issuer).is_ok_and(|(_, parsed)| key_usage_allows_certificates(&parsed))
}

fn key_usage_allows_certificates(certificate: &X509Certificate<'_>) -> bool {
    match certificate.key_usage() {
        Ok(Some(usage)) => usage.value.key_cert_sign(),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Returns true if a trusted certificate may issue others.
///
/// RFC 5280 section 6.1.1 sets no rule for an anchor. A store with a client's own certificate trusts that client, and
/// not the certificates that it could issue. So version 3 anchors must be CAs, as with OpenSSL and with Java
/// (`jdk.security.allowNonCaAnchor`). Version 1 cannot say it.
fn may_vouch(certificate: &X509Certificate<'_>) -> bool {
    certificate.version().0 < 2 || may_issue(certificate)
}

/// Returns true if a version 3 certificate is a CA, and its key usage, if any, allows to sign certificates.
pub(super) fn may_issue(certificate: &X509Certificate<'_>) -> bool {
    certificate.is_ca() && key_usage_allows_certificates(certificate)
}
