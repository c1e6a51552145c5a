//! The shared context of a broker or listener.

mod bridge;
mod build;
mod certificates;
mod check;
mod engines;
mod generation;
mod key_log;
mod load;
mod maintenance;
mod parts;
mod readings;
mod reload;
mod staples;
mod trust;
mod upkeep;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::ServerName;

use crate::certificate::IssuerTable;
use crate::config::{ClientAuth, ConnectionSettings, Spec};
use crate::connection::{ClientEngine, Connection, Decide, DecideBoth, Engines, Refusals, Setup};
use crate::error::{Code, Error, Result};
use crate::fork;
use crate::identity::without_dot;
use crate::idle::IdleList;
use crate::policy::{NotServed, served_groups, served_signatures};
use crate::revocation::Remote;
use crate::revoked::Register;
use crate::session::Sessions;
use crate::verify::HandshakeNotes;
use crate::verify::host::HandshakeHost;

pub use certificates::ContextCertificate;
use generation::Generation;
use maintenance::{Life, Maintenance};
use parts::Client;
use readings::Readings;

/// The settings, identities and trust of a broker or listener. Threads share it, it is cheap to clone, and it has no
/// process-wide state.
///
/// The drop of the last clone ends its maintenance and waits for it. After that, only connections that still exist call
/// callbacks, on their own threads. A callback on the thread of maintenance may drop the last clone: it does not wait
/// for itself, and no other callback follows on that thread.
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
    /// `None` for the thread of maintenance, which does not keep the context alive.
    _life: Option<Arc<Life>>,
}

struct Shared {
    spec: Spec,
    sessions: Arc<Sessions>,
    remote: Option<Arc<Remote>>,
    register: Arc<Register>,
    issuers: Arc<IssuerTable>,
    refusals: Option<Arc<Refusals>>,
    /// If connections sleep by themselves.
    idle: Option<Arc<IdleList>>,
    current: RwLock<Arc<Generation>>,
    readings: Readings,
    maintenance: Arc<Maintenance>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.generation();
        f.debug_struct("Context")
            .field("serves", &(generation.server.is_some() || generation.second.is_some()))
            .field("connects", &generation.client.is_some())
            .field("warnings", &generation.warnings)
            .finish_non_exhaustive()
    }
}

impl Context {
    pub(crate) fn from_spec(mut spec: Spec) -> Result<Self> {
        spec.openssl.restrict(&mut spec.policy)?;
        // A builder may make more contexts.
        spec.legacy.uses = Arc::default();
        let sessions = Arc::new(Sessions::new(Arc::clone(&spec.clock), &spec.sessions));
        spec.check()?;
        fork::prepare()?;
        let remote = load::remote(&spec)?;
        let generation = Arc::new(Generation::load(&spec, &sessions, remote.clone())?);
        let register = Register::new(Arc::clone(&spec.clock), spec.log.clone(), spec.on_revoked.clone());
        let (register, current, readings) = (Arc::new(register), RwLock::new(generation), Readings::default());
        let refusals = spec.logs_refusals.then(|| Refusals::new(spec.log.clone(), Arc::clone(&spec.clock)));
        let refusals = refusals.map(Arc::new);
        let sleep_after_s = Some(spec.sleep_after_s).filter(|seconds| *seconds > 0);
        let idle = sleep_after_s.map(IdleList::new).map(Arc::new);
        let maintenance: Arc<Maintenance> = Arc::default();
        let life = Life::new(Arc::clone(&maintenance));
        let issuers = Arc::default();
        let shared =
            Shared { spec, sessions, remote, register, issuers, refusals, idle, current, readings, maintenance };
        Ok(Self { shared: Arc::new(shared), _life: Some(Arc::new(life)) })
    }

    /// Checks all connected peers against the current lists and responses, without waiting. Reports each connection
    /// with a revoked peer once, through [`crate::ContextBuilder::on_revoked`] and in the log. Returns their number. A
    /// reload does so too. Without a revocation check, it does nothing.
    pub fn sweep_revoked(&self) -> usize {
        let judge = || self.generation().parts.judge.rechecker().map(Arc::clone);
        self.shared.register.sweep(judge, &|| self.shared.maintenance.is_over())
    }

