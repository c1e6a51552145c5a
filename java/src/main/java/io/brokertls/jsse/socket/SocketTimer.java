package io.brokertls.jsse.socket;

import io.brokertls.internal.Workers;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The timer that closes sockets of peers that do not read. Its thread ends when it has nothing to do. A timer of the
 * JDK would keep the class loader of the application that uses it first.
 */
final class SocketTimer {
    private static final long IDLE_S = 5;
    private static final ScheduledThreadPoolExecutor TIMER = make();

    private SocketTimer() {
    }

    private static ScheduledThreadPoolExecutor make() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1,
                action -> Workers.independent(() -> new Thread(null, action, "brokertls-timer", 0, false)));
        timer.setKeepAliveTime(IDLE_S, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    /** Runs the action after a time, unless it is cancelled before. */
    static Future<?> after(int timeoutMs, Runnable action) {
        return TIMER.schedule(action, timeoutMs, TimeUnit.MILLISECONDS);
    }
}
