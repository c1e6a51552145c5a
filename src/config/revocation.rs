//! The settings of revocation and the builder's methods for them: where knowledge comes from, what not knowing leads
//! to, what may be fetched, and what is stapled.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::fetch::FetchPolicy;
use crate::revocation::{CertIdHash, Depth, Mode, RevocationPolicy};
use crate::revoked::RevokedCallback;

use super::builder::ContextBuilder;
use super::source::Source;

/// Where revocation lists come from: PEM or DER, several in a PEM file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CrlSource {
    /// A file, or a block of memory.
    Source(Source),
    /// Every file of a directory.
    Directory(PathBuf),
}

/// The longest revocation list that is read unless told otherwise: about two million entries.
const MAX_CRL_BYTES: usize = 128 << 20;
/// For how long a handshake asks about revocation at most, unless told otherwise.
const DEADLINE_MS: u32 = 10_000;

/// How peers are checked for revocation.
#[derive(Clone, Debug)]
pub(crate) struct RevocationSpec {
    pub(crate) mode: Option<Mode>,
    pub(crate) crl_mode: Option<Mode>,
    pub(crate) ocsp_mode: Option<Mode>,
    pub(crate) depth: Option<Depth>,
    pub(crate) max_stale_s: Option<u32>,
    pub(crate) crls: Vec<CrlSource>,
    pub(crate) max_crl_bytes: usize,
    pub(crate) ocsp_responses: Vec<Source>,
    pub(crate) ocsp_responder: Option<String>,
    pub(crate) ocsp_nonce: bool,
    pub(crate) ocsp_hash: CertIdHash,
    pub(crate) insecure_ocsp_sha1: bool,
    pub(crate) deadline_ms: Option<u32>,
    pub(crate) fetch: FetchSpec,
}

/// Whether and how revocation is asked about over the network.
#[derive(Clone, Debug, Default)]
pub(crate) struct FetchSpec {
    pub(crate) is_on: bool,
    pub(crate) timeout_s: Option<u32>,
    pub(crate) redirects: Option<u32>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) private_addresses: bool,
    pub(crate) proxy: Option<String>,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) refresh_s: Option<u32>,
}

impl FetchSpec {
    /// The bounds of each fetch.
    pub(crate) fn policy(&self) -> FetchPolicy {
        let default = FetchPolicy::default();
        FetchPolicy {
            timeout: self.timeout_s.map_or(default.timeout, |seconds| Duration::from_secs(seconds.into())),
            max_redirects: self.redirects.unwrap_or(default.max_redirects),
            max_concurrent: self.concurrency.unwrap_or(default.max_concurrent),
            allows_private_addresses: self.private_addresses,
            proxy: self.proxy.clone(),
        }
    }

    fn has_rules(&self) -> bool {
        self.cache.is_some() || self.refresh_s.is_some()
    }
}

impl Default for RevocationSpec {
    fn default() -> Self {
        Self {
            mode: None,
            crl_mode: None,
            ocsp_mode: None,
            depth: None,
            max_stale_s: None,
            crls: Vec::new(),
            max_crl_bytes: MAX_CRL_BYTES,
            ocsp_responses: Vec::new(),
            ocsp_responder: None,
            ocsp_nonce: false,
            ocsp_hash: CertIdHash::default(),
            insecure_ocsp_sha1: false,
            deadline_ms: None,
            fetch: FetchSpec::default(),
        }
    }
}

impl RevocationSpec {
    /// What is said, and for the rest: a source that there is may know, and together they have to, of the whole chain,
    /// while what they know is current.
    ///
    /// `has_more_lists` says that there are lists among the trusted certificates; they count if revocation is on, and
    /// do not switch it on.
    pub(crate) fn policy(&self, allows_small_rsa: bool, has_more_lists: bool) -> RevocationPolicy {
        let of_source = |said: Option<Mode>, is_there| said.unwrap_or(if is_there { Mode::Prefer } else { Mode::Off });
        RevocationPolicy {
            mode: self.overall(),
            crl: of_source(self.crl_mode, self.has_lists() || has_more_lists),
            ocsp: of_source(self.ocsp_mode, self.has_responses()),
            depth: self.depth.unwrap_or_default(),
            max_stale_s: self.max_stale_s.unwrap_or_default(),
            insecure_ocsp_sha1: self.insecure_ocsp_sha1,
            insecure_rsa_1024: allows_small_rsa,
            deadline: Duration::from_millis(self.deadline_ms.unwrap_or(DEADLINE_MS).into()),
        }
    }

    /// What all sources together have to know, where nothing is said: what the strictest has to.
    fn overall(&self) -> Mode {
        let of_sources = [self.crl_mode, self.ocsp_mode].into_iter().flatten().max().filter(|mode| *mode != Mode::Off);
        let default = if self.has_lists() || self.has_responses() { Mode::Require } else { Mode::Off };
        self.mode.or(of_sources).unwrap_or(default)
    }

    /// Whether peers are checked at all.
    pub(crate) fn is_on(&self) -> bool {
        self.overall() != Mode::Off
    }

    /// Whether a handshake may have to wait for the network.
    pub(crate) fn asks_others(&self) -> bool {
        self.is_on() && self.fetch.is_on
    }

    fn has_lists(&self) -> bool {
        !self.crls.is_empty() || self.fetch.is_on
    }

