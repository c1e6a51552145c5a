//! The keys of a context: those of its table, and those of its callback.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::random;
use crate::verify::HandshakeNotes;

use super::key::{Psk, PskCallback, PskFormat, PskHash, PskRequest};
use super::table::Table;

/// The length in bytes below which a secret can be guessed (RFC 9257 section 6.1).
const SHORT_SECRET_BYTES: usize = 16;

/// The length in bytes of the secret of an unknown identity, if only a callback knows the keys.
const USUAL_SECRET_BYTES: usize = 32;

/// The keys of a context.
pub(crate) struct Psks {
    table: Table,
    callback: Option<PskCallback>,
    format: PskFormat,
    /// The identity of this side as a client. No client here has it: a connection that is sent back to its own context
    /// must not be accepted (RFC 9257 section 4.1).
    own: Option<Box<[u8]>>,
    /// Makes the secret of an identity that is not known.
    decoy: hmac::Key,
    decoy_length: usize,
    /// Makes the mark of a secret.
    marks: hmac::Key,
}

impl fmt::Debug for Psks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Psks").field("count", &self.table.len()).finish_non_exhaustive()
    }
}

/// The length of a mark, in bytes.
pub(in crate::legacy) const MARK_BYTES: usize = 32;

/// A value by which a ticket knows the secret that its session was made with.
pub(in crate::legacy) type Mark = [u8; MARK_BYTES];

/// The answer to the question for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The length of the secret.
    pub(in crate::legacy) length: usize,
    pub(in crate::legacy) hash: PskHash,
    /// The mark of the secret.
    pub(in crate::legacy) mark: Mark,
    /// False for a secret that no client has.
    pub(in crate::legacy) is_known: bool,
}

impl Psks {
    pub(super) fn new(table: Table, callback: Option<PskCallback>, format: PskFormat) -> Result<Self> {
        let key = || {
            let mut secret = Zeroizing::new([0; MARK_BYTES]);
            random::fill(&mut *secret)
                .map(|()| hmac::Key::new(hmac::HMAC_SHA256, &*secret))
                .map_err(|_| Error::new(Code::Internal, "the system gives no random bytes"))
        };
        let (decoy, marks) = (key()?, key()?);
        // A shorter one could be guessed, and costs as many blocks of a hash.
        let decoy_length = table.usual_length().unwrap_or(USUAL_SECRET_BYTES).max(SHORT_SECRET_BYTES);
        Ok(Self { table, callback, format, own: None, decoy, decoy_length, marks })
    }

    /// With the identity of this side as a client.
    pub(crate) fn with_own(self, own: Option<&[u8]>) -> Self {
        Self { own: own.map(Box::from), ..self }
    }

    /// Returns true for the identity of this side as a client.
    pub(super) fn is_own(&self, identity: &[u8]) -> bool {
        self.own.as_deref() == Some(identity)
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// Returns true if a callback knows further keys.
    pub(super) fn has_callback(&self) -> bool {
        self.callback.is_some()
    }

    /// The lines of the log about keys that weaken the context.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let short = self.table.shorter_than(SHORT_SECRET_BYTES);
        let mut lines = Vec::new();
        if short > 0 {
            lines
                .push(format!("pre-shared keys: {short} have less than {SHORT_SECRET_BYTES} bytes and can be guessed"));
        }
        if self.table.replaced() > 0 {
            lines.push(format!("pre-shared keys: {} lines are replaced by later ones", self.table.replaced()));
        }
        lines
    }

    /// Puts the secret of an identity into `room`, in TLS 1.2 and older versions.
    ///
    /// An unknown identity has a random secret, the same each time, of the length that most keys have. On the wire and
    /// in time, it looks like a wrong secret.
    ///
    /// # Errors
    /// `PSK_UNAVAILABLE` if the callback fails.
    pub(in crate::legacy) fn secret(&self, identity: &[u8], room: &mut [u8]) -> Result<Given> {
        // Made for known identities too, so that the time does not say which they are.
        let decoy = self.decoy_of(identity)?;
        let found = match self.is_own(identity) {
            true => None,
            false => self.find(identity)?,
        };
        let (secret, hash, is_known) = match &found {
            Some(key) => (&**key.secret, key.hash, true),
            None => (decoy.as_slice(), PskHash::default(), false),
        };
        let Some(room) = room.get_mut(..secret.len()) else {
            return Err(Error::new(Code::Internal, "no room for a secret"));
        };
        room.copy_from_slice(secret);
        Ok(Given { length: secret.len(), hash, mark: self.mark_of(secret)?, is_known })
    }

    /// The mark of a secret.
    pub(super) fn mark_of(&self, secret: &[u8]) -> Result<Mark> {
        signed(&self.marks, secret).map(|mark| *mark)
    }

