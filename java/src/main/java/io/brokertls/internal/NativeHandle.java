package io.brokertls.internal;

import java.lang.ref.Cleaner;

/**
 * Owns one object of the native library: freed by {@link #close()}, or by the cleaner where nobody closed it.
 *
 * <p>A subclass reaches its object through {@link #pointer()} and keeps itself reachable until the native call has
 * returned ({@link java.lang.ref.Reference#reachabilityFence}). The native side refuses to free an object during a call
 * on it, and frees it when that call returns.
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

    /** The object's address; only for the length of one native call. */
    final long pointer() {
        long pointer = state.pointer;
        if (pointer == 0) {
            throw new IllegalStateException("closed");
        }
        return pointer;
    }

    final boolean isClosed() {
        return state.pointer == 0;
    }

    /** Frees the object at once. Further calls do nothing. */
    @Override
    public final void close() {
        cleanable.clean();
    }

    /** How an object of this kind is freed. */
    interface Free {
        void free(long pointer);
    }

    /** What the cleaner needs; never refers to the owner, which could then not be collected. */
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
