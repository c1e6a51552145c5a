//! A generation: one consistent reading of all sources and settings, with the configurations of its connections.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::{NoClientAuth, ResolvesServerCert};
use rustls::{ClientConfig, DistinguishedName, KeyLog, ServerConfig};

use crate::config::{ClientAuth, ConnectionSettings, Spec};
use crate::connection::{on_own_ciphers, prepare_client, prepare_server};
use crate::error::{Code, Error, Result};
use crate::identity::{HostIdentities, Identities};
use crate::keystore::Identity;
use crate::legacy::{First, Parts, Psks, Server};
use crate::logging::Level;
use crate::policy::{NotServed, Policy, SecondPolicy, of_both};
use crate::revocation::{Remote, Staples};
use crate::session::{self, ClientSessions, SessionSpec, Sessions};
use crate::verify::{Judge, Purpose, Recheck, RustlsVerifier};

use super::key_log::KeyLogFile;
use super::{load, staples};

/// The largest number of configurations for connections with their own settings. Removing one costs time and the
/// resumption of its sessions, nothing else.
const MAX_DERIVED: usize = 64;

/// One consistent reading of all sources. A connection keeps the generation that made it.
pub(super) struct Generation {
    pub(super) parts: ConfigParts,
    pub(super) server: Option<Arc<ServerConfig>>,
    pub(super) client: Option<Client>,
    /// The second engine of a server, if it is on.
    pub(super) second: Option<Arc<Server>>,
    pub(super) second_policy: Option<SecondPolicy>,
    pub(super) not_served: Vec<NotServed>,
    /// False if the settings leave rustls nothing.
    pub(super) has_rustls: bool,
    derived_servers: RwLock<HashMap<ConnectionSettings, Arc<ServerConfig>>>,
    derived_clients: RwLock<HashMap<ConnectionSettings, Client>>,
    pub(super) staples: Arc<Staples>,
    pub(super) warnings: Vec<String>,
}

/// The configuration of a client, and its stored sessions.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) config: Arc<ClientConfig>,
    pub(super) sessions: Option<Arc<ClientSessions>>,
}
impl Generation {
    pub(super) fn load(spec: &Spec, sessions: &Arc<Sessions>, remote: Option<Arc<Remote>>) -> Result<Self> {
        spec.check()?;
        let psks = spec.legacy.psks()?;
        let second_policy = second_policy(spec, psks.is_some())?;
        let policy = of_both(&spec.policy, second_policy.as_ref())?;
        let has_rustls = policy.is_some();
        let policy = policy.unwrap_or_default();
        let not_served = match &second_policy {
            Some(second) => second.without_served(policy.not_served()),
            None => policy.not_served().to_vec(),
        };
        let mut warnings: Vec<String> =
            not_served.iter().map(|name| format!("not served: {}: {}", name.name, name.reason)).collect();
        let identities = load::identities(spec, &mut warnings)?;
        let judge = load::judge(spec, remote, &mut warnings)?;
        let staples::Loaded { staples, of_identities } =
            staples::load(spec, &identities, judge.trusted(), &mut warnings)?;
        let signers = match &spec.hosts.identities {
            Some(host) => {
                let suites = policy.cipher_suites().to_vec();
                Signers::Host(Arc::new(HostIdentities { host: Arc::clone(host), suites }))
            }
            None => Signers::Own(Arc::new(Identities::new(&identities, of_identities, policy.cipher_suites())?)),
        };
        let key_log = spec.key_log.as_deref().map(KeyLogFile::open).transpose()?.map(Arc::new);
        warnings.extend(load::insecure_settings(spec));
        warnings.iter().for_each(|warning| spec.log.write(Level::Warn, warning));
        let parts = ConfigParts { policy, judge, signers, key_log };
        let settings = ConnectionSettings::default();
        let second = second_policy.as_ref().map(|second| {
            let first = has_rustls.then(|| First::new(&parts.policy, &identities));
            parts.second(spec, second, Second { first, psks, identities: &identities }, sessions).map(Arc::new)
        });
        let second = second.transpose()?;
        let server =
            (spec.has_identities() && has_rustls).then(|| parts.server(spec, &parts.policy, &settings, sessions));
        let verifies = has_rustls && (spec.has_trust() || spec.accepts_any_server);
        let client = verifies.then(|| parts.client(spec, &parts.policy, &settings, sessions));
        let (server, client) = (server.transpose()?, client.transpose()?);
        let (derived_servers, derived_clients) = (RwLock::default(), RwLock::default());
        Ok(Self {
            parts,
            server,
            client,
            second,
            second_policy,
            not_served,
            has_rustls,
            derived_servers,
            derived_clients,
            staples,
            warnings,
        })
    }

