//! The server's side of a context with the second engine: its identities, and the choice of an engine for a client.

use std::path::Path;
use std::sync::Arc;

use brokertls_legacy_abi::{Bytes, ContextParts, IdentityParts};
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{ProtocolVersion, SignatureAlgorithm};

use crate::error::Result;
use crate::identity::{certified, names_served, serves_name};
use crate::keystore::Identity;
use crate::policy::{KeyKind, Policy, SecondPolicy};
use crate::session::SecondTickets;
use crate::verify::{HandshakeNotes, RustlsVerifier};

use super::engine::{Answers, EngineContext, Lacks, Session};
use super::loader;
use super::offer::Offer;
use super::psk::Psks;

/// The part of a context that rustls serves.
#[derive(Debug)]
pub(crate) struct First {
    has_tls13: bool,
    tls13: Vec<u16>,
    /// The suites of TLS 1.2 that fit the key of an identity.
    tls12: Vec<u16>,
    groups: Vec<u16>,
}

impl First {
    /// Reads what rustls serves with these identities.
    pub(crate) fn new(policy: &Policy, identities: &[Arc<Identity>]) -> Self {
        let is_tls13 = |version| version == ProtocolVersion::TLSv1_3;
        let kinds: Vec<SignatureAlgorithm> = identities.iter().map(|one| one.signing_key.algorithm()).collect();
        let suites = policy.cipher_suites().iter();
        let suites = suites.filter(|suite| kinds.iter().any(|kind| suite.usable_for_signature_algorithm(*kind)));
        let (tls13, tls12): (Vec<_>, Vec<_>) = suites.partition(|suite| is_tls13(suite.version().version));
        let numbers = |suites: Vec<&rustls::SupportedCipherSuite>| {
            suites.into_iter().map(|suite| u16::from(suite.suite())).collect()
        };
        Self {
            has_tls13: policy.versions().iter().any(|version| is_tls13(version.version)),
            tls13: numbers(tls13),
            tls12: numbers(tls12),
            groups: policy.groups().iter().map(|group| u16::from(group.name())).collect(),
        }
    }

    /// Returns true if rustls can serve the offer.
    fn serves(&self, offer: &Offer) -> bool {
        let common = |own: &[u16], theirs: &[u16]| own.iter().any(|one| theirs.contains(one));
        let suites = match (self.has_tls13 && offer.versions.contains(&0x0304), offer.versions.contains(&0x0303)) {
            (true, _) => &self.tls13,
            (false, true) => &self.tls12,
            (false, false) => return false,
        };
        offer.names_signatures && common(suites, &offer.suites) && common(&self.groups, &offer.groups)
    }

    /// The part that an offer with a suite of rustls' does not have in common with it.
    fn lacks(&self, offer: &Offer) -> Lacks {
        let common = |own: &[u16], theirs: &[u16]| own.iter().any(|one| theirs.contains(one));
        if offer.versions.first() != Some(&0x0303) || !common(&self.tls12, &offer.suites) {
            return Lacks::Nothing;
        }
        match offer.names_signatures {
            true if !common(&self.groups, &offer.groups) => Lacks::Groups,
            true => Lacks::Nothing,
            false => Lacks::Signatures,
        }
    }
}

/// A context of the engine, for one identity or none.
struct Own {
    context: EngineContext,
    key: Option<Arc<CertifiedKey>>,
    kind: Option<KeyKind>,
    names: Vec<String>,
}

/// The settings of a server.
pub(crate) struct Parts<'a> {
    pub(crate) library: Option<&'a Path>,
    pub(crate) identities: &'a [Arc<Identity>],
    pub(crate) policy: SecondPolicy,
    pub(crate) first: Option<First>,
    pub(crate) verifier: Option<RustlsVerifier>,
    pub(crate) psks: Option<Psks>,
    pub(crate) protocols: &'a [Vec<u8>],
    pub(crate) clock: Arc<dyn TimeProvider>,
    /// None if no session is resumed.
    pub(crate) tickets: Option<SecondTickets>,
}

/// The server's side.
pub(crate) struct Server {
    contexts: Vec<Own>,
    policy: SecondPolicy,
    first: Option<First>,
    verifier: Option<RustlsVerifier>,
    psks: Option<Psks>,
    clock: Arc<dyn TimeProvider>,
    tickets: Option<SecondTickets>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("first", &self.first).finish_non_exhaustive()
    }
}

impl Server {
    /// Loads the engine and makes its contexts.
    ///
    /// # Errors
    /// `LEGACY_UNAVAILABLE`.
    pub(crate) fn new(parts: Parts<'_>) -> Result<Self> {
        let table = loader::table(parts.library)?;
        // Only keys in bytes are used. Without one, pre-shared keys alone are served.
        let mut contexts = Vec::new();
        for identity in parts.identities.iter().filter(|identity| identity.key.is_some()) {
            contexts.push(Own {
                context: context(table, &parts, Some(identity))?,
                key: Some(certified(identity)),
                kind: kind_of(identity.signing_key.algorithm()),
                names: names_served(identity)?,
            });
        }
        if contexts.is_empty() {
            contexts.push(Own { context: context(table, &parts, None)?, key: None, kind: None, names: Vec::new() });
        }
        let Parts { policy, first, verifier, psks, clock, tickets, .. } = parts;
        Ok(Self { contexts, policy, first, verifier, psks, clock, tickets })
    }

