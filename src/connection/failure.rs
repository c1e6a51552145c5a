//! rustls' errors as rows of the table of codes.

use rustls::{
    AlertDescription, CertificateError, ContentType, DistinguishedName, HandshakeType, PeerIncompatible, PeerMisbehaved,
};

use crate::certificate::names_text;
use crate::error::{Code, Error};
use crate::identity::ASKS_FOR_SHA1;

use super::hello::server_name_fault;
use super::reasons;

/// The error for what rustls reported, and the alert that it queued for it; `refusal` is what verification itself said
/// of the peer's certificate.
pub(crate) fn from_rustls(error: rustls::Error, alert: Option<u8>, refusal: Option<Error>) -> Error {
    use rustls::Error as Tls;
    match (refusal, error) {
        (Some(refusal), Tls::InvalidCertificate(_) | Tls::General(_)) => refusal,
        (Some(refusal), Tls::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon)) => refusal,
        (_, Tls::InvalidCertificate(CertificateError::BadSignature)) => Error::from(Code::CertProofInvalid),
        (_, error @ Tls::InvalidCertificate(_)) => Error::from(Code::CertOther).with_source(error),
        (_, Tls::NoCertificatesPresented) => Error::from(Code::CertMissing),
        (_, Tls::AlertReceived(alert)) => received(alert),
        (_, Tls::NoApplicationProtocol) => Error::from(Code::NoCommonAlpn),
        // rustls has one word for a record and for a Finished message; the alert tells them apart.
        (_, Tls::DecryptError) if alert == Some(AlertDescription::DecryptError.into()) => {
            Error::new(Code::FinishedInvalid, "its Finished message is wrong")
        }
        (_, Tls::DecryptError) => Error::from(Code::DecryptFailed),
        (_, Tls::EncryptError) => Error::from(Code::KeysExhausted),
        (_, Tls::PeerSentOversizedRecord) => Error::from(Code::RecordTooLarge),
        (_, Tls::PeerIncompatible(why @ PeerIncompatible::SignatureAlgorithmsExtensionRequired)) => {
            reasons::incompatible(&why).with_hint(ASKS_FOR_SHA1)
        }
        (_, Tls::PeerIncompatible(why)) => reasons::incompatible(&why),
        (_, Tls::PeerMisbehaved(why)) => reasons::misbehaved(&why),
        (_, Tls::InvalidMessage(why)) => reasons::malformed(&why),
        (_, Tls::InappropriateMessage { got_type, .. }) => {
            Error::new(Code::UnexpectedMessage, format!("{} at this point", record_name(got_type)))
        }
        (_, Tls::InappropriateHandshakeMessage { got_type, .. }) => {
            Error::new(Code::UnexpectedMessage, format!("{} at this point", message_name(got_type)))
        }
        (_, Tls::FailedToGetCurrentTime) => Error::new(Code::Internal, "the time cannot be read"),
        (_, Tls::FailedToGetRandomBytes) => Error::new(Code::Internal, "the system gives no random bytes"),
        (_, error) => Error::from(Code::ProtocolOther).with_source(error),
    }
}

fn record_name(kind: ContentType) -> &'static str {
    match kind {
        ContentType::ChangeCipherSpec => "a change_cipher_spec record",
        ContentType::Alert => "an alert",
        ContentType::Handshake => "a handshake message",
        ContentType::ApplicationData => "application data",
        ContentType::Heartbeat => "a heartbeat record",
        _ => "a record of another type",
    }
}

