package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.peer.EnginePair.Side;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Peers that send what they should not: an engine refuses with an SSLException, and does nothing else. */
class HostileTest {
    /**
     * Hostile input for each version, role and peer. A few cases run on the JDK's engine, to show that the test works.
     */
    private static final int MUTATIONS = 500;
    private static final int MUTATIONS_OF_REFERENCE = 20;
    private static final Duration LIMIT = Duration.ofSeconds(120);

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void changedFlightsOfTheClientNeverHarmTheServer(Pairing pairing) {
        assertTimeoutPreemptively(LIMIT, () -> {
            SSLContext clientContext = pairing.client.context(null);
            SSLContext serverContext = pairing.server.context("ec");
            Random random = new Random(7);
            for (int i = 0; i < mutations(pairing.server); i++) {
                EnginePair pair = pairing.engines(clientContext, serverContext).begin();
                hurt(pair, pair.server, pairing.server, random);
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void changedFlightsOfTheServerNeverHarmTheClient(Pairing pairing) {
        assertTimeoutPreemptively(LIMIT, () -> {
            SSLContext clientContext = pairing.client.context(null);
            SSLContext serverContext = pairing.server.context("rsa");
            Random random = new Random(8);
            for (int i = 0; i < mutations(pairing.client); i++) {
                EnginePair pair = pairing.engines(clientContext, serverContext).begin();
                hurt(pair, pair.client, pairing.client, random);
            }
        });
    }

    private static int mutations(Stack victim) {
        return victim.isStrict() ? MUTATIONS : MUTATIONS_OF_REFERENCE;
    }

    /** Runs a handshake with changed flights to the victim, then garbage, then every step that the victim asks for. */
    private static void hurt(EnginePair pair, Side victim, Stack stack, Random random) throws Exception {
        int spared = random.nextInt(3);
        for (int i = 0; i < 200; i++) {
            boolean moved = false;
            try {
                moved = victim.peer.step(Integer.MAX_VALUE);
            } catch (SSLException told) {
                moved = false;
            }
            if (victim.hasIncoming() && spared-- <= 0) {
                victim.receive(changed(victim.takeIncoming(), random));
            }
            try {
                moved |= victim.step(Integer.MAX_VALUE);
            } catch (SSLException e) {
                assertRefusal(stack, e);
                break;
            }
            if (!moved) {
                break;
            }
        }
        byte[] garbage = new byte[random.nextInt(200)];
        random.nextBytes(garbage);
        victim.receive(garbage);
        for (int i = 0; i < 20; i++) {
            try {
                if (!victim.step(Integer.MAX_VALUE)) {
                    break;
                }
            } catch (SSLException e) {
                assertRefusal(stack, e);
            }
        }
        victim.engine.closeOutbound();
        for (int i = 0; i < 10; i++) {
            try {
                SSLEngineResult result = victim.engine.wrap(ByteBuffer.allocate(0), ByteBuffer.allocate(20_000));
                if (result.getStatus() == Status.CLOSED) {
                    return;
                }
            } catch (SSLException e) {
                assertRefusal(stack, e);
            }
            victim.runTasks();
        }
    }

    private static byte[] changed(byte[] flight, Random random) {
        byte[] changed = flight.clone();
        if (changed.length == 0) {
            return changed;
        }
        switch (random.nextInt(5)) {
            case 0:
                changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
                return changed;
            case 1:
                return Arrays.copyOf(changed, random.nextInt(changed.length));
            case 2:
                for (int i = random.nextInt(16); i >= 0; i--) {
                    changed[random.nextInt(changed.length)] = (byte) random.nextInt();
                }
                return changed;
            case 3:
                byte[] longer = Arrays.copyOf(changed, changed.length + 1 + random.nextInt(64));
                int at = random.nextInt(changed.length);
                System.arraycopy(changed, at, longer, longer.length - (changed.length - at), changed.length - at);
                return longer;
            default:
                int header = Math.min(changed.length, 60);
                changed[random.nextInt(header)] = (byte) random.nextInt();
                return changed;
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void plainTextOnATlsPortIsRefused(Pairing pairing) throws Exception {
        SSLException refusal = refusalOf(pairing, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes());
        assertRefusal(pairing.server, refusal);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void recordLongerThanTheLimitIsRefused(Pairing pairing) throws Exception {
        byte[] record = new byte[5 + 0x7000];
        record[0] = 22;
        record[1] = 3;
        record[2] = 3;
        record[3] = 0x70;
        assertStrictRefusal(pairing.server, refusalOf(pairing, record));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void floodOfEmptyHandshakeRecordsIsRefused(Pairing pairing) throws Exception {
        byte[] flood = new byte[5 * 100];
        for (int i = 0; i < flood.length; i += 5) {
            flood[i] = 22;
            flood[i + 1] = 3;
            flood[i + 2] = 3;
        }
        assertStrictRefusal(pairing.server, refusalOf(pairing, flood));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void floodOfTinyRecordsIsReadWithoutLoss(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        for (int i = 0; i < 20_000; i++) {
            pair.client.wrap(ByteBuffer.wrap(new byte[] {(byte) i}));
            if (i % 100 == 99) {
                pair.server.readAll(Integer.MAX_VALUE);
                assertEquals(100, pair.server.takePlaintext().length);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void changedRecordOfDataIsRefusedWithAnAlert(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        pair.client.wrap(ByteBuffer.wrap("data".getBytes()));
        byte[] record = pair.server.takeIncoming();
        record[record.length - 1] ^= 1;
        pair.server.receive(record);
        pair.settle();
        assertNotNull(pair.server.failure);
        assertRefusal(pairing.server, pair.server.failure);
        assertNotNull(pair.client.failure, "an alert tells the client");
        assertEquals(0, pair.server.takePlaintext().length);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void garbageAfterTheCloseIsLeftAlone(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        pair.client.engine.closeOutbound();
        pair.server.engine.closeOutbound();
        pair.settle();
        byte[] garbage = new byte[1000];
        new Random(9).nextBytes(garbage);
        for (Side side : new Side[] {pair.client, pair.server}) {
            SSLEngineResult result = side.engine.unwrap(ByteBuffer.wrap(garbage), ByteBuffer.allocate(20_000));
            assertEquals(Status.CLOSED, result.getStatus());
            assertEquals(0, result.bytesConsumed());
            assertEquals(0, result.bytesProduced());
        }
    }

    private static SSLException refusalOf(Pairing pairing, byte[] bytes) throws Exception {
        EnginePair pair = pairing.engines("ec");
        pair.server.engine.beginHandshake();
        pair.server.receive(bytes);
        pair.settle();
        return pair.server.failure;
    }

    /** The JDK's own engine waits for the rest of such bytes, or skips them. */
    private static void assertStrictRefusal(Stack stack, SSLException refusal) {
        if (stack.isStrict()) {
            assertRefusal(stack, refusal);
        }
    }

    private static void assertRefusal(Stack stack, SSLException refusal) {
        assertNotNull(refusal, "it was not refused");
        if (stack.isStrict()) {
            assertTrue(refusal.getMessage().startsWith("BTLS_"), refusal.getMessage());
        }
    }
}