    /// Returns true if rustls serves the client.
    pub(crate) fn is_for_rustls(&self, offer: &Offer) -> bool {
        self.first.as_ref().is_some_and(|first| first.serves(offer))
    }

    /// Makes the connection for an offer; for none, that of a client with a hello that cannot be read.
    pub(crate) fn session(self: &Arc<Self>, offer: Option<&Offer>) -> Result<Session> {
        let named = offer.and_then(|offer| offer.server_name.as_deref());
        named.into_iter().for_each(HandshakeNotes::add_server_name);
        let fits = |own: &&Own| match (own.kind, offer) {
            (Some(kind), Some(offer)) => self.policy.fits(&offer.suites, kind),
            _ => true,
        };
        let is_named = |own: &&Own| named.is_some_and(|name| serves_name(&own.names, name));
        let mut contexts = self.contexts.iter();
        let chosen = (contexts.clone().find(|own| is_named(own) && fits(own)))
            .or_else(|| contexts.clone().find(fits))
            .or_else(|| contexts.next())
            .ok_or_else(|| crate::error::Error::new(crate::error::Code::Internal, "no context of the second engine"))?;
        chosen.key.iter().for_each(HandshakeNotes::add_identity);
        let answers: Arc<dyn Answers> = Arc::clone(self) as _;
        let lacks = match (offer, &self.first) {
            (Some(offer), Some(first)) => first.lacks(offer),
            _ => Lacks::Nothing,
        };
        Session::new(answers, &chosen.context, (named, lacks))
    }
}

impl Answers for Server {
    fn judge(&self, chain: &[CertificateDer<'_>]) -> Result<(), u8> {
        const INTERNAL_ERROR: u8 = 80;
        let now = self.clock.current_time().ok_or(INTERNAL_ERROR)?;
        let verifier = self.verifier.as_ref().ok_or(INTERNAL_ERROR)?;
        let (end_entity, intermediates) = chain.split_first().ok_or(INTERNAL_ERROR)?;
        match verifier.verify_client_cert(end_entity, intermediates, now) {
            Ok(_) => Ok(()),
            Err(_) => Err(HandshakeNotes::refusal_alert().unwrap_or(INTERNAL_ERROR)),
        }
    }

    fn secret(&self, identity: &[u8], room: &mut [u8]) -> (usize, bool) {
        self.psks.as_ref().map_or((0, false), |psks| psks.secret(identity, room))
    }

    fn seal_session(&self, plain: &[u8], other_bytes: usize) -> Option<Vec<u8>> {
        self.tickets.as_ref()?.seal(plain, other_bytes)
    }

    fn open_session(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.tickets.as_ref()?.open(sealed)
    }
}

fn kind_of(algorithm: SignatureAlgorithm) -> Option<KeyKind> {
    match algorithm {
        SignatureAlgorithm::RSA => Some(KeyKind::Rsa),
        SignatureAlgorithm::ECDSA | SignatureAlgorithm::ED25519 => Some(KeyKind::Ecdsa),
        _ => None,
    }
}

fn context(
    table: &'static brokertls_legacy_abi::Table,
    parts: &Parts<'_>,
    identity: Option<&Arc<Identity>>,
) -> Result<EngineContext> {
    let chain: Vec<Bytes> = identity.into_iter().flat_map(|one| &one.chain).map(|der| Bytes::of(der)).collect();
    let key = identity.and_then(|identity| identity.key.as_ref()).map(|key| Bytes::of(key.secret_der()));
    let identity = key.map(|key| IdentityParts { chain: chain.as_ptr(), chain_length: chain.len(), key });
    let protocols: Vec<u8> =
        parts.protocols.iter().flat_map(|name| std::iter::once(length(name)).chain(name.iter().copied())).collect();
    let subjects = parts.verifier.as_ref().map(|verifier| &*verifier.subjects).unwrap_or_default();
    let subjects: Vec<Bytes> = subjects.iter().map(|name| Bytes::of(name.as_ref())).collect();
    let (suites, tls13) = (parts.policy.suite_list(false), parts.policy.suite_list(true));
    let (groups, signatures) = (parts.policy.group_list(), parts.policy.signature_list());
    EngineContext::new(
        table,
        &ContextParts {
            identity: identity.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            versions: parts.policy.version_bits(),
            suites: Bytes::of(suites.as_bytes()),
            suites_of_tls13: Bytes::of(tls13.as_bytes()),
            groups: Bytes::of(groups.as_bytes()),
            signatures: Bytes::of(signatures.as_bytes()),
            protocols: Bytes::of(&protocols),
            subjects: subjects.as_ptr(),
            subjects_length: subjects.len(),
            client_auth: match &parts.verifier {
                None => 0,
                Some(verifier) if verifier.is_mandatory => 2,
                Some(_) => 1,
            },
            prefers_own_order: u8::from(parts.policy.is_ordered()),
            has_psk: u8::from(parts.psks.is_some()),
            session_lifetime_s: parts.tickets.as_ref().map_or(0, SecondTickets::lifetime_s),
        },
    )
}

fn length(name: &[u8]) -> u8 {
    u8::try_from(name.len()).unwrap_or(u8::MAX)
}
