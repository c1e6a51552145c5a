//! One request to a responder (RFC 6960; RFC 5019 for those by GET), and what came back.

use std::time::Instant;

use super::attempts::share;
use crate::error::{Code, Error, Result};
use crate::fetch::{FetchRequest, Fetched, Fetcher, Post, shown};
use crate::revocation::link::Link;
use crate::revocation::ocsp::{CertIdHash, OcspResponse, OcspStanding, OcspStatus, get_url, request};
use crate::signature::Allowed;

/// The longest response: RFC 5019 has responders keep them short, and a delegated signer's chain fits many times.
const MAX_RESPONSE_BYTES: usize = 128 << 10;
/// The longest nonce that responders have to take (RFC 9654 section 2.1).
const NONCE_BYTES: usize = 32;

/// The form of OCSP requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct OcspSettings {
    /// True if requests carry a nonce, which the response must repeat.
    pub(crate) nonce: bool,
    /// The hash that names certificates in requests.
    pub(crate) hash: CertIdHash,
}

/// One question to one responder.
pub(crate) struct OcspRequest<'a> {
    pub(crate) responder: &'a str,
    /// True if the responder may have any address, because the operator named it.
    pub(crate) is_configured: bool,
    pub(crate) link: Link<'a>,
    pub(crate) settings: &'a OcspSettings,
    pub(crate) allowed: Allowed,
    pub(crate) now_unix_s: i64,
    pub(crate) deadline: Instant,
}

/// The method by which a request is sent.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// The request is in this URL.
    Get(&'a str),
    /// The request is the body.
    Post(&'a [u8]),
}

impl OcspRequest<'_> {
    /// Asks, by GET if the request fits into a URL. If GET gives no answer within half of the time, the same request is
    /// sent once by POST. Some responders serve POST alone, and some proxies change the path of a GET or answer it from
    /// a cache. Nothing of the response has been verified but its nonce.
    ///
    /// # Errors
    /// `REVOCATION_RESPONSE_INVALID` for what is no response; those of [`Fetcher::fetch`].
    pub(crate) fn send(&self, fetcher: &Fetcher) -> Result<OcspResponse> {
        let nonce = self.settings.nonce.then(nonce).transpose()?;
        let asked =
            request(self.link.certificate, self.link.issuer, self.settings.hash, nonce.as_ref().map(|n| &n[..]))?;
        // An answer to a nonce is for one asker, so that a cache on the way must not keep it.
        if let Some(nonce) = nonce {
            let response = self.send_by(fetcher, Way::Post(&asked), self.deadline).map_err(|why| self.named(why))?;
            let is_repeated = response.status() != OcspStatus::Successful || response.nonce() == Some(&nonce);
            let invalid = || invalid("the response does not repeat the nonce that was sent");
            return is_repeated.then_some(response).ok_or_else(|| self.named(invalid()));
        }
        let Some(url) = get_url(self.responder, &asked) else {
            return self.send_by(fetcher, Way::Post(&asked), self.deadline).map_err(|why| self.named(why));
        };
        let got = self.send_by(fetcher, Way::Get(&url), share(self.deadline, 2));
        if got.as_ref().is_ok_and(|got| self.is_settled_by(got)) {
            return got;
        }
        match (got, self.send_by(fetcher, Way::Post(&asked), self.deadline)) {
            (Ok(got), Ok(posted))
                if posted.status() == OcspStatus::Successful || got.status() != OcspStatus::Successful =>
            {
                Ok(posted)
            }
            (Ok(got), _) => Ok(got),
            (Err(_), Ok(posted)) => Ok(posted),
            (Err(by_get), Err(by_post)) => Err(self.named(joined(&by_get, &by_post))),
        }
    }

    /// Returns true if the responder would say the same to a POST.
    fn is_settled_by(&self, response: &OcspResponse) -> bool {
        match response.standing(self.link.certificate, self.link.issuer, self.now_unix_s, 0) {
            OcspStanding::Good { .. } | OcspStanding::Revoked { .. } => true,
            OcspStanding::Unknown(_) => {
                let is_busy = matches!(response.status(), OcspStatus::TryLater | OcspStatus::SigRequired);
                is_busy || response.is_about(self.link.certificate, self.link.issuer)
            }
            // A cache on the way may have kept an old one.
            OcspStanding::Stale | OcspStanding::Invalid(_) => false,
        }
    }

    /// Asks once. The detail of an error does not name the responder.
    fn send_by(&self, fetcher: &Fetcher, way: Way<'_>, deadline: Instant) -> Result<OcspResponse> {
        let (url, post) = match way {
            Way::Get(url) => (url, None),
            Way::Post(body) => (self.responder, Some(Post { content_type: "application/ocsp-request", body })),
        };
        let fetched = fetcher.fetch(&FetchRequest {
            url,
            is_configured: self.is_configured,
            post,
            accept: "application/ocsp-response",
            max_bytes: MAX_RESPONSE_BYTES,
            deadline,
            validators: None,
            takes_refusals: true,
        });
        let read = |bytes: &[u8]| OcspResponse::from_der(bytes, self.responder).map(|read| read.allow(self.allowed));
        // The URL is said in the place of the responder, and the request in it says nothing to a reader.
        match fetched.map_err(|error| Error::new(error.code(), without_place(error.detail())))? {
            Fetched::Content(content) => read(&content.bytes).map_err(|error| {
                Error::new(Code::RevocationResponseInvalid, without_place(error.detail())).with_source(error)
            }),
            // The responder's own word tells more than the status that it came with.
            Fetched::Refused { status, bytes } => {
                read(&bytes).map_err(|_| Error::new(Code::RevocationUnreachable, format!("status {status}")))
            }
            Fetched::NotModified => Err(invalid("not modified, though nothing was at hand")),
        }
    }

    fn named(&self, error: Error) -> Error {
        error.at(shown(self.responder))
    }
}

fn invalid(why: &str) -> Error {
    Error::new(Code::RevocationResponseInvalid, why)
}

/// The text of an error after the place that it begins with.
fn without_place(detail: &str) -> &str {
    detail.split_once(": ").map_or(detail, |(_, why)| why)
}

/// The error of both methods.
fn joined(by_get: &Error, by_post: &Error) -> Error {
    if by_get.detail() == by_post.detail() {
        return by_post.clone();
    }
    let told = [Code::RevocationResponseInvalid, Code::RevocationUnreachable];
    let code = told.into_iter().find(|code| [by_get.code(), by_post.code()].contains(code));
    let detail = format!("by GET: {}; by POST: {}", by_get.detail(), by_post.detail());
    Error::new(code.unwrap_or_else(|| by_post.code()), detail)
}

fn nonce() -> Result<[u8; NONCE_BYTES]> {
    let mut nonce = [0; NONCE_BYTES];
    crate::random::fill(&mut nonce).map_err(|_| Error::new(Code::Internal, "no randomness for a nonce"))?;
    Ok(nonce)
}
