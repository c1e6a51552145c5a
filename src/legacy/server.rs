//! The server's side of a context with the second engine: its identities, and the choice of an engine for a client.

use std::path::Path;
use std::sync::Arc;

use brokertls_legacy_abi::{Bytes, ContextParts, IdentityParts};
use rustls::crypto::SupportedKxGroup;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::time_provider::TimeProvider;
use rustls::{KeyLog, ProtocolVersion, SignatureAlgorithm, SignatureScheme, SupportedCipherSuite};

use crate::error::{Code, Error, Result};
use crate::identity::{certified, names_served, serves_name};
use crate::keystore::Identity;
use crate::logging::Log;
use crate::policy::{KeyKind, OfferedParts, Policy, SecondPolicy};
use crate::revocation::Staple;
use crate::session::{SecondSessions, TicketTag};
use crate::verify::{HandshakeNotes, RustlsVerifier};

use super::answers::{Answers, AnswersClient};
use super::choice::{Choice, OfferFacts, choose};
use super::engine::{self, Client, EngineContext, Lacks, Session};
use super::offer::Offer;
use super::psk::{Given, OfferedKey, PskHash, Psks};
use super::uses::{Peer, Used, Uses};
use super::{key_log, loader};

/// The keys with which rustls serves a context.
#[derive(Clone, Debug)]
pub(crate) enum FirstKeys {
    Own(Vec<Arc<dyn SigningKey>>),
    /// A host chooses among keys that are not known here.
    OfHost,
}

/// The part of a context that rustls serves.
#[derive(Debug)]
pub(crate) struct First {
    versions: Vec<ProtocolVersion>,
    suites: Vec<SupportedCipherSuite>,
    groups: Vec<&'static dyn SupportedKxGroup>,
    keys: FirstKeys,
}

impl First {
    /// Reads what rustls serves with these keys.
    pub(crate) fn new(policy: &Policy, keys: FirstKeys) -> Self {
        Self {
            versions: policy.versions().iter().map(|version| version.version).collect(),
            suites: policy.cipher_suites().to_vec(),
            groups: policy.groups().to_vec(),
            keys,
        }
    }

    /// Returns true if rustls can serve the offer: with a version, a group, and a key that has a suite and a signature.
    fn serves(&self, offered: OfferedParts<'_>) -> bool {
        let mut newest = [ProtocolVersion::TLSv1_3, ProtocolVersion::TLSv1_2].into_iter();
        let common = |version: &ProtocolVersion| {
            self.versions.contains(version) && offered.versions.contains(&u16::from(*version))
        };
        let Some(version) = newest.find(common) else { return false };
        let (Some(groups), Some(signatures)) = (offered.groups, offered.signatures) else { return false };
        let has_group = self
            .groups
            .iter()
            .any(|group| group.usable_for_version(version) && groups.contains(&u16::from(group.name())));
        let is_tls13 = version == ProtocolVersion::TLSv1_3;
        let signatures = signatures.iter().filter(|one| !is_tls13 || is_of_tls13(**one));
        let signatures: Vec<SignatureScheme> = signatures.map(|one| SignatureScheme::from(*one)).collect();
        let suites = || {
            let of_version = self.suites.iter().filter(|suite| suite.version().version == version);
            of_version.filter(|suite| offered.suites.contains(&u16::from(suite.suite())))
        };
        has_group
            && match &self.keys {
                FirstKeys::OfHost => suites().next().is_some() && !signatures.is_empty(),
                FirstKeys::Own(keys) => keys.iter().any(|key| {
                    key.choose_scheme(&signatures).is_some()
                        && suites().any(|suite| suite.usable_for_signature_algorithm(key.algorithm()))
                }),
            }
    }

