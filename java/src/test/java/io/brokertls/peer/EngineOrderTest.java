package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.peer.EnginePair.Side;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The order of an engine's results. Each script drives an engine of the JDK and one of ours against the same peer, an
 * engine of the JDK, and compares what every call returns and what the peer sees.
 */
class EngineOrderTest {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** The calls of one engine with their results, as text. */
    private static final class Subject {
        final Side side;
        final Side peer;
        final boolean isServer;
        final String version;
        final List<String> log = new ArrayList<>();

        Subject(Stack stack, boolean isServer, String version, boolean hasClientCertificate)
                throws SSLException {
            SSLContext ours = stack.context(isServer ? "ec" : hasClientCertificate ? "client" : null);
            SSLContext other = Stack.JDK.context(isServer ? hasClientCertificate ? "client" : null : "ec");
            SSLEngine client = (isServer ? other : ours).createSSLEngine(Pki.HOST, 8883);
            SSLEngine server = (isServer ? ours : other).createSSLEngine();
            client.setUseClientMode(true);
            server.setUseClientMode(false);
            server.setNeedClientAuth(isServer);
            client.setEnabledProtocols(new String[] {version});
            server.setEnabledProtocols(new String[] {version});
            EnginePair pair = new EnginePair(client, server).begin();
            this.side = isServer ? pair.server : pair.client;
            this.peer = isServer ? pair.client : pair.server;
            this.isServer = isServer;
            this.version = version;
        }

        void connect() throws SSLException {
            for (int round = 0; round < 20; round++) {
                move(peer);
                move(side);
            }
        }

        /** Runs the handshake until the peer has completed it, and its last flight has not been read. */
        void connectPeer() throws SSLException {
            for (int round = 0; round < 20; round++) {
                move(peer);
                if (peer.engine.getSession().getProtocol().equals(version)
                        && peer.engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
                    return;
                }
                move(side);
            }
            throw new AssertionError("the handshake does not end");
        }

        private static void move(Side moved) throws SSLException {
            for (int step = 0; step < 50 && !moved.engine.isInboundDone(); step++) {
                moved.step(Integer.MAX_VALUE);
            }
        }

        private String state() {
            return " | " + side.engine.getHandshakeStatus() + (side.engine.isInboundDone() ? ", input done" : "")
                    + (side.engine.isOutboundDone() ? ", output done" : "");
        }

        private void call(String name, Call call) {
            String outcome;
            try {
                SSLEngineResult result = call.run();
                outcome = result == null ? "" : result.getStatus() + " " + result.getHandshakeStatus()
                        + (result.bytesConsumed() > 0 ? ", consumed" : "")
                        + (result.bytesProduced() > 0 ? ", produced" : "");
            } catch (SSLException e) {
                outcome = "an exception";
            }
            log.add(name + ": " + outcome + state());
        }

        /** Reads until the engine takes nothing more of what waits. Runs its tasks, as many as there are. */
        void read() {
            int before;
            do {
                before = side.waiting();
                call("unwrap", () -> side.unwrap(Integer.MAX_VALUE));
                side.runTasks();
                if (log.get(log.size() - 1).startsWith("unwrap: OK NEED_TASK")) {
                    log.remove(log.size() - 1);
                    before = side.waiting() + 1;
                }
            } while (side.hasIncoming() && side.waiting() < before);
            log.add("read: " + new String(side.takePlaintext(), StandardCharsets.UTF_8) + state());
        }

