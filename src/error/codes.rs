//! The one table of codes.
//!
//! Each status of the C ABI, each exception of Java and each message of the command comes from a row here. Numbers are
//! never changed or used again; the message of a row that is no longer produced says `retired`. This file depends on
//! no other room.
//!
//! Ranges: 0 success, 1-99 progress, 1xx usage, 2xx keystore, 3xx certificate, 4xx revocation, 5xx protocol, 7xx input
//! and output, 9xx internal. 1000 + n is the alert n received from the peer (RFC 8446 section 6).

/// The subject of a code. Callers branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Not an error: the caller calls again after doing what the status asks for.
    Progress,
    /// The call or the configuration is wrong: an argument, a state, or a contradiction between settings.
    Usage,
    /// A file or store of keys or certificates could not be used.
    Keystore,
    /// The peer's certificate was refused.
    Certificate,
    /// The peer's certificate was refused because of its revocation status, known or unknown.
    Revocation,
    /// The peer broke the protocol, or the two sides have nothing in common.
    Protocol,
    /// The operating system reported an error.
    Io,
    /// A defect in the library.
    Internal,
    /// The peer ended the connection with an alert.
    Alert,
}

impl Category {
    /// The printed name of the category, in lower case.
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
/// The alert is the description number of the alert that the peer receives (RFC 8446 section 6.2), or `-` for none.
macro_rules! codes {
    (@alert -) => { None };
    (@alert $alert:literal) => { Some($alert) };
    ($($variant:ident = $number:literal, $name:ident, $category:ident, $alert:tt, $message:literal, $hint:literal;)*)
    => {
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

            /// The category of the code.
            pub const fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category,)* }
            }

            /// The message: a clause that starts in lower case and ends without a full stop.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// The hint: a sentence that says what to do, or an empty text.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }

            /// The number of the alert that the peer receives (RFC 8446 section 6), if any. [`Code::alert_in`] has the
            /// exceptions.
            pub const fn alert(self) -> Option<u8> {
                match self { $(Self::$variant => codes!(@alert $alert),)* }
            }
        }
    };
}

