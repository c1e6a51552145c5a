//! The settings of revocation and of stapling.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::fetch::FetchPolicy;
use crate::revocation::{Depth, Mode, RemoteSettings, RevocationPolicy};

use super::source::Source;

/// A source of revocation lists, PEM or DER. A PEM file may hold several lists.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CrlSource {
    /// A file, or a block of memory.
    Source(Source),
    /// Every file of a directory.
    Directory(PathBuf),
}

/// The default for the longest time that a handshake asks about revocation, in milliseconds.
const DEADLINE_MS: u32 = 10_000;

/// The settings of the check of peers for revocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct RevocationSpec {
    pub(crate) mode: Option<Mode>,
    pub(crate) crl_mode: Option<Mode>,
    pub(crate) ocsp_mode: Option<Mode>,
    pub(crate) depth: Option<Depth>,
    pub(crate) max_stale_s: Option<u32>,
    pub(crate) crls: Vec<CrlSource>,
    pub(crate) ocsp_responses: Vec<Source>,
    pub(crate) insecure_ocsp_sha1: bool,
    pub(crate) deadline_ms: Option<u32>,
    /// True if the network is asked for what is not known.
    pub(crate) fetches: bool,
    pub(crate) remote: RemoteSettings,
}

impl RevocationSpec {
    /// Returns the rules. Defaults: each configured source is preferred and together they are required, for the whole
    /// chain, without staleness.
    ///
    /// `has_more_lists` is true if there are lists among the trusted certificates. These count if revocation is on, and
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

    /// Returns the mode of all sources together. Default: that of the strictest source.
    fn overall(&self) -> Mode {
        let of_sources = [self.crl_mode, self.ocsp_mode].into_iter().flatten().max().filter(|mode| *mode != Mode::Off);
        let default = if self.has_lists() || self.has_responses() { Mode::Require } else { Mode::Off };
        self.mode.or(of_sources).unwrap_or(default)
    }

    /// Returns true if peers are checked.
    pub(crate) fn is_on(&self) -> bool {
        self.overall() != Mode::Off
    }

    /// Returns true if a handshake may wait for the network.
    pub(crate) fn asks_others(&self) -> bool {
        self.is_on() && self.fetches
    }

    fn has_lists(&self) -> bool {
        !self.crls.is_empty() || self.fetches
    }

    fn has_responses(&self) -> bool {
        !self.ocsp_responses.is_empty() || self.fetches
    }

    /// Refuses rules without a source, and rules that contradict each other. `has_more_lists` is as for
    /// [`policy`](Self::policy); before the lists are read it is true if there may be some.
    ///
    /// # Errors
    /// `OPTION_CONFLICT`; `INVALID_ARGUMENT` for a responder that is not an `http://` URL.
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
        let has_remote_rules =
            self.remote.cache.is_some() || self.remote.refresh_s.is_some() || self.remote.ocsp_responder.is_some();
        if !self.fetches && (has_remote_rules || self.deadline_ms.is_some()) {
            return conflict("a responder, cache, period or deadline, and nothing is fetched (fetch)");
        }
        self.remote.ocsp_responder.as_deref().map_or(Ok(()), check_url)
    }
}

/// Refuses a responder that is not an `http://` URL.
fn check_url(url: &str) -> Result<()> {
    match url.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() => Ok(()),
        _ => Err(Error::new(Code::InvalidArgument, format!("the responder {url:?} is not an http:// URL"))),
    }
}

/// The default period of requests for a staple, in seconds.
const STAPLE_REFRESH_S: u32 = 300;
/// The default for the longest time of a request for a staple, in seconds.
const STAPLE_TIMEOUT_S: u32 = 15;

/// The OCSP responses that servers send with their own certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct StapleSpec {
    /// True if responders are asked for them.
    pub(crate) is_on: bool,
    /// Configured responses.
    pub(crate) files: Vec<Source>,
    /// The issuer of the identity, if its chain does not contain it.
    pub(crate) issuer: Option<Source>,
    /// The responder that is asked in place of those that the certificate names.
    pub(crate) responder: Option<String>,
    pub(crate) refresh_s: Option<u32>,
    pub(crate) timeout_s: Option<u32>,
}

impl StapleSpec {
    /// Returns true if there may be a staple.
    pub(crate) fn is_used(&self) -> bool {
        self.is_on || !self.files.is_empty()
    }

    /// Returns the period of requests for a staple.
    pub(crate) fn refresh_s(&self) -> u32 {
        self.refresh_s.unwrap_or(STAPLE_REFRESH_S)
    }

    /// Returns the bounds of each request for a staple: its own time, and the bounds of all fetches for the rest.
    pub(crate) fn fetch_policy(&self, fetch: &FetchPolicy) -> FetchPolicy {
        let timeout_s = self.timeout_s.unwrap_or(STAPLE_TIMEOUT_S);
        FetchPolicy { timeout: Duration::from_secs(timeout_s.into()), ..fetch.clone() }
    }

    /// Refuses staples without an identity, and rules without staples.
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
        let (timeout, proxy) = (Duration::from_secs(1), Some("http://proxy:3128".to_owned()));
        let fetch = FetchPolicy { timeout, proxy, ..FetchPolicy::default() };
        let staple = StapleSpec::default();
        assert_eq!(staple.refresh_s(), 300);
        let policy = staple.fetch_policy(&fetch);
        assert_eq!(policy.timeout, Duration::from_secs(15));
        assert_eq!((policy.proxy, policy.allows_private_addresses), (fetch.proxy.clone(), false));
        let staple = StapleSpec { refresh_s: Some(60), timeout_s: Some(3), ..staple };
        assert_eq!((staple.refresh_s(), staple.fetch_policy(&fetch).timeout), (60, Duration::from_secs(3)));
    }
}
