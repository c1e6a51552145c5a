package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.EngineSettings;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.engine.EngineState.Event;
import io.brokertls.jsse.session.Session;
import java.nio.ByteBuffer;
import java.security.Principal;
import java.util.List;
import java.util.function.Function;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * A JSSE engine over one native connection. {@link EngineState} has the picture of its states.
 *
 * <p>One private lock guards everything. It is not held while a delegated task runs. Until the task has ended, no other
 * thread touches the native connection.
 */
public final class Engine extends ConfiguredEngine implements Session.ChainSource {
    /** The packed state of a connection that is not there: no handshake, no pending records. */
    private static final long NO_CONNECTION = 0;

    private final Results wrapped = new Results();
    private final Results unwrapped = new Results();
    private EngineState state = EngineState.NEW;
    /** Null before the handshake and after the engine was freed. */
    private NativeEngine connection;
    /** The packed state after the last native call. */
    private long last = NO_CONNECTION;
    private HandshakeCallbacks callbacks;
    private Session session;
    private Session handshakeSession;
    /** The task that must end before anything else happens, or null. */
    private HandshakeTask task;
    /** The failure that ended the connection, or null. The next call throws it, and its alert is wrapped after that. */
    private TlsFailure failure;
    private String applicationProtocol;

    /** Makes an engine for a caller that moves the records itself. */
    public Engine(ContextState context, String peerHost, int peerPort) {
        this(context, peerHost, peerPort, null);
    }

    /** Makes the engine of a socket, which key and trust managers get in place of the engine. */
    public Engine(ContextState context, String peerHost, int peerPort, SSLSocket socket) {
        super(context, peerHost, peerPort, socket);
    }

    private void move(Event event) {
        state = state.after(event);
    }

    @Override
    boolean isBegun() {
        return record.id() != 0 || state == EngineState.FAILED;
    }

    private boolean isHandshaking() {
        return NativeEngine.isHandshaking(last);
    }

    private boolean hasOutgoing() {
        return NativeEngine.hasOutgoing(last);
    }

    private boolean isTaskRunning() {
        return task != null && task.isRunning();
    }

    private boolean isFailurePending() {
        return failure != null && state != EngineState.FAILED;
    }