codes! {
    Ok = 0, OK, Progress, -,
        "success",
        "";
    WantRead = 1, WANT_READ, Progress, -,
        "more bytes from the peer are needed",
        "Call again when the descriptor is readable.";
    WantWrite = 2, WANT_WRITE, Progress, -,
        "bytes for the peer are waiting to be sent",
        "Call again when the descriptor is writable.";
    WantTask = 3, WANT_TASK, Progress, -,
        "a task that may block must run",
        "Run the connection's task on any thread, then call again.";
    Closed = 4, CLOSED, Progress, -,
        "the peer closed the connection cleanly",
        "";

    NullPointer = 100, NULL_POINTER, Usage, -,
        "a required pointer was NULL",
        "Pass a valid pointer.";
    InvalidArgument = 101, INVALID_ARGUMENT, Usage, -,
        "an argument has a value that is not allowed",
        "";
    WrongState = 102, WRONG_STATE, Usage, -,
        "the call is not allowed in this state",
        "";
    UnknownOption = 103, UNKNOWN_OPTION, Usage, -,
        "there is no option of this name",
        "";
    OptionConflict = 104, OPTION_CONFLICT, Usage, -,
        "two settings contradict each other",
        "";
    NoIdentity = 105, NO_IDENTITY, Usage, 40,
        "the context has no certificate and private key to serve with",
        "Add an identity (certificate chain and private key) to the builder.";
    NoTrust = 106, NO_TRUST, Usage, -,
        "the context has nothing to verify the peer against",
        "Add a trust store, or trust the roots of the system.";
    InvalidServerName = 107, INVALID_SERVER_NAME, Usage, -,
        "the server name is neither a DNS name nor an IP address",
        "Pass the host name or address alone, without port or brackets.";
    BufferTooSmall = 108, BUFFER_TOO_SMALL, Usage, -,
        "the destination buffer is too small",
        "Offer a buffer of the maximum record size.";
    NoCipherSuite = 109, NO_CIPHER_SUITE, Usage, -,
        "no cipher suite is left to offer",
        "Name at least one ECDHE suite with AES-GCM or ChaCha20-Poly1305, or leave the setting out.";
    VersionNotSupported = 110, VERSION_NOT_SUPPORTED, Usage, -,
        "a protocol version is not supported",
        "Use TLSv1.2 and TLSv1.3.";
    GroupNotSupported = 111, GROUP_NOT_SUPPORTED, Usage, -,
        "a key exchange group is not supported",
        "Use X25519MLKEM768, X25519, secp256r1 or secp384r1.";
    InvalidAlpn = 112, INVALID_ALPN, Usage, -,
        "an ALPN protocol name is empty or longer than 255 bytes",
        "";
    InvalidText = 113, INVALID_TEXT, Usage, -,
        "a text argument is not valid UTF-8",
        "";
    CipherNotSupported = 114, CIPHER_NOT_SUPPORTED, Usage, -,
        "a cipher suite name or rule is not supported",
        "";
    InvalidTime = 115, INVALID_TIME, Usage, -,
        "a time is not in RFC 3339 form",
        "Write it as 2026-01-31T12:00:00Z.";
    PasswordUnavailable = 116, PASSWORD_UNAVAILABLE, Usage, -,
        "the password callback gave no password",
        "Have the callback return the password of this file, or set the password itself.";
    LegacyUnavailable = 117, LEGACY_UNAVAILABLE, Usage, -,
        "the second TLS engine cannot be used",
        "Install OpenSSL 3 (Debian: libssl3), and libbrokertls_legacy.so beside this library, as make install does. Or \
         name its file by legacy-library.";
    Busy = 120, BUSY, Usage, -,
        "another call on the object is in progress, on another thread or around this callback",
        "Use a connection or a builder from one thread at a time.";
    WorkersBusy = 121, WORKERS_BUSY, Usage, -,
        "every thread that makes calls for virtual threads waits",
        "Look into the managers and callbacks: they may wait for each other, or for a service that does not answer.";

    StoreFormatUnknown = 201, STORE_FORMAT_UNKNOWN, Keystore, -,
        "the content is not PEM, DER, PKCS#12, JKS or JCEKS",
        "Check that this is the file you mean, and that it was copied whole and without changes.";
    StoreTypeMismatch = 202, STORE_TYPE_MISMATCH, Keystore, -,
        "the content is not of the type that was given",
        "Leave the type out; it is then detected from the content.";
    StorePasswordWrong = 203, STORE_PASSWORD_WRONG, Keystore, -,
        "the store password is wrong, or the store was altered",
        "Check the store password.";
    StorePasswordMissing = 204, STORE_PASSWORD_MISSING, Keystore, -,
        "the store needs a password and none was given",
        "Give the store password.";
    KeyPasswordWrong = 205, KEY_PASSWORD_WRONG, Keystore, -,
        "the key password is wrong",
        "Check the key password; it may differ from the store password.";
    KeyPasswordMissing = 206, KEY_PASSWORD_MISSING, Keystore, -,
        "the private key is encrypted and no password was given",
        "Give the key password.";
    AliasNotFound = 207, ALIAS_NOT_FOUND, Keystore, -,
        "the store has no entry of this alias",
        "Give an alias as the store has it: the command `brokertls inspect` lists them.";
    NoPrivateKey = 208, NO_PRIVATE_KEY, Keystore, -,
        "there is no private key",
        "Give the file that holds the key, or a store with a key entry.";
    KeyMismatch = 209, KEY_MISMATCH, Keystore, -,
        "the private key does not belong to the certificate",
        "Use the private key that the certificate was requested with.";
    ChainBroken = 210, CHAIN_BROKEN, Keystore, -,
        "the certificates do not form one chain",
        "Keep only the end-entity certificate and its issuers.";
    KeyAlgorithmUnsupported = 211, KEY_ALGORITHM_UNSUPPORTED, Keystore, -,
        "the private key's algorithm is not supported",
        "Use RSA (1024 bits or more), ECDSA on P-256, P-384 or P-521, Ed25519, or ML-DSA.";
    EncryptionUnsupported = 212, ENCRYPTION_UNSUPPORTED, Keystore, -,
        "the encryption of the key or store is not supported",
        "Export it with AES-256-CBC and PBKDF2: openssl pkcs12 -export, or openssl pkcs8 -topk8 for a key alone.";
    StoreMalformed = 213, STORE_MALFORMED, Keystore, -,
        "the store is malformed",
        "The file is cut short or damaged: copy it again, or make it anew.";
    PemMalformed = 214, PEM_MALFORMED, Keystore, -,
        "the PEM text is malformed",
        "The file is cut short or was edited: copy it again, or make it anew.";
    KeyMalformed = 215, KEY_MALFORMED, Keystore, -,
        "the private key is malformed",
        "The file is cut short or damaged: export the key again.";
    CertificateMalformed = 216, CERTIFICATE_MALFORMED, Keystore, -,
        "a certificate is malformed",
        "The file is cut short or damaged: export the certificate again.";
    StoreMacMissing = 217, STORE_MAC_MISSING, Keystore, -,
        "the PKCS#12 store has no integrity check",
        "Export it again with a MAC, or allow stores without one.";
    StoreTooLarge = 218, STORE_TOO_LARGE, Keystore, -,
        "the content is larger than the limit",
        "If the file is the right one, raise the option max-content-bytes.";
    CostTooHigh = 219, COST_TOO_HIGH, Keystore, -,
        "the key derivation asks for more work or memory than the limit",
        "If the file is the right one, raise the option max-kdf-iterations.";
    NoCertificate = 220, NO_CERTIFICATE, Keystore, -,
        "there is no certificate",
        "Give a file that has the certificate.";
    NoTrustedCertificate = 221, NO_TRUSTED_CERTIFICATE, Keystore, -,
        "there is no certificate to trust",
        "Give a file with the certificate of the CA that issues for the peers.";
    ParameterInvalid = 222, PARAMETER_INVALID, Keystore, -,
        "a parameter of the encryption is out of range",
        "";
    SigningFailed = 223, SIGNING_FAILED, Keystore, 80,
        "the private key could not sign",
        "Check the token or the provider that holds the key; its own error is the cause.";
    PskMalformed = 224, PSK_MALFORMED, Keystore, -,
        "the pre-shared keys cannot be read",
        "Give an identity, a colon and the secret in hexadecimal digits on each line; psk-format names another form.";

    CertUnknownIssuer = 300, CERT_UNKNOWN_ISSUER, Certificate, 48,
        "the peer certificate's issuer is not trusted",
        "Add the issuing CA's certificate to the trust store.";
    CertNotYetValid = 301, CERT_NOT_YET_VALID, Certificate, 45,
        "the peer certificate is not valid yet",
        "Check this machine's clock and the certificate's dates.";
    CertExpired = 302, CERT_EXPIRED, Certificate, 45,
        "the peer certificate has expired",
        "The peer needs a renewed certificate.";
    CertNameMismatch = 303, CERT_NAME_MISMATCH, Certificate, 42,
        "the peer certificate is not for this host",
        "Connect to a name in the certificate, or reissue it with this name as subject alternative name.";
    CertNoName = 304, CERT_NO_NAME, Certificate, 42,
        "the peer certificate has no subject alternative name",
        "Reissue it with the host as subject alternative name.";
    CertSignatureInvalid = 305, CERT_SIGNATURE_INVALID, Certificate, 51,
        "a signature in the peer's chain is wrong",
        "";
    CertCaAsEndEntity = 306, CERT_CA_AS_END_ENTITY, Certificate, 42,
        "the peer uses a CA certificate as its own",
        "Reissue it with CA:FALSE, or add it to the trust store.";
    CertPurposeMismatch = 307, CERT_PURPOSE_MISMATCH, Certificate, 43,
        "the peer certificate is not for this purpose",
        "Reissue it with the extended key usage of its role.";
    CertVersionUnsupported = 308, CERT_VERSION_UNSUPPORTED, Certificate, 43,
        "a certificate in the peer's chain is not X.509 version 3",
        "Reissue it with extensions (openssl x509 -extfile).";
    CertKeyTooSmall = 309, CERT_KEY_TOO_SMALL, Certificate, 42,
        "an RSA key in the peer's chain has fewer than 2048 bits",
        "Reissue it with a key of 2048 bits or more.";
    CertMalformed = 310, CERT_MALFORMED, Certificate, 42,
        "a certificate of the peer is malformed",
        "";
    CertAlgorithmUnsupported = 311, CERT_ALGORITHM_UNSUPPORTED, Certificate, 43,
        "a certificate in the peer's chain uses an algorithm that is not accepted",
        "Reissue it with SHA-256 or better and RSA, ECDSA or Ed25519.";
    CertPathLength = 312, CERT_PATH_LENGTH, Certificate, 42,
        "the peer's chain is longer than its CAs allow",
        "";
    CertNameConstraint = 313, CERT_NAME_CONSTRAINT, Certificate, 42,
        "a name in the peer certificate violates the name constraints of its CA",
        "";
    CertIssuerNotCa = 314, CERT_ISSUER_NOT_CA, Certificate, 42,
        "a certificate in the peer's chain was issued by a certificate that is not a CA",
        "";
    CertCriticalExtension = 315, CERT_CRITICAL_EXTENSION, Certificate, 43,
        "a certificate in the peer's chain has a critical extension that is not supported",
        "";
    CertMissing = 316, CERT_MISSING, Certificate, 116,
        "the peer sent no certificate and one is required",
        "Give the client a certificate for client authentication, with its key. Go and Java clients send none if no CA \
         that the server names has issued it: set send-ca-names to no for them.";
    CertRejectedByCallback = 317, CERT_REJECTED_BY_CALLBACK, Certificate, 49,
        "the application refused the peer certificate",
        "";
    CertProofInvalid = 318, CERT_PROOF_INVALID, Certificate, 51,
        "the peer did not prove that it has the certificate's private key",
        "";
    CertSelfSigned = 319, CERT_SELF_SIGNED, Certificate, 48,
        "the peer certificate is self-signed and not in the trust store",
        "Import this certificate into the trust store if it is the right one.";
    CertSelfSignedInChain = 320, CERT_SELF_SIGNED_IN_CHAIN, Certificate, 48,
        "the peer's chain ends in a self-signed certificate that is not in the trust store",
        "Add that CA certificate to the trust store if it is the right one.";
    CertTooComplex = 321, CERT_TOO_COMPLEX, Certificate, 42,
        "the peer's chain takes too much work to verify",
        "";
    CertRejectedByManager = 322, CERT_REJECTED_BY_MANAGER, Certificate, 46,
        "the trust manager refused the peer certificate",
        "";
    CertKeyUsage = 323, CERT_KEY_USAGE, Certificate, 43,
        "the peer certificate's key usage does not allow its key to sign the handshake",
        "Reissue it with the key usage digitalSignature.";
    CertConstraintUnsupported = 324, CERT_CONSTRAINT_UNSUPPORTED, Certificate, 43,
        "a CA in the peer's chain constrains names of a kind that is not supported",
        "Reissue that CA with constraints on DNS names and IP addresses only, or trust the CA below it.";
    CertOther = 399, CERT_OTHER, Certificate, 46,
        "the peer certificate was refused",
        "";

    CertRevoked = 400, CERT_REVOKED, Revocation, 44,
        "the peer certificate has been revoked",
        "The peer needs a new certificate.";
    RevocationUnknown = 401, REVOCATION_UNKNOWN, Revocation, 46,
        "the revocation status of the peer certificate is unknown",
        "Give the current revocation list of its issuer, or accept an unknown status (revocation prefer).";
    RevocationStale = 402, REVOCATION_STALE, Revocation, 46,
        "the revocation information about the peer certificate is out of date",
        "Give the current revocation list of its issuer.";
    RevocationUnreachable = 403, REVOCATION_UNREACHABLE, Revocation, 46,
        "no source of revocation information about the peer certificate could be reached",
        "Check that the responder, or the server of the list, is running and can be reached from here.";
    RevocationResponseInvalid = 404, REVOCATION_RESPONSE_INVALID, Revocation, 113,
        "the revocation information received about the peer certificate cannot be trusted",
        "Check the certificate, key and clock of the responder, and that it serves this issuer.";
    StapleMissing = 405, STAPLE_MISSING, Revocation, 113,
        "the peer certificate requires a stapled OCSP response, and the peer sent none",
        "Turn stapling on at the peer, or reissue its certificate without the TLS feature (must-staple).";
    FetchRefused = 406, FETCH_REFUSED, Revocation, 46,
        "a URL for revocation information is not allowed",
        "Only http:// is fetched. Addresses of private networks need the option fetch-private-addresses.";
    CrlMalformed = 410, CRL_MALFORMED, Revocation, -,
        "a revocation list (CRL) is malformed",
        "Fetch it again from the CA, as PEM (X509 CRL) or DER.";
    CrlUnsupported = 411, CRL_UNSUPPORTED, Revocation, -,
        "a revocation list (CRL) has a form that is not supported",
        "Use the CA's complete, direct list (RFC 5280), signed with RSA or ECDSA and SHA-2, or Ed25519.";
    OcspMalformed = 412, OCSP_MALFORMED, Revocation, -,
        "an OCSP response is malformed",
        "Fetch it again from the responder (openssl ocsp -respout), as DER or PEM (OCSP RESPONSE).";
    OcspUnusable = 413, OCSP_UNUSABLE, Revocation, -,
        "an OCSP response cannot be used: it is for another certificate, not signed correctly, out of date, or an \
         error",
        "Fetch it again from the responder of the certificate's issuer (openssl ocsp -respout).";

    PeerNotTls = 500, PEER_NOT_TLS, Protocol, 22,
        "the peer does not speak TLS",
        "Use the TLS port and scheme on both sides.";
    Truncated = 501, TRUNCATED, Protocol, -,
        "the connection ended without close_notify; data may be missing",
        "";
    NoCommonVersion = 502, NO_COMMON_VERSION, Protocol, 70,
        "the peer offers no protocol version that is allowed here",
        "Allow TLSv1.2 or TLSv1.3 on both sides.";
    NoCommonCipherSuite = 503, NO_COMMON_CIPHER_SUITE, Protocol, 40,
        "the two sides have no cipher suite in common",
        "Allow an ECDHE suite with AES-GCM on both sides that suits the certificate's key.";
    NoCommonGroup = 504, NO_COMMON_GROUP, Protocol, 40,
        "the two sides have no key exchange group in common",
        "Allow X25519 or secp256r1 on both sides.";
    NoCommonAlpn = 505, NO_COMMON_ALPN, Protocol, 120,
        "the two sides have no application protocol in common",
        "Name the same ALPN protocol on both sides.";
    NoCommonSignature = 506, NO_COMMON_SIGNATURE, Protocol, 40,
        "no identity can sign in a way that the peer can verify",
        "Add an identity with another kind of key (RSA beside ECDSA).";
    DecryptFailed = 507, DECRYPT_FAILED, Protocol, 20,
        "a record could not be decrypted",
        "";
    MessageMalformed = 508, MESSAGE_MALFORMED, Protocol, 50,
        "the peer sent a malformed message",
        "";
    UnexpectedMessage = 509, UNEXPECTED_MESSAGE, Protocol, 10,
        "the peer sent a message that is not allowed at this point",
        "";
    RecordTooLarge = 510, RECORD_TOO_LARGE, Protocol, 22,
        "the peer sent a record larger than allowed",
        "";
    PeerMisbehaved = 511, PEER_MISBEHAVED, Protocol, 47,
        "the peer broke the protocol",
        "";
    PeerIncompatible = 512, PEER_INCOMPATIBLE, Protocol, 40,
        "the peer lacks a required feature",
        "";
    KeysExhausted = 513, KEYS_EXHAUSTED, Protocol, -,
        "the connection has sent as much as its keys allow",
        "Open a new connection.";
    HandshakeEof = 514, HANDSHAKE_EOF, Protocol, -,
        "the peer closed the connection during the handshake",
        "Look into the log of the peer for the reason.";
    HandshakeTooLarge = 515, HANDSHAKE_TOO_LARGE, Protocol, 47,
        "the peer's handshake messages are larger than the limit",
        "";
    ServerNameRefused = 516, SERVER_NAME_REFUSED, Protocol, 112,
        "the client asks for a server name that is not served here",
        "Connect to a name that the server serves, or allow this name on the server.";
    SessionNotResumed = 517, SESSION_NOT_RESUMED, Protocol, 46,
        "the peer did not resume the session, and a new session is not allowed",
        "Allow new sessions, or connect without this restriction first.";
    HandshakeSignatureIllegal = 520, HANDSHAKE_SIGNATURE_ILLEGAL, Protocol, 47,
        "the peer signed the handshake with an algorithm that is not allowed",
        "Update the TLS library of the peer, or allow other protocol versions.";
    ExtensionMissing = 523, EXTENSION_MISSING, Protocol, 109,
        "the peer left out an extension that is required",
        "The TLS library of the peer does not follow RFC 8446; update it.";
    ExtensionUnexpected = 524, EXTENSION_UNEXPECTED, Protocol, 110,
        "the peer sent an extension that was not requested",
        "The TLS library of the peer does not follow RFC 8446; update it.";
    FinishedInvalid = 525, FINISHED_INVALID, Protocol, 51,
        "the two sides saw different handshake messages",
        "Look for a middlebox that alters the handshake.";
    ServerNameInvalid = 526, SERVER_NAME_INVALID, Protocol, 112,
        "the client asks for a server name that is not a host name",
        "Make the client send the host name alone as server name (SNI): no scheme, port, path or address.";
    PskRefused = 527, PSK_REFUSED, Protocol, 20,
        "the client has no pre-shared key of this context",
        "Compare the identity and the secret of the client with the line of it here.";
    PskUnavailable = 528, PSK_UNAVAILABLE, Protocol, 80,
        "the pre-shared key of the client could not be looked up",
        "Look into the log of the application: its callback has failed.";
    FallbackRefused = 529, FALLBACK_REFUSED, Protocol, 86,
        "the client has come down to an older version than both sides have",
        "Find out why the first attempt of the client failed: something between the two sides may have disturbed it.";
    ProtocolOther = 599, PROTOCOL_OTHER, Protocol, 40,
        "the connection failed",
        "";

    FileUnreadable = 700, FILE_UNREADABLE, Io, -,
        "a file cannot be read",
        "Check the path, and that the user of this process may read the file.";
    ConnectionReset = 701, CONNECTION_RESET, Io, -,
        "the peer reset the connection",
        "";
    BrokenPipe = 702, BROKEN_PIPE, Io, -,
        "the peer no longer accepts data",
        "";
    IoOther = 703, IO_OTHER, Io, -,
        "reading or writing failed",
        "";
    FileUnwritable = 704, FILE_UNWRITABLE, Io, -,
        "a file cannot be written",
        "Check that the folder is there, that the user of this process may write to it, and that it has space.";
    SystemRootsUnavailable = 705, SYSTEM_ROOTS_UNAVAILABLE, Io, -,
        "the system has no trust store that can be read",
        "Install ca-certificates, or name a trust store.";
    ConnectionRefused = 706, CONNECTION_REFUSED, Io, -,
        "the host accepts no connections at this port",
        "Check the host and the port, and that the server is running and listens for TLS there.";

    Internal = 900, INTERNAL, Internal, 80,
        "internal error",
        "Please report it.";
    Panic = 901, PANIC, Internal, 80,
        "a defect in the library was contained; the object can no longer be used",
        "Please report it.";

    AlertUnexpectedMessage = 1010, ALERT_UNEXPECTED_MESSAGE, Alert, -,
        "the peer sent the alert unexpected_message (10)",
        "The peer does not accept a message of this side at this point: one of the two libraries breaks the protocol.";
    AlertBadRecordMac = 1020, ALERT_BAD_RECORD_MAC, Alert, -,
        "the peer sent the alert bad_record_mac (20)",
        "Something between the two sides alters the bytes, or one of the two libraries is at fault.";
    AlertRecordOverflow = 1022, ALERT_RECORD_OVERFLOW, Alert, -,
        "the peer sent the alert record_overflow (22)",
        "The peer accepts only smaller records, or expects another protocol than TLS at this port.";
    AlertHandshakeFailure = 1040, ALERT_HANDSHAKE_FAILURE, Alert, -,
        "the peer sent the alert handshake_failure (40)",
        "The two sides share no cipher suite, group or signature algorithm, or the peer refuses this side's \
         certificate or has none.";
    AlertBadCertificate = 1042, ALERT_BAD_CERTIFICATE, Alert, -,
        "the peer sent the alert bad_certificate (42)",
        "The peer refuses this side's certificate.";
    AlertUnsupportedCertificate = 1043, ALERT_UNSUPPORTED_CERTIFICATE, Alert, -,
        "the peer sent the alert unsupported_certificate (43)",
        "The peer refuses this side's type of certificate; check its extended key usage.";
    AlertCertificateRevoked = 1044, ALERT_CERTIFICATE_REVOKED, Alert, -,
        "the peer sent the alert certificate_revoked (44)",
        "This side's certificate has been revoked; get a new one.";
    AlertCertificateExpired = 1045, ALERT_CERTIFICATE_EXPIRED, Alert, -,
        "the peer sent the alert certificate_expired (45)",
        "This side's certificate has expired or is not valid yet: check its dates and the clocks of both sides.";
    AlertCertificateUnknown = 1046, ALERT_CERTIFICATE_UNKNOWN, Alert, -,
        "the peer sent the alert certificate_unknown (46)",
        "The peer refuses this side's certificate; its log has the reason.";
    AlertIllegalParameter = 1047, ALERT_ILLEGAL_PARAMETER, Alert, -,
        "the peer sent the alert illegal_parameter (47)",
        "The peer does not accept a value in this side's messages; its log names the value.";
    AlertUnknownCa = 1048, ALERT_UNKNOWN_CA, Alert, -,
        "the peer sent the alert unknown_ca (48)",
        "The peer does not know the CA of this side's certificate; add it to the peer's trust store.";
    AlertAccessDenied = 1049, ALERT_ACCESS_DENIED, Alert, -,
        "the peer sent the alert access_denied (49)",
        "The peer denies access, or refuses this side's certificate; its log has the reason.";
    AlertDecodeError = 1050, ALERT_DECODE_ERROR, Alert, -,
        "the peer sent the alert decode_error (50)",
        "The peer cannot read a message of this side, or requires a certificate (as GnuTLS reports it).";
    AlertDecryptError = 1051, ALERT_DECRYPT_ERROR, Alert, -,
        "the peer sent the alert decrypt_error (51)",
        "The peer finds a signature invalid: check that this side's certificate and key belong together.";
    AlertProtocolVersion = 1070, ALERT_PROTOCOL_VERSION, Alert, -,
        "the peer sent the alert protocol_version (70)",
        "Allow a common protocol version on both sides.";
    AlertInsufficientSecurity = 1071, ALERT_INSUFFICIENT_SECURITY, Alert, -,
        "the peer sent the alert insufficient_security (71)",
        "The two sides share no key exchange group or cipher suite that the peer accepts (Erlang reports groups so).";
    AlertInternalError = 1080, ALERT_INTERNAL_ERROR, Alert, -,
        "the peer sent the alert internal_error (80)",
        "The peer failed, or refuses this side's certificate or name; its log has the reason.";
    AlertInappropriateFallback = 1086, ALERT_INAPPROPRIATE_FALLBACK, Alert, -,
        "the peer sent the alert inappropriate_fallback (86)",
        "Offer the newest protocol version in the first attempt.";
    AlertUserCanceled = 1090, ALERT_USER_CANCELED, Alert, -,
        "the peer sent the alert user_canceled (90)",
        "";
    AlertMissingExtension = 1109, ALERT_MISSING_EXTENSION, Alert, -,
        "the peer sent the alert missing_extension (109)",
        "The peer requires an extension that this side does not send; it may need TLSv1.3.";
    AlertUnsupportedExtension = 1110, ALERT_UNSUPPORTED_EXTENSION, Alert, -,
        "the peer sent the alert unsupported_extension (110)",
        "The peer does not accept an extension of this side; its log names the extension.";
    AlertUnrecognizedName = 1112, ALERT_UNRECOGNIZED_NAME, Alert, -,
        "the peer sent the alert unrecognized_name (112)",
        "The server does not serve this server name.";
    AlertBadCertificateStatusResponse = 1113, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, Alert, -,
        "the peer sent the alert bad_certificate_status_response (113)",
        "The peer refuses this side's stapled OCSP response, or requires one.";
    AlertUnknownPskIdentity = 1115, ALERT_UNKNOWN_PSK_IDENTITY, Alert, -,
        "the peer sent the alert unknown_psk_identity (115)",
        "Connect again without the earlier session.";
    AlertCertificateRequired = 1116, ALERT_CERTIFICATE_REQUIRED, Alert, -,
        "the peer sent the alert certificate_required (116)",
        "The server requires a client certificate; add an identity to this context.";
    AlertNoApplicationProtocol = 1120, ALERT_NO_APPLICATION_PROTOCOL, Alert, -,
        "the peer sent the alert no_application_protocol (120)",
        "Name the same ALPN protocol on both sides.";
    AlertOther = 1255, ALERT_OTHER, Alert, -,
        "the peer sent an unknown alert",
        "";
}

impl Code {
    /// The code's number, the same in C and Java.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The number of the alert that the peer receives in `version`: `TLSv1.2`, `TLSv1.3`, or `None` before the
    /// agreement.
    ///
    /// It is the alert of the row, with two exceptions. TLS 1.2 has no certificate_required (116): a missing
    /// certificate gives handshake_failure (40) (RFC 5246 section 7.4.6). A failure in this side's own settings during
    /// a handshake gives internal_error (80).
    pub fn alert_in(self, version: Option<&str>) -> Option<u8> {
        let is_of_set_up = matches!(self.category(), Category::Usage | Category::Keystore);
        match self {
            Self::CertMissing if version.is_some_and(|version| version != "TLSv1.3") => Some(40),
            // RFC 8446 section 6.2: a binder that is not verified. Before, it is a record that cannot be decrypted.
            Self::PskRefused if version == Some("TLSv1.3") => Some(51),
            _ => self.alert().or_else(|| is_of_set_up.then_some(80)),
        }
    }

    /// The code of an alert received from the peer, by its description number.
    pub fn from_received_alert(description: u8) -> Self {
        let number = 1000 + i32::from(description);
        Self::ALL.iter().copied().find(|code| code.number() == number).unwrap_or(Self::AlertOther)
    }
}
