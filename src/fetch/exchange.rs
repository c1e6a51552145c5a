//! One request and its response on a connection of their own.

use std::io::Read as _;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, header, request};
use ureq::unversioned::transport::{Connector as _, TcpConnector};
use ureq::{Agent, AsSendBody, Body};

use super::fault::{refused, unreachable};
use super::lookup::{Guard, Names};
use super::proxy::{AbsoluteForm, Proxy};
use super::request::{Content, Post, Validators};
use super::target::{Target, shown};
use crate::error::{Error, Result};

/// The largest size of the head of a response, in bytes. It has at most 128 fields, which is ureq's limit.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The input buffer, in bytes: it holds the head of a response. Bodies are read in several steps.
const INPUT_BYTES: usize = 32 * 1024;

/// The output buffer, in bytes: it holds a request line with the longest URL, twice for a proxy. All of it fits into
/// the system's buffers for a connection, so that a peer cannot delay sending.
const OUTPUT_BYTES: usize = 16 * 1024;

const MAX_POST_BYTES: usize = 16 * 1024;

/// The largest size of a validator that is kept, in bytes.
const MAX_VALIDATOR_BYTES: usize = 256;

/// The settings that all exchanges share.
#[derive(Debug)]
pub(super) struct Client {
    config: Config,
    names: Names,
    proxy: Option<Proxy>,
}

/// One request.
#[derive(Debug)]
pub(super) struct Hop<'a> {
    pub(super) target: &'a Target,
    pub(super) allows_private: bool,
    pub(super) post: Option<Post<'a>>,
    pub(super) accept: &'a str,
    pub(super) max_bytes: usize,
    pub(super) deadline: Instant,
    pub(super) validators: Option<&'a Validators>,
    pub(super) takes_refusals: bool,
}

/// The response of a server.
#[derive(Debug)]
pub(super) enum Answer {
    NotModified,
    Content(Content),
    Refused {
        status: u16,
        bytes: Vec<u8>,
    },
    Redirect {
        location: String,
        /// True if the redirect asks for a GET, whatever the first request was (303).
        is_see_other: bool,
    },
}

impl Client {
    pub(super) fn new(names: Names, proxy: Option<Proxy>) -> Self {
        // The start of a configuration reads a proxy from the environment, so this is the only one.
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("brokertls/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_response_header_size(MAX_HEAD_BYTES)
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .max_idle_connections(0)
            .build();
        Self { config, names, proxy }
    }

    /// # Errors
    /// As [`Fetcher::fetch`](super::Fetcher::fetch).
    pub(super) fn exchange(&self, hop: &Hop<'_>) -> Result<Answer> {
        let agent = self.agent(hop)?;
        let response = match hop.post {
            Some(post) if post.body.len() > MAX_POST_BYTES => {
                return Err(refused(format!("more than {MAX_POST_BYTES} bytes to send")));
            }
            Some(post) => {
                let request = head(hop, Method::POST).header(header::CONTENT_TYPE, post.content_type);
                send(&agent, hop, request, post.body)?
            }
            None => send(&agent, hop, head(hop, Method::GET), ())?,
        };
        answer(response, hop)
    }

    /// Makes an agent for one exchange. Its resolver and connector know the allowed addresses.
    fn agent(&self, hop: &Hop<'_>) -> Result<Agent> {
        let target = hop.target;
        let (host, port, allows_private, start) = match &self.proxy {
            None => (target.host(), target.port(), hop.allows_private, None),
            Some(proxy) => {
                if !hop.allows_private {
                    Proxy::check(target)?;
                }
                (&proxy.host, proxy.port, true, Some(format!("http://{}", target.authority())))
            }
        };
        let names = self.names.clone();
        let guard = Guard { names, host: host.clone(), port, deadline: hop.deadline, allows_private };
        let connector = ().chain(TcpConnector::default()).chain(AbsoluteForm { start });
        Ok(Agent::with_parts(self.config.clone(), connector, guard))
    }
}

fn head(hop: &Hop<'_>, method: Method) -> request::Builder {
    let mut request = Request::builder()
        .method(method)
        .uri(hop.target.uri().clone())
        .header(header::ACCEPT, hop.accept)
        .header(header::CONNECTION, "close");
    let validators = hop.validators.into_iter();
    let fields = validators
        .flat_map(|known| [(header::IF_NONE_MATCH, &known.etag), (header::IF_MODIFIED_SINCE, &known.last_modified)]);
    for (name, value) in fields {
        if let Some(value) = value.as_deref().filter(|value| is_validator(value)) {
            request = request.header(name, value);
        }
    }
    request
}

fn send(agent: &Agent, hop: &Hop<'_>, request: request::Builder, body: impl AsSendBody) -> Result<Response<Body>> {
    let left = hop.deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(too_slow());
    }
    let request = request.body(body).map_err(|error| failure(error.into()))?;
    let request = agent.configure_request(request).timeout_global(Some(left.max(Duration::from_millis(1)))).build();
    agent.run(request).map_err(failure)
}

