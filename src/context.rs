//! The shared context of a broker or listener, and the generation of files and settings that it serves with.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions as FileOptions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::server::{NoClientAuth, ResolvesServerCert};
use rustls::{ClientConfig, DistinguishedName, KeyLog, ServerConfig};

use crate::connection::{Connection, Decide};
use crate::error::{Code, Error, Result};
use crate::identity::{HostIdentities, Identities, with_worded_alerts};
use crate::keystore::{self, Identity, Limits, OpenOptions, TrustedCertificate};
use crate::logging::Level;
use crate::policy::{NotServed, Policy};
use crate::revocation::{Crls, Revocation};
use crate::session;
use crate::session::{ClientSessions, Sessions};
use crate::settings::{ClientAuth, ConnectionSettings, CrlSource, IdentitySource, RevocationSpec, Spec, TrustSource};
use crate::source::{self, Source};
use crate::verify::{Judge, PeerVerifier, RustlsVerifier, Switch, Switches};

/// What connections are made from: shared by threads, cheap to clone, with nothing process-wide behind it.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

struct Shared {
    spec: Spec,
    sessions: Arc<Sessions>,
    current: RwLock<Arc<Generation>>,
}

/// The most configurations for connections with settings of their own that a generation keeps. Forgetting them costs
/// time and the resumption of their sessions, nothing else.
const MAX_DERIVED: usize = 64;

/// One consistent reading of every source. Connections keep the one they were made from.
struct Generation {
    materials: Materials,
    server: Option<Arc<ServerConfig>>,
    client: Option<Client>,
    derived_servers: RwLock<HashMap<ConnectionSettings, Arc<ServerConfig>>>,
    derived_clients: RwLock<HashMap<ConnectionSettings, Client>>,
    warnings: Vec<String>,
}

/// A client's configuration, and the sessions that it remembers.
#[derive(Clone)]
struct Client {
    config: Arc<ClientConfig>,
    sessions: Option<Arc<ClientSessions>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.generation();
        f.debug_struct("Context")
            .field("serves", &generation.server.is_some())
            .field("connects", &generation.client.is_some())
            .field("warnings", &generation.warnings)
            .finish_non_exhaustive()
    }
}

impl Context {
    pub(crate) fn from_spec(spec: Spec) -> Result<Self> {
        let sessions = Arc::new(Sessions::new(Arc::clone(&spec.clock)));
        let generation = Arc::new(Generation::load(&spec, &sessions)?);
        Ok(Self(Arc::new(Shared { spec, sessions, current: RwLock::new(generation) })))
    }

    /// Reads every source again. New connections use what was read; existing ones stay as they are.
    ///
    /// # Errors
    /// As for building; the context then goes on with what it had.
    pub fn reload(&self) -> Result<()> {
        let generation = Generation::load(&self.0.spec, &self.0.sessions).inspect_err(|error| {
            self.0.spec.log.write(Level::Error, &format!("reload failed, the last good files stay in use: {error}"));
        })?;
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(generation);
        Ok(())
    }

    /// A server's side of a new connection.
    ///
    /// # Errors
    /// `NO_IDENTITY` where the context has nothing to serve with.
    pub fn accept(&self) -> Result<Connection> {
        let generation = self.generation();
        let config = generation.server.as_ref().ok_or(Code::NoIdentity)?;
        Connection::server(Arc::clone(config), self.0.spec.may_block)
    }

    /// A server's side of a new connection with settings of its own.
    ///
    /// # Errors
    /// `NO_IDENTITY`; `NO_TRUST` where the settings ask for a client certificate and there is nothing to verify it
    /// against; what the settings' versions and suites lead to.
    pub fn accept_with(&self, settings: &ConnectionSettings) -> Result<Connection> {
        let spec = &self.0.spec;
        let generation = self.generation();
        let uses_tasks = settings.uses_tasks || spec.may_block;
        let config = generation.server_with(spec, settings, &self.0.sessions)?;
        let host = spec.hosts.hello.as_ref().filter(|_| settings.asks_about_hello);
        let Some(host) = host.map(Arc::clone) else { return Connection::server(config, uses_tasks) };
        let decide: Decide = Box::new(move |hello| {
            let Some(protocol) = host.client_hello(hello)? else { return Ok(config) };
            let mut chosen = ServerConfig::clone(&config);
            chosen.alpn_protocols = if protocol.is_empty() { Vec::new() } else { vec![protocol] };
            Ok(Arc::new(chosen))
        });
        Ok(Connection::undecided_server(decide, uses_tasks))
    }

