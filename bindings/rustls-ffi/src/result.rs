//! Results of rustls-ffi as rows of the table of codes.

use std::ops::RangeInclusive;

use brokertls::{Code, Error};
use rustls::CertificateError;
use rustls_ffi::rustls_result;

/// Returns true if rustls-ffi gives this result for an error by which this library refuses a peer.
pub(crate) fn is_of(given: &rustls::Error, result: u32) -> bool {
    let expected = match given {
        rustls::Error::InvalidCertificate(kind) => match kind {
            CertificateError::BadEncoding => rustls_result::CertEncodingBad,
            CertificateError::Expired => rustls_result::CertExpired,
            CertificateError::NotValidYet => rustls_result::CertNotYetValid,
            CertificateError::Revoked => rustls_result::CertRevoked,
            CertificateError::UnknownIssuer => rustls_result::CertUnknownIssuer,
            CertificateError::BadSignature => rustls_result::CertBadSignature,
            CertificateError::NotValidForName => rustls_result::CertNotValidForName,
            CertificateError::InvalidPurpose => rustls_result::CertInvalidPurpose,
            CertificateError::ApplicationVerificationFailure => rustls_result::CertApplicationVerificationFailure,
            // The rest of what is given: a response that cannot be used, and what has no name.
            _ => rustls_result::CertOtherError,
        },
        rustls::Error::PeerMisbehaved(_) => rustls_result::PeerMisbehavedError,
        // The reason is one of many that give the same result, and may be another connection's.
        _ => return false,
    };
    expected as u32 == result
}

/// The results of a connection without a reason of this library, by their numbers. The text of rustls-ffi is the
/// detail, for no more is kept.
const ROWS: &[(RangeInclusive<u32>, Code)] = &[
    (7101..=7101, Code::CertMissing),
    (7102..=7102, Code::DecryptFailed),
    (7103..=7103, Code::Internal),
    (7105..=7105, Code::RecordTooLarge),
    (7106..=7106, Code::NoCommonAlpn),
    (7107..=7107, Code::PeerIncompatible),
    (7108..=7108, Code::PeerMisbehaved),
    (7109..=7110, Code::UnexpectedMessage),
    (7113..=7113, Code::Internal),
    (7116..=7116, Code::KeysExhausted),
    (7127..=7127, Code::CertProofInvalid),
    (7121..=7126, Code::CertOther),
    (7128..=7131, Code::CertOther),
    (7133..=7153, Code::MessageMalformed),
    (7154..=7154, Code::CertOther),
    (7155..=7155, Code::HandshakeTooLarge),
    (7156..=7157, Code::CertOther),
];

/// The numbers of alerts (RFC 8446 section 6) from the result 7200 on, in the order of rustls-ffi. The last result is
/// one of any other alert.
const ALERTS: &[u8] = &[
    0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90, 100, 109, 110, 111,
    112, 113, 114, 115, 116, 120,
];
const FIRST_ALERT: u32 = 7200;

/// The error for a result.
pub(crate) fn error_of(result: rustls_result) -> Error {
    let number = result as u32;
    if let Some(at) = number.checked_sub(FIRST_ALERT).and_then(|at| usize::try_from(at).ok())
        && let Some(alert) = ALERTS.get(at)
    {
        return match alert {
            0 => Error::new(Code::HandshakeEof, "with close_notify"),
            _ => Error::from(Code::from_received_alert(*alert)),
        };
    }
    let row = ROWS.iter().find(|(numbers, _)| numbers.contains(&number));
    Error::new(row.map_or(Code::ProtocolOther, |(_, code)| *code), result.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alert_is_told_by_its_row() {
        for (result, code) in [
            (rustls_result::AlertUnexpectedMessage, Code::AlertUnexpectedMessage),
            (rustls_result::AlertHandshakeFailure, Code::AlertHandshakeFailure),
            (rustls_result::AlertUnknownCA, Code::AlertUnknownCa),
            (rustls_result::AlertInternalError, Code::AlertInternalError),
            (rustls_result::AlertCertificateRequired, Code::AlertCertificateRequired),
            (rustls_result::AlertNoApplicationProtocol, Code::AlertNoApplicationProtocol),
            (rustls_result::AlertCloseNotify, Code::HandshakeEof),
        ] {
            assert_eq!(error_of(result).code(), code);
        }
        // The result after the last of them is one of an alert without a name.
        assert_eq!(rustls_result::AlertUnknown as u32, FIRST_ALERT + u32::try_from(ALERTS.len()).unwrap());
        assert_eq!(error_of(rustls_result::AlertUnknown).code(), Code::ProtocolOther);
    }

    #[test]
    fn result_without_a_reason_has_the_text_of_rustls_ffi() {
        let error = error_of(rustls_result::PeerIncompatibleError);
        assert_eq!(error.code(), Code::PeerIncompatible);
        assert!(!error.detail().is_empty());
        assert_eq!(error_of(rustls_result::NoCertificatesPresented).code(), Code::CertMissing);
        assert_eq!(error_of(rustls_result::MessageTooShort).code(), Code::MessageMalformed);
    }

    #[test]
    fn refusal_belongs_to_the_result_of_its_error() {
        let revoked = rustls::Error::InvalidCertificate(CertificateError::Revoked);
        assert!(is_of(&revoked, rustls_result::CertRevoked as u32));
        assert!(!is_of(&revoked, rustls_result::CertExpired as u32));
        let misbehaved = rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into();
        assert!(is_of(&misbehaved, rustls_result::PeerMisbehavedError as u32));
        let incompatible = rustls::PeerIncompatible::NoSignatureSchemesInCommon.into();
        assert!(!is_of(&incompatible, rustls_result::PeerIncompatibleError as u32));
    }
}
