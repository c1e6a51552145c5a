//! Files of pre-shared keys: a line with an identity, a separator and a secret for each client.
//!
//! | | `hex`, as in mosquitto | `text`, as in EMQX |
//! |---|---|---|
//! | secret | pairs of hexadecimal digits | its bytes as they stand |
//! | separator that counts | the last of the line | the first of the line |
//! | `#` at the start | a comment | a part of the identity |
//! | blanks around the parts | removed | kept |
//! | an identity again | refused | replaces the earlier one |
//!
//! In both, lines end with LF or CRLF, empty lines and a byte-order mark are skipped, and a secret has 1 to 256 bytes.

use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

use super::key::{MAX_SECRET_BYTES, Psk, PskCallback, PskFormat, PskHash, check_identity, check_secret};
use super::keys::Psks;
use super::table::{Added, Table};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text between an identity and its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Separator(Box<str>);

impl Default for Separator {
    fn default() -> Self {
        Self(":".into())
    }
}

impl Separator {
    /// # Errors
    /// `INVALID_ARGUMENT` for a text that a line or a secret may have elsewhere.
    pub(crate) fn new(text: &str) -> Result<Self> {
        if text.is_empty() || text.contains(['\n', '\r', '\0']) || text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let detail = format!("\"{}\" is no psk-separator", text.escape_debug());
            return Err(Error::new(Code::InvalidArgument, detail));
        }
        Ok(Self(text.into()))
    }

    fn split<'a>(&self, line: &'a [u8], format: PskFormat) -> Option<(&'a [u8], &'a [u8])> {
        let separator = self.0.as_bytes();
        let at = match format {
            PskFormat::Hex => memchr::memmem::rfind(line, separator)?,
            PskFormat::Text => memchr::memmem::find(line, separator)?,
        };
        Some((&line[..at], &line[at + separator.len()..]))
    }
}

/// Reads the keys of a context.
pub(crate) struct PskReader<'a> {
    format: PskFormat,
    separator: Separator,
    hash: PskHash,
    file: Option<(Zeroizing<Vec<u8>>, String)>,
    keys: &'a [(Box<[u8]>, Psk)],
}

impl<'a> PskReader<'a> {
    /// Makes a reader of files with this form and separator. Their keys have this hash.
    pub(crate) fn new(format: PskFormat, separator: Option<Separator>, hash: PskHash) -> Self {
        Self { format, separator: separator.unwrap_or_default(), hash, file: None, keys: &[] }
    }

    /// Adds the content of a file.
    pub(crate) fn file(&mut self, text: Zeroizing<Vec<u8>>, place: &str) {
        self.file = Some((text, place.to_owned()));
    }

    /// Adds keys that are in memory.
    pub(crate) fn keys(&mut self, keys: &'a [(Box<[u8]>, Psk)]) {
        self.keys = keys;
    }

    /// # Errors
    /// `PSK_MALFORMED`, with the number of the line and nothing of its secret.
    pub(crate) fn finish(self, callback: Option<PskCallback>) -> Result<Psks> {
        let format = self.format;
        Psks::new(self.table()?, callback, format)
    }

    fn table(self) -> Result<Table> {
        let of_file = self.file.as_ref().map_or(0, |(text, _)| self.bytes_of(text));
        let of_keys: usize = self.keys.iter().map(|(identity, key)| identity.len() + key.secret.len()).sum();
        let mut table = Table::with_room(of_file + of_keys);
        for (number, (identity, key)) in (1..).zip(self.keys) {
            let malformed = |why: &str| Error::new(Code::PskMalformed, format!("key {number}: {why}"));
            check_identity(identity).map_err(malformed)?;
            added(table.add(identity, &key.secret, key.hash, false)).map_err(malformed)?;
        }
        if let Some((text, place)) = &self.file {
            self.read(text, &mut table).map_err(|error| error.at(place.clone()))?;
        }
        Ok(table)
    }

    /// The most bytes that the keys of a file take.
    fn bytes_of(&self, text: &[u8]) -> usize {
        let of_line = |line| {
            let (identity, secret) = self.separator.split(line, self.format)?;
            Some(identity.len() + if self.format == PskFormat::Hex { secret.len().div_ceil(2) } else { secret.len() })
        };
        text.split(|byte| *byte == b'\n').filter_map(of_line).sum()
    }

