package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The limits of an SSLSessionContext, in both roles. The other side is this provider or the JDK. */
class SessionLimitsTest {
    private static final int PORT = 8883;

    static List<Object[]> peersAndVersions() {
        return List.of(new Object[] {Stack.OURS, Pairing.TLS12}, new Object[] {Stack.OURS, Pairing.TLS13},
                new Object[] {Stack.JDK, Pairing.TLS12}, new Object[] {Stack.JDK, Pairing.TLS13});
    }

    @Test
    void sessionOlderThanTheServersTimeoutIsNotResumed() throws Exception {
        List<Connecting> all = new ArrayList<>();
        for (Object[] peerAndVersion : peersAndVersions()) {
            SSLContext server = Stack.OURS.context("ec");
            server.getServerSessionContext().setSessionTimeout(1);
            // The other role of the same context keeps its own.
            server.getClientSessionContext().setSessionTimeout(0);
            Client client = new Client((Stack) peerAndVersion[0]);
            all.add(new Connecting(client, server, (String) peerAndVersion[1], server.getServerSessionContext()));
        }
        assertNoneResumedOnceTheirTimeHasPassed(all);
    }

    @Test
    void sessionOlderThanTheClientsTimeoutIsNotResumed() throws Exception {
        List<Connecting> all = new ArrayList<>();
        for (Object[] peerAndVersion : peersAndVersions()) {
            Client client = new Client(Stack.OURS);
            client.context.getClientSessionContext().setSessionTimeout(1);
            client.context.getServerSessionContext().setSessionTimeout(0);
            all.add(new Connecting(client, ((Stack) peerAndVersion[0]).context("ec"), (String) peerAndVersion[1],
                    client.context.getClientSessionContext()));
        }
        assertNoneResumedOnceTheirTimeHasPassed(all);
    }

    private static void assertNoneResumedOnceTheirTimeHasPassed(List<Connecting> all) throws Exception {
        SSLSession last = null;
        for (Connecting each : all) {
            last = each.connect();
        }
        awaitAge(last, 1);
        for (Connecting each : all) {
            each.connect();
            assertEquals(2, each.client.fullHandshakes(), each.version);
            each.limited.setSessionTimeout(0);
            each.connect();
            int before = each.client.fullHandshakes();
            each.connect();
            assertEquals(before, each.client.fullHandshakes(), "a session without a timeout is resumed");
        }
    }

