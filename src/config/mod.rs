//! Everything that configures a context: the settings and which of them contradict each other, the builder, the table
//! of options, and the sources of files.

mod builder;
mod builder_legacy;
mod builder_psk;
mod builder_revocation;
mod legacy;
mod openssl_options;
pub mod options;
mod psk;
mod revocation;
mod roots;
mod sessions;
pub(crate) mod source;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

use crate::connection::FlightLook;
use crate::error::{Code, Error, Result};
use crate::keystore::{Identity, OpenOptions, Store, StoreType};
use crate::logging::Log;
use crate::policy::PolicySpec;
use crate::revoked::RevokedCallback;
use crate::session::SessionSpec;
use crate::verify::host::HandshakeHost;
use crate::verify::{Deviations, VerifyCallback};

pub use builder::ContextBuilder;
pub(crate) use builder::check_alpn;
pub(crate) use legacy::LegacySpec;
pub(crate) use openssl_options::OpensslSpec;
pub use openssl_options::{OPENSSL_OPTIONS, OpensslEffect, OpensslOption};
pub use revocation::CrlSource;
pub(crate) use revocation::{RevocationSpec, StapleSpec};
pub(crate) use roots::system_roots;
pub use source::{Source, SourceReader};

/// The source of an identity: a store, or a certificate file with its key in it or in another file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IdentitySource {
    /// The store, or the certificate chain.
    pub certificates: Source,
    /// The private key, if it is in a file of its own.
    pub key: Option<Source>,
    /// The one entry to use; `None` uses every key entry.
    pub alias: Option<String>,
    /// Type, passwords and limits.
    pub options: OpenOptions,
    /// A ready identity. Nothing is read then.
    pub(crate) ready: Option<Arc<Identity>>,
}

impl IdentitySource {
    /// An identity from one source with everything in it.
    pub fn new(certificates: Source) -> Self {
        Self { certificates, key: None, alias: None, options: OpenOptions::default(), ready: None }
    }

    /// A ready identity, e.g. with a key in a token.
    pub fn ready(identity: Arc<Identity>) -> Self {
        let source = Source::memory(identity.place.clone(), &[]);
        Self { ready: Some(identity), ..Self::new(source) }
    }

    /// Opens the store, or the certificate file, without decrypting keys.
    ///
    /// # Errors
    /// As for [`crate::keystore::open`], with the file's name.
    pub fn open(&self) -> Result<Store> {
        self.certificates.open(&self.options)
    }
}

/// The source of trusted certificates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TrustSource {
    /// A store, or a file of certificates.
    Store {
        /// The store or file.
        source: Source,
        /// Type, passwords and limits.
        options: OpenOptions,
    },
    /// Every file of a directory that holds certificates.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Type, passwords and limits of each file in it.
        options: OpenOptions,
    },
    /// The system's roots, as the distribution keeps them, or as `SSL_CERT_FILE` and `SSL_CERT_DIR` say. Those are
    /// ignored in a process with more rights than the one that started it (set-uid, set-gid, capabilities).
    System,
}

impl TrustSource {
    /// A store or file of certificates, its type found from its content.
    pub fn store(source: Source) -> Self {
        Self::Store { source, options: OpenOptions::default() }
    }

    /// The files of a directory, the type of each found from its content.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::Directory { path: path.into(), options: OpenOptions::default() }
    }
}

/// The request of a server for a client's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// No request.
    #[default]
    None,
    /// A request. A client without a certificate is accepted.
    Want,
    /// A requirement. A client without a certificate is refused.
    Need,
}

