//! The offer of a client: what its ClientHello says of versions, suites and groups (RFC 5246 section 7.4.1.2).

/// Content type of a handshake record, and handshake type of a ClientHello.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// Most bytes of a ClientHello that are waited for.
const MAX_HELLO_BYTES: usize = 64 * 1024;

/// The offer of a client.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The versions on the wire. A client without the extension offers all up to its newest.
    pub(super) versions: Vec<u16>,
    pub(super) suites: Vec<u16>,
    pub(super) groups: Vec<u16>,
    /// True if the client names signature algorithms, as all of TLS 1.2 do that are not of its first years.
    pub(super) names_signatures: bool,
    pub(super) server_name: Option<String>,
}

/// The result of reading the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The ClientHello is not whole yet.
    Incomplete,
    Whole(Offer),
    /// It is no ClientHello.
    Malformed,
}

impl Reading {
    /// Reads the ClientHello at the start of `tls`, which holds whole records.
    pub(crate) fn of(tls: &[u8]) -> Self {
        let mut message = Vec::new();
        let mut records = tls;
        while let [kind, 3, _, high, low, rest @ ..] = records {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some((fragment, rest)) = rest.split_at_checked(length).filter(|_| *kind == HANDSHAKE) else { break };
            message.extend_from_slice(fragment);
            records = rest;
        }
        match message.as_slice() {
            [CLIENT_HELLO, high, middle, low, body @ ..] => {
                let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
                match body.get(..length) {
                    Some(body) => Offer::of(body).map_or(Self::Malformed, Self::Whole),
                    None if length > MAX_HELLO_BYTES || !records.is_empty() => Self::Malformed,
                    None => Self::Incomplete,
                }
            }
            [] | [CLIENT_HELLO, ..] if records.is_empty() => Self::Incomplete,
            _ => Self::Malformed,
        }
    }
}

impl Offer {
    fn of(body: &[u8]) -> Option<Self> {
        let mut hello = Fields(body);
        let newest = hello.number()?;
        hello.take(32)?;
        hello.vector(1)?;
        let suites = numbers(hello.vector(2)?)?;
        hello.vector(1)?;
        let mut offer = Self { suites, ..Self::default() };
        let mut extensions = match hello.0.is_empty() {
            true => Fields(&[]),
            false => Fields(hello.vector(2)?),
        };
        while !extensions.0.is_empty() {
            let kind = extensions.number()?;
            offer.note(kind, extensions.vector(2)?)?;
        }
        if offer.versions.is_empty() {
            offer.versions = (0x0301..=newest.min(0x0303)).rev().collect();
        }
        Some(offer)
    }

    fn note(&mut self, kind: u16, content: &[u8]) -> Option<()> {
        let mut content = Fields(content);
        match kind {
            0 => {
                let mut names = Fields(content.vector(2)?);
                if names.take(1)? == [0] {
                    self.server_name = std::str::from_utf8(names.vector(2)?).ok().map(str::to_ascii_lowercase);
                }
            }
            10 => self.groups = numbers(content.vector(2)?)?,
            13 => self.names_signatures = true,
            43 => self.versions = numbers(content.vector(1)?)?,
            _ => {}
        }
        Some(())
    }
}

fn numbers(bytes: &[u8]) -> Option<Vec<u16>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

/// Reads fields from the front of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes)
    }

    /// Bytes after their length, which has this many bytes.
    fn vector(&mut self, length_bytes: usize) -> Option<&'a [u8]> {
        let length = self.take(length_bytes)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        self.take(length)
    }
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

    #[test]
    fn hello_in_two_records_reads_as_in_one() {
        let whole = hello();
        let expected =
            Offer { versions: vec![0x0301], suites: vec![47], server_name: Some("a.b".to_owned()), ..Offer::default() };
        assert_eq!(Reading::of(&whole), Reading::Whole(expected));
        let (first, second) = whole[5..].split_at(9);
        let record = |part: &[u8]| [&[22, 3, 1, 0, u8::try_from(part.len()).unwrap()][..], part].concat();
        assert_eq!(Reading::of(&record(first)), Reading::Incomplete);
        assert_eq!(Reading::of(&[record(first), record(second)].concat()), Reading::of(&whole));
    }

    #[test]
    fn damaged_hello_is_malformed_and_never_a_panic() {
        let whole = hello();
        for at in 9..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                _ = Reading::of(&damaged);
            }
        }
        let mut cut = whole;
        cut[8] -= 1;
        assert_eq!(Reading::of(&cut), Reading::Malformed);
        assert_eq!(Reading::of(&[23, 3, 3, 0, 1, 9]), Reading::Malformed);
        assert_eq!(Reading::of(&[]), Reading::Incomplete);
    }
}