    fn has_responses(&self) -> bool {
        !self.ocsp_responses.is_empty() || self.fetch.is_on
    }

    /// Refuses rules without anything to go by, and rules that contradict each other. `has_more_lists` as for
    /// [`policy`](Self::policy), or, before these are read, that there may be some.
    pub(crate) fn check(&self, has_more_lists: bool) -> Result<()> {
        let conflict = |detail: &str| Err(Error::new(Code::OptionConflict, detail));
        let is_asked = |mode: Option<Mode>| mode.is_some_and(|mode| mode != Mode::Off);
        // A peer may staple, so that OCSP has something to go by whatever is given here.
        let has_lists = self.has_lists() || has_more_lists;
        let has_sources = has_lists || self.has_responses() || is_asked(self.ocsp_mode);
        let has_rules = is_asked(self.mode) || self.depth.is_some() || self.max_stale_s.is_some();
        if has_rules && !has_sources {
            return conflict("rules of revocation, and no list (CRL), no OCSP and no fetch to go by");
        }
        if is_asked(self.crl_mode) && !has_lists {
            return conflict("lists (CRL) are to be asked, and there is neither one nor are they fetched");
        }
        if self.mode == Some(Mode::Off) && (is_asked(self.crl_mode) || is_asked(self.ocsp_mode)) {
            return conflict("revocation is off, and a source of it is to be asked");
        }
        let policy = self.policy(false, has_more_lists);
        if policy.mode != Mode::Off && policy.crl == Mode::Off && policy.ocsp == Mode::Off {
            return conflict("revocation is to be checked, and no source of it may be asked");
        }
        if !self.fetch.is_on && (self.fetch.has_rules() || self.ocsp_responder.is_some() || self.deadline_ms.is_some())
        {
            return conflict("a responder, cache, period or deadline, and nothing is fetched (fetch)");
        }
        self.ocsp_responder.as_deref().map_or(Ok(()), check_url)
    }
}

/// That a responder's place is one that can be asked.
fn check_url(url: &str) -> Result<()> {
    match url.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() => Ok(()),
        _ => Err(Error::new(Code::InvalidArgument, format!("the responder {url:?} is not an http:// URL"))),
    }
}

/// How often a staple is asked for anew unless told otherwise, in seconds.
const STAPLE_REFRESH_S: u32 = 300;
/// How long asking for a staple may take unless told otherwise, in seconds.
const STAPLE_TIMEOUT_S: u32 = 15;

/// The OCSP responses that servers send with their own certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct StapleSpec {
    /// Whether responders are asked for them.
    pub(crate) is_on: bool,
    /// Responses that are there already.
    pub(crate) files: Vec<Source>,
    /// The issuer of the identity, where it is not in its chain.
    pub(crate) issuer: Option<Source>,
    /// Who is asked, where it is not who the certificate names.
    pub(crate) responder: Option<String>,
    pub(crate) refresh_s: Option<u32>,
    pub(crate) timeout_s: Option<u32>,
}

impl StapleSpec {
    /// Whether there may be anything to staple.
    pub(crate) fn is_used(&self) -> bool {
        self.is_on || !self.files.is_empty()
    }

    /// How often a staple is asked for anew.
    pub(crate) fn refresh_s(&self) -> u32 {
        self.refresh_s.unwrap_or(STAPLE_REFRESH_S)
    }

    /// The bounds of each request for a staple. What does not go by its own settings goes by those of all fetches.
    pub(crate) fn fetch_policy(&self, fetch: &FetchSpec) -> FetchPolicy {
        let timeout_s = self.timeout_s.unwrap_or(STAPLE_TIMEOUT_S);
        FetchPolicy { timeout: Duration::from_secs(timeout_s.into()), ..fetch.policy() }
    }

    /// Refuses staples for nothing, and rules without staples.
    pub(crate) fn check(&self, has_identities: bool) -> Result<()> {
        let conflict = |detail: &str| Err(Error::new(Code::OptionConflict, detail));
        if self.is_used() && !has_identities {
            return conflict("staples, and no identity that they could be of");
        }
        let asks = self.responder.is_some() || self.refresh_s.is_some() || self.timeout_s.is_some();
        if asks && !self.is_on {
            return conflict("a responder, period or time for staples, and none is asked for (staple)");
        }
        if self.issuer.is_some() && !self.is_used() {
            return conflict("an issuer for staples, and no staple");
        }
        self.responder.as_deref().map_or(Ok(()), check_url)
    }
}

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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staples_are_asked_for_every_five_minutes_for_fifteen_seconds_whatever_other_fetches_may_take() {
        let fetch =
            FetchSpec { timeout_s: Some(1), proxy: Some("http://proxy:3128".to_owned()), ..FetchSpec::default() };
        let staple = StapleSpec::default();
        assert_eq!(staple.refresh_s(), 300);
        let policy = staple.fetch_policy(&fetch);
        assert_eq!(policy.timeout, Duration::from_secs(15));
        assert_eq!((policy.proxy, policy.allows_private_addresses), (fetch.proxy.clone(), false));
        let staple = StapleSpec { refresh_s: Some(60), timeout_s: Some(3), ..staple };
        assert_eq!((staple.refresh_s(), staple.fetch_policy(&fetch).timeout), (60, Duration::from_secs(3)));
    }
}
