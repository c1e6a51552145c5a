package io.brokertls.jsse;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

/**
 * Moves records between an engine and the streams of a socket.
 *
 * <p>One thread may read and another write at the same time. The read lock is held over receiving and unwrap, the write
 * lock over wrap and sending, so that records keep their order; where both are needed the read lock comes first. Before
 * both comes the lock that others wait for in a handshake: the reader that completed it takes the read lock again at
 * once and may keep it until the peer sends. The engine's own lock is never held during input or output.
 */
final class SocketRecords {
    /** How long closing waits for a peer that takes nothing, where SO_LINGER says nothing else. */
    private static final int CLOSE_TIMEOUT_MS = 1000;
    /** How much of what the peer had still sent is read so that the alert is not taken back by a reset. */
    private static final int DRAIN_BYTES = 256 * 1024;

    /** From {@link #unwrap}: the record's plaintext does not fit. */
    private static final int NO_ROOM = -2;
    private static final int CLOSED = -1;

    private final SSLEngine engine;
    private final Socket transport;
    private final boolean autoClose;
    private final OutputStream output;
    private final ReentrantLock handshakeLock = new ReentrantLock();
    private final ReentrantLock readLock = new ReentrantLock();
    private final ReentrantLock writeLock = new ReentrantLock();

    /** Guarded by the read lock, as are the plaintext and the end. */
    private final SocketInput received;
    /** Plaintext from position to limit, or null. */
    private ByteBuffer plaintext;
    private boolean inputEnded;

    private volatile boolean started;
    private volatile boolean established;
    private volatile boolean closed;
    private volatile boolean flushWanted;
    private volatile IOException failure;

    SocketRecords(SSLEngine engine, Socket transport, InputStream input, boolean autoClose) throws IOException {
        this.engine = engine;
        this.transport = transport;
        this.autoClose = autoClose;
        this.received = new SocketInput(input, autoClose);
        this.output = transport.getOutputStream();
    }

    boolean isEstablished() {
        return established;
    }

    /** Goes on with the handshake to its end; returns whether this call is the one that completed it. */
    boolean handshake() throws IOException {
        if (established && failure == null && !closed) {
            return false;
        }
        handshakeLock.lock();
        try {
            check();
            if (established) {
                return false;
            }
            completeHandshake();
            return true;
        } finally {
            handshakeLock.unlock();
        }
    }

    private void completeHandshake() throws IOException {
        readLock.lock();
        try {
            writeLock.lock();
            try {
                check();
                started = true;
                engine.beginHandshake();
                runHandshake();
                established = true;
            } catch (IOException e) {
                throw failed(e);
            } finally {
                writeLock.unlock();
            }
        } finally {
            release();
            readLock.unlock();
        }
    }

