package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;

/** The kinds of buffers that callers of an engine use. Around each lie bytes that no call may change. */
enum BufferKind {
    HEAP(false, false, 0), HEAP_OFFSET(false, false, 13), HEAP_SLICE(false, true, 21),
    DIRECT(true, false, 0), DIRECT_OFFSET(true, false, 7), DIRECT_SLICE(true, true, 33),
    HEAP_READ_ONLY(false, false, 5), DIRECT_READ_ONLY(true, true, 9);

    private static final byte CANARY = (byte) 0xa5;

    private final boolean direct;
    private final boolean slice;
    private final int margin;

    BufferKind(boolean direct, boolean slice, int margin) {
        this.direct = direct;
        this.slice = slice;
        this.margin = margin;
    }

    boolean isWritable() {
        return this != HEAP_READ_ONLY && this != DIRECT_READ_ONLY;
    }

    /** A buffer with this content between its position and its limit. */
    Guarded source(byte[] content) {
        Guarded made = new Guarded(this, content.length);
        for (int i = 0; i < content.length; i++) {
            made.whole.put(margin + i, content[i]);
        }
        return made;
    }

    /** A writable buffer with this much room. */
    Guarded destination(int length) {
        if (!isWritable()) {
            throw new IllegalArgumentException(name());
        }
        return new Guarded(this, length);
    }

    /** A buffer as a caller hands it over, and the memory around it. */
    static final class Guarded {
        final ByteBuffer buffer;
        private final ByteBuffer whole;
        private final int start;
        private final int end;

        private Guarded(BufferKind kind, int length) {
            int capacity = length + 2 * kind.margin;
            whole = kind.direct ? ByteBuffer.allocateDirect(capacity) : ByteBuffer.allocate(capacity);
            start = kind.margin;
            end = start + length;
            for (int i = 0; i < capacity; i++) {
                whole.put(i, CANARY);
            }
            ByteBuffer view = whole.duplicate();
            view.position(start).limit(end);
            view = kind.slice ? view.slice() : view;
            buffer = kind.isWritable() ? view : view.asReadOnlyBuffer();
        }

        /** The bytes that a call has put into it. */
        byte[] taken() {
            ByteBuffer view = buffer.duplicate();
            int end = view.position();
            view.limit(end).position(end - written());
            byte[] bytes = new byte[view.remaining()];
            view.get(bytes);
            return bytes;
        }

        private int written() {
            return (end - start) - buffer.remaining();
        }

        /** Nothing outside what a caller handed over has changed, nor what was left free inside. */
        void assertMarginsKept(boolean isDestination) {
            for (int i = 0; i < whole.capacity(); i++) {
                boolean outside = i < start || i >= end || isDestination && i >= start + written();
                if (outside) {
                    assertEquals(CANARY, whole.get(i), "a byte outside position and limit was changed: " + (i - start));
                }
            }
        }

        /** The source still holds what it held. */
        void assertContent(byte[] content) {
            for (int i = 0; i < content.length; i++) {
                assertEquals(content[i], whole.get(start + i), "the plaintext of the caller was changed");
            }
        }
    }
}