/// The settings of one connection that differ from those of its context.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionSettings {
    /// Protocol versions, as [`crate::ContextBuilder::versions`] takes them.
    pub versions: Option<String>,
    /// The cipher suites that may be used, by name, and no others.
    pub cipher_suites: Option<String>,
    /// Key exchange groups in order of preference, as [`crate::ContextBuilder::groups`] takes them. A client sends a
    /// key share for the first.
    pub groups: Option<String>,
    /// Signature schemes by their names in TLS, with commas between, in order of preference: those that the peer is
    /// offered, and those that sign here. Not with the second engine.
    pub signature_schemes: Option<String>,
    /// The largest record to send, in bytes with its header; at least [`ConnectionSettings::LEAST_RECORD_BYTES`]. Not
    /// with the second engine.
    pub max_record_bytes: Option<usize>,
    /// Servers: whether the client is asked for a certificate.
    pub client_auth: Option<ClientAuth>,
    /// Application protocols in order of preference; an empty list is none. [`crate::ContextBuilder::alpn`] has the
    /// limits.
    pub alpn: Option<Vec<Vec<u8>>>,
    /// Clients: whether the server's name is compared with its certificate.
    pub checks_server_name: Option<bool>,
    /// Clients: whether the host is sent as server name (RFC 6066 section 3). Default: yes.
    pub sends_server_name: bool,
    /// Clients: the server name to send, if it is not the host. Only the host is verified.
    pub server_name: Option<String>,
    /// Servers: whether the order of the cipher suites here decides, not the client's.
    pub prefers_own_cipher_order: Option<bool>,
    /// Servers: whether [`HandshakeHost::client_hello`] is asked.
    pub asks_about_hello: bool,
    /// Clients: sessions are remembered by host and this text: whatever else the application verifies, such as the
    /// port. Servers: sessions are resumed by connections with the same text alone. `None` remembers and resumes none.
    pub session_scope: Option<String>,
    /// Clients: true to refuse a full handshake, so that only an earlier session may be resumed.
    pub resumes_only: bool,
    /// True to process handshake messages in [`crate::Connection::run_task`] only.
    pub uses_tasks: bool,
    /// A number of the application's choice, for its callbacks: [`crate::Connection::user`].
    pub user: usize,
}

impl ConnectionSettings {
    /// The smallest [`ConnectionSettings::max_record_bytes`]: headers, tags and some content.
    pub const LEAST_RECORD_BYTES: usize = 64;

    /// The settings that a configuration is made from. Connections that differ in nothing else share it.
    pub(crate) fn of_configuration(&self) -> Self {
        let common = Self::default();
        Self {
            server_name: None,
            user: common.user,
            uses_tasks: common.uses_tasks,
            asks_about_hello: common.asks_about_hello,
            ..self.clone()
        }
    }
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            versions: None,
            cipher_suites: None,
            groups: None,
            signature_schemes: None,
            max_record_bytes: None,
            client_auth: None,
            alpn: None,
            checks_server_name: None,
            sends_server_name: true,
            server_name: None,
            prefers_own_cipher_order: None,
            asks_about_hello: false,
            session_scope: Some(String::new()),
            resumes_only: false,
            uses_tasks: false,
            user: 0,
        }
    }
}

/// The decisions of a context that its host makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    pub(crate) identities: Option<Arc<dyn HandshakeHost>>,
    pub(crate) trust: Option<Arc<dyn HandshakeHost>>,
    /// The names (DER) that a server sends with its request for a certificate, if trust is the host's.
    pub(crate) issuers: Vec<Vec<u8>>,
    pub(crate) hello: Option<Arc<dyn HandshakeHost>>,
}

impl Hosts {
    /// Returns true if a host chooses identities or judges peers.
    pub(crate) fn decide(&self) -> bool {
        self.identities.is_some() || self.trust.is_some()
    }

    /// The part of a server's flight that a client reads ahead for its hosts.
    pub(crate) fn look(&self) -> Option<FlightLook> {
        match self.identities {
            Some(_) => Some(FlightLook::Certificates),
            None => self.trust.as_ref().map(|_| FlightLook::Facts),
        }
    }
}

/// All settings of a [`Context`]. The context keeps them for reloads.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) identities: Vec<IdentitySource>,
    pub(crate) trust: Vec<TrustSource>,
    pub(crate) policy: PolicySpec,
    pub(crate) legacy: LegacySpec,
    pub(crate) openssl: OpensslSpec,
    pub(crate) client_auth: ClientAuth,
    pub(crate) sends_ca_names: bool,
    pub(crate) keeps_peer_chain: bool,
    /// 0 for connections that sleep by a call alone.
    pub(crate) sleep_after_s: u32,
    pub(crate) deviations: Deviations,
    pub(crate) skips_server_name: bool,
    pub(crate) accepts_any_server: bool,
    pub(crate) revocation: RevocationSpec,
    pub(crate) staple: StapleSpec,
    pub(crate) callback: Option<VerifyCallback>,
    pub(crate) on_revoked: Option<RevokedCallback>,
    pub(crate) hosts: Hosts,
    pub(crate) may_block: bool,
    pub(crate) logs_refusals: bool,
    /// Refusals are logged by the host, which asks the context for each line.
    pub(crate) is_log_of_host: bool,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) sessions: SessionSpec,
    pub(crate) key_log: Option<PathBuf>,
    pub(crate) clock: Arc<dyn TimeProvider>,
    pub(crate) log: Log,
}

