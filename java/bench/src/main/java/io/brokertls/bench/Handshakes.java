package io.brokertls.bench;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/** Handshakes. The nanoseconds are those inside calls on the server's context and engine. */
final class Handshakes implements Measured {
    private static final int PORTS = 60_000;

    private final Side side;
    private final boolean isResumed;
    private final String version;
    private final String suite;
    private final Link link = new Link();
    private final TrustCounter trust;
    private final SSLContext client;
    private final Side.Server server;
    private final long clockCost = Clock.cost();
    private int port = 1;

    Handshakes(Side side, boolean isResumed, String version, String key) throws Exception {
        this.side = side;
        this.isResumed = isResumed;
        this.version = version;
        trust = new TrustCounter(Identities.identity(key).getCertificate("server"));
        client = Side.client(trust);
        server = side.server(key);
        suite = version.equals("TLSv1.3") ? "TLS_AES_128_GCM_SHA256"
                : key.startsWith("EC") ? "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
                : "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    }

    @Override
    public void sample(Counts counts) throws Exception {
        if (!isResumed) {
            // A port that the client has not seen makes it forget that it knows the host.
            port = port % PORTS + 1;
            client.getClientSessionContext().setSessionCacheSize(1);
        }
        link.serverNanos = 0;
        link.intervals = 0;
        SSLEngine fresh = client.createSSLEngine(Identities.HOST, port);
        fresh.setUseClientMode(true);
        fresh.setEnabledProtocols(new String[] {version});
        fresh.setEnabledCipherSuites(new String[] {suite});
        link.handshake(fresh, server);
        link.close(side);
        counts.add(1, link.serverNanos - link.intervals * clockCost, 0);
    }

    @Override
    public void begin() {
        trust.take();
    }

    @Override
    public void check(Counts counts) throws Exception {
        double full = (double) trust.take() / counts.operations();
        if (full != (isResumed ? 0 : 1)) {
            throw new SSLException(full + " of all handshakes were full");
        }
    }
}