    @ParameterizedTest
    @MethodSource("peersAndVersions")
    void clientRemembersAsManyServersAsItsCacheSizeSays(Stack peer, String version) throws Exception {
        SSLContext server = peer.context("ec");
        Client client = new Client(Stack.OURS);
        client.context.getClientSessionContext().setSessionCacheSize(3);
        for (int i = 0; i < 5; i++) {
            client.connect(server, "host" + i, version);
        }
        assertEquals(5, client.fullHandshakes());
        for (int i = 2; i < 5; i++) {
            client.connect(server, "host" + i, version);
        }
        assertEquals(5, client.fullHandshakes(), "the last three are resumed");
        client.connect(server, "host0", version);
        assertEquals(6, client.fullHandshakes(), "the first was forgotten");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void serversCacheSizeBoundsWhatIsListedAndNotWhatIsResumed(String version) throws Exception {
        SSLContext server = Stack.OURS.context("ec");
        SSLSessionContext sessions = server.getServerSessionContext();
        sessions.setSessionCacheSize(2);
        Client[] clients = {new Client(Stack.OURS), new Client(Stack.OURS), new Client(Stack.OURS)};
        SSLSession[] kept = new SSLSession[clients.length];
        for (int i = 0; i < clients.length; i++) {
            kept[i] = clients[i].connect(server, Pki.HOST, version);
        }
        assertTrue(Collections.list(sessions.getIds()).size() <= 2);
        clients[0].connect(server, Pki.HOST, version);
        assertEquals(1, clients[0].fullHandshakes(), "its ticket is with the client");
        assertTrue(kept[0].isValid());
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void listCountsSessionsAndNotTheirConnections(String version) throws Exception {
        SSLContext server = Stack.OURS.context("ec");
        Client client = new Client(Stack.OURS);
        client.context.getClientSessionContext().setSessionCacheSize(2);
        client.connect(server, "host0", version);
        SSLSession other = client.connect(server, "host1", version);
        for (int i = 0; i < 3; i++) {
            client.connect(server, "host0", version);
        }
        assertEquals(2, client.fullHandshakes());
        List<byte[]> listed = Collections.list(client.context.getClientSessionContext().getIds());
        assertEquals(2, listed.size());
        for (byte[] id : listed) {
            client.context.getClientSessionContext().getSession(id).invalidate();
        }
        assertFalse(other.isValid());
        assertEquals(0, Collections.list(client.context.getClientSessionContext().getIds()).size());
        client.connect(server, "host1", version);
        assertEquals(3, client.fullHandshakes());
    }

    @Test
    void limitsAreThoseThatWereSetAndNegativeOnesRefused() throws Exception {
        for (SSLSessionContext sessions : new SSLSessionContext[] {
            Stack.OURS.context("ec").getServerSessionContext(), Stack.OURS.context(null).getClientSessionContext()}) {
            assertEquals(20_480, sessions.getSessionCacheSize());
            assertEquals(86_400, sessions.getSessionTimeout());
            sessions.setSessionCacheSize(7);
            sessions.setSessionTimeout(8);
            assertEquals(7, sessions.getSessionCacheSize());
            assertEquals(8, sessions.getSessionTimeout());
            assertThrows(IllegalArgumentException.class, () -> sessions.setSessionCacheSize(-1));
            assertThrows(IllegalArgumentException.class, () -> sessions.setSessionTimeout(-1));
        }
    }

    @Test
    void limitsOfTheBuilderAreThoseOfItsSessionContexts() throws Exception {
        try (BrokerTlsContext tls = BrokerTlsContext.builder().trustManager(new Counting()).sessions(9, 10).build()) {
            assertEquals(9, tls.sslContext().getClientSessionContext().getSessionCacheSize());
            assertEquals(10, tls.sslContext().getServerSessionContext().getSessionTimeout());
        }
    }

    @Test
    void sessionThatIsInvalidatedIsNotResumed() throws Exception {
        for (String version : new String[] {Pairing.TLS12, Pairing.TLS13}) {
            SSLContext server = Stack.OURS.context("ec");
            Client client = new Client(Stack.OURS);
            SSLSession session = client.connect(server, Pki.HOST, version);
            session.invalidate();
            assertFalse(session.isValid());
            client.connect(server, Pki.HOST, version);
            assertEquals(2, client.fullHandshakes(), version);
        }
    }

    @Test
    void sessionCanBeInvalidatedAfterItsTlsContextIsClosed() throws Exception {
        for (String version : new String[] {Pairing.TLS12, Pairing.TLS13}) {
            BrokerTlsContext tls = BrokerTlsContext.builder().trustManager(new Counting()).build();
            SSLEngine client = tls.newEngine(Pki.HOST, PORT);
            client.setUseClientMode(true);
            client.setEnabledProtocols(new String[] {version});
            SSLEngine server = Stack.OURS.context("ec").createSSLEngine();
            server.setUseClientMode(false);
            new EnginePair(client, server).handshake();
            SSLSession session = client.getSession();
            tls.close();
            session.invalidate();
            assertFalse(session.isValid());
        }
    }

    /** Returns when the clock has moved on so far that the session is older than this; at once if it is. */
    private static void awaitAge(SSLSession session, int seconds) throws InterruptedException {
        // Whole seconds are compared.
        long end = session.getCreationTime() + (seconds + 1) * 1000L;
        for (long now = System.currentTimeMillis(); now < end; now = System.currentTimeMillis()) {
            Thread.sleep(end - now);
        }
    }

    /** A client with its server, and the session context with the timeout that is tried. */
    private static final class Connecting {
        private final Client client;
        private final SSLContext server;
        private final String version;
        private final SSLSessionContext limited;

        Connecting(Client client, SSLContext server, String version, SSLSessionContext limited) {
            this.client = client;
            this.server = server;
            this.version = version;
            this.limited = limited;
        }

        SSLSession connect() throws Exception {
            return client.connect(server, Pki.HOST, version);
        }
    }

    /** A context that counts its full handshakes. */
    private static final class Client {
        private final Counting counting = new Counting();
        private final SSLContext context;

        Client(Stack stack) throws Exception {
            context = SSLContext.getInstance("TLS", stack.provider());
            context.init(null, new TrustManager[] {counting}, null);
        }

        int fullHandshakes() {
            return counting.asked.get();
        }

        SSLSession connect(SSLContext server, String host, String version) throws Exception {
            SSLEngine clientEngine = context.createSSLEngine(host, PORT);
            clientEngine.setUseClientMode(true);
            clientEngine.setEnabledProtocols(new String[] {version});
            SSLEngine serverEngine = server.createSSLEngine();
            serverEngine.setUseClientMode(false);
            EnginePair pair = new EnginePair(clientEngine, serverEngine);
            pair.handshake();
            pair.exchange(pair.server, "tickets have been read".getBytes());
            return clientEngine.getSession();
        }
    }

    private static final class Counting implements X509TrustManager {
        private final AtomicInteger asked = new AtomicInteger();

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {
            asked.incrementAndGet();
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {
            asked.incrementAndGet();
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
