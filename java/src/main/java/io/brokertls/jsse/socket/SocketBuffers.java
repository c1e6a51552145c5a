package io.brokertls.jsse.socket;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The pool of buffers for all sockets. A socket holds one only while it has bytes, so that an idle connection has none.
 * No thread waits for another.
 *
 * <p>They are heap buffers, because java.net streams use arrays.
 */
final class SocketBuffers {
    /** Enough for three of the largest records, so that one system call moves several. */
    static final int SIZE = 64 * 1024;

    private static final int KEPT = 32;
    /** The number of places to try, from the thread's own, so that threads rarely compete. */
    private static final int LOOKS = 4;
    private static final AtomicReferenceArray<ByteBuffer> FREE = new AtomicReferenceArray<>(KEPT);

    private SocketBuffers() {
    }

    private static int place(int look) {
        return (int) ((Thread.currentThread().getId() + look) % KEPT);
    }

    /** Returns an empty buffer with an array. The caller gives it back. */
    static ByteBuffer take() {
        for (int look = 0; look < LOOKS; look++) {
            ByteBuffer buffer = FREE.getAndSet(place(look), null);
            if (buffer != null) {
                return buffer;
            }
        }
        return ByteBuffer.allocate(SIZE);
    }

    /** Takes a buffer back, or leaves it to the garbage collector if the pool is full. Accepts null. */
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
