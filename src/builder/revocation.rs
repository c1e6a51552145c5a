//! The settings of revocation: how peers are checked, what may be fetched for it, and what is stapled.

use std::path::PathBuf;

use crate::error::Result;
use crate::revocation::{CertIdHash, Depth, Mode, Revocation};
use crate::revoked::RevokedCallback;
use crate::settings::CrlSource;
use crate::source::Source;

use super::ContextBuilder;

impl ContextBuilder {
    /// Adds revocation lists (RFC 5280 section 5), by which the certificates of peers are checked. A list that cannot be
    /// read is an error when the context is built; a reload reads them anew. A session is resumed only while its peer is
    /// still accepted.
    pub fn crl(&mut self, source: CrlSource) -> &mut Self {
        self.spec.revocation.crls.push(source);
        self
    }

    /// Adds OCSP responses (RFC 6960) about peers: DER, or PEM with any number of them.
    pub fn ocsp_response(&mut self, source: Source) -> &mut Self {
        self.spec.revocation.ocsp_responses.push(source);
        self
    }

    /// Sets what follows where no source knows whether a certificate is revoked. Default: `Require` where there are lists
    /// or responses or they are fetched, otherwise `Off`; with modes of sources given, the strictest of them.
    pub fn revocation(&mut self, mode: Mode) -> &mut Self {
        self.spec.revocation.mode = Some(mode);
        self
    }

    /// Sets what follows where lists do not know, whatever OCSP knows. Default: `Prefer` where there are lists or they are
    /// fetched, otherwise `Off`.
    pub fn crl_mode(&mut self, mode: Mode) -> &mut Self {
        self.spec.revocation.crl_mode = Some(mode);
        self
    }

    /// Sets what follows where OCSP does not know, whatever lists know. Default: `Prefer` where there are responses or
    /// they are fetched, otherwise `Off`. Any other mode has a client look at what servers staple.
    pub fn ocsp_mode(&mut self, mode: Mode) -> &mut Self {
        self.spec.revocation.ocsp_mode = Some(mode);
        self
    }

    /// Sets which certificates of a peer's path are checked for revocation. Default: all but the anchor.
    pub fn revocation_depth(&mut self, depth: Depth) -> &mut Self {
        self.spec.revocation.depth = Some(depth);
        self
    }

    /// Sets who is told when the certificate of a connected peer turns out to be revoked, after a reload or a sweep, and
    /// says whether its connection is closed. Without it such connections are logged and go on.
    pub fn on_revoked(&mut self, callback: RevokedCallback) -> &mut Self {
        self.spec.on_revoked = Some(callback);
        self
    }

