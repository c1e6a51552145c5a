package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.EngineSettings;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.engine.EngineState.Event;
import io.brokertls.jsse.session.Session;
import java.security.Principal;
import java.util.List;
import java.util.function.Function;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * The native connection of an engine, from its begin to its end: the handshake with its tasks, the failure that ends
 * it, and the sessions. {@link EngineState} has the picture of its states.
 *
 * <p>The lock of the engine guards everything. It is not held while a delegated task runs. Until the task has ended, no
 * other thread touches the native connection.
 */
public abstract class HandshakingEngine extends ConfiguredEngine implements Session.ChainSource {
    /** The packed state of a connection that is not there: no handshake, no pending records. */
    private static final long NO_CONNECTION = 0;
    /** The positions of the facts for a host: {@link io.brokertls.internal.HandshakeHost#chooseIdentity}. */
    private static final int SETTLED_VERSION = 0;
    private static final int SETTLED_SUITE = 1;
    private static final int SETTLED_PROTOCOL = 2;

    EngineState state = EngineState.NEW;
    /** Null before the handshake and after the engine was freed. */
    NativeEngine connection;
    /** The packed state after the last native call. */
    long last = NO_CONNECTION;
    private HandshakeCallbacks callbacks;
    private Session session;
    private Session handshakeSession;
    /** The task that must end before anything else happens, or null. */
    HandshakeTask task;
    /** The failure that ended the connection, or null. The next call throws it, and its alert is wrapped after that. */
    TlsFailure failure;
    /** The report about the values of the session that the handshake has replaced, or null. */
    private Runnable replacedValues;
    private String applicationProtocol;
    /** The protocol that a host is shown in the handshake; null if it is open, empty if there is none. */
    private String settledProtocol;

    HandshakingEngine(ContextState context, String peerHost, int peerPort, SSLSocket socket) {
        super(context, peerHost, peerPort, socket);
    }

    void move(Event event) {
        state = state.after(event);
    }

    @Override
    boolean isBegun() {
        return record.id() != 0 || state == EngineState.FAILED;
    }

    boolean isHandshaking() {
        return NativeEngine.isHandshaking(last);
    }

    boolean hasOutgoing() {
        return NativeEngine.hasOutgoing(last);
    }

    boolean isTaskRunning() {
        return task != null && task.isRunning();
    }

    boolean isFailurePending() {
        return failure != null && state != EngineState.FAILED;
    }

    /** Returns the session of the handshake, and makes it at the first call. */
    Session handshakeSession() {
        synchronized (lock) {
            if (handshakeSession == null) {
                handshakeSession = newSession();
                handshakeSession.begin();
            }
            return handshakeSession;
        }
    }

    /** Returns that session with the facts that are settled: {@link io.brokertls.internal.HandshakeHost}. */
    Session handshakeSession(String[] settled) {
        synchronized (lock) {
            if (settled[SETTLED_PROTOCOL] != null) {
                settledProtocol = settled[SETTLED_PROTOCOL].intern();
            }
            Session made = handshakeSession();
            made.settle(settled[SETTLED_VERSION], SuiteNames.ofJava(settled[SETTLED_SUITE]));
            return made;
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
    void keepChains() {
        if (session != null && connection != null && !isTaskRunning() && session.lacksChains()) {
            session.keep(connection.chains());
        }
    }

    void freeWhenDone() {
        if (state.isInputClosed() && isOutputDone()) {
            free();
        }
    }

    boolean isOutputDone() {
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

    void begin() throws SSLException {
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

    void update(long packed) {
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

    void fail(TlsFailure reason) {
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
        failSession();
        report(failure, judged);
    }

    /** Ends the session, unless the connection was only cut: then it can be resumed (RFC 5246 section 7.2.1). */
    private void failSession() {
        if (handshakeSession != null) {
            handshakeSession.fail();
        } else if (session != null && failure.code() != ErrorCode.TRUNCATED) {
            session.fail();
        }
    }

    void report(TlsFailure reason, Principal peer) {
        record.fail(reason);
        context.reports().failed(this, reason, peer, state.isComplete());
    }

    private void releaseCallbacks() {
        if (callbacks != null) {
            callbacks.release();
            callbacks = null;
        }
    }

    SSLException thrown() {
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
        settledProtocol = null;
        boolean isResumed = connection.isResumed();
        replacedValues = session.establish(facts[FACT_VERSION], SuiteNames.ofJava(facts[FACT_CIPHER_SUITE]),
                facts[FACT_SERVER_NAME], connection.sessionOrigin(), isResumed);
        if (session.isHandedOut()) {
            keepChains();
        }
        record.complete(facts[FACT_GROUP], isResumed, connection.deviations());
        applicationProtocol = facts[FACT_PROTOCOL] == null ? "" : facts[FACT_PROTOCOL].intern();
        releaseCallbacks();
        context.reports().complete(this, facts, isResumed, session);
    }

    /** Reports the values that the handshake has replaced. Their listeners are called without the lock. */
    final void reportReplacedValues() {
        // The thread that has completed the handshake sees its own write.
        if (replacedValues == null) {
            return;
        }
        Runnable report;
        synchronized (lock) {
            report = replacedValues;
            replacedValues = null;
        }
        if (report != null) {
            report.run();
        }
    }

    /** Returns true if this call ends the handshake, which is reported once. */
    boolean finish() {
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
        long packed = NO_CONNECTION;
        TlsFailure refusal = null;
        try {
            packed = running.runTask(asked);
        } catch (TlsFailure e) {
            refusal = e;
        } catch (RuntimeException | Error e) {
            ended(NO_CONNECTION, TlsFailure.of(ErrorCode.INTERNAL, String.valueOf(e)));
            throw e;
        }
        ended(packed, refusal);
        reportReplacedValues();
    }

    private void ended(long packed, TlsFailure thrown) {
        synchronized (lock) {
            HandshakeTask.Afterwards afterwards = task.afterwards();
            task = null;
            if (thrown == null) {
                update(packed);
            } else {
                fail(thrown);
                last = refuseTask(thrown);
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

    /** Queues the alert for a task that could not run. Returns the packed state. */
    private long refuseTask(TlsFailure reason) {
        try {
            return connection.refuseTask(reason.code());
        } catch (IllegalStateException e) {
            // A connection that another call holds, or that was freed, sends nothing.
            return NO_CONNECTION;
        }
    }

    @Override
    public HandshakeStatus getHandshakeStatus() {
        synchronized (lock) {
            return status();
        }
    }

    HandshakeStatus status() {
        if (task != null) {
            return HandshakeStatus.NEED_TASK;
        }
        if (hasOutgoing() || isFailurePending() || state.isFinishing()) {
            return HandshakeStatus.NEED_WRAP;
        }
        return state == EngineState.HANDSHAKING ? HandshakeStatus.NEED_UNWRAP : HandshakeStatus.NOT_HANDSHAKING;
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
            if (state != EngineState.HANDSHAKING || connection == null) {
                return null;
            }
            String agreed = isTaskRunning() ? null : connection.facts()[FACT_PROTOCOL];
            return agreed == null ? settledProtocol : agreed;
        }
    }
}
