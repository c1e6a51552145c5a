package io.brokertls.jsse.socket;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * The connection of one socket: its handshake, simultaneous reads and writes, failure and close.
 *
 * <p>Locks are taken in this order: that of the handshake, of the reader, of the writer. A reader can hold its lock
 * until the peer sends data, so a thread that needs only the handshake must not wait for that lock. The lock of the
 * engine is never held during input or output.
 */
final class SocketConnection {
    /** The time that closing waits for a peer that does not read, if SO_LINGER is off. */
    private static final int CLOSE_TIMEOUT_MS = 1000;
    /** The number of received bytes to drop before closing, because closing with unread bytes resets the connection. */
    private static final int DRAIN_BYTES = 256 * 1024;

    private final SSLEngine engine;
    private final Socket transport;
    private final SocketDelay delay;
    private final boolean autoClose;
    private final SocketInput received;
    private final SocketReader reader;
    private final SocketWriter writer;
    private final ReentrantLock handshakeLock = new ReentrantLock();

    private volatile Phase phase = Phase.NEW;
    /** close_notify follows the handshake that is pending. */
    private volatile boolean isOutputClosing;
    private volatile IOException failure;

    /** Makes a connection. {@code consumed} has bytes that were read from the transport before, or is null. */
    SocketConnection(SSLEngine engine, Socket transport, SocketDelay delay, InputStream consumed, boolean autoClose)
            throws IOException {
        this.engine = engine;
        this.transport = transport;
        this.delay = delay;
        this.autoClose = autoClose;
        this.received = new SocketInput(transport.getInputStream(), consumed, autoClose);
        this.writer = new SocketWriter(engine, transport.getOutputStream());
        this.reader = new SocketReader(engine, received, writer);
    }

    static SSLException error(ErrorCode code, String detail) {
        TlsFailure cause = TlsFailure.of(code, detail);
        return new SSLException(cause.getMessage(), cause);
    }

    // The handshake.

    boolean isEstablished() {
        return phase == Phase.ESTABLISHED;
    }

    /** Moves to a later phase, and returns the one before. A closed connection stays closed. */
    private synchronized Phase advance(Phase next) {
        Phase before = phase;
        if (next.compareTo(before) > 0) {
            phase = next;
        }
        return before;
    }

    /** Returns true for a callback of the handshake, such as a trust manager. It cannot wait for the handshake. */
    boolean isInHandshake() {
        return handshakeLock.isHeldByCurrentThread();
    }

    /** Completes the handshake. Returns true if this call completed it. */
    boolean handshake() throws IOException {
        if (phase.isHandshakeOver()) {
            return false;
        }
        if (isInHandshake()) {
            throw error(ErrorCode.WRONG_STATE, "a callback of the handshake cannot wait for the handshake; "
                    + "call getHandshakeSession() for its facts");
        }
        handshakeLock.lock();
        try {
            if (phase.isHandshakeOver()) {
                return false;
            }
            completeHandshake();
            return true;
        } finally {
            handshakeLock.unlock();
            freeBuffersWhenClosed();
        }
    }

    private void completeHandshake() throws IOException {
        reader.lock.lock();
        writer.lock.lock();
        try {
            check();
            if (advance(Phase.HANDSHAKING) == Phase.NEW) {
                delay.lift();
            }
            engine.beginHandshake();
            runHandshake();
            advance(Phase.ESTABLISHED);
            if (isOutputClosing) {
                writer.close();
            }
        } catch (IOException e) {
            SSLException reason = e == writer.failure() ? receivedReason() : null;
            throw failed(reason == null ? e : reason);
        } catch (RuntimeException | Error e) {
            failed(error(ErrorCode.INTERNAL, e.toString()));
            throw e;
        } finally {
            writer.lock.unlock();
            reader.lock.unlock();
        }
    }

    private void runHandshake() throws IOException {
        boolean isFinished = false;
        while (!isFinished) {
            switch (engine.getHandshakeStatus()) {
                case NEED_WRAP:
                    isFinished = writer.sendPending();
                    break;
                case NEED_TASK:
                    runTasks();
                    break;
                case NEED_UNWRAP:
                case NEED_UNWRAP_AGAIN:
                    isFinished = reader.unwrapHandshake();
                    break;
                default:
                    check();
                    throw error(ErrorCode.INTERNAL, "the handshake stopped without an end");
            }
        }
        writer.sendPending();
    }

