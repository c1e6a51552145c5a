package io.brokertls;

import java.math.BigInteger;
import java.security.cert.CRLReason;
import java.time.Instant;

/** A peer that is connected, and whose certificate, or that of one of its issuers, has been revoked since. */
public final class RevokedPeer {
    private static final int HEXADECIMAL = 16;

    private final long connectionId;
    private final String subject;
    private final String issuer;
    private final BigInteger serialNumber;
    private final CRLReason reason;
    private final Instant revoked;

    RevokedPeer(long connectionId, String subject, String issuer, String serial, int reason, long revokedSeconds) {
        this.connectionId = connectionId;
        this.subject = subject;
        this.issuer = issuer;
        this.serialNumber = new BigInteger(serial, HEXADECIMAL);
        this.reason = CRLReason.values()[reason];
        this.revoked = Instant.ofEpochSecond(revokedSeconds);
    }

    /**
     * The number of the connection in its context: {@link BrokerTlsContext#connectionId(javax.net.ssl.SSLEngine)},
     * {@link BrokerTlsContext#connectionId(javax.net.ssl.SSLSocket)}.
     */
    public long connectionId() {
        return connectionId;
    }

    /** The subject of the revoked certificate as RFC 4514 writes it, e.g. {@code CN=device-7,O=Example}. */
    public String subject() {
        return subject;
    }

    /** The issuer of the revoked certificate, written as its subject is. */
    public String issuer() {
        return issuer;
    }

    /** The serial number of the revoked certificate. */
    public BigInteger serialNumber() {
        return serialNumber;
    }

    /** Why it was revoked. */
    public CRLReason reason() {
        return reason;
    }

    /** When it was revoked. */
    public Instant revoked() {
        return revoked;
    }

    /** In a line, for logs. */
    @Override
    public String toString() {
        return "connection " + connectionId + ": " + subject + ", issuer " + issuer + ", serial "
                + serialNumber.toString(HEXADECIMAL) + ", revoked " + revoked + ", " + reason;
    }
}
