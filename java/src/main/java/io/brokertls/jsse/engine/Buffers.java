package io.brokertls.jsse.engine;

import io.brokertls.internal.NativeEngine;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.Objects;

/** Checks the buffers of an engine's caller without advancing them. */
final class Buffers {
    private static final int HEADER_LENGTH = 5;

    private Buffers() {
    }

    /**
     * Returns the length of the next record, the longest record at most; the length of a header if that is incomplete.
     */
    static int recordLength(ByteBuffer source) {
        if (source.remaining() < HEADER_LENGTH) {
            return HEADER_LENGTH;
        }
        int at = source.position() + HEADER_LENGTH - 2;
        int body = (source.get(at) & 0xff) << 8 | source.get(at + 1) & 0xff;
        return Math.min(HEADER_LENGTH + body, NativeEngine.PACKET_SIZE);
    }

    /** Returns true for a source with bytes. */
    static boolean isReadable(ByteBuffer source) {
        return source != null && source.hasRemaining();
    }

    /** Returns true for a destination that may be written to, even if it is full. */
    static boolean isWritable(ByteBuffer destination) {
        return destination != null && !destination.isReadOnly();
    }

    static void check(ByteBuffer[] buffers, int offset, int length, String what) {
        if (buffers == null) {
            throw new IllegalArgumentException(what + "s are null");
        }
        Objects.checkFromIndexSize(offset, length, buffers.length);
        for (int i = offset; i < offset + length; i++) {
            if (buffers[i] == null) {
                throw new IllegalArgumentException(what + " " + i + " is null");
            }
        }
    }

    static void checkDestination(ByteBuffer destination) {
        if (destination == null) {
            throw new IllegalArgumentException("the destination is null");
        }
        if (destination.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
    }

    static long remaining(ByteBuffer[] buffers, int offset, int length) {
        long sum = 0;
        for (int i = offset; i < offset + length; i++) {
            sum += buffers[i].remaining();
        }
        return sum;
    }
}