fn answer(response: Response<Body>, hop: &Hop<'_>) -> Result<Answer> {
    let status = response.status();
    match status {
        StatusCode::OK => content(response, hop.max_bytes).map(Answer::Content),
        StatusCode::NOT_MODIFIED if hop.validators.is_some() => Ok(Answer::NotModified),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => {
            let Some(location) = text_of(response.headers(), header::LOCATION) else {
                return Err(unreachable(format!("status {}, and no place to go to", status.as_u16())));
            };
            Ok(Answer::Redirect { location: location.to_owned(), is_see_other: status == StatusCode::SEE_OTHER })
        }
        _ => {
            let refusal = unreachable(format!("status {}", status.as_u16()));
            if !hop.takes_refusals || !(status.is_client_error() || status.is_server_error()) {
                return Err(refusal);
            }
            // Of a body over a limit, only the status is known.
            let Content { bytes, .. } = content(response, hop.max_bytes).map_err(|_| refusal)?;
            Ok(Answer::Refused { status: status.as_u16(), bytes })
        }
    }
}

fn content(response: Response<Body>, max_bytes: usize) -> Result<Content> {
    let (parts, mut body) = response.into_parts();
    let limit = max_bytes as u64;
    let too_long = || unreachable(format!("an answer of more than {max_bytes} bytes"));
    if body.content_length().is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    // ureq is built without decompression, so that a small response stays small.
    let coding = parts.headers.get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(unreachable("an answer in a coding (Content-Encoding) that was not asked for"));
    }
    let mut bytes = Vec::new();
    body.as_reader().take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failure(error.into()))?;
    if bytes.len() > max_bytes {
        return Err(too_long());
    }
    bytes.shrink_to_fit();
    let validator = |name| text_of(&parts.headers, name).filter(|value| is_validator(value)).map(str::to_owned);
    let validators = Validators { etag: validator(header::ETAG), last_modified: validator(header::LAST_MODIFIED) };
    Ok(Content { bytes, validators })
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Returns a validator that may be kept and sent back in a header.
fn is_validator(value: &str) -> bool {
    let is_text = |letter: u8| letter == b' ' || letter.is_ascii_graphic();
    !value.is_empty() && value.len() <= MAX_VALIDATOR_BYTES && value.bytes().all(is_text)
}

fn too_slow() -> Error {
    unreachable("no whole answer in time")
}

/// Translates an error of ureq, which may carry one of this library.
fn failure(error: ureq::Error) -> Error {
    match error {
        ureq::Error::Timeout(_) => too_slow(),
        ureq::Error::Io(error) => unreachable(shown(&error.to_string())),
        ureq::Error::LargeResponseHeader(..) => unreachable(format!("a head of more than {MAX_HEAD_BYTES} bytes")),
        ureq::Error::Other(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(_) => unreachable("the exchange failed"),
        },
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => {
            unreachable("an answer that is not HTTP, or one with too many headers")
        }
        ureq::Error::HostNotFound => unreachable("its host is not found"),
        ureq::Error::ConnectionFailed => unreachable("no connection to its host"),
        error => unreachable("the exchange failed").with_source(error),
    }
}
