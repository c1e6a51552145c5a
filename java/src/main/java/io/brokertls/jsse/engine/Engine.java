package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.engine.EngineState.Event;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;

/** A JSSE engine over one native connection: its data, and the end of both directions. One private lock guards it. */
public final class Engine extends HandshakingEngine {
    private final Results wrapped = new Results();
    private final Results unwrapped = new Results();

    /** Makes an engine for a caller that moves the records itself. */
    public Engine(ContextState context, String peerHost, int peerPort) {
        this(context, peerHost, peerPort, null);
    }

    /** Makes the engine of a socket, which key and trust managers get in place of the engine. */
    public Engine(ContextState context, String peerHost, int peerPort, SSLSocket socket) {
        super(context, peerHost, peerPort, socket);
    }

    // Data.

    @Override
    public SSLEngineResult wrap(ByteBuffer source, ByteBuffer destination) throws SSLException {
        synchronized (lock) {
            if (isOpen() && Buffers.isReadable(source) && Buffers.isWritable(destination)) {
                return given(Bridge.wrap(connection, source, destination, true));
            }
        }
        return wrap(new ByteBuffer[] {source}, 0, 1, destination);
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer destination) throws SSLException {
        synchronized (lock) {
            if (isOpen() && Buffers.isReadable(source) && Buffers.isWritable(destination)) {
                return taken(Bridge.unwrap(connection, source, destination, true));
            }
        }
        return unwrap(source, new ByteBuffer[] {destination}, 0, 1);
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
        try {
            return wrapOne(sources, offset, length, destination);
        } finally {
            reportReplacedValues();
        }
    }

    private SSLEngineResult wrapOne(ByteBuffer[] sources, int offset, int length, ByteBuffer destination)
            throws SSLException {
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
        try {
            return unwrapOne(source, destinations, offset, length);
        } finally {
            reportReplacedValues();
        }
    }

    private SSLEngineResult unwrapOne(ByteBuffer source, ByteBuffer[] destinations, int offset, int length)
            throws SSLException {
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
}