    /// A client's side of a new connection with settings of its own; `host` as for [`Context::connect`].
    ///
    /// # Errors
    /// `NO_TRUST`, `INVALID_SERVER_NAME`; what the settings' versions and suites lead to.
    pub fn connect_with(&self, host: Option<&str>, settings: &ConnectionSettings) -> Result<Connection> {
        let spec = &self.0.spec;
        let generation = self.generation();
        // Sessions to resume were made without this restriction, so it must not choose another configuration.
        let shared = ConnectionSettings { resumes_only: false, ..settings.clone() };
        let client = generation.client_with(spec, &shared, &self.0.sessions)?;
        let name = self.name_of(host, settings.checks_server_name)?;
        let mut connection = Connection::client(client.config, name, settings.uses_tasks || spec.may_block)?;
        if settings.resumes_only {
            connection.resume_only();
        }
        Ok(connection)
    }

    /// A client's side of a new connection to `host`: a DNS name or an IP address, brackets allowed. `None` goes only with
    /// a context that does not check the server's name.
    ///
    /// # Errors
    /// `NO_TRUST` where the context has nothing to verify the server against; `INVALID_SERVER_NAME`.
    pub fn connect(&self, host: Option<&str>) -> Result<Connection> {
        let generation = self.generation();
        let client = generation.client.as_ref().ok_or(Code::NoTrust)?;
        Connection::client(Arc::clone(&client.config), self.name_of(host, None)?, self.0.spec.may_block)
    }

