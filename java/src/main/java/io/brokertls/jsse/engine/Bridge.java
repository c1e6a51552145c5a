package io.brokertls.jsse.engine;

import io.brokertls.internal.NativeEngine;
import java.nio.ByteBuffer;

/**
 * Moves records between the caller of an engine and the native library. Direct buffers are passed as they are. Heap
 * buffers are copied through direct memory of the thread, so that no array is pinned during encryption.
 *
 * <p>No call relies on the content that an earlier call left in that memory. The last record, including its plaintext,
 * stays there until the thread moves the next one or ends.
 */
final class Bridge {
    /** The largest length in a packed result. */
    private static final int MOST_BYTES = 0xff_ffff;
    private static final ThreadLocal<Bridge> OF_THREAD = ThreadLocal.withInitial(Bridge::new);

    private final ByteBuffer in = ByteBuffer.allocateDirect(NativeEngine.PACKET_SIZE);
    private final ByteBuffer out = ByteBuffer.allocateDirect(NativeEngine.PACKET_SIZE);
    private final long inAddress = NativeEngine.address(in);
    private final long outAddress = NativeEngine.address(out);

    static Bridge ofThread() {
        return OF_THREAD.get();
    }

    /**
     * Wraps pending records, or one record of the sources' bytes. Advances the buffers and returns the packed result.
     */
    long wrap(NativeEngine connection, ByteBuffer[] sources, int offset, int length, ByteBuffer destination) {
        ByteBuffer source = length == 1 && sources[offset].isDirect() ? sources[offset] : null;
        int sourceLength = source == null ? gather(sources, offset, length)
                : Math.min(source.remaining(), NativeEngine.APPLICATION_SIZE);
        boolean isDirect = destination.isDirect();
        int room = Math.min(destination.remaining(), isDirect ? MOST_BYTES : NativeEngine.PACKET_SIZE);
        long packed = connection.wrap(source, inAddress, source == null ? 0 : source.position(), sourceLength,
                isDirect ? destination : null, outAddress, isDirect ? destination.position() : 0, room);
        if (NativeEngine.status(packed) == NativeEngine.DESTINATION_TOO_SMALL) {
            return packed;
        }
        int produced = NativeEngine.produced(packed);
        if (isDirect) {
            destination.position(destination.position() + produced);
        } else {
            out.limit(produced).position(0);
            destination.put(out);
        }
        advance(NativeEngine.consumed(packed), sources, offset, length);
        return packed;
    }

    /** Unwraps at most one record. Advances the buffers and returns the packed result. */
    long unwrap(NativeEngine connection, ByteBuffer source, ByteBuffer[] destinations, int offset, int length) {
        int recordLength = Math.min(Buffers.recordLength(source), source.remaining());
        // Decryption happens in place, so the content of a read-only buffer is copied first.
        boolean isSourceDirect = source.isDirect() && !source.isReadOnly();
        if (!isSourceDirect) {
            in.clear();
            copy(source, recordLength);
        }
        ByteBuffer first = length == 0 ? null : destinations[offset];
        boolean isDirect = first != null && first.isDirect()
                && (length == 1 || first.remaining() >= Math.min(recordLength, NativeEngine.APPLICATION_SIZE));
        int room = isDirect ? Math.min(first.remaining(), MOST_BYTES)
                : (int) Math.min(Buffers.remaining(destinations, offset, length), NativeEngine.PACKET_SIZE);
        long packed = connection.unwrap(isSourceDirect ? source : null, inAddress,
                isSourceDirect ? source.position() : 0, recordLength, isDirect ? first : null, outAddress,
                isDirect ? first.position() : 0, room);
        if (NativeEngine.status(packed) == NativeEngine.DESTINATION_TOO_SMALL) {
            return packed;
        }
        int produced = NativeEngine.produced(packed);
        if (isDirect) {
            first.position(first.position() + produced);
        } else {
            scatter(produced, destinations, offset, length);
        }
        source.position(source.position() + NativeEngine.consumed(packed));
        return packed;
    }

    /** Copies the bytes for one record from the sources without advancing them. Returns their number. */
    private int gather(ByteBuffer[] sources, int offset, int length) {
        in.clear();
        for (int i = offset; i < offset + length && in.position() < NativeEngine.APPLICATION_SIZE; i++) {
            copy(sources[i], Math.min(sources[i].remaining(), NativeEngine.APPLICATION_SIZE - in.position()));
        }
        return in.position();
    }

    /** Appends {@code length} bytes of a source to {@link #in} without advancing the source. */
    private void copy(ByteBuffer source, int length) {
        if (source.hasArray()) {
            in.put(source.array(), source.arrayOffset() + source.position(), length);
        } else {
            ByteBuffer part = source.duplicate();
            part.limit(part.position() + length);
            in.put(part);
        }
    }

    /** Copies the first {@code length} bytes of {@link #out} to the destinations, which are large enough. */
    private void scatter(int length, ByteBuffer[] destinations, int offset, int count) {
        out.limit(0).position(0);
        for (int i = offset; i < offset + count && out.position() < length; i++) {
            out.limit(Math.min(length, out.position() + destinations[i].remaining()));
            destinations[i].put(out);
        }
    }

    /** Advances the sources by {@code length} bytes. */
    private static void advance(int length, ByteBuffer[] sources, int offset, int count) {
        int left = length;
        for (int i = offset; i < offset + count && left > 0; i++) {
            int taken = Math.min(left, sources[i].remaining());
            sources[i].position(sources[i].position() + taken);
            left -= taken;
        }
    }
}
