package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.EngineSettings;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.session.Session;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.List;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * JSSE's engine over one native connection. All state is guarded by one private lock, which is not held while a delegated
 * task runs: until it has ended nobody else touches the native connection.
 */
public final class Engine extends ConfiguredEngine implements Session.ChainSource {
    private final Results wrapped = new Results();
    private final Results unwrapped = new Results();
    /** Holds the one buffer of a call that is given no array. Null while such a call runs, or before the first. */
    private ByteBuffer[] single;
    private NativeEngine connection;
    private HandshakeCallbacks handshake;
    private Session session;
    private Session handshakeSession;
    private Task task;
    private TlsFailure failure;
    private String applicationProtocol;
    private boolean isHandshaking;
    private boolean hasOutgoing;
    private boolean isFinished;
    private boolean isTaskRunning;
    private boolean isFailureThrown;
    private boolean isInboundDone;
    private boolean isOutboundClosed;
    private boolean isOutboundDone;
    private boolean isFreedAfterTask;
    private boolean isSessionHandedOut;
    private boolean isKept;
    private boolean isEndedDuringTask;

    public Engine(ContextState context, String peerHost, int peerPort) {
        this(context, peerHost, peerPort, null);
    }

    public Engine(ContextState context, String peerHost, int peerPort, SSLSocket socket) {
        super(context, peerHost, peerPort, socket);
    }

    /** The session that the handshake is making; made here when first asked for. */
    Session handshakeSession() {
        synchronized (lock) {
            if (handshakeSession == null) {
                handshakeSession = newSession();
            }
            return handshakeSession;
        }
    }

    private Session newSession() {
        boolean isClient = mode == MODE_CLIENT;
        return new Session(this, isClient ? context.clientSessions() : context.serverSessions(),
                parameters.serverName(host), parameters.sessionScope(host, port),
                isClient ? parameters.requestedServerNames(host) : List.of(), host, port);
    }

    /** The certificates as the native side holds them; null while a task runs and after it was freed. */
    @Override
    public byte[][] chain(boolean isPeers) {
        synchronized (lock) {
            if (connection == null || isTaskRunning) {
                return null;
            }
            return isPeers ? connection.peerChain() : connection.localChain();
        }
    }

    /** Frees the native side, at the end of a running task if there is one. What was learned of the session stays. */
    public void freeNow() {
        synchronized (lock) {
            isInboundDone = true;
            isOutboundClosed = true;
            isOutboundDone = true;
            free();
        }
    }

    private void free() {
        if (isTaskRunning) {
            isFreedAfterTask = true;
            return;
        }
        if (connection == null) {
            return;
        }
        keepChains();
        connection.close();
        connection = null;
        task = null;
        hasOutgoing = false;
        handshake = null;
    }

    /** A session outlives its engine. */
    private void keepChains() {
        if (session != null && isFinished && connection != null && !isTaskRunning && !isKept) {
            isKept = true;
            session.keep(connection.peerChain(), connection.localChain());
        }
    }

    private void freeWhenDone() {
        if (isInboundDone && isOutboundDone && !hasOutgoing && (failure == null || isFailureThrown)) {
            free();
        }
    }

    // The handshake.

    @Override
    public void beginHandshake() throws SSLException {
        synchronized (lock) {
            if (isFinished || isOutboundClosed || isInboundDone) {
                throw Failures.exception(TlsFailure.of(ErrorCode.WRONG_STATE, isFinished
                        ? "the handshake is done; renegotiation is not served" : "the engine is closed"), false);
            }
            begin();
        }
    }

    private void begin() throws SSLException {
        if (isStarted) {
            return;
        }
        if (mode == MODE_UNSET) {
            throw new IllegalStateException("the use of client or server mode has not been set");
        }
        boolean isClient = mode == MODE_CLIENT;
        boolean hasSocketSelector = !isClient && socket != null
                && socket.getHandshakeApplicationProtocolSelector() != null;
        EngineSettings settings = parameters.settings(isClient, host, port, hasSocketSelector);
        isStarted = true;
        try {
            connection = isClient ? connect(settings) : context.nativeContext().accept(settings);
        } catch (TlsFailure e) {
            failure = e;
            isFailureThrown = true;
            isInboundDone = true;
            isOutboundDone = true;
            throw Failures.exception(e, true);
        }
        number = connection.id();
        isHandshaking = true;
        update(connection.state());
    }