    /// The part that an offer with a suite of rustls' does not have in common with it.
    fn lacks(&self, offered: OfferedParts<'_>) -> Lacks {
        let of_tls12 = self.suites.iter().filter(|suite| suite.version().version == ProtocolVersion::TLSv1_2);
        let mut suites = of_tls12.filter(|suite| offered.suites.contains(&u16::from(suite.suite())));
        if offered.versions.first() != Some(&0x0303) || suites.next().is_none() {
            return Lacks::Nothing;
        }
        let has_group = |groups: &[u16]| self.groups.iter().any(|group| groups.contains(&u16::from(group.name())));
        match (offered.signatures, offered.groups) {
            (None, _) => Lacks::Signatures,
            (Some(_), Some(groups)) if has_group(groups) => Lacks::Nothing,
            (Some(_), _) => Lacks::Groups,
        }
    }
}

/// Returns true for a signature of TLS 1.3, which has neither PKCS#1 nor hashes older than SHA-256.
fn is_of_tls13(signature: u16) -> bool {
    !matches!(signature, 0..=0x03ff | 0x0401 | 0x0501 | 0x0601 | 0x0402 | 0x0502 | 0x0602)
}

/// A context of the engine, for one identity or none.
struct Own {
    context: EngineContext,
    key: Option<(Arc<CertifiedKey>, KeyKind)>,
    staple: Option<Arc<Staple>>,
    names: Vec<String>,
}

/// The alert for a peer that nothing could be found out about.
const INTERNAL_ERROR: u8 = 80;

/// Returns the suites of the OpenSSL that the engine has loaded, as on the wire.
///
/// # Errors
/// `LEGACY_UNAVAILABLE`.
pub(crate) fn known_suites(library: Option<&Path>) -> Result<Vec<u16>> {
    Ok(engine::suites(loader::table(library)?))
}

/// The kind of an identity's key, or the reason why the second engine cannot use it.
///
/// # Errors
/// The reason, as a clause.
pub(crate) fn key_kind(identity: &Identity) -> Result<KeyKind, &'static str> {
    const CURVES: [(SignatureScheme, u16); 3] = [
        (SignatureScheme::ECDSA_NISTP256_SHA256, 23),
        (SignatureScheme::ECDSA_NISTP384_SHA384, 24),
        (SignatureScheme::ECDSA_NISTP521_SHA512, 25),
    ];
    if identity.key.is_none() {
        return Err("its key is not in bytes, but in a token or with the host");
    }
    let key = &identity.signing_key;
    match key.algorithm() {
        SignatureAlgorithm::RSA => Ok(KeyKind::Rsa),
        SignatureAlgorithm::ED25519 => Ok(KeyKind::Ed25519),
        SignatureAlgorithm::DSA => Ok(KeyKind::Dss),
        _ => {
            let curve = CURVES.iter().find(|(scheme, _)| key.choose_scheme(&[*scheme]).is_some());
            curve.map(|(_, curve)| KeyKind::Ecdsa(*curve)).ok_or("its key is of a kind that is not of these versions")
        }
    }
}

/// The settings of a server.
pub(crate) struct Parts<'a> {
    pub(crate) library: Option<&'a Path>,
    pub(crate) identities: &'a [Arc<Identity>],
    pub(crate) policy: SecondPolicy,
    pub(crate) first: Option<First>,
    pub(crate) verifier: Option<RustlsVerifier>,
    pub(crate) psks: Option<Arc<Psks>>,
    pub(crate) psk_hint: &'a str,
    pub(crate) protocols: &'a [Vec<u8>],
    pub(crate) prefers_own_order: bool,
    pub(crate) clock: Arc<dyn TimeProvider>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) log: Log,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    /// The staple of each identity, if any.
    pub(crate) staples: &'a [Option<Arc<Staple>>],
    /// None if no session is resumed.
    pub(crate) sessions: Option<SecondSessions>,
}