impl Spec {
    /// Returns the defaults: nothing trusted, no identity, the `intermediate` preset, resumption on.
    pub(crate) fn new() -> Self {
        Self {
            identities: Vec::new(),
            trust: Vec::new(),
            policy: PolicySpec::default(),
            legacy: LegacySpec::default(),
            openssl: OpensslSpec::default(),
            client_auth: ClientAuth::None,
            sends_ca_names: true,
            keeps_peer_chain: true,
            sleep_after_s: 0,
            deviations: Deviations::default(),
            skips_server_name: false,
            accepts_any_server: false,
            revocation: RevocationSpec::default(),
            staple: StapleSpec::default(),
            callback: None,
            on_revoked: None,
            hosts: Hosts::default(),
            may_block: false,
            logs_refusals: true,
            is_log_of_host: false,
            alpn: Vec::new(),
            sessions: SessionSpec::default(),
            key_log: None,
            clock: Arc::new(DefaultTimeProvider),
            log: Log::default(),
        }
    }

    /// Returns true if there is an identity.
    pub(crate) fn has_identities(&self) -> bool {
        !self.identities.is_empty() || self.hosts.identities.is_some()
    }

    /// Returns true if connections of a server can be made: by an identity, or by pre-shared keys.
    pub(crate) fn serves(&self) -> bool {
        self.has_identities() || self.legacy.psk.has_keys()
    }

    /// Returns true if a certificate is trusted.
    pub(crate) fn has_trust(&self) -> bool {
        !self.trust.is_empty() || self.hosts.trust.is_some()
    }

    /// Returns true if connections to servers can be made: a certificate can be accepted, or this side has a key.
    pub(crate) fn connects(&self) -> bool {
        self.verifies() || self.legacy.psk.has_own()
    }

    /// Returns true if a certificate of a server can be accepted.
    pub(crate) fn verifies(&self) -> bool {
        self.has_trust() || self.accepts_any_server
    }

    /// Returns true if a server's order of suites decides. A list of the operator is in order of preference. Without
    /// one, the client knows its fastest suites.
    pub(crate) fn prefers_own_order(&self) -> bool {
        self.policy.cipher_suites.is_some() || self.openssl.has_own_order
    }

    /// Returns true if handshake messages are processed in tasks only, because that may block.
    pub(crate) fn blocks(&self) -> bool {
        self.may_block || self.legacy.psk.blocks || self.revocation.asks_others()
    }

    /// Refuses settings that contradict each other, whatever the sources hold.
    pub(crate) fn check(&self) -> Result<()> {
        self.legacy.check(self.client_auth == ClientAuth::Need)?;
        if !self.serves() && !self.connects() {
            return Err(Error::new(Code::NoIdentity, "and nothing to verify servers against either"));
        }
        if self.client_auth != ClientAuth::None && !self.has_trust() {
            return Err(Error::new(Code::NoTrust, "client certificates are asked for"));
        }
        if self.client_auth != ClientAuth::None && !self.serves() {
            return Err(Error::new(Code::NoIdentity, "client certificates are asked for, and only a server asks"));
        }
        if self.hosts.identities.is_some() && !self.identities.is_empty() {
            return Err(Error::new(Code::OptionConflict, "identities of its own, and a host that chooses them"));
        }
        if self.hosts.trust.is_some() && (!self.trust.is_empty() || self.accepts_any_server || self.callback.is_some())
        {
            let detail = "trust, a callback or no verification of its own, and a host that decides about peers";
            return Err(Error::new(Code::OptionConflict, detail));
        }
        self.revocation.check(self.trust.iter().any(|source| !matches!(source, TrustSource::System)))?;
        self.staple.check(!self.identities.is_empty())?;
        if self.revocation.is_on() && (self.hosts.trust.is_some() || self.accepts_any_server) {
            let detail = "a check of revocation, and a host that decides about peers, or any server accepted";
            return Err(Error::new(Code::OptionConflict, detail));
        }
        for identity in &self.identities {
            let is_key_store =
                matches!(identity.options.store_type, Some(StoreType::Pkcs12 | StoreType::Jks | StoreType::Jceks));
            if identity.key.is_some() && (is_key_store || identity.alias.is_some()) {
                let detail = "a key file of its own, and a store type or alias that has the key in the store";
                return Err(Error::new(Code::OptionConflict, detail).at(identity.certificates.label()));
            }
        }
        Ok(())
    }
}