        void write(String content) {
            ByteBuffer source = ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8));
            call("wrap " + content, () -> side.wrap(source));
        }

        void closeOutbound() {
            call("closeOutbound", () -> {
                side.engine.closeOutbound();
                return null;
            });
        }

        void closeInbound() {
            call("closeInbound", () -> {
                side.engine.closeInbound();
                return null;
            });
        }

        void peerWrites(String content) throws SSLException {
            peer.wrap(ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8)));
        }

        void peerCloses() throws SSLException {
            peer.engine.closeOutbound();
            peer.wrap(NOTHING);
        }

        void corrupt() {
            byte[] records = side.takeIncoming();
            records[records.length - 1] ^= 1;
            side.receive(records);
        }

        void peerReads() {
            String outcome = "";
            try {
                move(peer);
                outcome = peer.engine.isInboundDone() ? ", which is closed" : "";
            } catch (SSLException e) {
                outcome = ", which throws " + e.getMessage();
            }
            log.add("peer: " + new String(peer.takePlaintext(), StandardCharsets.UTF_8) + outcome);
        }

        /** Calls everything after a failure, several times. */
        void end() {
            write("");
            write("x");
            peerReads();
            read();
            closeInbound();
            closeOutbound();
            write("");
            peerReads();
        }
    }

    private interface Call {
        SSLEngineResult run() throws SSLException;
    }

    private interface Steps {
        void run(Subject subject) throws Exception;
    }

    private enum Script {
        DATA_BOTH_WAYS(s -> {
            s.connect();
            s.peerWrites("data");
            s.read();
            s.write("answer");
            s.write("");
            s.peerReads();
        }),
        DATA_AND_CLOSE_OF_THE_PEER(s -> {
            s.connect();
            s.peerWrites("last");
            s.peerCloses();
            s.read();
            s.write("half closed");
            s.peerReads();
            s.end();
        }),
        OWN_CLOSE(s -> {
            s.connect();
            s.closeOutbound();
            s.write("");
            s.write("x");
            s.peerWrites("late");
            s.read();
            s.peerReads();
            s.peerCloses();
            s.end();
        }),
        DATA_BEFORE_THE_OWN_CLOSE_IS_WRAPPED(s -> {
            s.connect();
            s.peerWrites("late");
            s.closeOutbound();
            s.read();
            s.write("x");
            s.peerReads();
            s.closeInbound();
            s.end();
        }),
        CLOSE_OF_THE_PEER_BEFORE_THE_OWN_IS_WRAPPED(s -> {
            s.connect();
            s.peerWrites("late");
            s.peerCloses();
            s.closeOutbound();
            s.read();
            s.end();
        }),
        INPUT_CLOSED_WITHOUT_NOTICE(s -> {
            s.connect();
            s.closeInbound();
            s.closeInbound();
            s.write("still written");
            s.peerReads();
            s.closeOutbound();
            s.write("");
            s.peerReads();
            s.end();
        }),
        BOTH_CLOSED_WITHOUT_NOTICE(s -> {
            s.connect();
            s.closeOutbound();
            s.closeInbound();
            s.end();
        }),
        NOTHING_TO_READ(s -> {
            s.connect();
            s.read();
            s.side.receive(new byte[] {23, 3, 3});
            s.read();
            s.write("");
        }),
        WRONG_RECORD(s -> {
            s.connect();
            s.peerWrites("data");
            s.corrupt();
            s.read();
            s.end();
        }),
        WRONG_RECORD_BEHIND_DATA(s -> {
            s.connect();
            s.peerWrites("data");
            s.peerWrites("more");
            s.corrupt();
            s.read();
            s.end();
        }),
        WRONG_RECORD_AFTER_THE_OWN_CLOSE(s -> {
            s.connect();
            s.closeOutbound();
            s.write("");
            s.peerWrites("data");
            s.corrupt();
            s.read();
            s.end();
        }),
        ALERT_OF_THE_PEER(s -> {
            s.connect();
            s.peer.receive(new byte[] {23, 3, 3, 0, 1, 0});
            assertThrows(SSLException.class, () -> s.peer.unwrap(Integer.MAX_VALUE));
            s.peer.wrap(NOTHING);
            s.read();
            s.end();
        });

        final Steps steps;

        Script(Steps steps) {
            this.steps = steps;
        }
    }

    static List<Arguments> scripts() {
        List<Arguments> all = new ArrayList<>();
        for (Script script : Script.values()) {
            for (String version : List.of(Pairing.TLS12, Pairing.TLS13)) {
                all.add(Arguments.of(script, version, true));
                all.add(Arguments.of(script, version, false));
            }
        }
        return all;
    }

    @ParameterizedTest(name = "{0}, {1}, server {2}")
    @MethodSource("scripts")
    void callsReturnWhatThoseOfTheJdkReturn(Script script, String version, boolean isServer) throws Exception {
        Subject expected = new Subject(Stack.JDK, isServer, version, true);
        script.steps.run(expected);
        for (Stack ours : List.of(Stack.OURS, Stack.OURS_WITH_JDK_MANAGERS)) {
            Subject subject = new Subject(ours, isServer, version, true);
            script.steps.run(subject);
            assertEquals(String.join("\n", expected.log), String.join("\n", subject.log));
        }
    }

    /** A client of TLS 1.3 can send with its Finished. Its data does not wait until the tickets are wrapped. */
    @ParameterizedTest
    @EnumSource
    void dataThatComesWithFinishedIsReadBeforeTheTicketsAreWrapped(Stack stack) throws Exception {
        Subject subject = new Subject(stack, true, Pairing.TLS13, true);
        subject.connectPeer();
        subject.peerWrites("with Finished");
        subject.peerCloses();
        subject.read();
        String read = String.join("\n", subject.log);
        assertTrue(read.endsWith("unwrap: OK NEED_WRAP, consumed, produced | NEED_WRAP\n"
                + "unwrap: CLOSED NEED_WRAP, consumed | NEED_WRAP, input done\n"
                + "read: with Finished | NEED_WRAP, input done"), read);
        assertEquals(Pairing.TLS13, subject.side.engine.getSession().getProtocol());
        assertEquals(0, subject.side.finished);
        subject.log.clear();
        subject.write("");
        subject.write("answer");
        subject.peerReads();
        assertEquals(List.of("wrap : OK FINISHED, produced | NOT_HANDSHAKING, input done",
                "wrap answer: OK NOT_HANDSHAKING, consumed, produced | NOT_HANDSHAKING, input done",
                "peer: answer"), subject.log);
    }

    /** The exception is given once, and the alert after it. So it is for each call that meets the failure first. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacksAndVersions")
    void refusalIsThrownBeforeItsAlertIsWrapped(Stack stack, String version) throws Exception {
        for (boolean isByWrap : new boolean[] {true, false}) {
            Subject subject = new Subject(stack, true, version, false);
            subject.connect();
            SSLEngine engine = subject.side.engine;
            assertEquals(HandshakeStatus.NEED_WRAP, engine.getHandshakeStatus());
            assertTrue(engine.isInboundDone() && !engine.isOutboundDone());
            SSLException thrown = assertThrows(SSLException.class,
                    () -> wrapOrUnwrap(subject.side, isByWrap));
            assertEquals(HandshakeStatus.NEED_WRAP, engine.getHandshakeStatus());
            assertTrue(engine.isInboundDone() && !engine.isOutboundDone());
            engine.closeInbound();
            engine.closeOutbound();
            assertEquals(Status.CLOSED, wrapOrUnwrap(subject.side, false).getStatus());
            SSLEngineResult alert = subject.side.wrap(NOTHING);
            assertEquals(Status.CLOSED, alert.getStatus());
            assertTrue(alert.bytesProduced() > 0);
            assertTrue(engine.isOutboundDone());
            assertEquals(HandshakeStatus.NOT_HANDSHAKING, engine.getHandshakeStatus());
            assertEquals(0, subject.side.wrap(NOTHING).bytesProduced());
            String seen = assertThrows(SSLException.class, () -> subject.peer.unwrap(Integer.MAX_VALUE)).getMessage();
            if (stack != Stack.JDK) {
                assertEquals(ErrorCode.CERT_MISSING, ((TlsFailure) thrown.getCause()).code());
                String name = version.equals(Pairing.TLS13) ? "certificate_required" : "handshake_failure";
                assertTrue(seen.endsWith("Received fatal alert: " + name), seen);
            }
        }
    }

    private static SSLEngineResult wrapOrUnwrap(Side side, boolean isWrap) throws SSLException {
        return isWrap ? side.wrap(NOTHING) : side.unwrap(0);
    }

    static List<Arguments> stacksAndVersions() {
        List<Arguments> all = new ArrayList<>();
        for (Stack stack : Stack.values()) {
            all.add(Arguments.of(stack, Pairing.TLS12));
            all.add(Arguments.of(stack, Pairing.TLS13));
        }
        return all;
    }

    /** The peer learns that nothing failed. Pending records of the handshake are sent before. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacksAndVersions")
    void handshakeThatIsClosedEndsWithUserCanceledAndCloseNotify(Stack stack, String version) throws Exception {
        Subject subject = new Subject(stack, true, version, true);
        subject.peer.step(Integer.MAX_VALUE);
        subject.side.unwrap(Integer.MAX_VALUE);
        subject.side.runTasks();
        SSLEngine engine = subject.side.engine;
        engine.closeOutbound();
        assertEquals(HandshakeStatus.NEED_WRAP, engine.getHandshakeStatus());
        assertFalse(engine.isOutboundDone());
        for (int record = 0; record < 10 && !engine.isOutboundDone(); record++) {
            assertTrue(subject.side.wrap(NOTHING).bytesProduced() > 0);
        }
        assertTrue(engine.isOutboundDone());
        assertEquals(Status.CLOSED, subject.side.wrap(NOTHING).getStatus());
        for (int round = 0; round < 20 && !subject.peer.engine.isInboundDone(); round++) {
            subject.peer.unwrap(Integer.MAX_VALUE);
            subject.peer.runTasks();
            if (subject.peer.engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                subject.peer.wrap(NOTHING);
            }
        }
        assertTrue(subject.peer.engine.isInboundDone(), "the peer has read close_notify");
    }
}
