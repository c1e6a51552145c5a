package io.brokertls.internal;

import java.lang.ref.WeakReference;

/**
 * The thread that keeps fresh what a context has fetched. It is one of Java's, and a daemon: a JVM waits for any other
 * before it ends. It ends when it is told to, and soon after the context is collected.
 */
public final class Maintenance {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final long REST_AFTER_DEFECT_MS = 60_000;

    private final Object lock = new Object();
    private boolean isStarted;
    private boolean isOver;
    private boolean isWoken;

    /**
     * Starts the thread; further calls do nothing.
     *
     * @throws IllegalStateException after the end
     */
    public void start(NativeContext context) {
        synchronized (lock) {
            if (isOver) {
                throw new IllegalStateException("closed");
            }
            if (isStarted) {
                return;
            }
            isStarted = true;
        }
        WeakReference<NativeContext> reference = new WeakReference<>(context);
        Thread thread = new Thread(() -> run(reference), "brokertls-maintenance");
        thread.setDaemon(true);
        thread.start();
    }

    /** Has the thread look at once whether something is due, if there is one. */
    public void wake() {
        synchronized (lock) {
            isWoken = true;
            lock.notifyAll();
        }
    }

    /** Has the thread end, now or after the fetches that are under way. */
    public void end() {
        synchronized (lock) {
            isOver = true;
            lock.notifyAll();
        }
    }

    private void run(WeakReference<NativeContext> reference) {
        for (long rest = maintain(reference.get()); rest > 0; rest = maintain(reference.get())) {
            if (!pause(rest)) {
                return;
            }
        }
    }

    /** How long there is to rest, in milliseconds; 0 where the context is gone. */
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

    /** Whether the thread goes on after its rest. */
    private boolean pause(long milliseconds) {
        long end = System.nanoTime() + milliseconds * 1_000_000;
        synchronized (lock) {
            try {
                for (long left = milliseconds; left > 0 && !isOver && !isWoken;
                        left = (end - System.nanoTime()) / 1_000_000) {
                    lock.wait(left);
                }
            } catch (InterruptedException e) {
                return false;
            }
            isWoken = false;
            return !isOver;
        }
    }
}