    /// The IANA names of the active cipher suites: those of rustls, then those of the second engine.
    pub(super) fn cipher_suite_names(&self) -> Vec<&'static str> {
        let first = self.has_rustls.then(|| self.parts.policy.cipher_suite_names());
        joined(first, self.second_policy.as_ref().map(SecondPolicy::cipher_suite_names))
    }

    /// The active versions, the newest first.
    pub(super) fn version_names(&self) -> Vec<&'static str> {
        let first = self.has_rustls.then(|| self.parts.policy.version_names());
        joined(first, self.second_policy.as_ref().map(SecondPolicy::version_names))
    }

    pub(super) fn server_with(
        &self,
        spec: &Spec,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Arc<ServerConfig>> {
        let own = self.server.as_ref().ok_or(Code::NoIdentity)?;
        if *settings == ConnectionSettings::default() {
            return Ok(Arc::clone(own));
        }
        if matches!(settings.client_auth, Some(ClientAuth::Want | ClientAuth::Need)) && !spec.has_trust() {
            return Err(Error::new(Code::NoTrust, "client certificates are asked for"));
        }
        derived(&self.derived_servers, settings, || {
            let policy = restricted(spec, settings)?;
            self.parts.server(spec, &policy, settings, sessions)
        })
    }

    pub(super) fn client_with(
        &self,
        spec: &Spec,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Client> {
        let own = self.client.as_ref().ok_or(Code::NoTrust)?;
        if *settings == (ConnectionSettings { session_scope: None, ..ConnectionSettings::default() }) {
            return Ok(own.clone());
        }
        derived(&self.derived_clients, settings, || {
            let policy = restricted(spec, settings)?;
            self.parts.client(spec, &policy, settings, sessions)
        })
    }
}

/// Both lists, each name once.
fn joined(first: Option<Vec<&'static str>>, second: Option<Vec<&'static str>>) -> Vec<&'static str> {
    let mut names = first.unwrap_or_default();
    for name in second.unwrap_or_default() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The policy of the second engine, if it is on. It is for servers alone, and for keys in bytes: a host that chooses
/// identities keeps its keys.
fn second_policy(spec: &Spec, has_psk: bool) -> Result<Option<SecondPolicy>> {
    let is_on = spec.legacy.is_on && spec.serves() && spec.hosts.identities.is_none();
    let policy = is_on.then(|| SecondPolicy::from_spec(&spec.policy, spec.legacy.allowed, has_psk)).transpose()?;
    Ok(policy.filter(SecondPolicy::serves_any))
}

/// The parts of a server of the second engine, beside the policy.
struct Second<'a> {
    first: Option<First>,
    psks: Option<Psks>,
    identities: &'a [Arc<Identity>],
}

