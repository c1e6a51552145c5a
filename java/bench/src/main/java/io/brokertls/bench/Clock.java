package io.brokertls.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** The processor time and the Java heap of this thread, which other work of the machine leaves alone. */
final class Clock {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int CALIBRATIONS = 20_000;

    private Clock() {
    }

    static long nanos() {
        return THREADS.getCurrentThreadCpuTime();
    }

    static long allocated() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    /** Returns the shortest time between two looks at the clock, which is part of each interval. */
    static long cost() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < CALIBRATIONS; i++) {
            long start = nanos();
            least = Math.min(least, nanos() - start);
        }
        return least;
    }
}
