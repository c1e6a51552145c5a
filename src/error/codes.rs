//! The one table of codes.
//!
//! Every status that crosses the C ABI, every exception a JVM caller sees and every message the command prints comes
//! from a row here. Numbers are never changed or used again; a row that is no longer produced is marked `retired` in
//! its message. Nothing in this file depends on another room.
//!
//! Ranges: 0 success, 1-99 progress, 1xx usage, 2xx keystore, 3xx certificate, 4xx revocation, 5xx protocol, 7xx input
//! and output, 9xx internal, 1000 + n the alert n received from the peer (RFC 8446 section 6).

/// What a code is about; callers branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Not an error: the caller calls again after doing what the status asks for.
    Progress,
    /// The caller asked for something that cannot be: a wrong argument, state or contradiction in configuration.
    Usage,
    /// A file or store of keys or certificates could not be used.
    Keystore,
    /// The peer's certificate was refused.
    Certificate,
    /// The peer's certificate was refused for what is known, or not known, of its revocation.
    Revocation,
    /// The bytes of the connection broke the protocol, or the two sides had nothing in common.
    Protocol,
    /// The operating system reported an error.
    Io,
    /// A defect of this library.
    Internal,
    /// The peer ended the connection with an alert.
    Alert,
}

impl Category {
    /// The category's name, lower case, as it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Usage => "usage",
            Self::Keystore => "keystore",
            Self::Certificate => "certificate",
            Self::Revocation => "revocation",
            Self::Protocol => "protocol",
            Self::Io => "io",
            Self::Internal => "internal",
            Self::Alert => "alert",
        }
    }
}

/// Turns the rows into the enum and its accessors: `Variant = number, C_NAME, Category, alert number, message, hint;`.
///
/// The alert is the description number that the peer is sent (RFC 8446 section 6.2), `-` where none is.
macro_rules! codes {
    (@alert -) => { None };
    (@alert $alert:literal) => { Some($alert) };
    ($($variant:ident = $number:literal, $name:ident, $category:ident, $alert:tt, $message:literal, $hint:literal;)*) => {
        /// A row of the table of codes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum Code {
            $(#[doc = $message] $variant = $number,)*
        }

        impl Code {
            /// Every row, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name without its prefix: `CERT_EXPIRED` is `BTLS_CERT_EXPIRED` in C and in messages.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name),)* }
            }

            /// What the code is about.
            pub const fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category,)* }
            }

            /// What happened, in one clause that starts in lower case and ends without a full stop.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// What would mend it, as a sentence; empty where nothing general can be said.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }

            /// The number of the alert that the peer is sent for it (RFC 8446 section 6), if any; [`Code::alert_in`]
            /// has the exceptions.
            pub const fn alert(self) -> Option<u8> {
                match self { $(Self::$variant => codes!(@alert $alert),)* }
            }
        }
    };
}

