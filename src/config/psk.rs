//! The settings of pre-shared keys.

use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::legacy::{OwnKeys, Psk, PskCallback, PskClientCallback, PskFormat, PskHash, PskReader, Psks, Separator};

use super::source::Source;

/// The largest size of a file of pre-shared keys, in bytes: about three million keys.
const MAX_PSK_BYTES: usize = 256 << 20;

/// The longest hint in bytes: older clients of OpenSSL refuse a longer one.
const MAX_HINT_BYTES: usize = 128;

/// The settings of pre-shared keys.
#[derive(Clone, Default)]
pub(crate) struct PskSpec {
    pub(crate) file: Option<Source>,
    pub(crate) keys: Vec<(Box<[u8]>, Psk)>,
    pub(crate) callback: Option<PskCallback>,
    /// True if the callback runs in tasks.
    pub(crate) blocks: bool,
    pub(crate) format: Option<PskFormat>,
    pub(crate) separator: Option<Separator>,
    pub(crate) hash: Option<PskHash>,
    pub(crate) hint: Option<String>,
    /// The identity of this side as a client.
    pub(crate) own_identity: Option<Box<[u8]>>,
    /// Gives the identity and the key of this side as a client.
    pub(crate) own_callback: Option<PskClientCallback>,
    /// True if a client with a key needs no certificate, though others need one.
    pub(crate) replaces_certificate: bool,
}

impl PskSpec {
    /// Returns true if there is a source of keys.
    pub(crate) fn has_keys(&self) -> bool {
        self.file.is_some() || !self.keys.is_empty() || self.callback.is_some()
    }

    /// Returns true if connections of this side have a key.
    pub(crate) fn has_own(&self) -> bool {
        self.own_identity.is_some() || self.own_callback.is_some()
    }

    /// The source of the key of connections of this side, if they have one.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` if there is no key of the identity.
    pub(crate) fn own(&self, keys: Option<&Arc<Psks>>) -> Result<Option<OwnKeys>> {
        match (&self.own_callback, &self.own_identity, keys) {
            (Some(callback), ..) => Ok(Some(OwnKeys::Callback(Arc::clone(callback)))),
            (None, Some(identity), Some(keys)) => OwnKeys::named(identity, keys).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns true if there is a setting beside the sources.
    fn has_details(&self) -> bool {
        let of_file = self.format.is_some() || self.separator.is_some() || self.hash.is_some();
        of_file || self.hint.is_some() || self.replaces_certificate || self.own_identity.is_some()
    }

    /// Returns true if anything is set.
    pub(super) fn is_set(&self) -> bool {
        self.has_keys() || self.has_details() || self.has_own()
    }

    /// Refuses settings that contradict each other, or the need for a certificate.
    pub(super) fn check(&self, needs_certificate: bool) -> Result<()> {
        let conflict = |detail: &str| Err(Error::new(Code::OptionConflict, detail));
        let of_file = self.format.is_some() || self.separator.is_some() || self.hash.is_some();
        if of_file && self.file.is_none() {
            return conflict("settings of a file of pre-shared keys, and no psk-file");
        }
        if self.has_details() && !self.has_keys() {
            return conflict("settings of pre-shared keys, and no key");
        }
        if self.own_identity.is_some() && self.own_callback.is_some() {
            return conflict("psk-identity, and a callback that gives the identity");
        }
        self.check_need(needs_certificate)?;
        if let Some(hint) = &self.hint
            && (hint.is_empty() || hint.len() > MAX_HINT_BYTES || hint.contains('\0'))
        {
            let detail = format!("psk-hint: {} bytes, and 1 to {MAX_HINT_BYTES} without a zero byte fit", hint.len());
            return Err(Error::new(Code::InvalidArgument, detail));
        }
        Ok(())
    }

    /// Refuses the need for a certificate beside keys. Clients with keys show none.
    pub(crate) fn check_need(&self, needs_certificate: bool) -> Result<()> {
        if self.has_keys() && needs_certificate && !self.replaces_certificate {
            let detail = "client-auth need, and pre-shared keys: their clients show no certificate; \
                psk-replaces-certificate lets them do so";
            return Err(Error::new(Code::OptionConflict, detail));
        }
        Ok(())
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `STORE_TOO_LARGE` and `PSK_MALFORMED`.
    pub(crate) fn read(&self) -> Result<Option<Psks>> {
        if !self.has_keys() {
            return Ok(None);
        }
        let separator = self.separator.clone();
        let mut reader = PskReader::new(self.format.unwrap_or_default(), separator, self.hash.unwrap_or_default());
        reader.keys(&self.keys);
        if let Some(file) = &self.file {
            let hint = "Give fewer keys, or look them up by a callback; for their number there is no option.";
            reader.file(file.read_at_most(MAX_PSK_BYTES, hint)?, &file.label());
        }
        let psks = reader.finish(self.callback.clone())?;
        Ok(Some(psks.with_own(self.own_identity.as_deref())))
    }

    /// The lines of the log about what weakens the context.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        let line = "psk-replaces-certificate: a client with a pre-shared key needs no certificate";
        self.replaces_certificate.then(|| line.to_owned()).into_iter()
    }
}
