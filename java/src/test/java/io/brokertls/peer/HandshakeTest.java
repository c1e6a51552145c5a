package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.peer.EnginePair.Side;
import java.nio.ByteBuffer;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Handshakes of two implementations: what both know afterwards, and what each refuses. */
class HandshakeTest {
    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void bothEndsNameTheSameVersionAndSuiteForEveryKindOfKey(Pairing pairing) throws Exception {
        for (String identity : new String[] {"rsa", "ec"}) {
            EnginePair pair = pairing.engines(identity);
            pair.handshake();
            assertEquals(pairing.version, pair.client.engine.getSession().getProtocol());
            assertEquals(pairing.version, pair.server.engine.getSession().getProtocol());
            assertEquals(pair.client.engine.getSession().getCipherSuite(),
                    pair.server.engine.getSession().getCipherSuite());
            assertTrue(pair.client.engine.getSession().isValid());
            assertArrayEquals(pair.server.engine.getSession().getLocalCertificates(),
                    pair.client.engine.getSession().getPeerCertificates());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void finishedIsSaidOnceByEachEnd(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        assertEquals(1, pair.server.finished);
        if (pairing.client.isStrict()) {
            assertEquals(1, pair.client.finished);
        }
        assertEquals(HandshakeStatus.NOT_HANDSHAKING, pair.client.engine.getHandshakeStatus());
        assertEquals(HandshakeStatus.NOT_HANDSHAKING, pair.server.engine.getHandshakeStatus());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void chainLongerThanARecordGoesOutOverSeveralWraps(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("long").begin();
        int largest = 0;
        int total = 0;
        for (int i = 0; i < 1000 && pair.server.finished + pair.client.finished == 0; i++) {
            pair.client.step(Integer.MAX_VALUE);
            if (pair.server.engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                SSLEngineResult result = pair.server.wrap(ByteBuffer.allocate(0));
                largest = Math.max(largest, result.bytesProduced());
                total += result.bytesProduced();
            } else {
                pair.server.step(Integer.MAX_VALUE);
            }
        }
        pair.settle();
        assertTrue(total > 16_384 + 256, "the flight is longer than a record: " + total);
        assertTrue(largest <= pair.server.engine.getSession().getPacketBufferSize());
        assertEquals(3, pair.client.engine.getSession().getPeerCertificates().length);
        pair.exchange(pair.client, "after a long chain".getBytes());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void clientThatMustShowACertificateIsKnownToTheServer(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines(pairing.client.context("client"), pairing.server.context("ec"));
        pair.server.engine.setNeedClientAuth(true);
        pair.handshake();
        X509Certificate[] chain = (X509Certificate[]) pair.server.engine.getSession().getPeerCertificates();
        assertEquals("CN=client", chain[0].getSubjectX500Principal().getName());
        assertEquals("CN=client", pair.server.engine.getSession().getPeerPrincipal().getName());
        assertEquals("CN=client", pair.client.engine.getSession().getLocalPrincipal().getName());
        assertTrue(pair.client.engine.getSession().getPeerCertificates() instanceof X509Certificate[]);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void clientThatMayShowACertificateAndShowsNoneIsAnonymous(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        pair.server.engine.setWantClientAuth(true);
        pair.handshake();
        assertThrows(SSLPeerUnverifiedException.class, () -> pair.server.engine.getSession().getPeerCertificates());
        pair.exchange(pair.server, "anonymous".getBytes());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void clientThatMustShowACertificateAndShowsNoneIsRefused(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        pair.server.engine.setNeedClientAuth(true);
        pair.begin().settle();
        assertNotNull(pair.server.failure);
        assertTrue(pair.server.failure instanceof SSLHandshakeException, pair.server.failure.toString());
        assertNotNull(pair.client.failure, "the client is told by an alert");
        assertCode(pairing.server, pair.server.failure);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void strangersAreRefusedInBothDirections(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("unknown").begin();
        pair.settle();
        assertTrue(pair.client.failure instanceof SSLHandshakeException, String.valueOf(pair.client.failure));
        assertCode(pairing.client, pair.client.failure);
        assertNotNull(pair.server.failure, "the server is told by an alert");

        pair = pairing.engines(pairing.client.context("unknown"), pairing.server.context("ec"));
        pair.server.engine.setNeedClientAuth(true);
        pair.begin().settle();
        assertTrue(pair.server.failure instanceof SSLHandshakeException, String.valueOf(pair.server.failure));
        assertCode(pairing.server, pair.server.failure);
        assertNotNull(pair.client.failure, "the client is told by an alert");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void applicationProtocolOfTheServersPreferenceIsAgreed(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        protocols(pair.client, "x-one", "mqtt");
        protocols(pair.server, "amqp", "mqtt", "x-one");
        pair.handshake();
        assertEquals("mqtt", pair.client.engine.getApplicationProtocol());
        assertEquals("mqtt", pair.server.engine.getApplicationProtocol());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void noApplicationProtocolIsTheEmptyName(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        assertEquals("", pair.client.engine.getApplicationProtocol());
        assertEquals("", pair.server.engine.getApplicationProtocol());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void applicationProtocolsWithNothingInCommonAreRefused(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        protocols(pair.client, "x-one");
        protocols(pair.server, "mqtt");
        pair.begin().settle();
        assertNotNull(pair.server.failure);
        assertCode(pairing.server, pair.server.failure);
        assertEquals(0, pair.client.finished);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void serverNameReachesTheServer(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        SSLParameters parameters = pair.client.engine.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName("other.test")));
        pair.client.engine.setSSLParameters(parameters);
        pair.handshake();
        ExtendedSSLSession session = (ExtendedSSLSession) pair.server.engine.getSession();
        assertEquals(List.of(new SNIHostName("other.test")), session.getRequestedServerNames());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void serverNameThatDoesNotMatchIsRefused(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        SSLParameters parameters = pair.server.engine.getSSLParameters();
        parameters.setSNIMatchers(List.of(SNIHostName.createSNIMatcher("never\\.test")));
        pair.server.engine.setSSLParameters(parameters);
        SSLParameters named = pair.client.engine.getSSLParameters();
        named.setServerNames(List.of(new SNIHostName("other.test")));
        pair.client.engine.setSSLParameters(named);
        pair.begin().settle();
        assertNotNull(pair.server.failure);
        assertCode(pairing.server, pair.server.failure);
        assertEquals(0, pair.client.finished);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void secondHandshakeInTheSameContextsResumes(Pairing pairing) throws Exception {
        SSLContext clientContext = pairing.client.context(null);
        SSLContext serverContext = pairing.server.context("ec");
        EnginePair first = pairing.engines(clientContext, serverContext);
        int full = handshakeBytes(first);
        first.exchange(first.server, "tickets have been read".getBytes());
        EnginePair second = pairing.engines(clientContext, serverContext);
        int resumed = handshakeBytes(second);
        assertTrue(resumed < full, "no certificate is sent: " + resumed + " bytes after " + full);
        assertArrayEquals(first.client.engine.getSession().getPeerCertificates(),
                second.client.engine.getSession().getPeerCertificates());
        second.exchange(second.client, "resumed".getBytes());
    }

    /** Runs the handshake and counts what the server sends. */
    private static int handshakeBytes(EnginePair pair) throws SSLException {
        pair.begin();
        int bytes = 0;
        for (int i = 0; i < 1000; i++) {
            boolean moved = pair.client.step(Integer.MAX_VALUE);
            while (pair.server.step(Integer.MAX_VALUE)) {
                moved = true;
            }
            bytes += pair.client.waiting();
            while (pair.client.step(Integer.MAX_VALUE)) {
                moved = true;
            }
            if (!moved) {
                assertTrue(pair.client.finished > 0 && pair.server.finished > 0);
                return bytes;
            }
        }
        throw new AssertionError("the handshake does not end");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#tls12")
    void renegotiationIsRefusedByEveryEndThatIsStrict(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        refuseRenegotiation(pair.client, pairing.client, pairing.server);
        pair = pairing.connected();
        refuseRenegotiation(pair.server, pairing.server, pairing.client);
    }

    /** The one side asks for a new handshake: itself refuses, or the other does. Data is never lost silently. */
    private static void refuseRenegotiation(Side asking, Stack asker, Stack asked) throws Exception {
        int finished = asking.peer.finished;
        if (asker.isStrict()) {
            assertThrows(SSLException.class, asking.engine::beginHandshake);
            return;
        }
        asking.engine.beginHandshake();
        for (int i = 0; i < 100; i++) {
            try {
                if (!asking.step(Integer.MAX_VALUE) & !asking.peer.step(Integer.MAX_VALUE)) {
                    break;
                }
            } catch (SSLException e) {
                break;
            }
        }
        if (asked.isStrict()) {
            assertEquals(finished, asking.peer.finished, "no second handshake was completed");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void parametersWithoutSuitesKeepTheSuites(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        String[] suites = pair.server.engine.getEnabledCipherSuites();
        pair.server.engine.setNeedClientAuth(true);
        pair.server.engine.setSSLParameters(new SSLParameters());
        assertArrayEquals(suites, pair.server.engine.getEnabledCipherSuites());
        assertArrayEquals(new String[] {pairing.version}, pair.server.engine.getEnabledProtocols());
        assertFalse(pair.server.engine.getNeedClientAuth(), "client authentication is what the parameters say");
        pair.handshake();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void oldVersionNamesBesideANewerOneAreAccepted(Pairing pairing) throws Exception {
        EnginePair pair = pairing.engines("ec");
        pair.server.engine.setEnabledProtocols(new String[] {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"});
        pair.handshake();
        assertEquals(pairing.version, pair.client.engine.getSession().getProtocol());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.brokertls.peer.Pairing#all")
    void sessionIsTheSameObjectAfterTheHandshake(Pairing pairing) throws Exception {
        EnginePair pair = pairing.connected();
        assertSame(pair.server.engine.getSession(), pair.server.engine.getSession());
        pair.server.engine.getSession().putValue("user", "one");
        assertEquals("one", pair.server.engine.getSession().getValue("user"));
    }

    private static void protocols(Side side, String... names) {
        SSLParameters parameters = side.engine.getSSLParameters();
        parameters.setApplicationProtocols(names);
        side.engine.setSSLParameters(parameters);
    }

    private static void assertCode(Stack stack, SSLException failure) {
        if (stack.isStrict()) {
            assertTrue(failure.getMessage().startsWith("BTLS_"), failure.getMessage());
        }
    }
}
