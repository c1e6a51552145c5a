//! The parts of a generation, and the configurations of both sides that are made from them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, ResolvesServerCert};
use rustls::{ClientConfig, DistinguishedName, KeyLog, ServerConfig};

use crate::config::{ClientAuth, ConnectionSettings, Spec};
use crate::connection::{ClientEngine, on_own_ciphers, prepare_client, prepare_server};
use crate::error::{Code, Error, Result};
use crate::identity::{HostIdentities, Identities};
use crate::policy::Policy;
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

/// The choice of identities.
pub(super) enum Signers {
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
        let verifier = || Arc::new(self.rustls_verifier(spec, settings, Purpose::Client)) as _;
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
        let mut config = builder.with_cert_resolver(self.signers.server());
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
        let verifier = Arc::new(self.rustls_verifier(spec, settings, Purpose::Server));
        let (mut config, sessions) =
            self.client_config(spec, self.provider(policy), policy, (settings, sessions), verifier)?;
        prepare_client(&mut config, self.key_log());
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
            .with_client_cert_resolver(self.signers.client());
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

/// The rules of resumption for a server with these settings.
pub(super) fn sessions_of(spec: &Spec, settings: &ConnectionSettings) -> SessionSpec {
    let is_on = spec.sessions.is_on && settings.session_scope.is_some();
    SessionSpec { is_on, has_tickets: !spec.openssl.has_no_tickets, ..spec.sessions.clone() }
}

fn unusable(error: rustls::Error) -> Error {
    Error::from(Code::NoCipherSuite).with_source(error)
}
