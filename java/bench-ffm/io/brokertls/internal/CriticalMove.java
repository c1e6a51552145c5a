package io.brokertls.internal;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * The native function of a record, called by the foreign function interface with access to the Java heap.
 *
 * <p>It is the function of the JNI call, without the environment of JNI: the function uses that only to find the memory
 * of direct buffers, to pin arrays, and to throw. A call of this class gives it two addresses, and must not fail.
 */
public final class CriticalMove {
    private static final MethodHandle MOVE = critical(
            SymbolLookup.loaderLookup().findOrThrow("Java_io_brokertls_internal_NativeEngine_move"),
            FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                    // The environment, the class, the engine and the direction.
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_BOOLEAN,
                    // The source: no array, no direct buffer, but an address and a length.
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_INT,
                    // The destination, in the same way.
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle FILL = critical(Linker.nativeLinker().defaultLookup().findOrThrow("memset"),
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));

    private CriticalMove() {
    }

    @SuppressWarnings("restricted")
    private static MethodHandle critical(MemorySegment function, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(function, descriptor, Linker.Option.critical(true));
    }

    /** Wipes the first bytes of an array, as the native function wipes the plaintext of a wrapped record. */
    public static void wipe(byte[] plaintext, int length) {
        try {
            FILL.invokeExact(MemorySegment.ofArray(plaintext), 0, (long) length);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Moves a record of one heap buffer into another. Advances both and returns the packed result. */
    public static long move(NativeEngine connection, boolean isWrap, ByteBuffer source, int length,
            ByteBuffer destination, int room) {
        byte[] from = source.array();
        byte[] to = destination.array();
        int fromStart = source.arrayOffset() + source.position();
        int toStart = destination.arrayOffset() + destination.position();
        Objects.checkFromIndexSize(fromStart, length, from.length);
        Objects.checkFromIndexSize(toStart, room, to.length);
        if (from == to) {
            throw new IllegalArgumentException("source and destination overlap");
        }
        long packed;
        try {
            packed = (long) MOVE.invokeExact(0L, 0L, connection.pointer(), isWrap,
                    0L, 0L, MemorySegment.ofArray(from).asSlice(fromStart, length), length,
                    0L, 0L, MemorySegment.ofArray(to).asSlice(toStart, room), room);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        } finally {
            Reference.reachabilityFence(connection);
        }
        if (NativeEngine.status(packed) != NativeEngine.DESTINATION_TOO_SMALL) {
            source.position(source.position() + NativeEngine.consumed(packed));
            destination.position(destination.position() + NativeEngine.produced(packed));
        }
        return packed;
    }
}
