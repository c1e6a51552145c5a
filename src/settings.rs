//! What a context is made from: sources, policy and switches, and which of them contradict each other.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::time_provider::TimeProvider;

use crate::error::{Code, Error, Result};
use crate::keystore::{OpenOptions, StoreType};
use crate::logging::Log;
use crate::policy::PolicySpec;
use crate::source::Source;
use crate::verify::{Switches, VerifyCallback};

/// Where an identity comes from: a store, or a certificate file with its key in it or beside it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IdentitySource {
    /// The store, or the certificate chain.
    pub certificates: Source,
    /// The private key where it stands apart.
    pub key: Option<Source>,
    /// The one entry to use; `None` uses every key entry.
    pub alias: Option<String>,
    /// Type, passwords and limits.
    pub options: OpenOptions,
}

impl IdentitySource {
    /// An identity from one source with everything in it.
    pub fn new(certificates: Source) -> Self {
        Self { certificates, key: None, alias: None, options: OpenOptions::default() }
    }
}

/// Where trusted certificates come from.
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
    /// Every PEM or DER file of a directory.
    Directory(PathBuf),
    /// The system's roots, as the distribution keeps them.
    System,
}

impl TrustSource {
    /// A store or file of certificates, its type found from its content.
    pub fn store(source: Source) -> Self {
        Self::Store { source, options: OpenOptions::default() }
    }
}

/// Whether a server asks its clients for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// It does not ask.
    #[default]
    None,
    /// It asks, verifies what is sent, and goes on without.
    Want,
    /// It refuses clients without one.
    Need,
}

/// Everything a [`Context`] is made from. Kept by the context, so that it can be made anew when its files change.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) identities: Vec<IdentitySource>,
    pub(crate) trust: Vec<TrustSource>,
    pub(crate) policy: PolicySpec,
    pub(crate) client_auth: ClientAuth,
    pub(crate) sends_ca_names: bool,
    pub(crate) switches: Switches,
    pub(crate) skips_server_name: bool,
    pub(crate) accepts_any_server: bool,
    pub(crate) callback: Option<VerifyCallback>,
    pub(crate) may_block: bool,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) resumption: bool,
    pub(crate) key_log: Option<PathBuf>,
    pub(crate) clock: Arc<dyn TimeProvider>,
    pub(crate) log: Log,
}

impl Spec {
    /// Refuses settings that contradict each other, whatever the sources hold.
    pub(crate) fn check(&self) -> Result<()> {
        if self.identities.is_empty() && self.trust.is_empty() && !self.accepts_any_server {
            return Err(Error::new(Code::NoIdentity, "and nothing to verify servers against either"));
        }
        if self.client_auth != ClientAuth::None && self.trust.is_empty() {
            return Err(Error::new(Code::NoTrust, "client certificates are asked for"));
        }
        if self.client_auth != ClientAuth::None && self.identities.is_empty() {
            return Err(Error::new(Code::NoIdentity, "client certificates are asked for, and only a server asks"));
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
