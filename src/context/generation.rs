//! A generation: one consistent reading of all sources and settings, with the configurations of its connections.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use rustls::ServerConfig;

use crate::bridge::Made;
use crate::config::{ClientAuth, ConnectionSettings, Spec, check_alpn};
use crate::connection::Engines;
use crate::error::{Code, Error, Result};
use crate::identity::{HostIdentities, Identities};
use crate::keystore::Identity;
use crate::logging::Level;
use crate::policy::{NotServed, Policies, Policy, SecondPolicy, Standing, of_both};
use crate::revocation::{Remote, Staples};
use crate::session::Sessions;

use super::engines::{Clients, Keys, Second, is_of_rustls, standing_keys};
use super::key_log::KeyLogFile;
use super::parts::{Client, ConfigParts, Signers, derived, policy_of, refuse_for_second, refuse_without_trust};
use super::{load, staples};

/// One consistent reading of all sources. A connection keeps the generation that made it.
pub(super) struct Generation {
    pub(super) parts: ConfigParts,
    pub(super) server: Option<Arc<ServerConfig>>,
    pub(super) client: Option<Client>,
    /// The second engine of a server, if it is on.
    pub(super) second: Option<Second>,
    /// Connections to servers, if the second engine is on.
    clients: Option<Clients>,
    pub(super) not_served: Vec<NotServed>,
    /// The settings that decide which clients are served.
    pub(super) standing: Arc<Standing>,
    derived_servers: RwLock<HashMap<ConnectionSettings, Arc<ServerConfig>>>,
    derived_clients: RwLock<HashMap<ConnectionSettings, Client>>,
    pub(super) bridged: Made,
    pub(super) staples: Arc<Staples>,
    pub(super) identities: Vec<Arc<Identity>>,
    pub(super) warnings: Vec<String>,
}

impl Generation {
    pub(super) fn load(spec: &Spec, sessions: &Arc<Sessions>, remote: Option<Arc<Remote>>) -> Result<Self> {
        spec.check()?;
        let psks = spec.legacy.psk.read()?.map(Arc::new);
        let own = spec.legacy.psk.own(psks.as_ref())?;
        let means = spec.legacy.means(psks.is_some() || own.is_some())?;
        let Policies { first, second: second_policy, mut not_served } = of_both(&spec.policy, means.as_ref())?;
        not_served.extend_from_slice(&spec.openssl.not_done);
        let mut warnings: Vec<String> =
            not_served.iter().map(|name| format!("not served: {}: {}", name.name, name.reason)).collect();
        let identities = load::identities(spec, &mut warnings)?;
        warnings.extend(psks.iter().flat_map(|psks| psks.warnings()).chain(spec.legacy.psk.warnings()));
        let keys_of_standing = standing_keys(spec, &identities);
        let standing =
            Standing::new(&spec.policy, means.as_ref(), keys_of_standing, first.as_ref(), second_policy.as_ref());
        let second = match means.clone().zip(second_policy.clone()).filter(|_| spec.serves()) {
            Some(of_second) => Keys::settled(spec, of_second, psks, &identities, &mut warnings)?,
            None => None,
        };
        let of_clients = means.zip(second_policy).filter(|_| spec.connects());
        let make = |both| Clients::new(spec, both, (own, &identities), first.as_ref(), &mut warnings);
        let clients = of_clients.map(make).transpose()?;
        let has_rustls = first.is_some();
        let policy = first.unwrap_or_default();
        let judge = load::judge(spec, remote, &mut warnings)?;
        let staples::Loaded { staples, of_identities } =
            staples::load(spec, &identities, judge.trusted(), &mut warnings)?;
        let signers = match &spec.hosts.identities {
            Some(host) => Signers::Host(Arc::new(HostIdentities::new(Arc::clone(host), policy.cipher_suites()))),
            None => {
                let with_staples = identities.iter().cloned().zip(of_identities.iter().cloned());
                let (own, staples): (Vec<_>, Vec<_>) = with_staples.filter(|(one, _)| is_of_rustls(one)).unzip();
                Signers::Own(Arc::new(Identities::new(&own, staples, policy.cipher_suites())?))
            }
        };
        let key_log = spec.key_log.as_deref().map(KeyLogFile::open).transpose()?.map(Arc::new);
        warnings.extend(load::insecure_settings(spec));
        warnings.iter().for_each(|warning| spec.log.write(Level::Warn, warning));
        let parts = ConfigParts { policy, judge, signers, key_log };
        let settings = ConnectionSettings::default();
        let second = second.map(|(second, mut keys)| {
            keys.set_staples(of_identities);
            Second::new(spec, &parts, has_rustls.then_some(&parts.policy), (second, keys), sessions)
        });
        let second = second.transpose()?;
        let has_first = spec.hosts.identities.is_some() || identities.iter().any(|one| is_of_rustls(one));
        let server = (has_first && has_rustls).then(|| parts.server(spec, &parts.policy, &settings, sessions));
        let client = match (clients.as_ref().and_then(|clients| clients.client(spec, &parts)), has_rustls) {
            (Some(client), _) => Some(client),
            (None, true) if spec.verifies() => Some(parts.client(spec, &parts.policy, &settings, sessions)),
            _ => None,
        };
        let (server, client) = (server.transpose()?, client.transpose()?);
        let (derived_servers, derived_clients) = (RwLock::default(), RwLock::default());
        Ok(Self {
            parts,
            server,
            client,
            second,
            clients,
            not_served,
            standing: Arc::new(standing),
            derived_servers,
            derived_clients,
            bridged: Made::default(),
            staples,
            identities,
            warnings,
        })
    }

