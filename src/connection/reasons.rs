//! Reasons of rustls to refuse a peer, each as a row of the table of codes and a clause in plain English.
//!
//! The row decides about the alert, so that a reason belongs to the row with the alert that RFC 8446 and RFC 5246 ask
//! for. A reason that this table does not have, of a later rustls, gets a general clause.

use rustls::{InvalidMessage, PeerIncompatible, PeerMisbehaved};

use crate::error::{Code, Error};

/// Makes a function from one of rustls' enumerations: `Variant = Row, "clause";`, and last the row of what is not
/// listed.
macro_rules! reasons {
    ($function:ident($kind:ident), else $other:ident: $($variant:ident = $row:ident, $clause:literal;)*) => {
        pub(super) fn $function(why: &$kind) -> Error {
            let (code, clause) = match why {
                $($kind::$variant { .. } => (Code::$row, $clause),)*
                _ => (Code::$other, UNKNOWN_REASON),
            };
            Error::new(code, clause)
        }
    };
}

/// The words for a reason that came with a later rustls.
const UNKNOWN_REASON: &str = "for a reason that has no words here yet";

reasons! { misbehaved(PeerMisbehaved), else PeerMisbehaved:
    AttemptedDowngradeToTls12WhenTls13IsSupported = PeerMisbehaved, "it chose TLSv1.2 though both sides have TLSv1.3: a downgrade attack, or an old middlebox";
    BadCertChainExtensions = PeerMisbehaved, "its certificate message has extensions that are not allowed there";
    CipherSuiteDifferedOnRetry = PeerMisbehaved, "it offers other cipher suites after the request to try again";
    DisallowedEncryptedExtension = PeerMisbehaved, "it sent an extension in a message that may not have it";
    DuplicateClientHelloExtensions = PeerMisbehaved, "its ClientHello has an extension twice";
    DuplicateEncryptedExtensions = PeerMisbehaved, "its encrypted extensions have one twice";
    DuplicateHelloRetryRequestExtensions = PeerMisbehaved, "its request to try again has an extension twice";
    DuplicateNewSessionTicketExtensions = PeerMisbehaved, "its session ticket has an extension twice";
    DuplicateServerHelloExtensions = PeerMisbehaved, "its ServerHello has an extension twice";
    DuplicateServerNameTypes = ServerNameInvalid, "the server name extension has more than one host name";
    EarlyDataAttemptedInSecondClientHello = PeerMisbehaved, "it offers early data after the request to try again";
    EarlyDataExtensionWithoutResumption = PeerMisbehaved, "it accepts early data without resuming a session";
    EarlyDataOfferedWithVariedCipherSuite = PeerMisbehaved, "it accepts early data with another cipher suite";
    EchAcceptanceVariedAfterRetry = PeerMisbehaved, "it changed its answer to the encrypted ClientHello after a retry";
    HandshakeHashVariedAfterRetry = PeerMisbehaved, "it chose another hash after the request to try again";
    IllegalHelloRetryRequestWithEmptyCookie = PeerMisbehaved, "its request to try again has an empty cookie";
    IllegalHelloRetryRequestWithNoChanges = PeerMisbehaved, "its request to try again asks for no change";
    IllegalHelloRetryRequestWithOfferedGroup = PeerMisbehaved, "its request to try again asks for a key share that it has";
    IllegalHelloRetryRequestWithUnofferedCipherSuite = PeerMisbehaved, "its request to try again names a cipher suite that was not offered";
    IllegalHelloRetryRequestWithUnofferedNamedGroup = PeerMisbehaved, "its request to try again names a group that was not offered";
    IllegalHelloRetryRequestWithUnsupportedVersion = PeerMisbehaved, "its request to try again names a version that was not offered";
    IllegalHelloRetryRequestWithWrongSessionId = PeerMisbehaved, "its request to try again has another session ID";
    IllegalHelloRetryRequestWithInvalidEch = PeerMisbehaved, "its request to try again has a bad answer to the encrypted ClientHello";
    IllegalMiddleboxChangeCipherSpec = UnexpectedMessage, "a change_cipher_spec record that is not allowed there";
    IllegalTlsInnerPlaintext = UnexpectedMessage, "an encrypted record that holds nothing but padding";
    IncorrectBinder = FinishedInvalid, "the binder of the session that it offers is wrong";
    InvalidCertCompression = CertMalformed, "its compressed certificate cannot be unpacked";
    InvalidMaxEarlyDataSize = PeerMisbehaved, "its session ticket has a size of early data that is not allowed";
    InvalidKeyShare = PeerMisbehaved, "its key share is not a valid one of its group";
    KeyEpochWithPendingFragment = UnexpectedMessage, "a message that spans a change of keys";
    KeyUpdateReceivedInQuicConnection = UnexpectedMessage, "a key update in QUIC";
    MessageInterleavedWithHandshakeMessage = UnexpectedMessage, "a record of another type between the parts of a handshake message";
    MissingBinderInPskExtension = MessageMalformed, "the session that it offers has no binder";
    MissingKeyShare = ExtensionMissing, "its ServerHello has no key share";
    MissingPskExtensionInSecondClientHello = ExtensionMissing, "it does not offer its session again after the request to try again";
    MissingPskModesExtension = ExtensionMissing, "it offers a session and does not say how to resume it";
    MissingQuicTransportParameters = ExtensionMissing, "it sent no QUIC transport parameters";
    OfferedDuplicateCertificateCompressions = PeerMisbehaved, "it offers a certificate compression twice";
    OfferedDuplicateKeyShares = PeerMisbehaved, "it offers two key shares of one group";
    OfferedEarlyDataWithOldProtocolVersion = PeerMisbehaved, "it answers early data with TLSv1.2";
    OfferedEmptyApplicationProtocol = MessageMalformed, "it offers an application protocol without a name";
    OfferedIncorrectCompressions = PeerMisbehaved, "it offers TLSv1.3 and record compression";
    PskExtensionMustBeLast = PeerMisbehaved, "the session that it offers is not the last of its extensions";
    PskExtensionWithMismatchedIdsAndBinders = PeerMisbehaved, "it offers more sessions than binders, or fewer";
    RefusedToFollowHelloRetryRequest = PeerMisbehaved, "it did not follow the request to try again";
    RejectedEarlyDataInterleavedWithHandshakeMessage = UnexpectedMessage, "early data between the parts of a handshake message";
    ResumptionAttemptedWithVariedEms = PeerMisbehaved, "it resumes a session without the extended master secret that it was made with";
    ResumptionOfferedWithVariedCipherSuite = PeerMisbehaved, "it resumes a session with another cipher suite";
    ResumptionOfferedWithVariedEms = PeerMisbehaved, "it resumes a session with another kind of master secret";
    ResumptionOfferedWithIncompatibleCipherSuite = PeerMisbehaved, "it resumes a session with a cipher suite of another hash";
    SelectedDifferentCipherSuiteAfterRetry = PeerMisbehaved, "it chose another cipher suite after its request to try again";
    SelectedInvalidPsk = PeerMisbehaved, "it resumes a session that was not offered";
    SelectedTls12UsingTls13VersionExtension = PeerMisbehaved, "it chose TLSv1.2 by an extension of TLSv1.3";
    SelectedUnofferedApplicationProtocol = PeerMisbehaved, "it chose an application protocol (ALPN) that was not offered";
    SelectedUnofferedCertCompression = CertMalformed, "its certificate is compressed in a way that was not offered";
    SelectedUnofferedCipherSuite = PeerMisbehaved, "it chose a cipher suite that was not offered";
    SelectedUnofferedCompression = PeerMisbehaved, "it chose record compression";
    SelectedUnofferedKxGroup = PeerMisbehaved, "it chose a key exchange group that was not offered";
    SelectedUnofferedPsk = PeerMisbehaved, "it resumes a session though none was offered";
    SelectedUnusableCipherSuiteForVersion = PeerMisbehaved, "it chose a cipher suite of another version";
    ServerEchoedCompatibilitySessionId = PeerMisbehaved, "it resumes a session by an ID that is none";
    ServerHelloMustOfferUncompressedEcPoints = PeerMisbehaved, "it takes no uncompressed points";
    ServerNameDifferedOnRetry = PeerMisbehaved, "it asks for another server name after the request to try again";
    ServerNameMustContainOneHostName = ServerNameInvalid, "the server name is no host name";
    SignedKxWithWrongAlgorithm = HandshakeSignatureIllegal, "the key exchange, with one that was not offered or does not go with the cipher suite";
    SignedHandshakeWithUnadvertisedSigScheme = HandshakeSignatureIllegal, "one that was not offered";
    TooManyEmptyFragments = UnexpectedMessage, "too many empty records one after the other";
    TooManyKeyUpdateRequests = UnexpectedMessage, "too many key updates one after the other";
    TooManyRenegotiationRequests = UnexpectedMessage, "too many requests to renegotiate";
    TooManyWarningAlertsReceived = UnexpectedMessage, "too many warnings";
    TooMuchEarlyDataReceived = UnexpectedMessage, "more early data than was allowed";
    UnexpectedCleartextExtension = ExtensionUnexpected, "an extension in its ServerHello that must be encrypted";
    UnsolicitedCertExtension = ExtensionUnexpected, "an extension beside its certificate that was not asked for";
    UnsolicitedEncryptedExtension = ExtensionUnexpected, "an encrypted extension that was not asked for";
    UnsolicitedSctList = ExtensionUnexpected, "certificate timestamps that were not asked for";
    UnsolicitedServerHelloExtension = ExtensionUnexpected, "an extension in its ServerHello that was not asked for";
    WrongGroupForKeyShare = PeerMisbehaved, "its key share is of a group that was not offered";
    UnsolicitedEchExtension = ExtensionUnexpected, "an answer to an encrypted ClientHello that was not sent";
}