/// The server's side.
pub(crate) struct Server {
    prefers_own_order: bool,
    contexts: Vec<Own>,
    policy: SecondPolicy,
    first: Option<First>,
    verifier: Option<RustlsVerifier>,
    psks: Option<Arc<Psks>>,
    clock: Arc<dyn TimeProvider>,
    uses: Arc<Uses>,
    log: Log,
    key_log: Option<Arc<dyn KeyLog>>,
    sessions: Option<SecondSessions>,
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
    /// `LEGACY_UNAVAILABLE`, and the errors of settings that OpenSSL refuses. Identities that it cannot use are
    /// left out.
    pub(crate) fn new(parts: Parts<'_>) -> Result<Self> {
        let table = loader::table(parts.library)?;
        let mut contexts = Vec::new();
        let staples = parts.staples.iter().cloned().chain(std::iter::repeat(None));
        for (identity, staple) in parts.identities.iter().zip(staples) {
            let Ok(kind) = key_kind(identity) else { continue };
            contexts.push(Own {
                context: context(table, &parts, Some((identity, staple.is_some())))?,
                key: Some((certified(identity), kind)),
                staple,
                names: names_served(identity)?,
            });
        }
        if contexts.is_empty() {
            let context = context(table, &parts, None)?;
            contexts.push(Own { context, key: None, staple: None, names: Vec::new() });
        }
        let Parts { policy, first, verifier, psks, clock, uses, log, key_log, sessions, prefers_own_order, .. } = parts;
        Ok(Self { prefers_own_order, contexts, policy, first, verifier, psks, clock, uses, log, key_log, sessions })
    }

    /// Chooses the engine for a client. `has_rustls` is false if rustls serves no client of this connection.
    ///
    /// # Errors
    /// `PSK_UNAVAILABLE` if the callback that knows the secrets fails.
    pub(crate) fn choose(&self, offer: &Offer, has_rustls: bool) -> Result<Choice> {
        let key = self.key_of(offer)?;
        let offered = offer.offered();
        let first = self.first.as_ref();
        let keys =
            || self.contexts.iter().filter_map(|own| own.key.as_ref().map(|(_, kind)| *kind)).collect::<Vec<_>>();
        let facts = OfferFacts {
            is_of_rustls: first.is_some_and(|first| first.serves(offered)) || self.policy.leaves_to_rustls(offered),
            prefers_psk: self.psks.is_some() && self.policy.prefers_psk(offered, &keys(), self.prefers_own_order),
            has_session: self.session_hash(offer, has_rustls).is_some(),
            key,
        };
        Ok(choose(has_rustls, facts))
    }

    /// The first bytes of the tickets here; none without tickets.
    fn tag(&self) -> Option<TicketTag> {
        self.sessions.as_ref().filter(|sessions| sessions.ticket_lifetime_s() > 0).map(SecondSessions::tag)
    }

    /// The hash of the session that a client of TLS 1.3 has in a ticket of this engine. If it is not resumed, a
    /// handshake with a certificate follows: without one here that fits, the client is left to rustls.
    fn session_hash(&self, offer: &Offer, has_rustls: bool) -> Option<PskHash> {
        let fits = |own: &Own| own.key.as_ref().is_some_and(|(_, kind)| self.policy.fits(offer.offered(), *kind));
        let is_possible = offer.keeps_forward_secrecy && (!has_rustls || self.contexts.iter().any(fits));
        let hash = offer.identities.iter().find_map(|offered| offered.ticket_hash(self.tag()))?;
        (is_possible && self.policy.serves_tls13(offer.offered(), hash == PskHash::Sha384)).then_some(hash)
    }

    /// The part that an offer does not have in common with either engine, if it is not a suite.
    fn lacks(&self, offer: &Offer) -> Lacks {
        let offered = offer.offered();
        if self.has_no_certificate() && self.session_hash(offer, false).is_some() {
            return Lacks::Key;
        }
        match self.first.as_ref().map(|first| first.lacks(offered)) {
            None | Some(Lacks::Nothing) if self.policy.lacks_groups(offered) => Lacks::Groups,
            lacks => lacks.unwrap_or(Lacks::Nothing),
        }
    }

