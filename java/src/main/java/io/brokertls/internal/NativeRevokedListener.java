package io.brokertls.internal;

/** Receives a report for each open connection with a revoked peer. */
public interface NativeRevokedListener {
    /**
     * Called once for each connection, on the thread that reloads or maintains the context. Must not throw; an
     * exception closes the connection.
     *
     * @param serial hexadecimal
     * @param reason the number of RFC 5280 section 5.3.1
     * @param timeSeconds seconds since 1970
     * @return true to close the connection
     */
    boolean revoked(long connectionId, String subject, String issuer, String serial, int reason, long timeSeconds);
}
