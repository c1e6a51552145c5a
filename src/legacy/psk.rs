//! Pre-shared keys by identity (RFC 4279).

use std::collections::HashMap;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// The longest identity and secret, in bytes, that OpenSSL takes.
const MAX_IDENTITY_BYTES: usize = 256;
const MAX_SECRET_BYTES: usize = 256;

/// The secrets of a context.
pub(crate) struct Psks {
    secrets: HashMap<Box<[u8]>, Zeroizing<Box<[u8]>>>,
    /// Makes the secret of an identity that is not known.
    decoy: hmac::Key,
}

impl std::fmt::Debug for Psks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Psks").field("count", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl Psks {
    /// Reads lines of an identity, a colon and a secret in hexadecimal digits. Empty lines and lines that start with
    /// `#` are skipped.
    ///
    /// # Errors
    /// `PSK_MALFORMED`, with the number of the line and nothing of its text.
    pub(crate) fn read(text: &[u8], place: &str) -> Result<Self> {
        let mut secrets = HashMap::new();
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let malformed =
                |why: &str| Error::new(Code::PskMalformed, format!("line {number}: {why}")).at(place.to_owned());
            let colon = line.iter().rposition(|byte| *byte == b':').ok_or_else(|| malformed("no colon"))?;
            let (identity, secret) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
            if identity.is_empty() || identity.len() > MAX_IDENTITY_BYTES {
                return Err(malformed("the identity is empty or longer than 256 bytes"));
            }
            let secret = unhex(secret).ok_or_else(|| malformed("the secret is not in pairs of hexadecimal digits"))?;
            if secret.is_empty() || secret.len() > MAX_SECRET_BYTES {
                return Err(malformed("the secret is empty or longer than 256 bytes"));
            }
            if secrets.insert(Box::from(identity), secret).is_some() {
                return Err(malformed("the identity is in an earlier line"));
            }
        }
        match secrets.is_empty() {
            true => Err(Error::new(Code::PskMalformed, "no line has a secret").at(place.to_owned())),
            false => Ok(Self { secrets, decoy: decoy()? }),
        }
    }

    /// Puts the secret of an identity into `room`. Returns its length, and if the identity is known.
    ///
    /// An unknown identity has a random secret, the same each time. On the wire, it looks like a wrong secret.
    pub(super) fn secret(&self, identity: &[u8], room: &mut [u8]) -> (usize, bool) {
        let made = hmac::sign(&self.decoy, identity);
        let (secret, is_known): (&[u8], bool) = match self.secrets.get(identity) {
            Some(secret) => (&**secret, true),
            None => (made.as_ref(), false),
        };
        match room.get_mut(..secret.len()) {
            Some(room) => room.copy_from_slice(secret),
            None => return (0, false),
        }
        (secret.len(), is_known)
    }
}

fn decoy() -> Result<hmac::Key> {
    let random = aws_lc_rs::rand::SystemRandom::new();
    hmac::Key::generate(hmac::HMAC_SHA256, &random)
        .map_err(|_| Error::new(Code::Internal, "the system gives no random bytes"))
}

fn unhex(text: &[u8]) -> Option<Zeroizing<Box<[u8]>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes: Option<Box<[u8]>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes.map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_may_have_a_colon_and_an_unknown_one_has_a_steady_secret() {
        let psks = Psks::read(b"# fleet\nurn:dev:1:0aFF\r\n\ntwo:00\n", "init.psk").unwrap();
        let mut room = [0; 256];
        assert_eq!(psks.secret(b"urn:dev:1", &mut room), (2, true));
        assert_eq!(room[..2], [0x0a, 0xff]);
        let (length, is_known) = psks.secret(b"unknown", &mut room);
        let first = room;
        assert_eq!((length, is_known, psks.secret(b"unknown", &mut room)), (32, false, (32, false)));
        assert_eq!(first, room);
    }

    #[test]
    fn malformed_line_is_refused_by_its_number_and_shows_no_secret() {
        for (text, detail) in [
            ("one:00\nsecret\n", "line 2: no colon"),
            ("one:0g", "line 1: the secret is not in pairs of hexadecimal digits"),
            ("one:000", "line 1: the secret is not in pairs of hexadecimal digits"),
            (":00", "line 1: the identity is empty or longer than 256 bytes"),
            ("one:", "line 1: the secret is empty or longer than 256 bytes"),
            ("one:00\none:11", "line 2: the identity is in an earlier line"),
            ("\n", "no line has a secret"),
        ] {
            let error = Psks::read(text.as_bytes(), "init.psk").unwrap_err();
            let detail = format!("init.psk: {detail}");
            assert_eq!((error.code(), error.detail()), (Code::PskMalformed, &*detail), "{text}");
        }
    }
}
