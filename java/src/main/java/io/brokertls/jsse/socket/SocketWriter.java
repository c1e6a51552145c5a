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
 * Writes the records of one socket. The engine wraps the caller's bytes into several records, which one system call
 * sends.
 *
 * <p>Callers hold its lock, also while they send, so that records keep their order. Only {@link #flush} takes it
 * itself.
 */
final class SocketWriter {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    final ReentrantLock lock = new ReentrantLock();

    private final SSLEngine engine;
    private final OutputStream output;
    private volatile boolean isFlushWanted;
    /** The failure of the transport. Part of a record can have been sent, so that nothing can follow. */
    private volatile IOException failure;

    SocketWriter(SSLEngine engine, OutputStream output) {
        this.engine = engine;
        this.output = output;
    }

    /** Returns the failure of the transport, or null. Needs no lock. */
    IOException failure() {
        return failure;
    }

    /** Sends all bytes. */
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

    /** Sends the records that precede a failure, such as the alert to a revoked peer. */
    private void sendBefore(ByteBuffer packet, SSLException failure) {
        try {
            send(packet);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** Sends the pending records of the engine. Returns true if that completes the handshake. */
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
     * Sends the answers of a reader, or leaves them to the current writer, so that a reader never waits for one. A
     * failure of the transport is thrown to the next writer, because received data can still be read.
     */
    void flush() throws SSLException {
        isFlushWanted = true;
        flushWhileWanted();
    }

    /** Sends the answers of readers. Each writer calls it after it released the lock. */
    void flushWhileWanted() throws SSLException {
        while (isFlushWanted && lock.tryLock()) {
            try {
                isFlushWanted = false;
                sendPending();
            } catch (SSLException e) {
                throw e;
            } catch (IOException e) {
                // It is kept as the failure of the transport.
            } finally {
                lock.unlock();
            }
        }
    }
}
