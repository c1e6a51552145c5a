//! The offer of a client: what its ClientHello says of versions, suites and groups (RFC 5246 section 7.4.1.2).

use brokertls_legacy_abi::{Fields, TICKET_OF_SHA384};
use rustls::pki_types::ServerName;

use crate::identity::without_dot;
use crate::policy::OfferedParts;
use crate::session::TicketTag;

use super::psk::PskHash;

/// Content types of records, and the handshake type of a ClientHello.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// Levels of alerts (RFC 5246 section 7.2).
const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// Most warnings before a ClientHello that are ignored. rustls has the same limit.
const MAX_WARNINGS: u8 = 4;

/// A pre-shared key with Diffie-Hellman (RFC 8446 section 4.2.9).
const PSK_DHE_KE: u8 = 1;

/// Most bytes of a ClientHello that are waited for.
const MAX_HELLO_BYTES: usize = 64 * 1024;

/// The offer of a client.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The versions on the wire. A client without the extension offers all up to its newest.
    pub(super) versions: Vec<u16>,
    pub(super) suites: Vec<u16>,
    pub(super) groups: Option<Vec<u16>>,
    pub(super) signatures: Option<Vec<u16>>,
    /// Those in certificates, if they are others (RFC 8446 section 4.2.3: signature_algorithms_cert).
    pub(super) certificate_signatures: Option<Vec<u16>>,
    /// In lower case and without the trailing dot; `None` for an address, which names no server.
    pub(crate) server_name: Option<String>,
    /// The application protocols, in its order.
    pub(crate) protocols: Vec<Vec<u8>>,
    /// The identities of pre-shared keys and of session tickets of TLS 1.3 (RFC 8446 section 4.2.11), in order.
    pub(super) identities: Vec<Offered>,
    /// True if the client takes a pre-shared key with Diffie-Hellman (RFC 8446 section 4.2.9: psk_dhe_ke).
    pub(super) keeps_forward_secrecy: bool,
}

/// An identity of TLS 1.3.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) identity: Box<[u8]>,
    /// True for a ticket: other identities have the age 0.
    pub(super) has_age: bool,
}

impl Offered {
    /// The hash of the session in a ticket that begins with this tag. None for another identity.
    pub(super) fn ticket_hash(&self, tag: Option<TicketTag>) -> Option<PskHash> {
        match self.identity.strip_prefix(&tag?)?.first()? {
            &TICKET_OF_SHA384 => Some(PskHash::Sha384),
            _ => Some(PskHash::Sha256),
        }
    }
}

/// The result of reading the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The ClientHello is not whole yet.
    Incomplete,
    Whole(Offer),
    /// It is no ClientHello, or one with this damage.
    Malformed(Damage),
    /// A record is empty, which none of a handshake may be (RFC 8446 section 5.1).
    EmptyRecord,
    /// The ClientHello is longer than any that is waited for.
    TooLong,
    /// The client ends the connection by an alert with this description.
    Alert(u8),
}

/// The part of a ClientHello that cannot be read: the extension of this type, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) Option<u16>);

/// Reads the ClientHello of a connection, each byte once.
#[derive(Debug, Default)]
pub(crate) struct HelloReader {
    /// Bytes of records that have been read.
    read: usize,
    /// Those before the ClientHello.
    start: usize,
    warnings: u8,
    /// The message, as far as it has come.
    message: Vec<u8>,
    /// Bytes that were looked at.
    #[cfg(test)]
    looked_at: usize,
}

impl HelloReader {
    /// Reads on in `tls`, which holds every byte of the connection so far, in whole records.
    pub(crate) fn read(&mut self, tls: &[u8]) -> Reading {
        let mut records = tls.get(self.read..).unwrap_or_default();
        while let [kind, 3, _, high, low, rest @ ..] = records {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some((fragment, rest)) = rest.split_at_checked(length) else { break };
            let end = tls.len() - rest.len();
            match (*kind, fragment) {
                (HANDSHAKE, []) => return Reading::EmptyRecord,
                (HANDSHAKE, _) => self.message.extend_from_slice(fragment),
                (ALERT, &[FATAL, description]) if self.message.is_empty() => return Reading::Alert(description),
                (ALERT, &[WARNING, _]) if self.message.is_empty() && self.warnings < MAX_WARNINGS => {
                    self.warnings += 1;
                    self.start = end;
                }
                _ => break,
            }
            self.read = end;
            records = rest;
            #[cfg(test)]
            {
                self.looked_at += 5 + length;
            }
        }
        match self.message.as_slice() {
            [CLIENT_HELLO, high, middle, low, body @ ..] => {
                let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
                match body.get(..length) {
                    Some(body) => Offer::of(body).map_or_else(Reading::Malformed, Reading::Whole),
                    None if length > MAX_HELLO_BYTES => Reading::TooLong,
                    None if !records.is_empty() => Reading::Malformed(Damage(None)),
                    None => Reading::Incomplete,
                }
            }
            [] | [CLIENT_HELLO, ..] if records.is_empty() => Reading::Incomplete,
            _ => Reading::Malformed(Damage(None)),
        }
    }

