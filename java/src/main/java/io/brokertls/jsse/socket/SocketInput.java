package io.brokertls.jsse.socket;

import io.brokertls.ErrorCode;
import io.brokertls.internal.NativeEngine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** The ciphertext that a socket has received and its engine has not taken yet. Callers hold the lock of the reader. */
final class SocketInput {
    private static final int HEADER = 5;
    private static final int FIRST_TYPE = 20;
    private static final int LAST_TYPE = 23;
    private static final int MAJOR_VERSION = 3;
    private static final int CLOSED = -1;
    /**
     * The length of the first read beyond a header. The JDK keeps direct memory of the longest read for each thread, so
     * that only connections with much to read ask for more.
     */
    private static final int FIRST_READ = 4096;

    private final InputStream input;
    private final boolean readsAhead;
    /** Bytes that precede the input, or null. */
    private InputStream consumed;
    /** The header of the next record. A reader waits for it without a buffer. */
    private final byte[] header = new byte[HEADER];
    private int headerLength;
    /** The length of the next read. */
    private int reach = FIRST_READ;
    /** The received bytes from position to limit, or null. */
    private ByteBuffer incoming;

    /**
     * Makes an empty input.
     *
     * @param consumed bytes that were read from the input before, or null
     * @param readsAhead true to read beyond the end of a record
     */
    SocketInput(InputStream input, InputStream consumed, boolean readsAhead) {
        this.input = input;
        this.consumed = consumed;
        this.readsAhead = readsAhead;
    }

    /** Returns the bytes to unwrap, after {@link #ready()}. */
    ByteBuffer bytes() {
        return incoming;
    }

    /** Waits for bytes to unwrap. Returns false at the end of the input. */
    boolean ready() throws IOException {
        return incoming != null || fill();
    }

    /** Receives more bytes. Waits for the header without a buffer. Returns false at the end of the input. */
    boolean fill() throws IOException {
        if (incoming == null) {
            if (!readHeader()) {
                return false;
            }
            incoming = SocketBuffers.take();
            incoming.put(header, 0, headerLength).flip();
            headerLength = 0;
            if (!looksLikeRecord() || recordLength() > NativeEngine.PACKET_SIZE || hasWholeRecord()) {
                // The header is enough to refuse bytes that are no record, or a record that is too long.
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
            if (count == reach) {
                reach = Math.min(2 * reach, SocketBuffers.SIZE);
            }
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

    /**
     * Returns the number of bytes to read. Without readsAhead it ends with the record, as later bytes are the
     * application's.
     */
    private int wanted() {
        int room = incoming.remaining();
        if (readsAhead) {
            return Math.min(room, reach);
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

    /** Returns true if a complete record was received. */
    boolean hasWholeRecord() {
        return incoming != null && incoming.remaining() >= HEADER && looksLikeRecord()
                && incoming.remaining() >= recordLength();
    }

    /** Returns the length of the current record, including its header. */
    int recordLength() {
        int start = incoming.position();
        return HEADER + length(incoming.get(start + HEADER - 2), incoming.get(start + HEADER - 1));
    }

    private static int length(byte high, byte low) {
        return (high & 0xff) << 8 | low & 0xff;
    }

    /** Receives without waiting, and returns true if there is a complete record. */
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

    /** Returns an empty buffer to the pool. */
    void release() {
        if (incoming != null && !incoming.hasRemaining()) {
            free();
        }
    }

    /** Returns the buffer and its content to the pool. */
    void free() {
        SocketBuffers.give(incoming);
        incoming = null;
    }

    /** Reads and drops up to {@code most} bytes without waiting. */
    void drain(int most) throws IOException {
        byte[] sink = new byte[2048];
        int left = most;
        while (left > 0 && input.available() > 0) {
            left -= Math.max(input.read(sink), 1);
        }
    }

    /** Reads and drops up to {@code most} bytes, until the end of the input. */
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
