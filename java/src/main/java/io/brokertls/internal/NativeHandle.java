package io.brokertls.internal;

import java.lang.ref.Cleaner;

/**
 * Owns one object of the native library. {@link #close()} frees it, or else the cleaner does.
 *
 * <p>A subclass gets the object from {@link #pointer()}. It keeps itself reachable until the native call has returned
 * ({@link java.lang.ref.Reference#reachabilityFence}). The native side frees an object in use when the call on it
 * returns.
 */
abstract class NativeHandle implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    static {
        NativeLoader.load();
    }

    private final State state;
    private final Cleaner.Cleanable cleanable;

    NativeHandle(long pointer, Free free) {
        state = new State(pointer, free);
        cleanable = CLEANER.register(this, state);
    }

    /** Runs an action once: at the first {@code clean()} of what this returns, or when {@code object} is collected. */
    public static Cleaner.Cleanable atEnd(Object object, Runnable action) {
        return CLEANER.register(object, action);
    }

    /**
     * Returns the handle of the object, for one native call.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    final long pointer() {
        long pointer = state.pointer;
        if (pointer == 0) {
            throw new IllegalStateException("closed");
        }
        return pointer;
    }

    /** Returns the handle of the object, for one native call; 0 after {@link #close()}. */
    final long pointerOrZero() {
        return state.pointer;
    }

    final boolean isClosed() {
        return state.pointer == 0;
    }

    /** Frees the object at once. Further calls do nothing. */
    @Override
    public final void close() {
        cleanable.clean();
    }

    /** The native function that frees an object of this kind. */
    interface Free {
        void free(long pointer);
    }

    /** The state of the cleaner. It does not refer to the owner, which could then not be collected. */
    private static final class State implements Runnable {
        private volatile long pointer;
        private final Free free;

        State(long pointer, Free free) {
            this.pointer = pointer;
            this.free = free;
        }

        @Override
        public void run() {
            long freed = pointer;
            pointer = 0;
            free.free(freed);
        }
    }
}
