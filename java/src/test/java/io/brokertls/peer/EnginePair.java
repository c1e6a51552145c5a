package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/** Two engines and the bytes on their way between them. Every loop is bounded. */
public final class EnginePair {
    private static final int ROUNDS_MAX = 2_000_000;

    public final Side client;
    public final Side server;
    /** The largest number of pending bytes that one unwrap gets. */
    private int bite = Integer.MAX_VALUE;

    public EnginePair(SSLEngine client, SSLEngine server) {
        this.client = new Side(client);
        this.server = new Side(server);
        this.client.peer = this.server;
        this.server.peer = this.client;
    }

    /** Makes engines of two contexts. The server needs a certificate of the client. */
    public static EnginePair mutual(SSLContext clients, SSLContext servers) {
        SSLEngine client = clients.createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        SSLEngine server = servers.createSSLEngine();
        server.setUseClientMode(false);
        server.setNeedClientAuth(true);
        return new EnginePair(client, server);
    }

    /** From here on ciphertext arrives one byte at a time: each unwrap is shown one byte more than the one before. */
    EnginePair oneByteAtATime() {
        bite = 1;
        return this;
    }

    EnginePair begin() throws SSLException {
        client.engine.beginHandshake();
        server.engine.beginHandshake();
        return this;
    }

    /** Begins, and runs both engines until both have said FINISHED and nothing is on its way. */
    public void handshake() throws SSLException {
        begin();
        for (int round = 0; round < ROUNDS_MAX; round++) {
            boolean moved = client.step(bite);
            moved |= server.step(bite);
            if (!moved) {
                assertTrue(client.finished > 0, "the client has said FINISHED");
                assertTrue(server.finished > 0, "the server has said FINISHED");
                return;
            }
        }
        throw new AssertionError("the handshake does not end");
    }

    /** Runs both engines until neither moves; failures are kept in {@link Side#failure}. */
    void settle() {
        for (int round = 0; round < ROUNDS_MAX; round++) {
            boolean moved = client.stepOrFail(bite);
            moved |= server.stepOrFail(bite);
            if (!moved) {
                return;
            }
        }
        throw new AssertionError("the engines do not come to rest");
    }

    /** Sends the bytes and checks that the other side reads the same. */
    public void exchange(Side from, byte[] content) throws SSLException {
        ByteBuffer source = ByteBuffer.wrap(content);
        do {
            SSLEngineResult result = from.wrap(source);
            assertEquals(Status.OK, result.getStatus());
        } while (source.hasRemaining());
        from.peer.readAll(bite);
        assertTrue(Arrays.equals(content, from.peer.takePlaintext()), "what was sent is what is read");
    }

    /** One engine, the ciphertext that waits for it and the plaintext that it gave. */
    public static final class Side {
        public final SSLEngine engine;
        Side peer;
        SSLException failure;
        int finished;
        private ByteBuffer incoming = ByteBuffer.allocate(0);
        private int shown;
        private final ByteArrayOutputStream plaintext = new ByteArrayOutputStream();

        private Side(SSLEngine engine) {
            this.engine = engine;
        }

        /** Puts ciphertext on its way to this engine. */
        void receive(byte[] more) {
            ByteBuffer joined = ByteBuffer.allocate(incoming.remaining() + more.length);
            joined.put(incoming).put(more).flip();
            incoming = joined;
        }

        /** Takes back what waits for this engine. */
        byte[] takeIncoming() {
            byte[] taken = new byte[incoming.remaining()];
            incoming.get(taken);
            shown = 0;
            return taken;
        }

        byte[] takePlaintext() {
            byte[] taken = plaintext.toByteArray();
            plaintext.reset();
            return taken;
        }

        int waiting() {
            return incoming.remaining();
        }

        boolean hasIncoming() {
            return incoming.hasRemaining();
        }

        /** Wraps into a buffer of the session's packet size, which always suffices, and sends what came out. */
        SSLEngineResult wrap(ByteBuffer source) throws SSLException {
            ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
            int before = source.position();
            SSLEngineResult result = engine.wrap(source, record);
            assertEquals(result.bytesConsumed(), source.position() - before);
            assertEquals(result.bytesProduced(), record.position());
            assertTrue(result.getStatus() != Status.BUFFER_OVERFLOW, "a record fits the packet buffer size");
            peer.receive(Arrays.copyOf(record.array(), record.position()));
            note(result);
            return result;
        }

        /** Unwraps what waits, at most {@code length} bytes of it. */
        SSLEngineResult unwrap(int length) throws SSLException {
            ByteBuffer offered = incoming.duplicate();
            offered.limit(offered.position() + Math.min(length, offered.remaining()));
            ByteBuffer application = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
            int before = offered.position();
            SSLEngineResult result;
            try {
                result = engine.unwrap(offered, application);
            } finally {
                incoming.position(offered.position());
            }
            assertEquals(result.bytesConsumed(), offered.position() - before);
            assertEquals(result.bytesProduced(), application.position());
            plaintext.write(application.array(), 0, application.position());
            note(result);
            return result;
        }

        /** Unwraps until nothing that waits can be taken. */
        void readAll(int bite) throws SSLException {
            while (hasIncoming() && unwrapBite(bite)) {
                runTasks();
            }
        }

        void runTasks() {
            for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                task.run();
            }
        }

        /** Does what the engine asks for; false where there is nothing to do. */
        boolean step(int bite) throws SSLException {
            HandshakeStatus status = engine.getHandshakeStatus();
            assertTrue(status != HandshakeStatus.FINISHED, "getHandshakeStatus never says FINISHED");
            switch (status) {
                case NEED_TASK:
                    runTasks();
                    return true;
                case NEED_WRAP:
                    SSLEngineResult result = wrap(ByteBuffer.allocate(0));
                    return result.getStatus() == Status.OK || result.bytesProduced() > 0;
                default:
                    return hasIncoming() && unwrapBite(bite);
            }
        }

        private boolean stepOrFail(int bite) {
            try {
                return step(bite);
            } catch (SSLException e) {
                if (failure == null) {
                    failure = e;
                    return true;
                }
                return false;
            }
        }

        private boolean unwrapBite(int bite) throws SSLException {
            if (bite == Integer.MAX_VALUE) {
                SSLEngineResult result = unwrap(bite);
                return result.getStatus() == Status.OK;
            }
            shown += bite;
            SSLEngineResult result = unwrap(shown);
            if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
                assertEquals(0, result.bytesConsumed(), "an incomplete record is not taken");
                return shown < incoming.remaining();
            }
            shown = 0;
            return result.getStatus() == Status.OK;
        }

        private void note(SSLEngineResult result) {
            if (result.getHandshakeStatus() == HandshakeStatus.FINISHED) {
                finished++;
            }
        }
    }
}
