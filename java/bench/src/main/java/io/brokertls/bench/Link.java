package io.brokertls.bench;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** A client engine and the server engine that is measured: only the time inside calls on the server is counted. */
final class Link {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final int WIRE_LENGTH = 1 << 17;
    private static final int ROUNDS_MAX = 1000;

    private final ByteBuffer toServer = ByteBuffer.allocate(WIRE_LENGTH);
    private final ByteBuffer toClient = ByteBuffer.allocate(WIRE_LENGTH);
    private final ByteBuffer greeting = ByteBuffer.allocate(1);
    private final ByteBuffer plaintext = ByteBuffer.allocate(WIRE_LENGTH);

    SSLEngine client;
    SSLEngine server;
    long serverNanos;

    /**
     * A full or resumed handshake and the server's first byte, which Conscrypt sends its tickets with; the server's
     * time includes making its engine.
     */
    void handshake(SSLContext clientContext, Side side, SSLContext serverContext, int port, String version,
            String suite)
            throws SSLException {
        toServer.clear();
        toClient.clear();
        client = clientContext.createSSLEngine(Identities.HOST, port);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {version});
        client.setEnabledCipherSuites(new String[] {suite});
        long start = System.nanoTime();
        server = serverContext.createSSLEngine();
        server.setUseClientMode(false);
        side.prepare(server);
        server.beginHandshake();
        serverNanos += System.nanoTime() - start;
        client.beginHandshake();
        for (int i = 0; i < ROUNDS_MAX; i++) {
            boolean moved = stepClient();
            start = System.nanoTime();
            moved |= step(server, toServer, toClient);
            serverNanos += System.nanoTime() - start;
            if (!moved) {
                if (server.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
                    throw new SSLException("the handshake stops in " + server.getHandshakeStatus());
                }
                greet();
                return;
            }
        }
        throw new SSLException("the handshake does not end");
    }

    private void greet() throws SSLException {
        greeting.clear();
        long start = System.nanoTime();
        while (greeting.hasRemaining()) {
            server.wrap(greeting, toClient);
        }
        serverNanos += System.nanoTime() - start;
        stepClient();
    }

    /** Ends both: the server's last call, which is part of its connection. */
    void close() throws SSLException {
        long start = System.nanoTime();
        server.closeOutbound();
        toClient.clear();
        server.wrap(NOTHING.duplicate(), toClient);
        serverNanos += System.nanoTime() - start;
        client.closeOutbound();
        toServer.clear();
        client.wrap(NOTHING.duplicate(), toServer);
        toServer.flip();
        plaintext.clear();
        start = System.nanoTime();
        server.unwrap(toServer, plaintext);
        serverNanos += System.nanoTime() - start;
    }

    private boolean stepClient() throws SSLException {
        boolean moved = false;
        while (step(client, toClient, toServer)) {
            moved = true;
        }
        return moved;
    }

    /** Does everything that the engine can do now. */
    private boolean step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        boolean moved = false;
        while (true) {
            HandshakeStatus status = engine.getHandshakeStatus();
            if (status == HandshakeStatus.NEED_TASK) {
                engine.getDelegatedTask().run();
            } else if (status == HandshakeStatus.NEED_WRAP) {
                engine.wrap(NOTHING, out);
            } else if (in.position() > 0) {
                in.flip();
                plaintext.clear();
                SSLEngineResult result = engine.unwrap(in, plaintext);
                in.compact();
                if (result.getStatus() != SSLEngineResult.Status.OK) {
                    return moved;
                }
            } else {
                return moved;
            }
            moved = true;
        }
    }
}