/// Returns the configuration of these settings, made at the first use. If two threads make it at once, one is kept.
fn derived<Config: Clone>(
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

fn restricted(spec: &Spec, settings: &ConnectionSettings) -> Result<Policy> {
    Policy::restricted(&spec.policy, settings.versions.as_deref(), settings.cipher_suites.as_deref())
}

/// The choice of identities.
enum Signers {
    Own(Arc<Identities>),
    Host(Arc<HostIdentities>),
}

impl Signers {
    fn server(&self) -> Arc<dyn ResolvesServerCert> {
        match self {
            Self::Own(identities) => Arc::clone(identities) as _,
            Self::Host(host) => Arc::clone(host) as _,
        }
    }

    fn client(&self) -> Arc<dyn ResolvesClientCert> {
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
    signers: Signers,
    key_log: Option<Arc<KeyLogFile>>,
}

impl ConfigParts {
    fn server(
        &self,
        spec: &Spec,
        policy: &Policy,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Arc<ServerConfig>> {
        let builder = ServerConfig::builder_with_details(self.provider(policy), Arc::clone(&spec.clock))
            .with_protocol_versions(policy.versions())
            .map_err(unusable)?;
        let builder = match settings.client_auth.unwrap_or(spec.client_auth) {
            ClientAuth::None => builder.with_client_cert_verifier(Arc::new(NoClientAuth)),
            ClientAuth::Want | ClientAuth::Need => {
                builder.with_client_cert_verifier(Arc::new(self.rustls_verifier(spec, settings, Purpose::Client)))
            }
        };
        let mut config = builder.with_cert_resolver(self.signers.server());
        config.alpn_protocols.clone_from(settings.alpn.as_ref().unwrap_or(&spec.alpn));
        // A list of the operator is in order of preference. Without one, the client knows its fastest suites.
        let lists_suites = spec.policy.cipher_suites.is_some();
        config.ignore_client_order = settings.prefers_own_cipher_order.unwrap_or(lists_suites);
        let resumes = spec.sessions.is_on && settings.session_scope.is_some();
        let of_sessions = SessionSpec { is_on: resumes, ..spec.sessions.clone() };
        session::configure_server(&mut config, &of_sessions, sessions, self.recheck(spec, Purpose::Client))?;
        prepare_server(&mut config, self.key_log());
        Ok(Arc::new(config))
    }

    fn second(
        &self,
        spec: &Spec,
        policy: &SecondPolicy,
        second: Second<'_>,
        sessions: &Arc<Sessions>,
    ) -> Result<Server> {
        let asks = spec.client_auth != ClientAuth::None;
        Server::new(Parts {
            library: spec.legacy.library.as_deref(),
            identities: second.identities,
            policy: policy.clone(),
            first: second.first,
            verifier: asks.then(|| self.rustls_verifier(spec, &ConnectionSettings::default(), Purpose::Client)),
            psks: second.psks,
            protocols: &spec.alpn,
            clock: Arc::clone(&spec.clock),
            tickets: session::of_second(&spec.sessions, sessions, self.recheck(spec, Purpose::Client))?,
        })
    }

    fn client(
        &self,
        spec: &Spec,
        policy: &Policy,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Client> {
        let mut config = ClientConfig::builder_with_details(self.provider(policy), Arc::clone(&spec.clock))
            .with_protocol_versions(policy.versions())
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.rustls_verifier(spec, settings, Purpose::Server)))
            .with_client_cert_resolver(self.signers.client());
        config.alpn_protocols.clone_from(settings.alpn.as_ref().unwrap_or(&spec.alpn));
        config.enable_sni = settings.sends_server_name;
        let recheck = self.recheck(spec, Purpose::Server);
        let sessions = session::configure_client(&mut config, &spec.sessions, sessions, recheck);
        prepare_client(&mut config, self.key_log());
        Ok(Client { config: Arc::new(config), sessions })
    }

    fn key_log(&self) -> Option<Arc<dyn KeyLog>> {
        self.key_log.as_ref().map(|file| Arc::clone(file) as _)
    }

    fn provider(&self, policy: &Policy) -> Arc<CryptoProvider> {
        let mut provider = policy.provider();
        provider.cipher_suites = on_own_ciphers(&provider.cipher_suites);
        Arc::new(provider)
    }

    /// The check of a session with a peer of this role before it is resumed.
    fn recheck(&self, spec: &Spec, purpose: Purpose) -> Recheck {
        Recheck {
            judge: self.judge.clone(),
            callback: spec.callback.clone(),
            identities: spec.hosts.identities.clone().filter(|_| purpose == Purpose::Server),
            purpose,
            ask_again: spec.sessions.ask_again,
            is_verifying: purpose == Purpose::Client || !spec.accepts_any_server,
        }
    }

    fn rustls_verifier(&self, spec: &Spec, settings: &ConnectionSettings, purpose: Purpose) -> RustlsVerifier {
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
        }
    }

    /// The CA names in a server's request for a certificate.
    fn subjects(&self, spec: &Spec) -> Vec<DistinguishedName> {
        match &self.judge {
            _ if !spec.sends_ca_names => Vec::new(),
            Judge::Own(verifier) => verifier.subjects(),
            Judge::Host(..) => spec.hosts.issuers.iter().cloned().map(DistinguishedName::from).collect(),
        }
    }
}

fn unusable(error: rustls::Error) -> Error {
    Error::from(Code::NoCipherSuite).with_source(error)
}
