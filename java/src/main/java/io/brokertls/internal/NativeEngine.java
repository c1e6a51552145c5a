package io.brokertls.internal;

import io.brokertls.TlsFailure;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * One connection of the native library. Used by one thread at a time; its owner holds the lock.
 *
 * <p>{@link #wrap} and {@link #unwrap} move one record (wrap: all handshake records that fit) and return a packed long,
 * read by the static methods here.
 */
public final class NativeEngine extends NativeHandle {
    /** More of the same is welcome. */
    public static final int CONTINUE = 0;
    /** The source holds no whole record. */
    public static final int NEED_RECORD = 1;
    /** {@link #wrap} has records to give first. */
    public static final int NEED_WRAP = 2;
    /** {@link #runTask} has to run. */
    public static final int NEED_TASK = 3;
    /** The destination has no room; nothing was consumed; {@link #produced} is the room that is needed. */
    public static final int DESTINATION_TOO_SMALL = 4;
    /** The peer has sent close_notify. */
    public static final int CLOSED = 5;
    /** The connection has failed; {@link #failure()} says why. */
    public static final int FAILED = 6;

    /** The longest record in bytes: header, 2^14 and the most that TLS 1.2 adds (RFC 5246 section 6.2.3). */
    public static final int PACKET_SIZE = 5 + 16_384 + 2_048;
    /** The longest plaintext of a record in bytes. */
    public static final int APPLICATION_SIZE = 16_384;

    private static final int CONSUMED_SHIFT = 24;
    private static final int STATUS_SHIFT = 48;
    private static final int FLAGS_SHIFT = 56;
    private static final int LENGTH_MASK = 0xff_ffff;
    private static final int BYTE_MASK = 0xff;

    private static final int HANDSHAKING = 1;
    private static final int HAS_OUTGOING = 2;
    private static final int PEER_CLOSED = 4;

    private NativeEngine(long pointer) {
        super(pointer, NativeEngine::free);
    }

    static NativeEngine client(long context, String host, EngineSettings s) throws TlsFailure {
        return new NativeEngine(newClient(context, host, s.versions, s.cipherSuites, s.applicationProtocols,
                s.checksServerName, s.sendsServerName, s.resumesOnly, s.sessionScope));
    }

    static NativeEngine server(long context, EngineSettings s) throws TlsFailure {
        return new NativeEngine(newServer(context, s.versions, s.cipherSuites, s.applicationProtocols, s.clientAuth,
                s.prefersOwnCipherOrder, s.asksAboutHello, s.sessionScope));
    }

    /** What has to happen next: one of the constants here. */
    public static int status(long packed) {
        return (int) (packed >>> STATUS_SHIFT) & BYTE_MASK;
    }

    /** Bytes taken from the source. */
    public static int consumed(long packed) {
        return (int) (packed >>> CONSUMED_SHIFT) & LENGTH_MASK;
    }

    /** Bytes put into the destination. */
    public static int produced(long packed) {
        return (int) packed & LENGTH_MASK;
    }

    /** Whether the handshake is still under way after the call. */
    public static boolean isHandshaking(long packed) {
        return ((int) (packed >>> FLAGS_SHIFT) & HANDSHAKING) != 0;
    }

    /** Whether records wait for {@link #wrap} after the call. */
    public static boolean hasOutgoing(long packed) {
        return ((int) (packed >>> FLAGS_SHIFT) & HAS_OUTGOING) != 0;
    }

    /** Whether the peer's close_notify has been read. */
    public static boolean isPeerClosed(long packed) {
        return ((int) (packed >>> FLAGS_SHIFT) & PEER_CLOSED) != 0;
    }

    /**
     * Takes at most one record. A source or destination is either a direct buffer, or null with the address of memory
     * that stays where it is; the source is decrypted in place.
     */
    public long unwrap(ByteBuffer source, long sourceAddress, int sourceOffset, int sourceLength,
            ByteBuffer destination, long destinationAddress, int destinationOffset, int destinationLength) {
        check(source, sourceOffset, sourceLength);
        check(destination, destinationOffset, destinationLength);
        try {
            return unwrap(pointer(), source, sourceAddress, sourceOffset, sourceLength,
                    destination, destinationAddress, destinationOffset, destinationLength);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Gives records: those of the handshake first, otherwise one with bytes of the source. */
    public long wrap(ByteBuffer source, long sourceAddress, int sourceOffset, int sourceLength,
            ByteBuffer destination, long destinationAddress, int destinationOffset, int destinationLength) {
        check(source, sourceOffset, sourceLength);
        check(destination, destinationOffset, destinationLength);
        try {
            return wrap(pointer(), source, sourceAddress, sourceOffset, sourceLength,
                    destination, destinationAddress, destinationOffset, destinationLength);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Processes the handshake messages that {@link #NEED_TASK} waits for; returns the packed state after it. */
    public long runTask(HandshakeHost host) {
        try {
            return runTask(pointer(), host);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The packed state, without moving anything. */
    public long state() {
        try {
            return state(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Queues close_notify; returns the packed state after it. */
    public long closeWrite() {
        try {
            return closeWrite(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Says that the transport has ended; returns the packed state, {@link #FAILED} without the peer's close_notify. */
    public long endOfInput() {
        try {
            return endOfInput(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What ended the connection, or null. */
    public TlsFailure failure() {
        try {
            return failure(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The peer's certificates, DER, end entity first; empty where it sent none. */
    public byte[][] peerChain() {
        try {
            return peerChain(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The certificates that were shown to the peer; empty where none were. */
    public byte[][] localChain() {
        try {
            return localChain(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Version ({@code TLSv1.3}), cipher suite and group by IANA name, server name, ALPN (ISO-8859-1); null each. */
    public String[] facts() {
        try {
            return facts(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Whether an earlier session was resumed; false during the handshake. */
    public boolean isResumed() {
        try {
            return isResumed(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The number by which the context tells of the connection; never 0. */
    public long id() {
        try {
            return id(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The native side reads where a direct buffer starts; it knows neither whether it is one nor where it ends. */
    private static void check(ByteBuffer buffer, int offset, int length) {
        if (buffer != null) {
            if (!buffer.isDirect()) {
                throw new IllegalArgumentException("not a direct buffer");
            }
            Objects.checkFromIndexSize(offset, length, buffer.capacity());
        }
    }

    /** The address of a direct buffer's first byte. */
    public static native long address(ByteBuffer direct);

    private static native long newClient(long context, String host, String versions, String cipherSuites,
            byte[][] applicationProtocols, int checksServerName, boolean sendsServerName, boolean resumesOnly,
            String sessionScope) throws TlsFailure;

    private static native long newServer(long context, String versions, String cipherSuites,
            byte[][] applicationProtocols, int clientAuth, boolean prefersOwnCipherOrder, boolean asksAboutHello,
            String sessionScope) throws TlsFailure;

    private static native long unwrap(long engine, ByteBuffer source, long sourceAddress, int sourceOffset,
            int sourceLength, ByteBuffer destination, long destinationAddress, int destinationOffset,
            int destinationLength);

    private static native long wrap(long engine, ByteBuffer source, long sourceAddress, int sourceOffset,
            int sourceLength, ByteBuffer destination, long destinationAddress, int destinationOffset,
            int destinationLength);

    private static native long runTask(long engine, HandshakeHost host);

    private static native long state(long engine);

    private static native long closeWrite(long engine);

    private static native long endOfInput(long engine);

    private static native TlsFailure failure(long engine);

    private static native byte[][] peerChain(long engine);

    private static native byte[][] localChain(long engine);

    private static native String[] facts(long engine);

    private static native boolean isResumed(long engine);

    private static native long id(long engine);

    private static native void free(long engine);
}
