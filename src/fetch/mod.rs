//! Asks HTTP servers for revocation lists and OCSP responses, within bounds. The only room that opens sockets to ask.
//!
//! Certificates of strangers name the URLs, so an answer counts for nothing until it has been verified, and asking must
//! cost no more than the policy allows: time, bytes, redirects and fetches at once have limits, only `http://` is spoken,
//! and addresses that are not of the public Internet are left alone unless a setting allows them. `https://` would need
//! the very check that it is asked for; what is fetched is signed, so it needs none.
//!
//! A fetch runs on the thread that calls. Looking a name up has no time limit in the system's resolver, so it has a
//! thread of its own (`brokertls-lookup`), which ends with the look-up; addresses need none. Nothing is read from the
//! environment but what the system's resolver reads, and no connection is kept.

mod address;
pub mod cache;
mod exchange;
mod lookup;
mod proxy;
mod slots;
mod target;

use std::time::{Duration, Instant};

use exchange::{Answer, Client, Hop};
use lookup::Names;
use proxy::Proxy;
use slots::Slots;
use target::Target;
pub(crate) use target::shown;

use crate::error::{Code, Error, Result};

/// What fetching may cost, and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPolicy {
    /// For one fetch as a whole: waiting for its turn, looking up, connecting, redirects and the last byte.
    pub timeout: Duration,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// How many fetches run at once. A quarter of them, rounded down, is kept for URLs that the operator named, and no more
    /// than half of them, rounded up, are from one server: neither strangers nor one responder can take them all by being
    /// slow.
    pub max_concurrent: usize,
    /// Whether addresses may be fetched from that are not of the public Internet: private networks, this machine.
    pub allows_private_addresses: bool,
    /// `http://HOST:PORT` of a proxy that all requests are sent to. It resolves the names, so only addresses written in
    /// URLs, and the names of this machine, can be refused here; what the proxy reaches is its own to limit.
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

/// One thing to fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchRequest<'a> {
    /// Where.
    pub url: &'a str,
    /// Whether the operator named the URL: then its own address may be a private one. Where it redirects to may not.
    pub is_configured: bool,
    /// What to send; without it the request is a GET.
    pub post: Option<Post<'a>>,
    /// The media type that is asked for (header Accept).
    pub accept: &'a str,
    /// The most that an answer may have.
    pub max_bytes: usize,
    /// When the caller needs an answer; the policy's timeout may be sooner.
    pub deadline: Instant,
    /// Of what is there already: the server may answer that it has not changed. Not sent with a POST.
    pub validators: Option<&'a Validators>,
    /// Returns the body of an answer of status 400 to 599 too: responders send OCSP errors in such answers.
    pub takes_refusals: bool,
}

/// The body of a POST, at most 16 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Its media type.
    pub content_type: &'a str,
    /// Its bytes.
    pub body: &'a [u8],
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// What the request's validators were of is still current.
    NotModified,
    /// An answer.
    Content(Content),
    /// An answer of status 400 to 599, returned only for a request that takes refusals.
    Refused {
        /// The status.
        status: u16,
        /// The body; nothing about it has been verified.
        bytes: Vec<u8>,
    },
}

/// An answer; nothing about it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The body.
    pub bytes: Vec<u8>,
    /// What to ask with the next time.
    pub validators: Validators,
}

/// What a server knows a version of its content by (RFC 9110 section 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The header ETag.
    pub etag: Option<String>,
    /// The header Last-Modified, as it was sent.
    pub last_modified: Option<String>,
}

/// Fetches by one policy. Shared by threads; made before a fork it works after it, unless a fetch was running.
#[derive(Debug)]
pub struct Fetcher {
    policy: FetchPolicy,
    client: Client,
    slots: Slots,
}

impl Fetcher {
    /// A fetcher; opens nothing yet.
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

    /// Fetches, and follows redirects, each judged as if it had been asked for by a stranger. Blocks, until the sooner of
    /// the request's deadline and the policy's timeout.
    ///
    /// # Errors
    /// `FETCH_REFUSED`: not a URL, or one of a scheme, an address or a form that is not fetched. `REVOCATION_UNREACHABLE`:
    /// anything else: not resolved, not connected, too slow, too long, another status than 200 and 304 (unless the
    /// request takes refusals), too many redirects, no turn in time.
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

fn unreachable(detail: impl Into<String>) -> Error {
    Error::new(Code::RevocationUnreachable, detail)
}

fn refused(detail: impl Into<String>) -> Error {
    Error::new(Code::FetchRefused, detail)
}

#[cfg(test)]
mod tests;
