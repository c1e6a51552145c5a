package io.brokertls.jsse.socket;

import io.brokertls.ErrorCode;
import io.brokertls.internal.NativeEngine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/**
 * The ciphertext that a socket has received and its engine has not taken yet. Whoever calls it holds the lock over
 * reading.
 */
final class SocketInput {
    private static final int HEADER = 5;
    private static final int FIRST_TYPE = 20;
    private static final int LAST_TYPE = 23;
    private static final int MAJOR_VERSION = 3;
    private static final int CLOSED = -1;

    private final InputStream input;
    private final boolean readsAhead;
    /** What comes before the input, or null. */
    private InputStream consumed;
    /** The next record's header: what a reader waits for, without a buffer. */
    private final byte[] header = new byte[HEADER];
    private int headerLength;
    /** From position to limit, or null. */
    private ByteBuffer incoming;

    /**
     * {@code consumed} is what was read of the input before, or null; {@code readsAhead} says that all of the input is ours,
     * beyond the end of a record too.
     */
    SocketInput(InputStream input, InputStream consumed, boolean readsAhead) {
        this.input = input;
        this.consumed = consumed;
        this.readsAhead = readsAhead;
    }

    /** What there is to unwrap, after {@link #ready()}. */
    ByteBuffer bytes() {
        return incoming;
    }

    /** Whether there is something to unwrap; waits for it. False at the end of the input. */
    boolean ready() throws IOException {
        return incoming != null || fill();
    }

    /** Receives more; waits for the header without a buffer. False at the end of the input. */
    boolean fill() throws IOException {
        if (incoming == null) {
            if (!readHeader()) {
                return false;
            }
            incoming = SocketBuffers.take();
            incoming.put(header, 0, headerLength).flip();
            headerLength = 0;
            if (!looksLikeRecord() || recordLength() > NativeEngine.PACKET_SIZE || hasWholeRecord()) {
                // Of what is no record, or too long a one, the header is enough to refuse it.
                return true;
            }
        }
        incoming.compact();
        int count = CLOSED;
        try {
            if (!incoming.hasRemaining()) {
                throw SocketConnection.error(ErrorCode.RECORD_TOO_LARGE, "");
            }
            count = receive(incoming.array(), incoming.position(), wanted());
        } finally {
            incoming.position(incoming.position() + Math.max(count, 0));
            incoming.flip();
        }
        return count >= 0;
    }

    private boolean readHeader() throws IOException {
        while (headerLength < HEADER) {
            int count = receive(header, headerLength, HEADER - headerLength);
            if (count < 0) {
                return false;
            }
            headerLength += count;
        }
        return true;
    }

    private int receive(byte[] bytes, int offset, int length) throws IOException {
        if (consumed != null) {
            int count = consumed.read(bytes, offset, length);
            if (count > 0) {
                return count;
            }
            consumed = null;
        }
        return input.read(bytes, offset, length);
    }

    /** A socket that outlives this one is read to the end of a record and no further: what follows is not ours. */
    private int wanted() {
        int room = incoming.remaining();
        if (readsAhead) {
            return room;
        }
        int have = incoming.position();
        int needed = have < HEADER ? HEADER - have
                : HEADER + length(incoming.get(HEADER - 2), incoming.get(HEADER - 1)) - have;
        return Math.max(1, Math.min(room, needed));
    }

    private boolean looksLikeRecord() {
        int type = incoming.get(incoming.position());
        return type >= FIRST_TYPE && type <= LAST_TYPE && incoming.get(incoming.position() + 1) == MAJOR_VERSION;
    }

    /** Whether a record is here to its end. */
    boolean hasWholeRecord() {
        return incoming != null && incoming.remaining() >= HEADER && looksLikeRecord()
                && incoming.remaining() >= recordLength();
    }

    /** Of the record whose header is here, with the header. */
    int recordLength() {
        int start = incoming.position();
        return HEADER + length(incoming.get(start + HEADER - 2), incoming.get(start + HEADER - 1));
    }

    private static int length(byte high, byte low) {
        return (high & 0xff) << 8 | low & 0xff;
    }

    /** Whether a record is here to its end, with what has arrived; waits for nothing. */
    boolean hasArrived() throws IOException {
        if (incoming == null && (consumed != null || headerLength + input.available() <= HEADER)) {
            return false;
        }
        boolean isMore = ready();
        while (isMore && !hasWholeRecord() && input.available() > 0) {
            isMore = fill();
        }
        return hasWholeRecord();
    }

    /** Gives the buffer back when it is empty. */
    void release() {
        if (incoming != null && !incoming.hasRemaining()) {
            free();
        }
    }

    /** Gives the buffer back with what is in it. */
    void free() {
        SocketBuffers.give(incoming);
        incoming = null;
    }

    /** Reads what has arrived, up to {@code most} bytes, and drops it; waits for nothing. */
    void drain(int most) throws IOException {
        byte[] sink = new byte[2048];
        int left = most;
        while (left > 0 && input.available() > 0) {
            left -= Math.max(input.read(sink), 1);
        }
    }

    /** Reads to the end of the input, up to {@code most} bytes, and drops it. */
    void drainToEnd(int most) throws IOException {
        byte[] sink = new byte[2048];
        int left = most;
        int count = 0;
        while (left > 0 && count >= 0) {
            count = input.read(sink);
            left -= count;
        }
    }
}
