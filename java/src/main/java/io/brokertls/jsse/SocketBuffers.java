package io.brokertls.jsse;

import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * The buffers of all sockets, lent while there are bytes in them: an idle connection has none.
 *
 * <p>They are heap buffers, because java.net streams read into and write from arrays.
 */
final class SocketBuffers {
    /** Room for three of the largest records and more: one system call moves several. */
    static final int SIZE = 64 * 1024;

    private static final int KEPT = 32;
    private static final ArrayBlockingQueue<ByteBuffer> FREE = new ArrayBlockingQueue<>(KEPT);

    private SocketBuffers() {
    }

    /** An empty buffer with an array, to be given back. */
    static ByteBuffer take() {
        ByteBuffer buffer = FREE.poll();
        return buffer == null ? ByteBuffer.allocate(SIZE) : buffer;
    }

    /** Gives a buffer back; null is fine. Beyond the number that is kept it is left to the collector. */
    static void give(ByteBuffer buffer) {
        if (buffer != null) {
            buffer.clear();
            FREE.offer(buffer);
        }
    }
}
