package io.brokertls.jsse.engine;

import io.brokertls.internal.CriticalMove;
import io.brokertls.internal.NativeEngine;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;

/** A way of a record between heap buffers and the native library, for an engine after its handshake. */
public enum Way {
    /** As the engine does: a small record through memory of the pool, a large one in pinned arrays. */
    JNI {
        @Override
        long move(NativeEngine connection, boolean isWrap, ByteBuffer source, ByteBuffer destination) {
            return isWrap ? Bridge.wrap(connection, source, destination, true)
                    : Bridge.unwrap(connection, source, destination, true);
        }
    },
    /** By the foreign function interface: native code reads and writes the arrays. */
    FFM {
        @Override
        long move(NativeEngine connection, boolean isWrap, ByteBuffer source, ByteBuffer destination) {
            int most = isWrap ? NativeEngine.APPLICATION_SIZE : Buffers.recordLength(source);
            return CriticalMove.move(connection, isWrap, source, Math.min(source.remaining(), most), destination,
                    destination.remaining());
        }
    };

    abstract long move(NativeEngine connection, boolean isWrap, ByteBuffer source, ByteBuffer destination);

    /** Wraps the bytes of the source as one record. */
    public final void wrap(SSLEngine engine, ByteBuffer source, ByteBuffer destination) {
        expectOk(move(((Engine) engine).connection, true, source, destination));
    }

    /** Unwraps one record. */
    public final void unwrap(SSLEngine engine, ByteBuffer source, ByteBuffer destination) {
        expectOk(move(((Engine) engine).connection, false, source, destination));
    }

    private static void expectOk(long packed) {
        if (NativeEngine.status(packed) != NativeEngine.CONTINUE) {
            throw new IllegalStateException("the connection says " + NativeEngine.status(packed));
        }
    }
}
