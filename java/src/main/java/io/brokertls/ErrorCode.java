package io.brokertls;

/**
 * The codes of brokertls. Generated from src/error/codes.rs; {@code make bless} rewrites it.
 *
 * <p>Numbers never change their meaning; new ones may be added.
 */
public enum ErrorCode {
    /** Success. */
    OK(0, Category.PROGRESS, -1,
            "success",
            ""),
    /** More bytes from the peer are needed. */
    WANT_READ(1, Category.PROGRESS, -1,
            "more bytes from the peer are needed",
            "Call again when the descriptor is readable."),
    /** Bytes for the peer are waiting to be sent. */
    WANT_WRITE(2, Category.PROGRESS, -1,
            "bytes for the peer are waiting to be sent",
            "Call again when the descriptor is writable."),
    /** A task that may block must run. */
    WANT_TASK(3, Category.PROGRESS, -1,
            "a task that may block must run",
            "Run the connection's task on any thread, then call again."),
    /** The peer closed the connection cleanly. */
    CLOSED(4, Category.PROGRESS, -1,
            "the peer closed the connection cleanly",
            ""),
    /** A required pointer was NULL. */
    NULL_POINTER(100, Category.USAGE, -1,
            "a required pointer was NULL",
            "Pass a valid pointer."),
    /** An argument has a value that is not allowed. */
    INVALID_ARGUMENT(101, Category.USAGE, -1,
            "an argument has a value that is not allowed",
            ""),
    /** The call is not allowed in this state. */
    WRONG_STATE(102, Category.USAGE, -1,
            "the call is not allowed in this state",
            ""),
    /** There is no option of this name. */
    UNKNOWN_OPTION(103, Category.USAGE, -1,
            "there is no option of this name",
            ""),
    /** Two settings contradict each other. */
    OPTION_CONFLICT(104, Category.USAGE, -1,
            "two settings contradict each other",
            ""),
    /** The context has no certificate and private key to serve with. */
    NO_IDENTITY(105, Category.USAGE, 40,
            "the context has no certificate and private key to serve with",
            "Add an identity (certificate chain and private key) to the builder."),
    /** The context has nothing to verify the peer against. */
    NO_TRUST(106, Category.USAGE, -1,
            "the context has nothing to verify the peer against",
            "Add a trust store, or trust the roots of the system."),
    /** The server name is neither a DNS name nor an IP address. */
    INVALID_SERVER_NAME(107, Category.USAGE, -1,
            "the server name is neither a DNS name nor an IP address",
            "Pass the host name or address alone, without port or brackets."),
    /** The destination buffer is too small. */
    BUFFER_TOO_SMALL(108, Category.USAGE, -1,
            "the destination buffer is too small",
            "Offer a buffer of the maximum record size."),
    /** No cipher suite is left to offer. */
    NO_CIPHER_SUITE(109, Category.USAGE, -1,
            "no cipher suite is left to offer",
            "Name at least one ECDHE suite with AES-GCM or ChaCha20-Poly1305, or leave the setting out."),
    /** A protocol version is not supported. */
    VERSION_NOT_SUPPORTED(110, Category.USAGE, -1,
            "a protocol version is not supported",
            "Use TLSv1.2 and TLSv1.3."),
    /** A key exchange group is not supported. */
    GROUP_NOT_SUPPORTED(111, Category.USAGE, -1,
            "a key exchange group is not supported",
            "Use X25519MLKEM768, X25519, secp256r1 or secp384r1."),
    /** An ALPN protocol name is empty or longer than 255 bytes. */
    INVALID_ALPN(112, Category.USAGE, -1,
            "an ALPN protocol name is empty or longer than 255 bytes",
            ""),
    /** A text argument is not valid UTF-8. */
    INVALID_TEXT(113, Category.USAGE, -1,
            "a text argument is not valid UTF-8",
            ""),
    /** A cipher suite name or rule is not supported. */
    CIPHER_NOT_SUPPORTED(114, Category.USAGE, -1,
            "a cipher suite name or rule is not supported",
            ""),
    /** A time is not in RFC 3339 form. */
    INVALID_TIME(115, Category.USAGE, -1,
            "a time is not in RFC 3339 form",
            "Write it as 2026-01-31T12:00:00Z."),
    /** The password callback gave no password. */
    PASSWORD_UNAVAILABLE(116, Category.USAGE, -1,
            "the password callback gave no password",
            "Have the callback return the password of this file, or set the password itself."),
    /** The second TLS engine cannot be used. */
    LEGACY_UNAVAILABLE(117, Category.USAGE, -1,
            "the second TLS engine cannot be used",
            "Install OpenSSL 3 (Debian: libssl3), and libbrokertls_legacy.so beside this library, as make install "
                    + "does. Or name its file by legacy-library."),
    /** Another call on the object is in progress, on another thread or around this callback. */
    BUSY(120, Category.USAGE, -1,
            "another call on the object is in progress, on another thread or around this callback",
            "Use a connection or a builder from one thread at a time."),
    /** Every thread that makes calls for virtual threads waits. */
    WORKERS_BUSY(121, Category.USAGE, -1,
            "every thread that makes calls for virtual threads waits",
            "Look into the managers and callbacks: they may wait for each other, or for a service that does not "
                    + "answer."),
    /** The content is not PEM, DER, PKCS#12, JKS or JCEKS. */
    STORE_FORMAT_UNKNOWN(201, Category.KEYSTORE, -1,
            "the content is not PEM, DER, PKCS#12, JKS or JCEKS",
            "Check that this is the file you mean, and that it was copied whole and without changes."),
    /** The content is not of the type that was given. */
    STORE_TYPE_MISMATCH(202, Category.KEYSTORE, -1,
            "the content is not of the type that was given",
            "Leave the type out; it is then detected from the content."),
    /** The store password is wrong, or the store was altered. */
    STORE_PASSWORD_WRONG(203, Category.KEYSTORE, -1,
            "the store password is wrong, or the store was altered",
            "Check the store password."),
    /** The store needs a password and none was given. */
    STORE_PASSWORD_MISSING(204, Category.KEYSTORE, -1,
            "the store needs a password and none was given",
            "Give the store password."),
    /** The key password is wrong. */
    KEY_PASSWORD_WRONG(205, Category.KEYSTORE, -1,
            "the key password is wrong",
            "Check the key password; it may differ from the store password."),
    /** The private key is encrypted and no password was given. */
    KEY_PASSWORD_MISSING(206, Category.KEYSTORE, -1,
            "the private key is encrypted and no password was given",
            "Give the key password."),
    /** The store has no entry of this alias. */
    ALIAS_NOT_FOUND(207, Category.KEYSTORE, -1,
            "the store has no entry of this alias",
            "Give an alias as the store has it: the command `brokertls inspect` lists them."),
    /** There is no private key. */
    NO_PRIVATE_KEY(208, Category.KEYSTORE, -1,
            "there is no private key",
            "Give the file that holds the key, or a store with a key entry."),
    /** The private key does not belong to the certificate. */
    KEY_MISMATCH(209, Category.KEYSTORE, -1,
            "the private key does not belong to the certificate",
            "Use the private key that the certificate was requested with."),
    /** The certificates do not form one chain. */
    CHAIN_BROKEN(210, Category.KEYSTORE, -1,
            "the certificates do not form one chain",
            "Keep only the end-entity certificate and its issuers."),
    /** The private key's algorithm is not supported. */
    KEY_ALGORITHM_UNSUPPORTED(211, Category.KEYSTORE, -1,
            "the private key's algorithm is not supported",
            "Use RSA (1024 bits or more), ECDSA on P-256, P-384 or P-521, Ed25519, or ML-DSA."),
    /** The encryption of the key or store is not supported. */
    ENCRYPTION_UNSUPPORTED(212, Category.KEYSTORE, -1,
            "the encryption of the key or store is not supported",
            "Export it with AES-256-CBC and PBKDF2: openssl pkcs12 -export, or openssl pkcs8 -topk8 for a key "
                    + "alone."),
    /** The store is malformed. */
    STORE_MALFORMED(213, Category.KEYSTORE, -1,
            "the store is malformed",
            "The file is cut short or damaged: copy it again, or make it anew."),
    /** The PEM text is malformed. */
    PEM_MALFORMED(214, Category.KEYSTORE, -1,
            "the PEM text is malformed",
            "The file is cut short or was edited: copy it again, or make it anew."),
    /** The private key is malformed. */
    KEY_MALFORMED(215, Category.KEYSTORE, -1,
            "the private key is malformed",
            "The file is cut short or damaged: export the key again."),
    /** A certificate is malformed. */
    CERTIFICATE_MALFORMED(216, Category.KEYSTORE, -1,
            "a certificate is malformed",
            "The file is cut short or damaged: export the certificate again."),
    /** The PKCS#12 store has no integrity check. */
    STORE_MAC_MISSING(217, Category.KEYSTORE, -1,
            "the PKCS#12 store has no integrity check",
            "Export it again with a MAC, or allow stores without one."),
    /** The content is larger than the limit. */
    STORE_TOO_LARGE(218, Category.KEYSTORE, -1,
            "the content is larger than the limit",
            "If the file is the right one, raise the option max-content-bytes."),
    /** The key derivation asks for more work or memory than the limit. */
    COST_TOO_HIGH(219, Category.KEYSTORE, -1,
            "the key derivation asks for more work or memory than the limit",
            "If the file is the right one, raise the option max-kdf-iterations."),
    /** There is no certificate. */
    NO_CERTIFICATE(220, Category.KEYSTORE, -1,
            "there is no certificate",
            "Give a file that has the certificate."),
    /** There is no certificate to trust. */
    NO_TRUSTED_CERTIFICATE(221, Category.KEYSTORE, -1,
            "there is no certificate to trust",
            "Give a file with the certificate of the CA that issues for the peers."),
    /** A parameter of the encryption is out of range. */
    PARAMETER_INVALID(222, Category.KEYSTORE, -1,
            "a parameter of the encryption is out of range",
            ""),
    /** The private key could not sign. */
    SIGNING_FAILED(223, Category.KEYSTORE, 80,
            "the private key could not sign",
            "Check the token or the provider that holds the key; its own error is the cause."),
    /** The pre-shared keys cannot be read. */
    PSK_MALFORMED(224, Category.KEYSTORE, -1,
            "the pre-shared keys cannot be read",
            "Give an identity, a colon and the secret in hexadecimal digits on each line; psk-format names "
                    + "another form."),
    /** The peer certificate's issuer is not trusted. */
    CERT_UNKNOWN_ISSUER(300, Category.CERTIFICATE, 48,
            "the peer certificate's issuer is not trusted",
            "Add the issuing CA's certificate to the trust store."),
    /** The peer certificate is not valid yet. */
    CERT_NOT_YET_VALID(301, Category.CERTIFICATE, 45,
            "the peer certificate is not valid yet",
            "Check this machine's clock and the certificate's dates."),
    /** The peer certificate has expired. */
    CERT_EXPIRED(302, Category.CERTIFICATE, 45,
            "the peer certificate has expired",
            "The peer needs a renewed certificate."),
    /** The peer certificate is not for this host. */
    CERT_NAME_MISMATCH(303, Category.CERTIFICATE, 42,
            "the peer certificate is not for this host",
            "Connect to a name in the certificate, or reissue it with this name as subject alternative name."),
    /** The peer certificate has no subject alternative name. */
    CERT_NO_NAME(304, Category.CERTIFICATE, 42,
            "the peer certificate has no subject alternative name",
            "Reissue it with the host as subject alternative name."),
    /** A signature in the peer's chain is wrong. */
    CERT_SIGNATURE_INVALID(305, Category.CERTIFICATE, 51,
            "a signature in the peer's chain is wrong",
            ""),
    /** The peer uses a CA certificate as its own. */
    CERT_CA_AS_END_ENTITY(306, Category.CERTIFICATE, 42,
            "the peer uses a CA certificate as its own",
            "Reissue it with CA:FALSE, or add it to the trust store."),
    /** The peer certificate is not for this purpose. */
    CERT_PURPOSE_MISMATCH(307, Category.CERTIFICATE, 43,
            "the peer certificate is not for this purpose",
            "Reissue it with the extended key usage of its role."),
    /** A certificate in the peer's chain is not X.509 version 3. */
    CERT_VERSION_UNSUPPORTED(308, Category.CERTIFICATE, 43,
            "a certificate in the peer's chain is not X.509 version 3",
            "Reissue it with extensions (openssl x509 -extfile)."),
    /** An RSA key in the peer's chain has fewer than 2048 bits. */
    CERT_KEY_TOO_SMALL(309, Category.CERTIFICATE, 42,
            "an RSA key in the peer's chain has fewer than 2048 bits",
            "Reissue it with a key of 2048 bits or more."),
    /** A certificate of the peer is malformed. */
    CERT_MALFORMED(310, Category.CERTIFICATE, 42,
            "a certificate of the peer is malformed",
            ""),
    /** A certificate in the peer's chain uses an algorithm that is not accepted. */
    CERT_ALGORITHM_UNSUPPORTED(311, Category.CERTIFICATE, 43,
            "a certificate in the peer's chain uses an algorithm that is not accepted",
            "Reissue it with SHA-256 or better and RSA, ECDSA or Ed25519."),
    /** The peer's chain is longer than its CAs allow. */
    CERT_PATH_LENGTH(312, Category.CERTIFICATE, 42,
            "the peer's chain is longer than its CAs allow",
            ""),
    /** A name in the peer certificate violates the name constraints of its CA. */
    CERT_NAME_CONSTRAINT(313, Category.CERTIFICATE, 42,
            "a name in the peer certificate violates the name constraints of its CA",
            ""),
    /** A certificate in the peer's chain was issued by a certificate that is not a CA. */
    CERT_ISSUER_NOT_CA(314, Category.CERTIFICATE, 42,
            "a certificate in the peer's chain was issued by a certificate that is not a CA",
            ""),
    /** A certificate in the peer's chain has a critical extension that is not supported. */
    CERT_CRITICAL_EXTENSION(315, Category.CERTIFICATE, 43,
            "a certificate in the peer's chain has a critical extension that is not supported",
            ""),
    /** The peer sent no certificate and one is required. */
    CERT_MISSING(316, Category.CERTIFICATE, 116,
            "the peer sent no certificate and one is required",
            "Give the client a certificate for client authentication, with its key. Go and Java clients send none "
                    + "if no CA that the server names has issued it: set send-ca-names to no for them."),
    /** The application refused the peer certificate. */
    CERT_REJECTED_BY_CALLBACK(317, Category.CERTIFICATE, 49,
            "the application refused the peer certificate",
            ""),
    /** The peer did not prove that it has the certificate's private key. */
    CERT_PROOF_INVALID(318, Category.CERTIFICATE, 51,
            "the peer did not prove that it has the certificate's private key",
            ""),
    /** The peer certificate is self-signed and not in the trust store. */
    CERT_SELF_SIGNED(319, Category.CERTIFICATE, 48,
            "the peer certificate is self-signed and not in the trust store",
            "Import this certificate into the trust store if it is the right one."),
    /** The peer's chain ends in a self-signed certificate that is not in the trust store. */
    CERT_SELF_SIGNED_IN_CHAIN(320, Category.CERTIFICATE, 48,
            "the peer's chain ends in a self-signed certificate that is not in the trust store",
            "Add that CA certificate to the trust store if it is the right one."),
    /** The peer's chain takes too much work to verify. */
    CERT_TOO_COMPLEX(321, Category.CERTIFICATE, 42,
            "the peer's chain takes too much work to verify",
            ""),
    /** The trust manager refused the peer certificate. */
    CERT_REJECTED_BY_MANAGER(322, Category.CERTIFICATE, 46,
            "the trust manager refused the peer certificate",
            ""),
    /** The peer certificate's key usage does not allow its key to sign the handshake. */
    CERT_KEY_USAGE(323, Category.CERTIFICATE, 43,
            "the peer certificate's key usage does not allow its key to sign the handshake",
            "Reissue it with the key usage digitalSignature."),
    /** A CA in the peer's chain constrains names of a kind that is not supported. */
    CERT_CONSTRAINT_UNSUPPORTED(324, Category.CERTIFICATE, 43,
            "a CA in the peer's chain constrains names of a kind that is not supported",
            "Reissue that CA with constraints on DNS names and IP addresses only, or trust the CA below it."),
    /** The peer certificate was refused. */
    CERT_OTHER(399, Category.CERTIFICATE, 46,
            "the peer certificate was refused",
            ""),
    /** The peer certificate has been revoked. */
    CERT_REVOKED(400, Category.REVOCATION, 44,
            "the peer certificate has been revoked",
            "The peer needs a new certificate."),
    /** The revocation status of the peer certificate is unknown. */
    REVOCATION_UNKNOWN(401, Category.REVOCATION, 46,
            "the revocation status of the peer certificate is unknown",
            "Give the current revocation list of its issuer, or accept an unknown status (revocation prefer)."),
    /** The revocation information about the peer certificate is out of date. */
    REVOCATION_STALE(402, Category.REVOCATION, 46,
            "the revocation information about the peer certificate is out of date",
            "Give the current revocation list of its issuer."),
    /** No source of revocation information about the peer certificate could be reached. */
    REVOCATION_UNREACHABLE(403, Category.REVOCATION, 46,
            "no source of revocation information about the peer certificate could be reached",
            "Check that the responder, or the server of the list, is running and can be reached from here."),
    /** The revocation information received about the peer certificate cannot be trusted. */
    REVOCATION_RESPONSE_INVALID(404, Category.REVOCATION, 113,
            "the revocation information received about the peer certificate cannot be trusted",
            "Check the certificate, key and clock of the responder, and that it serves this issuer."),
    /** The peer certificate requires a stapled OCSP response, and the peer sent none. */
    STAPLE_MISSING(405, Category.REVOCATION, 113,
            "the peer certificate requires a stapled OCSP response, and the peer sent none",
            "Turn stapling on at the peer, or reissue its certificate without the TLS feature (must-staple)."),
    /** A URL for revocation information is not allowed. */
    FETCH_REFUSED(406, Category.REVOCATION, 46,
            "a URL for revocation information is not allowed",
            "Only http:// is fetched. Addresses of private networks need the option fetch-private-addresses."),
    /** A revocation list (CRL) is malformed. */
    CRL_MALFORMED(410, Category.REVOCATION, -1,
            "a revocation list (CRL) is malformed",
            "Fetch it again from the CA, as PEM (X509 CRL) or DER."),
    /** A revocation list (CRL) has a form that is not supported. */
    CRL_UNSUPPORTED(411, Category.REVOCATION, -1,
            "a revocation list (CRL) has a form that is not supported",
            "Use the CA's complete, direct list (RFC 5280), signed with RSA or ECDSA and SHA-2, or Ed25519."),
    /** An OCSP response is malformed. */
    OCSP_MALFORMED(412, Category.REVOCATION, -1,
            "an OCSP response is malformed",
            "Fetch it again from the responder (openssl ocsp -respout), as DER or PEM (OCSP RESPONSE)."),
    /**
     * An OCSP response cannot be used: it is for another certificate, not signed correctly, out of date, or an error.
     */
    OCSP_UNUSABLE(413, Category.REVOCATION, -1,
            "an OCSP response cannot be used: it is for another certificate, not signed correctly, out of date, "
                    + "or an error",
            "Fetch it again from the responder of the certificate's issuer (openssl ocsp -respout)."),
    /** The peer does not speak TLS. */
    PEER_NOT_TLS(500, Category.PROTOCOL, 22,
            "the peer does not speak TLS",
            "Use the TLS port and scheme on both sides."),
    /** The connection ended without close_notify; data may be missing. */
    TRUNCATED(501, Category.PROTOCOL, -1,
            "the connection ended without close_notify; data may be missing",
            ""),
    /** The peer offers no protocol version that is allowed here. */
    NO_COMMON_VERSION(502, Category.PROTOCOL, 70,
            "the peer offers no protocol version that is allowed here",
            "Allow TLSv1.2 or TLSv1.3 on both sides."),
    /** The two sides have no cipher suite in common. */
    NO_COMMON_CIPHER_SUITE(503, Category.PROTOCOL, 40,
            "the two sides have no cipher suite in common",
            "Allow an ECDHE suite with AES-GCM on both sides that suits the certificate's key."),
    /** The two sides have no key exchange group in common. */
    NO_COMMON_GROUP(504, Category.PROTOCOL, 40,
            "the two sides have no key exchange group in common",
            "Allow X25519 or secp256r1 on both sides."),
    /** The two sides have no application protocol in common. */
    NO_COMMON_ALPN(505, Category.PROTOCOL, 120,
            "the two sides have no application protocol in common",
            "Name the same ALPN protocol on both sides."),
    /** No identity can sign in a way that the peer can verify. */
    NO_COMMON_SIGNATURE(506, Category.PROTOCOL, 40,
            "no identity can sign in a way that the peer can verify",
            "Add an identity with another kind of key (RSA beside ECDSA)."),
    /** A record could not be decrypted. */
    DECRYPT_FAILED(507, Category.PROTOCOL, 20,
            "a record could not be decrypted",
            ""),
    /** The peer sent a malformed message. */
    MESSAGE_MALFORMED(508, Category.PROTOCOL, 50,
            "the peer sent a malformed message",
            ""),
    /** The peer sent a message that is not allowed at this point. */
    UNEXPECTED_MESSAGE(509, Category.PROTOCOL, 10,
            "the peer sent a message that is not allowed at this point",
            ""),
    /** The peer sent a record larger than allowed. */
    RECORD_TOO_LARGE(510, Category.PROTOCOL, 22,
            "the peer sent a record larger than allowed",
            ""),
    /** The peer broke the protocol. */
    PEER_MISBEHAVED(511, Category.PROTOCOL, 47,
            "the peer broke the protocol",
            ""),
    /** The peer lacks a required feature. */
    PEER_INCOMPATIBLE(512, Category.PROTOCOL, 40,
            "the peer lacks a required feature",
            ""),
    /** The connection has sent as much as its keys allow. */
    KEYS_EXHAUSTED(513, Category.PROTOCOL, -1,
            "the connection has sent as much as its keys allow",
            "Open a new connection."),
    /** The peer closed the connection during the handshake. */
    HANDSHAKE_EOF(514, Category.PROTOCOL, -1,
            "the peer closed the connection during the handshake",
            "Look into the log of the peer for the reason."),
    /** The peer's handshake messages are larger than the limit. */
    HANDSHAKE_TOO_LARGE(515, Category.PROTOCOL, 47,
            "the peer's handshake messages are larger than the limit",
            ""),
    /** The client asks for a server name that is not served here. */
    SERVER_NAME_REFUSED(516, Category.PROTOCOL, 112,
            "the client asks for a server name that is not served here",
            "Connect to a name that the server serves, or allow this name on the server."),
    /** The peer did not resume the session, and a new session is not allowed. */
    SESSION_NOT_RESUMED(517, Category.PROTOCOL, 46,
            "the peer did not resume the session, and a new session is not allowed",
            "Allow new sessions, or connect without this restriction first."),
    /** The peer signed the handshake with an algorithm that is not allowed. */
    HANDSHAKE_SIGNATURE_ILLEGAL(520, Category.PROTOCOL, 47,
            "the peer signed the handshake with an algorithm that is not allowed",
            "Update the TLS library of the peer, or allow other protocol versions."),
    /** The peer left out an extension that is required. */
    EXTENSION_MISSING(523, Category.PROTOCOL, 109,
            "the peer left out an extension that is required",
            "The TLS library of the peer does not follow RFC 8446; update it."),
    /** The peer sent an extension that was not requested. */
    EXTENSION_UNEXPECTED(524, Category.PROTOCOL, 110,
            "the peer sent an extension that was not requested",
            "The TLS library of the peer does not follow RFC 8446; update it."),
    /** The two sides saw different handshake messages. */
    FINISHED_INVALID(525, Category.PROTOCOL, 51,
            "the two sides saw different handshake messages",
            "Look for a middlebox that alters the handshake."),
    /** The client asks for a server name that is not a host name. */
    SERVER_NAME_INVALID(526, Category.PROTOCOL, 112,
            "the client asks for a server name that is not a host name",
            "Make the client send the host name alone as server name (SNI): no scheme, port, path or address."),
    /** The client has no pre-shared key of this context. */
    PSK_REFUSED(527, Category.PROTOCOL, 20,
            "the client has no pre-shared key of this context",
            "Compare the identity and the secret of the client with the line of it here."),
    /** The pre-shared key of the client could not be looked up. */
    PSK_UNAVAILABLE(528, Category.PROTOCOL, 80,
            "the pre-shared key of the client could not be looked up",
            "Look into the log of the application: its callback has failed."),
    /** The client has come down to an older version than both sides have. */
    FALLBACK_REFUSED(529, Category.PROTOCOL, 86,
            "the client has come down to an older version than both sides have",
            "Find out why the first attempt of the client failed: something between the two sides may have "
                    + "disturbed it."),
    /** The connection failed. */
    PROTOCOL_OTHER(599, Category.PROTOCOL, 40,
            "the connection failed",
            ""),
    /** A file cannot be read. */
    FILE_UNREADABLE(700, Category.IO, -1,
            "a file cannot be read",
            "Check the path, and that the user of this process may read the file."),
    /** The peer reset the connection. */
    CONNECTION_RESET(701, Category.IO, -1,
            "the peer reset the connection",
            ""),
    /** The peer no longer accepts data. */
    BROKEN_PIPE(702, Category.IO, -1,
            "the peer no longer accepts data",
            ""),
    /** Reading or writing failed. */
    IO_OTHER(703, Category.IO, -1,
            "reading or writing failed",
            ""),
    /** A file cannot be written. */
    FILE_UNWRITABLE(704, Category.IO, -1,
            "a file cannot be written",
            "Check that the folder is there, that the user of this process may write to it, and that it has "
                    + "space."),
    /** The system has no trust store that can be read. */
    SYSTEM_ROOTS_UNAVAILABLE(705, Category.IO, -1,
            "the system has no trust store that can be read",
            "Install ca-certificates, or name a trust store."),
    /** The host accepts no connections at this port. */
    CONNECTION_REFUSED(706, Category.IO, -1,
            "the host accepts no connections at this port",
            "Check the host and the port, and that the server is running and listens for TLS there."),
    /** Internal error. */
    INTERNAL(900, Category.INTERNAL, 80,
            "internal error",
            "Please report it."),
    /** A defect in the library was contained; the object can no longer be used. */
    PANIC(901, Category.INTERNAL, 80,
            "a defect in the library was contained; the object can no longer be used",
            "Please report it."),
    /** The peer sent the alert unexpected_message (10). */
    ALERT_UNEXPECTED_MESSAGE(1010, Category.ALERT, -1,
            "the peer sent the alert unexpected_message (10)",
            "The peer does not accept a message of this side at this point: one of the two libraries breaks the "
                    + "protocol."),
    /** The peer sent the alert bad_record_mac (20). */
    ALERT_BAD_RECORD_MAC(1020, Category.ALERT, -1,
            "the peer sent the alert bad_record_mac (20)",
            "Something between the two sides alters the bytes, or one of the two libraries is at fault."),
    /** The peer sent the alert record_overflow (22). */
    ALERT_RECORD_OVERFLOW(1022, Category.ALERT, -1,
            "the peer sent the alert record_overflow (22)",
            "The peer accepts only smaller records, or expects another protocol than TLS at this port."),
    /** The peer sent the alert handshake_failure (40). */
    ALERT_HANDSHAKE_FAILURE(1040, Category.ALERT, -1,
            "the peer sent the alert handshake_failure (40)",
            "The two sides share no cipher suite, group or signature algorithm, or the peer refuses this side's "
                    + "certificate or has none."),
    /** The peer sent the alert bad_certificate (42). */
    ALERT_BAD_CERTIFICATE(1042, Category.ALERT, -1,
            "the peer sent the alert bad_certificate (42)",
            "The peer refuses this side's certificate."),
    /** The peer sent the alert unsupported_certificate (43). */
    ALERT_UNSUPPORTED_CERTIFICATE(1043, Category.ALERT, -1,
            "the peer sent the alert unsupported_certificate (43)",
            "The peer refuses this side's type of certificate; check its extended key usage."),
    /** The peer sent the alert certificate_revoked (44). */
    ALERT_CERTIFICATE_REVOKED(1044, Category.ALERT, -1,
            "the peer sent the alert certificate_revoked (44)",
            "This side's certificate has been revoked; get a new one."),
    /** The peer sent the alert certificate_expired (45). */
    ALERT_CERTIFICATE_EXPIRED(1045, Category.ALERT, -1,
            "the peer sent the alert certificate_expired (45)",
            "This side's certificate has expired or is not valid yet: check its dates and the clocks of both "
                    + "sides."),
    /** The peer sent the alert certificate_unknown (46). */
    ALERT_CERTIFICATE_UNKNOWN(1046, Category.ALERT, -1,
            "the peer sent the alert certificate_unknown (46)",
            "The peer refuses this side's certificate; its log has the reason."),
    /** The peer sent the alert illegal_parameter (47). */
    ALERT_ILLEGAL_PARAMETER(1047, Category.ALERT, -1,
            "the peer sent the alert illegal_parameter (47)",
            "The peer does not accept a value in this side's messages; its log names the value."),
    /** The peer sent the alert unknown_ca (48). */
    ALERT_UNKNOWN_CA(1048, Category.ALERT, -1,
            "the peer sent the alert unknown_ca (48)",
            "The peer does not know the CA of this side's certificate; add it to the peer's trust store."),
    /** The peer sent the alert access_denied (49). */
    ALERT_ACCESS_DENIED(1049, Category.ALERT, -1,
            "the peer sent the alert access_denied (49)",
            "The peer denies access, or refuses this side's certificate; its log has the reason."),
    /** The peer sent the alert decode_error (50). */
    ALERT_DECODE_ERROR(1050, Category.ALERT, -1,
            "the peer sent the alert decode_error (50)",
            "The peer cannot read a message of this side, or requires a certificate (as GnuTLS reports it)."),
    /** The peer sent the alert decrypt_error (51). */
    ALERT_DECRYPT_ERROR(1051, Category.ALERT, -1,
            "the peer sent the alert decrypt_error (51)",
            "The peer finds a signature invalid: check that this side's certificate and key belong together."),
    /** The peer sent the alert protocol_version (70). */
    ALERT_PROTOCOL_VERSION(1070, Category.ALERT, -1,
            "the peer sent the alert protocol_version (70)",
            "Allow a common protocol version on both sides."),
    /** The peer sent the alert insufficient_security (71). */
    ALERT_INSUFFICIENT_SECURITY(1071, Category.ALERT, -1,
            "the peer sent the alert insufficient_security (71)",
            "The two sides share no key exchange group or cipher suite that the peer accepts (Erlang reports "
                    + "groups so)."),
    /** The peer sent the alert internal_error (80). */
    ALERT_INTERNAL_ERROR(1080, Category.ALERT, -1,
            "the peer sent the alert internal_error (80)",
            "The peer failed, or refuses this side's certificate or name; its log has the reason."),
    /** The peer sent the alert inappropriate_fallback (86). */
    ALERT_INAPPROPRIATE_FALLBACK(1086, Category.ALERT, -1,
            "the peer sent the alert inappropriate_fallback (86)",
            "Offer the newest protocol version in the first attempt."),
    /** The peer sent the alert user_canceled (90). */
    ALERT_USER_CANCELED(1090, Category.ALERT, -1,
            "the peer sent the alert user_canceled (90)",
            ""),
    /** The peer sent the alert missing_extension (109). */
    ALERT_MISSING_EXTENSION(1109, Category.ALERT, -1,
            "the peer sent the alert missing_extension (109)",
            "The peer requires an extension that this side does not send; it may need TLSv1.3."),
    /** The peer sent the alert unsupported_extension (110). */
    ALERT_UNSUPPORTED_EXTENSION(1110, Category.ALERT, -1,
            "the peer sent the alert unsupported_extension (110)",
            "The peer does not accept an extension of this side; its log names the extension."),
    /** The peer sent the alert unrecognized_name (112). */
    ALERT_UNRECOGNIZED_NAME(1112, Category.ALERT, -1,
            "the peer sent the alert unrecognized_name (112)",
            "The server does not serve this server name."),
    /** The peer sent the alert bad_certificate_status_response (113). */
    ALERT_BAD_CERTIFICATE_STATUS_RESPONSE(1113, Category.ALERT, -1,
            "the peer sent the alert bad_certificate_status_response (113)",
            "The peer refuses this side's stapled OCSP response, or requires one."),
    /** The peer sent the alert unknown_psk_identity (115). */
    ALERT_UNKNOWN_PSK_IDENTITY(1115, Category.ALERT, -1,
            "the peer sent the alert unknown_psk_identity (115)",
            "Connect again without the earlier session."),
    /** The peer sent the alert certificate_required (116). */
    ALERT_CERTIFICATE_REQUIRED(1116, Category.ALERT, -1,
            "the peer sent the alert certificate_required (116)",
            "The server requires a client certificate; add an identity to this context."),
    /** The peer sent the alert no_application_protocol (120). */
    ALERT_NO_APPLICATION_PROTOCOL(1120, Category.ALERT, -1,
            "the peer sent the alert no_application_protocol (120)",
            "Name the same ALPN protocol on both sides."),
    /** The peer sent an unknown alert. */
    ALERT_OTHER(1255, Category.ALERT, -1,
            "the peer sent an unknown alert",
            "");

