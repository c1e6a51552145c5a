package io.brokertls.jsse.monitoring;

import java.util.Collection;
import java.util.function.Supplier;

/** Finds the implementation of {@link Flight}. */
final class FlightOfProcess {
    private FlightOfProcess() {
    }

    static Flight find() {
        try {
            Class.forName("jdk.jfr.Event", false, FlightOfProcess.class.getClassLoader());
            return new Recorder();
        } catch (ClassNotFoundException | LinkageError e) {
            return new None();
        }
    }

    /** For a run-time image without jdk.jfr. */
    private static final class None implements Flight {
        @Override
        public Object begin() {
            return null;
        }

        @Override
        public void handshake(Object begun, HandshakeFacts facts) {
            // Nothing is recorded.
        }

        @Override
        public boolean records() {
            return false;
        }

        @Override
        public void refusal(HandshakeFacts facts, String message, String hint) {
            // Nothing is recorded.
        }

        @Override
        public Object beginReload() {
            return null;
        }

        @Override
        public void reload(Object begun, String context, String failure) {
            // Nothing is recorded.
        }

        @Override
        public void watch(Supplier<Collection<Watched>> contexts) {
            // Nothing is recorded.
        }

        @Override
        public void forget() {
            // Nothing is recorded.
        }
    }
}
