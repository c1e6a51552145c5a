package io.brokertls.internal;

/** Is told of peers that are revoked while they are connected. */
public interface NativeRevoked {
    /**
     * Called on the thread that reloads or maintains the context, once for each connection. Must not throw; what does
     * closes the connection.
     *
     * @param serial hexadecimal
     * @param reason the number of RFC 5280 section 5.3.1
     * @param revokedSeconds since 1970
     * @return whether the connection is closed
     */
    boolean isClosed(long connectionId, String subject, String issuer, String serial, int reason, long revokedSeconds);
}
