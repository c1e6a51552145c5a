/* The statuses of brokertls. Generated from src/error/codes.rs; `make bless` rewrites it.
 *
 * Numbers never change their meaning. The category of a status is its hundred. 0 is success, 1 to
 * 99 progress, 1xx usage, 2xx keystore, 3xx certificate, 4xx revocation, 5xx protocol, 7xx input
 * and output, 9xx internal. 1000 + n is the alert n received from the peer. */
#ifndef BROKERTLS_ERRORS_H
#define BROKERTLS_ERRORS_H

#include <stdint.h>

/* The result of a function that can fail: a status below, or one that a later version adds. */
typedef int32_t btls_status;

enum {
    /* Success. */
    BTLS_OK = 0,
    /* More bytes from the peer are needed. */
    BTLS_WANT_READ = 1,
    /* Bytes for the peer are waiting to be sent. */
    BTLS_WANT_WRITE = 2,
    /* A task that may block must run. */
    BTLS_WANT_TASK = 3,
    /* The peer closed the connection cleanly. */
    BTLS_CLOSED = 4,

    /* A required pointer was NULL. */
    BTLS_NULL_POINTER = 100,
    /* An argument has a value that is not allowed. */
    BTLS_INVALID_ARGUMENT = 101,
    /* The call is not allowed in this state. */
    BTLS_WRONG_STATE = 102,
    /* There is no option of this name. */
    BTLS_UNKNOWN_OPTION = 103,
    /* Two settings contradict each other. */
    BTLS_OPTION_CONFLICT = 104,
    /* The context has no certificate and private key to serve with; the peer is sent alert 40. */
    BTLS_NO_IDENTITY = 105,
    /* The context has nothing to verify the peer against. */
    BTLS_NO_TRUST = 106,
    /* The server name is neither a DNS name nor an IP address. */
    BTLS_INVALID_SERVER_NAME = 107,
    /* The destination buffer is too small. */
    BTLS_BUFFER_TOO_SMALL = 108,
    /* No cipher suite is left to offer. */
    BTLS_NO_CIPHER_SUITE = 109,
    /* A protocol version is not supported. */
    BTLS_VERSION_NOT_SUPPORTED = 110,
    /* A key exchange group is not supported. */
    BTLS_GROUP_NOT_SUPPORTED = 111,
    /* An ALPN protocol name is empty or longer than 255 bytes. */
    BTLS_INVALID_ALPN = 112,
    /* A text argument is not valid UTF-8. */
    BTLS_INVALID_TEXT = 113,
    /* A cipher suite name or rule is not supported. */
    BTLS_CIPHER_NOT_SUPPORTED = 114,
    /* A time is not in RFC 3339 form. */
    BTLS_INVALID_TIME = 115,
    /* The password callback gave no password. */
    BTLS_PASSWORD_UNAVAILABLE = 116,
    /* The second TLS engine cannot be used. */
    BTLS_LEGACY_UNAVAILABLE = 117,
    /* Another call on the object is in progress, on another thread or around this callback. */
    BTLS_BUSY = 120,
    /* Every thread that makes calls for virtual threads waits. */
    BTLS_WORKERS_BUSY = 121,

    /* The content is not PEM, DER, PKCS#12, JKS or JCEKS. */
    BTLS_STORE_FORMAT_UNKNOWN = 201,
    /* The content is not of the type that was given. */
    BTLS_STORE_TYPE_MISMATCH = 202,
    /* The store password is wrong, or the store was altered. */
    BTLS_STORE_PASSWORD_WRONG = 203,
    /* The store needs a password and none was given. */
    BTLS_STORE_PASSWORD_MISSING = 204,
    /* The key password is wrong. */
    BTLS_KEY_PASSWORD_WRONG = 205,
    /* The private key is encrypted and no password was given. */
    BTLS_KEY_PASSWORD_MISSING = 206,
    /* The store has no entry of this alias. */
    BTLS_ALIAS_NOT_FOUND = 207,
    /* There is no private key. */
    BTLS_NO_PRIVATE_KEY = 208,
    /* The private key does not belong to the certificate. */
    BTLS_KEY_MISMATCH = 209,
    /* The certificates do not form one chain. */
    BTLS_CHAIN_BROKEN = 210,
    /* The private key's algorithm is not supported. */
    BTLS_KEY_ALGORITHM_UNSUPPORTED = 211,
    /* The encryption of the key or store is not supported. */
    BTLS_ENCRYPTION_UNSUPPORTED = 212,
    /* The store is malformed. */
    BTLS_STORE_MALFORMED = 213,
    /* The PEM text is malformed. */
    BTLS_PEM_MALFORMED = 214,
    /* The private key is malformed. */
    BTLS_KEY_MALFORMED = 215,
    /* A certificate is malformed. */
    BTLS_CERTIFICATE_MALFORMED = 216,
    /* The PKCS#12 store has no integrity check. */
    BTLS_STORE_MAC_MISSING = 217,
    /* The content is larger than the limit. */
    BTLS_STORE_TOO_LARGE = 218,
    /* The key derivation asks for more work or memory than the limit. */
    BTLS_COST_TOO_HIGH = 219,
    /* There is no certificate. */
    BTLS_NO_CERTIFICATE = 220,
    /* There is no certificate to trust. */
    BTLS_NO_TRUSTED_CERTIFICATE = 221,
    /* A parameter of the encryption is out of range. */
    BTLS_PARAMETER_INVALID = 222,
    /* The private key could not sign; the peer is sent alert 80. */
    BTLS_SIGNING_FAILED = 223,
    /* The pre-shared keys cannot be read. */
    BTLS_PSK_MALFORMED = 224,

