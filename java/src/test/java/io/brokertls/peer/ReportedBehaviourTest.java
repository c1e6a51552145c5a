package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ConnectionFacts;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionBindingEvent;
import javax.net.ssl.SSLSessionBindingListener;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Situations that users of other implementations have reported. If SunJSSE is among the stacks, it passes too. */
class ReportedBehaviourTest {
    private static final byte[] CONTENT = "message".getBytes(StandardCharsets.US_ASCII);

    private static EnginePair pair(Stack client, Stack server, String version) {
        return pair(client.context(null), server.context("ec"), version, Pki.HOST);
    }

    private static EnginePair pair(SSLContext clients, SSLContext servers, String version, String host) {
        SSLEngine client = clients.createSSLEngine(host, 8883);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {version});
        SSLEngine server = servers.createSSLEngine();
        server.setUseClientMode(false);
        return new EnginePair(client, server);
    }

    /** Conscrypt 840. */
    @ParameterizedTest
    @EnumSource(Stack.class)
    void beginHandshakeAfterTheEndIsAnSslException(Stack stack) throws Exception {
        for (String version : List.of(Pairing.TLS12, Pairing.TLS13)) {
            EnginePair pair = pair(stack, stack, version);
            pair.handshake();
            for (EnginePair.Side side : List.of(pair.client, pair.server)) {
                side.engine.closeOutbound();
            }
            pair.settle();
            assertTrue(pair.client.engine.isInboundDone() && pair.client.engine.isOutboundDone());
            assertThrows(SSLException.class, pair.client.engine::beginHandshake);
            assertThrows(SSLException.class, pair.server.engine::beginHandshake);
        }
    }

    /** wolfssljni 379. */
    @ParameterizedTest
    @MethodSource("io.brokertls.peer.Pairing#all")
    void dataAfterTheOwnCloseNotifyIsDelivered(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        pair.server.engine.closeOutbound();
        pair.client.wrap(ByteBuffer.wrap(CONTENT));
        pair.client.wrap(ByteBuffer.wrap(CONTENT));
        pair.client.engine.closeOutbound();
        pair.client.wrap(ByteBuffer.allocate(0));
        pair.settle();
        String read = new String(pair.server.takePlaintext(), StandardCharsets.US_ASCII);
        assertEquals("messagemessage", read);
        assertTrue(pair.server.engine.isInboundDone());
        assertTrue(pair.server.engine.isOutboundDone());
    }

    /** netty 4187: a server that has closed does not wait for the peer, and the session stays of use. */
    @ParameterizedTest
    @CsvSource({"JDK,TLSv1.2", "JDK,TLSv1.3", "OURS,TLSv1.2", "OURS,TLSv1.3"})
    void closeInboundAfterCloseOutboundLeavesTheSessionValid(Stack stack, String version) throws Exception {
        EnginePair pair = pair(stack, stack, version);
        pair.handshake();
        SSLEngine server = pair.server.engine;
        server.closeOutbound();
        pair.server.wrap(ByteBuffer.allocate(0));
        assertTrue(server.isOutboundDone());
        assertFalse(server.isInboundDone());
        assertThrows(SSLException.class, server::closeInbound);
        assertTrue(server.isInboundDone());
        assertTrue(server.getSession().isValid());
    }

    /** Conscrypt 577, XNIO-338, JDK-8263779: a caller that follows the status comes to an end. */
    @ParameterizedTest
    @CsvSource({"JDK,TLSv1.2", "JDK,TLSv1.3", "OURS,TLSv1.2", "OURS,TLSv1.3", "OURS_WITH_JDK_MANAGERS,TLSv1.2",
        "OURS_WITH_JDK_MANAGERS,TLSv1.3"})
    void engineThatIsClosedAtAnyPointOfTheHandshakeAsksForNoEndlessWraps(Stack stack, String version)
            throws Exception {
        for (boolean isByClient : new boolean[] {true, false}) {
            for (int steps = 0; steps < 12; steps++) {
                EnginePair pair = pair(stack, stack, version);
                pair.begin();
                for (int step = 0; step < steps; step++) {
                    if (!pair.client.step(Integer.MAX_VALUE)) {
                        pair.server.step(Integer.MAX_VALUE);
                    }
                }
                EnginePair.Side closed = isByClient ? pair.client : pair.server;
                closed.engine.closeOutbound();
                int wraps = 0;
                while (!closed.engine.isOutboundDone()) {
                    closed.runTasks();
                    SSLEngineResult result = closed.wrap(ByteBuffer.allocate(0));
                    assertTrue(++wraps < 10, () -> "closed, and still wraps: " + result);
                    assertTrue(result.bytesProduced() > 0 || result.getStatus() == Status.CLOSED
                            || closed.engine.getHandshakeStatus() != HandshakeStatus.NEED_WRAP, result::toString);
                }
            }
        }
    }

    /** Conscrypt 1011: a client that connects to an address sends no name. */
    @ParameterizedTest
    @CsvSource({"JDK,TLSv1.2", "JDK,TLSv1.3", "OURS,TLSv1.2", "OURS,TLSv1.3"})
    void keyManagerSeesAnEmptyListOfNamesIfTheClientSendsNone(Stack stack, String version) throws Exception {
        AskedManagers asked = new AskedManagers("ec");
        SSLContext servers = asked.context(stack);
        pair(Stack.JDK.context(null), servers, version, "127.0.0.1").handshake();
        String shown = asked.facts.get("server key of EC by null");
        assertTrue(shown.contains(", names [], "), shown);
    }

    private static final class Events implements SSLSessionBindingListener {
        final List<SSLSession> sessions = new ArrayList<>();

        @Override
        public void valueBound(SSLSessionBindingEvent event) {
            sessions.add(event.getSession());
        }

        @Override
        public void valueUnbound(SSLSessionBindingEvent event) {
            sessions.add(event.getSession());
        }
    }

    /** Conscrypt 593. */
    @ParameterizedTest
    @EnumSource(Stack.class)
    void listenersGetTheSessionOfTheEngine(Stack stack) throws Exception {
        EnginePair pair = pair(stack, stack, Pairing.TLS13);
        pair.handshake();
        Events events = new Events();
        SSLSession session = pair.client.engine.getSession();
        session.putValue("user", events);
        session.removeValue("user");
        assertEquals(2, events.sessions.size());
        for (SSLSession told : events.sessions) {
            assertSame(pair.client.engine.getSession(), told);
        }
    }

    /** wolfssljni 162: the server has another certificate by now, and resumes nothing. */
    @ParameterizedTest
    @CsvSource({"JDK,TLSv1.2", "JDK,TLSv1.3", "OURS,TLSv1.2", "OURS,TLSv1.3", "OURS_WITH_JDK_MANAGERS,TLSv1.2",
        "OURS_WITH_JDK_MANAGERS,TLSv1.3"})
    void sessionThatIsNotResumedShowsTheNewCertificate(Stack stack, String version) throws Exception {
        SSLContext clients = stack.context(null);
        for (String identity : List.of("ec", "rsa")) {
            EnginePair pair = pair(clients, stack.context(identity), version, Pki.HOST);
            pair.handshake();
            SSLSession session = pair.client.engine.getSession();
            X509Certificate shown = (X509Certificate) session.getPeerCertificates()[0];
            assertEquals("CN=" + identity, shown.getSubjectX500Principal().getName());
            Principal own = pair.server.engine.getSession().getLocalPrincipal();
            assertEquals("CN=" + identity, own.getName());
        }
    }

    /** netty 8283: the manager is asked once the ClientHello is there, and not when the handshake begins. */
    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void keyManagerIsNotAskedBeforeTheClientHello(String version) throws Exception {
        AskedManagers asked = new AskedManagers("ec");
        EnginePair pair = pair(Stack.JDK.context(null), asked.context(Stack.OURS), version, Pki.HOST);
        pair.server.engine.beginHandshake();
        assertEquals(HandshakeStatus.NEED_UNWRAP, pair.server.engine.getHandshakeStatus());
        assertTrue(asked.questions.isEmpty());
        pair.handshake();
        assertEquals(List.of("server key of EC by null"), asked.questions);
        assertNotNull(ConnectionFacts.of(pair.server.engine));
        assertArrayEquals(Pki.get().identity("ec").getCertificateChain("ec"),
                pair.server.engine.getSession().getLocalCertificates());
    }
}
