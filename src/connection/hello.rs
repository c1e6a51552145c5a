//! A server's connection before its configuration is chosen: it reads the ClientHello from a copy of the bytes, and
//! asks.

use std::fmt;
use std::sync::Arc;

use brokertls_legacy_abi::Fields;
use rustls::ServerConfig;
use rustls::server::{Accepted, Acceptor};

use crate::error::Result;
use crate::identity::without_dot;
use crate::legacy::{HelloReader, Reading};
use crate::verify::host::{HelloFacts, Settled};

use super::settled;

/// Chooses the configuration for a ClientHello.
pub(crate) type Decide = Box<dyn FnOnce(&HelloFacts<'_>) -> Result<Arc<ServerConfig>> + Send + Sync>;

/// The result of the bytes so far.
pub(super) enum Decision {
    /// The ClientHello is not whole yet.
    Incomplete,
    /// Continue with this configuration, from the first byte. The facts are those for its host.
    Chosen(Arc<ServerConfig>, Settled),
    /// The application refuses the client.
    Refused(crate::error::Error),
    /// It is no ClientHello.
    Malformed(rustls::Error),
}

/// A connection that waits for its ClientHello, because its host is asked about it, or told of it later.
pub(super) struct Undecided {
    config: Arc<ServerConfig>,
    reader: HelloReader,
    /// The question to the host.
    question: Option<Question>,
}

/// A question about a ClientHello that rustls has accepted.
struct Question {
    acceptor: Acceptor,
    /// Bytes that the acceptor has been given.
    fed: usize,
    decide: Decide,
}

impl fmt::Debug for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undecided").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Undecided {
    pub(super) fn new(config: Arc<ServerConfig>, decide: Option<Decide>) -> Self {
        let question = decide.map(|decide| Question { acceptor: Acceptor::default(), fed: 0, decide });
        Self { config, reader: HelloReader::default(), question }
    }

    /// Reads on in `tls`, which holds every byte of the connection so far.
    pub(super) fn read(&mut self, tls: &[u8]) -> Decision {
        let offer = match self.reader.read(tls) {
            Reading::Incomplete if self.question.is_none() => return Decision::Incomplete,
            Reading::Whole(offer) => Some(offer),
            // rustls finds the fault.
            _ => None,
        };
        let of_host = |config: &ServerConfig| offer.as_ref().map(|offer| settled::of_offer(config, offer));
        let Some(question) = &mut self.question else {
            let config = Arc::clone(&self.config);
            let settled = of_host(&config).unwrap_or_default();
            return Decision::Chosen(config, settled);
        };
        match question.accept(tls) {
            Ok(None) => Decision::Incomplete,
            Ok(Some(accepted)) => {
                let Some(Question { decide, .. }) = self.question.take() else { return Decision::Incomplete };
                let hello = accepted.client_hello();
                let settled = of_host(&self.config).unwrap_or_default();
                let facts = HelloFacts {
                    server_name: hello.server_name().map(without_dot),
                    protocols: hello.alpn().map(Iterator::collect).unwrap_or_default(),
                    settled: &Settled { protocol: None, ..settled },
                };
                match decide(&facts) {
                    Ok(config) => {
                        let settled = of_host(&config).unwrap_or_default();
                        Decision::Chosen(config, settled)
                    }
                    Err(refusal) => Decision::Refused(refusal),
                }
            }
            Err(error) => Decision::Malformed(error),
        }
    }
}

impl Question {
    /// Gives the acceptor what is new. Returns the ClientHello, once it is whole.
    fn accept(&mut self, tls: &[u8]) -> Result<Option<Accepted>, rustls::Error> {
        let mut fresh = tls.get(self.fed..).unwrap_or_default();
        while !fresh.is_empty() {
            match self.acceptor.read_tls(&mut fresh) {
                Ok(1..) => {}
                Ok(0) => break,
                Err(_) => return Err(rustls::Error::General("a hello that cannot be read".to_owned())),
            }
            self.fed = tls.len() - fresh.len();
            if let Some(accepted) = self.acceptor.accept().map_err(|(error, _)| error)? {
                return Ok(Some(accepted));
            }
        }
        Ok(None)
    }
}

/// Content type of a change_cipher_spec record.
const CHANGE_CIPHER_SPEC: u8 = 20;

/// Returns true for a record that is a change_cipher_spec, as it must be (RFC 8446 section 5).
pub(super) fn is_change_cipher_spec(record: &[u8]) -> bool {
    matches!(record, [CHANGE_CIPHER_SPEC, _, _, 0, 1, 1])
}

/// Content type of a handshake record.
const HANDSHAKE: u8 = 22;

/// Handshake type of a ClientHello.
const CLIENT_HELLO: u8 = 1;

/// Number of the extension server_name (RFC 6066 section 3).
const SERVER_NAME: u16 = 0;

/// Longest name that a message shows, in bytes.
const SHOWN_MAX: usize = 80;