    /// Returns what [`read`](Self::read) was given without the warnings before the ClientHello.
    pub(crate) fn hello<'a>(&self, tls: &'a [u8]) -> &'a [u8] {
        tls.get(self.start..).unwrap_or_default()
    }
}

impl Offer {
    /// The parts that decide about versions and suites.
    pub(crate) fn offered(&self) -> OfferedParts<'_> {
        OfferedParts {
            versions: &self.versions,
            suites: &self.suites,
            groups: self.groups.as_deref(),
            signatures: self.signatures.as_deref(),
        }
    }

    /// The signature schemes that the client accepts in certificates.
    pub(crate) fn in_certificates(&self) -> &[u16] {
        self.certificate_signatures.as_ref().or(self.signatures.as_ref()).map(Vec::as_slice).unwrap_or_default()
    }

    fn of(body: &[u8]) -> Result<Self, Damage> {
        let (newest, suites, mut extensions) = parts(body).ok_or(Damage(None))?;
        let mut offer = Self { suites, ..Self::default() };
        let mut read = Vec::new();
        while !extensions.is_empty() {
            let kind = extensions.number().ok_or(Damage(None))?;
            let content = extensions.vector(2).ok_or(Damage(Some(kind)))?;
            // None comes twice (RFC 8446 section 4.2): the engine might believe the other one.
            if read.contains(&kind) {
                return Err(Damage(Some(kind)));
            }
            if offer.note(kind, content).ok_or(Damage(Some(kind)))? {
                read.push(kind);
            }
        }
        if offer.versions.is_empty() {
            offer.versions = (0x0301..=newest.min(0x0303)).rev().collect();
        }
        Ok(offer)
    }

    /// Reads one extension. Returns false for one that is not read here, and `None` for a damaged one.
    fn note(&mut self, kind: u16, content: &[u8]) -> Option<bool> {
        let mut content = Fields(content);
        match kind {
            0 => {
                let mut names = Fields(content.vector(2)?);
                if names.take(1)? == [0] {
                    self.server_name = host_name(names.vector(2)?);
                }
            }
            10 => self.groups = Some(numbers(content.vector(2)?)?),
            13 => self.signatures = Some(numbers(content.vector(2)?)?),
            16 => {
                let mut names = Fields(content.vector(2)?);
                while !names.is_empty() {
                    self.protocols.push(names.vector(1)?.to_vec());
                }
            }
            41 => {
                let mut identities = Fields(content.vector(2)?);
                while !identities.is_empty() {
                    let identity = Box::from(identities.vector(2)?);
                    let has_age = identities.take(4)? != [0; 4];
                    self.identities.push(Offered { identity, has_age });
                }
            }
            43 => self.versions = numbers(content.vector(1)?)?,
            50 => self.certificate_signatures = Some(numbers(content.vector(2)?)?),
            45 => self.keeps_forward_secrecy = content.vector(1)?.contains(&PSK_DHE_KE),
            _ => return Some(false),
        }
        Some(true)
    }
}

/// The newest version of a ClientHello without its extension, its suites, and its extensions.
fn parts(body: &[u8]) -> Option<(u16, Vec<u16>, Fields<'_>)> {
    let mut hello = Fields(body);
    let newest = hello.number()?;
    // Random and session ID.
    hello.take(32)?;
    hello.vector(1)?;
    let suites = numbers(hello.vector(2)?)?;
    // Compression methods.
    hello.vector(1)?;
    let extensions = if hello.is_empty() { &[] } else { hello.vector(2)? };
    hello.is_empty().then_some((newest, suites, Fields(extensions)))
}