    private void update(long packed) {
        isHandshaking = NativeEngine.isHandshaking(packed);
        hasOutgoing = NativeEngine.hasOutgoing(packed);
        switch (NativeEngine.status(packed)) {
            case NativeEngine.NEED_TASK:
                if (task == null && (isFinished || !isOutboundClosed)) {
                    task = new Task();
                }
                break;
            case NativeEngine.FAILED:
                fail(connection.failure());
                break;
            default:
                break;
        }
        if (NativeEngine.isPeerClosed(packed) && !isInboundDone) {
            isInboundDone = true;
            answerClose();
        }
    }

    /** TLS 1.2 has no half-closed connections (RFC 5246 section 7.2.1); in TLS 1.3 writing goes on. */
    private void answerClose() {
        if (failure == null && !isOutboundClosed && !isHandshaking
                && "TLSv1.2".equals(connection.facts()[FACT_VERSION])) {
            isOutboundClosed = true;
            hasOutgoing = NativeEngine.hasOutgoing(connection.closeWrite());
        }
    }

    private void fail(TlsFailure why) {
        if (failure != null) {
            return;
        }
        task = null;
        failure = why == null ? TlsFailure.of(ErrorCode.INTERNAL, "the connection failed and gave no reason") : why;
        if (handshake != null) {
            Throwable cause = handshake.cause(failure.code());
            if (cause != null && failure.getCause() == null && cause != failure) {
                failure.initCause(cause);
            }
            handshake.release();
            handshake = null;
        }
        String told = failure.getMessage() + (failure.hint().isEmpty() ? "" : "; " + failure.hint());
        // Fleets of devices drop off the net all the time; that is for the transport to count, not news of TLS.
        if (isFinished && failure.code() == ErrorCode.TRUNCATED) {
            context.log().log(System.Logger.Level.DEBUG, told);
        } else {
            context.logRefusal(told);
        }
    }

    private SSLException thrown() {
        isFailureThrown = true;
        isInboundDone = true;
        isOutboundClosed = true;
        isOutboundDone = !hasOutgoing;
        SSLException made = Failures.exception(failure, !isFinished);
        freeWhenDone();
        return made;
    }

    /** Whether this call ends the handshake; it is said once. */
    private boolean finish() {
        if (isFinished || isHandshaking || hasOutgoing || failure != null || task != null || connection == null
                || isOutboundClosed) {
            return false;
        }
        isFinished = true;
        String[] facts = connection.facts();
        session = handshakeSession();
        handshakeSession = null;
        session.establish(facts[FACT_VERSION], facts[FACT_CIPHER_SUITE], facts[FACT_SERVER_NAME]);
        if (isSessionHandedOut) {
            keepChains();
        }
        applicationProtocol = facts[FACT_PROTOCOL] == null ? "" : facts[FACT_PROTOCOL].intern();
        (mode == MODE_CLIENT ? context.clientSessions() : context.serverSessions()).add(session);
        if (handshake != null) {
            handshake.release();
            handshake = null;
        }
        boolean isResumed = connection.isResumed();
        context.log().log(System.Logger.Level.DEBUG, () -> "handshake completed: " + facts[FACT_VERSION] + ", "
                + facts[FACT_CIPHER_SUITE] + ", group " + facts[FACT_GROUP]
                + (facts[FACT_PROTOCOL] == null ? "" : ", protocol " + facts[FACT_PROTOCOL])
                + (isResumed ? ", resumed" : "") + ", peer " + HandshakeCallbacks.printable(session.peerName()));
        return true;
    }

    @Override
    public Runnable getDelegatedTask() {
        synchronized (lock) {
            if (task == null || task.isGiven) {
                return null;
            }
            task.isGiven = true;
            return task;
        }
    }

    @Override
    public HandshakeStatus getHandshakeStatus() {
        synchronized (lock) {
            return status();
        }
    }

    private HandshakeStatus status() {
        if (!isStarted) {
            return HandshakeStatus.NOT_HANDSHAKING;
        }
        if (isTaskRunning || task != null) {
            return HandshakeStatus.NEED_TASK;
        }
        if (hasOutgoing) {
            return HandshakeStatus.NEED_WRAP;
        }
        if (failure != null) {
            return isFailureThrown ? HandshakeStatus.NOT_HANDSHAKING : HandshakeStatus.NEED_WRAP;
        }
        if (isOutboundClosed) {
            return isInboundDone ? HandshakeStatus.NOT_HANDSHAKING : HandshakeStatus.NEED_UNWRAP;
        }
        if (isHandshaking) {
            return HandshakeStatus.NEED_UNWRAP;
        }
        return isFinished ? HandshakeStatus.NOT_HANDSHAKING : HandshakeStatus.NEED_WRAP;
    }

