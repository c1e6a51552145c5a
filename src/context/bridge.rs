//! Configurations of a context for programs that drive connections of rustls themselves.

use std::sync::Arc;

use rustls::{ClientConfig, KeyLog, NoKeyLog, ServerConfig};

use crate::bridge::{ClientVerifier, Clients, RustlsFetch, ServerVerifier, Servers, for_client, for_server};
use crate::config::{ConnectionSettings, Spec};
use crate::connection::Refusals;
use crate::error::{Code, Error, Result};
use crate::verify::{Purpose, RustlsVerifier};

use super::Context;
use super::parts::ConfigParts;

impl Context {
    /// The configuration of a server for connections of rustls that the caller drives, made from this generation of the
    /// context. After a reload, ask again.
    ///
    /// It has everything the context holds: identities by server name, trust, revocation, protocols, versions, suites,
    /// groups, sessions and key log. After a call of rustls that fails, [`crate::bridge::error_of`] has the reason.
    /// Connected peers are not swept when lists change.
    ///
    /// # Errors
    /// `NO_IDENTITY`. `OPTION_CONFLICT` for a setting that such connections cannot have, with its name.
    pub fn rustls_server_config(&self, fetch: RustlsFetch) -> Result<Arc<ServerConfig>> {
        let spec = &self.shared.spec;
        check(spec, fetch)?;
        let generation = self.generation();
        if generation.server.is_none() {
            return Err(Error::from(Code::NoIdentity));
        }
        generation.bridged.server(fetch, || {
            let settings = ConnectionSettings::default();
            let (parts, clients) = (&generation.parts, Clients::new());
            let verifier = || {
                let inner = verifier(parts, spec, &settings, Purpose::Client, fetch);
                Arc::new(ClientVerifier { inner, log: self.log_of_rustls(), clients: Arc::clone(&clients) }) as _
            };
            let (provider, policy) = (Arc::new(parts.policy.provider()), &parts.policy);
            let mut config =
                parts.server_config(spec, provider, policy, (&settings, &self.shared.sessions), verifier)?;
            config.key_log = key_log(parts);
            for_server(&mut config, &clients, spec.sessions.max_ticket_bytes);
            Ok(Arc::new(config))
        })
    }

    /// The configuration of a client for connections of rustls that the caller drives, as
    /// [`Context::rustls_server_config`].
    ///
    /// Sessions are stored by the name of the server. None is stored of a name that has shown two certificate chains
    /// since the configuration was made, nor of more than 4,096 names.
    ///
    /// # Errors
    /// `NO_TRUST`. `OPTION_CONFLICT` for a setting that such connections cannot have, with its name.
    pub fn rustls_client_config(&self, fetch: RustlsFetch) -> Result<Arc<ClientConfig>> {
        let spec = &self.shared.spec;
        check(spec, fetch)?;
        let generation = self.generation();
        if generation.client.is_none() {
            return Err(Error::from(Code::NoTrust));
        }
        generation.bridged.client(fetch, || {
            let settings = ConnectionSettings { session_scope: None, ..ConnectionSettings::default() };
            let parts = &generation.parts;
            let servers = Arc::<Servers>::default();
            let inner = verifier(parts, spec, &settings, Purpose::Server, fetch);
            let verifier = ServerVerifier { inner, log: self.log_of_rustls(), servers: Arc::clone(&servers) };
            let (provider, policy) = (Arc::new(parts.policy.provider()), &parts.policy);
            let (mut config, sessions) =
                parts.client_config(spec, provider, policy, (&settings, &self.shared.sessions), Arc::new(verifier))?;
            config.key_log = key_log(parts);
            for_client(&mut config, sessions, &servers);
            Ok(Arc::new(config))
        })
    }

    fn log_of_rustls(&self) -> Option<Arc<Refusals>> {
        self.shared.refusals.as_ref().filter(|_| !self.shared.spec.is_log_of_host).map(Arc::clone)
    }
}

fn verifier(
    parts: &ConfigParts,
    spec: &Spec,
    settings: &ConnectionSettings,
    purpose: Purpose,
    fetch: RustlsFetch,
) -> RustlsVerifier {
    let may_wait = fetch != RustlsFetch::KnownOnly;
    RustlsVerifier { keeps_peer: true, may_wait, ..parts.rustls_verifier(spec, settings, purpose) }
}

fn key_log(parts: &ConfigParts) -> Arc<dyn KeyLog> {
    parts.key_log().unwrap_or_else(|| Arc::new(NoKeyLog))
}

/// Refuses the settings that connections of rustls cannot have.
fn check(spec: &Spec, fetch: RustlsFetch) -> Result<()> {
    let fetches = spec.revocation.asks_others() && fetch == RustlsFetch::Refused;
    let refused = [
        (fetches, "fetch: a handshake may wait for the network", "Ask for the configuration that uses what is known."),
        (
            spec.callback.is_some(),
            "verify callback: rustls does not say for which connection it asks",
            "Leave it out, and judge the peer after the handshake.",
        ),
        (
            spec.on_revoked.is_some(),
            "callback for revoked peers: the context does not know these connections",
            "Leave it out.",
        ),
        (
            spec.hosts.trust.is_some() || spec.hosts.identities.is_some() || spec.hosts.hello.is_some(),
            "a host that decides about peers, identities or protocols",
            "Give the context identities and trust of its own.",
        ),
        (spec.legacy.is_on, "legacy-engine: rustls serves no old client", "Leave it out."),
    ];
    match refused.into_iter().find(|(is_set, ..)| *is_set) {
        Some((_, setting, hint)) => {
            let detail = format!("{setting}; a connection of rustls cannot have it");
            Err(Error::new(Code::OptionConflict, detail).with_hint(hint))
        }
        None => Ok(()),
    }
}
