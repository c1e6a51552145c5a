//! A URL that may be fetched: `http://`, a host, and nothing that another reader could understand differently.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

use super::fault::{refused, unreachable};
use crate::error::Result;

/// The largest size of a URL, in bytes.
const MAX_URL_BYTES: usize = 4096;

/// The largest part of a URL in a message, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// The parts of a URL.
#[derive(Clone, Debug)]
pub(super) struct Target {
    uri: Uri,
    host: Host,
    port: u16,
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name, of letters, digits, hyphens, underscores and dots.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Target {
    /// # Errors
    /// `FETCH_REFUSED`.
    pub(super) fn parse(url: &str) -> Result<Self> {
        if url.len() > MAX_URL_BYTES {
            return Err(refused(format!("a URL of more than {MAX_URL_BYTES} bytes")));
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(refused("not a URL with a scheme and a host"));
        };
        let why = match scheme.to_ascii_lowercase().as_str() {
            "http" => None,
            "https" => Some("https is not fetched: it would need the very check that it is asked for"),
            "ldap" | "ldaps" => Some("ldap is not served"),
            _ => Some("only http is fetched"),
        };
        if let Some(why) = why {
            return Err(refused(why));
        }
        let uri: Uri = format!("http://{rest}").parse().map_err(|_| refused("not a URL (RFC 3986)"))?;
        let Some(authority) = uri.authority() else { return Err(refused("a URL without a host")) };
        if authority.as_str().contains('@') {
            return Err(refused("a URL with a user name"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("" | ":") => Some(80),
            Some(port) => port.strip_prefix(':').and_then(|port| port.parse().ok()),
            None => None,
        };
        let Some(port) = port.filter(|port| *port != 0) else { return Err(refused("a URL with no usable port")) };
        let host = Host::parse(authority.host())?;
        Ok(Self { uri, host, port })
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host and port as in the URL.
    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map(|authority| authority.as_str()).unwrap_or_default()
    }

    /// Returns true if the URL has a path or a query.
    pub(super) fn has_path(&self) -> bool {
        self.uri.path_and_query().is_some_and(|path| path.as_str() != "/")
    }

    /// Returns the target of a redirect (RFC 3986 section 5.2).
    ///
    /// # Errors
    /// `FETCH_REFUSED`, or `REVOCATION_UNREACHABLE` for text that is not a reference.
    pub(super) fn join(&self, location: &str) -> Result<Self> {
        let location = location.split('#').next().unwrap_or_default();
        let before_path = location.split(['/', '?']).next().unwrap_or_default();
        if before_path.contains(':') {
            return Self::parse(location);
        }
        let joined = match location.as_bytes() {
            [] => return Err(unreachable("a redirect to nowhere")),
            [b'/', b'/', ..] => format!("http:{location}"),
            [b'/', ..] => format!("http://{}{location}", self.authority()),
            [b'?', ..] => format!("http://{}{}{location}", self.authority(), self.uri.path()),
            _ => {
                let folder = self.uri.path().rsplit_once('/').map(|(folder, _)| folder).unwrap_or_default();
                format!("http://{}{}", self.authority(), without_dots(&format!("{folder}/{location}")))
            }
        };
        Self::parse(&joined)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self> {
        if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let address: Ipv6Addr = address.parse().map_err(|_| refused("a URL with a malformed address"))?;
            return Ok(Self::Address(address.into()));
        }
        let is_of_name = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
        if text.is_empty() || text.len() > 253 || !text.bytes().all(is_of_name) {
            return Err(refused("a URL with a host that is not a name"));
        }
        // Resolvers and proxies also accept 127.1, 0x7f000001 and 2130706433 as addresses.
        let last = text.strip_suffix('.').unwrap_or(text).rsplit('.').next().unwrap_or_default();
        let is_number = last.bytes().all(|letter| letter.is_ascii_digit())
            || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
        if !is_number {
            return Ok(Self::Name(text.to_owned()));
        }
        let address: Ipv4Addr = text.parse().map_err(|_| refused("a URL with an address in an unusual form"))?;
        Ok(Self::Address(address.into()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Removes `.` and `..` from a path (RFC 3986 section 5.2.4), and keeps the query.
fn without_dots(path_and_query: &str) -> String {
    let (path, query) = path_and_query.split_at(path_and_query.find('?').unwrap_or(path_and_query.len()));
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}{query}", kept.join("/"))
}

/// Makes text of strangers safe for a message: short, and without characters that a terminal or a log would interpret.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN_CHARS).flat_map(char::escape_default).collect();
    if text.chars().nth(MAX_SHOWN_CHARS).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn urls_of_http_are_read_with_host_and_port() {
        let urls = [
            ("http://crl.example/a.crl", "crl.example", 80, "/a.crl"),
            ("HTTP://crl.example:8080/a?b=c#d", "crl.example", 8080, "/a?b=c"),
            ("http://crl.example", "crl.example", 80, "/"),
            ("http://crl.example:/", "crl.example", 80, "/"),
            ("http://192.0.2.1:1/x", "192.0.2.1", 1, "/x"),
            ("http://[2001:db8::1]:8/x", "2001:db8::1", 8, "/x"),
        ];
        for (url, host, port, path) in urls {
            let target = Target::parse(url).unwrap();
            assert_eq!((target.host().to_string().as_str(), target.port()), (host, port), "{url}");
            assert_eq!(target.uri().path_and_query().unwrap().as_str(), path, "{url}");
        }
    }

    #[test]
    fn urls_that_are_not_fetched_are_refused_with_the_reason() {
        let long = format!("http://crl.example/{}", "a".repeat(MAX_URL_BYTES));
        let urls = [
            ("https://crl.example/", "very check"),
            ("LDAP://crl.example/cn=ca", "ldap is not served"),
            ("ldaps://crl.example/", "ldap is not served"),
            ("ftp://crl.example/", "only http"),
            ("file:///etc/passwd", "only http"),
            ("/a.crl", "not a URL"),
            ("", "not a URL"),
            ("http:/a", "not a URL"),
            ("http://", "URL"),
            ("http:///a", "URL"),
            ("http://user@crl.example/", "user name"),
            ("http://user:secret@crl.example/", "user name"),
            ("http://crl.example:99999/", "URL"),
            ("http://crl.example:0/", "port"),
            ("http://crl.example:-1/", "URL"),
            ("http://a b/", "URL"),
            ("http://crl.example/a\r\nHost: other", "URL"),
            ("http://[fe80::1%25eth0]/", "URL"),
            ("http://[::1/", "URL"),
            ("http://127.1/", "unusual form"),
            ("http://0x7f.0.0.1/", "unusual form"),
            ("http://2130706433/", "unusual form"),
            ("http://0x7f000001/", "unusual form"),
            ("http://127.0.0.1./", "unusual form"),
            ("http://0177.0.0.1/", "unusual form"),
            ("http://127%2e0%2e0%2e1/", "URL"),
            ("http://caf\u{e9}.example/", "URL"),
            (&long, "4096 bytes"),
        ];
        for (url, reason) in urls {
            let error = Target::parse(url).expect_err(url);
            assert_eq!(error.code(), Code::FetchRefused, "{url}");
            assert!(error.detail().contains(reason) && !error.detail().contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn redirects_are_joined_as_rfc_3986_says() {
        let base = Target::parse("http://crl.example:8080/a/b/c.crl?x=1").unwrap();
        let references = [
            ("http://other.example/d", "http://other.example/d"),
            ("//other.example/d", "http://other.example/d"),
            ("/d?y#z", "http://crl.example:8080/d?y"),
            ("d", "http://crl.example:8080/a/b/d"),
            ("./d", "http://crl.example:8080/a/b/d"),
            ("../d", "http://crl.example:8080/a/d"),
            ("../../../d", "http://crl.example:8080/d"),
            ("..", "http://crl.example:8080/a/"),
            ("?y=2", "http://crl.example:8080/a/b/c.crl?y=2"),
            ("d?at=10:30", "http://crl.example:8080/a/b/d?at=10:30"),
        ];
        for (reference, whole) in references {
            assert_eq!(base.join(reference).unwrap().to_string(), whole, "{reference}");
        }
        assert_eq!(base.join("#a").unwrap_err().code(), Code::RevocationUnreachable);
        assert_eq!(base.join("https://crl.example/").unwrap_err().code(), Code::FetchRefused);
        assert_eq!(base.join("file:/etc/passwd").unwrap_err().code(), Code::FetchRefused);
    }

    #[test]
    fn no_text_breaks_reading_or_joining_and_none_becomes_two_lines() {
        let pieces = [
            "http://",
            "HTTP:",
            "//",
            "/",
            "..",
            ".",
            "?",
            "#",
            "[",
            "]",
            "::",
            ":",
            "@",
            "%",
            "%2f",
            "0x",
            "127",
            "a",
            "-",
            "_",
            " ",
            "\r\n",
            "\0",
            "\u{e9}",
            "\u{1f600}",
            "localhost",
            "80",
            "65536",
        ];
        let base = Target::parse("http://crl.example/a/b").unwrap();
        // A generator (xorshift) with the same texts in every run.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..50_000 {
            let mut text = String::new();
            for _ in 0..1 + state % 8 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                text.push_str(pieces[(state % pieces.len() as u64) as usize]);
            }
            for target in [Target::parse(&text), base.join(&text)].into_iter().flatten() {
                let written = target.to_string();
                assert!(written.bytes().all(|byte| byte.is_ascii_graphic() || byte > 0x7f), "{text:?}: {written:?}");
                assert!(written.starts_with("http://") && !target.authority().contains('@'), "{text:?}: {written}");
            }
        }
    }

    #[test]
    fn what_strangers_wrote_is_shown_without_control_characters_and_not_at_length() {
        assert_eq!(shown("http://a/\u{1b}[2J\n"), "http://a/\\u{1b}[2J\\n");
        assert_eq!(shown(&"a".repeat(300)).len(), MAX_SHOWN_CHARS + 3);
    }
}