    /* The peer certificate's issuer is not trusted; the peer is sent alert 48. */
    BTLS_CERT_UNKNOWN_ISSUER = 300,
    /* The peer certificate is not valid yet; the peer is sent alert 45. */
    BTLS_CERT_NOT_YET_VALID = 301,
    /* The peer certificate has expired; the peer is sent alert 45. */
    BTLS_CERT_EXPIRED = 302,
    /* The peer certificate is not for this host; the peer is sent alert 42. */
    BTLS_CERT_NAME_MISMATCH = 303,
    /* The peer certificate has no subject alternative name; the peer is sent alert 42. */
    BTLS_CERT_NO_NAME = 304,
    /* A signature in the peer's chain is wrong; the peer is sent alert 51. */
    BTLS_CERT_SIGNATURE_INVALID = 305,
    /* The peer uses a CA certificate as its own; the peer is sent alert 42. */
    BTLS_CERT_CA_AS_END_ENTITY = 306,
    /* The peer certificate is not for this purpose; the peer is sent alert 43. */
    BTLS_CERT_PURPOSE_MISMATCH = 307,
    /* A certificate in the peer's chain is not X.509 version 3; the peer is sent alert 43. */
    BTLS_CERT_VERSION_UNSUPPORTED = 308,
    /* An RSA key in the peer's chain has fewer than 2048 bits; the peer is sent alert 42. */
    BTLS_CERT_KEY_TOO_SMALL = 309,
    /* A certificate of the peer is malformed; the peer is sent alert 42. */
    BTLS_CERT_MALFORMED = 310,
    /* A certificate in the peer's chain uses an algorithm that is not accepted; the peer is sent
     * alert 43. */
    BTLS_CERT_ALGORITHM_UNSUPPORTED = 311,
    /* The peer's chain is longer than its CAs allow; the peer is sent alert 42. */
    BTLS_CERT_PATH_LENGTH = 312,
    /* A name in the peer certificate violates the name constraints of its CA; the peer is sent
     * alert 42. */
    BTLS_CERT_NAME_CONSTRAINT = 313,
    /* A certificate in the peer's chain was issued by a certificate that is not a CA; the peer is
     * sent alert 42. */
    BTLS_CERT_ISSUER_NOT_CA = 314,
    /* A certificate in the peer's chain has a critical extension that is not supported; the peer is
     * sent alert 43. */
    BTLS_CERT_CRITICAL_EXTENSION = 315,
    /* The peer sent no certificate and one is required; the peer is sent alert 116. */
    BTLS_CERT_MISSING = 316,
    /* The application refused the peer certificate; the peer is sent alert 49. */
    BTLS_CERT_REJECTED_BY_CALLBACK = 317,
    /* The peer did not prove that it has the certificate's private key; the peer is sent alert
     * 51. */
    BTLS_CERT_PROOF_INVALID = 318,
    /* The peer certificate is self-signed and not in the trust store; the peer is sent alert 48. */
    BTLS_CERT_SELF_SIGNED = 319,
    /* The peer's chain ends in a self-signed certificate that is not in the trust store; the peer
     * is sent alert 48. */
    BTLS_CERT_SELF_SIGNED_IN_CHAIN = 320,
    /* The peer's chain takes too much work to verify; the peer is sent alert 42. */
    BTLS_CERT_TOO_COMPLEX = 321,
    /* The trust manager refused the peer certificate; the peer is sent alert 46. */
    BTLS_CERT_REJECTED_BY_MANAGER = 322,
    /* The peer certificate's key usage does not allow its key to sign the handshake; the peer is
     * sent alert 43. */
    BTLS_CERT_KEY_USAGE = 323,
    /* A CA in the peer's chain constrains names of a kind that is not supported; the peer is sent
     * alert 43. */
    BTLS_CERT_CONSTRAINT_UNSUPPORTED = 324,
    /* The peer certificate was refused; the peer is sent alert 46. */
    BTLS_CERT_OTHER = 399,

