//! The error of a peer that is refused, for a connection that keeps only the error of rustls.

use std::cell::RefCell;
use std::sync::Arc;

use rustls::{CertificateError, OtherError, PeerMisbehaved};

use crate::connection::Refusals;
use crate::error::{Code, Error};

/// A refusal of this library inside a call of rustls.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RustlsRefusal {
    /// The code, with a message and a hint.
    pub error: Error,
    /// The error that rustls was given. That of the connection is the same, if the refusal is of that connection.
    pub given: rustls::Error,
}

thread_local! {
    static LAST: RefCell<Option<RustlsRefusal>> = const { RefCell::new(None) };
}

/// The error for one of rustls, with the reason of this library if it has refused the peer.
///
/// The reason is kept for the thread, and a handshake that begins on the thread drops the one before. Call this right
/// after the call of rustls that failed. Later, another connection may have left the reason of a peer that was refused
/// for the same kind of fault.
pub fn error_of(error: &rustls::Error) -> Error {
    let own = match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref::<Error>(),
        _ => None,
    };
    match (own, take_refusal()) {
        (Some(own), _) => own.clone(),
        (None, Some(refusal)) if refusal.given == *error => refusal.error,
        _ => crate::connection::from_rustls(error.clone(), None, None),
    }
}

/// Takes the last refusal on this thread, for a caller that knows the error of rustls by another form.
pub fn take_refusal() -> Option<RustlsRefusal> {
    LAST.take()
}

/// Forgets the refusal of an earlier connection.
pub(super) fn forget() {
    LAST.take();
}

/// The outcome of a check for rustls: an error by which it chooses its alert. Keeps and logs why a peer is refused.
pub(super) fn told<T>(
    outcome: Result<T, rustls::Error>,
    refusal: Option<Error>,
    log: Option<&Refusals>,
) -> Result<T, rustls::Error> {
    let given = match outcome {
        Ok(value) => return Ok(value),
        Err(given) => given,
    };
    let Some(error) = refusal else { return Err(given) };
    if let Some(log) = log {
        let hint = if error.hint().is_empty() { String::new() } else { format!("; {}", error.hint()) };
        log.write(0, &format!("a connection of rustls: {error}{hint}"));
    }
    Err(refuse(error))
}

fn refuse(error: Error) -> rustls::Error {
    let given = match error.code() {
        Code::HandshakeSignatureIllegal => PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into(),
        _ => rustls::Error::InvalidCertificate(kind_of(&error)),
    };
    LAST.set(Some(RustlsRefusal { error, given: given.clone() }));
    given
}

/// Keeps why no identity serves a client. rustls gives the error itself.
pub(super) fn keep(error: Error) {
    let given = rustls::Error::PeerIncompatible(rustls::PeerIncompatible::NoSignatureSchemesInCommon);
    LAST.set(Some(RustlsRefusal { error, given }));
}

/// The error of rustls for which it sends the alert of the code.
fn kind_of(error: &Error) -> CertificateError {
    match error.code() {
        Code::CertExpired => return CertificateError::Expired,
        Code::CertNotYetValid => return CertificateError::NotValidYet,
        Code::CertNameMismatch | Code::CertNoName => return CertificateError::NotValidForName,
        _ => {}
    }
    match error.code().alert() {
        Some(42) => CertificateError::BadEncoding,
        Some(43) => CertificateError::InvalidPurpose,
        Some(44) => CertificateError::Revoked,
        Some(45) => CertificateError::Expired,
        Some(48) => CertificateError::UnknownIssuer,
        Some(49) => CertificateError::ApplicationVerificationFailure,
        Some(51) => CertificateError::BadSignature,
        Some(113) => CertificateError::InvalidOcspResponse,
        _ => CertificateError::Other(OtherError(Arc::new(error.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription;

    use super::*;
    use crate::error::Category;

    #[test]
    fn alert_of_rustls_is_that_of_the_code() {
        // Faults of files have no alert, and rustls has its own error for a certificate that is missing.
        let of_peers = |code: &&Code| {
            let is_of_certificates = matches!(code.category(), Category::Certificate | Category::Revocation);
            is_of_certificates && code.alert().is_some() && **code != Code::CertMissing
        };
        let mut count = 0;
        for code in Code::ALL.iter().filter(of_peers) {
            let alert = AlertDescription::from(kind_of(&Error::from(*code)));
            assert_eq!(Some(u8::from(alert)), code.alert(), "{code:?}");
            count += 1;
        }
        assert!(count > 25);
    }

    #[test]
    fn reason_without_a_kind_of_rustls_is_in_its_error() {
        let given = refuse(Error::new(Code::RevocationUnknown, "no list"));
        refuse(Error::from(Code::CertExpired));
        let error = error_of(&given);
        assert_eq!((error.code(), error.detail()), (Code::RevocationUnknown, "no list"));
    }

    #[test]
    fn signature_that_was_not_offered_is_misbehaviour() {
        let given = refuse(Error::from(Code::HandshakeSignatureIllegal));
        assert_eq!(given, PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        assert_eq!(error_of(&given).code(), Code::HandshakeSignatureIllegal);
    }

    #[test]
    fn refusal_is_taken_once_and_dropped_by_the_next_connection() {
        let given = refuse(Error::from(Code::CertRevoked));
        assert_eq!(given, rustls::Error::InvalidCertificate(CertificateError::Revoked));
        assert_eq!(error_of(&rustls::Error::General(String::new())).code(), Code::ProtocolOther);
        let given = refuse(Error::from(Code::CertRevoked));
        let taken = take_refusal().unwrap();
        assert_eq!((taken.error.code(), taken.given), (Code::CertRevoked, given));
        assert!(take_refusal().is_none());
        refuse(Error::from(Code::CertExpired));
        forget();
        assert!(take_refusal().is_none());
    }
}
