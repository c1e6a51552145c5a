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
 * Reads the records of one socket. {@link SocketInput} has the ciphertext, and the engine unwraps it into a buffer of
 * the pool, because it may write beyond the plaintext. The caller's array gets the plaintext alone; what does not fit
 * stays here.
 *
 * <p>Callers hold its lock, also while they receive, so that records keep their order.
 */
final class SocketReader {
    static final int CLOSED = -1;
    /** Early data is not supported, so that a handshake produces no plaintext. */
    private static final ByteBuffer NO_PLAINTEXT = ByteBuffer.allocate(0);

    final ReentrantLock lock = new ReentrantLock();

    private final SSLEngine engine;
    private final SocketInput received;
    private final SocketWriter writer;
    /** The plaintext from position to limit, or null. */
    private ByteBuffer plaintext;
    private SSLException lateFailure;
    private volatile boolean isEnded;

    SocketReader(SSLEngine engine, SocketInput received, SocketWriter writer) {
        this.engine = engine;
        this.received = received;
        this.writer = writer;
    }

    /** Returns true after the peer's close_notify. Needs no lock. */
    boolean isEnded() {
        return isEnded;
    }

    /** Waits for a record of the handshake and unwraps it. Returns true if it completes the handshake. */
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

    private SSLException endInHandshake() {
        SSLException reported = endOfInput();
        if (reported != null) {
            return reported;
        }
        TlsFailure cause = TlsFailure.of(ErrorCode.HANDSHAKE_EOF, "");
        SSLException ended = new SSLHandshakeException(cause.getMessage());
        ended.initCause(cause);
        return ended;
    }

    /** Ends the input of the engine, which reports that. Returns its failure; null if it has none. */
    private SSLException endOfInput() {
        try {
            engine.closeInbound();
        } catch (SSLException e) {
            if (e.getCause() instanceof TlsFailure) {
                return e;
            }
        }
        return null;
    }

    /** Returns the number of bytes that can be read without waiting. */
    int available() {
        return plaintext == null ? 0 : plaintext.remaining();
    }

    /** Copies bytes that {@link #available()} counts. Returns their number. */
    int take(byte[] bytes, int offset, int length) {
        int count = Math.min(length, plaintext.remaining());
        plaintext.get(bytes, offset, count);
        release();
        return count;
    }

    /**
     * Waits for at least one byte. Returns {@link #CLOSED} after the peer's close_notify. The caller has taken the
     * available bytes before. A timeout loses no data.
     */
    int read(byte[] bytes, int offset, int length) throws IOException {
        while (!isEnded) {
            if (!received.ready()) {
                throw truncated();
            }
            Status status = keepRecord();
            if (plaintext != null) {
                int count = take(bytes, offset, length);
                return count + takeComplete(bytes, offset + count, length - count);
            }
            if (status == Status.BUFFER_UNDERFLOW && !received.fill()) {
                throw truncated();
            }
        }
        return CLOSED;
    }

    /** Unwraps a record, and sends its answer: that to a key update, or to the close_notify of TLS 1.2. */
    private SSLEngineResult unwrapOne(ByteBuffer target) throws SSLException {
        SSLEngineResult result = engine.unwrap(received.bytes(), target);
        release();
        isEnded = result.getStatus() == Status.CLOSED;
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            writer.flush();
        }
        return result;
    }

    /** Unwraps the current record, and keeps its plaintext. A record such as a ticket has none. */
    private Status keepRecord() throws SSLException {
        ByteBuffer target = SocketBuffers.take();
        try {
            Status status = unwrapOne(target).getStatus();
            if (status == Status.BUFFER_OVERFLOW) {
                throw SocketConnection.error(ErrorCode.RECORD_TOO_LARGE, "");
            }
            return status;
        } finally {
            if (target.flip().hasRemaining()) {
                plaintext = target;
            } else {
                SocketBuffers.give(target);
            }
        }
    }

    /** Takes the plaintext of further complete records that fit, without waiting. Returns its length. */
    private int takeComplete(byte[] bytes, int offset, int length) {
        int count = 0;
        try {
            while (plaintext == null && !isEnded && received.hasWholeRecord()
                    && received.recordLength() <= length - count) {
                Status status = keepRecord();
                count += takeKept(bytes, offset + count, length - count);
                if (status != Status.OK) {
                    return count;
                }
            }
        } catch (SSLException e) {
            lateFailure = e;
            count += takeKept(bytes, offset + count, length - count);
        }
        return count;
    }

    private int takeKept(byte[] bytes, int offset, int length) {
        return plaintext == null ? 0 : take(bytes, offset, length);
    }

    /** Returns the failure that follows the bytes of the last {@link #read}, or null. */
    SSLException lateFailure() {
        return lateFailure;
    }

    /**
     * Returns the failure of a received alert, if no data precedes it, or null. The alert of a peer that has left has
     * the reason. Does not wait, and loses no data.
     */
    SSLException receivedFailure() {
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
            // The peer left without an alert.
        }
        return null;
    }

    private SSLException truncated() {
        SSLException reported = endOfInput();
        return reported == null ? SocketConnection.error(ErrorCode.TRUNCATED, "") : reported;
    }

    /** Drops data until the peer's close_notify, the end of the input, or the end of the time. */
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

    /** Returns the buffers and their content to the pool. */
    void free() {
        received.free();
        SocketBuffers.give(plaintext);
        plaintext = null;
    }
}
