package io.brokertls.jsse.engine;

import io.brokertls.jsse.keys.SigningKey;

/**
 * A delegated task: one native step of the handshake. It runs once; a task that its engine has dropped does nothing.
 *
 * <p>Its state is guarded by the engine's lock, which is not held while the native step runs.
 */
final class HandshakeTask implements Runnable {
    private final HandshakingEngine engine;
    private State state = State.READY;
    private Afterwards afterwards = Afterwards.CONTINUE;

    HandshakeTask(HandshakingEngine engine) {
        this.engine = engine;
    }

    /** Returns true to the first caller, which hands the task out. */
    boolean give() {
        if (state != State.READY) {
            return false;
        }
        state = State.GIVEN;
        return true;
    }

    /** Returns true to the first caller of a task that was handed out. */
    boolean start() {
        if (state != State.GIVEN) {
            return false;
        }
        state = State.RUNNING;
        return true;
    }

    boolean isRunning() {
        return state == State.RUNNING;
    }

    /** Has the engine end its input when this task has ended. */
    void endInputAfterwards() {
        if (afterwards == Afterwards.CONTINUE) {
            afterwards = Afterwards.END_INPUT;
        }
    }

    /** Has the engine free its connection when this task has ended. */
    void freeAfterwards() {
        afterwards = Afterwards.FREE;
    }

    Afterwards afterwards() {
        return afterwards;
    }

    @Override
    public void run() {
        try {
            engine.run(this);
        } finally {
            SigningKey.takeFailure();
        }
    }

    /** READY → GIVEN → RUNNING. The engine drops the task when it has ended. */
    private enum State {
        READY, GIVEN, RUNNING
    }

    /** The action that waits for the end of a running task. */
    enum Afterwards {
        CONTINUE, END_INPUT, FREE
    }
}
