//! Fetches revocation lists and OCSP responses from HTTP servers, within limits. The only room that opens client
//! sockets.
//!
//! Certificates of strangers name the URLs, so a response is worthless until it is verified, and a fetch costs no more
//! than the policy allows. Time, bytes, redirects and simultaneous fetches have limits. Only `http://` is allowed, and
//! only addresses of the public Internet unless a setting allows others. `https://` would need the check that it
//! serves; the content is signed and needs none.
//!
//! A fetch runs on the calling thread. The system's resolver has no time limit, so that a look-up of a name has a
//! thread of its own (`brokertls-lookup`), which ends with it. Addresses need none. Only the system's resolver reads
//! the environment, and no connection is kept.

mod address;
pub mod cache;
mod exchange;
mod fault;
mod lookup;
mod proxy;
mod request;
mod slots;
mod target;

use std::time::{Duration, Instant};

use exchange::{Answer, Client, Hop};
use fault::unreachable;
use lookup::Names;
use proxy::Proxy;
pub use request::{Content, FetchRequest, Fetched, Post, Validators};
use slots::Slots;
use target::Target;
pub(crate) use target::shown;

use crate::error::{Code, Error, Result};

/// The limits of fetches, and the allowed addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPolicy {
    /// The time limit of a whole fetch: the wait for its turn, look-up, connect, redirects and the body.
    pub timeout: Duration,
    /// The largest number of redirects.
    pub max_redirects: u32,
    /// The largest number of fetches at a time. A quarter of them, rounded down, is reserved for URLs of the operator.
    /// At most half of them, rounded up, are from one server. So neither strangers nor one slow responder can take them
    /// all.
    pub max_concurrent: usize,
    /// Allows addresses that are not of the public Internet: private networks, this machine.
    pub allows_private_addresses: bool,
    /// The proxy for all requests, as `http://HOST:PORT`. The proxy resolves names and must limit its own targets. Only
    /// addresses in URLs and the names of this machine are refused here.
    pub proxy: Option<String>,
}

impl Default for FetchPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            max_redirects: 3,
            max_concurrent: 16,
            allows_private_addresses: false,
            proxy: None,
        }
    }
}

/// Fetches under one policy. Threads may share it. It also works after a fork(2), unless a fetch was in progress.
#[derive(Debug)]
pub struct Fetcher {
    policy: FetchPolicy,
    client: Client,
    slots: Slots,
}

impl Fetcher {
    /// Makes a fetcher. It opens nothing yet.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: a proxy that is not `http://HOST:PORT`, no time, or not one fetch at a time.
    pub fn new(policy: FetchPolicy) -> Result<Self> {
        Self::with_names(policy, Names::of_system())
    }

    fn with_names(policy: FetchPolicy, names: Names) -> Result<Self> {
        if policy.timeout.is_zero() || policy.max_concurrent == 0 {
            let detail = "fetching needs a timeout and a number of fetches at once above zero";
            return Err(Error::new(Code::InvalidArgument, detail));
        }
        let proxy = policy.proxy.as_deref().map(Proxy::parse).transpose()?;
        let slots = Slots::new(policy.max_concurrent);
        Ok(Self { policy, client: Client::new(names, proxy), slots })
    }

    /// Fetches, and follows redirects, each checked like the URL of a stranger. Blocks until the request's deadline or
    /// the time limit of the policy at most.
    ///
    /// # Errors
    /// `FETCH_REFUSED` for text that is not a URL, and for a scheme, an address or a form that is not allowed.
    /// `REVOCATION_UNREACHABLE` for all else: not resolved, not connected, too slow, too large, too many redirects, no
    /// turn in time. Also for a status other than 200 and 304, unless the request takes refusals.
    pub fn fetch(&self, request: &FetchRequest<'_>) -> Result<Fetched> {
        self.follow(request).map_err(|error| error.at(shown(request.url)))
    }

    fn follow(&self, request: &FetchRequest<'_>) -> Result<Fetched> {
        let deadline =
            Instant::now().checked_add(self.policy.timeout).unwrap_or(request.deadline).min(request.deadline);
        let mut target = Target::parse(request.url)?;
        let mut post = request.post;
        let server = format!("{}:{}", target.host(), target.port());
        let _slot = self.slots.take(&server, request.is_configured, deadline)?;
        let mut seen: Vec<(String, bool)> = Vec::new();
        loop {
            let is_first = seen.is_empty();
            let hop = Hop {
                target: &target,
                allows_private: self.policy.allows_private_addresses || (request.is_configured && is_first),
                post,
                accept: request.accept,
                max_bytes: request.max_bytes,
                deadline,
                validators: request.validators.filter(|_| post.is_none()),
                takes_refusals: request.takes_refusals,
            };
            let (location, is_see_other) = match self.client.exchange(&hop)? {
                Answer::NotModified => return Ok(Fetched::NotModified),
                Answer::Content(content) => return Ok(Fetched::Content(content)),
                Answer::Refused { status, bytes } => return Ok(Fetched::Refused { status, bytes }),
                Answer::Redirect { location, is_see_other } => (location, is_see_other),
            };
            seen.push((target.to_string(), post.is_some()));
            if seen.len() as u64 > u64::from(self.policy.max_redirects) {
                return Err(unreachable(format!("more than {} redirects", self.policy.max_redirects)));
            }
            target = target.join(&location).map_err(|error| error.at(format!("redirected to {}", shown(&location))))?;
            if is_see_other {
                post = None;
            }
            if seen.contains(&(target.to_string(), post.is_some())) {
                return Err(unreachable(format!("a redirect loop, back to {}", shown(&target.to_string()))));
            }
        }
    }
}

#[cfg(test)]
mod tests;
