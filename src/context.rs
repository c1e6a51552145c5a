//! The shared context of a broker or listener, and the generation of files and settings that it serves with.

use std::fmt;
use std::fs::{File, OpenOptions as FileOptions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::server::{NoClientAuth, ResolvesServerCert};
use rustls::{ClientConfig, KeyLog, ServerConfig};

use crate::connection::Connection;
use crate::error::{Code, Error, Result};
use crate::identity::Identities;
use crate::keystore::{self, Identity, OpenOptions, TrustedCertificate};
use crate::logging::Level;
use crate::policy::{NotServed, Policy};
use crate::session;
use crate::settings::{ClientAuth, IdentitySource, Spec, TrustSource};
use crate::source::{self, Source};
use crate::verify::{PeerVerifier, RustlsVerifier};

/// What connections are made from: shared by threads, cheap to clone, with nothing process-wide behind it.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

struct Shared {
    spec: Spec,
    current: RwLock<Arc<Generation>>,
}

/// One consistent reading of every source. Connections keep the one they were made from.
struct Generation {
    server: Option<Arc<ServerConfig>>,
    client: Option<Arc<ClientConfig>>,
    policy: Policy,
    warnings: Vec<String>,
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
        let generation = Arc::new(Generation::load(&spec)?);
        Ok(Self(Arc::new(Shared { spec, current: RwLock::new(generation) })))
    }

    /// Reads every source again. New connections use what was read; existing ones stay as they are.
    ///
    /// # Errors
    /// As for building; the context then goes on with what it had.
    pub fn reload(&self) -> Result<()> {
        let generation = Generation::load(&self.0.spec).inspect_err(|error| {
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

    /// A client's side of a new connection to `host`: a DNS name or an IP address, brackets allowed. `None` goes only with
    /// a context that does not check the server's name.
    ///
    /// # Errors
    /// `NO_TRUST` where the context has nothing to verify the server against; `INVALID_SERVER_NAME`.
    pub fn connect(&self, host: Option<&str>) -> Result<Connection> {
        let generation = self.generation();
        let config = generation.client.as_ref().ok_or(Code::NoTrust)?;
        let spec = &self.0.spec;
        let name = match host {
            Some(host) => server_name(host)?,
            // An address is neither sent as server name nor, here, compared.
            None if spec.skips_server_name || spec.accepts_any_server => IpAddr::from([0, 0, 0, 0]).into(),
            None => return Err(Error::new(Code::InvalidServerName, "none was given, and it is to be checked")),
        };
        Connection::client(Arc::clone(config), name, spec.may_block)
    }

    /// What an operator should know though the context was built: expired certificates of its own, names not served.
    pub fn warnings(&self) -> Vec<String> {
        self.generation().warnings.clone()
    }

    /// The cipher suites in effect, by IANA name, in order of preference.
    pub fn cipher_suites(&self) -> Vec<&'static str> {
        let generation = self.generation();
        generation.policy.cipher_suite_names()
    }

    /// The names of versions, suites and groups that were asked for and are not served, each with its reason.
    pub fn not_served(&self) -> Vec<NotServed> {
        self.generation().policy.not_served().to_vec()
    }

    fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Generation {
    fn load(spec: &Spec) -> Result<Self> {
        spec.check()?;
        let policy = Policy::from_spec(&spec.policy)?;
        let mut warnings: Vec<String> =
            policy.not_served().iter().map(|name| format!("not served: {}: {}", name.name, name.reason)).collect();
        let identities = load_identities(spec, &mut warnings)?;
        let verifier = Arc::new(PeerVerifier::new(load_trust(spec, &mut warnings)?, spec.switches)?);
        let signers = Arc::new(Identities::new(&identities, policy.cipher_suites())?);
        let key_log = spec.key_log.as_deref().map(KeyLogFile::open).transpose()?.map(Arc::new);
        warnings.extend(insecure_settings(spec));
        warnings.iter().for_each(|warning| spec.log.write(Level::Warn, warning));
        let materials = Materials { spec, policy: &policy, verifier, signers, key_log };
        let server = (!identities.is_empty()).then(|| materials.server()).transpose()?;
        let verifies = !spec.trust.is_empty() || spec.accepts_any_server;
        let client = verifies.then(|| materials.client()).transpose()?;
        Ok(Self { server, client, policy, warnings })
    }
}

/// What both sides' configurations are made from.
struct Materials<'a> {
    spec: &'a Spec,
    policy: &'a Policy,
    verifier: Arc<PeerVerifier>,
    signers: Arc<Identities>,
    key_log: Option<Arc<KeyLogFile>>,
}

impl Materials<'_> {
    fn server(&self) -> Result<Arc<ServerConfig>> {
        let builder =
            ServerConfig::builder_with_details(Arc::new(self.policy.provider()), Arc::clone(&self.spec.clock))
                .with_protocol_versions(self.policy.versions())
                .map_err(unusable)?;
        let builder = match self.spec.client_auth {
            ClientAuth::None => builder.with_client_cert_verifier(Arc::new(NoClientAuth)),
            ClientAuth::Want | ClientAuth::Need => builder.with_client_cert_verifier(Arc::new(self.rustls_verifier())),
        };
        let signers: Arc<dyn ResolvesServerCert> = Arc::clone(&self.signers) as _;
        let mut config = builder.with_cert_resolver(signers);
        config.alpn_protocols.clone_from(&self.spec.alpn);
        // An operator who lists suites means the order; without a list the client knows best what it does fast.
        config.ignore_client_order = self.spec.policy.cipher_suites.is_some();
        session::configure_server(&mut config, self.spec.resumption)?;
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log) as _;
        }
        Ok(Arc::new(config))
    }

    fn client(&self) -> Result<Arc<ClientConfig>> {
        let signers: Arc<dyn ResolvesClientCert> = Arc::clone(&self.signers) as _;
        let mut config =
            ClientConfig::builder_with_details(Arc::new(self.policy.provider()), Arc::clone(&self.spec.clock))
                .with_protocol_versions(self.policy.versions())
                .map_err(unusable)?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(self.rustls_verifier()))
                .with_client_cert_resolver(signers);
        config.alpn_protocols.clone_from(&self.spec.alpn);
        session::configure_client(&mut config, self.spec.resumption);
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log) as _;
        }
        Ok(Arc::new(config))
    }

    fn rustls_verifier(&self) -> RustlsVerifier {
        RustlsVerifier {
            verifier: Arc::clone(&self.verifier),
            callback: self.spec.callback.clone(),
            log: self.spec.log.clone(),
            checks_name: !self.spec.skips_server_name,
            accepts_any: self.spec.accepts_any_server,
            is_mandatory: self.spec.client_auth == ClientAuth::Need,
            subjects: if self.spec.sends_ca_names { self.verifier.subjects() } else { Vec::new() },
        }
    }
}

fn load_identities(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<Identity>> {
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

fn open_identity(source: &IdentitySource, warnings: &mut Vec<String>) -> Result<Vec<Identity>> {
    let store = source.open()?;
    warnings.extend_from_slice(store.warnings());
    match (&source.key, &source.alias) {
        (Some(key), _) => Ok(vec![keystore::pair(&store, &open(key, &source.options)?)?]),
        (None, Some(alias)) => Ok(vec![store.identity(alias)?]),
        (None, None) => store.identities(),
    }
}

fn load_trust(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
    let loaded = spec.trust.iter().map(|source| source.load(warnings)).collect::<Result<Vec<_>>>()?;
    Ok(loaded.into_iter().flatten().collect())
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
