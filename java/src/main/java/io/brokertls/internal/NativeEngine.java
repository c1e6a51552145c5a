package io.brokertls.internal;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * One connection of the native library, for use by one thread at a time. Its owner holds the lock.
 *
 * <p>{@link #unwrap} moves one record; {@link #wrap} moves one record of data, or all handshake records that fit. Both
 * return a packed long, which the static methods here read.
 */
public final class NativeEngine extends NativeHandle {
    /** The call can be repeated. */
    public static final int CONTINUE = 0;
    /** The source holds no complete record. */
    public static final int NEED_RECORD = 1;
    /** Records are pending; call {@link #wrap} first. */
    public static final int NEED_WRAP = 2;
    /** Handshake messages are pending; call {@link #runTask}. */
    public static final int NEED_TASK = 3;
    /** The destination is too small. Nothing was consumed, and {@link #produced} is the size it needs. */
    public static final int DESTINATION_TOO_SMALL = 4;
    /** The peer has sent close_notify. */
    public static final int CLOSED = 5;
    /** The connection has failed. {@link #failure()} has the reason. */
    public static final int FAILED = 6;
    /** The JVM gives copies of arrays. Nothing was done; use direct memory. */
    public static final int NOT_PINNED = 7;

    /** The longest record in bytes: header, 2^14 and the most that TLS 1.2 adds (RFC 5246 section 6.2.3). */
    public static final int PACKET_SIZE = 5 + 16_384 + 2_048;
    /** The smallest {@link EngineSettings#maximumRecordSize} in bytes. */
    public static final int LEAST_RECORD_SIZE = 64;
    /** The longest plaintext of a record in bytes. */
    public static final int APPLICATION_SIZE = 16_384;
    /**
     * The room in bytes in which every record is decrypted without a copy: plaintext, content type and padding. It is
     * that of SunJSSE.
     */
    public static final int APPLICATION_ROOM = 16_704;

    private static final int CONSUMED_SHIFT = 24;
    private static final int STATUS_SHIFT = 48;
    private static final int FLAGS_SHIFT = 56;
    private static final int LENGTH_MASK = 0xff_ffff;
    private static final int BYTE_MASK = 0xff;

    private static final int HANDSHAKING = 1;
    private static final int HAS_OUTGOING = 2;
    private static final int PEER_CLOSED = 4;

    /** True if a task can wait or call Java. */
    private final boolean tasksWait;

    private NativeEngine(long pointer, Free freeing, boolean tasksWait) {
        super(pointer, freeing);
        this.tasksWait = tasksWait;
    }

    static NativeEngine client(long context, String host, EngineSettings s, Free freeing, boolean tasksWait)
            throws TlsFailure {
        return new NativeEngine(newClient(context, host, s.versions, s.cipherSuites, s.groups, s.signatureSchemes,
                s.applicationProtocols, s.maximumRecordSize, s.sessionScope, s.checksServerName, s.sendsServerName,
                s.resumesOnly), freeing, tasksWait);
    }

    static NativeEngine server(long context, EngineSettings s, Free freeing, boolean tasksWait) throws TlsFailure {
        boolean calls = tasksWait || s.asksAboutHello;
        return new NativeEngine(newServer(context, s.versions, s.cipherSuites, s.groups, s.signatureSchemes,
                s.applicationProtocols, s.maximumRecordSize, s.sessionScope, s.clientAuth, s.prefersOwnCipherOrder,
                s.asksAboutHello), freeing, calls);
    }

    /** Returns the status: one of the constants here. */
    public static int status(long packed) {
        return (int) (packed >>> STATUS_SHIFT) & BYTE_MASK;
    }

    /** Returns true if the call moved data, and nothing else is to do: {@link #CONTINUE} without a flag. */
    public static boolean isPlain(long packed) {
        return packed >>> STATUS_SHIFT == CONTINUE;
    }

    /** Returns the number of bytes taken from the source. */
    public static int consumed(long packed) {
        return (int) (packed >>> CONSUMED_SHIFT) & LENGTH_MASK;
    }

    /** Returns the number of bytes written to the destination. */
    public static int produced(long packed) {
        return (int) packed & LENGTH_MASK;
    }

    /** Returns true if the handshake is not complete after the call. */
    public static boolean isHandshaking(long packed) {
        return ((int) (packed >>> FLAGS_SHIFT) & HANDSHAKING) != 0;
    }

    /** Returns true if records are pending for {@link #wrap} after the call. */
    public static boolean hasOutgoing(long packed) {
        return ((int) (packed >>> FLAGS_SHIFT) & HAS_OUTGOING) != 0;
    }

    /** Returns true if the peer's close_notify has been read. */
    public static boolean isPeerClosed(long packed) {
        return ((int) (packed >>> FLAGS_SHIFT) & PEER_CLOSED) != 0;
    }

    /**
     * Takes at most one record, and may change its bytes. Otherwise as
     * {@link #wrap(byte[], ByteBuffer, long, int, byte[], ByteBuffer, long, int)}.
     */
    public long unwrap(byte[] source, ByteBuffer directSource, long sourceStart, int sourceLength,
            byte[] destination, ByteBuffer directDestination, long destinationStart, int destinationLength) {
        check(source, directSource, sourceStart, sourceLength);
        check(destination, directDestination, destinationStart, destinationLength);
        try {
            return move(pointer(), false, source, directSource, sourceStart, sourceLength,
                    destination, directDestination, destinationStart, destinationLength);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Writes pending records to the destination, or else one record with bytes of the source. Each side is an array, or
     * else a direct buffer, with the offset of its first byte; or else the address of memory that does not move. An
     * array is pinned during the call, and the two are not the same array. The status is {@link #NOT_PINNED} if the JVM
     * gives a copy.
     */
    public long wrap(byte[] source, ByteBuffer directSource, long sourceStart, int sourceLength,
            byte[] destination, ByteBuffer directDestination, long destinationStart, int destinationLength) {
        check(source, directSource, sourceStart, sourceLength);
        check(destination, directDestination, destinationStart, destinationLength);
        try {
            return move(pointer(), true, source, directSource, sourceStart, sourceLength,
                    destination, directDestination, destinationStart, destinationLength);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Processes the pending handshake messages. Returns the packed state. A virtual thread keeps no carrier.
     *
     * @throws TlsFailure WORKERS_BUSY if too many virtual threads wait; the messages are still pending
     */
    public long runTask(HandshakeHost host) throws TlsFailure {
        try {
            long engine = pointer();
            if (!Workers.isVirtual()) {
                return runTask(engine, host);
            }
            return tasksWait ? Workers.call(() -> runTask(engine, new AskedHost(host))) : runTask(engine, host);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Ends the connection in place of a task that cannot run, and queues the alert. Returns the packed state. */
    public long refuseTask(ErrorCode code) {
        try {
            return refuseTask(pointer(), code.number());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the packed state. */
    public long state() {
        try {
            return state(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Queues close_notify; in the handshake also user_canceled, which ends it. Returns the packed state after it. */
    public long closeWrite() {
        try {
            return closeWrite(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Reports the end of the input. Returns the packed state: {@link #FAILED} without the peer's close_notify. */
    public long endOfInput() {
        try {
            return endOfInput(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the failure that ended the connection, or null. */
    public TlsFailure failure() {
        try {
            return failure(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the certificates that the peer sent, DER, end entity first; empty if it sent none. */
    public byte[][] peerChain() {
        try {
            return peerChain(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the subject of the peer's own certificate, DER, also if its chain is not kept; null if it has none. */
    public byte[] peerName() {
        try {
            return peerName(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the identity of the pre-shared key that authenticated the peer; null if it was something else. */
    public byte[] pskIdentity() {
        try {
            return pskIdentity(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the certificates that were sent to the peer; empty if none were. */
    public byte[][] localChain() {
        try {
            return localChain(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Returns {@link #peerName}, {@link #pskIdentity}, {@link #peerChain}, null and {@link #localChain} as one list, by
     * one call. The name is null for a peer with a chain.
     */
    public byte[][] chains() {
        try {
            return chains(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Returns version ({@code TLSv1.3}), cipher suite and group by IANA name, server name, and ALPN; each can be null.
     * The first three are the same objects each time.
     */
    public String[] facts() {
        try {
            return facts(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns true if an earlier session was resumed; false during the handshake. */
    public boolean isResumed() {
        try {
            return isResumed(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns true if the peer has sent a whole record of TLS, and on a client. */
    public boolean hasBegun() {
        try {
            return hasBegun(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the names of the tolerated deviations of the peer's certificate. */
    public String[] deviations() {
        try {
            return deviations(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Returns two numbers of eight bytes: that of the first connection of the session, and the time of its handshake in
     * seconds, 0 if this is the first. At the first call, the identifier of a session of TLS 1.2 follows.
     */
    public byte[] sessionOrigin() {
        try {
            return sessionOrigin(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the number of the connection in its context; never 0. */
    public long id() {
        try {
            return id(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Drops the expanded keys. The next record makes them again. */
    public void sleep() {
        try {
            sleep(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Checks what the native side cannot: that a buffer is direct, and the bounds. */
    private static void check(byte[] array, ByteBuffer direct, long offset, int length) {
        if (array != null) {
            Objects.checkFromIndexSize(Math.toIntExact(offset), length, array.length);
        } else if (direct != null) {
            if (!direct.isDirect()) {
                throw new IllegalArgumentException("not a direct buffer");
            }
            Objects.checkFromIndexSize(Math.toIntExact(offset), length, direct.capacity());
        }
    }

    /** Returns the address of the first byte of a direct buffer. */
    public static native long address(ByteBuffer direct);

    /** Returns true if this JVM gives native code arrays themselves, and no copies. */
    public static native boolean pins(byte[] array);

    private static native long newClient(long context, String host, String versions, String cipherSuites,
            String groups, String signatureSchemes, byte[][] applicationProtocols, int maximumRecordSize,
            String sessionScope, int checksServerName, boolean sendsServerName, boolean resumesOnly) throws TlsFailure;

    private static native long newServer(long context, String versions, String cipherSuites, String groups,
            String signatureSchemes, byte[][] applicationProtocols, int maximumRecordSize, String sessionScope,
            int clientAuth, boolean prefersOwnCipherOrder, boolean asksAboutHello) throws TlsFailure;

    private static native long move(long engine, boolean isWrap, byte[] source, ByteBuffer directSource,
            long sourceStart, int sourceLength, byte[] destination, ByteBuffer directDestination, long destinationStart,
            int destinationLength);

    private static native long runTask(long engine, HandshakeHost host);

    private static native long refuseTask(long engine, int code);

    private static native long state(long engine);

    private static native long closeWrite(long engine);

    private static native long endOfInput(long engine);

    private static native TlsFailure failure(long engine);

    private static native byte[][] peerChain(long engine);

    private static native byte[] peerName(long engine);

    private static native byte[] pskIdentity(long engine);

    private static native byte[][] localChain(long engine);

    private static native byte[][] chains(long engine);

    private static native String[] facts(long engine);

    private static native boolean isResumed(long engine);

    private static native boolean hasBegun(long engine);

    private static native String[] deviations(long engine);

    private static native byte[] sessionOrigin(long engine);

    private static native long id(long engine);

    private static native void sleep(long engine);

    static native void free(long engine);
}