    /** One native step of the handshake. Run twice, or after the engine was freed, it does nothing. */
    private final class Task implements Runnable {
        private boolean isGiven;
        private boolean isRun;

        @Override
        public void run() {
            NativeEngine running;
            HandshakeCallbacks asked;
            synchronized (lock) {
                if (isRun || task != this || connection == null) {
                    return;
                }
                isRun = true;
                isTaskRunning = true;
                running = connection;
                if (handshake == null) {
                    handshake = new HandshakeCallbacks(Engine.this);
                }
                asked = handshake;
            }
            try {
                ended(running.runTask(asked), null);
            } catch (RuntimeException | Error e) {
                ended(0, e);
                throw e;
            }
        }

        private void ended(long packed, Throwable thrown) {
            synchronized (lock) {
                isTaskRunning = false;
                task = null;
                if (thrown == null) {
                    update(packed);
                } else {
                    fail(TlsFailure.of(ErrorCode.INTERNAL, String.valueOf(thrown)));
                    hasOutgoing = false;
                }
                if (isOutboundClosed && failure == null && connection != null) {
                    hasOutgoing = NativeEngine.hasOutgoing(connection.closeWrite());
                }
                if (isEndedDuringTask && failure == null && connection != null && !isFreedAfterTask) {
                    update(connection.endOfInput());
                }
                if (isFreedAfterTask) {
                    free();
                }
            }
        }
    }

    // Data.

    @Override
    public SSLEngineResult wrap(ByteBuffer source, ByteBuffer destination) throws SSLException {
        synchronized (lock) {
            ByteBuffer[] one = one(source);
            try {
                return wrap(one, 0, 1, destination);
            } finally {
                one[0] = null;
                single = one;
            }
        }
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer destination) throws SSLException {
        synchronized (lock) {
            ByteBuffer[] one = one(destination);
            try {
                return unwrap(source, one, 0, 1);
            } finally {
                one[0] = null;
                single = one;
            }
        }
    }

    private ByteBuffer[] one(ByteBuffer buffer) {
        ByteBuffer[] one = single == null ? new ByteBuffer[1] : single;
        single = null;
        one[0] = buffer;
        return one;
    }