    /// The key of an identity: of the table, otherwise of the callback.
    pub(super) fn find(&self, identity: &[u8]) -> Result<Option<Psk>> {
        if let Some((secret, hash)) = self.table.get(identity) {
            return Ok(Some(Psk { secret: Zeroizing::new(Box::from(secret)), hash }));
        }
        let Some(callback) = &self.callback else { return Ok(None) };
        let (connection_id, user) = HandshakeNotes::numbers();
        let request = PskRequest { identity, connection_id, user };
        HandshakeNotes::aside(|| callback(&request)).map_err(|why| Error::new(Code::PskUnavailable, why))
    }

    /// The secret of an identity that is not known.
    pub(super) fn decoy_of(&self, identity: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut secret = Zeroizing::new(Vec::with_capacity(self.decoy_length + MARK_BYTES));
        secret.extend_from_slice(&*signed(&self.decoy, identity)?);
        while secret.len() < self.decoy_length {
            let block = signed(&self.decoy, &secret[secret.len() - MARK_BYTES..])?;
            secret.extend_from_slice(&*block);
        }
        secret.truncate(self.decoy_length);
        Ok(secret)
    }

    /// The hint for a client that has another secret than this identity here, if a likely reason is known.
    pub(in crate::legacy) fn hint(&self, identity: &[u8]) -> Option<&'static str> {
        let (secret, _) = self.table.get(identity)?;
        match self.format {
            PskFormat::Hex => Some(
                "Compare the client's secret with the line of its identity. In a file of EMQX, the secret is text: set \
                 psk-format to text for it.",
            ),
            PskFormat::Text if secret.len().is_multiple_of(2) && secret.iter().all(u8::is_ascii_hexdigit) => Some(
                "Compare the client's secret with the line of its identity. If the client reads its digits as \
                 hexadecimal, as with mosquitto, set psk-format to hex.",
            ),
            PskFormat::Text => None,
        }
    }
}

/// HMAC-SHA256.
fn signed(key: &hmac::Key, content: &[u8]) -> Result<Zeroizing<Mark>> {
    let mut signed = Zeroizing::new([0; MARK_BYTES]);
    match hmac::sign_to_buffer(key, content, &mut *signed) {
        Ok(_) => Ok(signed),
        Err(_) => Err(Error::new(Code::Internal, "no room for an HMAC")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::MAX_SECRET_BYTES;
    use super::*;

    /// Keys with secrets of these lengths, called by their numbers from 0 on.
    fn psks(lengths: &[usize]) -> Psks {
        let mut table = Table::with_room(1000);
        for (number, length) in lengths.iter().enumerate() {
            table.add(number.to_string().as_bytes(), &vec![7; *length], PskHash::Sha256, false);
        }
        Psks::new(table, None, PskFormat::Hex).unwrap()
    }

    /// The blocks of SHA-256 that the hash of a premaster secret as an HMAC key takes (RFC 4279 section 2, RFC 2104).
    fn blocks(secret: usize) -> usize {
        let premaster = 2 + secret + 2 + secret;
        if premaster <= 64 { 0 } else { (premaster + 9).div_ceil(64) }
    }

    #[test]
    fn unknown_identity_has_a_steady_secret_that_costs_what_most_keys_cost() {
        let psks = psks(&[16, 16, 1]);
        let mut room = [0; MAX_SECRET_BYTES];
        let known = psks.secret(b"0", &mut room).unwrap();
        let unknown = psks.secret(b"unknown", &mut room).unwrap();
        assert_eq!((known.is_known, unknown.is_known), (true, false));
        assert_eq!(blocks(unknown.length), blocks(known.length));
        let first = room;
        assert_eq!(psks.secret(b"unknown", &mut room).unwrap(), unknown);
        assert_eq!(first, room);
        psks.secret(b"another", &mut room).unwrap();
        assert_ne!(first, room);
    }

    #[test]
    fn secret_of_an_unknown_identity_is_as_long_as_the_keys_are_and_never_short_enough_to_be_guessed() {
        for (usual, length) in [(1, 16), (15, 16), (16, 16), (31, 31), (32, 32), (33, 33), (64, 64), (256, 256)] {
            let psks = psks(&[usual]);
            let given = psks.secret(b"unknown", &mut [0; MAX_SECRET_BYTES]).unwrap();
            assert_eq!((given.length, given.hash, given.is_known), (length, PskHash::Sha256, false));
            assert_eq!(blocks(length), blocks(usual));
        }
    }

    #[test]
    fn short_secrets_are_counted_in_a_warning_without_their_identities() {
        let warnings = psks(&[2, 16]).warnings();
        assert_eq!(warnings, ["pre-shared keys: 1 have less than 16 bytes and can be guessed"]);
    }
}