    /* The peer certificate has been revoked; the peer is sent alert 44. */
    BTLS_CERT_REVOKED = 400,
    /* The revocation status of the peer certificate is unknown; the peer is sent alert 46. */
    BTLS_REVOCATION_UNKNOWN = 401,
    /* The revocation information about the peer certificate is out of date; the peer is sent alert
     * 46. */
    BTLS_REVOCATION_STALE = 402,
    /* No source of revocation information about the peer certificate could be reached; the peer is
     * sent alert 46. */
    BTLS_REVOCATION_UNREACHABLE = 403,
    /* The revocation information received about the peer certificate cannot be trusted; the peer is
     * sent alert 113. */
    BTLS_REVOCATION_RESPONSE_INVALID = 404,
    /* The peer certificate requires a stapled OCSP response, and the peer sent none; the peer is
     * sent alert 113. */
    BTLS_STAPLE_MISSING = 405,
    /* A URL for revocation information is not allowed; the peer is sent alert 46. */
    BTLS_FETCH_REFUSED = 406,
    /* A revocation list (CRL) is malformed. */
    BTLS_CRL_MALFORMED = 410,
    /* A revocation list (CRL) has a form that is not supported. */
    BTLS_CRL_UNSUPPORTED = 411,
    /* An OCSP response is malformed. */
    BTLS_OCSP_MALFORMED = 412,
    /* An OCSP response cannot be used: it is for another certificate, not signed correctly, out of
     * date, or an error. */
    BTLS_OCSP_UNUSABLE = 413,

    /* The peer does not speak TLS; the peer is sent alert 22. */
    BTLS_PEER_NOT_TLS = 500,
    /* The connection ended without close_notify; data may be missing. */
    BTLS_TRUNCATED = 501,
    /* The peer offers no protocol version that is allowed here; the peer is sent alert 70. */
    BTLS_NO_COMMON_VERSION = 502,
    /* The two sides have no cipher suite in common; the peer is sent alert 40. */
    BTLS_NO_COMMON_CIPHER_SUITE = 503,
    /* The two sides have no key exchange group in common; the peer is sent alert 40. */
    BTLS_NO_COMMON_GROUP = 504,
    /* The two sides have no application protocol in common; the peer is sent alert 120. */
    BTLS_NO_COMMON_ALPN = 505,
    /* No identity can sign in a way that the peer can verify; the peer is sent alert 40. */
    BTLS_NO_COMMON_SIGNATURE = 506,
    /* A record could not be decrypted; the peer is sent alert 20. */
    BTLS_DECRYPT_FAILED = 507,
    /* The peer sent a malformed message; the peer is sent alert 50. */
    BTLS_MESSAGE_MALFORMED = 508,
    /* The peer sent a message that is not allowed at this point; the peer is sent alert 10. */
    BTLS_UNEXPECTED_MESSAGE = 509,
    /* The peer sent a record larger than allowed; the peer is sent alert 22. */
    BTLS_RECORD_TOO_LARGE = 510,
    /* The peer broke the protocol; the peer is sent alert 47. */
    BTLS_PEER_MISBEHAVED = 511,
    /* The peer lacks a required feature; the peer is sent alert 40. */
    BTLS_PEER_INCOMPATIBLE = 512,
    /* The connection has sent as much as its keys allow. */
    BTLS_KEYS_EXHAUSTED = 513,
    /* The peer closed the connection during the handshake. */
    BTLS_HANDSHAKE_EOF = 514,
    /* The peer's handshake messages are larger than the limit; the peer is sent alert 47. */
    BTLS_HANDSHAKE_TOO_LARGE = 515,
    /* The client asks for a server name that is not served here; the peer is sent alert 112. */
    BTLS_SERVER_NAME_REFUSED = 516,
    /* The peer did not resume the session, and a new session is not allowed; the peer is sent alert
     * 46. */
    BTLS_SESSION_NOT_RESUMED = 517,
    /* The peer signed the handshake with an algorithm that is not allowed; the peer is sent alert
     * 47. */
    BTLS_HANDSHAKE_SIGNATURE_ILLEGAL = 520,
    /* The peer left out an extension that is required; the peer is sent alert 109. */
    BTLS_EXTENSION_MISSING = 523,
    /* The peer sent an extension that was not requested; the peer is sent alert 110. */
    BTLS_EXTENSION_UNEXPECTED = 524,
    /* The two sides saw different handshake messages; the peer is sent alert 51. */
    BTLS_FINISHED_INVALID = 525,
    /* The client asks for a server name that is not a host name; the peer is sent alert 112. */
    BTLS_SERVER_NAME_INVALID = 526,
    /* The client has no pre-shared key of this context; the peer is sent alert 20. */
    BTLS_PSK_REFUSED = 527,
    /* The pre-shared key of the client could not be looked up; the peer is sent alert 80. */
    BTLS_PSK_UNAVAILABLE = 528,
    /* The client has come down to an older version than both sides have; the peer is sent alert
     * 86. */
    BTLS_FALLBACK_REFUSED = 529,
    /* The connection failed; the peer is sent alert 40. */
    BTLS_PROTOCOL_OTHER = 599,