    fn read(&self, text: &[u8], table: &mut Table) -> Result<()> {
        let before = table.len();
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let mut secret = Zeroizing::new([0_u8; MAX_SECRET_BYTES]);
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.line(line, &mut secret, table)
                .map_err(|why| Error::new(Code::PskMalformed, format!("line {number}: {why}")))?;
        }
        match table.len() == before {
            true => Err(Error::new(Code::PskMalformed, "no line has a secret")),
            false => Ok(()),
        }
    }

    /// Reads a line. The error has nothing of it.
    fn line(&self, line: &[u8], room: &mut [u8; MAX_SECRET_BYTES], table: &mut Table) -> Result<(), &'static str> {
        let is_hex = self.format == PskFormat::Hex;
        let line = if is_hex { line.trim_ascii() } else { line };
        if line.is_empty() || is_hex && line.starts_with(b"#") {
            return Ok(());
        }
        if line.contains(&b'\r') {
            return Err("a carriage return inside the line; lines end with LF or CRLF");
        }
        let (identity, secret) = self.separator.split(line, self.format).ok_or("no separator")?;
        let (identity, secret) = match self.format {
            PskFormat::Hex => (identity.trim_ascii(), unhex(secret.trim_ascii(), room)?),
            PskFormat::Text => (identity, secret),
        };
        check_identity(identity)?;
        check_secret(secret)?;
        added(table.add(identity, secret, self.hash, !is_hex))
    }
}

fn added(added: Added) -> Result<(), &'static str> {
    match added {
        Added::New => Ok(()),
        Added::Repeated => Err("the identity has a key already"),
        Added::Full => Err("more bytes of keys than fit"),
    }
}

/// Puts the bytes of hexadecimal digits into `room`, which leaves no copy of them elsewhere.
fn unhex<'a>(text: &[u8], room: &'a mut [u8; MAX_SECRET_BYTES]) -> Result<&'a [u8], &'static str> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if !text.iter().all(u8::is_ascii_hexdigit) {
        return Err("the secret has a character that is no hexadecimal digit");
    }
    if !rest.is_empty() {
        return Err("the secret has an odd number of hexadecimal digits");
    }
    let room = room.get_mut(..pairs.len()).ok_or("the secret is longer than 256 bytes")?;
    for (byte, [high, low]) in room.iter_mut().zip(pairs) {
        *byte = digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0);
    }
    Ok(room)
}

/// The facts of a file of keys: no identity and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PskSummary {
    /// The number of keys.
    pub count: usize,
    /// The number of lines that later ones replace.
    pub replaced: usize,
    /// The length of the shortest and of the longest identity, in bytes.
    pub identity_bytes: (usize, usize),
    /// The lengths of the secrets in bytes, each with the number of keys.
    pub secret_bytes: Vec<(usize, usize)>,
    /// The lines that a context would log.
    pub warnings: Vec<String>,
}

