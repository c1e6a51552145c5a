//! Faults of the second engine as rows of the table of codes.

use brokertls_legacy_abi::Fault;

use crate::error::{Code, Error};

/// OpenSSL's number of its TLS part (`ERR_LIB_SSL`).
const TLS: i32 = 20;

/// A reason from here on is an alert of the peer.
const ALERTS: i32 = 1000;

/// The reasons of OpenSSL's TLS part that have a row, with the detail.
const REASONS: &[(i32, Code, &str)] = &[
    (110, Code::MessageMalformed, ""),
    (118, Code::NoCommonSignature, ""),
    (123, Code::CertProofInvalid, ""),
    (133, Code::UnexpectedMessage, ""),
    (146, Code::RecordTooLarge, ""),
    (147, Code::DecryptFailed, ""),
    (149, Code::FinishedInvalid, "its Finished message is wrong"),
    (150, Code::RecordTooLarge, ""),
    (152, Code::HandshakeTooLarge, ""),
    (159, Code::MessageMalformed, ""),
    (160, Code::MessageMalformed, ""),
    (193, Code::NoCommonCipherSuite, ""),
    (198, Code::RecordTooLarge, ""),
    (199, Code::CertMissing, ""),
    (223, Code::PskRefused, ""),
    (235, Code::NoCommonAlpn, ""),
    (240, Code::MessageMalformed, ""),
    (244, Code::UnexpectedMessage, ""),
    (245, Code::UnexpectedMessage, ""),
    (258, Code::NoCommonVersion, ""),
    (262, Code::UnexpectedMessage, ""),
    (267, Code::NoCommonVersion, ""),
    (281, Code::DecryptFailed, ""),
    (339, Code::UnexpectedMessage, "a request to renegotiate"),
    (373, Code::NoCommonVersion, "it has come down from a newer version"),
    (376, Code::NoCommonSignature, ""),
    (396, Code::NoCommonVersion, ""),
    (409, Code::PeerMisbehaved, "warnings without end"),
];

/// The error for a fault.
pub(super) fn error_of(fault: Fault) -> Error {
    match fault {
        Fault { library: 0, reason: 0 } => Error::new(Code::Internal, "the second engine has failed"),
        Fault { library: TLS, reason: ALERTS.. } => {
            let number = u8::try_from(fault.reason - ALERTS).unwrap_or(u8::MAX);
            Error::from(Code::from_received_alert(number))
        }
        Fault { library: TLS, reason } => match REASONS.iter().find(|(known, ..)| *known == reason) {
            Some((_, code, "")) => Error::from(*code),
            Some((_, code, detail)) => Error::new(*code, *detail),
            None => other(fault),
        },
        _ => other(fault),
    }
}

fn other(fault: Fault) -> Error {
    Error::new(Code::ProtocolOther, format!("reason {} in part {} of OpenSSL", fault.reason, fault.library))
}
