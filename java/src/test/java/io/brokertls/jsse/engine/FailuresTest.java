package io.brokertls.jsse.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLProtocolException;
import org.junit.jupiter.api.Test;

/** Which JSSE exception callers get of which failure. */
class FailuresTest {
    @Test
    void alertThatRefusesACertificateIsOfTheHandshakeEvenAfterIt() {
        assertType(SSLHandshakeException.class, ErrorCode.ALERT_CERTIFICATE_REQUIRED, false);
        assertType(SSLHandshakeException.class, ErrorCode.ALERT_CERTIFICATE_UNKNOWN, false);
        assertType(SSLHandshakeException.class, ErrorCode.ALERT_UNKNOWN_CA, false);
    }

    @Test
    void alertOnDataIsNotOfTheHandshakeAfterIt() {
        assertType(SSLException.class, ErrorCode.ALERT_BAD_RECORD_MAC, false);
        assertType(SSLException.class, ErrorCode.ALERT_INTERNAL_ERROR, false);
        assertType(SSLHandshakeException.class, ErrorCode.ALERT_INTERNAL_ERROR, true);
    }

    @Test
    void ownVerdictsHaveTheTypeOfTheirKind() {
        assertType(SSLHandshakeException.class, ErrorCode.CERT_EXPIRED, true);
        assertType(SSLHandshakeException.class, ErrorCode.CERT_REVOKED, false);
        assertType(SSLProtocolException.class, ErrorCode.UNEXPECTED_MESSAGE, true);
        assertType(SSLException.class, ErrorCode.PEER_NOT_TLS, true);
        assertType(SSLException.class, ErrorCode.PANIC, true);
    }

    private static void assertType(Class<? extends SSLException> type, ErrorCode code, boolean handshaking) {
        TlsFailure failure = TlsFailure.of(code, "");
        SSLException made = Failures.exception(failure, handshaking);
        assertEquals(type, made.getClass());
        assertSame(failure, made.getCause());
        assertTrue(made.getMessage().startsWith("BTLS_" + code.name()), made.getMessage());
    }
}
