//! The second engine of a context: the policy that its keys leave, the reports about it, and its servers for the
//! settings of single connections.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::config::{ClientAuth, ConnectionSettings, Spec};
use crate::connection::{ClientEngine, Engines};
use crate::error::{Code, Error, Result};
use crate::keystore::Identity;
use crate::legacy::{self, ClientParts, First, FirstKeys, OwnKeys, Parts, Psks, Server, key_kind};
use crate::policy::{KeyKind, Policies, Policy, SecondMeans, SecondPolicy, StandingKeys, restricted_both};
use crate::revocation::Staple;
use crate::session::{SecondSessions, Sessions};
use crate::verify::Purpose;

use super::parts::{Client, ConfigParts, policy_of, sessions_of};

/// The second engine of a server.
pub(super) struct Second {
    pub(super) policy: SecondPolicy,
    pub(super) server: Arc<Server>,
    keys: Keys,
    pub(super) derived: RwLock<HashMap<ConnectionSettings, Engines>>,
}

/// The keys of the servers of the second engine, and what it can do.
pub(super) struct Keys {
    means: SecondMeans,
    psks: Option<Arc<Psks>>,
    identities: Vec<Arc<Identity>>,
    kinds: Vec<KeyKind>,
    /// The staple of each identity, if any.
    staples: Vec<Option<Arc<Staple>>>,
}

/// Returns true if rustls can sign with the key: it has no DSA.
pub(super) fn is_of_rustls(identity: &Identity) -> bool {
    key_kind(identity) != Ok(KeyKind::Dss)
}

/// The keys of a context, for the advice about a client that is refused.
pub(super) fn standing_keys(spec: &Spec, identities: &[Arc<Identity>]) -> StandingKeys {
    let kinds: Vec<KeyKind> = identities.iter().filter_map(|identity| key_kind(identity).ok()).collect();
    let has_other = spec.hosts.identities.is_some() || kinds.len() < identities.len();
    StandingKeys { kinds, has_other }
}

impl Keys {
    /// Reports the identities that the engine cannot use.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` if it can use none, and there are no pre-shared keys.
    pub(super) fn new(
        spec: &Spec,
        means: SecondMeans,
        psks: Option<Arc<Psks>>,
        identities: &[Arc<Identity>],
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let mut kinds = Vec::new();
        let mut unusable = Vec::new();
        if spec.hosts.identities.is_some() {
            unusable.push("the host chooses identities, and their keys are not in bytes".to_owned());
        }
        for identity in identities {
            match key_kind(identity) {
                Ok(kind) => kinds.push(kind),
                Err(why) => unusable.push(format!("{}: {why}", identity.place)),
            }
        }
        if kinds.is_empty() && psks.is_none() {
            return Err(Error::new(Code::OptionConflict, format!("legacy-engine: {}", unusable.join("; ")))
                .with_hint("Give an identity with its key in a file or in memory, or switch legacy-engine off."));
        }
        warnings.extend(unusable.iter().map(|why| format!("legacy-engine: not served by the second engine: {why}")));
        Ok(Self { means, psks, identities: identities.to_vec(), kinds, staples: Vec::new() })
    }

    /// Makes the keys, and restricts the policy to what they serve. A context that only connects may do without: its
    /// own identities are for servers that ask for them.
    ///
    /// # Errors
    /// As for [`Keys::new`] and [`Keys::settle`].
    pub(super) fn settled(
        spec: &Spec,
        (means, policy): (SecondMeans, SecondPolicy),
        psks: Option<Arc<Psks>>,
        identities: &[Arc<Identity>],
        warnings: &mut Vec<String>,
    ) -> Result<Option<(SecondPolicy, Self)>> {
        let settle = |warnings: &mut Vec<String>| -> Result<(SecondPolicy, Self)> {
            let keys = Self::new(spec, means, psks, identities, warnings)?;
            Ok((keys.settle(policy, warnings)?, keys))
        };
        match settle(warnings) {
            Err(error) if spec.connects() && spec.client_auth == ClientAuth::None => {
                warnings.push(format!("clients are not served by the second engine: {}", error.detail()));
                Ok(None)
            }
            settled => settled.map(Some),
        }
    }

