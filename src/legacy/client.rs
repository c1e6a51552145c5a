//! The client's side of a context with the second engine. It offers everything that is asked for in one ClientHello.
//!
//! A server proves itself by a certificate that our verification accepts, or by the pre-shared key that was asked for.

use std::path::Path;
use std::sync::Arc;

use brokertls_legacy_abi::{Bytes, ContextParts};
use rustls::KeyLog;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::time_provider::TimeProvider;

use crate::error::{Code, Error, Result};
use crate::identity::refusal_of;
use crate::keystore::Identity;
use crate::logging::Log;
use crate::policy::SecondPolicy;
use crate::verify::{HandshakeNotes, RustlsVerifier};

use super::answers::{Answers, Asks, Presented};
use super::engine::{EngineContext, Session};
use super::psk::{Mark, OfferedKey, OwnKeys, Psk, PskHash};
use super::server::protocol_list;
use super::uses::{Peer, Used, Uses};
use super::{key_log, loader};

/// The alert for a server that nothing could be found out about.
const INTERNAL_ERROR: u8 = 80;

/// The signatures of a client before TLS 1.2, which are not named: one of each kind of key.
const UNNAMED: [u16; 4] = [0x0401, 0x0403, 0x0503, 0x0603];

/// The settings of a client.
pub(crate) struct ClientParts<'a> {
    pub(crate) library: Option<&'a Path>,
    pub(crate) policy: SecondPolicy,
    pub(crate) verifier: RustlsVerifier,
    /// True if a certificate can be accepted.
    pub(crate) verifies: bool,
    pub(crate) keys: Option<OwnKeys>,
    /// The choice among the identities, and those that have their key in bytes.
    pub(crate) signers: Arc<dyn ResolvesClientCert>,
    pub(crate) identities: &'a [Arc<Identity>],
    pub(crate) protocols: &'a [Vec<u8>],
    pub(crate) sends_server_name: bool,
    pub(crate) clock: Arc<dyn TimeProvider>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) log: Log,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
}

/// The client's side.
pub(crate) struct Client {
    context: EngineContext,
    policy: SecondPolicy,
    verifier: RustlsVerifier,
    verifies: bool,
    keys: Option<OwnKeys>,
    signers: Arc<dyn ResolvesClientCert>,
    identities: Vec<Arc<Identity>>,
    protocols: Vec<Vec<u8>>,
    sends_server_name: bool,
    clock: Arc<dyn TimeProvider>,
    uses: Arc<Uses>,
    log: Log,
    key_log: Option<Arc<dyn KeyLog>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Client {
    /// Loads the engine and makes its context.
    ///
    /// # Errors
    /// `LEGACY_UNAVAILABLE`, and the errors of settings that OpenSSL refuses.
    pub(crate) fn new(parts: ClientParts<'_>) -> Result<Self> {
        let context = context(&parts)?;
        let (identities, protocols) = (parts.identities.to_vec(), parts.protocols.to_vec());
        let ClientParts { policy, verifier, verifies, keys, signers, sends_server_name, .. } = parts;
        let ClientParts { clock, uses, log, key_log, .. } = parts;
        Ok(Self {
            context,
            policy,
            verifier,
            verifies,
            keys,
            signers,
            identities,
            protocols,
            sends_server_name,
            clock,
            uses,
            log,
            key_log,
        })
    }

    /// Returns true if the application is asked for a key before the first message.
    pub(crate) fn asks_first(&self) -> bool {
        self.policy.serves_version(|version| version == 0x0304) && self.keys.as_ref().is_some_and(OwnKeys::asks)
    }

    /// Makes a connection to this server. It has the key for TLS 1.3, if there is one.
    ///
    /// # Errors
    /// `PSK_UNAVAILABLE` if the callback fails.
    pub(crate) fn session(self: &Arc<Self>, name: ServerName<'static>) -> Result<Session> {
        let sent = match &name {
            ServerName::DnsName(name) if self.sends_server_name => name.as_ref().to_owned(),
            _ => String::new(),
        };
        let mut session = Session::to_server(Arc::clone(self) as _, &self.context, name, &sent)?;
        if self.policy.serves_version(|version| version == 0x0304) {
            self.limit_tls13(&mut session)?;
        }
        Ok(session)
    }

    /// Gives a connection the key of this side for TLS 1.3, and the suites of its hash alone. A client that verifies no
    /// certificates and has no such key does not offer TLS 1.3.
    fn limit_tls13(&self, session: &mut Session) -> Result<()> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let suites_of = |key: &Psk| self.policy.own_suites_of_hash(key.hash == PskHash::Sha384);
        let found = keys.key(None)?.and_then(|(identity, key)| suites_of(&key).map(|suites| (identity, key, suites)));
        match found {
            Some((identity, Psk { secret, hash }, (suites, suite))) => {
                let key = OfferedKey { identity, secret, hash, mark: Mark::default(), is_known: true };
                session.limit_tls13(&suites, Some((&key, suite)))
            }
            None if self.verifies => Ok(()),
            None if self.policy.serves_version(|version| version < 0x0304) => session.limit_tls13("", None),
            None => Err(Error::new(Code::PskRefused, "no key for TLS 1.3, and no other version is allowed")),
        }
    }
}

