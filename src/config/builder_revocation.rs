//! The builder's methods for revocation and stapling.

use std::path::PathBuf;
use std::time::Duration;

use crate::revocation::{CertIdHash, Depth, Mode};
use crate::revoked::RevokedCallback;

use super::builder::ContextBuilder;
use super::revocation::CrlSource;
use super::source::Source;

impl ContextBuilder {
    /// Adds revocation lists (RFC 5280 section 5) that the certificates of peers are checked against. A list that
    /// cannot be read is an error when the context is built. A reload reads the lists again. A session is resumed only
    /// while its peer is still accepted.
    pub fn crl(&mut self, source: CrlSource) -> &mut Self {
        self.spec.revocation.crls.push(source);
        self
    }

    /// Adds OCSP responses (RFC 6960) about peers: DER, or PEM with any number of them.
    pub fn ocsp_response(&mut self, source: Source) -> &mut Self {
        self.spec.revocation.ocsp_responses.push(source);
        self
    }

    /// Sets the mode of all sources together, for certificates that no source knows. Default: the strictest mode that
    /// is set for a source; without one, `Require` if there are lists or responses or they are fetched, otherwise
    /// `Off`.
    pub fn revocation(&mut self, mode: Mode) -> &mut Self {
        self.spec.revocation.mode = Some(mode);
        self
    }

    /// Sets the mode for certificates that no list covers, whatever OCSP knows. Default: `Prefer` if there are lists or
    /// they are fetched, otherwise `Off`.
    pub fn crl_mode(&mut self, mode: Mode) -> &mut Self {
        self.spec.revocation.crl_mode = Some(mode);
        self
    }

    /// Sets the mode for certificates that OCSP does not know, whatever lists know. Default: `Prefer` if there are
    /// responses or they are fetched, otherwise `Off`. With any mode but `Off` a client also reads the staples of
    /// servers.
    pub fn ocsp_mode(&mut self, mode: Mode) -> &mut Self {
        self.spec.revocation.ocsp_mode = Some(mode);
        self
    }

    /// Sets which certificates of a peer's path are checked for revocation. Default: all but the trust anchor.
    pub fn revocation_depth(&mut self, depth: Depth) -> &mut Self {
        self.spec.revocation.depth = Some(depth);
        self
    }

    /// Sets the callback that is called once for each open connection with a revoked certificate of the peer. It runs
    /// after a reload or a sweep, and decides if the connection is closed. Without a callback such connections are
    /// logged and stay open.
    pub fn on_revoked(&mut self, callback: RevokedCallback) -> &mut Self {
        self.spec.on_revoked = Some(callback);
        self
    }

