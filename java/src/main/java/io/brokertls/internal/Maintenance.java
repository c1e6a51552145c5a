package io.brokertls.internal;

import java.lang.ref.WeakReference;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The thread that refreshes the fetched revocation data of one context. It is a daemon thread, which does not keep the
 * JVM alive. It ends with {@link #end()}, and soon after the context was collected.
 */
public final class Maintenance {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final long REST_AFTER_DEFECT_MS = 60_000;
    private static final long END_TIMEOUT_MS = 10_000;

    private final Object lock = new Object();
    /** Counted down as the thread ends. A join of it would keep the carrier of a virtual thread up to Java 23. */
    private final CountDownLatch ended = new CountDownLatch(1);
    private State state = State.NEW;
    private boolean isWoken;
    private Thread thread;

    /**
     * Starts the thread. Further calls do nothing.
     *
     * @throws IllegalStateException after {@link #end()}
     */
    public void start(NativeContext context) {
        synchronized (lock) {
            if (state == State.ENDED) {
                throw new IllegalStateException("closed");
            }
            if (state == State.RUNNING) {
                return;
            }
            state = State.RUNNING;
            WeakReference<NativeContext> reference = new WeakReference<>(context);
            thread = Workers.independent(
                    () -> new Thread(null, () -> run(reference), "brokertls-maintenance", 0, false));
            thread.start();
        }
    }

    /** Makes the thread check at once for work that is due. Does nothing without a thread. */
    public void wake() {
        synchronized (lock) {
            isWoken = true;
            lock.notifyAll();
        }
    }

    /**
     * Ends the thread, and waits for it. A fetch in progress is not interrupted; the wait for it ends after ten
     * seconds. Does not wait if the caller is that thread.
     */
    public void end() {
        Thread ending;
        synchronized (lock) {
            state = State.ENDED;
            ending = thread;
            lock.notifyAll();
        }
        if (ending == null || ending == Thread.currentThread()) {
            return;
        }
        try {
            ended.await(END_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(WeakReference<NativeContext> reference) {
        try {
            long rest = maintain(reference.get());
            while (rest > 0 && pause(rest)) {
                rest = maintain(reference.get());
            }
        } finally {
            ended.countDown();
        }
    }

    /** Returns the time until the next call in milliseconds; 0 if the context is gone. */
    private static long maintain(NativeContext context) {
        try {
            return context == null ? 0 : context.maintain();
        } catch (IllegalStateException e) {
            return 0;
        } catch (RuntimeException e) {
            // A defect in one renewal must not end the others.
            LOG.log(System.Logger.Level.ERROR, "maintenance failed", e);
            return REST_AFTER_DEFECT_MS;
        }
    }

    /** Waits, and returns true if the thread continues. */
    private boolean pause(long milliseconds) {
        long end = System.nanoTime() + milliseconds * 1_000_000;
        synchronized (lock) {
            try {
                for (long left = milliseconds; left > 0 && state == State.RUNNING && !isWoken;
                        left = (end - System.nanoTime()) / 1_000_000) {
                    lock.wait(left);
                }
            } catch (InterruptedException e) {
                return false;
            }
            isWoken = false;
            return state == State.RUNNING;
        }
    }

    /** NEW → RUNNING → ENDED, or NEW → ENDED. */
    private enum State {
        NEW, RUNNING, ENDED
    }
}