reasons! { incompatible(PeerIncompatible), else PeerIncompatible:
    EcPointsExtensionRequired = PeerIncompatible, "it does not name its point formats";
    ExtendedMasterSecretExtensionRequired = PeerIncompatible, "it has no extended master secret (RFC 7627)";
    IncorrectCertificateTypeExtension = PeerIncompatible, "it has no type of certificate in common with this side";
    KeyShareExtensionRequired = ExtensionMissing, "its ClientHello of TLSv1.3 has no key share";
    NamedGroupsExtensionRequired = NoCommonGroup, "it names no key exchange groups";
    NoCertificateRequestSignatureSchemesInCommon = NoCommonSignature, "the server asks for a certificate and takes no signature algorithm that this side has";
    NoCipherSuitesInCommon = NoCommonCipherSuite, "";
    NoEcPointFormatsInCommon = PeerIncompatible, "it takes no uncompressed points";
    NoKxGroupsInCommon = NoCommonGroup, "";
    NoSignatureSchemesInCommon = NoCommonSignature, "";
    NullCompressionRequired = PeerMisbehaved, "it does not offer to go without record compression";
    ServerDoesNotSupportTls12Or13 = NoCommonVersion, "the server chose a version older than TLSv1.2";
    ServerSentHelloRetryRequestWithUnknownExtension = ExtensionUnexpected, "an extension in its request to try again that is not known";
    ServerTlsVersionIsDisabledByOurConfig = NoCommonVersion, "the server chose a version that this side does not allow";
    SignatureAlgorithmsExtensionRequired = NoCommonSignature, "the client names no signature algorithms";
    SupportedVersionsExtensionRequired = NoCommonVersion, "the client offers no TLSv1.3, and nothing else is allowed here";
    Tls12NotOffered = NoCommonVersion, "the client offers neither TLSv1.2 nor TLSv1.3";
    Tls12NotOfferedOrEnabled = NoCommonVersion, "the client offers no version that is allowed here";
    Tls13RequiredForQuic = NoCommonVersion, "QUIC needs TLSv1.3";
    UncompressedEcPointsRequired = PeerMisbehaved, "it takes no uncompressed points";
    UnsolicitedCertificateTypeExtension = ExtensionUnexpected, "it chose a type of certificate that was not offered";
    ServerRejectedEncryptedClientHello = PeerIncompatible, "it does not take the encrypted ClientHello";
}

