package io.brokertls.jsse.engine;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The pool of memory for the records of heap buffers: a few places with one bridge each, for all threads of the
 * process. A thread takes the bridge of its own place, or else of another one, for the time of one record. If all are
 * in use, it takes one of the further places, which stay without a bridge until then.
 *
 * <p>No thread waits for another, for a logger that a record calls can have records of its own. Beyond the pool, a
 * thread uses a bridge that the collector frees. Their number is that of the threads in a call: a virtual thread keeps
 * its carrier meanwhile. The limit of direct memory collects those that are no longer used.
 */
final class BridgePool {
    /** A power of two: the number of a thread chooses its place. */
    private static final int PLACES = 32;
    private static final int FURTHER_PLACES = 224;
    /** The distance between two places in references, so that two processors do not share a cache line. */
    private static final int DISTANCE = 16;
    private static final int NO_PLACE = -1;
    /** A bridge, or null in a place with a bridge in use; a place that was never used has {@link #NONE_YET}. */
    private static final AtomicReferenceArray<Object> BRIDGES =
            new AtomicReferenceArray<>((PLACES + FURTHER_PLACES) * DISTANCE);
    private static final Object NONE_YET = new Object();

    static {
        for (int place = 0; place < PLACES + FURTHER_PLACES; place++) {
            BRIDGES.set(place * DISTANCE, NONE_YET);
        }
    }

    private BridgePool() {
    }

    /** Returns a bridge for the current thread alone, which gives it back. */
    static Bridge take() {
        int own = (int) Thread.currentThread().getId() & PLACES - 1;
        Object taken = BRIDGES.getAndSet(own * DISTANCE, null);
        return taken instanceof Bridge ? (Bridge) taken : takeElsewhere(own, taken);
    }

    private static Bridge takeElsewhere(int own, Object found) {
        Bridge taken = bridge(own, found);
        for (int look = 1; look < PLACES && taken == null; look++) {
            taken = takeAt(own + look & PLACES - 1);
        }
        for (int place = PLACES; place < PLACES + FURTHER_PLACES && taken == null; place++) {
            taken = takeAt(place);
        }
        return taken == null ? new Bridge(NO_PLACE) : taken;
    }

    /** Returns the bridge of a place; null if it is in use. */
    private static Bridge takeAt(int place) {
        return bridge(place, BRIDGES.getAndSet(place * DISTANCE, null));
    }

    private static Bridge bridge(int place, Object taken) {
        return taken == NONE_YET ? made(place * DISTANCE) : (Bridge) taken;
    }

    private static Bridge made(int place) {
        Bridge made = null;
        try {
            made = new Bridge(place);
            return made;
        } finally {
            if (made == null) {
                BRIDGES.setRelease(place, NONE_YET);
            }
        }
    }

    /** Wipes a bridge and takes it back. */
    static void give(Bridge bridge) {
        bridge.wipe();
        if (bridge.place != NO_PLACE) {
            BRIDGES.setRelease(bridge.place, bridge);
        }
    }
}
