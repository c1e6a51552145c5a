//! What is said of revocation: where knowledge comes from, what not knowing leads to, and what is stapled.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::fetch::FetchPolicy;
use crate::revocation::{CertIdHash, Depth, Mode, RevocationPolicy};
use crate::source::Source;

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
