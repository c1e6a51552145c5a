//! rustls' errors as rows of the table of codes.

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use crate::error::{Category, Code, Error};

/// The error for what rustls reported; `refusal` is what verification itself said of the peer's certificate.
pub(super) fn from_rustls(error: rustls::Error, refusal: Option<Error>) -> Error {
    use rustls::Error as Tls;
    match (refusal, error) {
        (Some(refusal), Tls::InvalidCertificate(_) | Tls::General(_) | Tls::InappropriateMessage { .. }) => refusal,
        (Some(refusal), Tls::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)) => refusal,
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

/// Mends the alert at the end of `outgoing` where rustls sends another than the failure of the connection asks for. What
/// is mended comes before encryption starts.
pub(super) fn word_alert(outgoing: &mut [u8], code: Code, version: Option<&str>) {
    let Some([21, 3, _, 0, 2, 2, alert]) = outgoing.last_chunk_mut::<PLAIN_ALERT_BYTES>() else { return };
    let is = |description: AlertDescription| *alert == u8::from(description);
    *alert = match code {
        // rustls sends certificate_required, an alert of TLS 1.3, in TLS 1.2 too (RFC 5246 section 7.4.6).
        Code::CertMissing if version == Some("TLSv1.2") => AlertDescription::HandshakeFailure.into(),
        // Of an old hello rustls misses the extension for signatures first.
        Code::NoCommonVersion => AlertDescription::ProtocolVersion.into(),
        // So rustls ends a handshake for which there is no identity; the row of the failure says more.
        code if is(AlertDescription::AccessDenied) => code.alert().unwrap_or(*alert),
        // So does it where a key has failed, which is not about what the peer sent.
        code if is(AlertDescription::UnexpectedMessage) && code.category() != Category::Protocol => {
            code.alert().unwrap_or(*alert)
        }
        _ => return,
    };
}

/// Takes out what stands between `start` and an alert in plain text: a client of TLS 1.2 queues its answer before it finds
/// that it must not give it.
pub(super) fn leave_plain_alert(outgoing: &mut Vec<u8>, start: usize) {
    if let Some([21, 3, _, 0, 2, 2, _]) = outgoing.last_chunk::<PLAIN_ALERT_BYTES>() {
        let end = outgoing.len() - PLAIN_ALERT_BYTES;
        outgoing.drain(start.min(end)..end);
    }
}

/// The error for what rustls reported of a client that has sent `hello`.
///
/// A hello of TLS 1.1 or older has no signature algorithms, which rustls misses before it looks at the version.
pub(super) fn of_hello(error: &rustls::Error, hello: &[u8]) -> Option<Error> {
    use PeerIncompatible::SignatureAlgorithmsExtensionRequired;
    let minor = match hello {
        [22, 3, _, _, _, 1, _, _, _, 3, minor @ 0..=2, ..] => *minor,
        _ => return None,
    };
    let name = ["SSLv3", "TLSv1", "TLSv1.1"].get(usize::from(minor))?;
    matches!(error, rustls::Error::PeerIncompatible(SignatureAlgorithmsExtensionRequired))
        .then(|| Error::new(Code::NoCommonVersion, format!("it offers {name} at most")))
}

fn received(alert: AlertDescription) -> Error {
    let number = u8::from(alert);
    // After the handshake close_notify is no error, and rustls does not report it.
    if alert == AlertDescription::CloseNotify {
        return Error::new(Code::HandshakeEof, "with close_notify");
    }
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
        PeerMisbehaved::SignedKxWithWrongAlgorithm => {
            let detail = "the key exchange, which was not offered or does not go with the cipher suite";
            return Error::new(Code::HandshakeSignatureIllegal, detail);
        }
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
        let told = |version| {
            let mut outgoing = vec![9, 9, 21, 3, 3, 0, 2, 2, 116];
            word_alert(&mut outgoing, Code::CertMissing, version);
            outgoing.pop()
        };
        assert_eq!(told(Some("TLSv1.2")), Some(40));
        assert_eq!(told(Some("TLSv1.3")), Some(116));
        assert_eq!(told(None), Some(116));
        word_alert(&mut [3, 3, 0, 2, 2, 116], Code::CertMissing, Some("TLSv1.2"));
    }

    #[test]
    fn only_a_hello_of_an_old_version_is_told_by_its_version() {
        let told = |hello: &[u8]| {
            let error = rustls::Error::PeerIncompatible(PeerIncompatible::SignatureAlgorithmsExtensionRequired);
            of_hello(&error, hello).map(|error| error.detail().to_owned())
        };
        let hello = |major, minor| [22, 3, 1, 0, 45, 1, 0, 0, 41, major, minor, 7, 7];
        assert_eq!(told(&hello(3, 1)).as_deref(), Some("it offers TLSv1 at most"));
        assert_eq!(told(&hello(3, 0)).as_deref(), Some("it offers SSLv3 at most"));
        assert_eq!(told(&hello(3, 3)), None);
        assert_eq!(told(&hello(3, 1)[..10]), None);
        let other = rustls::Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon);
        assert!(of_hello(&other, &hello(3, 1)).is_none());
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
