//! Faults of the second engine as rows of the table of codes.

use brokertls_legacy_abi::{Fault, reason as own};

use crate::error::{Code, Error};

/// OpenSSL's number of its TLS part (`ERR_LIB_SSL`).
const TLS: i32 = 20;

/// A reason from here on is an alert of the peer, 1000 + its number.
const ALERTS: i32 = 1000;
const LAST_ALERT: i32 = ALERTS + u8::MAX as i32;

/// A reason of OpenSSL's TLS part.
struct Reason {
    number: i32,
    /// The name in `openssl/sslerr.h`, without `SSL_R_`.
    #[cfg(test)]
    name: &'static str,
    code: Code,
    detail: &'static str,
}

macro_rules! reasons {
    ($($number:literal $name:ident = $code:ident, $detail:expr;)*) => {
        &[$(Reason {
            number: $number,
            #[cfg(test)]
            name: stringify!($name),
            code: Code::$code,
            detail: $detail,
        },)*]
    };
}

/// The reasons that have a row, with the detail.
const REASONS: &[Reason] = reasons! {
    101 NO_SUITABLE_KEY_SHARE = NoCommonGroup, "";
    102 BAD_DH_VALUE = PeerMisbehaved, KEY_SHARE;
    104 INCONSISTENT_EXTMS = PeerMisbehaved, MASTER_SECRET;
    108 BAD_KEY_SHARE = PeerMisbehaved, KEY_SHARE;
    110 BAD_EXTENSION = MessageMalformed, "";
    112 MISSING_SIGALGS_EXTENSION = ExtensionMissing, "its ClientHello has no signature algorithms";
    118 NO_SUITABLE_SIGNATURE_ALGORITHM = NoCommonSignature, "";
    119 BAD_RSA_ENCRYPT = DecryptFailed, "its key exchange";
    120 INVALID_KEY_UPDATE_TYPE = PeerMisbehaved, "its key update asks for something that does not exist";
    122 BAD_KEY_UPDATE = MessageMalformed, "its key update cannot be read";
    123 BAD_SIGNATURE = CertProofInvalid, "";
    132 TOO_MANY_KEY_UPDATES = UnexpectedMessage, "too many key updates one after the other";
    133 CCS_RECEIVED_EARLY = UnexpectedMessage, "";
    134 CERTIFICATE_VERIFY_FAILED = CertOther, "";
    145 DATA_BETWEEN_CCS_AND_FINISHED = UnexpectedMessage, RECORD_BETWEEN;
    146 DATA_LENGTH_TOO_LONG = MessageMalformed, "a field is longer than it may be";
    147 DECRYPTION_FAILED = DecryptFailed, "";
    148 DH_PUBLIC_VALUE_LENGTH_IS_WRONG = PeerMisbehaved, KEY_SHARE;
    149 DIGEST_CHECK_FAILED = FinishedInvalid, "its Finished message is wrong";
    150 ENCRYPTED_LENGTH_TOO_LONG = RecordTooLarge, "";
    152 EXCESSIVE_MESSAGE_SIZE = HandshakeTooLarge, "";
    153 EXTRA_DATA_IN_MESSAGE = MessageMalformed, "a message has more bytes than its content";
    159 LENGTH_MISMATCH = MessageMalformed, "";
    160 LENGTH_TOO_SHORT = MessageMalformed, "";
    182 NOT_ON_RECORD_BOUNDARY = UnexpectedMessage, "a message that spans a change of keys";
    183 NO_CIPHERS_SPECIFIED = MessageMalformed, "it offers no cipher suites";
    187 NO_COMPRESSION_SPECIFIED = PeerMisbehaved, "it does not offer to go without record compression";
    193 NO_SHARED_CIPHER = NoCommonCipherSuite, "";
    198 PACKET_LENGTH_TOO_LONG = RecordTooLarge, "";
    199 PEER_DID_NOT_RETURN_A_CERTIFICATE = CertMissing, "";
    205 INVALID_ALERT = MessageMalformed, "its alert cannot be read";
    209 MISSING_SUPPORTED_GROUPS_EXTENSION = ExtensionMissing, "its ClientHello names no key exchange groups";
    217 UNSOLICITED_EXTENSION = PeerMisbehaved, "it sends an extension that was not offered";
    219 BAD_PSK = PskRefused, "";
    223 PSK_IDENTITY_NOT_FOUND = PskRefused, "";
    235 NO_APPLICATION_PROTOCOL = NoCommonAlpn, "";
    240 BAD_PACKET = MessageMalformed, "";
    244 UNEXPECTED_MESSAGE = UnexpectedMessage, "";
    245 UNEXPECTED_RECORD = UnexpectedMessage, "";
    246 UNKNOWN_ALERT_TYPE = PeerMisbehaved, "an alert of a level that TLS does not have";
    248 UNKNOWN_CIPHER_RETURNED = PeerMisbehaved, NOT_OFFERED;
    252 UNKNOWN_PROTOCOL = NoCommonVersion, "";
    253 BINDER_DOES_NOT_VERIFY = PskRefused, "";
    258 UNSUPPORTED_PROTOCOL = NoCommonVersion, "";
    260 INVALID_CCS_MESSAGE = UnexpectedMessage, "a change_cipher_spec record with other content than it must have";
    261 WRONG_CIPHER_RETURNED = PeerMisbehaved, NOT_OFFERED;
    262 UNEXPECTED_CCS_MESSAGE = UnexpectedMessage, "";
    266 WRONG_SSL_VERSION = NoCommonVersion, "";
    267 WRONG_VERSION_NUMBER = NoCommonVersion, "";
    271 BAD_LENGTH = MessageMalformed, "";
    277 SESSION_ID_CONTEXT_UNINITIALIZED = Internal, "a session without a context";
    281 DECRYPTION_FAILED_OR_BAD_RECORD_MAC = DecryptFailed, "";
    292 BAD_LEGACY_VERSION = NoCommonVersion, "";
    293 MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA = UnexpectedMessage, RECORD_BETWEEN;
    295 NO_SUITABLE_GROUPS = NoCommonGroup, "";
    298 RECORD_TOO_SMALL = UnexpectedMessage, "too many empty records one after the other";
    306 BAD_ECPOINT = PeerMisbehaved, KEY_SHARE;
    310 MISSING_PSK_KEX_MODES_EXTENSION = ExtensionMissing, "it offers a pre-shared key and does not say how to use it";
    315 UNSUPPORTED_ELLIPTIC_CURVE = NoCommonGroup, "";
    332 BAD_HANDSHAKE_LENGTH = MessageMalformed, "";
    335 RENEGOTIATE_EXT_TOO_LONG = MessageMalformed, "";
    336 RENEGOTIATION_ENCODING_ERR = MessageMalformed, "";
    337 RENEGOTIATION_MISMATCH = MessageMalformed, "";
    338 UNSAFE_LEGACY_RENEGOTIATION_DISABLED = ExtensionMissing, NO_RENEGOTIATION_INFO;
    339 NO_RENEGOTIATION = UnexpectedMessage, "a request to renegotiate";
    340 INCONSISTENT_COMPRESSION = PeerMisbehaved, "it chooses record compression";
    341 INVALID_COMPRESSION_ALGORITHM = PeerMisbehaved, "it chooses record compression";
    345 SCSV_RECEIVED_WHEN_RENEGOTIATING = UnexpectedMessage, "a request to renegotiate";
    370 WRONG_SIGNATURE_TYPE = HandshakeSignatureIllegal, "";
    373 INAPPROPRIATE_FALLBACK = FallbackRefused, "";
    376 NO_SHARED_SIGNATURE_ALGORITHMS = NoCommonSignature, "";
    378 WRONG_CURVE = PeerMisbehaved, "it chooses a group that was not offered";
    394 DH_KEY_TOO_SMALL = NoCommonGroup, GROUP_BITS;
    396 VERSION_TOO_LOW = NoCommonVersion, "";
    404 LENGTH_TOO_LONG = MessageMalformed, "a field is longer than it may be";
    407 SHUTDOWN_WHILE_IN_INIT = HandshakeEof, "";
    409 TOO_MANY_WARN_ALERTS = UnexpectedMessage, "too many warnings";
    443 BAD_RECORD_TYPE = UnexpectedMessage, "an empty record of a type that may not be empty";
};

