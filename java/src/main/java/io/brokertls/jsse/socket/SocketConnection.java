package io.brokertls.jsse.socket;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * The life of a socket's connection: handshake, reading and writing at the same time, failure and close.
 *
 * <p>Locks are taken in this order: the handshake's, which others wait for while one thread is at it; the reader's; the
 * writer's. A thread that completed a handshake keeps the reader's lock until the peer sends something, so whoever waits
 * for the handshake alone must not wait for that one. The engine's own lock is never held during input or output.
 */
final class SocketConnection {
    /** How long closing waits for a peer that takes nothing, where SO_LINGER says nothing else. */
    private static final int CLOSE_TIMEOUT_MS = 1000;
    /** How much of what the peer had still sent is dropped, as closing over unread bytes resets the connection. */
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

    /** {@code consumed} is what was read of the transport before, or null. */
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

    /** Whether the caller is what the handshake asks, such as a trust manager: for it there is nothing to wait for. */
    boolean isInHandshake() {
        return handshakeLock.isHeldByCurrentThread();
    }

    /** Goes on with the handshake to its end; returns whether this call is the one that completed it. */
    boolean handshake() throws IOException {
        if (phase.isHandshakeOver()) {
            return false;
        }
        if (isInHandshake()) {
            throw error(ErrorCode.WRONG_STATE, "the handshake that asks cannot wait for itself; "
                    + "getHandshakeSession() has what is known of it");
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
            SSLException reason = e == writer.failure() ? reasonThatIsHere() : null;
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

    // Data, when the handshake is done.

    /** Reads what is there, at least one byte; -1 after the peer's close_notify. */
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

    /** Plaintext that can be read without waiting. */
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

    /** Whether the peer's close_notify has been read, or was never to come. */
    boolean isInputEnded() {
        return reader.isEnded() || phase == Phase.NEW || failure != null;
    }

    /** Sends all of it, several records with one call of the socket. */
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

    /** Sends close_notify, after the handshake if there is one under way; reading goes on. */
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

    /** Throws what ended the connection, if something did. */
    void check() throws IOException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** An output that fails ends no reading: what the peer said before it went can be of interest. */
    private IOException failedToWrite(IOException e) {
        if (isClosed() || failure != null || e instanceof SSLException) {
            return failed(e);
        }
        SSLException reason = reasonThatIsHere();
        return reason == null ? e : failed(reason);
    }

    /** A peer that refuses says why and goes: a writer that nobody reads for would learn only that it is gone. */
    private SSLException reasonThatIsHere() {
        if (!reader.lock.tryLock()) {
            return null;
        }
        try {
            return reader.failureThatIsHere();
        } finally {
            reader.lock.unlock();
        }
    }

    /** Keeps what ended the connection, tells the peer, and closes. A timeout of input ends nothing: it can be repeated. */
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
            farewell(CLOSE_TIMEOUT_MS, CLOSE_TIMEOUT_MS, this::sayAlert);
        }
        if (autoClose) {
            closeTransport();
        }
        return e;
    }

    private void sayAlert() throws IOException {
        try {
            writer.sendPending();
        } catch (SSLException repeated) {
            // The engine reports its failure again once the alert is out.
        }
        if (autoClose) {
            transport.shutdownOutput();
            dropInput(() -> received.drainToEnd(DRAIN_BYTES));
        }
    }

    private void dropInput(Words drain) throws IOException {
        if (reader.lock.tryLock()) {
            try {
                drain.say();
            } finally {
                reader.lock.unlock();
            }
        }
    }

    /**
     * Says the last words with the writer's lock, and stops after a time: a socket's write has no timeout, so that closing
     * the socket, by the JDK's own timer, is what ends it.
     */
    private void farewell(int lockTimeoutMs, int timeoutMs, Words words) {
        if (!lockWriter(lockTimeoutMs)) {
            return;
        }
        CompletableFuture<Void> said = new CompletableFuture<>();
        try {
            said.orTimeout(Math.max(timeoutMs, 1), TimeUnit.MILLISECONDS).whenComplete((nothing, late) -> {
                if (late != null) {
                    abort();
                }
            });
            words.say();
        } catch (IOException e) {
            // The peer is gone, or did not take it in time: there is nobody to tell.
        } finally {
            said.complete(null);
            writer.lock.unlock();
        }
    }

    /** A thread that was interrupted says its words too, where it need not wait. */
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

    /** On the thread of the timer, which all of the process shares and nothing may hold up. */
    private void abort() {
        try {
            if (transport.getSoLinger() > 0) {
                transport.setSoLinger(true, 0);
            }
        } catch (SocketException e) {
            // It is closed already.
        }
        closeTransport();
    }

    private void closeTransport() {
        try {
            transport.close();
        } catch (IOException e) {
            // It cannot be used any more either way.
        }
    }

    // Closing.

    /** Sends close_notify where the peer takes it in time, and closes; returns whether this call is the first. */
    boolean close() throws IOException {
        Phase before = advance(Phase.CLOSED);
        if (before == Phase.CLOSED) {
            return false;
        }
        try {
            if (before != Phase.NEW && failure == null && !transport.isClosed()) {
                int timeoutMs = goodbyeTimeoutMs();
                boolean isEstablished = before == Phase.ESTABLISHED;
                // A thread in the handshake holds the lock until the peer answers.
                farewell(isEstablished ? timeoutMs : 0, timeoutMs, this::sayGoodbye);
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

    private int goodbyeTimeoutMs() {
        try {
            int lingerS = transport.getSoLinger();
            return lingerS < 0 ? CLOSE_TIMEOUT_MS : (int) Math.min(lingerS * 1000L, Integer.MAX_VALUE);
        } catch (SocketException e) {
            // Closed by somebody else.
            return 0;
        }
    }

    private void sayGoodbye() throws IOException {
        writer.close();
        if (autoClose) {
            dropInput(() -> received.drain(DRAIN_BYTES));
        }
    }

    /** The socket below goes on to be used: the peer's close_notify is read off it, where it comes in time. */
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
            // The peer keeps its side open, or is gone; whoever goes on with the socket will meet it.
        } finally {
            reader.lock.unlock();
        }
    }

    /** Done by whoever is the last to have the reader's lock: it finds the socket closed, or the lock free. */
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
    private interface Words {
        void say() throws IOException;
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
