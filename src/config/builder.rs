//! The builder: one method for each setting of a context, checked as a whole when the context is built.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::time_provider::TimeProvider;

use crate::error::{Code, Error, Result};
use crate::logging::{Log, LogSink};
use crate::policy::Preset;
use crate::verify::host::HandshakeHost;
use crate::verify::{Deviation, VerifyCallback};

use super::{ClientAuth, IdentitySource, Spec, TrustSource};

/// Collects the settings of a context. Used by one thread; may be used again after [`ContextBuilder::build`].
#[derive(Clone)]
pub struct ContextBuilder {
    pub(crate) spec: Spec,
}

impl Default for ContextBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextBuilder")
            .field("identities", &self.spec.identities)
            .field("trust", &self.spec.trust)
            .field("policy", &self.spec.policy)
            .finish_non_exhaustive()
    }
}

impl ContextBuilder {
    /// Nothing trusted, no identity, the `intermediate` preset, resumption on.
    pub fn new() -> Self {
        Self { spec: Spec::new() }
    }

    /// Adds an identity. The order counts: it is the order of preference.
    pub fn identity(&mut self, source: IdentitySource) -> &mut Self {
        self.spec.identities.push(source);
        self
    }

    /// Adds trusted certificates.
    pub fn trust(&mut self, source: TrustSource) -> &mut Self {
        self.spec.trust.push(source);
        self
    }

    /// Sets the versions, suites and groups that the other settings start from.
    pub fn preset(&mut self, preset: Preset) -> &mut Self {
        self.spec.policy.preset = preset;
        self
    }

    /// Sets the protocol versions, e.g. `TLSv1.2,TLSv1.3`.
    pub fn versions(&mut self, names: &str) -> &mut Self {
        self.spec.policy.versions = Some(names.to_owned());
        self
    }

    /// Sets the cipher suites: an OpenSSL string or a list of OpenSSL or IANA names, in order of preference.
    pub fn cipher_suites(&mut self, names: &str) -> &mut Self {
        self.spec.policy.cipher_suites = Some(names.to_owned());
        self
    }

    /// Sets the key exchange groups, in order of preference.
    pub fn groups(&mut self, names: &str) -> &mut Self {
        self.spec.policy.groups = Some(names.to_owned());
        self
    }

    /// Sets whether a server asks for client certificates.
    pub fn client_auth(&mut self, client_auth: ClientAuth) -> &mut Self {
        self.spec.client_auth = client_auth;
        self
    }

    /// Sets whether a server sends the names of its trusted CAs with its request (RFC 8446 section 4.2.4). Default:
    /// yes.
    pub fn send_ca_names(&mut self, sends: bool) -> &mut Self {
        self.spec.sends_ca_names = sends;
        self
    }

    /// Sets if a connection keeps its peer's certificates after the handshake. Default: yes. Without them, it keeps the
    /// facts of the peer's own certificate: [`peer_facts`](crate::Connection::peer_facts). A check for revocation and a
    /// client's sessions keep what they need all the same.
    pub fn keep_peer_chain(&mut self, keeps: bool) -> &mut Self {
        self.spec.keeps_peer_chain = keeps;
        self
    }

    /// Tolerates one deviation in peer certificates; each use is logged.
    pub fn allow(&mut self, deviation: Deviation) -> &mut Self {
        self.spec.deviations.insert(deviation);
        self
    }

    /// Takes [`ContextBuilder::allow`] back.
    pub fn disallow(&mut self, deviation: Deviation) -> &mut Self {
        self.spec.deviations.remove(deviation);
        self
    }

    /// Lets clients accept a server with a certificate for another host. INSECURE: anyone with a certificate of the
    /// same CA can impersonate the server.
    pub fn insecure_skip_server_name(&mut self, skips: bool) -> &mut Self {
        self.spec.skips_server_name = skips;
        self
    }

    /// Lets clients accept a server with any certificate. INSECURE: the connection is encrypted, but the server is
    /// unknown.
    pub fn insecure_accept_any_server(&mut self, accepts: bool) -> &mut Self {
        self.spec.accepts_any_server = accepts;
        self
    }

