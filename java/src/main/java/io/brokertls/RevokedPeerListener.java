package io.brokertls;

import org.jspecify.annotations.Nullable;

/** Receives a report for each open connection with a peer that has been revoked. */
@FunctionalInterface
public interface RevokedPeerListener {
    /**
     * Called once for each connection, on the thread that calls {@link BrokerTlsContext#reload()} or
     * {@link BrokerTlsContext#maintain()}, or on the thread of {@link BrokerTlsContext#startMaintenance()}. No lock is
     * held: it may use the context, its engines and its sockets. An exception from it is logged, and closes the
     * connection.
     *
     * @param peer the connection and the revoked certificate
     * @return the fate of the connection; null closes it
     */
    @Nullable Action revoked(RevokedPeer peer);

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
