package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.nio.ByteBuffer;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our engine with foreign managers at both ends: their verdicts, tasks, endings, and what a session keeps. */
class EngineTest {
    private static final int DIRECT_LENGTH = 65_536;

    private static EnginePair pair(SSLContext clients, SSLContext servers, String version) {
        SSLEngine client = clients.createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {version});
        SSLEngine server = servers.createSSLEngine();
        server.setUseClientMode(false);
        server.setEnabledProtocols(new String[] {version});
        return new EnginePair(client, server);
    }

    private static EnginePair pair(String version) {
        return pair(Stack.OURS_WITH_JDK_MANAGERS.context(null), Stack.OURS_WITH_JDK_MANAGERS.context("ec"), version);
    }

    /** Makes a server with keys from the JDK and this verdict on clients. */
    private static SSLContext judging(Judge judge) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(Pki.get().identity("ec"), Pki.PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS", new BrokerTlsProvider());
        context.init(keys.getKeyManagers(), new TrustManager[] {judge}, null);
        return context;
    }

    private static TlsFailure failure(ErrorCode code, SSLException thrown) {
        assertNotNull(thrown);
        assertTrue(thrown.getMessage().startsWith("BTLS_" + code + " ("), thrown.getMessage());
        TlsFailure cause = assertInstanceOf(TlsFailure.class, thrown.getCause());
        assertEquals(code, cause.code());
        return cause;
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void foreignManagersAtBothEndsConnectAndCarryDataBothWays(String version) throws Exception {
        EnginePair pair = pair(Stack.OURS_WITH_JDK_MANAGERS.context("client"),
                Stack.OURS_WITH_JDK_MANAGERS.context("ec"), version);
        pair.server.engine.setNeedClientAuth(true);
        pair.handshake();
        assertEquals(1, pair.client.finished);
        assertEquals(1, pair.server.finished);
        pair.exchange(pair.client, new byte[100_000]);
        pair.exchange(pair.server, "answer".getBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void clientRefusedByAManagerHasItsExceptionAsCauseAndGetsAnAlert(String version) throws Exception {
        CertificateException refusal = new CertificateException("not on the list");
        EnginePair pair = pair(Stack.OURS_WITH_JDK_MANAGERS.context("client"), judging(new Judge(refusal)), version);
        pair.server.engine.setNeedClientAuth(true);
        pair.begin().settle();
        assertInstanceOf(SSLHandshakeException.class, pair.server.failure);
        TlsFailure cause = failure(ErrorCode.CERT_REJECTED_BY_MANAGER, pair.server.failure);
        assertSame(refusal, cause.getCause());
        assertInstanceOf(TlsFailure.class, pair.client.failure.getCause());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void errorOfAManagerFailsOnlyItsHandshake(String version) throws Exception {
        Error thrown = new AssertionError("broken manager");
        SSLContext servers = judging(new Judge(thrown));
        EnginePair refused = pair(Stack.OURS_WITH_JDK_MANAGERS.context("client"), servers, version);
        refused.server.engine.setNeedClientAuth(true);
        refused.begin().settle();
        assertSame(thrown, failure(ErrorCode.CERT_REJECTED_BY_MANAGER, refused.server.failure).getCause());
        EnginePair next = pair(Stack.OURS_WITH_JDK_MANAGERS.context(null), servers, version);
        next.handshake();
        next.exchange(next.client, "next".getBytes());
    }

    @Test
    void nameThatNoMatcherTakesIsRefused() throws Exception {
        EnginePair pair = pair("TLSv1.3");
        change(pair.server.engine,
                parameters -> parameters.setSNIMatchers(List.of(SNIHostName.createSNIMatcher("other\\.test"))));
        pair.begin().settle();
        failure(ErrorCode.SERVER_NAME_REFUSED, pair.server.failure);
        assertNotNull(pair.client.failure);
    }

    @Test
    void selectorThatTakesNoProtocolRefuses() throws Exception {
        EnginePair pair = pair("TLSv1.3");
        change(pair.client.engine, parameters -> parameters.setApplicationProtocols(new String[] {"mqtt"}));
        pair.server.engine.setHandshakeApplicationProtocolSelector((engine, offered) -> null);
        pair.begin().settle();
        failure(ErrorCode.NO_COMMON_ALPN, pair.server.failure);
    }

    @Test
    void unknownSuitesAndOldVersionsAloneAreIllegalArguments() {
        SSLEngine engine = pair("TLSv1.3").server.engine;
        String[] before = engine.getEnabledCipherSuites();
        assertThrows(IllegalArgumentException.class, () -> engine.setEnabledCipherSuites(new String[] {"NO_SUCH"}));
        assertThrows(IllegalArgumentException.class, () -> engine.setEnabledProtocols(new String[] {"TLSv1"}));
        assertArrayEquals(before, engine.getEnabledCipherSuites());
        engine.setEnabledProtocols(new String[] {"TLSv1", "TLSv1.1", "TLSv1.2"});
        assertArrayEquals(new String[] {"TLSv1.2"}, engine.getEnabledProtocols());
    }

    @Test
    void endOfTheTransportWithoutNoticeIsTruncated() throws Exception {
        EnginePair pair = pair("TLSv1.3");
        pair.handshake();
        failure(ErrorCode.TRUNCATED, assertThrows(SSLException.class, pair.client.engine::closeInbound));
    }

    @Test
    void endOfTheTransportDuringATaskIsReportedAfterIt() throws Exception {
        SSLEngine[] judged = new SSLEngine[1];
        SSLContext servers = judging(new Judge(null) {
            @Override
            protected void judge(String side, X509Certificate[] chain, String authType, Object connection)
                    throws CertificateException {
                try {
                    judged[0].closeInbound();
                } catch (SSLException e) {
                    throw new CertificateException(e);
                }
            }
        });
        EnginePair pair = pair(Stack.OURS_WITH_JDK_MANAGERS.context("client"), servers, "TLSv1.2");
        judged[0] = pair.server.engine;
        pair.server.engine.setNeedClientAuth(true);
        pair.begin().settle();
        failure(ErrorCode.HANDSHAKE_EOF, pair.server.failure);
    }

    /** Nothing protects it: as a warning it is ignored, and the end of the input is what ends a handshake. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void closeNotifyInPlainTextKeepsNoHandshakeWaiting(String version) throws Exception {
        for (boolean isClient : new boolean[] {true, false}) {
            for (byte level : new byte[] {1, 2}) {
                EnginePair pair = pair(version).begin();
                EnginePair.Side side = isClient ? pair.client : pair.server;
                if (isClient) {
                    side.step(Integer.MAX_VALUE);
                }
                side.receive(new byte[] {21, 3, 3, 0, 2, level, 0});
                pair.settle();
                if (level == 1) {
                    assertEquals(1, side.finished);
                } else {
                    failure(ErrorCode.HANDSHAKE_EOF, side.failure);
                    assertTrue(side.engine.isInboundDone() && side.engine.isOutboundDone());
                }
                assertEquals(HandshakeStatus.NOT_HANDSHAKING, side.engine.getHandshakeStatus());
            }
        }
    }

    @Test
    void taskRunAgainDoesNothing() throws Exception {
        EnginePair pair = pair("TLSv1.3").begin();
        pair.client.step(Integer.MAX_VALUE);
        pair.server.step(Integer.MAX_VALUE);
        assertEquals(HandshakeStatus.NEED_TASK, pair.server.engine.getHandshakeStatus());
        Runnable task = pair.server.engine.getDelegatedTask();
        assertNull(pair.server.engine.getDelegatedTask(), "a task is given once");
        task.run();
        task.run();
        pair.settle();
        assertNull(pair.server.failure);
        assertEquals(1, pair.server.finished);
    }

    @Test
    void sessionKeepsItsChainsWhenTheEngineIsClosed() throws Exception {
        SSLContext clients = Stack.OURS_WITH_JDK_MANAGERS.context(null);
        EnginePair pair = pair(clients, Stack.OURS_WITH_JDK_MANAGERS.context("ec"), "TLSv1.3");
        pair.handshake();
        SSLSession session = pair.client.engine.getSession();
        assertSame(session, clients.getClientSessionContext().getSession(session.getId()));
        pair.client.engine.closeOutbound();
        pair.server.engine.closeOutbound();
        pair.settle();
        assertTrue(pair.client.engine.isInboundDone());
        assertEquals("CN=ec", session.getPeerPrincipal().getName());
        assertNotNull(pair.server.engine.getSession().getLocalCertificates());
    }

    @Test
    void overlappingBuffersAreIllegalArguments() throws Exception {
        EnginePair pair = pair("TLSv1.3");
        pair.handshake();
        ByteBuffer memory = ByteBuffer.allocateDirect(DIRECT_LENGTH);
        ByteBuffer source = memory.duplicate().limit(100);
        assertThrows(IllegalArgumentException.class, () -> pair.client.engine.wrap(source, memory));
        assertEquals(0, source.position());
        pair.exchange(pair.client, "still open".getBytes());
    }

    private static void change(SSLEngine engine, Consumer<SSLParameters> change) {
        SSLParameters parameters = engine.getSSLParameters();
        change.accept(parameters);
        engine.setSSLParameters(parameters);
    }

    /** Throws the same at every client; says nothing of servers. */
    private static class Judge extends WatchedTrust {
        private final Throwable verdict;

        Judge(Throwable verdict) {
            this.verdict = verdict;
        }

        @Override
        protected void judge(String side, X509Certificate[] chain, String authType, Object connection)
                throws CertificateException {
            if (side.equals("server")) {
                throw new IllegalStateException("asked about a server");
            }
            if (verdict instanceof Error) {
                throw (Error) verdict;
            }
            throw (CertificateException) verdict;
        }
    }
}
