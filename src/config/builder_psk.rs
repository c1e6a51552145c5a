//! The methods of the builder for pre-shared keys, which the second engine serves.

use crate::error::Result;
use crate::legacy::{Psk, PskCallback, PskClientCallback, PskFormat, PskHash, Separator};

use super::builder::ContextBuilder;
use super::source::Source;

impl ContextBuilder {
    /// Sets the file with the pre-shared keys of clients: a line of `IDENTITY:SECRET` for each. A reload reads it
    /// again.
    pub fn psk_file(&mut self, file: Source) -> &mut Self {
        self.spec.legacy.psk.file = Some(file);
        self
    }

    /// Sets the form of the secrets in the file. Default: hexadecimal digits.
    pub fn psk_format(&mut self, format: PskFormat) -> &mut Self {
        self.spec.legacy.psk.format = Some(format);
        self
    }

    /// Sets the text between an identity and its secret in the file. Default: a colon.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an empty text, one of hexadecimal digits alone, and one with a line end or a zero byte.
    pub fn psk_separator(&mut self, separator: &str) -> Result<&mut Self> {
        self.spec.legacy.psk.separator = Some(Separator::new(separator)?);
        Ok(self)
    }

    /// Sets the hash of the keys of the file in TLS 1.3. Default: SHA-256.
    pub fn psk_hash(&mut self, hash: PskHash) -> &mut Self {
        self.spec.legacy.psk.hash = Some(hash);
        self
    }

    /// Adds a pre-shared key of a client. An identity has 1 to 256 bytes and no zero byte.
    pub fn psk(&mut self, identity: &[u8], key: Psk) -> &mut Self {
        self.spec.legacy.psk.keys.push((Box::from(identity), key));
        self
    }

    /// Sets a callback that returns the key of an identity without a key here. `may_block` makes handshakes run as
    /// tasks. It is called once for each handshake up to TLS 1.2, and for at most 4 identities in TLS 1.3. A session
    /// that is to be resumed calls it once more.
    pub fn psk_callback(&mut self, callback: PskCallback, may_block: bool) -> &mut Self {
        self.spec.legacy.psk.callback = Some(callback);
        self.spec.legacy.psk.blocks |= may_block;
        self
    }

    /// Sets the identity of this side in connections to servers: they offer its key, which is that of the file, of
    /// [`ContextBuilder::psk`] or of the callback. Default: none, so that these connections have no key.
    pub fn psk_identity(&mut self, identity: &[u8]) -> &mut Self {
        self.spec.legacy.psk.own_identity = Some(Box::from(identity));
        self
    }

    /// Sets a callback that gives the identity and the key of this side in connections to servers. `may_block` makes
    /// handshakes run as tasks. It is called before the first message if TLS 1.3 is allowed, and for a server of an
    /// older version that selects a key.
    pub fn psk_client_callback(&mut self, callback: PskClientCallback, may_block: bool) -> &mut Self {
        self.spec.legacy.psk.own_callback = Some(callback);
        self.spec.legacy.psk.blocks |= may_block;
        self
    }

    /// Sets the hint that helps a client of TLS 1.2 to choose its identity (RFC 4279 section 5.2). Default: none.
    pub fn psk_hint(&mut self, hint: &str) -> &mut Self {
        self.spec.legacy.psk.hint = Some(hint.to_owned());
        self
    }

    /// Sets if a client with a pre-shared key needs no certificate, though [`ContextBuilder::client_auth`] needs one of
    /// other clients. Default: no, which refuses keys beside that setting.
    pub fn psk_replaces_certificate(&mut self, replaces: bool) -> &mut Self {
        self.spec.legacy.psk.replaces_certificate = replaces;
        self
    }
}