reasons! { malformed(InvalidMessage), else MessageMalformed:
    CertificatePayloadTooLarge = HandshakeTooLarge, "its certificates have more than 64 KiB";
    HandshakePayloadTooLarge = HandshakeTooLarge, "a message of more than 64 KiB";
    InvalidCcs = UnexpectedMessage, "a change_cipher_spec record with other content than it must have";
    InvalidContentType = UnexpectedMessage, "a record of a type that TLS does not have";
    InvalidCertificateStatusType = MessageMalformed, "a certificate status of a kind that was not asked for";
    InvalidCertRequest = MessageMalformed, "a request for a certificate with a context";
    InvalidDhParams = MessageMalformed, "its key exchange parameters cannot be read";
    InvalidEmptyPayload = UnexpectedMessage, "an empty record of a type that may not be empty";
    InvalidKeyUpdate = PeerMisbehaved, "its key update asks for something that does not exist";
    InvalidServerName = ServerNameInvalid, "the server name extension has more than one host name";
    MessageTooLarge = RecordTooLarge, "a record longer than 16 KiB and what encryption may add";
    MessageTooShort = MessageMalformed, "a message is shorter than its content needs";
    MissingData = MessageMalformed, "a message ends before its content does";
    MissingKeyExchange = MessageMalformed, "a message without the key exchange it must have";
    NoSignatureSchemes = MessageMalformed, "an empty list of signature algorithms";
    TrailingData = MessageMalformed, "a message has more bytes than its content";
    UnexpectedMessage = UnexpectedMessage, "";
    UnknownProtocolVersion = NoCommonVersion, "a record of a protocol version that TLS does not have";
    UnsupportedCompression = MessageMalformed, "a compression that TLS does not have";
    UnsupportedCurveType = MessageMalformed, "key exchange parameters of a kind that is not supported";
    UnsupportedKeyExchangeAlgorithm = MessageMalformed, "a key exchange of a kind that is not supported";
    EmptyTicketValue = MessageMalformed, "an empty session ticket";
    IllegalEmptyList = MessageMalformed, "an empty list that may not be empty";
    IllegalEmptyValue = MessageMalformed, "an empty value that may not be empty";
    DuplicateExtension = PeerMisbehaved, "a message has an extension twice";
    PreSharedKeyIsNotFinalExtension = PeerMisbehaved, "the session that it offers is not the last of its extensions";
    UnknownHelloRetryRequestExtension = ExtensionUnexpected, "an extension in its request to try again that is not known";
    UnknownCertificateExtension = ExtensionUnexpected, "an extension beside its certificate that is not known";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rustls::crypto::KeyExchangeAlgorithm;

    use super::*;

    /// Each reason of an enumeration that rustls 0.23 has.
    macro_rules! all {
        ($kind:ident: $($variant:ident $(($content:expr))?,)*) => { [$($kind::$variant $(($content))?),*] };
    }

    /// Asserts that each reason has words of its own: a clause, or a row other than the general one.
    fn check<const COUNT: usize, R: std::fmt::Debug>(general: Code, all: [R; COUNT], row: fn(&R) -> Error) {
        let names: BTreeSet<String> = all.iter().map(|why| format!("{why:?}")).collect();
        assert_eq!(names.len(), COUNT, "a reason is listed twice");
        for why in all {
            let error = row(&why);
            assert_ne!(error.detail(), UNKNOWN_REASON, "{why:?}");
            assert!(!error.detail().is_empty() || error.code() != general, "{why:?}");
        }
    }

    #[test]
    fn every_way_to_misbehave_has_words_of_its_own() {
        let all = all! { PeerMisbehaved:
            AttemptedDowngradeToTls12WhenTls13IsSupported, BadCertChainExtensions, CipherSuiteDifferedOnRetry,
            DisallowedEncryptedExtension, DuplicateClientHelloExtensions, DuplicateEncryptedExtensions,
            DuplicateHelloRetryRequestExtensions, DuplicateNewSessionTicketExtensions,
            DuplicateServerHelloExtensions, DuplicateServerNameTypes, EarlyDataAttemptedInSecondClientHello,
            EarlyDataExtensionWithoutResumption, EarlyDataOfferedWithVariedCipherSuite,
            EchAcceptanceVariedAfterRetry, HandshakeHashVariedAfterRetry,
            IllegalHelloRetryRequestWithEmptyCookie, IllegalHelloRetryRequestWithNoChanges,
            IllegalHelloRetryRequestWithOfferedGroup, IllegalHelloRetryRequestWithUnofferedCipherSuite,
            IllegalHelloRetryRequestWithUnofferedNamedGroup, IllegalHelloRetryRequestWithUnsupportedVersion,
            IllegalHelloRetryRequestWithWrongSessionId, IllegalHelloRetryRequestWithInvalidEch,
            IllegalMiddleboxChangeCipherSpec, IllegalTlsInnerPlaintext, IncorrectBinder,
            InvalidCertCompression, InvalidMaxEarlyDataSize, InvalidKeyShare, KeyEpochWithPendingFragment,
            KeyUpdateReceivedInQuicConnection, MessageInterleavedWithHandshakeMessage,
            MissingBinderInPskExtension, MissingKeyShare, MissingPskExtensionInSecondClientHello,
            MissingPskModesExtension, MissingQuicTransportParameters, OfferedDuplicateCertificateCompressions,
            OfferedDuplicateKeyShares, OfferedEarlyDataWithOldProtocolVersion,
            OfferedEmptyApplicationProtocol, OfferedIncorrectCompressions, PskExtensionMustBeLast,
            PskExtensionWithMismatchedIdsAndBinders, RefusedToFollowHelloRetryRequest,
            RejectedEarlyDataInterleavedWithHandshakeMessage, ResumptionAttemptedWithVariedEms,
            ResumptionOfferedWithVariedCipherSuite, ResumptionOfferedWithVariedEms,
            ResumptionOfferedWithIncompatibleCipherSuite, SelectedDifferentCipherSuiteAfterRetry,
            SelectedInvalidPsk, SelectedTls12UsingTls13VersionExtension, SelectedUnofferedApplicationProtocol,
            SelectedUnofferedCertCompression, SelectedUnofferedCipherSuite, SelectedUnofferedCompression,
            SelectedUnofferedKxGroup, SelectedUnofferedPsk, SelectedUnusableCipherSuiteForVersion,
            ServerEchoedCompatibilitySessionId, ServerHelloMustOfferUncompressedEcPoints,
            ServerNameDifferedOnRetry, ServerNameMustContainOneHostName, SignedKxWithWrongAlgorithm,
            SignedHandshakeWithUnadvertisedSigScheme, TooManyEmptyFragments, TooManyKeyUpdateRequests,
            TooManyRenegotiationRequests, TooManyWarningAlertsReceived, TooMuchEarlyDataReceived,
            UnexpectedCleartextExtension, UnsolicitedCertExtension, UnsolicitedEncryptedExtension,
            UnsolicitedSctList, UnsolicitedServerHelloExtension, WrongGroupForKeyShare,
            UnsolicitedEchExtension,
        };
        check(Code::PeerMisbehaved, all, misbehaved);
    }

    #[test]
    fn every_incompatibility_has_words_of_its_own() {
        let all = all! { PeerIncompatible:
            EcPointsExtensionRequired, ExtendedMasterSecretExtensionRequired,
            IncorrectCertificateTypeExtension, KeyShareExtensionRequired, NamedGroupsExtensionRequired,
            NoCertificateRequestSignatureSchemesInCommon, NoCipherSuitesInCommon, NoEcPointFormatsInCommon,
            NoKxGroupsInCommon, NoSignatureSchemesInCommon, NullCompressionRequired,
            ServerDoesNotSupportTls12Or13, ServerSentHelloRetryRequestWithUnknownExtension,
            ServerTlsVersionIsDisabledByOurConfig, SignatureAlgorithmsExtensionRequired,
            SupportedVersionsExtensionRequired, Tls12NotOffered, Tls12NotOfferedOrEnabled,
            Tls13RequiredForQuic, UncompressedEcPointsRequired, UnsolicitedCertificateTypeExtension,
            ServerRejectedEncryptedClientHello(None),
        };
        check(Code::PeerIncompatible, all, incompatible);
    }

    #[test]
    fn every_fault_of_a_message_has_words_of_its_own() {
        let all = all! { InvalidMessage:
            CertificatePayloadTooLarge, HandshakePayloadTooLarge, InvalidCcs, InvalidContentType,
            InvalidCertificateStatusType, InvalidCertRequest, InvalidDhParams, InvalidEmptyPayload,
            InvalidKeyUpdate, InvalidServerName, MessageTooLarge, MessageTooShort, MissingData("Payload"),
            MissingKeyExchange, NoSignatureSchemes, TrailingData("Payload"), UnexpectedMessage("Payload"),
            UnknownProtocolVersion, UnsupportedCompression, UnsupportedCurveType,
            UnsupportedKeyExchangeAlgorithm(KeyExchangeAlgorithm::DHE), EmptyTicketValue,
            IllegalEmptyList("List"), IllegalEmptyValue, DuplicateExtension(10),
            PreSharedKeyIsNotFinalExtension, UnknownHelloRetryRequestExtension, UnknownCertificateExtension,
        };
        check(Code::MessageMalformed, all, malformed);
    }
}
