package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLProtocolException;

/** Makes JSSE exceptions from failures. Their messages start with the code. */
final class Failures {
    private Failures() {
    }

    static SSLException exception(TlsFailure failure, boolean handshaking) {
        SSLException made = kind(failure.code(), handshaking, failure.getMessage());
        made.initCause(failure);
        return made;
    }

    private static SSLException kind(ErrorCode code, boolean handshaking, String message) {
        switch (code.category()) {
            case CERTIFICATE:
            case REVOCATION:
                return new SSLHandshakeException(message);
            case PROTOCOL:
                return protocol(code, handshaking, message);
            case ALERT:
                return handshaking || isAboutHandshake(code)
                        ? new SSLHandshakeException(message) : new SSLException(message);
            case INTERNAL:
                return new SSLException(message);
            default:
                return handshaking ? new SSLHandshakeException(message) : new SSLException(message);
        }
    }

    /**
     * Returns true for an alert about the handshake, even if it arrives later (RFC 8446 section 6.2). In TLS 1.3 the
     * handshake of a client is complete before the server refuses its certificate.
     */
    private static boolean isAboutHandshake(ErrorCode code) {
        switch (code) {
            case ALERT_UNEXPECTED_MESSAGE:
            case ALERT_BAD_RECORD_MAC:
            case ALERT_RECORD_OVERFLOW:
            case ALERT_INTERNAL_ERROR:
            case ALERT_INAPPROPRIATE_FALLBACK:
            case ALERT_USER_CANCELED:
            case ALERT_OTHER:
                return false;
            default:
                return true;
        }
    }

    private static SSLException protocol(ErrorCode code, boolean handshaking, String message) {
        switch (code) {
            case PEER_NOT_TLS:
            case TRUNCATED:
            case DECRYPT_FAILED:
                return new SSLException(message);
            case MESSAGE_MALFORMED:
            case UNEXPECTED_MESSAGE:
            case RECORD_TOO_LARGE:
            case PEER_MISBEHAVED:
                return new SSLProtocolException(message);
            default:
                return handshaking ? new SSLHandshakeException(message) : new SSLException(message);
        }
    }

    /** Makes the exception that JSSE expects for a wrong setting. */
    static IllegalArgumentException argument(TlsFailure failure) {
        return new IllegalArgumentException(failure.getMessage(), failure);
    }
}
