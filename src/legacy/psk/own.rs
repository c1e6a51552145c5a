//! The pre-shared key of this side as a client.

use std::fmt;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::verify::HandshakeNotes;

use super::key::{Psk, check_identity};
use super::keys::Psks;

/// The question for the key of a connection to a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PskHint<'a> {
    /// The hint of the server (RFC 4279 section 5.2), with no bytes for none. `None` before the first message, when a
    /// key of TLS 1.3 is asked for, which has no hints. It is not authenticated.
    pub hint: Option<&'a [u8]>,
    /// The host of the connection, if it has one.
    pub server_name: Option<Arc<str>>,
    /// The number of the connection: [`crate::Connection::id`].
    pub connection_id: u64,
    /// The number that the application gave the connection: [`crate::Connection::user`].
    pub user: usize,
}

/// Returns the identity and the key for a server, `None` for none. An `Err` ends the connection with `PSK_UNAVAILABLE`;
/// it has the reason.
pub type PskClientCallback = Arc<dyn Fn(&PskHint<'_>) -> Result<Option<(Vec<u8>, Psk)>, String> + Send + Sync>;

/// The source of the key of this side.
#[derive(Clone)]
pub(crate) enum OwnKeys {
    /// The key of this identity.
    Named(Box<[u8]>, Arc<Psks>),
    Callback(PskClientCallback),
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKeys").finish_non_exhaustive()
    }
}

impl OwnKeys {
    /// The key of an identity.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` if there is no key of this identity.
    pub(crate) fn named(identity: &[u8], keys: &Arc<Psks>) -> Result<Self> {
        check_identity(identity).map_err(|why| Error::new(Code::InvalidArgument, format!("psk-identity: {why}")))?;
        match keys.has_callback() || keys.table().get(identity).is_some() {
            true => Ok(Self::Named(Box::from(identity), Arc::clone(keys))),
            false => Err(Error::new(Code::OptionConflict, "psk-identity: no pre-shared key has this identity")),
        }
    }

    /// Returns true if the application is asked.
    pub(in crate::legacy) fn asks(&self) -> bool {
        match self {
            Self::Named(identity, keys) => keys.table().get(identity).is_none(),
            Self::Callback(_) => true,
        }
    }

    /// The identity and the key for a server with this hint.
    ///
    /// # Errors
    /// `PSK_UNAVAILABLE` if the callback fails.
    pub(in crate::legacy) fn key(&self, hint: Option<&[u8]>) -> Result<Option<(Box<[u8]>, Psk)>> {
        let unavailable = |why: String| Error::new(Code::PskUnavailable, why);
        match self {
            Self::Named(identity, keys) => Ok(keys.find(identity)?.map(|key| (identity.clone(), key))),
            Self::Callback(callback) => {
                let (connection_id, user) = HandshakeNotes::numbers();
                let request = PskHint { hint, server_name: HandshakeNotes::host(), connection_id, user };
                let Some((identity, key)) = HandshakeNotes::aside(|| callback(&request)).map_err(unavailable)? else {
                    return Ok(None);
                };
                check_identity(&identity).map_err(|why| unavailable(why.to_owned()))?;
                Ok(Some((identity.into_boxed_slice(), key)))
            }
        }
    }
}
