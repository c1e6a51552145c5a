//! The errors of a fetch.

use crate::error::{Code, Error};

/// Returns the error for a server that cannot be asked, or does not answer as it should.
pub(super) fn unreachable(detail: impl Into<String>) -> Error {
    Error::new(Code::RevocationUnreachable, detail)
}

/// Returns the error for a place that must not be fetched from.
pub(super) fn refused(detail: impl Into<String>) -> Error {
    Error::new(Code::FetchRefused, detail)
}
