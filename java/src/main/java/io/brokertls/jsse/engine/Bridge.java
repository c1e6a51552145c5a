package io.brokertls.jsse.engine;

import io.brokertls.internal.NativeEngine;
import java.nio.ByteBuffer;
import java.security.AccessController;
import java.security.PrivilegedAction;

/**
 * Moves records between the caller of an engine and the native library. Direct buffers are passed as they are. The
 * arrays of heap buffers are pinned for a large record, and copied through direct memory of a pool for a small one,
 * which takes less time. All are copied if the JVM gives native code copies of arrays, or if the property
 * {@code brokertls.native.pin} is {@code false}.
 *
 * <p>The memory of the pool is wiped after each record.
 */
final class Bridge {
    /** The largest length in a packed result. */
    private static final int MOST_BYTES = 0xff_ffff;
    /** The shortest record in bytes for which arrays are pinned. */
    private static final int PINNED_MIN = 4096;
    private static final String PIN_PROPERTY = "brokertls.native.pin";
    private static final byte[] ZEROES = new byte[NativeEngine.PACKET_SIZE];
    private static volatile boolean pins = mayPin() && NativeEngine.pins(new byte[1]);

    /** Its place in the pool. */
    final int place;
    private final ByteBuffer in = ByteBuffer.allocateDirect(NativeEngine.PACKET_SIZE);
    private final ByteBuffer out = ByteBuffer.allocateDirect(NativeEngine.PACKET_SIZE);
    private final long inAddress = NativeEngine.address(in);
    private final long outAddress = NativeEngine.address(out);
    /** The numbers of bytes to wipe. */
    private int inUsed;
    private int outUsed;

    Bridge(int place) {
        this.place = place;
    }

    /** Reads the property for programs without the permission, too. */
    private static boolean mayPin() {
        return AccessController.doPrivileged((PrivilegedAction<Boolean>) () ->
                Boolean.parseBoolean(System.getProperty(PIN_PROPERTY, "true")));
    }

    /**
     * Wraps pending records, or one record of the source's bytes. Advances the buffers and returns the packed result.
     *
     * @param mayPin false during the handshake, in which a call can take long
     */
    static long wrap(NativeEngine connection, ByteBuffer source, ByteBuffer destination, boolean mayPin) {
        int length = Math.min(source.remaining(), NativeEngine.APPLICATION_SIZE);
        int room = Math.min(destination.remaining(), MOST_BYTES);
        long packed;
        if (source.isDirect() && destination.isDirect()) {
            packed = connection.wrap(null, source, source.position(), length,
                    null, destination, destination.position(), room);
        } else if (mayPin && pins && length >= PINNED_MIN && arePinned(source, destination)) {
            packed = connection.wrap(array(source), direct(source), offset(source), length,
                    array(destination), direct(destination), offset(destination), room);
            if (NativeEngine.status(packed) == NativeEngine.NOT_PINNED) {
                pins = false;
                return wrapCopy(connection, source, length, destination);
            }
        } else {
            return wrapCopy(connection, source, length, destination);
        }
        return advanced(packed, source, destination);
    }

    /** Unwraps at most one record. Advances the buffers and returns the packed result. */
    static long unwrap(NativeEngine connection, ByteBuffer source, ByteBuffer destination, boolean mayPin) {
        int recordLength = Buffers.recordLength(source);
        int length = Math.min(recordLength, source.remaining());
        int room = Math.min(destination.remaining(), MOST_BYTES);
        // A record that is not complete pins nothing: collections of the heap can wait for a pinned array.
        boolean canPin = mayPin && pins && length >= PINNED_MIN && length == recordLength;
        long packed;
        // Decryption can happen in place, so the content of a read-only buffer is copied.
        if (source.isDirect() && destination.isDirect() && !source.isReadOnly()) {
            packed = connection.unwrap(null, source, source.position(), length,
                    null, destination, destination.position(), room);
        } else if (canPin && !source.isReadOnly() && arePinned(source, destination)) {
            packed = connection.unwrap(array(source), direct(source), offset(source), length,
                    array(destination), direct(destination), offset(destination), room);
            if (NativeEngine.status(packed) == NativeEngine.NOT_PINNED) {
                pins = false;
                return unwrapCopy(connection, source, length, destination);
            }
        } else {
            return unwrapCopy(connection, source, length, destination);
        }
        return advanced(packed, source, destination);
    }

    /** Wraps as {@link #wrap(NativeEngine, ByteBuffer, ByteBuffer, boolean)} from several sources. */
    static long wrap(NativeEngine connection, ByteBuffer[] sources, int offset, int length, ByteBuffer destination,
            boolean mayPin) {
        return length == 1 ? wrap(connection, sources[offset], destination, mayPin)
                : wrapGathered(connection, sources, offset, length, destination);
    }

    /** Unwraps as {@link #unwrap(NativeEngine, ByteBuffer, ByteBuffer, boolean)} into several destinations. */
    static long unwrap(NativeEngine connection, ByteBuffer source, ByteBuffer[] destinations, int offset, int length,
            boolean mayPin) {
        if (length == 1 || length > 1 && destinations[offset].remaining() >= NativeEngine.APPLICATION_ROOM) {
            return unwrap(connection, source, destinations[offset], mayPin);
        }
        Bridge bridge = BridgePool.take();
        try {
            return bridge.unwrapAndScatter(connection, source, destinations, offset, length);
        } finally {
            BridgePool.give(bridge);
        }
    }

    private static long wrapCopy(NativeEngine connection, ByteBuffer source, int length, ByteBuffer destination) {
        Bridge bridge = BridgePool.take();
        try {
            return bridge.copyAndWrap(connection, source, length, destination);
        } finally {
            BridgePool.give(bridge);
        }
    }

