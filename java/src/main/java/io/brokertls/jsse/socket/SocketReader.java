package io.brokertls.jsse.socket;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

/**
 * One socket's way in: {@link SocketInput} has the ciphertext, the engine unwraps it into the caller's array, and what does
 * not fit there is kept here.
 *
 * <p>Whoever calls it holds its lock, over receiving too, so that records keep their order.
 */
final class SocketReader {
    static final int CLOSED = -1;
    /** From {@link #unwrap}: the record's plaintext does not fit. */
    private static final int NO_ROOM = -2;
    /** No early data is served: nothing is produced before the handshake is complete. */
    private static final ByteBuffer NO_PLAINTEXT = ByteBuffer.allocate(0);

    final ReentrantLock lock = new ReentrantLock();

    private final SSLEngine engine;
    private final SocketInput received;
    private final SocketWriter writer;
    /** From position to limit, or null. */
    private ByteBuffer plaintext;
    private SSLException lateFailure;
    private volatile boolean isEnded;

    SocketReader(SSLEngine engine, SocketInput received, SocketWriter writer) {
        this.engine = engine;
        this.received = received;
        this.writer = writer;
    }

    /** Whether the peer's close_notify has come; without the lock too. */
    boolean isEnded() {
        return isEnded;
    }

    /** One step of a handshake, waiting for what the peer sends; returns whether that completed it. */
    boolean unwrapHandshake() throws IOException {
        if (!received.ready()) {
            throw endInHandshake();
        }
        SSLEngineResult result = engine.unwrap(received.bytes(), NO_PLAINTEXT);
        release();
        switch (result.getStatus()) {
            case BUFFER_OVERFLOW:
                throw SocketConnection.error(ErrorCode.UNEXPECTED_MESSAGE, "application data in the handshake");
            case BUFFER_UNDERFLOW:
                if (!received.fill()) {
                    throw endInHandshake();
                }
                return false;
            case CLOSED:
                throw endInHandshake();
            default:
                return result.getHandshakeStatus() == HandshakeStatus.FINISHED;
        }
    }

    private static SSLException endInHandshake() {
        TlsFailure cause = TlsFailure.of(ErrorCode.HANDSHAKE_EOF, "");
        SSLException ended = new SSLHandshakeException(cause.getMessage());
        ended.initCause(cause);
        return ended;
    }

    /** How much can be read without waiting. */
    int available() {
        return plaintext == null ? 0 : plaintext.remaining();
    }

    /** Some of what {@link #available()} counts. */
    int take(byte[] bytes, int offset, int length) {
        int count = Math.min(length, plaintext.remaining());
        plaintext.get(bytes, offset, count);
        release();
        return count;
    }

    /**
     * Waits for at least one byte, or {@link #CLOSED} after the peer's close_notify; nothing is available before. A timeout
     * loses nothing.
     */
    int read(byte[] bytes, int offset, int length) throws IOException {
        ByteBuffer target = ByteBuffer.wrap(bytes, offset, length);
        while (!isEnded) {
            int produced = unwrap(target);
            if (produced > 0) {
                unwrapWhatIsHere(target);
                return target.position() - offset;
            }
            if (produced == NO_ROOM && keepRecord()) {
                return take(bytes, offset, length);
            }
        }
        return CLOSED;
    }

    /** Unwraps until there is plaintext, {@link #CLOSED}, or {@link #NO_ROOM}. */
    private int unwrap(ByteBuffer target) throws IOException {
        while (true) {
            if (!received.ready()) {
                throw truncated();
            }
            SSLEngineResult result = unwrapOne(target);
            switch (result.getStatus()) {
                case BUFFER_OVERFLOW:
                    return NO_ROOM;
                case BUFFER_UNDERFLOW:
                    if (!received.fill()) {
                        throw truncated();
                    }
                    break;
                case CLOSED:
                    return CLOSED;
                default:
                    if (result.bytesProduced() > 0) {
                        return result.bytesProduced();
                    }
            }
        }
    }

    /** Sends what the record asks for, too: the answer to a key update, or to TLS 1.2's close_notify. */
    private SSLEngineResult unwrapOne(ByteBuffer target) throws SSLException {
        SSLEngineResult result = engine.unwrap(received.bytes(), target);
        release();
        isEnded = result.getStatus() == Status.CLOSED;
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            writer.flush();
        }
        return result;
    }

    /** Unwraps the record that is here into a buffer of its own; false where it is a ticket or an end, without plaintext. */
    private boolean keepRecord() throws SSLException {
        ByteBuffer target = SocketBuffers.take();
        try {
            if (unwrapOne(target).getStatus() == Status.BUFFER_OVERFLOW) {
                throw SocketConnection.error(ErrorCode.RECORD_TOO_LARGE, "");
            }
        } finally {
            if (target.flip().hasRemaining()) {
                plaintext = target;
            } else {
                SocketBuffers.give(target);
            }
        }
        return plaintext != null;
    }

    /** Takes further records that are here to their ends and surely fit, without waiting for any. */
    private void unwrapWhatIsHere(ByteBuffer target) {
        try {
            while (!isEnded && received.hasWholeRecord() && received.recordLength() <= target.remaining()) {
                if (unwrapOne(target).getStatus() != Status.OK) {
                    return;
                }
            }
        } catch (SSLException e) {
            lateFailure = e;
        }
    }

    /** What ended the connection behind the bytes that {@link #read} returned, or null. */
    SSLException lateFailure() {
        return lateFailure;
    }

    /**
     * What the peer has said last, such as the alert that tells why it went, where that has arrived and no data is before it;
     * null otherwise. Waits for nothing and loses nothing.
     */
    SSLException failureThatIsHere() {
        try {
            while (plaintext == null && !isEnded && received.hasArrived()) {
                int before = received.bytes().remaining();
                keepRecord();
                if (received.bytes() != null && received.bytes().remaining() == before) {
                    return null;
                }
            }
        } catch (SSLException e) {
            return e;
        } catch (IOException e) {
            // The connection is gone without a word.
        }
        return null;
    }

    private SSLException truncated() {
        try {
            engine.closeInbound();
        } catch (SSLException e) {
            if (e.getCause() instanceof TlsFailure) {
                return e;
            }
        }
        return SocketConnection.error(ErrorCode.TRUNCATED, "");
    }

    /** Drops what the peer sends before its close_notify, until that comes, the input ends, or the time is up. */
    void skipToClose(long endNanos) throws IOException {
        ByteBuffer sink = SocketBuffers.take();
        try {
            while (!isEnded && System.nanoTime() - endNanos < 0 && received.ready()) {
                if (unwrapOne(sink.clear()).getStatus() == Status.BUFFER_UNDERFLOW && !received.fill()) {
                    return;
                }
            }
        } finally {
            SocketBuffers.give(sink);
        }
    }

    private void release() {
        received.release();
        if (plaintext != null && !plaintext.hasRemaining()) {
            SocketBuffers.give(plaintext);
            plaintext = null;
        }
    }

    /** Gives the buffers back with what is in them. */
    void free() {
        received.free();
        SocketBuffers.give(plaintext);
        plaintext = null;
    }
}
