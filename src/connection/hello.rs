//! A server's connection before its configuration is chosen: it reads the ClientHello from a copy of the bytes, and
//! asks.
//!
//! A hello that rustls accepts and that cannot be read here is refused: no host could be asked about it, and no rule
//! applied to it.

use std::fmt;
use std::sync::Arc;

use brokertls_legacy_abi::Fields;
use rustls::server::{Accepted, Acceptor};
use rustls::{Error as Tls, ServerConfig};

use crate::error::{Code, Error, Result};
use crate::identity::without_dot;
use crate::legacy::{Damage, HelloReader, Reading};
use crate::verify::host::{HelloFacts, Settled};

use super::settled;

/// Chooses the configuration for a ClientHello.
pub(crate) type Decide = Box<dyn FnOnce(&HelloFacts<'_>) -> Result<Arc<ServerConfig>> + Send + Sync>;

/// An error before an engine is chosen.
pub(super) enum Fault {
    Ours(Error),
    Rustls(Tls),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<Tls> for Fault {
    fn from(error: Tls) -> Self {
        Self::Rustls(error)
    }
}

/// A connection that waits for its ClientHello, because its host is asked about it, or told of it later.
pub(super) struct Undecided {
    config: Arc<ServerConfig>,
    reader: HelloReader,
    judge: Judge,
    /// The question to the host.
    decide: Option<Decide>,
}

impl fmt::Debug for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undecided").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Undecided {
    pub(super) fn new(config: Arc<ServerConfig>, decide: Option<Decide>) -> Self {
        Self { config, reader: HelloReader::default(), judge: Judge::default(), decide }
    }

    /// Chooses the configuration, once the ClientHello is whole in `tls`, which holds every byte of the connection so
    /// far. rustls continues with it from the first byte. The facts are those for its host.
    pub(super) fn choose(&mut self, tls: &[u8]) -> Result<Option<(Arc<ServerConfig>, Settled)>, Fault> {
        let reading = self.reader.read(tls);
        let hello = self.reader.hello(tls);
        let offer = match reading {
            Reading::Whole(offer) => offer,
            Reading::Incomplete => return Ok(None),
            Reading::Malformed(damage) => return self.judge.refuse(hello, damage).map(|()| None),
            Reading::Alert(description) => return Err(Tls::AlertReceived(description.into()).into()),
            // rustls finds the fault.
            Reading::EmptyRecord | Reading::TooLong => return self.judge.refuse(hello, Damage(None)).map(|()| None),
        };
        if self.decide.is_some() {
            let Some(accepted) = self.judge.accept(hello)? else { return Ok(None) };
            let Some(decide) = self.decide.take() else { return Ok(None) };
            let settled = settled::of_offer(&self.config, &offer);
            self.config = ask(decide, &accepted, &Settled { protocol: None, ..settled })?;
        }
        Ok(Some((Arc::clone(&self.config), settled::of_offer(&self.config, &offer))))
    }
}

/// Asks a host about a ClientHello that rustls has accepted.
pub(super) fn ask<Chosen>(
    decide: impl FnOnce(&HelloFacts<'_>) -> Result<Chosen>,
    accepted: &Accepted,
    settled: &Settled,
) -> Result<Chosen> {
    let hello = accepted.client_hello();
    decide(&HelloFacts {
        server_name: hello.server_name().map(without_dot),
        protocols: hello.alpn().map(Iterator::collect).unwrap_or_default(),
        settled,
    })
}

/// The judgement of rustls about a ClientHello, from a copy of it.
#[derive(Default)]
pub(super) struct Judge {
    acceptor: Acceptor,
    /// Bytes that the acceptor has been given.
    fed: usize,
}

impl Judge {
    /// Gives the acceptor what is new. Returns the ClientHello, once it is whole.
    pub(super) fn accept(&mut self, hello: &[u8]) -> Result<Option<Accepted>, Tls> {
        let mut fresh = hello.get(self.fed..).unwrap_or_default();
        while !fresh.is_empty() {
            match self.acceptor.read_tls(&mut fresh) {
                Ok(1..) => {}
                Ok(0) => break,
                Err(_) => return Err(Tls::General("a hello that cannot be read".to_owned())),
            }
            self.fed = hello.len() - fresh.len();
            if let Some(accepted) = self.acceptor.accept().map_err(|(error, _)| error)? {
                return Ok(Some(accepted));
            }
        }
        Ok(None)
    }

    /// Judges a hello that cannot be read here. Returns if rustls waits for more of it.
    ///
    /// # Errors
    /// That of rustls, or `MESSAGE_MALFORMED` for a hello that it accepts.
    pub(super) fn refuse(&mut self, hello: &[u8], damage: Damage) -> Result<(), Fault> {
        self.accept(hello)?.map_or(Ok(()), |_| Err(unread(damage).into()))
    }
}

/// The error for a hello with damage that rustls does not see.
pub(super) fn unread(Damage(extension): Damage) -> Error {
    let detail = match extension {
        Some(kind) => format!("its ClientHello has an extension {kind} that is damaged, or comes twice"),
        None => "its ClientHello is damaged".to_owned(),
    };
    Error::new(Code::MessageMalformed, detail)
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
