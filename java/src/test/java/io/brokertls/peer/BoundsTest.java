package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.peer.EnginePair.Side;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.Status;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The results of an engine for buffers that are too short, and the buffers that it does not change. */
class BoundsTest {
    private static final int RECORD_PLAINTEXT_MAX = 16_384;

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void incompleteRecordUnderflowsAndNothingIsConsumed(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        for (Side side : new Side[] {pair.client, pair.server}) {
            byte[] record = record(side.peer, "whole".getBytes());
            for (int length = 0; length < record.length; length++) {
                ByteBuffer source = ByteBuffer.wrap(record, 0, length);
                ByteBuffer destination = ByteBuffer.allocate(side.engine.getSession().getApplicationBufferSize());
                SSLEngineResult result = side.engine.unwrap(source, destination);
                assertEquals(Status.BUFFER_UNDERFLOW, result.getStatus(), "length " + length);
                assertEquals(0, result.bytesConsumed());
                assertEquals(0, source.position());
                assertEquals(0, destination.position());
            }
            side.receive(record);
            side.readAll(Integer.MAX_VALUE);
            assertArrayEquals("whole".getBytes(), side.takePlaintext());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void smallDestinationOfUnwrapOverflowsAndTheRecordStaysReadable(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        for (Side side : new Side[] {pair.client, pair.server}) {
            byte[] record = record(side.peer, new byte[1000]);
            for (int room : new int[] {0, 1, 500, 999}) {
                ByteBuffer source = ByteBuffer.wrap(record.clone());
                ByteBuffer destination = ByteBuffer.allocate(room);
                SSLEngineResult result = side.engine.unwrap(source, destination);
                assertEquals(Status.BUFFER_OVERFLOW, result.getStatus(), "room " + room);
                assertEquals(0, result.bytesConsumed());
                assertEquals(0, source.position());
                assertEquals(0, destination.position());
            }
            side.receive(record);
            side.readAll(Integer.MAX_VALUE);
            assertArrayEquals(new byte[1000], side.takePlaintext());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void smallDestinationOfWrapOverflowsAndNothingIsConsumed(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        for (Side side : new Side[] {pair.client, pair.server}) {
            ByteBuffer source = ByteBuffer.wrap("kept".getBytes());
            ByteBuffer destination = ByteBuffer.allocate(20);
            SSLEngineResult result = side.engine.wrap(source, destination);
            assertEquals(Status.BUFFER_OVERFLOW, result.getStatus());
            assertEquals(0, result.bytesConsumed());
            assertEquals(0, result.bytesProduced());
            assertEquals(0, source.position());
            assertEquals(0, destination.position());
            pair.exchange(side, "after".getBytes());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void bufferSizesAreTheSameBeforeAndAfterTheHandshakeAndSuffice(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("long");
        int[] clientSizes = sizes(pair.client);
        int[] serverSizes = sizes(pair.server);
        pair.handshake();
        if (pairing.client.isStrict()) {
            assertArrayEquals(clientSizes, sizes(pair.client));
        }
        if (pairing.server.isStrict()) {
            assertArrayEquals(serverSizes, sizes(pair.server));
        }
        for (Side side : new Side[] {pair.client, pair.server}) {
            assertTrue(side.engine.getSession().getApplicationBufferSize() >= RECORD_PLAINTEXT_MAX);
            int sent = side.wrap(ByteBuffer.allocate(RECORD_PLAINTEXT_MAX)).bytesConsumed();
            byte[] record = side.peer.takeIncoming();
            assertTrue(record.length <= side.engine.getSession().getPacketBufferSize());
            ByteBuffer destination = ByteBuffer.allocate(side.peer.engine.getSession().getApplicationBufferSize());
            ByteBuffer source = ByteBuffer.wrap(record);
            while (source.hasRemaining()) {
                assertEquals(Status.OK, side.peer.engine.unwrap(source, destination).getStatus());
            }
            assertEquals(sent, destination.position());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void oneWrapConsumesAtMostOneRecordOfPlaintext(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        ByteBuffer source = ByteBuffer.allocate(100_000);
        SSLEngineResult result = pair.server.wrap(source);
        assertTrue(result.bytesConsumed() > 0 && result.bytesConsumed() <= RECORD_PLAINTEXT_MAX);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void everyRecordIsGivenAsSoonAsItIsComplete(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        ByteBuffer joined = ByteBuffer.allocate(100_000);
        for (int i = 0; i < 10; i++) {
            joined.put(record(pair.client, new byte[] {(byte) i}));
        }
        joined.flip();
        ByteBuffer destination = ByteBuffer.allocate(pair.server.engine.getSession().getApplicationBufferSize());
        while (joined.hasRemaining()) {
            assertEquals(Status.OK, pair.server.engine.unwrap(joined, destination).getStatus());
        }
        assertArrayEquals(new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                Arrays.copyOf(destination.array(), destination.position()), "no plaintext stays inside the engine");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void engineIsHandedToAnotherThreadWithCiphertextLeftOver(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        byte[] one = record(pair.client, "first".getBytes());
        byte[] two = record(pair.client, "second".getBytes());
        pair.server.receive(one);
        pair.server.receive(Arrays.copyOf(two, two.length / 2));
        pair.server.readAll(Integer.MAX_VALUE);
        assertArrayEquals("first".getBytes(), pair.server.takePlaintext());
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            other.submit(() -> {
                pair.server.receive(Arrays.copyOfRange(two, two.length / 2, two.length));
                pair.server.readAll(Integer.MAX_VALUE);
                assertArrayEquals("second".getBytes(), pair.server.takePlaintext());
                pair.exchange(pair.server, "answer".getBytes());
                return null;
            }).get(30, TimeUnit.SECONDS);
        } finally {
            other.shutdownNow();
        }
        pair.exchange(pair.client, "back".getBytes());
    }

    private static int[] sizes(Side side) {
        return new int[] {side.engine.getSession().getPacketBufferSize(),
            side.engine.getSession().getApplicationBufferSize()};
    }

    /** Returns the records of a plaintext, without sending them to the peer. */
    private static byte[] record(Side from, byte[] plaintext) throws Exception {
        from.wrap(ByteBuffer.wrap(plaintext));
        return from.peer.takeIncoming();
    }
}