/// The name of a host as rustls reads it: an address names none.
fn host_name(name: &[u8]) -> Option<String> {
    match ServerName::try_from(name).ok()? {
        ServerName::DnsName(name) => Some(without_dot(name.as_ref()).to_ascii_lowercase()),
        _ => None,
    }
}

fn numbers(bytes: &[u8]) -> Option<Vec<u16>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello of TLS 1.0 with one suite and the server name `a.b`.
    fn hello() -> Vec<u8> {
        let extension = [0, 0, 0, 8, 0, 6, 0, 0, 3, b'A', b'.', b'b'];
        let mut body = vec![3, 1];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0, 47, 1, 0, 0, 12]);
        body.extend(extension);
        let length = u8::try_from(body.len()).unwrap();
        [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
    }

    fn record(part: &[u8]) -> Vec<u8> {
        [&[22, 3, 1][..], &u16::try_from(part.len()).unwrap().to_be_bytes(), part].concat()
    }

    fn reading(tls: &[u8]) -> Reading {
        HelloReader::default().read(tls)
    }

    #[test]
    fn hello_in_two_records_reads_as_in_one() {
        let whole = hello();
        let expected =
            Offer { versions: vec![0x0301], suites: vec![47], server_name: Some("a.b".to_owned()), ..Offer::default() };
        assert_eq!(reading(&whole), Reading::Whole(expected));
        let (first, second) = whole[5..].split_at(9);
        let mut reader = HelloReader::default();
        assert_eq!(reader.read(&record(first)), Reading::Incomplete);
        assert_eq!(reader.read(&[record(first), record(second)].concat()), reading(&whole));
    }

    #[test]
    fn identities_of_tls13_are_read_with_their_ages() {
        let mut offer = Offer::default();
        let two = [0, 21, 0, 3, b'o', b'n', b'e', 0, 0, 0, 0, 0, 6, b't', b'i', b'c', b'k', b'e', b't', 0, 0, 0, 9];
        assert_eq!(offer.note(41, &[&two[..], &[0, 33, 32], &[7; 32]].concat()), Some(true));
        assert_eq!(offer.note(45, &[2, 0, 1]), Some(true));
        assert!(offer.keeps_forward_secrecy);
        let read: Vec<_> = offer.identities.iter().map(|one| (&*one.identity, one.has_age)).collect();
        assert_eq!(read, [(&b"one"[..], false), (b"ticket", true)]);
        assert_eq!(Offer::default().note(41, &two[..12]), None);
    }

    #[test]
    fn damaged_hello_is_malformed_and_never_a_panic() {
        let whole = hello();
        for at in 9..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                _ = reading(&damaged);
            }
        }
        let mut cut = whole;
        cut[8] -= 1;
        assert_eq!(reading(&cut), Reading::Malformed(Damage(None)));
        assert_eq!(reading(&[23, 3, 3, 0, 1, 9]), Reading::Malformed(Damage(None)));
        assert_eq!(reading(&[]), Reading::Incomplete);
    }

    #[test]
    fn hello_in_records_of_one_byte_is_looked_at_once() {
        let length: u16 = 60_000;
        let message = [&[1, 0][..], &length.to_be_bytes(), &[0; 60_000]].concat();
        let mut reader = HelloReader::default();
        let mut tls = Vec::new();
        for byte in &message[..message.len() - 1] {
            tls.extend(record(&[*byte]));
            assert_eq!(reader.read(&tls), Reading::Incomplete);
        }
        assert_eq!(reader.looked_at, tls.len());
    }

    #[test]
    fn hello_that_is_too_long_or_has_an_empty_record_is_refused_at_once() {
        assert_eq!(reading(&record(&[1, 1, 0, 1])), Reading::TooLong);
        assert_eq!(reading(&record(&[1, 0xff, 0xff, 0xff])), Reading::TooLong);
        assert_eq!(reading(&[record(&[1]), record(&[])].concat()), Reading::EmptyRecord);
        assert_eq!(reading(&record(&[])), Reading::EmptyRecord);
    }

    #[test]
    fn server_name_is_that_of_rustls() {
        for (sent, read) in [
            (&b"Broker.Example"[..], Some("broker.example")),
            (b"broker.example.", Some("broker.example")),
            (b"127.0.0.1", None),
            (b"::1", None),
            (b"broker.example:8883", None),
            (b"br\xc3\xbccke", None),
            (b"", None),
        ] {
            assert_eq!(host_name(sent).as_deref(), read, "{}", sent.escape_ascii());
        }
    }
}