const MASTER_SECRET: &str = "it resumes a session without the extended master secret that it was made with";
const NOT_OFFERED: &str = "it chooses a cipher suite that was not offered";
const NO_RENEGOTIATION_INFO: &str = "it does not support secure renegotiation (RFC 5746)";
const GROUP_BITS: &str = "its finite-field group has less than 2048 bits, or more than 8192";
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
        Fault { library: TLS, reason } => match REASONS.iter().find(|known| known.number == reason) {
            Some(Reason { code, detail: "", .. }) => Error::from(*code),
            Some(Reason { code, detail, .. }) => Error::new(*code, *detail),
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
    use std::process::Command;

    use super::*;

    #[test]
    fn reasons_are_in_order_and_each_is_listed_once() {
        assert!(REASONS.windows(2).all(|pair| pair[0].number < pair[1].number));
    }

    #[test]
    fn numbers_are_those_that_openssl_knows_by_these_names() {
        let numbers = REASONS.iter().map(|reason| format!("{:X}", TLS << 23 | reason.number));
        let answer = Command::new("openssl").arg("errstr").args(numbers).output().unwrap();
        let answer = String::from_utf8(answer.stdout).unwrap();
        let names: Vec<&str> = answer.lines().filter_map(|line| line.rsplit(':').next()).collect();
        let expected = REASONS.iter().map(|reason| reason.name.to_lowercase().replace('_', " "));
        assert_eq!(names, expected.collect::<Vec<_>>());
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