    fn name_of(&self, host: Option<&str>, checks: Option<bool>) -> Result<ServerName<'static>> {
        let spec = &self.0.spec;
        // A host that decides about peers compares names itself.
        let counts =
            !spec.accepts_any_server && spec.hosts.trust.is_none() && checks.unwrap_or(!spec.skips_server_name);
        // An address is neither sent as server name nor, here, compared.
        let nameless = || Ok(IpAddr::from([0, 0, 0, 0]).into());
        match host.map(server_name) {
            Some(Err(error)) if counts || checks.is_none() => Err(error),
            Some(Ok(name)) => Ok(name),
            None if counts => Err(Error::new(Code::InvalidServerName, "none was given, and it is to be checked")),
            None | Some(Err(_)) => nameless(),
        }
    }

    /// Bounds what clients resume from now on: `servers` whose sessions they remember, the oldest forgotten first, 0 for
    /// the most there can be (20,480); sessions older than `timeout_s` seconds are not resumed, 0 leaves their age to what
    /// the server said.
    pub fn limit_client_sessions(&self, servers: usize, timeout_s: u32) {
        self.0.sessions.limit_clients(servers, timeout_s);
    }

    /// Bounds the age of the sessions that servers resume from now on, in seconds; 0 leaves it to the rotation of ticket
    /// keys (6 to 12 hours), which is the most in any case. Servers keep no sessions, so that there is no number to limit.
    pub fn limit_server_sessions(&self, timeout_s: u32) {
        self.0.sessions.limit_servers(timeout_s);
    }

    /// Forgets what a client could resume with a server, for connections of this [`ConnectionSettings::session_scope`].
    pub fn forget_sessions(&self, host: &str, session_scope: u16) {
        let Ok(name) = server_name(host) else { return };
        let generation = self.generation();
        let derived = generation.derived_clients.read().unwrap_or_else(PoisonError::into_inner);
        let scoped = derived.iter().filter(|(settings, _)| settings.session_scope == session_scope);
        let own = generation.client.iter().filter(|_| session_scope == 0);
        for client in own.chain(scoped.map(|(_, client)| client)) {
            client.sessions.iter().for_each(|sessions| sessions.forget(&name));
        }
    }

    /// What an operator should know though the context was built: expired certificates of its own, names not served.
    pub fn warnings(&self) -> Vec<String> {
        self.generation().warnings.clone()
    }

    /// The cipher suites in effect, by IANA name, in order of preference.
    pub fn cipher_suites(&self) -> Vec<&'static str> {
        self.generation().materials.policy.cipher_suite_names()
    }

    /// The protocol versions in effect, the newest first.
    pub fn versions(&self) -> Vec<&'static str> {
        self.generation().materials.policy.version_names()
    }

    /// The application protocols of connections without settings of their own, in order of preference.
    pub fn alpn(&self) -> &[Vec<u8>] {
        &self.0.spec.alpn
    }

    /// Whether servers ask clients for a certificate, in connections without settings of their own.
    pub fn client_auth(&self) -> ClientAuth {
        self.0.spec.client_auth
    }

    /// Whether clients compare the server's name, in connections without settings of their own.
    pub fn checks_server_name(&self) -> bool {
        !self.0.spec.skips_server_name && !self.0.spec.accepts_any_server
    }

    /// The names of versions, suites and groups that were asked for and are not served, each with its reason.
    pub fn not_served(&self) -> Vec<NotServed> {
        self.generation().materials.policy.not_served().to_vec()
    }

    fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Generation {
    fn load(spec: &Spec, sessions: &Arc<Sessions>) -> Result<Self> {
        spec.check()?;
        let policy = Policy::from_spec(&spec.policy)?;
        let mut warnings: Vec<String> =
            policy.not_served().iter().map(|name| format!("not served: {}: {}", name.name, name.reason)).collect();
        let identities = load_identities(spec, &mut warnings)?;
        let judge = load_judge(spec, &mut warnings)?;
        let signers = match &spec.hosts.identities {
            Some(host) => {
                let suites = policy.cipher_suites().to_vec();
                Signers::Host(Arc::new(HostIdentities { host: Arc::clone(host), suites }))
            }
            None => Signers::Own(Arc::new(Identities::new(&identities, policy.cipher_suites())?)),
        };
        let key_log = spec.key_log.as_deref().map(KeyLogFile::open).transpose()?.map(Arc::new);
        warnings.extend(insecure_settings(spec));
        warnings.iter().for_each(|warning| spec.log.write(Level::Warn, warning));
        let has_foreign_keys =
            spec.hosts.identities.is_some() || identities.iter().any(|identity| identity.is_foreign());
        let materials = Materials { policy, judge, signers, has_foreign_keys, key_log };
        let settings = ConnectionSettings::default();
        let server = spec.has_identities().then(|| materials.server(spec, &materials.policy, &settings, sessions));
        let verifies = spec.has_trust() || spec.accepts_any_server;
        let client = verifies.then(|| materials.client(spec, &materials.policy, &settings, sessions));
        let (server, client) = (server.transpose()?, client.transpose()?);
        let (derived_servers, derived_clients) = (RwLock::default(), RwLock::default());
        Ok(Self { materials, server, client, derived_servers, derived_clients, warnings })
    }

    fn server_with(
        &self,
        spec: &Spec,
        settings: &ConnectionSettings,
        sessions: &Arc<Sessions>,
    ) -> Result<Arc<ServerConfig>> {
        self.server.as_ref().ok_or(Code::NoIdentity)?;
        if matches!(settings.client_auth, Some(ClientAuth::Want | ClientAuth::Need)) && !spec.has_trust() {
            return Err(Error::new(Code::NoTrust, "client certificates are asked for"));
        }
        derived(&self.derived_servers, settings, || {
            let policy = restricted(spec, settings)?;
            self.materials.server(spec, &policy, settings, sessions)
        })
    }

    fn client_with(&self, spec: &Spec, settings: &ConnectionSettings, sessions: &Arc<Sessions>) -> Result<Client> {
        self.client.as_ref().ok_or(Code::NoTrust)?;
        derived(&self.derived_clients, settings, || {
            let policy = restricted(spec, settings)?;
            self.materials.client(spec, &policy, settings, sessions)
        })
    }
}

/// The configuration of these settings, made when they are first met. Two threads may make it at once; one is kept.
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

/// Who chooses identities.
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