/// Says what is wrong with the server name of the ClientHello that `tls` holds; none if it is as it must be.
///
/// rustls moves the parts of a message together as it reads them, the acceptor leaves them: both are looked at.
pub(super) fn server_name_fault(tls: &[u8]) -> Option<String> {
    let mut records = tls;
    let mut parts = Vec::new();
    let mut first = None;
    while let [kind, _, _, high, low, rest @ ..] = records {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        if *kind == HANDSHAKE {
            first = first.or(Some(rest));
            parts.extend_from_slice(&rest[..length]);
        } else if *kind != CHANGE_CIPHER_SPEC {
            break;
        }
        records = &rest[length..];
    }
    [first?, parts.as_slice()].into_iter().find_map(|message| fault_of(extension(message)?))
}

/// The content of the server name extension in a ClientHello message, if it has one.
fn extension(message: &[u8]) -> Option<&[u8]> {
    let mut hello = Fields(message);
    if hello.take(1)? != [CLIENT_HELLO] {
        return None;
    }
    let mut hello = Fields(hello.vector(3)?);
    // Version and random, session ID, cipher suites, compression methods.
    hello.take(34)?;
    for length_bytes in [1, 2, 1] {
        hello.vector(length_bytes)?;
    }
    let mut extensions = Fields(hello.vector(2)?);
    while let Some(kind) = extensions.take(2) {
        let content = extensions.vector(2)?;
        if kind == SERVER_NAME.to_be_bytes() {
            return Some(content);
        }
    }
    None
}

/// Says what is wrong with the content of a server name extension.
fn fault_of(content: &[u8]) -> Option<String> {
    let mut extension = Fields(content);
    let names = extension.vector(2).filter(|names| !names.is_empty() && extension.is_empty());
    let Some(names) = names else { return Some("the list of names is empty or damaged".to_owned()) };
    let mut names = Fields(names);
    let mut found: Vec<&[u8]> = Vec::new();
    while let Some(kind) = names.take(1) {
        if kind != [0] {
            return Some(format!("a name of type {}, which does not exist", kind[0]));
        }
        match names.vector(2) {
            Some(name) => found.push(name),
            None => return Some("the list of names is damaged".to_owned()),
        }
    }
    match found[..] {
        [[]] => Some("the name is empty".to_owned()),
        [name] => (!is_host(name)).then(|| shown(name)),
        _ => Some(format!(
            "{} names, the first {}",
            found.len(),
            found.first().map_or_else(String::new, |name| shown(name))
        )),
    }
}

/// Returns true if rustls continues with the name: a host name, or an address, which it ignores.
fn is_host(name: &[u8]) -> bool {
    rustls::pki_types::ServerName::try_from(name).is_ok()
}

/// The name in quotes, without control characters, and cut if it is long.
fn shown(name: &[u8]) -> String {
    let start = &name[..name.len().min(SHOWN_MAX)];
    let cut = if start.len() < name.len() { "..." } else { "" };
    format!("\"{}\"{cut}", start.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&[u8]]) -> Vec<u8> {
        let entries: Vec<u8> = names
            .iter()
            .flat_map(|name| [&[0][..], &u16::try_from(name.len()).unwrap_or(0).to_be_bytes(), name].concat())
            .collect();
        [&u16::try_from(entries.len()).unwrap_or(0).to_be_bytes()[..], &entries].concat()
    }

    #[test]
    fn server_name_that_is_no_host_name_is_shown_escaped_and_cut() {
        let fault = |name: &[u8]| fault_of(&list(&[name]));
        for good in [&b"broker.example"[..], b"broker.example.", b"my_broker", b"127.0.0.1", b"::1", b"BROKER"] {
            assert_eq!(fault(good), None, "{}", good.escape_ascii());
        }
        assert_eq!(fault(b"broker.example:8883").as_deref(), Some("\"broker.example:8883\""));
        assert_eq!(fault(b"br\xc3\xbccke\n").as_deref(), Some("\"br\\xc3\\xbccke\\n\""));
        assert_eq!(fault(b"").as_deref(), Some("the name is empty"));
        assert!(fault(&[b'a'; 300]).is_some_and(|fault| fault.len() < 100 && fault.ends_with("...")));
        assert!(fault_of(&list(&[b"a.example", b"b.example"])).is_some_and(|fault| fault.starts_with("2 names")));
    }

    #[test]
    fn damaged_extension_is_a_fault_and_never_a_panic() {
        let whole = list(&[b"broker.example"]);
        for end in 0..whole.len() {
            assert!(fault_of(&whole[..end]).is_some(), "{end}");
        }
        assert!(fault_of(&[0, 4, 9, 0, 1, b'x']).is_some());
        let hello = [22, 3, 1, 0, 40, 1, 0, 0, 36];
        for end in 0..hello.len() {
            assert_eq!(server_name_fault(&hello[..end]), None);
        }
    }
}