    /// Restricts the policy to what these keys serve, and reports what is weak in it.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` if nothing is left, or nothing that takes the pre-shared keys.
    pub(super) fn settle(&self, mut policy: SecondPolicy, warnings: &mut Vec<String>) -> Result<SecondPolicy> {
        let has_psk = self.psks.is_some();
        policy.keep_keys(&self.kinds, has_psk);
        if !policy.serves_any() {
            let detail = "legacy-engine: the keys, versions, suites and groups leave the second engine nothing";
            return Err(Error::new(Code::OptionConflict, detail));
        }
        if has_psk && !policy.takes_psk() {
            let detail = "psk-file: the versions and suites leave none with a pre-shared key";
            return Err(Error::new(Code::OptionConflict, detail));
        }
        if policy.adds_nothing(has_psk) {
            warnings
                .push("legacy-engine: the second engine serves no version or suite that rustls does not".to_owned());
        }
        warnings.extend(self.means.warnings());
        warnings.extend(policy.warnings());
        Ok(policy)
    }

    /// Sets the staple of each identity.
    pub(super) fn set_staples(&mut self, staples: Vec<Option<Arc<Staple>>>) {
        self.staples = staples;
    }

    /// Returns true if rustls can use an identity.
    pub(super) fn has_first(&self, spec: &Spec) -> bool {
        spec.hosts.identities.is_some() || self.identities.iter().any(|identity| is_of_rustls(identity))
    }

    fn of_rustls(&self, spec: &Spec) -> FirstKeys {
        match spec.hosts.identities {
            Some(_) => FirstKeys::OfHost,
            None => FirstKeys::Own(self.identities.iter().map(|one| Arc::clone(&one.signing_key)).collect()),
        }
    }
}

impl Second {
    /// Makes the server of connections without settings of their own.
    pub(super) fn new(
        spec: &Spec,
        parts: &ConfigParts,
        first: Option<&Policy>,
        (policy, keys): (SecondPolicy, Keys),
        sessions: &Arc<Sessions>,
    ) -> Result<Self> {
        let server = keys.server(spec, parts, first, &policy, (&ConnectionSettings::default(), sessions))?;
        Ok(Self { policy, server: Arc::new(server), keys, derived: RwLock::default() })
    }

    /// Restricts both policies to the versions and suites of a connection.
    ///
    /// # Errors
    /// Those of the versions and suites.
    pub(super) fn restricted(
        &self,
        spec: &Spec,
        settings: &ConnectionSettings,
    ) -> Result<(Option<Policy>, SecondPolicy)> {
        let (versions, suites) = (settings.versions.as_deref(), settings.cipher_suites.as_deref());
        let Policies { first, second, .. } =
            restricted_both(&policy_of(spec, settings), &self.keys.means, versions, suites)?;
        let mut policy = second.ok_or(Code::Internal)?;
        policy.keep_keys(&self.keys.kinds, self.keys.psks.is_some());
        Ok((first.filter(|_| self.keys.has_first(spec)), policy))
    }

    /// Makes the server for these settings.
    pub(super) fn server_with(
        &self,
        spec: &Spec,
        parts: &ConfigParts,
        first: Option<&Policy>,
        policy: &SecondPolicy,
        settings: (&ConnectionSettings, &Arc<Sessions>),
    ) -> Result<Arc<Server>> {
        self.keys.server(spec, parts, first, policy, settings).map(Arc::new)
    }
}

impl Keys {
    fn server(
        &self,
        spec: &Spec,
        parts: &ConfigParts,
        first: Option<&Policy>,
        policy: &SecondPolicy,
        (settings, sessions): (&ConnectionSettings, &Arc<Sessions>),
    ) -> Result<Server> {
        let asks = settings.client_auth.unwrap_or(spec.client_auth) != ClientAuth::None;
        // Without an identity, rustls serves no client beside it.
        let first = first.filter(|_| self.has_first(spec));
        Server::new(Parts {
            library: spec.legacy.library.as_deref(),
            identities: &self.identities,
            policy: policy.beside(first),
            first: first.map(|first| First::new(first, self.of_rustls(spec))),
            verifier: asks.then(|| parts.rustls_verifier(spec, settings, Purpose::Client)),
            psks: self.psks.clone(),
            psk_hint: spec.legacy.psk.hint.as_deref().unwrap_or_default(),
            protocols: settings.alpn.as_ref().unwrap_or(&spec.alpn),
            prefers_own_order: settings.prefers_own_cipher_order.unwrap_or_else(|| spec.prefers_own_order()),
            clock: Arc::clone(&spec.clock),
            uses: Arc::clone(&spec.legacy.uses),
            log: spec.log.clone(),
            key_log: parts.key_log(),
            staples: &self.staples,
            sessions: SecondSessions::new(
                &sessions_of(spec, settings),
                sessions,
                parts.recheck(spec, Purpose::Client),
            )?,
        })
    }
}

