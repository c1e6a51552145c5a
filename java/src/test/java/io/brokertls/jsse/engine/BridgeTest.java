package io.brokertls.jsse.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.internal.NativeEngine;
import io.brokertls.peer.EnginePair;
import io.brokertls.peer.Pki;
import io.brokertls.peer.Stack;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The memory of the pool, in which no plaintext stays. */
class BridgeTest {
    private static final byte[] MARK = {17, -5, 99, 3, -71, 40, -2, 86};
    private static final byte UNTOUCHED = 0x5a;
    private static final int[] SIZES = {64, 100, 1000, 4000, 16_384};

    @ParameterizedTest
    @ValueSource(strings = {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"})
    void nothingOfARecordStaysInThePool(String suite) throws Exception {
        EnginePair pair = connected(suite);
        SSLEngine to = pair.server.engine;
        for (int size : SIZES) {
            byte[] content = content(size);
            ByteBuffer[] halves =
                    {ByteBuffer.wrap(content, 0, size / 2), ByteBuffer.wrap(content, size / 2, size - size / 2)};
            ByteBuffer gathered = ByteBuffer.allocate(to.getSession().getPacketBufferSize());
            pair.client.engine.wrap(halves, gathered);
            assertClean();
            ByteBuffer[] parts = {ByteBuffer.allocate(size / 3), ByteBuffer.allocate(size)};
            to.unwrap(gathered.flip(), parts);
            assertClean();
            ByteBuffer record = record(pair.client.engine, ByteBuffer.wrap(content).asReadOnlyBuffer());
            assertClean();
            ByteBuffer plaintext = ByteBuffer.allocate(size);
            to.unwrap(record.asReadOnlyBuffer(), ByteBuffer.allocate(size - 1));
            assertClean();
            to.unwrap(record.asReadOnlyBuffer(), plaintext);
            assertArrayEquals(content, plaintext.array());
            assertClean();
            plaintext = ByteBuffer.allocateDirect(size);
            to.unwrap(record(pair.client.engine, ByteBuffer.wrap(content)).asReadOnlyBuffer(), plaintext);
            assertEquals(ByteBuffer.wrap(content), plaintext.flip());
            assertClean();
        }
        ByteBuffer altered = record(pair.client.engine, ByteBuffer.wrap(content(1000)));
        altered.put(500, (byte) ~altered.get(500));
        assertThrows(SSLException.class, () -> to.unwrap(altered, ByteBuffer.allocate(1000)));
        assertClean();
    }

    @Test
    void asManyBridgesAsCallsAtOnceArePooledUpToABoundAndUsedAgain() {
        List<Bridge> first = taken(256);
        assertEquals(256, Set.copyOf(first).size());
        assertTrue(first.stream().allMatch(bridge -> bridge.place >= 0));
        List<Bridge> beyond = taken(2);
        assertTrue(beyond.stream().allMatch(bridge -> bridge.place < 0), "the collector frees these");
        beyond.forEach(BridgePool::give);
        first.forEach(BridgePool::give);
        List<Bridge> again = taken(256);
        assertEquals(Set.copyOf(first), Set.copyOf(again));
        again.forEach(BridgePool::give);
    }

    @Test
    void nothingOfARecordStaysInMemoryBeyondThePool() throws Exception {
        EnginePair pair = connected("TLS_CHACHA20_POLY1305_SHA256");
        List<Bridge> pooled = taken(256);
        try {
            for (int size : SIZES) {
                byte[] content = content(size);
                ByteBuffer record = ByteBuffer.allocate(NativeEngine.PACKET_SIZE);
                moveBeyondThePool(pair.client.engine, "copyAndWrap", ByteBuffer.wrap(content), size, record);
                record.flip();
                // With less room than the record, it is decrypted in its place.
                for (int room : new int[] {size - 1, size}) {
                    ByteBuffer plaintext = ByteBuffer.allocate(room);
                    moveBeyondThePool(pair.server.engine, "copyAndUnwrap", record, record.remaining(), plaintext);
                    assertEquals(room == size ? ByteBuffer.wrap(content) : ByteBuffer.allocate(0), plaintext.flip());
                }
            }
        } finally {
            pooled.forEach(BridgePool::give);
        }
    }

    /** Moves a record through memory that is not of the pool, and looks into it when it has been given back. */
    private static void moveBeyondThePool(SSLEngine engine, String name, ByteBuffer source, int length,
            ByteBuffer destination) throws Exception {
        Method move = Bridge.class.getDeclaredMethod(name, NativeEngine.class, ByteBuffer.class, int.class,
                ByteBuffer.class);
        move.setAccessible(true);
        Bridge beyond = BridgePool.take();
        assertEquals(-1, beyond.place);
        ((Engine) engine).ask(connection -> call(move, beyond, connection, source, length, destination));
        BridgePool.give(beyond);
        assertEquals(-1, find(memory(beyond, "in")));
        assertEquals(-1, find(memory(beyond, "out")));
    }

    private static List<Bridge> taken(int count) {
        List<Bridge> taken = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            taken.add(BridgePool.take());
        }
        return taken;
    }

    /** The bridge wipes what it notes before the call, so that native code must not write anywhere else. */
    @ParameterizedTest
    @ValueSource(strings = {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"})
    void nativeCodePutsPlaintextOnlyWhereTheBridgeWipes(String suite) throws Exception {
        EnginePair pair = connected(suite);
        Bridge bridge = new Bridge(-1);
        for (int size : SIZES) {
            for (int more : new int[] {-1, 0, 1, 15, 16, 17, 22, 29, 300, NativeEngine.PACKET_SIZE}) {
                byte[] content = content(size);
                ByteBuffer record = record(pair.client.engine, ByteBuffer.wrap(content));
                unwrapInto(bridge, pair.server.engine, record, content, size + more);
                if (record.hasRemaining()) {
                    pair.server.engine.unwrap(record, ByteBuffer.allocate(NativeEngine.PACKET_SIZE));
                }
            }
        }
    }

    private static void unwrapInto(Bridge bridge, SSLEngine to, ByteBuffer record, byte[] content, int room)
            throws Exception {
        int length = record.remaining();
        ByteBuffer in = memory(bridge, "in");
        ByteBuffer out = memory(bridge, "out");
        byte[] untouched = new byte[NativeEngine.PACKET_SIZE];
        Arrays.fill(untouched, UNTOUCHED);
        in.duplicate().clear().put(untouched);
        out.duplicate().clear().put(untouched);
        ByteBuffer ciphertext = ByteBuffer.wrap(new byte[length]).put(record.duplicate()).flip();
        ByteBuffer plaintext = ByteBuffer.allocate(room);
        Method unwrap = Bridge.class.getDeclaredMethod("copyAndUnwrap", NativeEngine.class, ByteBuffer.class, int.class,
                ByteBuffer.class);
        unwrap.setAccessible(true);
        Object packed = ((Engine) to).ask(connection -> call(unwrap, bridge, connection, record, length, plaintext));
        boolean isTooSmall = NativeEngine.status((long) packed) == NativeEngine.DESTINATION_TOO_SMALL;
        assertEquals(room < content.length, isTooSmall);
        String what = content.length + " bytes, room for " + room;
        assertUntouched(out, number(bridge, "outUsed"), what);
        assertUntouched(in, length, what);
        if (number(bridge, "inUsed") == 0) {
            assertEquals(ciphertext, in.duplicate().clear().limit(length), what);
        }
        bridge.wipe();
        assertEquals(-1, find(in), what);
        assertEquals(-1, find(out), what);
    }

    private static Object call(Method method, Object target, Object... arguments) {
        try {
            return method.invoke(target, arguments);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void assertUntouched(ByteBuffer memory, int from, String what) {
        ByteBuffer all = memory.duplicate().clear();
        for (int i = from; i < all.limit(); i++) {
            assertEquals(UNTOUCHED, all.get(i), what + ", at " + i);
        }
    }

    /** Looks through every bridge of the pool. */
    private static void assertClean() throws ReflectiveOperationException {
        Field field = BridgePool.class.getDeclaredField("BRIDGES");
        field.setAccessible(true);
        AtomicReferenceArray<?> bridges = (AtomicReferenceArray<?>) field.get(null);
        boolean isUsed = false;
        for (int i = 0; i < bridges.length(); i++) {
            if (bridges.get(i) instanceof Bridge) {
                isUsed = true;
                Bridge bridge = (Bridge) bridges.get(i);
                assertEquals(-1, find(memory(bridge, "in")));
                assertEquals(-1, find(memory(bridge, "out")));
            }
        }
        assertTrue(isUsed, "records pass through the pool");
    }

    /** Returns the place of a part of the content, or -1. */
    private static int find(ByteBuffer memory) {
        byte[] bytes = new byte[memory.capacity()];
        memory.duplicate().clear().get(bytes);
        for (int i = 0; i + MARK.length <= bytes.length; i++) {
            if (Arrays.equals(MARK, 0, MARK.length, bytes, i, i + MARK.length)) {
                return i;
            }
        }
        return -1;
    }

    private static ByteBuffer memory(Bridge bridge, String name) throws ReflectiveOperationException {
        Field field = Bridge.class.getDeclaredField(name);
        field.setAccessible(true);
        return (ByteBuffer) field.get(bridge);
    }

    private static int number(Bridge bridge, String name) throws ReflectiveOperationException {
        Field field = Bridge.class.getDeclaredField(name);
        field.setAccessible(true);
        return field.getInt(bridge);
    }

    private static byte[] content(int size) {
        byte[] content = new byte[size];
        for (int i = 0; i < size; i++) {
            content[i] = MARK[i % MARK.length];
        }
        assertNotEquals(-1, find(ByteBuffer.wrap(content)));
        return content;
    }

    private static ByteBuffer record(SSLEngine from, ByteBuffer content) throws SSLException {
        ByteBuffer record = ByteBuffer.allocate(from.getSession().getPacketBufferSize());
        from.wrap(content, record);
        return record.flip();
    }

    private static EnginePair connected(String suite) throws SSLException {
        SSLEngine client = Stack.OURS.context(null).createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        client.setEnabledCipherSuites(new String[] {suite});
        SSLEngine server = Stack.OURS.context("ec").createSSLEngine();
        server.setUseClientMode(false);
        EnginePair pair = new EnginePair(client, server);
        pair.handshake();
        return pair;
    }
}
