package io.brokertls.internal;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.Workers.WorkerThread;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A bounded number of workers. They are daemon threads, which end when they have had nothing to do for a while, and
 * inherit nothing from the threads that start them.
 *
 * <p>Calls can wait for each other: a manager that a call asks can wait for another call. So a call that has waited for
 * a while gets a further worker, up to the largest number. If all of those stand still, the call is refused, because it
 * could be the one that they wait for.
 */
final class WorkerPool {
    private static final RejectedExecutionException NONE_IS_FREE = new NoneIsFree();

    private final Limits limits;
    private final ThreadPoolExecutor threads;
    /** Guards the largest number of threads. No monitor, which would keep a carrier up to Java 23. */
    private final ReentrantLock sizing = new ReentrantLock();
    /** The time at which a worker became free last. */
    private volatile long freed = System.nanoTime();

    WorkerPool(Limits limits) {
        this.limits = limits;
        threads = new ThreadPoolExecutor(0, limits.usual, limits.idleMs, TimeUnit.MILLISECONDS,
                new SynchronousQueue<>(true), this::thread, (task, pool) -> {
                    throw NONE_IS_FREE;
                }) {
            @Override
            protected void afterExecute(Runnable task, Throwable thrown) {
                freed = System.nanoTime();
            }
        };
    }

    private Thread thread(Runnable work) {
        return Workers.independent(() -> new WorkerThread(() -> {
            try {
                work.run();
            } finally {
                allowFewer();
            }
        }));
    }

    /**
     * Lets a worker do what nothing waits for.
     *
     * @throws RejectedExecutionException if all workers are busy
     */
    void startLater(Runnable work) {
        threads.execute(work);
    }

    /**
     * Gives a call to a worker. Waits for one if too many are busy.
     *
     * @throws TlsFailure WORKERS_BUSY if no worker becomes free for so long that all of them may wait for this call
     */
    void start(Runnable call) throws TlsFailure {
        long begun = System.nanoTime();
        boolean isInterrupted = false;
        try {
            boolean isStarted = false;
            while (!isStarted) {
                try {
                    threads.execute(call);
                    isStarted = true;
                } catch (RejectedExecutionException | OutOfMemoryError busy) {
                    requireWorkers(busy);
                    try {
                        isStarted = threads.getQueue().offer(call, limits.patienceMs, TimeUnit.MILLISECONDS);
                        if (!isStarted) {
                            requireProgress(begun);
                            allowOneMore();
                        }
                    } catch (InterruptedException e) {
                        isInterrupted = true;
                    }
                }
            }
        } finally {
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Throws the error if there is no worker to wait for: the system allows no thread. */
    private void requireWorkers(Throwable busy) {
        if (busy instanceof OutOfMemoryError && threads.getPoolSize() == 0) {
            throw (OutOfMemoryError) busy;
        }
    }

    /** Refuses a call if no worker has become free since it began to wait, and for the time of a standstill. */
    private void requireProgress(long begun) throws TlsFailure {
        long last = freed;
        long since = last - begun > 0 ? last : begun;
        if (System.nanoTime() - since > TimeUnit.MILLISECONDS.toNanos(limits.standstillMs)) {
            throw TlsFailure.of(ErrorCode.WORKERS_BUSY, threads.getPoolSize() + " threads wait in calls, and none has"
                    + " ended one for " + limits.standstillMs + " ms");
        }
    }

    private void allowOneMore() {
        sizing.lock();
        try {
            int allowed = threads.getPoolSize() + 1;
            if (allowed <= limits.most && allowed > threads.getMaximumPoolSize()) {
                threads.setMaximumPoolSize(allowed);
            }
        } finally {
            sizing.unlock();
        }
    }

    /** Lowers the largest number of workers again. Called at the end of each. */
    private void allowFewer() {
        sizing.lock();
        try {
            int allowed = Math.max(limits.usual, threads.getPoolSize());
            if (allowed < threads.getMaximumPoolSize()) {
                threads.setMaximumPoolSize(allowed);
            }
        } finally {
            sizing.unlock();
        }
    }

    /** Returns the number of workers that there can be without a further wait. */
    int allowed() {
        return threads.getMaximumPoolSize();
    }

    /** The bounds of a pool. */
    static final class Limits {
        private final int usual;
        private final int most;
        private final long patienceMs;
        private final long standstillMs;
        private final long idleMs;

        /**
         * Makes the bounds.
         *
         * @param usual the number of workers that start at once
         * @param most the largest number
         * @param patienceMs the time after which a waiting call gets one more
         * @param standstillMs the time without a free worker after which a waiting call is refused
         * @param idleMs the time after which a worker with nothing to do ends
         */
        Limits(int usual, int most, long patienceMs, long standstillMs, long idleMs) {
            this.usual = usual;
            this.most = most;
            this.patienceMs = patienceMs;
            this.standstillMs = standstillMs;
            this.idleMs = idleMs;
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
