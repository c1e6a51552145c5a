package io.brokertls.jsse;

import io.brokertls.internal.NativeEngine;
import java.nio.ByteBuffer;

/**
 * The direct memory of one thread through which heap buffers pass to and from the native library: no array is pinned
 * while a record is encrypted, and the addresses are asked for once. No call relies on what another left in it; the last record, also
 * its plaintext, stays until the thread moves the next one or ends.
 */
final class Bridge {
    /** The longest record: its header, 2^14 bytes and the most that TLS 1.2 adds (RFC 5246 section 6.2.3). */
    static final int PACKET_SIZE = 5 + 16_384 + 2_048;
    /** The longest plaintext of a record. */
    static final int APPLICATION_SIZE = 16_384;

    private static final ThreadLocal<Bridge> OF_THREAD = ThreadLocal.withInitial(Bridge::new);

    final ByteBuffer in = ByteBuffer.allocateDirect(PACKET_SIZE);
    final ByteBuffer out = ByteBuffer.allocateDirect(PACKET_SIZE);
    final long inAddress = NativeEngine.address(in);
    final long outAddress = NativeEngine.address(out);

    static Bridge ofThread() {
        return OF_THREAD.get();
    }

    /** Copies up to {@code most} bytes of the sources, whose positions stay where they are; returns how many. */
    int gather(ByteBuffer[] sources, int offset, int length, int most) {
        in.clear();
        for (int i = offset; i < offset + length && in.position() < most; i++) {
            ByteBuffer source = sources[i].duplicate();
            int taken = Math.min(source.remaining(), most - in.position());
            source.limit(source.position() + taken);
            in.put(source);
        }
        return in.position();
    }

    /** Copies the first {@code length} bytes of {@link #out} to the destinations, which have room for them. */
    void scatter(int length, ByteBuffer[] destinations, int offset, int count) {
        int limit = length;
        out.clear();
        for (int i = offset; i < offset + count && out.position() < limit; i++) {
            out.limit(Math.min(limit, out.position() + destinations[i].remaining()));
            destinations[i].put(out);
        }
    }

    /** Moves the sources on by {@code length} bytes. */
    static void advance(int length, ByteBuffer[] sources, int offset, int count) {
        int left = length;
        for (int i = offset; i < offset + count && left > 0; i++) {
            int taken = Math.min(left, sources[i].remaining());
            sources[i].position(sources[i].position() + taken);
            left -= taken;
        }
    }
}
