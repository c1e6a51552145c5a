//! The parts of a generation, and the configurations of both sides that are made from them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, ResolvesServerCert};
use rustls::{ClientConfig, DistinguishedName, KeyLog, ServerConfig, SignatureScheme};

use crate::config::{ClientAuth, ConnectionSettings, Spec};
use crate::connection::{
    ClientEngine, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, on_own_ciphers, prepare_client, prepare_server,
};
use crate::error::{Code, Error, Result};
use crate::identity::{AfterTrust, HostIdentities, Identities};
use crate::policy::{Policy, PolicySpec, signatures_named};
use crate::session::{self, ClientSessions, SessionSpec, Sessions};
use crate::verify::{Judge, Purpose, Recheck, RustlsVerifier};

use super::key_log::KeyLogFile;

/// The largest number of configurations for connections with their own settings. Removing one costs time and the
/// resumption of its sessions, nothing else.
const MAX_DERIVED: usize = 64;

/// The engine of a client, and rustls' stored sessions.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) engine: ClientEngine,
    pub(super) sessions: Option<Arc<ClientSessions>>,
}

/// Refuses settings of a server that ask for a certificate which nothing can verify.
pub(super) fn refuse_without_trust(spec: &Spec, settings: &ConnectionSettings) -> Result<()> {
    match matches!(settings.client_auth, Some(ClientAuth::Want | ClientAuth::Need)) && !spec.has_trust() {
        true => Err(Error::new(Code::NoTrust, "client certificates are asked for")),
        false => Ok(()),
    }
}

/// Refuses settings of a connection that the second engine cannot honour.
pub(super) fn refuse_for_second(settings: &ConnectionSettings) -> Result<()> {
    let what = match settings {
        ConnectionSettings { signature_schemes: Some(_), .. } => "signature schemes of its own",
        ConnectionSettings { max_record_bytes: Some(_), .. } => "a limit of its records",
        _ => return Ok(()),
    };
    let detail = format!("legacy-engine: a connection cannot have {what}");
    Err(Error::new(Code::OptionConflict, detail).with_hint("Use a context without legacy-engine for such connections."))
}

/// Returns the configuration of these settings, made at the first use. If two threads make it at once, one is kept.
pub(super) fn derived<Config: Clone>(
    kept: &RwLock<HashMap<ConnectionSettings, Config>>,
    settings: &ConnectionSettings,
    make: impl FnOnce() -> Result<Config>,
) -> Result<Config> {
    if let Some(config) = kept.read().unwrap_or_else(PoisonError::into_inner).get(settings) {
        return Ok(config.clone());
    }
    let made = make()?;
    let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MAX_DERIVED {
        kept.clear();
    }
    Ok(kept.entry(settings.clone()).or_insert(made).clone())
}

/// The settings of the policy with the groups of a connection.
pub(super) fn policy_of(spec: &Spec, settings: &ConnectionSettings) -> PolicySpec {
    let mut policy = spec.policy.clone();
    if settings.groups.is_some() {
        policy.groups.clone_from(&settings.groups);
    }
    policy
}

/// The choice of identities.
pub(super) enum Signers {
    Own(Arc<Identities>),
    Host(Arc<HostIdentities>),
}

impl Signers {
    /// Returns the choice for connections with these settings.
    fn limited(&self, settings: &ConnectionSettings) -> Result<Self> {
        let schemes = schemes_of(settings)?;
        Ok(match (self, &schemes) {
            (Self::Own(identities), None) => Self::Own(Arc::clone(identities)),
            (Self::Own(identities), Some(schemes)) => Self::Own(Arc::new(identities.limited(schemes))),
            (Self::Host(host), None) => Self::Host(Arc::clone(host)),
            (Self::Host(host), Some(schemes)) => Self::Host(Arc::new(host.limited(schemes))),
        })
    }

    fn server(&self) -> Arc<dyn ResolvesServerCert> {
        match self {
            Self::Own(identities) => Arc::clone(identities) as _,
            Self::Host(host) => Arc::clone(host) as _,
        }
    }

