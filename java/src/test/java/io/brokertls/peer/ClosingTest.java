package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.peer.EnginePair.Side;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of engines: in both directions, in one, without notice, twice, and during a handshake. */
class ClosingTest {
    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void closingOneSideThenTheOtherEndsBoth(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        pair.client.engine.closeOutbound();
        assertEquals(Status.CLOSED, pair.client.wrap(ByteBuffer.allocate(0)).getStatus());
        assertTrue(pair.client.engine.isOutboundDone());
        assertEquals(Status.CLOSED, pair.server.unwrap(Integer.MAX_VALUE).getStatus());
        assertTrue(pair.server.engine.isInboundDone());
        pair.server.engine.closeOutbound();
        pair.settle();
        assertDone(pair.client);
        assertDone(pair.server);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#tls13")
    void halfClosedByTheClientStillReadsFromTheServer(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        halfClose(pair, pair.client);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#tls13")
    void halfClosedByTheServerStillReadsFromTheClient(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        halfClose(pair, pair.server);
    }

    private static void halfClose(EnginePair pair, Side side) throws SSLException {
        side.engine.closeOutbound();
        side.wrap(ByteBuffer.allocate(0));
        assertTrue(side.engine.isOutboundDone());
        assertFalse(side.engine.isInboundDone());
        assertEquals(Status.CLOSED, side.peer.unwrap(Integer.MAX_VALUE).getStatus());
        assertTrue(side.peer.engine.isInboundDone());
        assertFalse(side.peer.engine.isOutboundDone());
        pair.exchange(side.peer, "the other direction is open".getBytes());
        side.peer.engine.closeOutbound();
        pair.settle();
        assertDone(side);
        assertDone(side.peer);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void endOfTheTransportWithoutNoticeIsReported(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        for (Side side : new Side[] {pair.client, pair.server}) {
            assertThrows(SSLException.class, () -> side.engine.closeInbound());
            side.engine.closeInbound();
            assertTrue(side.engine.isInboundDone());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void endOfTheTransportAfterNoticeIsSilent(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        pair.client.engine.closeOutbound();
        pair.settle();
        pair.server.engine.closeInbound();
        assertTrue(pair.server.engine.isInboundDone());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void closingAgainAndAgainChangesNothing(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        for (Side side : new Side[] {pair.client, pair.server}) {
            for (int i = 0; i < 3; i++) {
                side.engine.closeOutbound();
            }
        }
        pair.settle();
        for (Side side : new Side[] {pair.client, pair.server}) {
            for (int i = 0; i < 3; i++) {
                side.engine.closeOutbound();
                side.engine.closeInbound();
                SSLEngineResult result = side.engine.wrap(ByteBuffer.allocate(10), ByteBuffer.allocate(20_000));
                assertEquals(Status.CLOSED, result.getStatus());
                assertEquals(0, result.bytesConsumed());
                assertEquals(0, result.bytesProduced());
                result = side.engine.unwrap(ByteBuffer.allocate(100), ByteBuffer.allocate(20_000));
                assertEquals(Status.CLOSED, result.getStatus());
                assertEquals(0, result.bytesConsumed(), "bytes after the end are left alone");
            }
            assertDone(side);
            assertEquals(HandshakeStatus.NOT_HANDSHAKING, side.engine.getHandshakeStatus());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void closedBeforeItBeganIsDone(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        for (Side side : new Side[] {pair.client, pair.server}) {
            side.engine.closeOutbound();
            side.engine.closeInbound();
            SSLEngineResult result = side.wrap(ByteBuffer.allocate(0));
            assertEquals(Status.CLOSED, result.getStatus());
            assertDone(side);
        }
    }

    /** No handshake can follow. The JDK's engine throws from wrap, and does not count its output as done. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void engineWithInputClosedBeforeItBeganSendsNothing(boolean isClient) throws Exception {
        SSLEngine engine = Stack.OURS.context("ec").createSSLEngine(Pki.HOST, 8883);
        engine.setUseClientMode(isClient);
        engine.closeInbound();
        SSLEngineResult result = engine.wrap(ByteBuffer.allocate(0), ByteBuffer.allocate(20_000));
        assertEquals(Status.CLOSED, result.getStatus());
        assertEquals(0, result.bytesProduced());
        assertEquals(HandshakeStatus.NOT_HANDSHAKING, engine.getHandshakeStatus());
        assertTrue(engine.isInboundDone() && engine.isOutboundDone());
        SSLException thrown = assertThrows(SSLException.class, engine::beginHandshake);
        assertTrue(thrown.getMessage().startsWith("BTLS_WRONG_STATE"), thrown.getMessage());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void closedInTheMiddleOfTheHandshakeTellsThePeer(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec").begin();
        pair.client.step(Integer.MAX_VALUE);
        pair.server.step(Integer.MAX_VALUE);
        pair.client.engine.closeOutbound();
        pair.settle();
        assertTrue(pair.client.engine.isOutboundDone());
        assertEquals(0, pair.client.finished);
        assertEquals(0, pair.server.finished);
    }

    private static void assertDone(Side side) {
        assertTrue(side.engine.isInboundDone(), "inbound is done");
        assertTrue(side.engine.isOutboundDone(), "outbound is done");
    }
}
