package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.peer.BufferKind.Guarded;
import io.brokertls.peer.EnginePair.Side;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.Status;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Data of every size through every kind of buffer, between every pair of implementations. */
class BuffersTest {
    private static final int[] SIZES = {0, 1, 63, 1024, 16_384, 16_385, 100_000};

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void dataPassesThroughEveryKindOfBuffer(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        Random random = new Random(4);
        for (BufferKind source : BufferKind.values()) {
            for (BufferKind destination : BufferKind.values()) {
                if (destination.isWritable()) {
                    for (int size : SIZES) {
                        byte[] content = new byte[size];
                        random.nextBytes(content);
                        pass(pair.client, pairing.server, content, source, destination);
                        pass(pair.server, pairing.client, content, source, destination);
                    }
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void dataPassesThroughArraysOfBuffers(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        Random random = new Random(5);
        for (int size : SIZES) {
            byte[] content = new byte[size];
            random.nextBytes(content);
            passArrays(pair.client, content);
            passArrays(pair.server, content);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void handshakeAndDataPassOneByteAtATime(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("rsa").oneByteAtATime();
        pair.handshake();
        byte[] content = new byte[3000];
        new Random(6).nextBytes(content);
        pair.exchange(pair.client, content);
        pair.exchange(pair.server, content);
        for (int i = 0; i < 20; i++) {
            pair.exchange(pair.client, new byte[] {(byte) i});
        }
    }

    private static void pass(Side from, Stack reader, byte[] content, BufferKind source, BufferKind destination)
            throws Exception {
        String kinds = source + " -> " + destination + ", " + content.length + " bytes";
        Guarded plaintext = source.source(content);
        BufferKind ciphertext = source.isWritable() || reader.isStrict() ? source : destination;
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        do {
            Guarded record = destination.destination(from.engine.getSession().getPacketBufferSize());
            SSLEngineResult sent = from.engine.wrap(plaintext.buffer, record.buffer);
            assertEquals(Status.OK, sent.getStatus(), kinds);
            record.assertMarginsKept(true);
            byte[] bytes = record.taken();
            assertEquals(sent.bytesProduced(), bytes.length, kinds);
            read.write(open(from.peer, bytes, ciphertext, destination, kinds));
        } while (plaintext.buffer.hasRemaining());
        plaintext.assertMarginsKept(false);
        plaintext.assertContent(content);
        assertArrayEquals(content, read.toByteArray(), kinds);
    }

    private static byte[] open(Side to, byte[] record, BufferKind source, BufferKind destination, String kinds)
            throws Exception {
        Guarded ciphertext = source.source(record);
        Guarded plaintext = destination.destination(to.engine.getSession().getApplicationBufferSize());
        while (ciphertext.buffer.hasRemaining()) {
            SSLEngineResult result = to.engine.unwrap(ciphertext.buffer, plaintext.buffer);
            assertEquals(Status.OK, result.getStatus(), kinds);
        }
        ciphertext.assertMarginsKept(false);
        plaintext.assertMarginsKept(true);
        return plaintext.taken();
    }

    private static void passArrays(Side from, byte[] content) throws Exception {
        int third = content.length / 3;
        Guarded[] parts = {BufferKind.HEAP.source(new byte[] {99}),
            BufferKind.HEAP_OFFSET.source(Arrays.copyOfRange(content, 0, third)),
            BufferKind.DIRECT.source(new byte[0]),
            BufferKind.DIRECT_SLICE.source(Arrays.copyOfRange(content, third, 2 * third)),
            BufferKind.HEAP_READ_ONLY.source(Arrays.copyOfRange(content, 2 * third, content.length)),
            BufferKind.HEAP.source(new byte[] {99})};
        ByteBuffer[] sources = buffers(parts);
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        do {
            ByteBuffer record = ByteBuffer.allocate(from.engine.getSession().getPacketBufferSize());
            assertEquals(Status.OK, from.engine.wrap(sources, 1, 4, record).getStatus());
            record.flip();
            read.write(scatter(from.peer, record));
        } while (sources[1].hasRemaining() || sources[3].hasRemaining() || sources[4].hasRemaining());
        assertEquals(1, sources[0].remaining(), "a buffer before the offset is not touched");
        assertEquals(1, sources[5].remaining(), "a buffer after the length is not touched");
        assertArrayEquals(content, read.toByteArray());
    }

    /** Unwraps into three buffers in the middle of five; they are filled in order. */
    private static byte[] scatter(Side to, ByteBuffer record) throws Exception {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        while (record.hasRemaining()) {
            Guarded[] parts = {BufferKind.HEAP.destination(5), BufferKind.DIRECT_OFFSET.destination(17),
                BufferKind.HEAP_SLICE.destination(1), BufferKind.HEAP_OFFSET.destination(17_000),
                BufferKind.HEAP.destination(5)};
            ByteBuffer[] destinations = buffers(parts);
            SSLEngineResult result = to.engine.unwrap(record, destinations, 1, 3);
            assertEquals(Status.OK, result.getStatus());
            int length = 0;
            boolean full = true;
            for (Guarded part : parts) {
                part.assertMarginsKept(true);
                byte[] bytes = part.taken();
                assertTrue(bytes.length == 0 || full, "buffers are filled in order");
                full = part == parts[0] || full && !part.buffer.hasRemaining();
                read.write(bytes);
                length += bytes.length;
            }
            assertEquals(result.bytesProduced(), length);
            assertEquals(5, destinations[0].remaining());
            assertEquals(5, destinations[4].remaining());
        }
        return read.toByteArray();
    }

    private static ByteBuffer[] buffers(Guarded[] parts) {
        ByteBuffer[] buffers = new ByteBuffer[parts.length];
        for (int i = 0; i < parts.length; i++) {
            buffers[i] = parts[i].buffer;
        }
        return buffers;
    }
}
