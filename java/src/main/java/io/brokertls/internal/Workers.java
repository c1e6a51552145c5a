package io.brokertls.internal;

import io.brokertls.TlsFailure;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * Makes native calls of virtual threads that can wait or call back. On its own carrier such a call would keep the
 * carrier. A worker makes it instead. The virtual thread waits in Java, and answers what the native code asks of Java.
 *
 * <p>Calls of platform threads run where they are.
 */
public final class Workers {
    private static final int USUAL = 256;
    private static final int MOST = 1024;
    private static final long PATIENCE_MS = 1000;
    private static final long STANDSTILL_MS = 30_000;
    private static final long IDLE_MS = 5000;

    /** {@code Thread.isVirtual()}; null before Java 21. */
    private static final MethodHandle IS_VIRTUAL = find();
    private static final WorkerPool POOL =
            new WorkerPool(new WorkerPool.Limits(USUAL, MOST, PATIENCE_MS, STANDSTILL_MS, IDLE_MS));

    private Workers() {
    }

    private static MethodHandle find() {
        try {
            return MethodHandles.publicLookup()
                    .findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    /** Returns true if the current thread is virtual. */
    static boolean isVirtual() {
        if (IS_VIRTUAL == null) {
            return false;
        }
        try {
            return (boolean) IS_VIRTUAL.invokeExact(Thread.currentThread());
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Makes a native call that can wait or call back: on a worker for a virtual thread, and at once for others.
     *
     * @throws TlsFailure WORKERS_BUSY if all workers stand still
     */
    static <T, E extends Exception> T call(Body<T, E> body) throws E, TlsFailure {
        if (!isVirtual()) {
            return body.run();
        }
        WorkerCall<T> call = new WorkerCall<>(body);
        if (!call.startWithin()) {
            POOL.start(call);
        }
        return call.await();
    }

    /** Asks Java on behalf of a native call. The thread that made the call answers, also if a worker runs it. */
    static <T> T ask(Supplier<T> question) {
        WorkerCall<?> call = WorkerCall.current();
        return call == null ? question.get() : call.ask(question);
    }

    /**
     * Lets a worker do what nothing waits for.
     *
     * @throws RejectedExecutionException if all workers are busy
     */
    static void startLater(Runnable work) {
        POOL.startLater(work);
    }

    /**
     * Makes a daemon thread that refers to nothing of the current thread: no class loader, no inheritable value, no
     * access control context.
     */
    @SuppressWarnings({"deprecation", "removal"})
    public static Thread independent(Supplier<Thread> maker) {
        return AccessController.doPrivileged((PrivilegedAction<Thread>) () -> {
            Thread made = maker.get();
            made.setDaemon(true);
            made.setContextClassLoader(null);
            return made;
        });
    }

    /** A native call. */
    @FunctionalInterface
    interface Body<T, E extends Exception> {
        T run() throws E;
    }

    /** A worker, with the innermost call that it makes. */
    static final class WorkerThread extends Thread {
        WorkerCall<?> current;

        WorkerThread(Runnable work) {
            super(null, work, "brokertls-worker", 0, false);
        }
    }
}
