//! Faults of records and messages as rows of the table of codes: the same words as for those of rustls.

use rustls::{AlertDescription, ContentType, InvalidMessage, PeerMisbehaved};

use super::super::failure;
use crate::error::{Code, Error};

use super::cipher::Fault;

/// A fault of a record as an error of rustls'.
pub(super) fn as_rustls(fault: Fault) -> rustls::Error {
    match fault {
        Fault::TooLong => rustls::Error::PeerSentOversizedRecord,
        Fault::NotAuthentic => rustls::Error::DecryptError,
        Fault::NoType => PeerMisbehaved::IllegalTlsInnerPlaintext.into(),
    }
}

pub(super) fn of_rustls(error: rustls::Error) -> Error {
    failure::from_rustls(error, None, None)
}

pub(super) fn of_record(fault: Fault) -> Error {
    of_rustls(as_rustls(fault))
}

pub(super) fn misbehaved(why: PeerMisbehaved) -> Error {
    of_rustls(why.into())
}

pub(super) fn malformed(why: InvalidMessage) -> Error {
    of_rustls(why.into())
}

pub(super) fn received(alert: AlertDescription) -> Error {
    of_rustls(rustls::Error::AlertReceived(alert))
}

pub(super) fn unexpected(kind: ContentType) -> Error {
    of_rustls(rustls::Error::InappropriateMessage { expect_types: Vec::new(), got_type: kind })
}

pub(super) fn exhausted() -> Error {
    Error::from(Code::KeysExhausted)
}

pub(super) fn no_secrets() -> Error {
    Error::new(Code::Internal, "no next traffic secret")
}
