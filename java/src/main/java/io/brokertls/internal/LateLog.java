package io.brokertls.internal;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A log that never waits in a native call of a virtual thread, because a logger that waits would keep the carrier. The
 * lines of such a call are written when it has returned.
 */
final class LateLog implements NativeLog {
    private static final Queue<Runnable> LATE = new ConcurrentLinkedQueue<>();

    private final NativeLog log;

    LateLog(NativeLog log) {
        this.log = log;
    }

    @Override
    public void write(int level, String line) {
        if (Workers.isVirtual()) {
            LATE.add(() -> log.write(level, line));
            return;
        }
        Workers.ask(() -> {
            log.write(level, line);
            return null;
        });
    }

    /** Writes the lines of native calls. Called without one. */
    static void flush() {
        for (Runnable line = LATE.poll(); line != null; line = LATE.poll()) {
            try {
                line.run();
            } catch (RuntimeException e) {
                // A log must not end connections.
            }
        }
    }
}
