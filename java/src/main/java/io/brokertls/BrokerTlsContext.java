package io.brokertls;

import io.brokertls.internal.Maintenance;
import io.brokertls.internal.NativeContext;
import io.brokertls.jsse.Services;
import java.security.Provider;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * All that one broker, or one listener, needs for TLS, in place of the {@code javax.net.ssl.*} properties of a process.
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
 * <p>Shared by threads. Connections go on after {@link #close()}. Handshakes that have not begun by then are refused by an
 * {@link javax.net.ssl.SSLException}; what asks the context itself is refused by an {@link IllegalStateException}.
 */
public final class BrokerTlsContext implements AutoCloseable {
    private final NativeContext context;
    private final SSLContext sslContext;
    private final Maintenance maintenance = new Maintenance();

    BrokerTlsContext(Services.Ready ready) {
        this.context = ready.nativeContext();
        this.sslContext = new Own(ready.spi());
    }

    /** No setting made. */
    public static BrokerTlsContextBuilder builder() {
        return new BrokerTlsContextBuilder();
    }

    /**
     * A context of options by their names, for configuration files: as {@link BrokerTlsContextBuilder#option} with each of
     * them, in their order.
     *
     * @throws TlsFailure the first option or file that cannot be used, by name, and what would mend it
     */
    public static BrokerTlsContext of(Map<String, String> options) throws TlsFailure {
        BrokerTlsContextBuilder builder = builder();
        options.forEach(builder::option);
        return builder.build();
    }

    /** This context as JSSE knows it; initialised, always the same object. */
    public SSLContext sslContext() {
        return sslContext;
    }

    /** An engine whose mode is still to be set. */
    public SSLEngine newEngine() {
        return sslContext.createSSLEngine();
    }

    /**
     * An engine that knows its peer, whose certificate is compared with {@code host} in client mode.
     *
     * @param port told to managers, and sessions are remembered by it
     */
    public SSLEngine newEngine(String host, int port) {
        return sslContext.createSSLEngine(host, port);
    }

    /** Makes client sockets. */
    public SSLSocketFactory socketFactory() {
        return sslContext.getSocketFactory();
    }

    /** Makes server sockets. */
    public SSLServerSocketFactory serverSocketFactory() {
        return sslContext.getServerSocketFactory();
    }

    /**
     * Reads every file again, all or nothing; connections made before keep what they have.
     *
     * @throws TlsFailure the first file that cannot be used; the context goes on with what it had
     */
    public void reload() throws TlsFailure {
        context.reload();
        maintenance.wake();
    }

    /** What an operator should know though the context could be built, a sentence each. */
    public List<String> warnings() {
        return List.of(context.warnings());
    }

    /**
     * Does what is due beside the connections: asks for staples, fetches revocation lists and OCSP responses anew before they
     * run out, and tells the {@link RevocationListener} of peers that are revoked by what came. Takes as long as the fetches
     * do, so that it is not for a thread that serves connections; may be called at any time.
     *
     * <p>It is for contexts with {@code option("fetch", "yes")} or {@code option("staple", "yes")}. Staples are asked for here
     * alone; without it, handshakes wait for what is out of date. A fetch that fails is told by {@link #revocationSources()}.
     *
     * @return how long there is until it wants to be called again, a minute at most
     */
    public Duration maintain() {
        return Duration.ofMillis(context.maintain());
    }

    /**
     * Starts a daemon thread that calls {@link #maintain()} when it is due. It ends with {@link #close()}, or once nobody
     * refers to this context and to what was made from it. A second call does nothing.
     */
    public void startMaintenance() {
        maintenance.start(context);
    }

    /** Where knowledge of revocation comes from, and how asking there went: the files, what was fetched, who was asked. */
    public List<RevocationSource> revocationSources() {
        return List.of(context.revocationSources());
    }

    /** How many certificates were accepted since the last reload though no source knew whether they are revoked. */
    public long revocationUnknownAccepted() {
        return context.revocationUnknownAccepted();
    }

    /**
     * The number of an engine's connection, by which a {@link RevocationListener} is told of it: no other connection of the
     * context has it. 0 before the handshake has begun.
     *
     * @throws IllegalArgumentException for another provider's engine
     */
    public static long connectionId(SSLEngine engine) {
        return Services.connectionId(engine);
    }

    /**
     * The number of a socket's connection, as {@link #connectionId(SSLEngine)}.
     *
     * @throws IllegalArgumentException for another provider's socket
     */
    public static long connectionId(SSLSocket socket) {
        return Services.connectionId(socket);
    }

    /** Frees the context at once; engines and sockets made before go on. Further calls do nothing. */
    @Override
    public void close() {
        context.close();
        maintenance.end();
    }

    /** Refuses peers whose certificates were accepted: those of a tenant that has left, for one. It never accepts. */
    @FunctionalInterface
    public interface PeerCheck {
        /**
         * Asked once a full handshake, on the thread that runs the engine's task, and not again when a session is resumed.
         *
         * @param chain as the peer sent it, end entity first; never empty
         * @throws CertificateException refuses the peer, and becomes the cause of what the caller sees
         */
        void check(X509Certificate[] chain) throws CertificateException;
    }

    /** Gives the passwords of stores and keys that were added without one. */
    @FunctionalInterface
    public interface PasswordSource {
        /**
         * Asked by {@link BrokerTlsContextBuilder#build()} and at each {@link #reload()}, on their threads.
         *
         * @param label the file, or what messages call the memory
         * @param alias the entry whose key it decrypts; null where it is the store's, or the key has no alias
         * @return the password, which the library wipes; null where there is none
         */
        char[] password(String label, String alias);
    }

    /** Whether a server asks its clients for a certificate. */
    public enum ClientAuth {
        /** It does not ask. */
        NONE,
        /** It asks, and takes clients without one. */
        WANT,
        /** It refuses clients without one. */
        NEED
    }

    /** What follows where nobody knows whether a peer's certificate is revoked. */
    public enum Revocation {
        /** Nobody is asked. */
        OFF,
        /** The peer is accepted, and counted: {@link #revocationUnknownAccepted()}. */
        PREFER,
        /** The peer is refused. */
        REQUIRE
    }

    private static final class Own extends SSLContext {
        private static final Provider PROVIDER = new BrokerTlsProvider();

        Own(SSLContextSpi spi) {
            super(spi, PROVIDER, "TLS");
        }
    }
}