    /** Returns the session of the handshake, and makes it at the first call. */
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
        return parameters.described(new Session(this, record,
                isClient ? context.clientSessions() : context.serverSessions(), parameters.serverName(host),
                parameters.sessionScope(host, port),
                isClient ? parameters.requestedServerNames(host) : List.of(), host, port));
    }

    @Override
    public <T> T ask(Function<NativeEngine, T> question) {
        synchronized (lock) {
            return connection == null || isTaskRunning() ? null : question.apply(connection);
        }
    }

    /** Frees the native connection, at the end of a running task if there is one. The facts of the session stay. */
    public void freeNow() {
        synchronized (lock) {
            move(Event.FREE);
            free();
        }
    }

    private void free() {
        if (isTaskRunning()) {
            task.freeAfterwards();
            return;
        }
        if (connection == null) {
            return;
        }
        keepChains();
        connection.close();
        connection = null;
        last = NO_CONNECTION;
        task = null;
        callbacks = null;
    }

    /** Copies the certificates into the session, which outlives its engine. */
    private void keepChains() {
        if (session != null && connection != null && !isTaskRunning() && session.lacksChains()) {
            session.keep(connection.chains());
        }
    }

    private void freeWhenDone() {
        if (state.isInputClosed() && isOutputDone()) {
            free();
        }
    }

    private boolean isOutputDone() {
        return state.isOutputClosed() && !hasOutgoing() && task == null && !isFailurePending();
    }

    // The handshake.

    @Override
    public void beginHandshake() throws SSLException {
        synchronized (lock) {
            if (isFailurePending()) {
                throw thrown();
            }
            if (state == EngineState.NEW) {
                begin();
            } else if (!state.isInHandshake()) {
                throw Failures.exception(TlsFailure.of(ErrorCode.WRONG_STATE, state.isComplete()
                        ? "the handshake is complete; renegotiation is not supported" : "the engine is closed"), false);
            }
        }
    }

    private void begin() throws SSLException {
        if (mode == MODE_UNSET) {
            throw new IllegalStateException("the use of client or server mode has not been set");
        }
        EngineSettings settings = settings();
        move(Event.BEGIN);
        context.reports().begin(this);
        try {
            connection = open(settings);
        } catch (TlsFailure e) {
            failure = e;
            record.fail(e);
            throw thrown();
        }
        record.begin(connection.id());
        update(connection.state());
    }

    private void update(long packed) {
        last = packed;
        int status = NativeEngine.status(packed);
        if (status == NativeEngine.FAILED) {
            fail(connection.failure());
        } else if (status == NativeEngine.NEED_TASK && task == null && state != EngineState.ABANDONED) {
            task = new HandshakeTask(this);
        }
        if (state == EngineState.HANDSHAKING && !isHandshaking() && failure == null && task == null) {
            complete();
        }
        if (NativeEngine.isPeerClosed(packed) && !state.isInputClosed()) {
            move(Event.CLOSE_INPUT);
            answerClose();
        }
    }

    /** TLS up to 1.2 has no half-closed connections (RFC 5246 section 7.2.1). In TLS 1.3 writing continues. */
    private void answerClose() {
        if (failure == null && !state.isOutputClosed() && state.isComplete()
                && !"TLSv1.3".equals(connection.facts()[FACT_VERSION])) {
            move(Event.CLOSE_OUTPUT);
            last = connection.closeWrite();
        }
    }

    private void fail(TlsFailure reason) {
        if (failure != null) {
            return;
        }
        task = null;
        failure = reason == null
                ? TlsFailure.of(ErrorCode.INTERNAL, "the connection failed and gave no reason") : reason;
        Principal judged = null;
        if (callbacks != null) {
            judged = callbacks.judged();
            Throwable cause = callbacks.cause(failure.code());
            if (cause != null && failure.getCause() == null && cause != failure) {
                failure.initCause(cause);
            }
            releaseCallbacks();
        }
        report(failure, judged);
    }

    private void report(TlsFailure reason, Principal peer) {
        record.fail(reason);
        context.reports().failed(this, reason, peer, state.isComplete());
    }

    private void releaseCallbacks() {
        if (callbacks != null) {
            callbacks.release();
            callbacks = null;
        }
    }

    private SSLException thrown() {
        SSLException made = Failures.exception(failure, !state.isComplete());
        move(Event.THROW);
        freeWhenDone();
        return made;
    }

    /** Sets the facts of a complete handshake. FINISHED is reported when the last of its records has been wrapped. */
    private void complete() {
        move(Event.COMPLETE);
        String[] facts = connection.facts();
        session = handshakeSession();
        handshakeSession = null;
        session.establish(facts[FACT_VERSION], SuiteNames.ofJava(facts[FACT_CIPHER_SUITE]), facts[FACT_SERVER_NAME]);
        if (session.isHandedOut()) {
            keepChains();
        }
        boolean isResumed = connection.isResumed();
        record.complete(facts[FACT_GROUP], isResumed, connection.deviations());
        applicationProtocol = facts[FACT_PROTOCOL] == null ? "" : facts[FACT_PROTOCOL].intern();
        session.join(connection.sessionOrigin(), isResumed);
        releaseCallbacks();
        context.reports().complete(this, facts, isResumed, session);
    }

    /** Returns true if this call ends the handshake, which is reported once. */
    private boolean finish() {
        if (!state.isFinishing() || hasOutgoing() || failure != null) {
            return false;
        }
        move(Event.FINISH);
        return true;
    }

    @Override
    public Runnable getDelegatedTask() {
        synchronized (lock) {
            return task != null && task.give() ? task : null;
        }
    }

    /** Runs a task without the lock, and applies its outcome with it. */
    void run(HandshakeTask started) {
        NativeEngine running;
        HandshakeCallbacks asked;
        synchronized (lock) {
            if (task != started || connection == null || !started.start()) {
                return;
            }
            if (callbacks == null) {
                callbacks = new HandshakeCallbacks(this);
            }
            running = connection;
            asked = callbacks;
        }
        try {
            ended(running.runTask(asked), null);
        } catch (TlsFailure e) {
            ended(NO_CONNECTION, e);
        } catch (RuntimeException | Error e) {
            ended(NO_CONNECTION, TlsFailure.of(ErrorCode.INTERNAL, String.valueOf(e)));
            throw e;
        }
    }

    private void ended(long packed, TlsFailure thrown) {
        synchronized (lock) {
            HandshakeTask.Afterwards afterwards = task.afterwards();
            task = null;
            if (thrown == null) {
                update(packed);
            } else {
                fail(thrown);
                last = NO_CONNECTION;
            }
            if (state.isOutputClosed() && failure == null) {
                last = connection.closeWrite();
            }
            if (afterwards == HandshakeTask.Afterwards.END_INPUT) {
                last = connection.endOfInput();
                freeWhenDone();
            } else if (afterwards == HandshakeTask.Afterwards.FREE) {
                free();
            }
        }
    }

    @Override
    public HandshakeStatus getHandshakeStatus() {
        synchronized (lock) {
            return status();
        }
    }

    private HandshakeStatus status() {
        if (task != null) {
            return HandshakeStatus.NEED_TASK;
        }
        if (hasOutgoing() || isFailurePending() || state.isFinishing()) {
            return HandshakeStatus.NEED_WRAP;
        }
        return state == EngineState.HANDSHAKING ? HandshakeStatus.NEED_UNWRAP : HandshakeStatus.NOT_HANDSHAKING;
    }

    // Data.

    @Override
    public SSLEngineResult wrap(ByteBuffer source, ByteBuffer destination) throws SSLException {
        synchronized (lock) {
            if (isOpen() && Buffers.isReadable(source) && Buffers.isWritable(destination)) {
                return given(Bridge.wrap(connection, source, destination, true));
            }
            return wrap(new ByteBuffer[] {source}, 0, 1, destination);
        }
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer destination) throws SSLException {
        synchronized (lock) {
            if (isOpen() && Buffers.isReadable(source) && Buffers.isWritable(destination)) {
                return taken(Bridge.unwrap(connection, source, destination, true));
            }
            return unwrap(source, new ByteBuffer[] {destination}, 0, 1);
        }
    }

    /** Returns true if data can move both ways, and nothing else waits. */
    private boolean isOpen() {
        return state == EngineState.ESTABLISHED && task == null && failure == null && !hasOutgoing();
    }

    private SSLEngineResult nothing(Status status) {
        return Results.nothing(status, status());
    }

    @Override
    public SSLEngineResult wrap(ByteBuffer[] sources, int offset, int length, ByteBuffer destination)
            throws SSLException {
        Buffers.check(sources, offset, length, "source");
        Buffers.checkDestination(destination);
        synchronized (lock) {
            if (state == EngineState.NEW) {
                begin();
            }
            if (task != null) {
                return nothing(Status.OK);
            }
            if (isFailurePending()) {
                throw thrown();
            }
            SSLEngineResult idle = hasOutgoing() ? null : wrapNothing(Buffers.remaining(sources, offset, length));
            return idle == null ? give(sources, offset, length, destination) : idle;
        }
    }

    /** Returns the result of a call without a record, or null if there is application data to wrap. */
    private SSLEngineResult wrapNothing(long available) {
        if (state.isOutputClosed()) {
            freeWhenDone();
            return nothing(Status.CLOSED);
        }
        if (finish()) {
            return Results.nothing(Status.OK, HandshakeStatus.FINISHED);
        }
        return isHandshaking() || available == 0 ? nothing(Status.OK) : null;
    }

    private SSLEngineResult give(ByteBuffer[] sources, int offset, int length, ByteBuffer destination)
            throws SSLException {
        // No application data leaves before FINISHED has been reported.
        boolean takesData = state == EngineState.ESTABLISHED || state == EngineState.INPUT_CLOSED;
        return given(Bridge.wrap(connection, sources, offset, takesData ? length : 0, destination,
                state.isComplete()));
    }

    /** Returns the result of a native wrap. */
    private SSLEngineResult given(long packed) throws SSLException {
        if (NativeEngine.isPlain(packed) && isOpen()) {
            return wrapped.plain(packed);
        }
        update(packed);
        if (NativeEngine.status(packed) == NativeEngine.DESTINATION_TOO_SMALL) {
            return nothing(Status.BUFFER_OVERFLOW);
        }
        int consumed = NativeEngine.consumed(packed);
        int produced = NativeEngine.produced(packed);
        if (isFailurePending()) {
            throw thrown();
        }
        if (state.isOutputClosed() && !hasOutgoing()) {
            freeWhenDone();
            return wrapped.moved(Status.CLOSED, status(), consumed, produced);
        }
        return wrapped.moved(Status.OK, finish() ? HandshakeStatus.FINISHED : status(), consumed, produced);
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer[] destinations, int offset, int length)
            throws SSLException {
        if (source == null) {
            throw new IllegalArgumentException("the source is null");
        }
        Buffers.check(destinations, offset, length, "destination");
        for (int i = offset; i < offset + length; i++) {
            Buffers.checkDestination(destinations[i]);
        }
        synchronized (lock) {
            if (state == EngineState.NEW) {
                begin();
            }
            if (task != null) {
                return nothing(Status.OK);
            }
            if (isFailurePending()) {
                throw thrown();
            }
            if (state.isInputClosed() || connection == null) {
                return nothing(Status.CLOSED);
            }
            if (state == EngineState.HANDSHAKING && hasOutgoing()) {
                return nothing(Status.OK);
            }
            return taken(Bridge.unwrap(connection, source, destinations, offset, length, state.isComplete()));
        }
    }

    /** Returns the result of a native unwrap. */
    private SSLEngineResult taken(long packed) throws SSLException {
        if (NativeEngine.isPlain(packed) && isOpen()) {
            return unwrapped.plain(packed);
        }
        update(packed);
        int status = NativeEngine.status(packed);
        if (status == NativeEngine.DESTINATION_TOO_SMALL) {
            return nothing(Status.BUFFER_OVERFLOW);
        }
        int consumed = NativeEngine.consumed(packed);
        int produced = NativeEngine.produced(packed);
        if (isFailurePending()) {
            throw thrown();
        }
        if (state.isInputClosed()) {
            freeWhenDone();
            return unwrapped.moved(Status.CLOSED, status(), consumed, produced);
        }
        if (status == NativeEngine.NEED_RECORD && consumed == 0) {
            return nothing(Status.BUFFER_UNDERFLOW);
        }
        return unwrapped.moved(Status.OK, finish() ? HandshakeStatus.FINISHED : status(), consumed, produced);
    }

    // Closing.

    @Override
    public void closeInbound() throws SSLException {
        synchronized (lock) {
            if (isInputDone()) {
                return;
            }
            if (state == EngineState.HANDSHAKING) {
                cutHandshake();
                throw isTaskRunning() ? Failures.exception(failure, true) : thrown();
            }
            boolean isCut = state != EngineState.NEW;
            move(Event.CLOSE_INPUT);
            freeWhenDone();
            if (isCut) {
                // The caller can still write, so the connection does not end.
                TlsFailure cut = TlsFailure.of(ErrorCode.TRUNCATED, "");
                report(cut, null);
                throw Failures.exception(cut, false);
            }
        }
    }

    /** Ends the handshake because its input has ended. */
    private void cutHandshake() {
        if (isTaskRunning()) {
            task.endInputAfterwards();
            failure = TlsFailure.of(ErrorCode.HANDSHAKE_EOF, "");
            report(failure, null);
        } else {
            last = connection.endOfInput();
            fail(connection.failure());
        }
    }

    private boolean isInputDone() {
        return state.isInputClosed() || failure != null;
    }

    @Override
    public boolean isInboundDone() {
        synchronized (lock) {
            return isInputDone();
        }
    }

    @Override
    public void closeOutbound() {
        synchronized (lock) {
            if (state.isOutputClosed()) {
                return;
            }
            move(Event.CLOSE_OUTPUT);
            if (connection != null && !isTaskRunning() && failure == null) {
                if (state == EngineState.ABANDONED) {
                    task = null;
                }
                last = connection.closeWrite();
            }
        }
    }

    @Override
    public boolean isOutboundDone() {
        synchronized (lock) {
            return isOutputDone();
        }
    }

    // Facts.

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
            if (connection == null || state.isComplete() || failure != null) {
                return null;
            }
            Session made = handshakeSession();
            made.handOut();
            return made;
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
            return state == EngineState.HANDSHAKING && connection != null && !isTaskRunning()
                    ? connection.facts()[FACT_PROTOCOL] : null;
        }
    }
}