    @Override
    public SSLEngineResult wrap(ByteBuffer[] sources, int offset, int length, ByteBuffer destination)
            throws SSLException {
        Buffers.check(sources, offset, length, "source");
        if (destination == null) {
            throw new IllegalArgumentException("the destination is null");
        }
        if (destination.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        synchronized (lock) {
            if (!isStarted) {
                if (isOutboundClosed) {
                    return nothing(Status.CLOSED);
                }
                begin();
            }
            if (task != null) {
                return nothing(Status.OK);
            }
            if (!hasOutgoing) {
                if (failure != null && !isFailureThrown) {
                    throw thrown();
                }
                if (isOutboundClosed || isOutboundDone) {
                    isOutboundDone = true;
                    freeWhenDone();
                    return nothing(Status.CLOSED);
                }
                if (!isHandshaking && finish()) {
                    return Results.nothing(Status.OK, HandshakeStatus.FINISHED);
                }
                if (isHandshaking || Buffers.remaining(sources, offset, length) == 0) {
                    return nothing(Status.OK);
                }
            }
            return move(sources, offset, length, destination);
        }
    }

    private SSLEngineResult nothing(Status status) {
        return Results.nothing(status, status());
    }

    private SSLEngineResult move(ByteBuffer[] sources, int offset, int length, ByteBuffer destination)
            throws SSLException {
        // Before the end of the handshake is said nothing of the application's goes out.
        int taken = isFinished && !isOutboundClosed ? length : 0;
        long packed = Bridge.ofThread().wrap(connection, sources, offset, taken, destination);
        update(packed);
        if (NativeEngine.status(packed) == NativeEngine.DESTINATION_TOO_SMALL) {
            return nothing(Status.BUFFER_OVERFLOW);
        }
        int produced = NativeEngine.produced(packed);
        if (produced == 0 && failure != null && !isFailureThrown) {
            throw thrown();
        }
        return moved(NativeEngine.consumed(packed), produced, isOutboundClosed && !hasOutgoing);
    }

    private SSLEngineResult moved(int consumed, int produced, boolean isLast) {
        if (isLast) {
            isOutboundDone = true;
            freeWhenDone();
            return wrapped.moved(Status.CLOSED, status(), consumed, produced);
        }
        HandshakeStatus status = finish() ? HandshakeStatus.FINISHED : status();
        return wrapped.moved(Status.OK, status, consumed, produced);
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer[] destinations, int offset, int length)
            throws SSLException {
        if (source == null) {
            throw new IllegalArgumentException("the source is null");
        }
        Buffers.check(destinations, offset, length, "destination");
        for (int i = offset; i < offset + length; i++) {
            if (destinations[i].isReadOnly()) {
                throw new ReadOnlyBufferException();
            }
        }
        synchronized (lock) {
            if (!isStarted) {
                if (isInboundDone) {
                    return nothing(Status.CLOSED);
                }
                begin();
            }
            if (task != null) {
                return nothing(Status.OK);
            }
            if (failure != null && !isFailureThrown && !hasOutgoing) {
                throw thrown();
            }
            if (isInboundDone || connection == null) {
                return nothing(Status.CLOSED);
            }
            if (failure != null || !isFinished && !isOutboundClosed && (hasOutgoing || !isHandshaking)) {
                return nothing(Status.OK);
            }
            return take(source, destinations, offset, length);
        }
    }

    private SSLEngineResult take(ByteBuffer source, ByteBuffer[] destinations, int offset, int length)
            throws SSLException {
        boolean wasHandshaking = isHandshaking;
        long packed = Bridge.ofThread().unwrap(connection, source, destinations, offset, length);
        update(packed);
        int status = NativeEngine.status(packed);
        if (status == NativeEngine.DESTINATION_TOO_SMALL) {
            return nothing(Status.BUFFER_OVERFLOW);
        }
        int consumed = NativeEngine.consumed(packed);
        int produced = NativeEngine.produced(packed);
        if (failure != null && !isFailureThrown) {
            throw thrown();
        }
        if (isInboundDone) {
            freeWhenDone();
            return unwrapped.moved(Status.CLOSED, status(), consumed, produced);
        }
        if (status == NativeEngine.NEED_RECORD && consumed == 0) {
            return nothing(Status.BUFFER_UNDERFLOW);
        }
        HandshakeStatus after = wasHandshaking && finish() ? HandshakeStatus.FINISHED : status();
        return unwrapped.moved(Status.OK, after, consumed, produced);
    }

    // Closing.

    @Override
    public void closeInbound() throws SSLException {
        synchronized (lock) {
            if (isInboundDone) {
                return;
            }
            isInboundDone = true;
            if (!isStarted || connection == null) {
                return;
            }
            if (isTaskRunning) {
                isEndedDuringTask = true;
                return;
            }
            long packed = connection.endOfInput();
            hasOutgoing = NativeEngine.hasOutgoing(packed);
            if (NativeEngine.status(packed) == NativeEngine.FAILED) {
                fail(connection.failure());
                throw thrown();
            }
            freeWhenDone();
        }
    }

    @Override
    public boolean isInboundDone() {
        synchronized (lock) {
            return isInboundDone;
        }
    }

    @Override
    public void closeOutbound() {
        synchronized (lock) {
            if (isOutboundClosed) {
                return;
            }
            isOutboundClosed = true;
            // Nothing can be read any more where a handshake is given up.
            isInboundDone |= !isFinished;
            if (!isStarted) {
                isOutboundDone = true;
            } else if (connection != null && !isTaskRunning && failure == null) {
                if (!isFinished) {
                    task = null;
                }
                hasOutgoing = NativeEngine.hasOutgoing(connection.closeWrite());
            }
        }
    }

    @Override
    public boolean isOutboundDone() {
        synchronized (lock) {
            return isOutboundDone || isOutboundClosed && !hasOutgoing && task == null
                    && (failure == null || isFailureThrown);
        }
    }

    // What was agreed.

    @Override
    public SSLSession getSession() {
        synchronized (lock) {
            if (session == null) {
                session = newSession();
            }
            keepChains();
            return session;
        }
    }

    @Override
    public SSLSession getHandshakeSession() {
        synchronized (lock) {
            if (!isStarted || isFinished || failure != null) {
                return null;
            }
            isSessionHandedOut = true;
            return handshakeSession();
        }
    }

    @Override
    public String getApplicationProtocol() {
        synchronized (lock) {
            return applicationProtocol;
        }
    }

    @Override
    public String getHandshakeApplicationProtocol() {
        synchronized (lock) {
            return isFinished || connection == null || isTaskRunning ? null : connection.facts()[FACT_PROTOCOL];
        }
    }
}
