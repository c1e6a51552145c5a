//! rustls' errors as rows of the table of codes.

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use crate::error::{Code, Error};

/// The error for what rustls reported; `refusal` is what verification itself said of the peer's certificate.
pub(super) fn from_rustls(error: rustls::Error, refusal: Option<Error>) -> Error {
    use rustls::Error as Tls;
    match (refusal, error) {
        (Some(refusal), Tls::InvalidCertificate(_) | Tls::General(_)) => refusal,
        (_, Tls::InvalidCertificate(CertificateError::BadSignature)) => Error::from(Code::CertProofInvalid),
        (_, Tls::InvalidCertificate(error)) => Error::new(Code::CertOther, error.to_string()),
        (_, Tls::NoCertificatesPresented) => Error::from(Code::CertMissing),
        (_, Tls::AlertReceived(alert)) => received(alert),
        (_, Tls::NoApplicationProtocol) => Error::from(Code::NoCommonAlpn),
        (_, Tls::DecryptError) => Error::from(Code::DecryptFailed),
        (_, Tls::EncryptError) => Error::from(Code::KeysExhausted),
        (_, Tls::PeerSentOversizedRecord) => Error::from(Code::RecordTooLarge),
        (_, Tls::PeerIncompatible(why)) => incompatible(&why),
        (_, Tls::PeerMisbehaved(why)) => misbehaved(&why),
        (_, Tls::InvalidMessage(why)) => malformed(&why),
        (_, error @ (Tls::InappropriateMessage { .. } | Tls::InappropriateHandshakeMessage { .. })) => {
            Error::new(Code::UnexpectedMessage, error.to_string())
        }
        (_, error @ (Tls::FailedToGetCurrentTime | Tls::FailedToGetRandomBytes)) => {
            Error::new(Code::Internal, error.to_string())
        }
        (_, error) => Error::new(Code::ProtocolOther, error.to_string()),
    }
}

/// An alert record in plain text: header, level, description.
const PLAIN_ALERT_BYTES: usize = 7;

/// Makes `certificate_required` at the end of `outgoing`, which is an alert of TLS 1.3, the `handshake_failure` that it
/// is in TLS 1.2 (RFC 5246 section 7.4.6); rustls sends the former in both. The record is not encrypted yet then.
pub(super) fn word_alert_for_version(outgoing: &mut [u8], version: Option<&str>) {
    let Some([21, 3, 3, 0, 2, 2, alert]) = outgoing.last_chunk_mut::<PLAIN_ALERT_BYTES>() else { return };
    if version == Some("TLSv1.2") && *alert == u8::from(AlertDescription::CertificateRequired) {
        *alert = u8::from(AlertDescription::HandshakeFailure);
    }
}

fn received(alert: AlertDescription) -> Error {
    let number = u8::from(alert);
    match Code::from_received_alert(number) {
        Code::AlertOther => Error::new(Code::AlertOther, format!("number {number}")),
        code => Error::from(code),
    }
}

fn incompatible(why: &PeerIncompatible) -> Error {
    use PeerIncompatible as Why;
    let code = match why {
        Why::NoCipherSuitesInCommon => Code::NoCommonCipherSuite,
        Why::NoKxGroupsInCommon | Why::NamedGroupsExtensionRequired | Why::KeyShareExtensionRequired => {
            Code::NoCommonGroup
        }
        Why::NoSignatureSchemesInCommon
        | Why::NoCertificateRequestSignatureSchemesInCommon
        | Why::SignatureAlgorithmsExtensionRequired => Code::NoCommonSignature,
        Why::ServerDoesNotSupportTls12Or13
        | Why::ServerTlsVersionIsDisabledByOurConfig
        | Why::SupportedVersionsExtensionRequired
        | Why::Tls12NotOffered
        | Why::Tls12NotOfferedOrEnabled => Code::NoCommonVersion,
        _ => Code::PeerIncompatible,
    };
    Error::new(code, format!("{why:?}"))
}

fn misbehaved(why: &PeerMisbehaved) -> Error {
    let code = match why {
        PeerMisbehaved::SelectedUnofferedApplicationProtocol => Code::NoCommonAlpn,
        _ => Code::PeerMisbehaved,
    };
    Error::new(code, format!("{why:?}"))
}

fn malformed(why: &InvalidMessage) -> Error {
    let code = match why {
        InvalidMessage::MessageTooLarge => Code::RecordTooLarge,
        InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge => {
            Code::HandshakeTooLarge
        }
        InvalidMessage::UnknownProtocolVersion => Code::NoCommonVersion,
        InvalidMessage::UnexpectedMessage(_) => Code::UnexpectedMessage,
        _ => Code::MessageMalformed,
    };
    Error::new(code, format!("{why:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_of_verification_outweighs_what_rustls_says_of_it() {
        let error = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let refusal = Error::new(Code::CertSelfSigned, "subject");
        assert_eq!(from_rustls(error, Some(refusal)).code(), Code::CertSelfSigned);
    }

    #[test]
    fn alert_without_a_name_is_told_with_its_number() {
        let error = from_rustls(rustls::Error::AlertReceived(AlertDescription::Unknown(200)), None);
        assert_eq!(error.code(), Code::AlertOther);
        assert_eq!(error.detail(), "number 200");
    }

    #[test]
    fn missing_certificate_is_told_in_the_words_of_the_version() {
        let told = |version, alert| {
            let mut outgoing = vec![9, 9, 21, 3, 3, 0, 2, 2, alert];
            word_alert_for_version(&mut outgoing, version);
            outgoing.pop()
        };
        assert_eq!(told(Some("TLSv1.2"), 116), Some(40));
        assert_eq!(told(Some("TLSv1.2"), 48), Some(48));
        assert_eq!(told(Some("TLSv1.3"), 116), Some(116));
        assert_eq!(told(None, 116), Some(116));
        word_alert_for_version(&mut [3, 3, 0, 2, 2, 116], Some("TLSv1.2"));
    }

    #[test]
    fn nothing_in_common_is_told_apart() {
        let code = |why| from_rustls(rustls::Error::PeerIncompatible(why), None).code();
        assert_eq!(code(PeerIncompatible::NoCipherSuitesInCommon), Code::NoCommonCipherSuite);
        assert_eq!(code(PeerIncompatible::NoKxGroupsInCommon), Code::NoCommonGroup);
        assert_eq!(code(PeerIncompatible::Tls12NotOfferedOrEnabled), Code::NoCommonVersion);
        assert_eq!(code(PeerIncompatible::NoSignatureSchemesInCommon), Code::NoCommonSignature);
    }
}
