//! A request, and its result.

use std::time::Instant;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct FetchRequest<'a> {
    /// The URL.
    pub url: &'a str,
    /// True if the operator named the URL, which then may have a private address. Its redirects may not.
    pub is_configured: bool,
    /// The body of a POST. Without it, the request is a GET.
    pub post: Option<Post<'a>>,
    /// The accepted media type (header Accept).
    pub accept: &'a str,
    /// The largest size of a response, in bytes.
    pub max_bytes: usize,
    /// The caller's deadline. The time limit of the policy may end sooner.
    pub deadline: Instant,
    /// The validators of cached content: the server may answer that it has not changed. Not sent with a POST.
    pub validators: Option<&'a Validators>,
    /// Returns the body of an answer of status 400 to 599 too: responders send OCSP errors in such answers.
    pub takes_refusals: bool,
}

/// The body of a POST, at most 16 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// The media type.
    pub content_type: &'a str,
    /// The content.
    pub body: &'a [u8],
}

/// The result of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The cached content of the request's validators is still current.
    NotModified,
    /// A response.
    Content(Content),
    /// A response of status 400 to 599, for a request that takes refusals only.
    Refused {
        /// The status.
        status: u16,
        /// The body, unverified.
        bytes: Vec<u8>,
    },
}

/// A response, unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The body.
    pub bytes: Vec<u8>,
    /// The validators for the next request.
    pub validators: Validators,
}

/// The validators of a version of the content (RFC 9110 section 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The header ETag.
    pub etag: Option<String>,
    /// The header Last-Modified, unchanged.
    pub last_modified: Option<String>,
}
