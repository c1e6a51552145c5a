package io.brokertls.jsse.engine;

/**
 * The state of an engine: the progress of its handshake, and the directions that are closed.
 *
 * <pre>
 *        BEGIN               COMPLETE             FINISH
 *   NEW ───────► HANDSHAKING ────────► FINISHING ────────► ESTABLISHED ─────────┐
 *    │                │                    │                    │               │
 *    │                │                    │ CLOSE_INPUT        │ CLOSE_INPUT   │ CLOSE_OUTPUT,
 *    │ CLOSE_INPUT    │ CLOSE_OUTPUT       ▼                    ▼               │ of FINISHING too
 *    │ CLOSE_OUTPUT   │               FINISHING_ ────────► INPUT_CLOSED         ▼
 *    │                │               INPUT_CLOSED FINISH       │          OUTPUT_CLOSED
 *    ▼                │                    │                    │               │
 *   ABANDONED ◄───────┘                    └──► CLOSED ◄────────┘               │
 *                                                  ▲   CLOSE_OUTPUT             │ CLOSE_INPUT
 *                                                  └────────────────────────────┘
 *
 *   FREE   leads from each state to ABANDONED or CLOSED, by the progress of the handshake
 *   THROW  leads from each state but NEW to FAILED
 * </pre>
 *
 * <p>A failure does not change the state before it is thrown. In the states with a closed output, close_notify or an
 * alert can still be pending.
 */
enum EngineState {
    /** The handshake has not begun. */
    NEW(false, false),
    /** The handshake runs. */
    HANDSHAKING(false, false),
    /** The handshake is complete. FINISHED is reported when the pending records are wrapped. Reading has begun. */
    FINISHING(false, false),
    /** As FINISHING, after the peer's close_notify or the end of the input. */
    FINISHING_INPUT_CLOSED(true, false),
    /** FINISHED has been reported. Both directions are open. */
    ESTABLISHED(false, false),
    /** The peer's close_notify or the end of the input has been read. Writing continues. */
    INPUT_CLOSED(true, false),
    /** Own close_notify is pending or sent. Reading continues. */
    OUTPUT_CLOSED(false, true),
    /** Both directions are closed after a handshake that was complete. */
    CLOSED(true, true),
    /** Both directions are closed and the handshake was not complete. */
    ABANDONED(true, true),
    /** The failure has been thrown. */
    FAILED(true, true);

    private final boolean isInputClosed;
    private final boolean isOutputClosed;

    EngineState(boolean isInputClosed, boolean isOutputClosed) {
        this.isInputClosed = isInputClosed;
        this.isOutputClosed = isOutputClosed;
    }

    boolean isInputClosed() {
        return isInputClosed;
    }

    boolean isOutputClosed() {
        return isOutputClosed;
    }

    /** Returns true until FINISHED is reported. */
    boolean isInHandshake() {
        return this == HANDSHAKING || isFinishing();
    }

    /** Returns true if the handshake is complete and FINISHED is not reported. */
    boolean isFinishing() {
        return this == FINISHING || this == FINISHING_INPUT_CLOSED;
    }

    /** Returns true from the end of the handshake until a failure is thrown. */
    boolean isComplete() {
        return isFinishing() || this == ESTABLISHED || this == INPUT_CLOSED || this == OUTPUT_CLOSED
                || this == CLOSED;
    }

    /**
     * Returns the state that follows.
     *
     * @throws IllegalStateException if the event cannot happen in this state
     */
    EngineState after(Event event) {
        EngineState next = next(event);
        if (next == null) {
            throw new IllegalStateException("an engine cannot " + event + " in the state " + this);
        }
        return next;
    }

    private EngineState next(Event event) {
        switch (event) {
            case BEGIN:
                return this == NEW ? HANDSHAKING : null;
            case COMPLETE:
                return this == HANDSHAKING ? FINISHING : null;
            case FINISH:
                return this == FINISHING ? ESTABLISHED : this == FINISHING_INPUT_CLOSED ? INPUT_CLOSED : null;
            case CLOSE_INPUT:
                // The end of the input in the handshake is a failure.
                return isInputClosed || this == HANDSHAKING ? null : afterInput();
            case CLOSE_OUTPUT:
                return isOutputClosed ? null : afterOutput();
            case THROW:
                return this == NEW || this == FAILED ? null : FAILED;
            case FREE:
                return this == FAILED ? FAILED : isComplete() ? CLOSED : ABANDONED;
            default:
                throw new AssertionError(event);
        }
    }

    private EngineState afterInput() {
        switch (this) {
            case NEW:
                return ABANDONED;
            case FINISHING:
                return FINISHING_INPUT_CLOSED;
            default:
                return this == ESTABLISHED ? INPUT_CLOSED : CLOSED;
        }
    }

    private EngineState afterOutput() {
        switch (this) {
            case FINISHING:
            case ESTABLISHED:
                return OUTPUT_CLOSED;
            case FINISHING_INPUT_CLOSED:
            case INPUT_CLOSED:
                return CLOSED;
            default:
                return ABANDONED;
        }
    }

    /** An event that changes the state. */
    enum Event {
        /** The native connection is made. */
        BEGIN,
        /** The handshake is complete. */
        COMPLETE,
        /** FINISHED is reported. */
        FINISH,
        /** The peer's close_notify is read, or the caller closes the input of a complete handshake. */
        CLOSE_INPUT,
        /** The caller closes the output, or close_notify is answered. */
        CLOSE_OUTPUT,
        /** The failure is thrown. */
        THROW,
        /** The owner frees the engine. */
        FREE
    }
}