    /// The IANA names of the active cipher suites: those of rustls, then those of the second engine.
    pub(super) fn cipher_suite_names(&self) -> Vec<&'static str> {
        let first = self.has_rustls().then(|| self.parts.policy.cipher_suite_names());
        joined(first, self.second_policies().map(SecondPolicy::cipher_suite_names))
    }

    /// The active versions, the newest first.
    pub(super) fn version_names(&self) -> Vec<&'static str> {
        let first = self.has_rustls().then(|| self.parts.policy.version_names());
        joined(first, self.second_policies().map(SecondPolicy::version_names))
    }

    /// The active groups, in order of preference.
    pub(super) fn group_names(&self) -> Vec<&'static str> {
        let first = self.has_rustls().then(|| self.parts.policy.group_names());
        joined(first, self.second_policies().map(SecondPolicy::group_names))
    }

    /// The policies of the second engine, as a server and as a client.
    fn second_policies(&self) -> impl Iterator<Item = &SecondPolicy> {
        self.second.as_ref().map(|second| &second.policy).into_iter().chain(self.policy_of_clients())
    }

    /// The policy of connections to servers, if they use the second engine.
    fn policy_of_clients(&self) -> Option<&SecondPolicy> {
        self.clients.as_ref()?.policy()
    }

    /// Returns true if the second engine is on.
    pub(super) fn has_second(&self) -> bool {
        self.second.is_some() || self.clients.is_some()
    }

    /// Returns true if rustls serves a side of the context.
    fn has_rustls(&self) -> bool {
        self.server.is_some() || self.client.is_some() && self.policy_of_clients().is_none()
    }

    /// Returns the engines of a server for these settings, made at their first use.
    ///
    /// # Errors
    /// `NO_IDENTITY`, `NO_TRUST`, `OPTION_CONFLICT` if a certificate is needed beside pre-shared keys, and the errors
    /// of the versions and suites of the settings.
    pub(super) fn engines_with(
        &self,
        spec: &Spec,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Engines> {
        let Some(second) = &self.second else {
            let first = self.server_with(spec, settings, sessions)?;
            return Ok(Engines { first: Some(first), second: None });
        };
        if *settings == ConnectionSettings::default() {
            return Ok(Engines { first: self.server.clone(), second: Some(Arc::clone(&second.server)) });
        }
        refuse_without_trust(spec, settings)?;
        refuse_for_second(settings)?;
        spec.legacy.psk.check_need(settings.client_auth == Some(ClientAuth::Need))?;
        derived(&second.derived, settings, || {
            let has_own = settings.versions.is_some() || settings.cipher_suites.is_some() || settings.groups.is_some();
            let (first, policy) = match has_own {
                true => second.restricted(spec, settings)?,
                false => (Some(self.parts.policy.clone()).filter(|_| self.server.is_some()), second.policy.clone()),
            };
            let server = first.as_ref().map(|first| self.parts.server(spec, first, settings, sessions)).transpose()?;
            let second = match policy.serves_any() {
                true => Some(second.server_with(spec, &self.parts, first.as_ref(), &policy, (settings, sessions))?),
                false if server.is_some() => None,
                false => return Err(Error::new(Code::NoCipherSuite, "none of the suites is one of the versions")),
            };
            Ok(Engines { first: server, second })
        })
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
        refuse_without_trust(spec, settings)?;
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
            let Some(clients) = &self.clients else {
                return self.parts.client(spec, &restricted(spec, settings)?, settings, sessions);
            };
            match clients.client_with(spec, &self.parts, settings)? {
                (Some(client), _) => refuse_for_second(settings).map(|()| client),
                (None, Some(first)) if spec.verifies() => self.parts.client(spec, &first, settings, sessions),
                _ => Err(Error::new(Code::NoCipherSuite, "none of the suites is one of the versions")),
            }
        })
    }
}

/// All lists, each name once.
fn joined(first: Option<Vec<&'static str>>, others: impl Iterator<Item = Vec<&'static str>>) -> Vec<&'static str> {
    let mut names = first.unwrap_or_default();
    for name in others.flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn restricted(spec: &Spec, settings: &ConnectionSettings) -> Result<Policy> {
    check_alpn(settings.alpn.iter().flatten().map(Vec::as_slice))?;
    Policy::restricted(&policy_of(spec, settings), settings.versions.as_deref(), settings.cipher_suites.as_deref())
}