    /// The pre-shared key that a client of TLS 1.3 is served with.
    ///
    /// # Errors
    /// `PSK_UNAVAILABLE` if the callback fails.
    fn key_of(&self, offer: &Offer) -> Result<Option<OfferedKey>> {
        let has_suite = |hash| self.policy.suites_of_hash(hash == PskHash::Sha384, offer.offered()).is_some();
        match self.psks.as_ref().filter(|_| self.policy.serves_version(|version| version == 0x0304)) {
            Some(psks) => psks.for_offer(offer, has_suite, self.has_no_certificate(), self.tag()),
            None => Ok(None),
        }
    }

    /// Returns true if pre-shared keys alone are served.
    fn has_no_certificate(&self) -> bool {
        self.first.is_none() && self.contexts.iter().all(|own| own.key.is_none())
    }

    /// Lets a client with a key or a session of TLS 1.3 have the suites of its hash alone. Without a certificate, a
    /// client without a key is left an older version.
    fn limit_tls13(&self, session: &mut Session, offer: &Offer, key: Option<&OfferedKey>) -> Result<()> {
        if let Some(key) = key {
            let suites = self.policy.suites_of_hash(key.hash == PskHash::Sha384, offer.offered());
            let (names, suite) = suites.unwrap_or_default();
            return session.limit_tls13(&names, Some((key, suite)));
        }
        if let Some(hash) = self.session_hash(offer, false) {
            let suites = self.policy.suites_of_hash(hash == PskHash::Sha384, offer.offered());
            return session.limit_tls13(&suites.unwrap_or_default().0, None);
        }
        let is_older = |version: u16| version < 0x0304 && offer.versions.contains(&version);
        let has_tls13 = self.policy.serves_version(|version| version == 0x0304) && offer.versions.contains(&0x0304);
        match has_tls13 && self.psks.is_some() && self.has_no_certificate() {
            false => Ok(()),
            true if self.policy.serves_version(is_older) => session.limit_tls13("", None),
            true => {
                let detail = "pre-shared keys alone are served, and it offers none for TLS 1.3";
                Err(Error::new(Code::NoCommonCipherSuite, detail))
            }
        }
    }

    /// Makes the connection for an offer with its key.
    pub(crate) fn session(self: &Arc<Self>, offer: &Offer, key: Option<&OfferedKey>) -> Result<Session> {
        let named = offer.server_name.as_deref();
        named.into_iter().for_each(HandshakeNotes::add_server_name);
        let fits = |own: &&Own| own.key.as_ref().is_none_or(|(_, kind)| self.policy.fits(offer.offered(), *kind));
        let is_named = |own: &&Own| named.is_some_and(|name| serves_name(&own.names, name));
        let mut contexts = self.contexts.iter();
        let chosen = (contexts.clone().find(|own| is_named(own) && fits(own)))
            .or_else(|| contexts.clone().find(fits))
            .or_else(|| contexts.next())
            .ok_or_else(|| Error::new(Code::Internal, "no context of the second engine"))?;
        if let Some((key, _)) = &chosen.key {
            HandshakeNotes::add_identity(key);
        }
        let answers: Arc<dyn Answers> = Arc::clone(self) as _;
        let client =
            Client { server_name: named, keeps_forward_secrecy: offer.keeps_forward_secrecy, lacks: self.lacks(offer) };
        let mut session = Session::to_client(answers, &chosen.context, &client, chosen.staple.clone())?;
        self.limit_tls13(&mut session, offer, key)?;
        Ok(session)
    }
}

