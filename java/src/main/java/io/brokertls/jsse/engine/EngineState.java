package io.brokertls.jsse.engine;

/**
 * The state of an engine: the progress of its handshake, and the directions that are closed.
 *
 * <pre>
 *         BEGIN                 FINISH
 *   NEW ─────────► HANDSHAKING ─────────► ESTABLISHED
 *    │               │    │                │       │
 *    │               │    │ CLOSE_INPUT    │       │ CLOSE_OUTPUT
 *    │ CLOSE_INPUT   │    ▼                │       └────────► OUTPUT_CLOSED
 *    │ CLOSE_OUTPUT  │  HANDSHAKING_       │                       │
 *    │               │  INPUT_CLOSED       │ CLOSE_INPUT           │ CLOSE_INPUT
 *    │  CLOSE_OUTPUT │    │     │ FINISH   ▼                       ▼
 *    │               │    │     └───► INPUT_CLOSED ───────────► CLOSED
 *    ▼               ▼    ▼                       CLOSE_OUTPUT
 *   ABANDONED ◄───────────┘
 *
 *   FREE   leads from each state to ABANDONED or CLOSED, by the progress of the handshake
 *   THROW  leads from each state but NEW to FAILED
 * </pre>
 *
 * <p>A failure does not change the state before it is thrown, because its alert is sent first. In the states with a
 * closed output, close_notify or an alert can still be pending.
 */
enum EngineState {
    /** The handshake has not begun. */
    NEW(false, false),
    /** The handshake runs, or its end has not been reported yet. */
    HANDSHAKING(false, false),
    /** The input has ended in the handshake, which fails or ends with what has been received. */
    HANDSHAKING_INPUT_CLOSED(true, false),
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

    boolean isInHandshake() {
        return this == HANDSHAKING || this == HANDSHAKING_INPUT_CLOSED;
    }

    /** Returns true from the report of FINISHED until a failure is thrown. */
    boolean isEstablished() {
        return this == ESTABLISHED || this == INPUT_CLOSED || this == OUTPUT_CLOSED || this == CLOSED;
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
            case FINISH:
                return this == HANDSHAKING ? ESTABLISHED : this == HANDSHAKING_INPUT_CLOSED ? INPUT_CLOSED : null;
            case CLOSE_INPUT:
                return isInputClosed ? null : afterInput();
            case CLOSE_OUTPUT:
                return isOutputClosed ? null : afterOutput();
            case THROW:
                return this == NEW || this == FAILED ? null : FAILED;
            case FREE:
                return this == FAILED ? FAILED : isEstablished() ? CLOSED : ABANDONED;
            default:
                throw new AssertionError(event);
        }
    }

    private EngineState afterInput() {
        switch (this) {
            case NEW:
                return ABANDONED;
            case HANDSHAKING:
                return HANDSHAKING_INPUT_CLOSED;
            default:
                return this == ESTABLISHED ? INPUT_CLOSED : CLOSED;
        }
    }

    private EngineState afterOutput() {
        switch (this) {
            case ESTABLISHED:
                return OUTPUT_CLOSED;
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
        /** FINISHED is reported. */
        FINISH,
        /** The peer's close_notify is read, or the caller closes the input. */
        CLOSE_INPUT,
        /** The caller closes the output, or close_notify is answered. */
        CLOSE_OUTPUT,
        /** The failure is thrown. */
        THROW,
        /** The owner frees the engine. */
        FREE
    }
}
