package io.brokertls;

import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The counters of a context since it was built. A snapshot; it does not change. */
public final class TlsMetrics {
    private final long openConnections;
    private final long fullHandshakes;
    private final long resumedHandshakes;
    private final Map<ErrorCode, Long> refusals;
    private final long refusalsNotLogged;
    private final long reloads;
    private final long failedReloads;
    private final @Nullable Instant lastReload;
    private final @Nullable TlsFailure lastReloadFailure;

    /**
     * Makes a snapshot of counters, for the provider.
     *
     * @param ofConnections four numbers: open connections, full handshakes, resumed handshakes, and refusals that were
     *         not logged
     * @param refusals the numbers of refusals by reason; copied
     * @param ofReloads two numbers: reloads that took effect, and reloads that failed
     * @param lastReload the time of the last reload; null if there was none
     * @param lastReloadFailure the failure of the last reload; null if it took effect
     */
    public TlsMetrics(long[] ofConnections, Map<ErrorCode, Long> refusals, long[] ofReloads,
            @Nullable Instant lastReload, @Nullable TlsFailure lastReloadFailure) {
        Objects.requireNonNull(ofConnections, "ofConnections");
        Objects.requireNonNull(refusals, "refusals");
        Objects.requireNonNull(ofReloads, "ofReloads");
        this.openConnections = ofConnections[0];
        this.fullHandshakes = ofConnections[1];
        this.resumedHandshakes = ofConnections[2];
        this.refusalsNotLogged = ofConnections[3];
        this.refusals = Collections.unmodifiableMap(new EnumMap<>(refusals));
        this.reloads = ofReloads[0];
        this.failedReloads = ofReloads[1];
        this.lastReload = lastReload;
        this.lastReloadFailure = lastReloadFailure;
    }

    /**
     * {@return the number of connections with a handshake that has begun, until they are closed or collected} It
     * includes those of a context that is closed.
     */
    public long openConnections() {
        return openConnections;
    }

    /** {@return the number of complete full handshakes, of clients and of servers} */
    public long fullHandshakes() {
        return fullHandshakes;
    }

    /** {@return the number of complete handshakes that resumed a session} */
    public long resumedHandshakes() {
        return resumedHandshakes;
    }

    /**
     * {@return the numbers of refusals by reason} Each ended a connection, and was logged or could have been. They are
     * refusals by this side and by the peer, and failures of the protocol. Peers that leave a connection in use without
     * close_notify do not count, nor do those that leave before their first record.
     */
    public Map<ErrorCode, Long> refusals() {
        return refusals;
    }

    /** {@return the number of all refusals} */
    public long refusalCount() {
        return refusals.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@return the number of refusals without a line in the log: beyond its limit, or with {@code log-refusals no}} */
    public long refusalsNotLogged() {
        return refusalsNotLogged;
    }

    /** {@return the number of reloads that took effect} */
    public long reloads() {
        return reloads;
    }

    /** {@return the number of reloads that failed, so that the context kept its configuration} */
    public long failedReloads() {
        return failedReloads;
    }

    /** {@return the time of the last reload, whatever its result; empty if there was none} */
    public Optional<Instant> lastReload() {
        return Optional.ofNullable(lastReload);
    }

    /** {@return the failure of the last reload; empty if it took effect} */
    public Optional<TlsFailure> lastReloadFailure() {
        return Optional.ofNullable(lastReloadFailure);
    }
}
