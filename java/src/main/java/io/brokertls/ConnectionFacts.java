package io.brokertls;

import io.brokertls.jsse.Services;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * The facts of a connection that JSSE has no method for. A snapshot; it does not change.
 *
 * <p>Netty, Undertow and others show their own engine, which wraps that of the provider. Its session is still one of
 * the provider, or passes {@link SSLSession#getValue} on. So each method that takes an engine takes a wrapper too.
 */
public final class ConnectionFacts {
    /** The name of the session value with these facts: {@code session.getValue(ConnectionFacts.VALUE)}. */
    public static final String VALUE = "io.brokertls.connection";
    /**
     * The name of the session value with the number of the connection, a {@link Long}, for programs without these
     * classes. Neither name is among {@link SSLSession#getValueNames()}, and neither can be put or removed.
     */
    public static final String ID_VALUE = "io.brokertls.connectionId";

    private final long connectionId;
    private final boolean isResumed;
    private final @Nullable String group;
    private final List<String> deviations;
    private final @Nullable TlsFailure failure;

    /**
     * Makes the facts of a connection, for the provider.
     *
     * @param connectionId the number of the connection in its context
     * @param isResumed true if an earlier session was resumed
     * @param group the IANA name of the key exchange group; null if there is none
     * @param deviations the names of the tolerated deviations; kept, not copied
     * @param failure the failure that ended the connection; null if there is none
     */
    public ConnectionFacts(long connectionId, boolean isResumed, @Nullable String group, List<String> deviations,
            @Nullable TlsFailure failure) {
        this.connectionId = connectionId;
        this.isResumed = isResumed;
        this.group = group;
        this.deviations = Objects.requireNonNull(deviations, "deviations");
        this.failure = failure;
    }

    /**
     * {@return the facts of a session's connection, during the handshake and after it} Connections that resume one
     * session have a session object each, with the facts of that connection alone.
     *
     * @param session one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for a session of another provider
     */
    public static ConnectionFacts of(SSLSession session) {
        return Services.facts(Objects.requireNonNull(session, "session"));
    }

    /**
     * {@return the facts of an engine's connection}
     *
     * @param engine one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for an engine of another provider
     */
    public static ConnectionFacts of(SSLEngine engine) {
        return Services.facts(Objects.requireNonNull(engine, "engine"));
    }

    /**
     * {@return the facts of a socket's connection} A wrapper of a socket is asked for its session, which completes the
     * handshake.
     *
     * @param socket one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for a socket of another provider
     */
    public static ConnectionFacts of(SSLSocket socket) {
        return Services.facts(Objects.requireNonNull(socket, "socket"));
    }

    /**
     * {@return the number of the connection, which is unique in its context; 0 before the handshake has begun} It is
     * that of {@link RevokedPeer#connectionId()} and of the log.
     */
    public long connectionId() {
        return connectionId;
    }

    /** {@return true if an earlier session was resumed; false before the handshake is complete} */
    public boolean isResumed() {
        return isResumed;
    }

    /**
     * {@return the key exchange group by its IANA name, for example {@code X25519MLKEM768}} Empty before the handshake
     * is complete, and for a handshake without one.
     */
    public Optional<String> group() {
        return Optional.ofNullable(group);
    }

    /**
     * {@return the tolerated deviations without which the peer's certificate would have been refused, by the names of
     * {@link BrokerTlsContextBuilder#insecureAllow}}
     */
    public List<String> deviations() {
        return deviations;
    }

    /** {@return the failure that ended the connection: a refusal of this side, an alert of the peer, or another} */
    public Optional<TlsFailure> failure() {
        return Optional.ofNullable(failure);
    }

    /** Returns all of it in one line, for logs. */
    @Override
    public String toString() {
        return "connection " + connectionId + (isResumed ? ", resumed" : "") + (group == null ? "" : ", group " + group)
                + (deviations.isEmpty() ? "" : ", tolerated " + String.join(", ", deviations))
                + (failure == null ? "" : ", failed: " + failure.getMessage());
    }
}