    /** The subject of a code. */
    public enum Category {
        /** Not an error. */
        PROGRESS,
        /** The call or the configuration is wrong. */
        USAGE,
        /** A file or store of keys or certificates could not be used. */
        KEYSTORE,
        /** The peer's certificate was refused. */
        CERTIFICATE,
        /** The peer's certificate was refused because of its revocation status, known or unknown. */
        REVOCATION,
        /** The peer broke the protocol, or the two sides have nothing in common. */
        PROTOCOL,
        /** The operating system reported an error. */
        IO,
        /** A defect in the library. */
        INTERNAL,
        /** The peer ended the connection with an alert. */
        ALERT
    }

    private final int number;
    private final Category category;
    private final int alert;
    private final String message;
    private final String hint;

    ErrorCode(int number, Category category, int alert, String message, String hint) {
        this.number = number;
        this.category = category;
        this.alert = alert;
        this.message = message;
        this.hint = hint;
    }

    /** {@return the number, the same in C and on the command line} */
    public int number() {
        return number;
    }

    /** {@return the category of the code} */
    public Category category() {
        return category;
    }

    /** {@return the number of the alert that the peer receives (RFC 8446 section 6), or -1 for none} */
    public int alert() {
        return alert;
    }

    /** {@return the message: a clause that starts in lower case and ends without a full stop} */
    public String message() {
        return message;
    }

    /** {@return the hint: a sentence that says what to do, or an empty text} */
    public String hint() {
        return hint;
    }

    /**
     * {@return the code of a number, or {@link #INTERNAL} for a number that this version does not have}
     *
     * @param number a number as C, the command line and logs show it
     */
    public static ErrorCode of(int number) {
        for (ErrorCode code : values()) {
            if (code.number == number) {
                return code;
            }
        }
        return INTERNAL;
    }
}