    /// Makes the server's side of a new connection.
    ///
    /// # Errors
    /// `NO_IDENTITY` if the context has no identity.
    pub fn accept(&self) -> Result<Connection> {
        self.accept_with(&ConnectionSettings::default())
    }

    /// Makes the server's side of a new connection with its own settings.
    ///
    /// # Errors
    /// `NO_IDENTITY`, or `NO_TRUST` if the settings request a client certificate and the context trusts none.
    /// `OPTION_CONFLICT` if they need one, and the context has pre-shared keys that do not replace it. The errors of
    /// the versions and suites of the settings.
    pub fn accept_with(&self, settings: &ConnectionSettings) -> Result<Connection> {
        let spec = &self.shared.spec;
        let (generation, setup) = self.begin(settings);
        let host = spec.hosts.hello.as_ref().filter(|_| settings.asks_about_hello).map(Arc::clone);
        let settings = settings.of_configuration();
        let engines = generation.engines_with(spec, &settings, &self.shared.sessions)?;
        let config = match engines {
            Engines { first: Some(config), second: None } => config,
            engines => {
                let decide = host.map(|host| self.decide_both(host, generation, engines.clone(), settings));
                return Ok(Connection::choosing_server(engines, decide, setup));
            }
        };
        if host.is_none() && !spec.hosts.decide() {
            return Connection::server(config, setup);
        }
        let decide = host.map(|host| {
            let config = Arc::clone(&config);
            let decide: Decide = Box::new(move |hello| {
                let Some(protocol) = HandshakeNotes::aside(|| host.client_hello(hello))? else { return Ok(config) };
                let mut chosen = ServerConfig::clone(&config);
                chosen.alpn_protocols = if protocol.is_empty() { Vec::new() } else { vec![protocol] };
                Ok(Arc::new(chosen))
            });
            decide
        });
        Ok(Connection::server_of_host(config, decide, setup))
    }

    /// Asks the host for the application protocol, which both engines then select.
    fn decide_both(
        &self,
        host: Arc<dyn HandshakeHost>,
        generation: Arc<Generation>,
        engines: Engines,
        settings: ConnectionSettings,
    ) -> DecideBoth {
        let shared = Arc::clone(&self.shared);
        Box::new(move |hello| {
            let Some(protocol) = HandshakeNotes::aside(|| host.client_hello(hello))? else { return Ok(engines) };
            let alpn = if protocol.is_empty() { Vec::new() } else { vec![protocol] };
            let settings = ConnectionSettings { alpn: Some(alpn), ..settings };
            generation.engines_with(&shared.spec, &settings, &shared.sessions)
        })
    }