/// A message of the handshake by its name in RFC 8446 section 4 and RFC 5246 section 7.4.
fn message_name(kind: HandshakeType) -> String {
    let name = match kind {
        HandshakeType::HelloRequest => "HelloRequest",
        HandshakeType::ClientHello => "ClientHello",
        HandshakeType::ServerHello => "ServerHello",
        HandshakeType::NewSessionTicket => "NewSessionTicket",
        HandshakeType::EndOfEarlyData => "EndOfEarlyData",
        HandshakeType::HelloRetryRequest => "HelloRetryRequest",
        HandshakeType::EncryptedExtensions => "EncryptedExtensions",
        HandshakeType::Certificate => "Certificate",
        HandshakeType::ServerKeyExchange => "ServerKeyExchange",
        HandshakeType::CertificateRequest => "CertificateRequest",
        HandshakeType::ServerHelloDone => "ServerHelloDone",
        HandshakeType::CertificateVerify => "CertificateVerify",
        HandshakeType::ClientKeyExchange => "ClientKeyExchange",
        HandshakeType::Finished => "Finished",
        HandshakeType::CertificateStatus => "CertificateStatus",
        HandshakeType::KeyUpdate => "KeyUpdate",
        kind => return format!("a handshake message of type {}", u8::from(kind)),
    };
    format!("a {name} message")
}

/// The error for what rustls reported of a client that has sent `hello`, if the hello says more than rustls.
pub(super) fn of_hello(error: &rustls::Error, hello: &[u8]) -> Option<Error> {
    of_server_name(error, hello).or_else(|| of_old_version(error, hello))
}

/// The error for a client without a certificate that was `named` these CAs: it may hold one back.
pub(super) fn of_missing(error: &rustls::Error, named: Option<&[DistinguishedName]>) -> Option<Error> {
    matches!(error, rustls::Error::NoCertificatesPresented).then(|| {
        let missing = Error::from(Code::CertMissing);
        match named {
            None => missing,
            Some([]) => missing
                .with_hint("The client needs a certificate and key; no CA is named to it, so that it may show any."),
            Some(names) => {
                let hint = missing.hint().to_owned();
                missing.with_hint(format!("{hint} Named: {}.", names_text(names)))
            }
        }
    })
}

/// rustls ends the handshake of a client with a server name that is no host name, and does not say which.
fn of_server_name(error: &rustls::Error, hello: &[u8]) -> Option<Error> {
    use rustls::Error as Tls;
    let may_be_of_it =
        matches!(error, Tls::InvalidMessage(_) | Tls::PeerMisbehaved(PeerMisbehaved::ServerNameMustContainOneHostName));
    let fault = may_be_of_it.then(|| server_name_fault(hello)).flatten()?;
    Some(Error::new(Code::ServerNameInvalid, fault))
}

/// A hello of TLS 1.1 or older has no signature algorithms, which rustls misses before it looks at the version.
fn of_old_version(error: &rustls::Error, hello: &[u8]) -> Option<Error> {
    use PeerIncompatible::SignatureAlgorithmsExtensionRequired;
    let minor = match hello {
        [22, 3, _, _, _, 1, _, _, _, 3, minor @ 0..=2, ..] => *minor,
        _ => return None,
    };
    let name = crate::policy::version_name(0x0300 + u16::from(minor)).unwrap_or("SSLv3");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_of_verification_outweighs_what_rustls_says_of_it() {
        let error = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let refusal = Error::new(Code::CertSelfSigned, "subject");
        assert_eq!(from_rustls(error, None, Some(refusal)).code(), Code::CertSelfSigned);
    }

    #[test]
    fn alert_without_a_name_is_told_with_its_number() {
        let error = from_rustls(rustls::Error::AlertReceived(AlertDescription::Unknown(200)), None, None);
        assert_eq!(error.code(), Code::AlertOther);
        assert_eq!(error.detail(), "number 200");
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
        let code = |why| from_rustls(rustls::Error::PeerIncompatible(why), None, None).code();
        assert_eq!(code(PeerIncompatible::NoCipherSuitesInCommon), Code::NoCommonCipherSuite);
        assert_eq!(code(PeerIncompatible::NoKxGroupsInCommon), Code::NoCommonGroup);
        assert_eq!(code(PeerIncompatible::Tls12NotOfferedOrEnabled), Code::NoCommonVersion);
        assert_eq!(code(PeerIncompatible::NoSignatureSchemesInCommon), Code::NoCommonSignature);
    }
}
