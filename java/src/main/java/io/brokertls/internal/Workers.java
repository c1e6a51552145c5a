package io.brokertls.internal;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The threads for native calls of virtual threads that can wait or call back. On its own carrier such a call would keep
 * the carrier. The virtual thread waits in Java instead, and answers what the native code asks of Java.
 *
 * <p>Calls of platform threads run where they are. The workers are daemon threads, which end when they have had nothing
 * to do for a while, and inherit nothing from the threads that start them.
 */
public final class Workers {
    /** The number of workers, and the largest one. */
    private static final int USUAL = 256;
    private static final int MOST = 1024;
    /** The time after which a waiting call gets one more worker, because the busy ones may be waiting for this call. */
    private static final long PATIENCE_MS = 1000;
    private static final long IDLE_S = 5;

    /** {@code Thread.isVirtual()}; null before Java 21. */
    private static final MethodHandle IS_VIRTUAL = find();
    private static final RejectedExecutionException NONE_IS_FREE = new NoneIsFree();
    private static final ThreadPoolExecutor POOL = new ThreadPoolExecutor(0, USUAL, IDLE_S, TimeUnit.SECONDS,
            new SynchronousQueue<>(true), Workers::thread, (task, pool) -> {
                throw NONE_IS_FREE;
            });

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

    /** Makes a native call that can wait or call back: on a worker for a virtual thread, and at once for others. */
    static <T, E extends Exception> T call(Body<T, E> body) throws E {
        if (!isVirtual()) {
            return body.run();
        }
        WorkerCall<T> call = new WorkerCall<>(body);
        if (!call.startWithin()) {
            start(call);
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
        POOL.execute(work);
    }

    /** Gives the call to a worker. Waits for one if too many are busy. */
    private static void start(Runnable call) {
        boolean isInterrupted = false;
        boolean isStarted = false;
        while (!isStarted) {
            try {
                POOL.execute(call);
                isStarted = true;
            } catch (RejectedExecutionException | OutOfMemoryError busy) {
                requireWorkers(busy);
                try {
                    isStarted = POOL.getQueue().offer(call, PATIENCE_MS, TimeUnit.MILLISECONDS);
                    if (!isStarted) {
                        allowOneMore();
                    }
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Throws the error if there is no worker to wait for: the system allows no thread. */
    private static void requireWorkers(Throwable busy) {
        if (busy instanceof OutOfMemoryError && POOL.getPoolSize() == 0) {
            throw (OutOfMemoryError) busy;
        }
    }

    private static void allowOneMore() {
        int allowed = POOL.getPoolSize() + 1;
        if (allowed <= MOST && allowed > POOL.getMaximumPoolSize()) {
            POOL.setMaximumPoolSize(allowed);
        }
    }

    private static Thread thread(Runnable work) {
        return independent(() -> new WorkerThread(work));
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

    /** Thrown in place of a task that no worker can take. It is made once, so that it has no stack trace. */
    private static final class NoneIsFree extends RejectedExecutionException {
        private static final long serialVersionUID = 1;

        @Override
        public Throwable fillInStackTrace() {
            return this;
        }
    }
}
