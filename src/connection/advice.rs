//! The advice about a client that has nothing in common with this side, from its ClientHello.

use crate::error::{Code, Error};
use crate::identity::ASKS_FOR_SHA1;
use crate::legacy::{HelloReader, Reading};
use crate::policy::Standing;

/// The codes of a client without anything in common with this side.
const CODES: &[Code] =
    &[Code::NoCommonVersion, Code::NoCommonCipherSuite, Code::NoCommonGroup, Code::NoCommonSignature];

/// The error with the settings that would serve the client, or with the reason why none does. `tls` starts with the
/// ClientHello.
pub(super) fn advised(error: Error, tls: &[u8], standing: Option<&Standing>) -> Error {
    let Some(standing) = standing.filter(|_| CODES.contains(&error.code())) else { return error };
    let Reading::Whole(offer) = HelloReader::default().read(tls) else { return error };
    match standing.advice(offer.offered()) {
        // The setting is the other way, where the client cannot be updated.
        Some(hint) if error.hint() == ASKS_FOR_SHA1 && hint.contains("legacy-sha1-signatures") => {
            error.with_hint(format!("{ASKS_FOR_SHA1} {hint}"))
        }
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
