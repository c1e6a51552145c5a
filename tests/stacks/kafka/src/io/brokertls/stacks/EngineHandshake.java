package io.brokertls.stacks;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** A handshake of two engines in memory. */
final class EngineHandshake {
    private static final int ROUNDS = 1000;

    private EngineHandshake() {
    }

    /** Runs it to its end, with what a server sends after it. Throws the first refusal of either side. */
    static void run(SSLEngine client, SSLEngine server) throws SSLException {
        ByteBuffer toServer = ByteBuffer.allocate(1 << 17);
        ByteBuffer toClient = ByteBuffer.allocate(1 << 17);
        client.beginHandshake();
        server.beginHandshake();
        boolean isMoving = true;
        for (int round = 0; isMoving; round++) {
            if (round == ROUNDS) {
                throw new AssertionError("the handshake does not end");
            }
            isMoving = step(client, toClient, toServer) | step(server, toServer, toClient);
        }
        Checks.equal(HandshakeStatus.NOT_HANDSHAKING, client.getHandshakeStatus());
        Checks.equal(HandshakeStatus.NOT_HANDSHAKING, server.getHandshakeStatus());
    }

    private static boolean step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        boolean isMoving = false;
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
            isMoving = true;
        }
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            return engine.wrap(ByteBuffer.allocate(0), out).bytesProduced() > 0 | isMoving;
        }
        in.flip();
        int consumed = in.hasRemaining() ? engine.unwrap(in, ByteBuffer.allocate(1 << 15)).bytesConsumed() : 0;
        in.compact();
        return consumed > 0 | isMoving;
    }
}