impl PskSummary {
    /// Reads the content of a file, which messages name `place`.
    ///
    /// # Errors
    /// `PSK_MALFORMED` as for a context, and `INVALID_ARGUMENT` for a text that is no separator.
    pub fn read(content: Zeroizing<Vec<u8>>, place: &str, format: PskFormat, separator: Option<&str>) -> Result<Self> {
        let mut reader = PskReader::new(format, separator.map(Separator::new).transpose()?, PskHash::default());
        reader.file(content, place);
        let psks = reader.finish(None)?;
        let table = psks.table();
        Ok(Self {
            count: table.len(),
            replaced: table.replaced(),
            identity_bytes: table.identity_lengths().unwrap_or_default(),
            secret_bytes: table.lengths().collect(),
            warnings: psks.warnings(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: PskFormat, separator: Option<&str>, text: &[u8]) -> Result<Psks> {
        let mut reader = PskReader::new(format, separator.map(|text| Separator::new(text).unwrap()), PskHash::Sha256);
        reader.file(text.to_vec().into(), "init.psk");
        reader.finish(None)
    }

    fn secret_of(psks: &Psks, identity: &str) -> Option<Vec<u8>> {
        psks.table().get(identity.as_bytes()).map(|(secret, _)| secret.to_vec())
    }

    #[test]
    fn hexadecimal_file_has_comments_blanks_and_identities_with_the_separator() {
        let text = b"\xef\xbb\xbf# fleet\nurn:dev:1:0aFF\r\n\n two words : 00 \n#one:11\n";
        let psks = read(PskFormat::Hex, None, text).unwrap();
        assert_eq!(secret_of(&psks, "urn:dev:1"), Some(vec![0x0a, 0xff]));
        assert_eq!(secret_of(&psks, "two words"), Some(vec![0]));
        assert_eq!((psks.table().len(), secret_of(&psks, "#one")), (2, None));
    }

    #[test]
    fn text_file_is_read_as_emqx_does() {
        let text = b"myclient1:8c70:11\r\n#two: spaced \nmyclient1:later\nlast:one";
        let psks = read(PskFormat::Text, None, text).unwrap();
        assert_eq!(secret_of(&psks, "myclient1"), Some(b"later".to_vec()));
        assert_eq!(secret_of(&psks, "#two"), Some(b" spaced ".to_vec()));
        assert_eq!(secret_of(&psks, "last"), Some(b"one".to_vec()));
        assert!(psks.warnings().contains(&"pre-shared keys: 1 lines are replaced by later ones".to_owned()));
        let first = read(PskFormat::Text, None, b"myclient1:8c70:11\n").unwrap();
        assert_eq!(secret_of(&first, "myclient1"), Some(b"8c70:11".to_vec()));
    }

    #[test]
    fn separator_may_be_any_text_that_is_no_digit() {
        let psks = read(PskFormat::Hex, Some("=>"), b"one=>00ff\n").unwrap();
        assert_eq!(secret_of(&psks, "one"), Some(vec![0, 0xff]));
        let psks = read(PskFormat::Text, Some(","), b"one:1,se,cret\n").unwrap();
        assert_eq!(secret_of(&psks, "one:1"), Some(b"se,cret".to_vec()));
        for text in ["", "\n", "a", "0f"] {
            assert_eq!(Separator::new(text).unwrap_err().code(), Code::InvalidArgument, "{text:?}");
        }
    }

    #[test]
    fn malformed_line_is_refused_by_its_number_and_shows_no_secret() {
        let long_identity = format!("{}:00", "i".repeat(257));
        let long_secret = format!("one:{}", "5e".repeat(257));
        for (text, detail) in [
            ("one:00\nsecret\n", "line 2: no separator"),
            ("one:5e5g", "line 1: the secret has a character that is no hexadecimal digit"),
            ("one:5e5", "line 1: the secret has an odd number of hexadecimal digits"),
            (":00", "line 1: the identity is empty"),
            (&long_identity, "line 1: the identity is longer than 256 bytes"),
            ("one:", "line 1: the secret is empty"),
            (&long_secret, "line 1: the secret is longer than 256 bytes"),
            ("o\0ne:00", "line 1: a zero byte in the identity"),
            ("one:00\rtwo:11\r", "line 1: a carriage return inside the line; lines end with LF or CRLF"),
            ("one:00\none:11", "line 2: the identity has a key already"),
            ("\n# nothing\n", "no line has a secret"),
            ("", "no line has a secret"),
        ] {
            let error = read(PskFormat::Hex, None, text.as_bytes()).unwrap_err();
            let detail = format!("init.psk: {detail}");
            assert_eq!((error.code(), error.detail()), (Code::PskMalformed, &*detail), "{text}");
            assert!(!format!("{error:?} {error}").contains("5e5"), "{error:?}");
        }
        let error = read(PskFormat::Text, None, b"one:secret\n\ntwo\n").unwrap_err();
        assert_eq!(error.detail(), "init.psk: line 3: no separator");
    }

    #[test]
    fn key_in_memory_and_in_the_file_is_refused() {
        let keys = [(Box::from(&b"one"[..]), Psk::new(b"secret").unwrap())];
        let mut reader = PskReader::new(PskFormat::Text, None, PskHash::Sha256);
        reader.keys(&keys);
        let psks = reader.finish(None).unwrap();
        assert_eq!(secret_of(&psks, "one"), Some(b"secret".to_vec()));
        let twice = [keys[0].clone(), keys[0].clone()];
        let mut reader = PskReader::new(PskFormat::Hex, None, PskHash::Sha256);
        reader.keys(&twice);
        assert_eq!(reader.finish(None).unwrap_err().detail(), "key 2: the identity has a key already");
        let mut reader = PskReader::new(PskFormat::Hex, None, PskHash::Sha256);
        reader.keys(&keys);
        reader.file(b"one:00".to_vec().into(), "init.psk");
        assert_eq!(reader.finish(None).unwrap_err().detail(), "init.psk: line 1: the identity has a key already");
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_never_a_panic() {
        let mut state = 7_u32;
        for _ in 0..2000 {
            let mut text = b"one:00ff\r\n#two:11\nthree:2222".to_vec();
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 16) as usize % text.len();
                text[at] = (state >> 8) as u8;
            }
            _ = read(PskFormat::Hex, None, &text);
            _ = read(PskFormat::Text, None, &text);
        }
    }

    #[test]
    fn summary_counts_keys_and_lengths() {
        let text = b"one:00112233445566778899aabbccddeeff\nfour:00ff\nsix:11ff\n";
        let summary = PskSummary::read(text.to_vec().into(), "init.psk", PskFormat::Hex, None).unwrap();
        assert_eq!((summary.count, summary.identity_bytes), (3, (3, 4)));
        assert_eq!(summary.secret_bytes, [(2, 2), (16, 1)]);
        assert_eq!(summary.warnings.len(), 1);
    }
}