    /// Returns the names of the key exchange groups in effect, in order of preference: those of rustls, then those of
    /// the second engine.
    pub fn groups(&self) -> Vec<&'static str> {
        self.generation().group_names()
    }

    /// Returns those of the names that are of groups which a connection can have:
    /// [`ConnectionSettings::groups`].
    ///
    /// # Errors
    /// `GROUP_NOT_SUPPORTED` if no name is left.
    pub fn served_groups(&self, names: &[String]) -> Result<Vec<String>> {
        served_groups(names, self.generation().has_second())
    }

    /// Returns those of the names that are of signature schemes which a connection can have:
    /// [`ConnectionSettings::signature_schemes`].
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if no name is left.
    pub fn served_signature_schemes(&self, names: &[String]) -> Result<Vec<String>> {
        served_signatures(names)
    }

    /// Makes the client's side of a new connection with its own settings. `host` is as for [`Context::connect`].
    ///
    /// # Errors
    /// `NO_TRUST`, `INVALID_SERVER_NAME`, and the errors of the versions and suites of the settings.
    pub fn connect_with(&self, host: Option<&str>, settings: &ConnectionSettings) -> Result<Connection> {
        let spec = &self.shared.spec;
        let (generation, setup) = self.begin(settings);
        // Stored sessions were made without this restriction, so it must not select another configuration. Scopes are
        // separate within one.
        let shared = ConnectionSettings { resumes_only: false, session_scope: None, ..settings.of_configuration() };
        let client = generation.client_with(spec, &shared, &self.shared.sessions)?;
        let mut connection = self.client(&client, host, settings, setup)?;
        if settings.resumes_only {
            connection.resume_only();
        }
        Ok(connection)
    }

    /// Makes the client's side of a new connection to `host`: a DNS name or an IP address, also in brackets. `None` is
    /// allowed if the context does not check the server's name.
    ///
    /// # Errors
    /// `NO_TRUST` if the context trusts no certificate, and `INVALID_SERVER_NAME`.
    pub fn connect(&self, host: Option<&str>) -> Result<Connection> {
        self.connect_with(host, &ConnectionSettings::default())
    }

    fn client(
        &self,
        client: &Client,
        host: Option<&str>,
        settings: &ConnectionSettings,
        setup: Setup,
    ) -> Result<Connection> {
        let verified = self.name_of(host, settings.checks_server_name)?;
        let sent = settings.server_name.as_deref().map(name_to_send).transpose()?;
        // Servers without a name cannot be distinguished, so their sessions are not stored.
        let session_scope = verified.as_ref().and(settings.session_scope.as_deref()).map(Arc::from);
        let server_name = verified.as_ref().map(|name| Arc::from(name.to_str().as_ref()));
        let (name, verified_name) = match sent.filter(|sent| verified.as_ref() != Some(sent)) {
            Some(sent) => (sent, verified.map(Arc::new)),
            // An address is not sent as the server name, and not compared here.
            None => (verified.unwrap_or_else(|| IpAddr::from([0, 0, 0, 0]).into()), None),
        };
        let setup = Setup { server_name, verified_name, session_scope, standing: None, ..setup };
        let asks_about_session = || {
            client.sessions.as_ref().is_some_and(|sessions| {
                sessions.asks_first(&name, setup.verified_name.as_ref(), setup.session_scope.as_ref())
            })
        };
        let asks_for_key = matches!(&client.engine, ClientEngine::Second(second) if second.asks_first());
        let asks_first = setup.uses_tasks && (asks_for_key || asks_about_session());
        let look = self.shared.spec.hosts.look().filter(|_| matches!(&client.engine, ClientEngine::First(_)));
        Connection::client(client.engine.clone(), name, Setup { asks_first, look, ..setup })
    }

    /// The parts of a new connection.
    fn begin(&self, settings: &ConnectionSettings) -> (Arc<Generation>, Setup) {
        let shared = &self.shared;
        // Before the generation is read: a later sweep may know more than it.
        let sweeps = shared.register.sweeps();
        let generation = self.generation();
        let standing = Some(Arc::clone(&generation.standing));
        let checks_revocation = generation.parts.judge.rechecker().is_some();
        let setup = Setup {
            number: shared.register.number(),
            log: shared.refusals.as_ref().filter(|_| !shared.spec.is_log_of_host).map(Arc::clone),
            uses_tasks: settings.uses_tasks || shared.spec.blocks(),
            user: settings.user,
            standing,
            register: checks_revocation.then(|| (Arc::clone(&shared.register), sweeps)),
            issuers: Arc::clone(&shared.issuers),
            keeps_peer_chain: shared.spec.keeps_peer_chain,
            server_name: None,
            verified_name: None,
            session_scope: None,
            look: None,
            asks_host: shared.spec.hosts.decide(),
            tells_identity: shared.spec.hosts.identities.is_none() && shared.spec.hosts.trust.is_some(),
            max_record_bytes: settings.max_record_bytes,
            asks_first: false,
        };
        (generation, setup)
    }

    /// The name of the server, or `None` if it has and needs none.
    fn name_of(&self, host: Option<&str>, checks: Option<bool>) -> Result<Option<ServerName<'static>>> {
        let spec = &self.shared.spec;
        // A host that judges peers compares names itself. A key has no name.
        let judges = !spec.accepts_any_server && !spec.trust.is_empty();
        let counts = judges && checks.unwrap_or(!spec.skips_server_name);
        match host.map(server_name) {
            Some(Err(error)) if counts || checks.is_none() => Err(error),
            Some(Ok(name)) => Ok(Some(name)),
            None if counts => Err(Error::new(Code::InvalidServerName, "none was given, and it is to be checked")),
            None | Some(Err(_)) => Ok(None),
        }
    }

    /// Limits the sessions of clients from now on. `servers` is the number of servers with stored sessions; the oldest
    /// is removed first, and 0 selects the largest number (20,480). Sessions older than `timeout_s` seconds are not
    /// resumed; 0 leaves the age to the server.
    pub fn limit_client_sessions(&self, servers: usize, timeout_s: u32) {
        self.shared.sessions.limit_clients(servers, timeout_s);
    }

    /// Limits the age of the sessions that servers resume from now on, in seconds. 0 leaves it to the rotation of
    /// ticket keys (6 to 12 hours), which is always the upper limit.
    pub fn limit_server_sessions(&self, timeout_s: u32) {
        self.shared.sessions.limit_servers(timeout_s);
    }

    /// The line that a host writes for a refused peer ([`ContextBuilder::host_logs_refusals`]): `text` without control
    /// characters, cut, and with a note of lines that are left out. `None` if this line is not to be written.
    ///
    /// [`ContextBuilder::host_logs_refusals`]: crate::ContextBuilder::host_logs_refusals
    pub fn refusal_line(&self, text: &str) -> Option<String> {
        self.shared.refusals.as_ref()?.line(text)
    }

    /// Removes the sessions of clients with a server in this [`ConnectionSettings::session_scope`].
    pub fn forget_sessions(&self, host: &str, session_scope: &str) {
        if let Ok(name) = server_name(host) {
            self.shared.sessions.forget(&name, session_scope);
        }
    }

    /// Ends the session of a connection, by the number of its first connection ([`Connection::origin`]). No side of
    /// this context resumes it any more. Beyond 4096 sessions, those that are older than the oldest of them end with
    /// it.
    pub fn end_session(&self, origin: u64) {
        self.shared.sessions.end(origin);
    }

    /// Ends the session of a connection that a fatal alert has ended, as [`Context::end_session`]. Beyond 4096 such
    /// sessions, the oldest can be resumed again.
    pub fn fail_session(&self, origin: u64) {
        self.shared.sessions.fail(origin);
    }

    /// The warnings of the last load: own certificates that have expired, names that are not supported.
    pub fn warnings(&self) -> Vec<String> {
        self.generation().warnings.clone()
    }

    /// The IANA names of the active cipher suites, in order of preference.
    pub fn cipher_suites(&self) -> Vec<&'static str> {
        self.generation().cipher_suite_names()
    }

    /// The active protocol versions, the newest first.
    pub fn versions(&self) -> Vec<&'static str> {
        self.generation().version_names()
    }

    /// The application protocols of connections without their own settings, in order of preference.
    pub fn alpn(&self) -> &[Vec<u8>] {
        &self.shared.spec.alpn
    }

    /// The request for a client's certificate in connections without their own settings.
    pub fn client_auth(&self) -> ClientAuth {
        self.shared.spec.client_auth
    }

    /// Returns true if clients compare the server's name in connections without their own settings.
    pub fn checks_server_name(&self) -> bool {
        !self.shared.spec.skips_server_name && !self.shared.spec.accepts_any_server
    }

    /// Returns true if handshakes can block: they fetch, or ask a callback that was announced as blocking.
    pub fn may_block(&self) -> bool {
        self.shared.spec.blocks()
    }

    /// The configured versions, suites and groups that are not supported, each with its reason.
    pub fn not_served(&self) -> Vec<NotServed> {
        self.generation().not_served.clone()
    }

    /// The numbers of peers that have used what the second engine allows for old ones, since the context was made. They
    /// are its clients, and the servers that it has connected to. The names are `legacy-engine` for each of them,
    /// `pre-shared key`, `TLSv1`, `TLSv1.1`, and those of the switches of `legacy-allow`.
    pub fn legacy_uses(&self) -> Vec<(&'static str, u64)> {
        self.shared.spec.legacy.uses.counts()
    }

    fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.shared.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    // The dot marks a complete name. It is not sent, and no certificate has it.
    let name =
        Some(without_dot(bare)).filter(|name| !name.ends_with('.') && name.parse::<IpAddr>().is_err()).unwrap_or(bare);
    ServerName::try_from(name.to_owned()).map_err(|_| Error::new(Code::InvalidServerName, format!("{host:?}")))
}

/// A server name to send (RFC 6066 section 3), which is no address.
fn name_to_send(text: &str) -> Result<ServerName<'static>> {
    match server_name(text)? {
        name @ ServerName::DnsName(_) => Ok(name),
        _ => Err(Error::new(Code::InvalidServerName, format!("an address is no name to send: {text}"))),
    }
}