    private void runTasks() {
        Runnable task = engine.getDelegatedTask();
        while (task != null) {
            task.run();
            task = engine.getDelegatedTask();
        }
    }

    // Data, after the handshake.

    /** Waits for at least one byte and reads. Returns -1 after the peer's close_notify. */
    int read(byte[] bytes, int offset, int length) throws IOException {
        reader.lock.lock();
        try {
            if (!isClosed() && reader.available() > 0) {
                return reader.take(bytes, offset, length);
            }
            check();
            int count = reader.read(bytes, offset, length);
            if (reader.lateFailure() != null) {
                failed(reader.lateFailure());
            }
            return count;
        } catch (IOException e) {
            throw failed(e);
        } finally {
            reader.lock.unlock();
            freeBuffersWhenClosed();
        }
    }

    /** Returns the number of bytes that can be read without waiting. */
    int available() {
        if (!reader.lock.tryLock()) {
            return 0;
        }
        try {
            return isClosed() ? 0 : reader.available();
        } finally {
            reader.lock.unlock();
            freeBuffersWhenClosed();
        }
    }

    /** Returns true if the peer's close_notify was read, or cannot arrive. */
    boolean isInputEnded() {
        return reader.isEnded() || phase == Phase.NEW || failure != null;
    }

    /** Sends all bytes, several records with one system call. */
    void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            writer.lock.lock();
            try {
                check();
                writer.write(bytes, offset, length);
                delay.restore();
            } finally {
                writer.lock.unlock();
            }
            writer.flushWhileWanted();
        } catch (IOException e) {
            throw failedToWrite(e);
        }
    }

    /** Sends close_notify, after a pending handshake. Reading continues. */
    void closeOutput() throws IOException {
        isOutputClosing = true;
        if (!isEstablished()) {
            return;
        }
        writer.lock.lock();
        try {
            check();
            writer.close();
        } catch (IOException e) {
            throw failedToWrite(e);
        } finally {
            writer.lock.unlock();
        }
    }

    // Failure.

    /** Throws the failure that ended the connection, if there is one. */
    void check() throws IOException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Handles a failed write. Reading continues, because data of the peer can have arrived before. */
    private IOException failedToWrite(IOException e) {
        if (isClosed() || failure != null || e instanceof SSLException) {
            return failed(e);
        }
        SSLException reason = receivedReason();
        return reason == null ? e : failed(reason);
    }

    /** Returns the failure of a received alert, or null. A peer that refuses sends the reason, and then leaves. */
    private SSLException receivedReason() {
        if (!reader.lock.tryLock()) {
            return null;
        }
        try {
            return reader.receivedFailure();
        } finally {
            reader.lock.unlock();
        }
    }

    /** Keeps a failure, sends its alert, and closes. After a timeout the read can be repeated, and nothing ends. */
    private IOException failed(IOException e) {
        if (isClosed()) {
            SocketException ended = new SocketException("Socket closed");
            ended.initCause(e);
            return ended;
        }
        if (e instanceof InterruptedIOException && e != writer.failure()) {
            return e;
        }
        synchronized (this) {
            if (failure != null) {
                return failure;
            }
            failure = e;
        }
        if (e instanceof SSLException) {
            sendLast(CLOSE_TIMEOUT_MS, CLOSE_TIMEOUT_MS, this::sendAlert);
        }
        if (autoClose) {
            closeTransport();
        }
        return e;
    }

    private void sendAlert() throws IOException {
        try {
            writer.sendPending();
        } catch (SSLException repeated) {
            // The engine throws its failure again when the alert is sent.
        }
        if (autoClose) {
            transport.shutdownOutput();
            dropInput(() -> received.drainToEnd(DRAIN_BYTES));
        }
    }

    private void dropInput(Output drain) throws IOException {
        if (reader.lock.tryLock()) {
            try {
                drain.send();
            } finally {
                reader.lock.unlock();
            }
        }
    }

    /**
     * Sends the last records with the writer's lock, within a time. A write to a socket has no timeout, so a timer
     * closes the socket.
     */
    private void sendLast(int lockTimeoutMs, int timeoutMs, Output output) {
        if (!lockWriter(lockTimeoutMs)) {
            return;
        }
        Future<?> late = SocketTimer.after(Math.max(timeoutMs, 1), this::abort);
        try {
            output.send();
        } catch (IOException e) {
            // The peer has left, or did not read in time.
        } finally {
            late.cancel(false);
            writer.lock.unlock();
        }
    }

    /** Takes the writer's lock. An interrupted thread takes it only without waiting. */
    private boolean lockWriter(int timeoutMs) {
        if (writer.lock.tryLock()) {
            return true;
        }
        try {
            return writer.lock.tryLock(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Closes the transport without waiting. Called on the thread of the timer of all sockets. */
    private void abort() {
        try {
            if (transport.getSoLinger() > 0) {
                transport.setSoLinger(true, 0);
            }
        } catch (SocketException e) {
            // It is closed.
        }
        closeTransport();
    }

    private void closeTransport() {
        try {
            transport.close();
        } catch (IOException e) {
            // It is unusable in any case.
        }
    }

    // Closing.

    /** Sends close_notify if the peer reads in time, and closes. Returns true at the first call. */
    boolean close() throws IOException {
        Phase before = advance(Phase.CLOSED);
        if (before == Phase.CLOSED) {
            return false;
        }
        try {
            if (before != Phase.NEW && failure == null && !transport.isClosed()) {
                int timeoutMs = closeTimeoutMs();
                boolean isEstablished = before == Phase.ESTABLISHED;
                // A thread in the handshake holds the lock until the peer answers.
                sendLast(isEstablished ? timeoutMs : 0, timeoutMs, this::sendCloseNotify);
                if (!autoClose && isEstablished) {
                    awaitCloseNotify();
                }
            }
        } finally {
            if (autoClose) {
                transport.close();
            } else {
                delay.restore();
            }
            freeBuffersWhenClosed();
        }
        return true;
    }

    private int closeTimeoutMs() {
        try {
            int lingerS = transport.getSoLinger();
            return lingerS < 0 ? CLOSE_TIMEOUT_MS : (int) Math.min(lingerS * 1000L, Integer.MAX_VALUE);
        } catch (SocketException e) {
            // The transport is closed.
            return 0;
        }
    }

    private void sendCloseNotify() throws IOException {
        writer.close();
        if (autoClose) {
            dropInput(() -> received.drain(DRAIN_BYTES));
        }
    }

    /** Reads the peer's close_notify, if it arrives in time, because the application continues to use the transport. */
    private void awaitCloseNotify() {
        if (!reader.lock.tryLock()) {
            return;
        }
        try {
            int timeoutMs = transport.getSoTimeout();
            transport.setSoTimeout(CLOSE_TIMEOUT_MS);
            try {
                reader.skipToClose(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_TIMEOUT_MS));
            } finally {
                transport.setSoTimeout(timeoutMs);
            }
        } catch (IOException e) {
            // The peer keeps its side open, or has left. The next user of the transport finds out.
        } finally {
            reader.lock.unlock();
        }
    }

    /** Frees the buffers of a closed connection. The last holder of the reader's lock does it. */
    private void freeBuffersWhenClosed() {
        if (isClosed() && reader.lock.tryLock()) {
            try {
                reader.free();
            } finally {
                reader.lock.unlock();
            }
        }
    }

    private boolean isClosed() {
        return phase == Phase.CLOSED;
    }

    /** Output that is sent before the connection ends. */
    private interface Output {
        void send() throws IOException;
    }

    /**
     * The phase of a connection; it never goes back.
     *
     * <pre>
     *   NEW ──► HANDSHAKING ──► ESTABLISHED
     *    │           │               │
     *    └───────────┴───► CLOSED ◄──┘
     * </pre>
     */
    private enum Phase {
        NEW, HANDSHAKING, ESTABLISHED, CLOSED;

        boolean isHandshakeOver() {
            return this == ESTABLISHED || this == CLOSED;
        }
    }
}