    /// Sets for how many seconds after its next update a list or response still serves. Default: none.
    pub fn revocation_max_stale_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.revocation.max_stale_s = Some(seconds);
        self
    }

    /// Sets the longest revocation list that is read or fetched, in bytes. Default: 128 MiB.
    pub fn max_crl_bytes(&mut self, bytes: usize) -> &mut Self {
        self.spec.revocation.max_crl_bytes = bytes;
        self
    }

    /// Sets whether what is not known is asked for over the network: lists at the distribution points that certificates
    /// name, OCSP at their responders. Default: no. Handshakes then run as tasks, [`crate::Connection::run_task`].
    pub fn fetch(&mut self, fetches: bool) -> &mut Self {
        self.spec.revocation.fetch.is_on = fetches;
        self
    }

    /// Sets for how many milliseconds the whole check of a peer may wait for the network. Default: 10,000.
    pub fn revocation_deadline_ms(&mut self, milliseconds: u32) -> &mut Self {
        self.spec.revocation.deadline_ms = Some(milliseconds);
        self
    }

    /// Sets how long one fetch may take, in seconds. Default: 15; a handshake's own deadline may be shorter.
    pub fn fetch_timeout_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.revocation.fetch.timeout_s = Some(seconds);
        self
    }

    /// Sets how many redirects a fetch follows. Default: 3.
    pub fn fetch_redirects(&mut self, redirects: u32) -> &mut Self {
        self.spec.revocation.fetch.redirects = Some(redirects);
        self
    }

    /// Sets how many fetches may run at a time. Default: 16.
    pub fn fetch_concurrency(&mut self, fetches: usize) -> &mut Self {
        self.spec.revocation.fetch.concurrency = Some(fetches);
        self
    }

    /// Lets certificates name addresses of private networks and of this machine to fetch from: whoever gets a certificate
    /// from a trusted CA can then have this process send requests there. Default: no. What the configuration names itself
    /// ([`ContextBuilder::ocsp_responder`]) may be anywhere.
    pub fn fetch_private_addresses(&mut self, allows: bool) -> &mut Self {
        self.spec.revocation.fetch.private_addresses = allows;
        self
    }

    /// Sets an HTTP proxy, `http://host:port`, that fetches go through. Default: none, whatever the environment says.
    pub fn fetch_proxy(&mut self, url: &str) -> &mut Self {
        self.spec.revocation.fetch.proxy = Some(url.to_owned());
        self
    }

    /// Sets the directory where fetched lists are kept. Several processes may share it. Default: none, they are kept in
    /// memory alone.
    pub fn fetch_cache(&mut self, directory: impl Into<PathBuf>) -> &mut Self {
        self.spec.revocation.fetch.cache = Some(directory.into());
        self
    }

    /// Sets how often fetched lists and responses are fetched anew, in seconds. Default: before their next update.
    pub fn fetch_refresh_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.revocation.fetch.refresh_s = Some(seconds);
        self
    }

    /// Sets the OCSP responder that is asked in place of those that certificates name.
    pub fn ocsp_responder(&mut self, url: &str) -> &mut Self {
        self.spec.revocation.ocsp_responder = Some(url.to_owned());
        self
    }

    /// Sets whether OCSP requests carry a nonce (RFC 9654) and responses must repeat it. Default: no; most responders
    /// answer with what they have made before.
    pub fn ocsp_nonce(&mut self, sends: bool) -> &mut Self {
        self.spec.revocation.ocsp_nonce = sends;
        self
    }

    /// Sets the hash that OCSP requests name certificates by. Default: SHA-1, which every responder knows (RFC 5019).
    pub fn ocsp_hash(&mut self, hash: CertIdHash) -> &mut Self {
        self.spec.revocation.ocsp_hash = hash;
        self
    }

    /// Has OCSP responses about peers believed that are signed with RSA and SHA-1, as responders of old PKIs do: who can
    /// have such a responder sign chosen bytes may be able to forge another response.
    pub fn insecure_ocsp_sha1(&mut self, accepts: bool) -> &mut Self {
        self.spec.revocation.insecure_ocsp_sha1 = accepts;
        self
    }

    /// Sets whether servers ask their own certificates' responders for a response to staple, and keep it fresh. Default:
    /// no. It is asked for by [`crate::Context::maintain`].
    pub fn staple(&mut self, staples: bool) -> &mut Self {
        self.spec.staple.is_on = staples;
        self
    }

    /// Adds responses to staple, DER or PEM; each goes with the identity that it is of. One that goes with none, is not good
    /// or not current is an error when the context is built (`OCSP_UNUSABLE`). A reload reads them anew.
    pub fn staple_file(&mut self, source: Source) -> &mut Self {
        self.spec.staple.files.push(source);
        self
    }

    /// Sets where the issuers' certificates are, should they be neither in the identities' chains nor trusted.
    pub fn staple_issuer(&mut self, source: Source) -> &mut Self {
        self.spec.staple.issuer = Some(source);
        self
    }

    /// Sets the responder that is asked for staples, in place of the one that the certificate names.
    pub fn staple_responder(&mut self, url: &str) -> &mut Self {
        self.spec.staple.responder = Some(url.to_owned());
        self
    }

    /// Sets how often a staple is asked for anew, in seconds; its next update may be sooner. Default: 300; the least is 10.
    pub fn staple_refresh_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.staple.refresh_s = Some(seconds);
        self
    }

    /// Sets how long asking for a staple may take, in seconds. Default: 15.
    pub fn staple_timeout_s(&mut self, seconds: u32) -> &mut Self {
        self.spec.staple.timeout_s = Some(seconds);
        self
    }

    /// Makes the check of revocation alone, its lists and responses read.
    pub(crate) fn load_revocation(&self) -> Result<Revocation> {
        crate::context::revocation(&self.spec)
    }
}
