package io.brokertls.bench;

import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Handshakes. JMH's own score includes the client's work; what {@link Report} prints comes from the counters: the
 * nanoseconds inside calls on the server's context and engine, how many handshakes they were for, and how many of those
 * were full.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class HandshakeBenchmark {
    @Param
    public Side side;

    @Param({"TLSv1.3", "TLSv1.2"})
    public String version;

    @Param({"ECDSA_P256", "RSA_2048"})
    public String key;

    @Param({"full", "resumed"})
    public String kind;

    private final Link link = new Link();
    private TrustCounter trust;
    private SSLContext clientContext;
    private SSLContext serverContext;
    private String suite;
    private int port;

    /** Counters that JMH adds up over an iteration. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Server {
        public long nanos;
        public long handshakes;
        /** Returns the number of them that sent the certificate. */
        public long full;
    }

    @Setup(Level.Trial)
    public void open() throws Exception {
        trust = new TrustCounter(Identities.identity(key).getCertificate("server"));
        clientContext = Side.client(trust);
        serverContext = side.server(key);
        boolean tls13 = version.equals("TLSv1.3");
        suite = tls13 ? "TLS_AES_128_GCM_SHA256"
                : key.startsWith("EC") ? "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
                : "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    }

    /** A port that the client has not seen makes it forget that it knows the host. */
    @Benchmark
    public void handshake(Server counters) throws Exception {
        if (kind.equals("full")) {
            port = port % 60_000 + 1;
            clientContext.getClientSessionContext().setSessionCacheSize(1);
        }
        link.serverNanos = 0;
        link.handshake(clientContext, side, serverContext, port, version, suite);
        link.close();
        counters.nanos += link.serverNanos;
        counters.handshakes++;
        counters.full += trust.take();
    }
}