    pub(super) fn client(&self) -> Arc<dyn ResolvesClientCert> {
        match self {
            Self::Own(identities) => Arc::clone(identities) as _,
            Self::Host(host) => Arc::clone(host) as _,
        }
    }
}

/// The parts of the configurations of both sides.
pub(super) struct ConfigParts {
    pub(super) policy: Policy,
    pub(super) judge: Judge,
    pub(super) signers: Signers,
    pub(super) key_log: Option<Arc<KeyLogFile>>,
}

impl ConfigParts {
    pub(super) fn server(
        &self,
        spec: &Spec,
        policy: &Policy,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Arc<ServerConfig>> {
        let schemes = schemes_of(settings)?;
        let verifier =
            || Arc::new(RustlsVerifier { schemes, ..self.rustls_verifier(spec, settings, Purpose::Client) }) as _;
        let mut config = self.server_config(spec, self.provider(policy), policy, (settings, sessions), verifier)?;
        prepare_server(&mut config, self.key_log());
        Ok(Arc::new(config))
    }

    /// The configuration of a server on this provider. `verifier` makes the verifier of clients.
    pub(super) fn server_config(
        &self,
        spec: &Spec,
        provider: Arc<CryptoProvider>,
        policy: &Policy,
        (settings, sessions): (&ConnectionSettings, &Arc<Sessions>),
        verifier: impl FnOnce() -> Arc<dyn ClientCertVerifier>,
    ) -> Result<ServerConfig> {
        let builder = ServerConfig::builder_with_details(provider, Arc::clone(&spec.clock))
            .with_protocol_versions(policy.versions())
            .map_err(unusable)?;
        let builder = builder.with_client_cert_verifier(match settings.client_auth.unwrap_or(spec.client_auth) {
            ClientAuth::None => Arc::new(NoClientAuth),
            ClientAuth::Want | ClientAuth::Need => verifier(),
        });
        let mut config = builder.with_cert_resolver(self.signers.limited(settings)?.server());
        config.max_fragment_size = fragment_of(settings)?;
        config.alpn_protocols.clone_from(settings.alpn.as_ref().unwrap_or(&spec.alpn));
        config.ignore_client_order = settings.prefers_own_cipher_order.unwrap_or_else(|| spec.prefers_own_order());
        let of_sessions = sessions_of(spec, settings);
        session::configure_server(&mut config, &of_sessions, sessions, self.recheck(spec, Purpose::Client))?;
        Ok(config)
    }

    pub(super) fn client(
        &self,
        spec: &Spec,
        policy: &Policy,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Client> {
        let verifier = self.rustls_verifier(spec, settings, Purpose::Server);
        let verifier = Arc::new(RustlsVerifier { schemes: schemes_of(settings)?, ..verifier });
        let (mut config, sessions) =
            self.client_config(spec, self.provider(policy), policy, (settings, sessions), Arc::clone(&verifier) as _)?;
        let host = match self.signers.limited(settings)? {
            Signers::Host(host) => Some(host),
            Signers::Own(_) => None,
        };
        prepare_client(&mut config, self.key_log(), spec.hosts.look().is_some());
        if let Some(host) = host {
            config.client_auth_cert_resolver = Arc::new(AfterTrust::new(host, verifier, Arc::clone(&spec.clock)));
        }
        Ok(Client { engine: ClientEngine::First(Arc::new(config)), sessions })
    }

    /// The configuration of a client on this provider, and its sessions.
    pub(super) fn client_config(
        &self,
        spec: &Spec,
        provider: Arc<CryptoProvider>,
        policy: &Policy,
        (settings, sessions): (&ConnectionSettings, &Arc<Sessions>),
        verifier: Arc<dyn ServerCertVerifier>,
    ) -> Result<(ClientConfig, Option<Arc<ClientSessions>>)> {
        let mut config = ClientConfig::builder_with_details(provider, Arc::clone(&spec.clock))
            .with_protocol_versions(policy.versions())
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(self.signers.limited(settings)?.client());
        config.max_fragment_size = fragment_of(settings)?;
        config.alpn_protocols.clone_from(settings.alpn.as_ref().unwrap_or(&spec.alpn));
        config.enable_sni = settings.sends_server_name;
        let recheck = self.recheck(spec, Purpose::Server);
        let sessions = session::configure_client(&mut config, &spec.sessions, sessions, recheck);
        Ok((config, sessions))
    }

    pub(super) fn key_log(&self) -> Option<Arc<dyn KeyLog>> {
        self.key_log.as_ref().map(|file| Arc::clone(file) as _)
    }

    fn provider(&self, policy: &Policy) -> Arc<CryptoProvider> {
        let mut provider = policy.provider();
        provider.cipher_suites = on_own_ciphers(&provider.cipher_suites);
        Arc::new(provider)
    }

    /// The check of a session with a peer of this role before it is resumed.
    pub(super) fn recheck(&self, spec: &Spec, purpose: Purpose) -> Recheck {
        Recheck {
            judge: self.judge.clone(),
            callback: spec.callback.clone(),
            identities: spec.hosts.identities.clone().filter(|_| purpose == Purpose::Server),
            purpose,
            ask_again: spec.sessions.ask_again,
            is_verifying: purpose == Purpose::Client || !spec.accepts_any_server,
        }
    }

    pub(super) fn rustls_verifier(
        &self,
        spec: &Spec,
        settings: &ConnectionSettings,
        purpose: Purpose,
    ) -> RustlsVerifier {
        RustlsVerifier {
            judge: self.judge.clone(),
            callback: spec.callback.clone(),
            log: spec.log.clone(),
            checks_name: settings.checks_server_name.unwrap_or(!spec.skips_server_name),
            accepts_any: spec.accepts_any_server,
            is_mandatory: settings.client_auth.unwrap_or(spec.client_auth) == ClientAuth::Need,
            subjects: self.subjects(spec).into(),
            // The tickets of a server always carry the certificates of its client.
            keeps_peer: purpose == Purpose::Client || self.recheck(spec, purpose).needs_peer(),
            may_wait: true,
            schemes: None,
        }
    }

    /// The CA names in a server's request for a certificate.
    fn subjects(&self, spec: &Spec) -> Vec<DistinguishedName> {
        match &self.judge {
            _ if !spec.sends_ca_names || spec.openssl.has_no_ca_names => Vec::new(),
            Judge::Own(verifier) => verifier.subjects(),
            Judge::Host(..) => spec.hosts.issuers.iter().cloned().map(DistinguishedName::from).collect(),
        }
    }
}

fn schemes_of(settings: &ConnectionSettings) -> Result<Option<Vec<SignatureScheme>>> {
    settings.signature_schemes.as_deref().map(signatures_named).transpose()
}

/// The limit of rustls' records: it leaves out what encryption adds to a record with a header.
fn fragment_of(settings: &ConnectionSettings) -> Result<Option<usize>> {
    /// The most that encryption adds: an explicit nonce and a tag, in TLS 1.2 (RFC 5288 section 3).
    const MOST_ADDED: usize = 24;
    match settings.max_record_bytes {
        Some(most) if most < ConnectionSettings::LEAST_RECORD_BYTES => {
            let detail = format!("records of {most} bytes; the least is {}", ConnectionSettings::LEAST_RECORD_BYTES);
            Err(Error::new(Code::InvalidArgument, detail))
        }
        Some(most) => Ok(Some(most.min(MAX_RECORD_BYTES) - MOST_ADDED).filter(|most| *most < MAX_PLAINTEXT_BYTES)),
        None => Ok(None),
    }
}

/// The rules of resumption for a server with these settings.
pub(super) fn sessions_of(spec: &Spec, settings: &ConnectionSettings) -> SessionSpec {
    let is_on = spec.sessions.is_on && settings.session_scope.is_some();
    SessionSpec { is_on, has_tickets: !spec.openssl.has_no_tickets, ..spec.sessions.clone() }
}

fn unusable(error: rustls::Error) -> Error {
    Error::from(Code::NoCipherSuite).with_source(error)
}
