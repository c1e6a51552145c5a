package io.brokertls.internal;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A log that never waits on a virtual thread. A logger that waits in a native call keeps the carrier, and up to Java 23
 * inside a monitor too. A worker writes the lines of virtual threads, one after the other. Each context has its own.
 */
public final class LateLog implements NativeLog {
    /** The most lines that wait for a slow logger. Further lines are dropped; the counters of the context have all. */
    static final int WAITING_MOST = 256;

    private final NativeLog log;
    private final ArrayBlockingQueue<Runnable> late = new ArrayBlockingQueue<>(WAITING_MOST);
    private final AtomicBoolean isWriting = new AtomicBoolean();

    /** Makes a log without lines. */
    public LateLog(NativeLog log) {
        this.log = log;
    }

    @Override
    public void write(int level, String line) {
        if (Workers.isVirtual()) {
            writeLate(level, line);
            return;
        }
        Workers.ask(() -> {
            log.write(level, line);
            return null;
        });
    }

    /** Lets a worker write the line. */
    void writeLate(int level, String line) {
        late.offer(() -> log.write(level, line));
        startWriter();
    }

    private void startWriter() {
        if (isWriting.compareAndSet(false, true)) {
            try {
                Workers.startLater(this::writeAll);
            } catch (RejectedExecutionException | OutOfMemoryError e) {
                // The next line tries again.
                isWriting.set(false);
            }
        }
    }

    private void writeAll() {
        for (Runnable line = late.poll(); line != null; line = late.poll()) {
            try {
                line.run();
            } catch (Throwable e) {
                // A log ends neither connections nor workers, not even by an Error.
            }
        }
        isWriting.set(false);
        if (!late.isEmpty()) {
            startWriter();
        }
    }
}