    /// Sets a callback that may refuse a peer with an accepted certificate. `may_block` makes handshakes run as tasks.
    /// It is called again before a session is resumed, [`ContextBuilder::resumption_asks_again`].
    pub fn verify_callback(&mut self, callback: VerifyCallback, may_block: bool) -> &mut Self {
        self.spec.callback = Some(callback);
        self.spec.may_block = may_block;
        self
    }

    /// Leaves the choice of identities to the host, in place of [`ContextBuilder::identity`].
    pub fn host_identities(&mut self, host: Arc<dyn HandshakeHost>) -> &mut Self {
        self.spec.hosts.identities = Some(host);
        self
    }

    /// Leaves the decision about peers to the host alone, in place of [`ContextBuilder::trust`]. A server sends
    /// `issuers`, distinguished names in DER, with its request for a certificate.
    pub fn host_trust(&mut self, host: Arc<dyn HandshakeHost>, issuers: Vec<Vec<u8>>) -> &mut Self {
        self.spec.hosts.trust = Some(host);
        self.spec.hosts.issuers = issuers;
        self
    }

    /// Sets the host that servers ask about a ClientHello, if the settings of a connection say so.
    pub fn hello_host(&mut self, host: Arc<dyn HandshakeHost>) -> &mut Self {
        self.spec.hosts.hello = Some(host);
        self
    }

    /// Adds an application protocol (RFC 7301), in order of preference.
    ///
    /// # Errors
    /// `INVALID_ALPN` for an empty name or one longer than 255 bytes, and for more names than a hello has room for:
    /// 32,767 bytes, with one before each name.
    pub fn alpn(&mut self, protocol: &[u8]) -> Result<&mut Self> {
        check_alpn(self.spec.alpn.iter().map(Vec::as_slice).chain([protocol]))?;
        self.spec.alpn.push(protocol.to_owned());
        Ok(self)
    }

    /// Appends the secrets of every connection to a file, in the form of NSS that Wireshark reads. A reader of the file
    /// can read all traffic.
    pub fn insecure_key_log(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.spec.key_log = Some(path.into());
        self
    }

    /// Sets the clock that certificates are judged by. Default: the system's.
    pub fn clock(&mut self, clock: Arc<dyn TimeProvider>) -> &mut Self {
        self.spec.clock = clock;
        self
    }

    /// Sets the function for the log of the context. Default: the `log` crate, target `brokertls`.
    pub fn log(&mut self, sink: LogSink) -> &mut Self {
        self.spec.log = Log::new(Some(sink));
        self
    }

    /// Sets if a peer that is refused, or refuses this side, is logged, at most 60 times a minute. Default: yes. A
    /// program that reports each error of a connection by itself turns it off.
    pub fn log_refusals(&mut self, logs: bool) -> &mut Self {
        self.spec.logs_refusals = logs;
        self
    }

    /// Leaves it to the host to log refused peers; [`refusal_line`](crate::Context::refusal_line) gives the lines.
    pub fn host_logs_refusals(&mut self) -> &mut Self {
        self.spec.is_log_of_host = true;
        self
    }
}

/// The largest list of application protocols. A hello has 65,535 bytes for all its extensions.
const ALPN_BYTES_MAX: usize = 0x7fff;

/// Checks a list of application protocols (RFC 7301 section 3.1).
///
/// # Errors
/// `INVALID_ALPN`.
pub(crate) fn check_alpn<'a>(names: impl Iterator<Item = &'a [u8]>) -> Result<()> {
    let mut total = 0;
    for name in names {
        if name.is_empty() || name.len() > 255 {
            return Err(Error::new(Code::InvalidAlpn, format!("{} bytes", name.len())));
        }
        total += name.len() + 1;
    }
    if total > ALPN_BYTES_MAX {
        let detail = format!("all names have {total} bytes, and {ALPN_BYTES_MAX} are allowed");
        return Err(Error::new(Code::InvalidAlpn, detail));
    }
    Ok(())
}
