package io.brokertls;

/** Is told of peers that are revoked while they are connected. */
@FunctionalInterface
public interface RevocationListener {
    /**
     * Called once for each connection, on the thread that has {@link BrokerTlsContext#reload()} or
     * {@link BrokerTlsContext#maintain()} find it out, or on that of {@link BrokerTlsContext#startMaintenance()}. Nothing is
     * locked: it may use the context, its engines and its sockets. What it throws is logged, and closes the connection.
     *
     * @return the fate of the connection
     */
    Action revoked(RevokedPeer peer);

    /** The fate of a connection with a revoked peer. */
    enum Action {
        /** The connection continues, and is not reported again. */
        KEEP,
        /**
         * The next {@code wrap} or {@code unwrap} of its engine, or read or write of its socket, throws
         * {@link ErrorCode#CERT_REVOKED}, and the peer is sent the alert certificate_revoked. This takes effect when
         * the listener has returned. A socket that waits for its peer waits until data comes or the socket is closed;
         * the listener may close it.
         */
        CLOSE
    }
}