    private static long wrapGathered(NativeEngine connection, ByteBuffer[] sources, int offset, int length,
            ByteBuffer destination) {
        Bridge bridge = BridgePool.take();
        try {
            return bridge.gatherAndWrap(connection, sources, offset, length, destination);
        } finally {
            BridgePool.give(bridge);
        }
    }

    private static long unwrapCopy(NativeEngine connection, ByteBuffer source, int length, ByteBuffer destination) {
        Bridge bridge = BridgePool.take();
        try {
            return bridge.copyAndUnwrap(connection, source, length, destination);
        } finally {
            BridgePool.give(bridge);
        }
    }

    /** Wipes the plaintext. The native library wipes that of a wrapped record. */
    void wipe() {
        if (outUsed > 0) {
            out.clear();
            out.put(ZEROES, 0, outUsed);
            outUsed = 0;
        }
        if (inUsed > 0) {
            in.clear();
            in.put(ZEROES, 0, inUsed);
            inUsed = 0;
        }
    }

    /** Returns true if no side must be copied: each is direct or has an array, and the two arrays differ. */
    private static boolean arePinned(ByteBuffer source, ByteBuffer destination) {
        return (source.isDirect() || source.hasArray()) && (destination.isDirect() || destination.hasArray())
                && !(source.hasArray() && destination.hasArray() && source.array() == destination.array());
    }

    private static byte[] array(ByteBuffer buffer) {
        return buffer.isDirect() ? null : buffer.array();
    }

    private static ByteBuffer direct(ByteBuffer buffer) {
        return buffer.isDirect() ? buffer : null;
    }

    private static int offset(ByteBuffer buffer) {
        return buffer.isDirect() ? buffer.position() : buffer.arrayOffset() + buffer.position();
    }

    private static long advanced(long packed, ByteBuffer source, ByteBuffer destination) {
        if (NativeEngine.status(packed) != NativeEngine.DESTINATION_TOO_SMALL) {
            source.position(source.position() + NativeEngine.consumed(packed));
            destination.position(destination.position() + NativeEngine.produced(packed));
        }
        return packed;
    }

    private long copyAndWrap(NativeEngine connection, ByteBuffer source, int length, ByteBuffer destination) {
        in.clear();
        inUsed = length;
        copy(source, length);
        long packed = wrapCopied(connection, length, destination);
        if (NativeEngine.status(packed) != NativeEngine.DESTINATION_TOO_SMALL) {
            source.position(source.position() + NativeEngine.consumed(packed));
        }
        return packed;
    }

    private long gatherAndWrap(NativeEngine connection, ByteBuffer[] sources, int offset, int length,
            ByteBuffer destination) {
        long packed = wrapCopied(connection, gather(sources, offset, length), destination);
        if (NativeEngine.status(packed) != NativeEngine.DESTINATION_TOO_SMALL) {
            advance(NativeEngine.consumed(packed), sources, offset, length);
        }
        return packed;
    }

    /** Wraps the first {@code length} bytes of {@link #in}. */
    private long wrapCopied(NativeEngine connection, int length, ByteBuffer destination) {
        boolean isDirect = destination.isDirect();
        int room = Math.min(destination.remaining(), isDirect ? MOST_BYTES : NativeEngine.PACKET_SIZE);
        long packed = connection.wrap(null, null, inAddress, length,
                null, direct(destination), isDirect ? destination.position() : outAddress, room);
        inUsed = 0;
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
        return packed;
    }

    private long copyAndUnwrap(NativeEngine connection, ByteBuffer source, int length, ByteBuffer destination) {
        boolean isDirect = destination.isDirect();
        int room = isDirect ? Math.min(destination.remaining(), MOST_BYTES) : roomFor(destination.remaining());
        in.clear();
        noteUnwrap(length, room, isDirect);
        copy(source, length);
        long packed = connection.unwrap(null, null, inAddress, length,
                null, direct(destination), isDirect ? destination.position() : outAddress, room);
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
        source.position(source.position() + NativeEngine.consumed(packed));
        return packed;
    }

    private long unwrapAndScatter(NativeEngine connection, ByteBuffer source, ByteBuffer[] destinations, int offset,
            int length) {
        int recordLength = Math.min(Buffers.recordLength(source), source.remaining());
        int room = roomFor(Buffers.remaining(destinations, offset, length));
        in.clear();
        noteUnwrap(recordLength, room, false);
        copy(source, recordLength);
        long packed = connection.unwrap(null, null, inAddress, recordLength, null, null, outAddress, room);
        if (NativeEngine.status(packed) == NativeEngine.DESTINATION_TOO_SMALL) {
            return packed;
        }
        scatter(NativeEngine.produced(packed), destinations, offset, length);
        source.position(source.position() + NativeEngine.consumed(packed));
        return packed;
    }

    /** Notes where plaintext will be. A record is decrypted in its place only if the room is shorter than it. */
    private void noteUnwrap(int length, int room, boolean isDirect) {
        outUsed = isDirect ? 0 : length;
        inUsed = room < length ? length : 0;
    }

    /** Returns the room of {@link #out} for a caller with this room: all of it if every plaintext fits. */
    private static int roomFor(long remaining) {
        return remaining >= NativeEngine.APPLICATION_SIZE ? NativeEngine.PACKET_SIZE : (int) remaining;
    }

    /** Copies the bytes for one record from the sources without advancing them. Returns their number. */
    private int gather(ByteBuffer[] sources, int offset, int length) {
        in.clear();
        inUsed = (int) Math.min(Buffers.remaining(sources, offset, length), NativeEngine.APPLICATION_SIZE);
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