/// What both sides' configurations are made from.
struct Materials {
    policy: Policy,
    judge: Judge,
    signers: Signers,
    /// Whether a key is used that was not read from bytes, and may fail.
    has_foreign_keys: bool,
    key_log: Option<Arc<KeyLogFile>>,
}

impl Materials {
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
                builder.with_client_cert_verifier(Arc::new(self.rustls_verifier(spec, settings)))
            }
        };
        let mut config = builder.with_cert_resolver(self.signers.server());
        config.alpn_protocols.clone_from(settings.alpn.as_ref().unwrap_or(&spec.alpn));
        // An operator who lists suites means the order; without a list the client knows best what it does fast.
        let lists_suites = spec.policy.cipher_suites.is_some();
        config.ignore_client_order = settings.prefers_own_cipher_order.unwrap_or(lists_suites);
        session::configure_server(&mut config, spec.resumes(), sessions)?;
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log) as _;
        }
        Ok(Arc::new(config))
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
            .with_custom_certificate_verifier(Arc::new(self.rustls_verifier(spec, settings)))
            .with_client_cert_resolver(self.signers.client());
        config.alpn_protocols.clone_from(settings.alpn.as_ref().unwrap_or(&spec.alpn));
        config.enable_sni = settings.sends_server_name;
        let sessions = session::configure_client(&mut config, spec.resumes(), sessions);
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log) as _;
        }
        Ok(Client { config: Arc::new(config), sessions })
    }

    fn provider(&self, policy: &Policy) -> Arc<CryptoProvider> {
        let mut provider = policy.provider();
        if self.has_foreign_keys {
            provider.cipher_suites = with_worded_alerts(&provider.cipher_suites);
        }
        Arc::new(provider)
    }

    fn rustls_verifier(&self, spec: &Spec, settings: &ConnectionSettings) -> RustlsVerifier {
        RustlsVerifier {
            judge: self.judge.clone(),
            callback: spec.callback.clone(),
            log: spec.log.clone(),
            checks_name: settings.checks_server_name.unwrap_or(!spec.skips_server_name),
            accepts_any: spec.accepts_any_server,
            is_mandatory: settings.client_auth.unwrap_or(spec.client_auth) == ClientAuth::Need,
            subjects: self.subjects(spec),
        }
    }

    /// The names that a server sends with its request for a certificate.
    fn subjects(&self, spec: &Spec) -> Vec<DistinguishedName> {
        match &self.judge {
            _ if !spec.sends_ca_names => Vec::new(),
            Judge::Own(verifier) => verifier.subjects(),
            Judge::Host(..) => spec.hosts.issuers.iter().cloned().map(DistinguishedName::from).collect(),
        }
    }
}

fn load_judge(spec: &Spec, warnings: &mut Vec<String>) -> Result<Judge> {
    match &spec.hosts.trust {
        None => {
            let verifier = PeerVerifier::new(load_trust(spec, warnings)?, spec.switches)?;
            Ok(Judge::Own(Arc::new(verifier.with_revocation(spec.revocation.load()?))))
        }
        Some(host) => {
            let mut switches = Switches::default();
            switches.insert(Switch::SmallRsa);
            Ok(Judge::Host(Arc::clone(host), Arc::new(PeerVerifier::new(Vec::new(), switches)?)))
        }
    }
}

