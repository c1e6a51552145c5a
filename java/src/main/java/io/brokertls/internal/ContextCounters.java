package io.brokertls.internal;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.TlsMetrics;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/** The counters of one context. They refer to nothing of it. Safe for use by several threads. */
public final class ContextCounters {
    private static final ErrorCode[] CODES = ErrorCode.values();

    private final LongAdder open = new LongAdder();
    private final LongAdder full = new LongAdder();
    private final LongAdder resumed = new LongAdder();
    private final LongAdder notLogged = new LongAdder();
    private final AtomicLongArray refusals = new AtomicLongArray(CODES.length);
    private long reloads;
    private long failedReloads;
    private Instant lastReload;
    private TlsFailure lastReloadFailure;

    void opened() {
        open.increment();
    }

    void closed() {
        open.decrement();
    }

    /** Counts a complete handshake. */
    public void complete(boolean isResumed) {
        (isResumed ? resumed : full).increment();
    }

    /** Counts a refusal. */
    public void refused(ErrorCode code) {
        refusals.incrementAndGet(code.ordinal());
    }

    /** Counts a refusal without a line in the log. */
    public void leftOut() {
        notLogged.increment();
    }

    /** Counts a reload; {@code failure} is null for one that took effect. */
    synchronized void reloaded(TlsFailure failure) {
        lastReload = Instant.now();
        lastReloadFailure = failure;
        if (failure == null) {
            reloads++;
        } else {
            failedReloads++;
        }
    }

    /** Returns the present numbers. */
    public synchronized TlsMetrics snapshot() {
        Map<ErrorCode, Long> byCode = new EnumMap<>(ErrorCode.class);
        for (ErrorCode code : CODES) {
            long count = refusals.get(code.ordinal());
            if (count > 0) {
                byCode.put(code, count);
            }
        }
        return new TlsMetrics(new long[] {open.sum(), full.sum(), resumed.sum(), notLogged.sum()}, byCode,
                new long[] {reloads, failedReloads}, lastReload, lastReloadFailure);
    }
}