/// Connections to servers, in a context with the second engine.
pub(super) struct Clients {
    means: SecondMeans,
    keys: Option<OwnKeys>,
    identities: Vec<Arc<Identity>>,
    /// None if they use rustls.
    policy: Option<SecondPolicy>,
}

impl Clients {
    /// Chooses the engine, and reports it if it is the second one.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` if nothing takes the pre-shared key.
    pub(super) fn new(
        spec: &Spec,
        (means, second): (SecondMeans, SecondPolicy),
        (keys, identities): (Option<OwnKeys>, &[Arc<Identity>]),
        first: Option<&Policy>,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let mut clients = Self { means, keys, identities: identities.to_vec(), policy: None };
        clients.policy = clients.choose(spec, first, &second)?;
        if let Some(policy) = &clients.policy {
            let offered = policy.version_names();
            let mut line = format!(
                "legacy-engine: connections to servers use the second engine, with {}. They resume no sessions.",
                offered.join(", ")
            );
            let left: Vec<&str> = second.version_names().into_iter().filter(|name| !offered.contains(name)).collect();
            if !left.is_empty() {
                line.push_str(&format!(" They do not offer {}.", left.join(", ")));
            }
            let lines = std::iter::once(line).chain(clients.means.warnings()).chain(policy.warnings());
            lines.for_each(|line| {
                if !warnings.contains(&line) {
                    warnings.push(line)
                }
            });
        }
        Ok(clients)
    }

    /// The policy of connections without settings of their own; none if they use rustls.
    pub(super) fn policy(&self) -> Option<&SecondPolicy> {
        self.policy.as_ref()
    }

    /// Chooses the engine: rustls if it has all that the settings name, otherwise the second one with this policy. A
    /// client cannot choose by the version of its server.
    fn choose(&self, spec: &Spec, first: Option<&Policy>, second: &SecondPolicy) -> Result<Option<SecondPolicy>> {
        let has_psk = self.keys.is_some();
        let policy = second.of_client(spec.verifies(), has_psk);
        if has_psk && !policy.takes_psk() {
            let detail = "psk-identity: the versions and suites leave none with a pre-shared key";
            return Err(Error::new(Code::OptionConflict, detail));
        }
        Ok(Some(policy).filter(|policy| policy.serves_any() && policy.needs_second(first, has_psk)))
    }

    /// Makes the second engine's client of connections without settings of their own. None if they use rustls.
    pub(super) fn client(&self, spec: &Spec, parts: &ConfigParts) -> Option<Result<Client>> {
        let policy = self.policy.clone()?;
        Some(self.client_of(spec, parts, policy, &ConnectionSettings::default()))
    }

    /// Makes the second engine's client of connections with these settings; none if they use rustls, with this policy.
    ///
    /// # Errors
    /// Those of the versions and suites.
    pub(super) fn client_with(
        &self,
        spec: &Spec,
        parts: &ConfigParts,
        settings: &ConnectionSettings,
    ) -> Result<(Option<Client>, Option<Policy>)> {
        let (versions, suites) = (settings.versions.as_deref(), settings.cipher_suites.as_deref());
        let (first, policy) = match (&self.policy, versions, suites) {
            (Some(policy), None, None) if settings.groups.is_none() => (None, Some(policy.clone())),
            _ => {
                let Policies { first, second, .. } =
                    restricted_both(&policy_of(spec, settings), &self.means, versions, suites)?;
                let policy = second.map(|second| self.choose(spec, first.as_ref(), &second)).transpose()?;
                (first, policy.flatten())
            }
        };
        Ok((policy.map(|policy| self.client_of(spec, parts, policy, settings)).transpose()?, first))
    }

    fn client_of(
        &self,
        spec: &Spec,
        parts: &ConfigParts,
        policy: SecondPolicy,
        settings: &ConnectionSettings,
    ) -> Result<Client> {
        let client = legacy::Client::new(ClientParts {
            library: spec.legacy.library.as_deref(),
            policy,
            verifier: parts.rustls_verifier(spec, settings, Purpose::Server),
            verifies: spec.verifies(),
            keys: self.keys.clone(),
            signers: parts.signers.client(),
            identities: &self.identities,
            protocols: settings.alpn.as_ref().unwrap_or(&spec.alpn),
            sends_server_name: settings.sends_server_name,
            clock: Arc::clone(&spec.clock),
            uses: Arc::clone(&spec.legacy.uses),
            log: spec.log.clone(),
            key_log: parts.key_log(),
        })?;
        Ok(Client { engine: ClientEngine::Second(Arc::new(client)), sessions: None })
    }
}
