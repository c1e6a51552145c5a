package io.brokertls;

import java.math.BigInteger;
import java.security.cert.CRLReason;
import java.time.Instant;

/** A connected peer with a revoked certificate: its own, or that of one of its issuers. */
public final class RevokedPeer {
    private static final int HEXADECIMAL = 16;

    private final long connectionId;
    private final String subject;
    private final String issuer;
    private final BigInteger serialNumber;
    private final CRLReason reason;
    private final Instant time;

    /**
     * Makes a report from the values of the native library.
     *
     * @param connectionId the number of the connection
     * @param subject the subject of the revoked certificate
     * @param issuer its issuer
     * @param serial its serial number in hexadecimal
     * @param reason the number of the reason (RFC 5280 section 5.3.1)
     * @param timeSeconds the time of the revocation in seconds since 1970
     */
    RevokedPeer(long connectionId, String subject, String issuer, String serial, int reason, long timeSeconds) {
        this.connectionId = connectionId;
        this.subject = subject;
        this.issuer = issuer;
        this.serialNumber = new BigInteger(serial, HEXADECIMAL);
        this.reason = CRLReason.values()[reason];
        this.time = Instant.ofEpochSecond(timeSeconds);
    }

    /**
     * {@return the number of the connection in its context, as
     * {@link BrokerTlsContext#connectionId(javax.net.ssl.SSLEngine)} and
     * {@link BrokerTlsContext#connectionId(javax.net.ssl.SSLSocket)} do}
     */
    public long connectionId() {
        return connectionId;
    }

    /**
     * {@return the subject of the revoked certificate in the form of RFC 4514, for example
     * {@code CN=device-7,O=Example}}
     */
    public String subject() {
        return subject;
    }

    /** {@return the issuer of the revoked certificate in the same form} */
    public String issuer() {
        return issuer;
    }

    /** {@return the serial number of the revoked certificate} */
    public BigInteger serialNumber() {
        return serialNumber;
    }

    /** {@return the reason of the revocation} */
    public CRLReason reason() {
        return reason;
    }

    /** {@return the time of the revocation} */
    public Instant time() {
        return time;
    }

    /** Returns all of it in one line, for logs. */
    @Override
    public String toString() {
        return "connection " + connectionId + ": " + subject + ", issuer " + issuer + ", serial "
                + serialNumber.toString(HEXADECIMAL) + ", revoked " + time + ", " + reason;
    }
}
