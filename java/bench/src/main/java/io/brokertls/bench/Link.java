package io.brokertls.bench;

import java.nio.ByteBuffer;
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
    /** The time inside calls on the server, in so many intervals. */
    long serverNanos;
    int intervals;

    /**
     * A full or resumed handshake and the server's first byte, which Conscrypt sends its tickets with; the server's
     * time includes making its engine.
     */
    void handshake(SSLEngine fresh, Side.Server servers) throws SSLException {
        toServer.clear();
        toClient.clear();
        client = fresh;
        long start = Clock.nanos();
        server = servers.engine();
        server.setUseClientMode(false);
        server.beginHandshake();
        count(start);
        client.beginHandshake();
        for (int i = 0; i < ROUNDS_MAX; i++) {
            boolean moved = stepClient();
            start = Clock.nanos();
            moved |= step(server, toServer, toClient);
            count(start);
            if (!moved) {
                start = Clock.nanos();
                HandshakeStatus status = server.getHandshakeStatus();
                if (status != HandshakeStatus.NOT_HANDSHAKING) {
                    // The engine of netty sees only at its next call that the handshake is complete.
                    status = server.wrap(NOTHING, toClient).getHandshakeStatus();
                }
                count(start);
                if (status != HandshakeStatus.NOT_HANDSHAKING && status != HandshakeStatus.FINISHED) {
                    throw new SSLException("the handshake stops in " + server.getHandshakeStatus());
                }
                greet();
                return;
            }
        }
        throw new SSLException("the handshake does not end");
    }

    private void count(long start) {
        serverNanos += Clock.nanos() - start;
        intervals++;
    }

    private void greet() throws SSLException {
        greeting.clear();
        long start = Clock.nanos();
        while (greeting.hasRemaining()) {
            server.wrap(greeting, toClient);
        }
        count(start);
        stepClient();
    }

    /** Ends both: the server's last calls, which are part of its connection. */
    void close(Side side) throws SSLException {
        long start = Clock.nanos();
        server.closeOutbound();
        toClient.clear();
        server.wrap(NOTHING.duplicate(), toClient);
        count(start);
        client.closeOutbound();
        toServer.clear();
        client.wrap(NOTHING.duplicate(), toServer);
        toServer.flip();
        plaintext.clear();
        start = Clock.nanos();
        server.unwrap(toServer, plaintext);
        side.free(server);
        count(start);
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
