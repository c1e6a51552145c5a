package io.brokertls.jsse.monitoring;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.TlsMetrics;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The monitors of contexts: their MBeans, and the events of JFR that are periodic. Nothing here keeps a context from
 * being collected. After the last context, neither the MBean server nor JFR refers to these classes.
 */
public final class Monitoring {
    /** The system property that registers an MBean for each context of the process. */
    public static final String PROPERTY = "brokertls.jmx";

    private static final AtomicLong NUMBERS = new AtomicLong();
    // JFR has locks of its own, and calls back with them held. So none of ours is held while JFR is called.
    private static final Set<Watched> CONTEXTS = Collections.newSetFromMap(new WeakHashMap<>());
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final AtomicInteger CHANGES = new AtomicInteger();
    private static boolean isFlightWatching;

    private Monitoring() {
    }

    /** Returns a name for a context without one: {@code context-1}. */
    public static String newName() {
        return "context-" + NUMBERS.incrementAndGet();
    }

    /** Returns true if contexts are registered that do not ask for it. */
    public static boolean registersAll() {
        // For programs without the permission, under a security manager.
        return AccessController.doPrivileged((PrivilegedAction<Boolean>) () -> Boolean.getBoolean(PROPERTY));
    }

    /**
     * Watches a context.
     *
     * @param counters the counters of the context, which do not refer to it
     * @return the action for its end, to be run once; it does not refer to the context
     * @throws TlsFailure OPTION_CONFLICT if an MBean is wanted and the module java.management is missing
     */
    public static Runnable watch(Watched context, Supplier<TlsMetrics> counters, boolean isRegistered)
            throws TlsFailure {
        Runnable unregister = isRegistered ? register(context, counters) : () -> { };
        synchronized (CONTEXTS) {
            CONTEXTS.add(context);
        }
        COUNT.incrementAndGet();
        settle();
        return () -> end(unregister);
    }

    private static Runnable register(Watched context, Supplier<TlsMetrics> counters) throws TlsFailure {
        try {
            return Management.register(context, counters);
        } catch (LinkageError e) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "an MBean needs the module java.management");
        }
    }

    private static void end(Runnable unregister) {
        unregister.run();
        COUNT.decrementAndGet();
        settle();
    }

    /**
     * Lets JFR watch if there are contexts, and forget if there are none. Of several threads one acts for all, and none
     * waits for another.
     */
    private static void settle() {
        if (CHANGES.getAndIncrement() > 0) {
            return;
        }
        boolean isSettled = false;
        try {
            while (!isSettled) {
                int seen = CHANGES.get();
                follow(COUNT.get() > 0);
                isSettled = CHANGES.compareAndSet(seen, 0);
            }
        } finally {
            // After a failure of JFR the next change tries again.
            if (!isSettled) {
                CHANGES.set(0);
            }
        }
    }

    private static void follow(boolean isWanted) {
        if (isWanted == isFlightWatching) {
            return;
        }
        // For programs without the permission, under a security manager.
        AccessController.doPrivileged((PrivilegedAction<Void>) () -> {
            if (isWanted) {
                // JFR registers the classes of events when it sees the first of them.
                Flight.EVENTS.records();
                Flight.EVENTS.beginReload();
                Flight.EVENTS.watch(Monitoring::contexts);
            } else {
                Flight.EVENTS.forget();
            }
            return null;
        });
        isFlightWatching = isWanted;
    }

    private static Collection<Watched> contexts() {
        synchronized (CONTEXTS) {
            return new ArrayList<>(CONTEXTS);
        }
    }
}