    /// Sets how many seconds after its next update a list or response is still accepted. Default: 0.
    pub fn revocation_max_stale_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.revocation.max_stale_s = Some(seconds);
        self
    }

    /// Sets the size of the largest revocation list that is read or fetched, in bytes. Default: 128 MiB.
    pub fn max_crl_bytes(&mut self, bytes: usize) -> &mut Self {
        self.spec.revocation.remote.max_crl_bytes = bytes;
        self
    }

    /// Sets if lists and OCSP responses that are not known are fetched: lists from the distribution points that
    /// certificates name, responses from their responders. Default: no. Handshakes then run as tasks,
    /// [`crate::Connection::run_task`].
    pub fn fetch(&mut self, fetches: bool) -> &mut Self {
        self.spec.revocation.fetches = fetches;
        self
    }

    /// Sets how many milliseconds the whole check of a peer may wait for the network. Default: 10,000.
    pub fn revocation_deadline_ms(&mut self, milliseconds: u32) -> &mut Self {
        self.spec.revocation.deadline_ms = Some(milliseconds);
        self
    }

    /// Sets how many seconds one fetch may take. Default: 15. The deadline of a handshake may be sooner.
    pub fn fetch_timeout_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.revocation.remote.fetch.timeout = Duration::from_secs(seconds.into());
        self
    }

    /// Sets how many redirects a fetch follows. Default: 3.
    pub fn fetch_redirects(&mut self, redirects: u32) -> &mut Self {
        self.spec.revocation.remote.fetch.max_redirects = redirects;
        self
    }

    /// Sets how many fetches may run at a time. Default: 16.
    pub fn fetch_concurrency(&mut self, fetches: usize) -> &mut Self {
        self.spec.revocation.remote.fetch.max_concurrent = fetches;
        self
    }

    /// Allows fetches from addresses of private networks and of this machine that certificates name. Anyone with a
    /// certificate from a trusted CA can then make this process send requests to these addresses. Default: no. URLs of
    /// the configuration itself, such as [`ContextBuilder::ocsp_responder`], may be at any address.
    pub fn fetch_private_addresses(&mut self, allows: bool) -> &mut Self {
        self.spec.revocation.remote.fetch.allows_private_addresses = allows;
        self
    }

    /// Sets an HTTP proxy, `http://host:port`, for all fetches. Default: none; the environment is not read.
    pub fn fetch_proxy(&mut self, url: &str) -> &mut Self {
        self.spec.revocation.remote.fetch.proxy = Some(url.to_owned());
        self
    }

    /// Sets the directory that keeps fetched lists. Several processes may share it. Default: none; lists are kept in
    /// memory alone.
    pub fn fetch_cache(&mut self, directory: impl Into<PathBuf>) -> &mut Self {
        self.spec.revocation.remote.cache = Some(directory.into());
        self
    }

    /// Sets the period after which fetched lists and responses are fetched again, in seconds. Default: before their
    /// next update.
    pub fn fetch_refresh_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.revocation.remote.refresh_s = Some(seconds);
        self
    }

    /// Sets the OCSP responder that is asked in place of those that certificates name.
    pub fn ocsp_responder(&mut self, url: &str) -> &mut Self {
        self.spec.revocation.remote.ocsp_responder = Some(url.to_owned());
        self
    }

    /// Sets if OCSP requests carry a nonce (RFC 9654), which responses must repeat. Default: no; most responders answer
    /// with responses made earlier.
    pub fn ocsp_nonce(&mut self, sends: bool) -> &mut Self {
        self.spec.revocation.remote.ocsp.nonce = sends;
        self
    }

    /// Sets the hash that names certificates in OCSP requests. Default: SHA-1, which every responder knows (RFC 5019).
    pub fn ocsp_hash(&mut self, hash: CertIdHash) -> &mut Self {
        self.spec.revocation.remote.ocsp.hash = hash;
        self
    }

    /// Accepts OCSP responses about peers that are signed with RSA and SHA-1, as responders of old PKIs do. An attacker
    /// that can make such a responder sign chosen bytes may be able to forge another response.
    pub fn insecure_ocsp_sha1(&mut self, accepts: bool) -> &mut Self {
        self.spec.revocation.insecure_ocsp_sha1 = accepts;
        self
    }

    /// Sets if servers ask the responders of their own certificates for a response to staple, and renew it. Default:
    /// no. [`crate::Context::maintain`] asks.
    pub fn staple(&mut self, staples: bool) -> &mut Self {
        self.spec.staple.is_on = staples;
        self
    }

    /// Adds responses to staple, DER or PEM. Each is stapled to the identity it is about. A response about none of
    /// them, or one that is not good or not current, is an error when the context is built (`OCSP_UNUSABLE`). A reload
    /// reads them again.
    pub fn staple_file(&mut self, source: Source) -> &mut Self {
        self.spec.staple.files.push(source);
        self
    }

    /// Sets the source of the issuers' certificates, if they are neither in the identities' chains nor trusted.
    pub fn staple_issuer(&mut self, source: Source) -> &mut Self {
        self.spec.staple.issuer = Some(source);
        self
    }

    /// Sets the responder that is asked for staples, in place of the one that the certificate names.
    pub fn staple_responder(&mut self, url: &str) -> &mut Self {
        self.spec.staple.responder = Some(url.to_owned());
        self
    }

    /// Sets the period of requests for a staple, in seconds. Default: 300; the least is 10. A staple with an earlier
    /// next update is renewed earlier.
    pub fn staple_refresh_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.staple.refresh_s = Some(seconds);
        self
    }

    /// Sets how many seconds a request for a staple may take. Default: 15.
    pub fn staple_timeout_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.staple.timeout_s = Some(seconds);
        self
    }
}