    /* A file cannot be read. */
    BTLS_FILE_UNREADABLE = 700,
    /* The peer reset the connection. */
    BTLS_CONNECTION_RESET = 701,
    /* The peer no longer accepts data. */
    BTLS_BROKEN_PIPE = 702,
    /* Reading or writing failed. */
    BTLS_IO_OTHER = 703,
    /* A file cannot be written. */
    BTLS_FILE_UNWRITABLE = 704,
    /* The system has no trust store that can be read. */
    BTLS_SYSTEM_ROOTS_UNAVAILABLE = 705,
    /* The host accepts no connections at this port. */
    BTLS_CONNECTION_REFUSED = 706,

    /* Internal error; the peer is sent alert 80. */
    BTLS_INTERNAL = 900,
    /* A defect in the library was contained; the object can no longer be used; the peer is sent
     * alert 80. */
    BTLS_PANIC = 901,

    /* The peer sent the alert unexpected_message (10). */
    BTLS_ALERT_UNEXPECTED_MESSAGE = 1010,
    /* The peer sent the alert bad_record_mac (20). */
    BTLS_ALERT_BAD_RECORD_MAC = 1020,
    /* The peer sent the alert record_overflow (22). */
    BTLS_ALERT_RECORD_OVERFLOW = 1022,
    /* The peer sent the alert handshake_failure (40). */
    BTLS_ALERT_HANDSHAKE_FAILURE = 1040,
    /* The peer sent the alert bad_certificate (42). */
    BTLS_ALERT_BAD_CERTIFICATE = 1042,
    /* The peer sent the alert unsupported_certificate (43). */
    BTLS_ALERT_UNSUPPORTED_CERTIFICATE = 1043,
    /* The peer sent the alert certificate_revoked (44). */
    BTLS_ALERT_CERTIFICATE_REVOKED = 1044,
    /* The peer sent the alert certificate_expired (45). */
    BTLS_ALERT_CERTIFICATE_EXPIRED = 1045,
    /* The peer sent the alert certificate_unknown (46). */
    BTLS_ALERT_CERTIFICATE_UNKNOWN = 1046,
    /* The peer sent the alert illegal_parameter (47). */
    BTLS_ALERT_ILLEGAL_PARAMETER = 1047,
    /* The peer sent the alert unknown_ca (48). */
    BTLS_ALERT_UNKNOWN_CA = 1048,
    /* The peer sent the alert access_denied (49). */
    BTLS_ALERT_ACCESS_DENIED = 1049,
    /* The peer sent the alert decode_error (50). */
    BTLS_ALERT_DECODE_ERROR = 1050,
    /* The peer sent the alert decrypt_error (51). */
    BTLS_ALERT_DECRYPT_ERROR = 1051,
    /* The peer sent the alert protocol_version (70). */
    BTLS_ALERT_PROTOCOL_VERSION = 1070,
    /* The peer sent the alert insufficient_security (71). */
    BTLS_ALERT_INSUFFICIENT_SECURITY = 1071,
    /* The peer sent the alert internal_error (80). */
    BTLS_ALERT_INTERNAL_ERROR = 1080,
    /* The peer sent the alert inappropriate_fallback (86). */
    BTLS_ALERT_INAPPROPRIATE_FALLBACK = 1086,
    /* The peer sent the alert user_canceled (90). */
    BTLS_ALERT_USER_CANCELED = 1090,
    /* The peer sent the alert missing_extension (109). */
    BTLS_ALERT_MISSING_EXTENSION = 1109,
    /* The peer sent the alert unsupported_extension (110). */
    BTLS_ALERT_UNSUPPORTED_EXTENSION = 1110,
    /* The peer sent the alert unrecognized_name (112). */
    BTLS_ALERT_UNRECOGNIZED_NAME = 1112,
    /* The peer sent the alert bad_certificate_status_response (113). */
    BTLS_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE = 1113,
    /* The peer sent the alert unknown_psk_identity (115). */
    BTLS_ALERT_UNKNOWN_PSK_IDENTITY = 1115,
    /* The peer sent the alert certificate_required (116). */
    BTLS_ALERT_CERTIFICATE_REQUIRED = 1116,
    /* The peer sent the alert no_application_protocol (120). */
    BTLS_ALERT_NO_APPLICATION_PROTOCOL = 1120,
    /* The peer sent an unknown alert. */
    BTLS_ALERT_OTHER = 1255
};

#endif /* BROKERTLS_ERRORS_H */
