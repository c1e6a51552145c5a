package io.brokertls.jsse.socket;

import io.brokertls.ErrorCode;
import io.brokertls.internal.NativeEngine;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/**
 * One socket's way out: the engine wraps the caller's bytes into a packet of several records, which one call sends.
 *
 * <p>Whoever calls it holds its lock, over sending too, so that records keep their order; {@link #flush} alone takes it
 * itself.
 */
final class SocketWriter {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    final ReentrantLock lock = new ReentrantLock();

    private final SSLEngine engine;
    private final OutputStream output;
    private volatile boolean isFlushWanted;
    /** Of the output below. Part of a record may have gone, so nothing can follow. */
    private volatile IOException failure;

    SocketWriter(SSLEngine engine, OutputStream output) {
        this.engine = engine;
        this.output = output;
    }

    /** What the output below failed with, or null; without the lock too. */
    IOException failure() {
        return failure;
    }

    /** Sends all of it. */
    void write(byte[] bytes, int offset, int length) throws IOException {
        checkOutput();
        ByteBuffer source = ByteBuffer.wrap(bytes, offset, length);
        ByteBuffer packet = SocketBuffers.take();
        try {
            while (source.hasRemaining()) {
                SSLEngineResult result = engine.wrap(source, packet);
                if (result.getStatus() == Status.CLOSED) {
                    send(packet);
                    throw new SocketException("Socket output is shutdown");
                }
                if (packet.position() == 0) {
                    throw SocketConnection.error(ErrorCode.INTERNAL, "a record was not wrapped");
                }
                if (packet.remaining() < NativeEngine.PACKET_SIZE || result.getStatus() == Status.BUFFER_OVERFLOW) {
                    send(packet);
                }
            }
            send(packet);
        } catch (SSLException e) {
            sendBefore(packet, e);
            throw e;
        } finally {
            SocketBuffers.give(packet);
        }
    }

    /** Sends the bytes that were wrapped before the failure, such as the alert for a revoked peer. */
    private void sendBefore(ByteBuffer packet, SSLException failure) {
        try {
            send(packet);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** Sends what the engine has to say by itself; returns whether that completed the handshake. */
    boolean sendPending() throws IOException {
        boolean isFinished = false;
        ByteBuffer packet = SocketBuffers.take();
        try {
            while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                SSLEngineResult result = engine.wrap(NOTHING, packet);
                isFinished |= result.getHandshakeStatus() == HandshakeStatus.FINISHED;
                if (result.getStatus() == Status.BUFFER_OVERFLOW) {
                    send(packet);
                } else if (result.getStatus() == Status.CLOSED) {
                    break;
                }
            }
        } finally {
            try {
                send(packet);
            } finally {
                SocketBuffers.give(packet);
            }
        }
        return isFinished;
    }

    /** Sends close_notify. */
    void close() throws IOException {
        engine.closeOutbound();
        sendPending();
    }

    private void send(ByteBuffer packet) throws IOException {
        if (packet.position() == 0) {
            return;
        }
        checkOutput();
        try {
            output.write(packet.array(), 0, packet.position());
            packet.clear();
        } catch (IOException e) {
            failure = e;
            throw e;
        }
    }

    private void checkOutput() throws IOException {
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * For a reader: its answers are sent here, or by the writer that is at it when it is done, so that a reader never waits
     * for one. That they cannot be sent is the next writer's to hear: what the peer has sent can still be read.
     */
    void flush() throws SSLException {
        isFlushWanted = true;
        flushWhileWanted();
    }

    /** What every writer does when it has given the lock back. */
    void flushWhileWanted() throws SSLException {
        while (isFlushWanted && lock.tryLock()) {
            try {
                isFlushWanted = false;
                sendPending();
            } catch (SSLException e) {
                throw e;
            } catch (IOException e) {
                // Kept as the output's failure.
            } finally {
                lock.unlock();
            }
        }
    }
}