    private void runHandshake() throws IOException {
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_WRAP:
                    if (sendPending()) {
                        return;
                    }
                    break;
                case NEED_TASK:
                    runTasks();
                    break;
                case NEED_UNWRAP:
                case NEED_UNWRAP_AGAIN:
                    if (unwrapHandshake()) {
                        sendPending();
                        return;
                    }
                    break;
                default:
                    return;
            }
        }
    }

    /** Returns whether the handshake is complete. */
    private boolean unwrapHandshake() throws IOException {
        if (plaintext == null) {
            plaintext = SocketBuffers.take();
        }
        ByteBuffer target = plaintext;
        SSLEngineResult result;
        try {
            if (!received.ready()) {
                endOfInput();
            }
            result = engine.unwrap(received.bytes(), target);
        } finally {
            // Early data is not served: nothing is produced before the handshake is complete.
            target.flip();
            release();
        }
        if (result.getStatus() == Status.CLOSED || result.getStatus() == Status.BUFFER_UNDERFLOW && !received.fill()) {
            endOfInput();
        }
        return result.getHandshakeStatus() == HandshakeStatus.FINISHED;
    }

    private void runTasks() {
        Runnable task = engine.getDelegatedTask();
        while (task != null) {
            task.run();
            task = engine.getDelegatedTask();
        }
    }

    /** Reads what is there, at least one byte; -1 after the peer's close_notify. */
    int read(byte[] bytes, int offset, int length) throws IOException {
        readLock.lock();
        try {
            if (plaintext != null) {
                return takePlaintext(bytes, offset, length);
            }
            check();
            if (inputEnded) {
                return CLOSED;
            }
            ByteBuffer target = ByteBuffer.wrap(bytes, offset, length);
            int produced = unwrap(target);
            if (produced == NO_ROOM) {
                return readThroughBuffer(bytes, offset, length);
            }
            if (produced > 0) {
                unwrapMore(target);
                return target.position() - offset;
            }
            return CLOSED;
        } catch (IOException e) {
            throw failed(e);
        } finally {
            release();
            readLock.unlock();
            freeBuffersWhenClosed();
        }
    }

    private int readThroughBuffer(byte[] bytes, int offset, int length) throws IOException {
        ByteBuffer target = SocketBuffers.take();
        int produced;
        try {
            produced = unwrap(target);
        } catch (IOException | RuntimeException e) {
            SocketBuffers.give(target);
            throw e;
        }
        if (produced == NO_ROOM) {
            SocketBuffers.give(target);
            throw error(ErrorCode.RECORD_TOO_LARGE);
        }
        target.flip();
        plaintext = target;
        return produced == CLOSED ? CLOSED : takePlaintext(bytes, offset, length);
    }

    private int takePlaintext(byte[] bytes, int offset, int length) {
        int count = Math.min(length, plaintext.remaining());
        plaintext.get(bytes, offset, count);
        return count;
    }

    /** Takes further records that are here already and surely fit. A failure waits for the next call. */
    private void unwrapMore(ByteBuffer target) {
        try {
            while (received.hasWholeRecord() && received.recordLength() <= target.remaining() && !inputEnded) {
                // Not unwrap(): a record without plaintext, such as a ticket, must not make this wait for the next.
                SSLEngineResult result = engine.unwrap(received.bytes(), target);
                release();
                if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                    runTasks();
                }
                if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                    flush();
                }
                inputEnded = result.getStatus() == Status.CLOSED;
                if (result.getStatus() != Status.OK) {
                    return;
                }
            }
        } catch (IOException e) {
            failed(e);
        }
    }

    /** Plaintext that can be read without waiting. */
    int available() throws IOException {
        if (!readLock.tryLock()) {
            return 0;
        }
        try {
            if (plaintext == null) {
                check();
            }
            return plaintext == null ? 0 : plaintext.remaining();
        } finally {
            readLock.unlock();
        }
    }

    /** Unwraps until there is plaintext, {@link #CLOSED}, or {@link #NO_ROOM}. */
    private int unwrap(ByteBuffer target) throws IOException {
        while (true) {
            if (!received.ready()) {
                endOfInput();
            }
            SSLEngineResult result = engine.unwrap(received.bytes(), target);
            release();
            switch (result.getStatus()) {
                case BUFFER_OVERFLOW:
                    return NO_ROOM;
                case CLOSED:
                    inputEnded = true;
                    answerClose();
                    return CLOSED;
                case BUFFER_UNDERFLOW:
                    if (!received.fill()) {
                        endOfInput();
                    }
                    break;
                default:
                    if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                        runTasks();
                    }
                    if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                        flush();
                    }
                    if (result.bytesProduced() > 0) {
                        return result.bytesProduced();
                    }
            }
        }
    }

    /** TLS 1.2 answers close_notify; a peer that has gone already does not turn the end into a failure. */
    private void answerClose() {
        try {
            flush();
        } catch (IOException e) {
            closeQuietly();
        }
    }

    private void endOfInput() throws IOException {
        if (!established) {
            TlsFailure eof = TlsFailure.of(ErrorCode.HANDSHAKE_EOF, "");
            SSLException ended = new SSLHandshakeException(eof.getMessage());
            ended.initCause(eof);
            throw ended;
        }
        try {
            engine.closeInbound();
        } catch (SSLException e) {
            if (e.getCause() instanceof TlsFailure) {
                throw e;
            }
        }
        throw error(ErrorCode.TRUNCATED);
    }

    static SSLException error(ErrorCode code) {
        TlsFailure cause = TlsFailure.of(code, "");
        return new SSLException(cause.getMessage(), cause);
    }

    /** Sends all of it, several records with one call of the socket. */
    void write(byte[] bytes, int offset, int length) throws IOException {
        ByteBuffer source = ByteBuffer.wrap(bytes, offset, length);
        writeLock.lock();
        try {
            check();
            ByteBuffer packet = SocketBuffers.take();
            try {
                int recordRoom = engine.getSession().getPacketBufferSize();
                while (source.hasRemaining()) {
                    SSLEngineResult result = engine.wrap(source, packet);
                    if (result.getStatus() == Status.CLOSED) {
                        send(packet);
                        throw new SocketException("Socket output is shutdown");
                    }
                    if (result.bytesProduced() == 0 && packet.position() == 0) {
                        throw error(ErrorCode.INTERNAL);
                    }
                    if (packet.remaining() < recordRoom || result.getStatus() == Status.BUFFER_OVERFLOW) {
                        send(packet);
                    }
                }
                send(packet);
            } finally {
                SocketBuffers.give(packet);
            }
        } catch (IOException e) {
            throw failed(e);
        } finally {
            writeLock.unlock();
            freeBuffersWhenClosed();
        }
        flushWhileWanted();
    }

    private void send(ByteBuffer packet) throws IOException {
        if (packet.position() > 0) {
            output.write(packet.array(), 0, packet.position());
            packet.clear();
        }
    }

    /** Sends what the engine has to say by itself; returns whether that completed the handshake. */
    private boolean sendPending() throws IOException {
        boolean finished = false;
        ByteBuffer packet = SocketBuffers.take();
        try {
            ByteBuffer nothing = ByteBuffer.allocate(0);
            while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                SSLEngineResult result = engine.wrap(nothing, packet);
                if (result.getStatus() == Status.BUFFER_OVERFLOW) {
                    send(packet);
                }
                finished |= result.getHandshakeStatus() == HandshakeStatus.FINISHED;
                if (result.getStatus() == Status.CLOSED) {
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
        return finished;
    }

    /** A reader's answers, alerts and key updates: sent here, or by the writer that is at it when it is done. */
    private void flush() throws IOException {
        flushWanted = true;
        flushWhileWanted();
    }

    private void flushWhileWanted() throws IOException {
        while (flushWanted && writeLock.tryLock()) {
            try {
                flushWanted = false;
                if (!closed) {
                    sendPending();
                }
            } finally {
                writeLock.unlock();
            }
        }
    }

    /** Sends close_notify; reading goes on. */
    void closeOutput() throws IOException {
        writeLock.lock();
        try {
            check();
            engine.closeOutbound();
            sendPending();
        } catch (IOException e) {
            throw failed(e);
        } finally {
            writeLock.unlock();
        }
    }

    private void check() throws IOException {
        if (closed) {
            throw new SocketException("Socket is closed");
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Keeps what ended the connection, tells the peer, and closes. A timeout ends nothing: the call can be repeated. */
    private IOException failed(IOException e) {
        if (e instanceof InterruptedIOException || failure != null || closed) {
            return closed && failure == null && !(e instanceof SSLException)
                    ? new SocketException("Socket closed") : e;
        }
        failure = e;
        if (e instanceof SSLException) {
            farewell(CLOSE_TIMEOUT_MS, this::sendAlert);
        }
        try {
            transport.close();
        } catch (IOException suppressed) {
            e.addSuppressed(suppressed);
        }
        return e;
    }

    /** Ends the output behind the alert, and reads what is under way, as closing over unread bytes resets. */
    private void sendAlert() throws IOException {
        try {
            sendPending();
        } catch (SSLException repeated) {
            // The engine reports its failure again once the alert is out.
        }
        transport.shutdownOutput();
        if (readLock.tryLock()) {
            try {
                byte[] sink = new byte[2048];
                int left = DRAIN_BYTES;
                int count = 0;
                while (left > 0 && count >= 0) {
                    count = transport.getInputStream().read(sink);
                    left -= count;
                }
            } finally {
                readLock.unlock();
            }
        }
    }

    /**
     * Says the last words with the write lock, and stops after a time: a socket's write has no timeout, so that closing
     * the socket, by the JDK's own timer, is what ends it.
     */
    private void farewell(int timeoutMs, Words words) {
        CompletableFuture<Void> said = new CompletableFuture<>();
        try {
            if (!writeLock.tryLock(timeoutMs, TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        try {
            said.orTimeout(Math.max(timeoutMs, 1), TimeUnit.MILLISECONDS).whenComplete((nothing, late) -> {
                if (late != null) {
                    closeQuietly();
                }
            });
            words.say();
        } catch (IOException e) {
            // The peer is gone, or did not take it in time: there is nobody to tell.
        } finally {
            said.complete(null);
            writeLock.unlock();
        }
    }

    private void closeQuietly() {
        try {
            transport.close();
        } catch (IOException e) {
            // It cannot be used any more either way.
        }
    }

    /** Sends close_notify where the peer takes it in time, and closes; returns whether this call is the first. */
    boolean close() throws IOException {
        synchronized (this) {
            if (closed) {
                return false;
            }
            closed = true;
        }
        try {
            if (started && failure == null && !transport.isClosed()) {
                int lingerS = transport.getSoLinger();
                int timeoutMs = lingerS < 0 ? CLOSE_TIMEOUT_MS : (int) Math.min(lingerS * 1000L, Integer.MAX_VALUE);
                boolean inHandshake = !established && readLock.isLocked();
                farewell(inHandshake ? 0 : timeoutMs, this::sayGoodbye);
                if (!autoClose && established) {
                    awaitCloseNotify();
                }
            }
        } finally {
            if (autoClose || failure != null) {
                transport.close();
            }
            freeBuffersWhenClosed();
        }
        return true;
    }

    private void sayGoodbye() throws IOException {
        engine.closeOutbound();
        sendPending();
    }

    /** The socket below goes on to be used: the peer's close_notify is read off it, where it comes in time. */
    private void awaitCloseNotify() throws IOException {
        if (!readLock.tryLock()) {
            return;
        }
        int timeoutMs = transport.getSoTimeout();
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_TIMEOUT_MS);
        ByteBuffer sink = SocketBuffers.take();
        try {
            transport.setSoTimeout(CLOSE_TIMEOUT_MS);
            while (!inputEnded && System.nanoTime() - end < 0 && received.ready()) {
                SSLEngineResult result = engine.unwrap(received.bytes(), sink.clear());
                release();
                inputEnded = result.getStatus() == Status.CLOSED;
                if (result.getStatus() == Status.BUFFER_UNDERFLOW && !received.fill()) {
                    return;
                }
            }
        } catch (InterruptedIOException late) {
            // The peer keeps its side open; whoever goes on with the socket will meet it.
        } finally {
            transport.setSoTimeout(timeoutMs);
            SocketBuffers.give(sink);
            readLock.unlock();
        }
    }

    /** Whether nobody is in a call any more after {@link #close()}, so that the engine can be freed. */
    boolean isIdle() {
        return closed && !readLock.isLocked() && !writeLock.isLocked();
    }

    /** Gives empty buffers back; the read lock is held. */
    private void release() {
        received.release();
        if (plaintext != null && !plaintext.hasRemaining()) {
            SocketBuffers.give(plaintext);
            plaintext = null;
        }
    }

    private void freeBuffersWhenClosed() {
        if (closed && readLock.tryLock()) {
            try {
                received.free();
                SocketBuffers.give(plaintext);
                plaintext = null;
            } finally {
                readLock.unlock();
            }
        }
    }

    /** What is said last. */
    private interface Words {
        void say() throws IOException;
    }
}