impl Answers for Server {
    fn judge(&self, chain: &[CertificateDer<'_>], _: &[u8], _: Option<&ServerName<'_>>) -> Result<(), u8> {
        let now = self.clock.current_time().ok_or(INTERNAL_ERROR)?;
        let verifier = self.verifier.as_ref().ok_or(INTERNAL_ERROR)?;
        let (end_entity, intermediates) = chain.split_first().ok_or(INTERNAL_ERROR)?;
        match verifier.verify_client_cert(end_entity, intermediates, now) {
            Ok(_) => Ok(()),
            Err(_) => Err(HandshakeNotes::refusal_alert().unwrap_or(INTERNAL_ERROR)),
        }
    }

    fn note_use(&self, used: Used) {
        let now_s = self.clock.current_time().map_or(0, |now| now.as_secs());
        self.uses.note(used, Peer::Client, (&self.log, HandshakeNotes::connection_id()), now_s);
    }

    fn note_secret(&self, line: &[u8]) {
        if let Some(log) = &self.key_log {
            key_log::note(&**log, line);
        }
    }

    fn as_server(&self) -> Option<&dyn AnswersClient> {
        Some(self)
    }
}

impl AnswersClient for Server {
    fn secret(&self, identity: &[u8], room: &mut [u8]) -> Result<Given> {
        self.psks.as_ref().ok_or(Code::PskRefused)?.secret(identity, room)
    }

    fn hint(&self, identity: &[u8]) -> Option<&'static str> {
        self.psks.as_ref()?.hint(identity)
    }

    fn sessions(&self) -> Option<&SecondSessions> {
        self.sessions.as_ref()
    }
}

fn context(
    table: &'static brokertls_legacy_abi::Table,
    parts: &Parts<'_>,
    identity: Option<(&Arc<Identity>, bool)>,
) -> Result<EngineContext> {
    let has_staple = identity.is_some_and(|(_, has_staple)| has_staple);
    let identity = identity.map(|(identity, _)| identity);
    let chain: Vec<Bytes> = identity.into_iter().flat_map(|one| &one.chain).map(|der| Bytes::of(der)).collect();
    let key = identity.and_then(|identity| identity.key.as_ref()).map(|key| Bytes::of(key.secret_der()));
    let identity = key.map(|key| IdentityParts { chain: chain.as_ptr(), chain_length: chain.len(), key });
    let protocols = protocol_list(parts.protocols);
    let subjects = parts.verifier.as_ref().map(|verifier| &*verifier.subjects).unwrap_or_default();
    let subjects: Vec<Bytes> = subjects.iter().map(|name| Bytes::of(name.as_ref())).collect();
    let (suites, tls13) = (parts.policy.suite_list(false), parts.policy.suite_list(true));
    let (groups, signatures) = (parts.policy.group_list(), parts.policy.signature_list());
    EngineContext::new(
        table,
        &ContextParts {
            is_client: 0,
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
            prefers_own_order: u8::from(parts.prefers_own_order),
            has_psk: u8::from(parts.psks.is_some()),
            has_key_log: u8::from(parts.key_log.is_some()),
            has_staple: u8::from(has_staple),
            psk_hint: Bytes::of(parts.psk_hint.as_bytes()),
            session_lifetime_s: parts.sessions.as_ref().map_or(0, SecondSessions::ticket_lifetime_s),
            tickets_of_tls13: parts.sessions.as_ref().map_or(0, SecondSessions::tickets_of_tls13),
            ticket_tag: parts.sessions.as_ref().map_or_else(TicketTag::default, SecondSessions::tag),
            has_session_ids: u8::from(parts.sessions.as_ref().is_some_and(SecondSessions::has_ids)),
        },
    )
}

/// The application protocols, each after a byte with its length.
pub(super) fn protocol_list(protocols: &[Vec<u8>]) -> Vec<u8> {
    let length = |name: &[u8]| u8::try_from(name.len()).unwrap_or(u8::MAX);
    protocols.iter().flat_map(|name| std::iter::once(length(name)).chain(name.iter().copied())).collect()
}