fn load_identities(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<Arc<Identity>>> {
    let mut identities = Vec::new();
    for source in &spec.identities {
        identities.extend(open_identity(source, warnings)?);
    }
    let now = spec.clock.current_time().ok_or_else(|| Error::new(Code::Internal, "the clock gives no time"))?;
    for identity in &identities {
        warnings.extend(identity.warnings_at(now));
    }
    Ok(identities)
}

fn open_identity(source: &IdentitySource, warnings: &mut Vec<String>) -> Result<Vec<Arc<Identity>>> {
    if let Some(identity) = &source.ready {
        return Ok(vec![Arc::clone(identity)]);
    }
    let store = source.open()?;
    warnings.extend_from_slice(store.warnings());
    let identities = match (&source.key, &source.alias) {
        (Some(key), _) => vec![keystore::pair(&store, &open(key, &source.options)?)?],
        (None, Some(alias)) => vec![store.identity(alias)?],
        (None, None) => store.identities()?,
    };
    Ok(identities.into_iter().map(Arc::new).collect())
}

fn load_trust(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
    let loaded = spec.trust.iter().map(|source| source.load(warnings)).collect::<Result<Vec<_>>>()?;
    Ok(loaded.into_iter().flatten().collect())
}

impl RevocationSpec {
    /// Reads every list.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` for rules without a list; the first list that cannot be used, by name.
    pub(crate) fn load(&self) -> Result<Revocation> {
        self.check()?;
        let limits = Limits { max_content_bytes: self.max_crl_bytes, ..Limits::default() };
        let mut crls = Crls::default();
        for source in &self.crls {
            let files = match source {
                CrlSource::Source(source) => vec![source.clone()],
                CrlSource::Directory(path) => source::files_of(path)?,
            };
            for file in files {
                crls.add(&file.read(&limits)?, &file.label())?;
            }
        }
        Ok(Revocation::new(self.policy(), crls))
    }
}

impl TrustSource {
    /// Reads the certificates, and adds to `warnings` what an operator should know of them.
    ///
    /// # Errors
    /// The first file that cannot be used, by name; `NO_TRUSTED_CERTIFICATE`, `SYSTEM_ROOTS_UNAVAILABLE`.
    pub fn load(&self, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
        match self {
            Self::Store { source, options } => {
                let store = open(source, options)?;
                warnings.extend_from_slice(store.warnings());
                store.trusted()
            }
            Self::Directory(path) => {
                let mut trusted = Vec::new();
                for file in source::files_of(path)? {
                    trusted.extend(open(&file, &OpenOptions::default())?.trusted()?);
                }
                match trusted.is_empty() {
                    true => Err(Error::new(Code::NoTrustedCertificate, "no files").at(path.display())),
                    false => Ok(trusted),
                }
            }
            Self::System => system_roots(),
        }
    }
}

impl IdentitySource {
    /// Opens the store, or the certificate file, without decrypting keys.
    ///
    /// # Errors
    /// As for [`keystore::open`], with the file's name.
    pub fn open(&self) -> Result<keystore::Store> {
        open(&self.certificates, &self.options)
    }
}

fn open(source: &Source, options: &OpenOptions) -> Result<keystore::Store> {
    keystore::open(&source.label(), &source.read(&options.limits)?, options)
}

fn system_roots() -> Result<Vec<TrustedCertificate>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(Error::new(Code::SystemRootsUnavailable, why));
    }
    let place = "system roots".to_owned();
    Ok(found.certs.into_iter().map(|der| TrustedCertificate { der, place: place.clone() }).collect())
}

/// The settings that weaken a context, named so that its log shows them.
fn insecure_settings(spec: &Spec) -> Vec<String> {
    let settings = [
        (spec.skips_server_name, "insecure: server names are not checked"),
        (spec.accepts_any_server, "insecure: any server certificate is accepted"),
        (spec.key_log.is_some(), "insecure: the secrets of all connections are written to the key log"),
    ];
    let switches = spec.switches.iter().map(|switch| format!("{}: {}", switch.name(), switch.meaning()));
    settings.iter().filter(|(is_set, _)| *is_set).map(|(_, text)| (*text).to_owned()).chain(switches).collect()
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| Error::new(Code::InvalidServerName, format!("{host:?}")))
}

fn unusable(error: rustls::Error) -> Error {
    Error::new(Code::NoCipherSuite, error.to_string())
}

/// A key log in the form of NSS, appended to under a lock so that lines stay whole.
#[derive(Debug)]
struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens the file for its owner alone.
    fn open(path: &std::path::Path) -> Result<Self> {
        let opened = FileOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = opened.map_err(|error| Error::new(Code::FileUnwritable, error.to_string()).at(path.display()))?;
        Ok(Self(Mutex::new(file)))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = zeroize::Zeroizing::new(format!(
            "{label} {} {}\n",
            crate::certificate::hex(client_random),
            crate::certificate::hex(secret)
        ));
        // A full disk must not end connections; the log is for debugging.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
    }
}