codes! {
    Ok = 0, OK, Progress, -, "success", "";
    WantRead = 1, WANT_READ, Progress, -, "more bytes from the peer are needed", "Call again when the descriptor is readable.";
    WantWrite = 2, WANT_WRITE, Progress, -, "bytes for the peer wait to be sent", "Call again when the descriptor is writable.";
    WantTask = 3, WANT_TASK, Progress, -, "a task that may block has to run", "Run the connection's task on any thread, then call again.";
    Closed = 4, CLOSED, Progress, -, "the peer closed the connection cleanly", "";

    NullPointer = 100, NULL_POINTER, Usage, -, "a required pointer was NULL", "Pass a valid pointer.";
    InvalidArgument = 101, INVALID_ARGUMENT, Usage, -, "an argument has a value that is not allowed", "";
    WrongState = 102, WRONG_STATE, Usage, -, "the call is not allowed in this state", "";
    UnknownOption = 103, UNKNOWN_OPTION, Usage, -, "there is no option of this name", "";
    OptionConflict = 104, OPTION_CONFLICT, Usage, -, "two settings contradict each other", "";
    NoIdentity = 105, NO_IDENTITY, Usage, 40, "the context has no certificate and private key to serve with", "Add an identity (certificate chain and private key) to the builder.";
    NoTrust = 106, NO_TRUST, Usage, -, "the context has nothing to verify the peer against", "Add a trust store, or ask for the system's roots.";
    InvalidServerName = 107, INVALID_SERVER_NAME, Usage, -, "the server name is neither a DNS name nor an IP address", "Pass the host that is connected to, without port or brackets.";
    BufferTooSmall = 108, BUFFER_TOO_SMALL, Usage, -, "the destination buffer is too small", "Offer a buffer of the maximum record size.";
    NoCipherSuite = 109, NO_CIPHER_SUITE, Usage, -, "no cipher suite is left to offer", "Name at least one ECDHE suite with AES-GCM or ChaCha20-Poly1305, or leave the setting out.";
    VersionNotSupported = 110, VERSION_NOT_SUPPORTED, Usage, -, "a protocol version is not served", "Use TLSv1.2 and TLSv1.3.";
    GroupNotSupported = 111, GROUP_NOT_SUPPORTED, Usage, -, "a key exchange group is not served", "Use X25519MLKEM768, X25519, secp256r1 or secp384r1.";
    InvalidAlpn = 112, INVALID_ALPN, Usage, -, "an ALPN protocol name is empty or longer than 255 bytes", "";
    InvalidText = 113, INVALID_TEXT, Usage, -, "a text argument is not valid UTF-8", "";
    CipherNotSupported = 114, CIPHER_NOT_SUPPORTED, Usage, -, "a cipher suite name or rule is not understood", "";
    InvalidTime = 115, INVALID_TIME, Usage, -, "a time is not in RFC 3339 form", "Write it as 2026-01-31T12:00:00Z.";
    PasswordUnavailable = 116, PASSWORD_UNAVAILABLE, Usage, -, "the password callback gave no password", "";
    Busy = 120, BUSY, Usage, -, "another call on the object is under way, on another thread or around this callback", "Use a connection or builder by one thread at a time.";

    StoreFormatUnknown = 201, STORE_FORMAT_UNKNOWN, Keystore, -, "the content is not PEM, DER, PKCS#12, JKS or JCEKS", "";
    StoreTypeMismatch = 202, STORE_TYPE_MISMATCH, Keystore, -, "the content is not of the type that was given", "Leave the type out to have it found from the content.";
    StorePasswordWrong = 203, STORE_PASSWORD_WRONG, Keystore, -, "the store password is wrong, or the store was altered", "Check the store password.";
    StorePasswordMissing = 204, STORE_PASSWORD_MISSING, Keystore, -, "the store needs a password and none was given", "Give the store password.";
    KeyPasswordWrong = 205, KEY_PASSWORD_WRONG, Keystore, -, "the key password is wrong", "Check the key password; it may differ from the store password.";
    KeyPasswordMissing = 206, KEY_PASSWORD_MISSING, Keystore, -, "the private key is encrypted and no password was given", "Give the key password.";
    AliasNotFound = 207, ALIAS_NOT_FOUND, Keystore, -, "the store has no entry of this alias", "";
    NoPrivateKey = 208, NO_PRIVATE_KEY, Keystore, -, "there is no private key", "Give the file that holds the key, or a store with a key entry.";
    KeyMismatch = 209, KEY_MISMATCH, Keystore, -, "the private key does not belong to the certificate", "Use the key that the certificate was requested with.";
    ChainBroken = 210, CHAIN_BROKEN, Keystore, -, "the certificates do not form one chain", "Keep the end entity and its issuers only.";
    KeyAlgorithmUnsupported = 211, KEY_ALGORITHM_UNSUPPORTED, Keystore, -, "the private key's algorithm is not supported", "Use RSA (1024 bits or more), ECDSA on P-256, P-384 or P-521, or Ed25519.";
    EncryptionUnsupported = 212, ENCRYPTION_UNSUPPORTED, Keystore, -, "the encryption of the key or store is not supported", "Export it with AES-256-CBC and PBKDF2: openssl pkcs12 -export, or openssl pkcs8 -topk8 for a key alone.";
    StoreMalformed = 213, STORE_MALFORMED, Keystore, -, "the store is malformed", "";
    PemMalformed = 214, PEM_MALFORMED, Keystore, -, "the PEM text is malformed", "";
    KeyMalformed = 215, KEY_MALFORMED, Keystore, -, "the private key is malformed", "";
    CertificateMalformed = 216, CERTIFICATE_MALFORMED, Keystore, -, "a certificate is malformed", "";
    StoreMacMissing = 217, STORE_MAC_MISSING, Keystore, -, "the PKCS#12 store has no integrity check", "Export it again with a MAC, or allow stores without one.";
    StoreTooLarge = 218, STORE_TOO_LARGE, Keystore, -, "the content is larger than the limit", "If the file is what it should be, raise the option max-content-bytes.";
    CostTooHigh = 219, COST_TOO_HIGH, Keystore, -, "the key derivation asks for more work or memory than the limit", "If the file is what it should be, raise the option max-kdf-iterations.";
    NoCertificate = 220, NO_CERTIFICATE, Keystore, -, "there is no certificate", "";
    NoTrustedCertificate = 221, NO_TRUSTED_CERTIFICATE, Keystore, -, "there is no certificate to trust", "";
    ParameterInvalid = 222, PARAMETER_INVALID, Keystore, -, "a parameter of the encryption is out of range", "";
    SigningFailed = 223, SIGNING_FAILED, Keystore, 80, "the private key did not sign", "Check the token or the provider that holds the key; its own error is the cause.";

    CertUnknownIssuer = 300, CERT_UNKNOWN_ISSUER, Certificate, 48, "the peer certificate's issuer is not trusted", "Add the issuing CA's certificate to the trust store.";
    CertNotYetValid = 301, CERT_NOT_YET_VALID, Certificate, 45, "the peer certificate is not valid yet", "Check this machine's clock and the certificate's dates.";
    CertExpired = 302, CERT_EXPIRED, Certificate, 45, "the peer certificate has expired", "The peer needs a renewed certificate.";
    CertNameMismatch = 303, CERT_NAME_MISMATCH, Certificate, 42, "the peer certificate is not for this host", "Connect to a name in the certificate, or reissue it with this name as subject alternative name.";
    CertNoName = 304, CERT_NO_NAME, Certificate, 42, "the peer certificate has no subject alternative name", "Reissue it with the host as subject alternative name.";
    CertSignatureInvalid = 305, CERT_SIGNATURE_INVALID, Certificate, 51, "a signature in the peer's chain is wrong", "";
    CertCaAsEndEntity = 306, CERT_CA_AS_END_ENTITY, Certificate, 42, "the peer uses a CA certificate as its own", "Reissue it with CA:FALSE, or put it into the trust store itself.";
    CertPurposeMismatch = 307, CERT_PURPOSE_MISMATCH, Certificate, 43, "the peer certificate is not for this purpose", "Reissue it with the extended key usage of its role.";
    CertVersionUnsupported = 308, CERT_VERSION_UNSUPPORTED, Certificate, 43, "a certificate in the peer's chain is not X.509 version 3", "Reissue it with extensions (openssl x509 -extfile).";
    CertKeyTooSmall = 309, CERT_KEY_TOO_SMALL, Certificate, 42, "an RSA key in the peer's chain has fewer than 2048 bits", "Reissue it with a key of 2048 bits or more.";
    CertMalformed = 310, CERT_MALFORMED, Certificate, 42, "a certificate of the peer is malformed", "";
    CertAlgorithmUnsupported = 311, CERT_ALGORITHM_UNSUPPORTED, Certificate, 43, "a certificate in the peer's chain uses an algorithm that is not accepted", "Reissue it with SHA-256 or better and RSA, ECDSA or Ed25519.";
    CertPathLength = 312, CERT_PATH_LENGTH, Certificate, 42, "the peer's chain is longer than its CAs allow", "";
    CertNameConstraint = 313, CERT_NAME_CONSTRAINT, Certificate, 42, "a name in the peer certificate is outside what its CA may certify", "";
    CertIssuerNotCa = 314, CERT_ISSUER_NOT_CA, Certificate, 42, "a certificate in the peer's chain was issued by one that is not a CA", "";
    CertCriticalExtension = 315, CERT_CRITICAL_EXTENSION, Certificate, 43, "a certificate in the peer's chain has a critical extension that is not understood", "";
    CertMissing = 316, CERT_MISSING, Certificate, 116, "the peer sent no certificate and one is required", "The client needs a certificate and key. One that has them may hold them back because they are not for clients (NSS does so), or because no CA that is named here issued them (Go and Java do so): send-ca-names no has it show them.";
    CertRejectedByCallback = 317, CERT_REJECTED_BY_CALLBACK, Certificate, 49, "the application refused the peer certificate", "";
    CertProofInvalid = 318, CERT_PROOF_INVALID, Certificate, 51, "the peer did not prove that it has the certificate's private key", "";
    CertSelfSigned = 319, CERT_SELF_SIGNED, Certificate, 48, "the peer certificate is self-signed and not in the trust store", "Import this certificate into the trust store if it is the right one.";
    CertSelfSignedInChain = 320, CERT_SELF_SIGNED_IN_CHAIN, Certificate, 48, "the peer's chain ends in a self-signed certificate that is not in the trust store", "Add that CA certificate to the trust store if it is the right one.";
    CertTooComplex = 321, CERT_TOO_COMPLEX, Certificate, 42, "the peer's chain takes too much work to verify", "";
    CertRejectedByManager = 322, CERT_REJECTED_BY_MANAGER, Certificate, 46, "the trust manager refused the peer certificate", "";
    CertKeyUsage = 323, CERT_KEY_USAGE, Certificate, 43, "the peer certificate's key usage does not let its key sign, as the handshake asks", "Reissue it with the key usage digitalSignature.";
    CertConstraintUnsupported = 324, CERT_CONSTRAINT_UNSUPPORTED, Certificate, 43, "a CA in the peer's chain limits names of a kind that is not compared here", "Reissue that CA with constraints on DNS names and IP addresses alone, or trust the CA below it itself.";
    CertOther = 399, CERT_OTHER, Certificate, 46, "the peer certificate was refused", "";

    CertRevoked = 400, CERT_REVOKED, Revocation, 44, "the peer certificate has been revoked", "The peer needs a new certificate.";
    RevocationUnknown = 401, REVOCATION_UNKNOWN, Revocation, 46, "it is not known whether the peer certificate has been revoked", "Give the current revocation list of its issuer, or accept what is not known (revocation prefer).";
    RevocationStale = 402, REVOCATION_STALE, Revocation, 46, "what is known of the revocation of the peer certificate is out of date", "Give the current revocation list of its issuer.";
    RevocationUnreachable = 403, REVOCATION_UNREACHABLE, Revocation, 46, "nobody could be asked whether the peer certificate has been revoked", "Check that the responder or the list's server is up and can be reached from here.";
    RevocationResponseInvalid = 404, REVOCATION_RESPONSE_INVALID, Revocation, 113, "what came back about the revocation of the peer certificate cannot be trusted", "Check the responder: its certificate and key, its clock, and that it serves this issuer.";
    StapleMissing = 405, STAPLE_MISSING, Revocation, 113, "the peer certificate demands a stapled OCSP response and none came with it", "Turn stapling on at the peer, or reissue its certificate without the TLS feature (must-staple).";
    FetchRefused = 406, FETCH_REFUSED, Revocation, 46, "a place that a certificate names to ask about revocation is not one to fetch from", "Only http:// is fetched, and addresses of private networks only where that is allowed (fetch-private-addresses).";
    CrlMalformed = 410, CRL_MALFORMED, Revocation, -, "a revocation list (CRL) is damaged or is none", "Fetch it again from the CA; it is PEM (X509 CRL) or DER.";
    CrlUnsupported = 411, CRL_UNSUPPORTED, Revocation, -, "a revocation list (CRL) has a form that is not honoured", "Use the CA's complete, direct list (RFC 5280), signed with RSA or ECDSA and SHA-2, or Ed25519.";
    OcspMalformed = 412, OCSP_MALFORMED, Revocation, -, "an OCSP response is damaged or is none", "Fetch it again from the responder (openssl ocsp -respout); it is DER, or PEM (OCSP RESPONSE).";
    OcspUnusable = 413, OCSP_UNUSABLE, Revocation, -, "an OCSP response does not serve: it is of another certificate, not signed rightly, out of date, or an error", "Fetch it again from the responder of the certificate's issuer (openssl ocsp -respout).";

    PeerNotTls = 500, PEER_NOT_TLS, Protocol, 22, "the peer does not speak TLS", "Use the TLS port and scheme on both sides.";
    Truncated = 501, TRUNCATED, Protocol, -, "the connection ended without close_notify; data may be missing", "";
    NoCommonVersion = 502, NO_COMMON_VERSION, Protocol, 70, "the peer offers no protocol version that is allowed here", "Allow TLSv1.2 or TLSv1.3 on both sides.";
    NoCommonCipherSuite = 503, NO_COMMON_CIPHER_SUITE, Protocol, 40, "the two sides have no cipher suite in common", "Allow an ECDHE suite with AES-GCM on both sides that suits the certificate's key.";
    NoCommonGroup = 504, NO_COMMON_GROUP, Protocol, 40, "the two sides have no key exchange group in common", "Allow X25519 or secp256r1 on both sides.";
    NoCommonAlpn = 505, NO_COMMON_ALPN, Protocol, 120, "the two sides have no application protocol in common", "Name the same ALPN protocol on both sides.";
    NoCommonSignature = 506, NO_COMMON_SIGNATURE, Protocol, 40, "no identity can sign in a way the peer can verify", "Add an identity with another kind of key (RSA beside ECDSA).";
    DecryptFailed = 507, DECRYPT_FAILED, Protocol, 20, "a record could not be decrypted", "";
    MessageMalformed = 508, MESSAGE_MALFORMED, Protocol, 50, "the peer sent a malformed message", "";
    UnexpectedMessage = 509, UNEXPECTED_MESSAGE, Protocol, 10, "the peer sent a message out of place", "";
    RecordTooLarge = 510, RECORD_TOO_LARGE, Protocol, 22, "the peer sent a record larger than allowed", "";
    PeerMisbehaved = 511, PEER_MISBEHAVED, Protocol, 47, "the peer broke the protocol", "";
    PeerIncompatible = 512, PEER_INCOMPATIBLE, Protocol, 40, "the peer lacks something that is required", "";
    KeysExhausted = 513, KEYS_EXHAUSTED, Protocol, -, "the connection has sent as much as its keys allow", "Open a new connection.";
    HandshakeEof = 514, HANDSHAKE_EOF, Protocol, -, "the peer closed the connection during the handshake", "The peer's own log says why.";
    HandshakeTooLarge = 515, HANDSHAKE_TOO_LARGE, Protocol, 47, "the peer's handshake messages are larger than the limit", "";
    ServerNameRefused = 516, SERVER_NAME_REFUSED, Protocol, 112, "the client asks for a server name that is not served here", "Connect to a name that the server serves, or let the server accept this one.";
    SessionNotResumed = 517, SESSION_NOT_RESUMED, Protocol, 46, "the peer did not resume the session, and no new one may be made", "Allow new sessions, or connect without this restriction first.";
    HandshakeSignatureIllegal = 520, HANDSHAKE_SIGNATURE_ILLEGAL, Protocol, 47, "the peer's signature over the handshake is of an algorithm that it may not use", "The peer breaks TLS: update it, or allow other protocol versions.";
    ExtensionMissing = 523, EXTENSION_MISSING, Protocol, 109, "the peer left out an extension that is required", "The peer's TLS library does not follow RFC 8446; update it.";
    ExtensionUnexpected = 524, EXTENSION_UNEXPECTED, Protocol, 110, "the peer sent an extension that was not asked for", "The peer's TLS library does not follow RFC 8446; update it.";
    FinishedInvalid = 525, FINISHED_INVALID, Protocol, 51, "the peer's handshake messages are not those that arrived here", "Look for a middlebox that alters the handshake.";
    ServerNameInvalid = 526, SERVER_NAME_INVALID, Protocol, 112, "the client asks for a server name that is no host name", "Make the client send the host alone as server name (SNI): no scheme, port, path or address.";
    ProtocolOther = 599, PROTOCOL_OTHER, Protocol, 40, "the connection failed", "";

    FileUnreadable = 700, FILE_UNREADABLE, Io, -, "a file cannot be read", "";
    ConnectionReset = 701, CONNECTION_RESET, Io, -, "the peer reset the connection", "";
    BrokenPipe = 702, BROKEN_PIPE, Io, -, "the peer no longer receives", "";
    IoOther = 703, IO_OTHER, Io, -, "reading or writing failed", "";
    FileUnwritable = 704, FILE_UNWRITABLE, Io, -, "a file cannot be written", "";
    SystemRootsUnavailable = 705, SYSTEM_ROOTS_UNAVAILABLE, Io, -, "the system has no trust store that can be read", "Install ca-certificates, or name a trust store.";
    ConnectionRefused = 706, CONNECTION_REFUSED, Io, -, "the host accepts no connections at this port", "Check the host and the port, and that the server is running and listens for TLS there.";

    Internal = 900, INTERNAL, Internal, 80, "internal error", "Please report it.";
    Panic = 901, PANIC, Internal, 80, "a defect was met and contained; the object cannot be used any more", "Please report it.";

    AlertUnexpectedMessage = 1010, ALERT_UNEXPECTED_MESSAGE, Alert, -, "the peer sent the alert unexpected_message (10)", "The peer does not take a message of this side at this point: one of the two libraries breaks the protocol.";
    AlertBadRecordMac = 1020, ALERT_BAD_RECORD_MAC, Alert, -, "the peer sent the alert bad_record_mac (20)", "Something between the two sides alters the bytes, or one of the two libraries is at fault.";
    AlertRecordOverflow = 1022, ALERT_RECORD_OVERFLOW, Alert, -, "the peer sent the alert record_overflow (22)", "The peer takes smaller records only, or expects something else than TLS at this port.";
    AlertHandshakeFailure = 1040, ALERT_HANDSHAKE_FAILURE, Alert, -, "the peer sent the alert handshake_failure (40)", "The two sides share no cipher suite, group or signature algorithm, or the peer refuses this side's certificate or lacks one.";
    AlertBadCertificate = 1042, ALERT_BAD_CERTIFICATE, Alert, -, "the peer sent the alert bad_certificate (42)", "The peer refuses this side's certificate.";
    AlertUnsupportedCertificate = 1043, ALERT_UNSUPPORTED_CERTIFICATE, Alert, -, "the peer sent the alert unsupported_certificate (43)", "The peer refuses this side's kind of certificate; check its extended key usage.";
    AlertCertificateRevoked = 1044, ALERT_CERTIFICATE_REVOKED, Alert, -, "the peer sent the alert certificate_revoked (44)", "This side's certificate is revoked; get a new one.";
    AlertCertificateExpired = 1045, ALERT_CERTIFICATE_EXPIRED, Alert, -, "the peer sent the alert certificate_expired (45)", "This side's certificate has expired or is not valid yet: check its dates and the clocks of both sides.";
    AlertCertificateUnknown = 1046, ALERT_CERTIFICATE_UNKNOWN, Alert, -, "the peer sent the alert certificate_unknown (46)", "The peer refuses this side's certificate; its log says why.";
    AlertIllegalParameter = 1047, ALERT_ILLEGAL_PARAMETER, Alert, -, "the peer sent the alert illegal_parameter (47)", "The peer does not take a value in this side's messages; its log says which.";
    AlertUnknownCa = 1048, ALERT_UNKNOWN_CA, Alert, -, "the peer sent the alert unknown_ca (48)", "The peer does not know the CA of this side's certificate; add it to the peer's trust store.";
    AlertAccessDenied = 1049, ALERT_ACCESS_DENIED, Alert, -, "the peer sent the alert access_denied (49)", "The peer does not let this side in, or refuses its certificate; its log says why.";
    AlertDecodeError = 1050, ALERT_DECODE_ERROR, Alert, -, "the peer sent the alert decode_error (50)", "The peer cannot read a message of this side, or misses a certificate (GnuTLS says so).";
    AlertDecryptError = 1051, ALERT_DECRYPT_ERROR, Alert, -, "the peer sent the alert decrypt_error (51)", "The peer finds a signature wrong: check that this side's certificate and key belong together.";
    AlertProtocolVersion = 1070, ALERT_PROTOCOL_VERSION, Alert, -, "the peer sent the alert protocol_version (70)", "Allow a common protocol version on both sides.";
    AlertInsufficientSecurity = 1071, ALERT_INSUFFICIENT_SECURITY, Alert, -, "the peer sent the alert insufficient_security (71)", "The two sides share no key exchange group or cipher suite that the peer takes (Erlang says so of groups).";
    AlertInternalError = 1080, ALERT_INTERNAL_ERROR, Alert, -, "the peer sent the alert internal_error (80)", "The peer failed, or refuses this side's certificate or name; its log says which.";
    AlertInappropriateFallback = 1086, ALERT_INAPPROPRIATE_FALLBACK, Alert, -, "the peer sent the alert inappropriate_fallback (86)", "Offer the newest version at once: something has lowered it.";
    AlertUserCanceled = 1090, ALERT_USER_CANCELED, Alert, -, "the peer sent the alert user_canceled (90)", "";
    AlertMissingExtension = 1109, ALERT_MISSING_EXTENSION, Alert, -, "the peer sent the alert missing_extension (109)", "The peer misses an extension in this side's messages; its library may expect more than TLSv1.2.";
    AlertUnsupportedExtension = 1110, ALERT_UNSUPPORTED_EXTENSION, Alert, -, "the peer sent the alert unsupported_extension (110)", "The peer does not take an extension of this side; its log says which.";
    AlertUnrecognizedName = 1112, ALERT_UNRECOGNIZED_NAME, Alert, -, "the peer sent the alert unrecognized_name (112)", "The server does not serve this server name.";
    AlertBadCertificateStatusResponse = 1113, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, Alert, -, "the peer sent the alert bad_certificate_status_response (113)", "The peer refuses this side's stapled OCSP response, or misses one.";
    AlertUnknownPskIdentity = 1115, ALERT_UNKNOWN_PSK_IDENTITY, Alert, -, "the peer sent the alert unknown_psk_identity (115)", "Connect again without the earlier session.";
    AlertCertificateRequired = 1116, ALERT_CERTIFICATE_REQUIRED, Alert, -, "the peer sent the alert certificate_required (116)", "The server wants a client certificate; add an identity to this context.";
    AlertNoApplicationProtocol = 1120, ALERT_NO_APPLICATION_PROTOCOL, Alert, -, "the peer sent the alert no_application_protocol (120)", "Name the same ALPN protocol on both sides.";
    AlertOther = 1255, ALERT_OTHER, Alert, -, "the peer sent an alert of no known name", "";
}

impl Code {
    /// The code's number, the same in C and Java.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The number of the alert that the peer is sent for it in a version (`TLSv1.2`, `TLSv1.3`; none before it is
    /// agreed).
    ///
    /// That of the row, with two exceptions. TLS 1.2 has no certificate_required (116): a missing certificate is
    /// handshake_failure (40) there (RFC 5246 section 7.4.6). A failure of this side's own set-up, which a host finds
    /// in the middle of a handshake, is internal_error (80).
    pub fn alert_in(self, version: Option<&str>) -> Option<u8> {
        let is_of_set_up = matches!(self.category(), Category::Usage | Category::Keystore);
        match self {
            Self::CertMissing if version == Some("TLSv1.2") => Some(40),
            _ => self.alert().or_else(|| is_of_set_up.then_some(80)),
        }
    }

    /// The code of an alert received from the peer, by its description number.
    pub fn from_received_alert(description: u8) -> Self {
        let number = 1000 + i32::from(description);
        Self::ALL.iter().copied().find(|code| code.number() == number).unwrap_or(Self::AlertOther)
    }
}
