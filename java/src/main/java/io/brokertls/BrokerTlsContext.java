package io.brokertls;

import io.brokertls.internal.Maintenance;
import io.brokertls.internal.NativeContext;
import io.brokertls.jsse.Services;
import java.security.Provider;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * The TLS configuration of one broker or listener. It replaces the {@code javax.net.ssl.*} properties, which hold for a
 * process.
 *
 * <pre>{@code
 * BrokerTlsContext tls = BrokerTlsContext.builder()
 *         .keyStore(Path.of("broker.ks"), "secret".toCharArray())
 *         .trustStore(Path.of("broker.ts"), "secret".toCharArray())
 *         .clientAuth(BrokerTlsContext.ClientAuth.NEED)
 *         .build();
 * broker.setSslContext(tls.sslContext());
 * }</pre>
 *
 * <p>Safe for use by several threads. After {@link #close()} connections continue, and a handshake that has not begun
 * fails with an {@link javax.net.ssl.SSLException}. The methods of the context then throw
 * {@link IllegalStateException}.
 */
public final class BrokerTlsContext implements AutoCloseable {
    private final NativeContext context;
    private final Services.Ready ready;
    private final SSLContext sslContext;
    private final Maintenance maintenance = new Maintenance();

    /**
     * Called by the builder.
     *
     * @param ready the services of the context, which the context closes
     */
    BrokerTlsContext(Services.Ready ready) {
        this.context = ready.nativeContext();
        this.ready = ready;
        this.sslContext = new OwnContext(ready.spi());
    }

    /** {@return a builder without settings} */
    public static BrokerTlsContextBuilder builder() {
        return new BrokerTlsContextBuilder();
    }

    /**
     * Makes a context from named options, for configuration files. Each option is set in the order of the map, as by
     * {@link BrokerTlsContextBuilder#option}.
     *
     * @param options values by the names of {@link BrokerTlsContextBuilder#optionNames()}
     * @return the context, which the caller closes
     * @throws TlsFailure for the first option or file that cannot be used
     */
    public static BrokerTlsContext of(Map<String, String> options) throws TlsFailure {
        BrokerTlsContextBuilder builder = builder();
        Objects.requireNonNull(options, "options").forEach(builder::option);
        return builder.build();
    }

    /** {@return this context as an initialised JSSE context} Each call returns the same object. */
    public SSLContext sslContext() {
        return sslContext;
    }

    /**
     * Makes an engine. The caller sets its client or server mode.
     *
     * @return an engine for one connection
     * @throws IllegalStateException if the context has been closed
     */
    public SSLEngine newEngine() {
        return sslContext.createSSLEngine();
    }

    /**
     * Makes an engine with a known peer. In client mode the server's certificate must be valid for {@code host}.
     *
     * @param host a name or an address; also a part of the key of cached sessions
     * @param port passed to managers, and a part of the key of cached sessions
     * @return an engine for one connection
     * @throws IllegalStateException if the context has been closed
     */
    public SSLEngine newEngine(String host, int port) {
        return sslContext.createSSLEngine(Objects.requireNonNull(host, "host"), port);
    }

    /** {@return a factory of client sockets} */
    public SSLSocketFactory socketFactory() {
        return sslContext.getSocketFactory();
    }

    /** {@return a factory of server sockets} */
    public SSLServerSocketFactory serverSocketFactory() {
        return sslContext.getServerSocketFactory();
    }

    /**
     * Reads every file again. Either all of them take effect, for connections that begin later, or none does.
     *
     * @throws TlsFailure for the first file that cannot be used; the context keeps its configuration
     */
    public void reload() throws TlsFailure {
        ready.reload();
        maintenance.wake();
    }

    /** {@return the name of the context in the process, which monitors show} */
    public String name() {
        return ready.name();
    }

    /** {@return the warnings about a configuration that can be used, one sentence each} */
    public List<String> warnings() {
        return List.of(context.warnings());
    }

    /**
     * Performs the work that is due: requests OCSP staples, refreshes fetched revocation lists and OCSP responses
     * before they expire, and reports revoked peers to the {@link RevokedPeerListener}. Puts idle connections to sleep
     * ({@link #sleep(SSLEngine)}). Blocks as long as the fetches take, so do not call it from a thread that serves
     * connections. May be called at any time.
     *
     * <p>Contexts with the option {@code fetch}, {@code staple} or {@code sleep-after-s} need it. Staples are requested
     * only here. Without maintenance, a handshake waits for data that has expired. {@link #revocationSources()} shows
     * fetches that failed.
     *
     * @return the time until the next call, one minute at most
     */
    public Duration maintain() {
        return Duration.ofMillis(context.maintain());
    }

    /**
     * Starts a daemon thread that calls {@link #maintain()} when work is due. It ends with {@link #close()}, or when
     * this context and everything made from it is no longer referenced. A second call does nothing.
     */
    public void startMaintenance() {
        maintenance.start(context);
    }

    /** {@return the sources of revocation data: files, fetched lists and responders, each with its last outcome} */
    public List<RevocationSource> revocationSources() {
        return List.of(context.revocationSources());
    }

    /**
     * {@return the numbers of peers that have used what the second engine allows for old ones}
     *
     * <p>They count since the context was built, clients and servers. The names are {@code legacy-engine} for
     * each of them, {@code pre-shared key}, {@code TLSv1}, {@code TLSv1.1}, and those of the switches of
     * {@link BrokerTlsContextBuilder#legacyAllow}.
     */
    public Map<String, Long> legacyUses() {
        return Collections.unmodifiableMap(context.legacyUses());
    }

    /**
     * {@return the certificates in use: the own ones, each with its issuers as they are sent, and the trust anchors}
     *
     * <p>Those of Java managers are listed as far as the managers name them.
     */
    public List<TlsCertificate> certificates() {
        return Collections.unmodifiableList(ready.certificates());
    }

    /** {@return the counters of this context, also after {@link #close()}} */
    public TlsMetrics metrics() {
        return context.counters().snapshot();
    }

    /** {@return the number of certificates accepted since the last reload although no source knew their status} */
    public long revocationUnknownAccepted() {
        return context.revocationUnknownAccepted();
    }

    /**
     * {@return the number of an engine's connection, which is unique in its context} {@link RevokedPeer#connectionId()}
     * and the log report the same number. Returns 0 before the handshake has begun. The engine can be a wrapper, such
     * as that of Netty with ALPN. {@link ConnectionFacts} has more facts.
     *
     * @param engine one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for an engine of another provider
     */
    public static long connectionId(SSLEngine engine) {
        return Services.connectionId(Objects.requireNonNull(engine, "engine"));
    }

    /**
     * {@return the number of a session's connection, as {@link #connectionId(SSLEngine)} does for an engine}
     *
     * @param session one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for a session of another provider
     */
    public static long connectionId(SSLSession session) {
        return Services.connectionId(Objects.requireNonNull(session, "session"));
    }

    /**
     * {@return the number of a socket's connection, as {@link #connectionId(SSLEngine)} does for an engine} A wrapper
     * of a socket is asked for its session, which completes the handshake.
     *
     * @param socket one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for a socket of another provider
     */
    public static long connectionId(SSLSocket socket) {
        return Services.connectionId(Objects.requireNonNull(socket, "socket"));
    }

    /**
     * Drops the expanded keys of an idle connection, 1.4 KiB. The next record makes them again, which takes less than a
     * microsecond for each direction. Does nothing before the handshake is complete. The thread that uses the engine
     * may call it, or any other.
     *
     * <p>Connections of a context with {@code option("sleep-after-s", "60")} fall asleep by themselves in
     * {@link #maintain()}, when no record has moved in that many seconds.
     *
     * @param engine one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for an engine of another provider
     */
    public static void sleep(SSLEngine engine) {
        Services.sleep(Objects.requireNonNull(engine, "engine"));
    }

    /**
     * Drops the expanded keys of an idle connection by its session, as {@link #sleep(SSLEngine)} does for an engine.
     *
     * @param session one of the provider
     * @throws IllegalArgumentException for a session of another provider
     */
    public static void sleep(SSLSession session) {
        Services.sleep(Objects.requireNonNull(session, "session"));
    }

    /**
     * Drops the expanded keys of an idle socket, as {@link #sleep(SSLEngine)} does for an engine.
     *
     * @param socket one of the provider, or a wrapper of it
     * @throws IllegalArgumentException for a socket of another provider
     */
    public static void sleep(SSLSocket socket) {
        Services.sleep(Objects.requireNonNull(socket, "socket"));
    }

    /**
     * Frees the context, and ends its maintenance thread. Waits up to ten seconds for a fetch of that thread.
     * Connections continue. A second call does nothing.
     */
    @Override
    public void close() {
        ready.endMonitors();
        context.close();
        maintenance.end();
    }

    /**
     * Refuses peers that the trust anchors accept, for example the devices of a former tenant. It cannot accept a peer.
     */
    @FunctionalInterface
    public interface VerifyCallback {
        /**
         * Called once in each full handshake, on the thread that runs the engine's delegated task. Called again before
         * a session is resumed, unless the option {@code resumption-asks-again} is {@code no}.
         *
         * @param chain the certificates that the peer sent, its own first; never empty
         * @throws CertificateException to refuse the peer; it becomes the cause of the exception that the caller gets
         */
        void verify(X509Certificate[] chain) throws CertificateException;
    }

    /** Supplies the passwords of stores and keys that were added without one. */
    @FunctionalInterface
    public interface PasswordSource {
        /**
         * Called by {@link BrokerTlsContextBuilder#build()} and by {@link #reload()}, on their threads.
         *
         * @param label the file, or the name that messages use for content from memory
         * @param alias the entry with the key to decrypt; null for the store, and for a key without an alias
         * @return the password, which the library wipes; null if there is none
         */
        char @Nullable [] password(String label, @Nullable String alias);
    }

    /** Looks up the pre-shared keys of clients, for example in a database. */
    @FunctionalInterface
    public interface PskSource {
        /**
         * Called for a client with an identity that the builder's other keys do not have, on the thread that runs the
         * engine's delegated task. To the client, an unknown identity looks like a wrong secret. After an exception,
         * the connection ends with {@link ErrorCode#PSK_UNAVAILABLE}.
         *
         * @param identity as the client has sent it; it has proven nothing yet
         * @return the secret, which is copied; null for an unknown identity
         */
        byte @Nullable [] secret(byte[] identity);
    }

    /** The request of a server for a client certificate. */
    public enum ClientAuth {
        /** No request. */
        NONE,
        /** A request; clients without a certificate are accepted. */
        WANT,
        /** A request; clients without a certificate are refused. */
        NEED
    }

    /** The treatment of a peer if no source knows the revocation status of its certificate. */
    public enum RevocationMode {
        /** Revocation is not checked. */
        OFF,
        /** The peer is accepted, and counted in {@link #revocationUnknownAccepted()}. */
        PREFER,
        /** The peer is refused. */
        REQUIRE
    }

    private static final class OwnContext extends SSLContext {
        private static final Provider PROVIDER = new BrokerTlsProvider();

        OwnContext(SSLContextSpi spi) {
            super(spi, PROVIDER, "TLS");
        }
    }
}