impl Answers for Client {
    fn judge(&self, chain: &[CertificateDer<'_>], staple: &[u8], name: Option<&ServerName<'_>>) -> Result<(), u8> {
        let now = self.clock.current_time().ok_or(INTERNAL_ERROR)?;
        let (end_entity, intermediates) = chain.split_first().ok_or(INTERNAL_ERROR)?;
        let name = name.ok_or(INTERNAL_ERROR)?;
        match self.verifier.verify_server_cert(end_entity, intermediates, name, staple, now) {
            Ok(_) => Ok(()),
            Err(_) => Err(HandshakeNotes::refusal_alert().unwrap_or(INTERNAL_ERROR)),
        }
    }

    fn note_use(&self, used: Used) {
        let now_s = self.clock.current_time().map_or(0, |now| now.as_secs());
        self.uses.note(used, Peer::Server, (&self.log, HandshakeNotes::connection_id()), now_s);
    }

    fn note_secret(&self, line: &[u8]) {
        if let Some(log) = &self.key_log {
            key_log::note(&**log, line);
        }
    }

    fn as_client(&self) -> Option<&dyn Asks> {
        Some(self)
    }
}

impl Asks for Client {
    fn own_key(&self, hint: Option<&[u8]>, identity: &mut [u8], secret: &mut [u8]) -> Result<(Box<[u8]>, usize)> {
        let keys = self.keys.as_ref().ok_or(Code::PskRefused)?;
        let hint = hint.unwrap_or_default();
        let (named, key) = keys.key(Some(hint))?.ok_or_else(|| {
            let detail = format!("no key for a server with the hint \"{}\"", hint.escape_ascii());
            Error::new(Code::PskRefused, detail)
        })?;
        let (Some(place), Some(room)) = (identity.get_mut(..named.len()), secret.get_mut(..key.secret.len())) else {
            return Err(Error::new(Code::Internal, "no room for a pre-shared key"));
        };
        place.copy_from_slice(&named);
        // OpenSSL has zeroed the rest, and keeps one byte more than it gives.
        if let Some(end) = identity.get_mut(named.len()) {
            *end = 0;
        }
        room.copy_from_slice(&key.secret);
        Ok((named, key.secret.len()))
    }

    fn present(&self, issuers: &[&[u8]], schemes: &[u16], version: u16) -> Result<Option<Presented>> {
        let schemes = if version < 0x0303 { &UNNAMED[..] } else { schemes };
        let schemes: Vec<SignatureScheme> = schemes.iter().map(|one| SignatureScheme::from(*one)).collect();
        let Some(chosen) = self.signers.resolve(issuers, &schemes) else { return Ok(None) };
        if let Some(refusal) = refusal_of(&chosen) {
            return Err(refusal);
        }
        let identity = self.identities.iter().find(|identity| identity.chain == chosen.cert);
        let presented = identity.and_then(Presented::new);
        if presented.is_none() {
            let why = "its key is not in bytes, and connections by the second engine can use no other";
            HandshakeNotes::drop_identity();
            HandshakeNotes::add_withheld(why.to_owned());
        }
        Ok(presented)
    }

    fn check(&self, protocol: Option<&[u8]>) -> Result<()> {
        if HandshakeNotes::resumes_only() {
            return Err(Error::from(Code::SessionNotResumed));
        }
        match protocol.is_none_or(|chosen| self.protocols.iter().any(|own| own == chosen)) {
            true => Ok(()),
            false => Err(Error::new(Code::PeerMisbehaved, "it chooses an application protocol that was not offered")),
        }
    }
}

fn context(parts: &ClientParts<'_>) -> Result<EngineContext> {
    let policy = &parts.policy;
    let (suites, tls13) = (policy.suite_list(false), policy.suite_list(true));
    let (groups, signatures) = (policy.group_list(), policy.signature_list());
    let protocols = protocol_list(parts.protocols);
    let none = Bytes::of(&[]);
    EngineContext::new(
        loader::table(parts.library)?,
        &ContextParts {
            is_client: 1,
            identity: std::ptr::null(),
            versions: policy.version_bits(),
            suites: Bytes::of(suites.as_bytes()),
            suites_of_tls13: Bytes::of(tls13.as_bytes()),
            groups: Bytes::of(groups.as_bytes()),
            signatures: Bytes::of(signatures.as_bytes()),
            protocols: Bytes::of(&protocols),
            subjects: std::ptr::null(),
            subjects_length: 0,
            client_auth: 0,
            prefers_own_order: 0,
            has_psk: u8::from(parts.keys.is_some()),
            has_key_log: u8::from(parts.key_log.is_some()),
            has_staple: 0,
            session_lifetime_s: 0,
            has_session_ids: 0,
            tickets_of_tls13: 0,
            ticket_tag: Default::default(),
            psk_hint: none,
        },
    )
}
