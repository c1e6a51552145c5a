//! Faults of the second engine as rows of the table of codes.

use brokertls_legacy_abi::{Fault, reason as own};

use crate::error::{Code, Error};

/// OpenSSL's number of its TLS part (`ERR_LIB_SSL`).
const TLS: i32 = 20;

/// A reason from here on is an alert of the peer, 1000 + its number.
const ALERTS: i32 = 1000;
const LAST_ALERT: i32 = ALERTS + u8::MAX as i32;

/// The reasons of OpenSSL's TLS part that have a row, with the detail.
const REASONS: &[(i32, Code, &str)] = &[
    (101, Code::NoCommonGroup, ""),
    (102, Code::PeerMisbehaved, KEY_SHARE),
    (104, Code::PeerMisbehaved, "it resumes a session without the extended master secret that it was made with"),
    (108, Code::PeerMisbehaved, KEY_SHARE),
    (110, Code::MessageMalformed, ""),
    (112, Code::ExtensionMissing, "its ClientHello has no signature algorithms"),
    (118, Code::NoCommonSignature, ""),
    (119, Code::DecryptFailed, "its key exchange"),
    (120, Code::PeerMisbehaved, "its key update asks for something that does not exist"),
    (122, Code::MessageMalformed, "its key update cannot be read"),
    (123, Code::CertProofInvalid, ""),
    (132, Code::UnexpectedMessage, "too many key updates one after the other"),
    (133, Code::UnexpectedMessage, ""),
    (134, Code::CertOther, ""),
    (145, Code::UnexpectedMessage, RECORD_BETWEEN),
    (146, Code::MessageMalformed, "a field is longer than it may be"),
    (147, Code::DecryptFailed, ""),
    (148, Code::PeerMisbehaved, KEY_SHARE),
    (149, Code::FinishedInvalid, "its Finished message is wrong"),
    (150, Code::RecordTooLarge, ""),
    (152, Code::HandshakeTooLarge, ""),
    (153, Code::MessageMalformed, "a message has more bytes than its content"),
    (159, Code::MessageMalformed, ""),
    (160, Code::MessageMalformed, ""),
    (182, Code::UnexpectedMessage, "a message that spans a change of keys"),
    (183, Code::MessageMalformed, "it offers no cipher suites"),
    (187, Code::PeerMisbehaved, "it does not offer to go without record compression"),
    (193, Code::NoCommonCipherSuite, ""),
    (198, Code::RecordTooLarge, ""),
    (199, Code::CertMissing, ""),
    (205, Code::MessageMalformed, "its alert cannot be read"),
    (209, Code::ExtensionMissing, "its ClientHello names no key exchange groups"),
    (219, Code::PskRefused, ""),
    (223, Code::PskRefused, ""),
    (235, Code::NoCommonAlpn, ""),
    (240, Code::MessageMalformed, ""),
    (244, Code::UnexpectedMessage, ""),
    (245, Code::UnexpectedMessage, ""),
    (246, Code::PeerMisbehaved, "an alert of a level that TLS does not have"),
    (252, Code::NoCommonVersion, ""),
    (253, Code::PskRefused, ""),
    (258, Code::NoCommonVersion, ""),
    (260, Code::UnexpectedMessage, "a change_cipher_spec record with other content than it must have"),
    (262, Code::UnexpectedMessage, ""),
    (266, Code::NoCommonVersion, ""),
    (267, Code::NoCommonVersion, ""),
    (271, Code::MessageMalformed, ""),
    (277, Code::Internal, "a session without a context"),
    (281, Code::DecryptFailed, ""),
    (292, Code::NoCommonVersion, ""),
    (293, Code::UnexpectedMessage, RECORD_BETWEEN),
    (295, Code::NoCommonGroup, ""),
    (298, Code::UnexpectedMessage, "too many empty records one after the other"),
    (306, Code::PeerMisbehaved, KEY_SHARE),
    (310, Code::ExtensionMissing, "it offers a pre-shared key and does not say how to use it"),
    (315, Code::NoCommonGroup, ""),
    (332, Code::MessageMalformed, ""),
    (335, Code::MessageMalformed, ""),
    (336, Code::MessageMalformed, ""),
    (337, Code::MessageMalformed, ""),
    (339, Code::UnexpectedMessage, "a request to renegotiate"),
    (340, Code::PeerMisbehaved, "it chooses record compression"),
    (341, Code::PeerMisbehaved, "it chooses record compression"),
    (345, Code::UnexpectedMessage, "a request to renegotiate"),
    (370, Code::HandshakeSignatureIllegal, ""),
    (373, Code::FallbackRefused, ""),
    (376, Code::NoCommonSignature, ""),
    (396, Code::NoCommonVersion, ""),
    (404, Code::MessageMalformed, "a field is longer than it may be"),
    (407, Code::HandshakeEof, ""),
    (409, Code::UnexpectedMessage, "too many warnings"),
    (443, Code::UnexpectedMessage, "an empty record of a type that may not be empty"),
];

const KEY_SHARE: &str = "its key share is not a valid one of its group";
const RECORD_BETWEEN: &str = "a record of another type between the parts of a handshake message";

/// The error for close_notify during the handshake.
pub(super) fn closed() -> Error {
    Error::new(Code::HandshakeEof, "with close_notify")
}

/// The error for a fault.
pub(super) fn error_of(fault: Fault) -> Error {
    match fault {
        Fault { library: 0, reason: own::RENEGOTIATION } => {
            Error::new(Code::UnexpectedMessage, "too many requests to renegotiate")
        }
        Fault { library: 0, reason: own::PART_OF_MESSAGE } => {
            Error::new(Code::UnexpectedMessage, "a handshake message at this point")
        }
        Fault { library: 0, reason: own::CUT_RECORD } => Error::from(Code::DecryptFailed),
        Fault { library: 0, .. } => Error::new(Code::Internal, "the second engine has failed"),
        Fault { library: TLS, reason: ALERTS..=LAST_ALERT } => {
            let number = u8::try_from(fault.reason - ALERTS).unwrap_or(u8::MAX);
            match Code::from_received_alert(number) {
                Code::AlertOther => Error::new(Code::AlertOther, format!("number {number}")),
                code => Error::from(code),
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_in_order_and_each_is_listed_once() {
        assert!(REASONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn alert_of_the_peer_is_told_with_its_row_or_its_number() {
        let told = |reason| error_of(Fault { library: TLS, reason });
        assert_eq!(told(1048).code(), Code::AlertUnknownCa);
        assert_eq!((told(1200).code(), told(1200).detail()), (Code::AlertOther, "number 200"));
    }

    #[test]
    fn fault_without_a_row_is_told_by_its_numbers() {
        let own = error_of(Fault { library: TLS, reason: 0x000c_0103 });
        assert_eq!((own.code(), own.detail()), (Code::ProtocolOther, "reason 786691 in part 20 of OpenSSL"));
        let error = error_of(Fault { library: 6, reason: 7 });
        assert_eq!((error.code(), error.detail()), (Code::ProtocolOther, "reason 7 in part 6 of OpenSSL"));
        assert_eq!(error_of(Fault::default()).code(), Code::Internal);
    }
}
