package io.brokertls.jsse.socket;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The buffers of all sockets, lent while there are bytes in them: an idle connection has none. No thread waits for another.
 *
 * <p>They are heap buffers, because java.net streams read into and write from arrays.
 */
final class SocketBuffers {
    /** Room for three of the largest records and more: one system call moves several. */
    static final int SIZE = 64 * 1024;

    private static final int KEPT = 32;
    /** How many places are looked at, beginning with the thread's own, so that threads seldom meet. */
    private static final int LOOKS = 4;
    private static final AtomicReferenceArray<ByteBuffer> FREE = new AtomicReferenceArray<>(KEPT);

    private SocketBuffers() {
    }

    private static int place(int look) {
        return (int) ((Thread.currentThread().getId() + look) % KEPT);
    }

    /** An empty buffer with an array, to be given back. */
    static ByteBuffer take() {
        for (int look = 0; look < LOOKS; look++) {
            ByteBuffer buffer = FREE.getAndSet(place(look), null);
            if (buffer != null) {
                return buffer;
            }
        }
        return ByteBuffer.allocate(SIZE);
    }

    /** Gives a buffer back; null is fine. Beyond the number that is kept it is left to the collector. */
    static void give(ByteBuffer buffer) {
        if (buffer == null) {
            return;
        }
        buffer.clear();
        for (int look = 0; look < LOOKS; look++) {
            if (FREE.compareAndSet(place(look), null, buffer)) {
                return;
            }
        }
    }
}
