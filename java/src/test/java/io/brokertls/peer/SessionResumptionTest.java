package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ConnectionFacts;
import io.brokertls.peer.EnginePair.Side;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionBindingEvent;
import javax.net.ssl.SSLSessionBindingListener;
import javax.net.ssl.SSLSessionContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A session and its resumptions: they are one session with one id, as JSSE has it. */
class SessionResumptionTest {
    private static final long COLLECTED_NS = 60_000_000_000L;

    private SSLContext clients;
    private SSLContext servers;
    private String version;

    static List<Arguments> stacks() {
        List<Arguments> all = new ArrayList<>();
        for (Stack stack : List.of(Stack.OURS, Stack.OURS_WITH_JDK_MANAGERS)) {
            all.add(Arguments.of(stack, Pairing.TLS12));
            all.add(Arguments.of(stack, Pairing.TLS13));
        }
        return all;
    }

    private void use(Stack stack, String versionOfBoth) {
        clients = stack.context("client");
        servers = stack.context("ec");
        version = versionOfBoth;
    }

    private EnginePair pair() {
        SSLEngine client = clients.createSSLEngine(Pki.HOST, 8883);
        SSLEngine server = servers.createSSLEngine();
        client.setUseClientMode(true);
        server.setUseClientMode(false);
        server.setNeedClientAuth(true);
        client.setEnabledProtocols(new String[] {version});
        return new EnginePair(client, server);
    }

    private EnginePair connected(boolean isResumed) throws Exception {
        EnginePair pair = pair();
        pair.handshake();
        for (Side side : List.of(pair.client, pair.server)) {
            assertEquals(isResumed, ConnectionFacts.of(side.engine).isResumed());
        }
        return pair;
    }

    private static void close(EnginePair pair) {
        pair.client.engine.closeOutbound();
        pair.server.engine.closeOutbound();
        pair.settle();
    }

    private static final class Bound implements SSLSessionBindingListener {
        final List<String> events = new ArrayList<>();

        @Override
        public void valueBound(SSLSessionBindingEvent event) {
            events.add("bound " + event.getName());
        }

        @Override
        public void valueUnbound(SSLSessionBindingEvent event) {
            events.add("unbound " + event.getName());
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacks")
    void resumedSessionHasIdTimeValuesAndCertificatesOfTheFirst(Stack stack, String versionOfBoth) throws Exception {
        use(stack, versionOfBoth);
        for (boolean isClosedBefore : new boolean[] {true, false}) {
            use(stack, versionOfBoth);
            EnginePair first = connected(false);
            List<SSLSession> before = new ArrayList<>();
            Bound bound = new Bound();
            for (Side side : List.of(first.client, first.server)) {
                SSLSession session = side.engine.getSession();
                session.putValue("user", bound);
                before.add(session);
            }
            if (isClosedBefore) {
                close(first);
            }
            EnginePair second = connected(true);
            for (int side = 0; side < 2; side++) {
                SSLSession was = before.get(side);
                SSLSession is = (side == 0 ? second.client : second.server).engine.getSession();
                assertArrayEquals(was.getId(), is.getId());
                assertEquals(was.getCreationTime() / 1000, is.getCreationTime() / 1000);
                assertTrue(is.getLastAccessedTime() >= was.getCreationTime());
                assertEquals(bound, is.getValue("user"));
                assertArrayEquals(new String[] {"user"}, is.getValueNames());
                assertArrayEquals(was.getPeerCertificates(), is.getPeerCertificates());
                assertNotNull(is.getLocalCertificates());
                assertArrayEquals(was.getLocalCertificates(), is.getLocalCertificates());
                assertEquals(was.getLocalPrincipal(), is.getLocalPrincipal());
                assertEquals(1, ids(is.getSessionContext()).size());
                assertArrayEquals(is.getId(), is.getSessionContext().getSession(is.getId()).getId());
                is.removeValue("user");
                assertNull(was.getValue("user"));
            }
            assertEquals(List.of("bound user", "bound user", "unbound user", "unbound user"), bound.events);
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacks")
    void sessionsOfClientsAndTls12ServersStayListedOnceTheirEnginesAreCollected(Stack stack, String versionOfBoth)
            throws Exception {
        use(stack, versionOfBoth);
        awaitCollected(connectedAndClosed("a.test"));
        awaitCollected(connectedAndClosed("b.test"));
        List<byte[]> listed = ids(clients.getClientSessionContext());
        assertEquals(2, listed.size());
        int ofServer = version.equals(Pairing.TLS12) ? 2 : 0;
        assertEquals(ofServer, ids(servers.getServerSessionContext()).size());
        for (byte[] id : listed) {
            SSLSession session = clients.getClientSessionContext().getSession(id);
            assertArrayEquals(id, session.getId());
            assertTrue(session.isValid());
            assertEquals(version, session.getProtocol());
            assertTrue(session.getPeerCertificates().length > 0);
        }
        for (byte[] id : ids(servers.getServerSessionContext())) {
            assertTrue(servers.getServerSessionContext().getSession(id).getPeerCertificates().length > 0);
        }
        clients.getClientSessionContext().setSessionCacheSize(1);
        assertEquals(1, ids(clients.getClientSessionContext()).size());
        byte[] last = ids(clients.getClientSessionContext()).get(0);
        clients.getClientSessionContext().getSession(last).invalidate();
        assertNull(clients.getClientSessionContext().getSession(last));
        assertEquals(0, ids(clients.getClientSessionContext()).size());
    }

    /** Returns the two engines of a connection that is over, which nothing else refers to. */
    private List<WeakReference<SSLEngine>> connectedAndClosed(String host) throws Exception {
        SSLEngine client = clients.createSSLEngine(host, 8883);
        SSLEngine server = servers.createSSLEngine();
        client.setUseClientMode(true);
        server.setUseClientMode(false);
        server.setNeedClientAuth(true);
        client.setEnabledProtocols(new String[] {version});
        EnginePair pair = new EnginePair(client, server);
        pair.handshake();
        close(pair);
        return List.of(new WeakReference<>(client), new WeakReference<>(server));
    }

    private static void awaitCollected(List<WeakReference<SSLEngine>> engines) throws InterruptedException {
        long end = System.nanoTime() + COLLECTED_NS;
        while (engines.stream().anyMatch(each -> each.get() != null)) {
            assertTrue(System.nanoTime() < end, "the engines are still in use");
            System.gc();
            Thread.sleep(10);
        }
    }

    private SSLSessionContext sessions(boolean isOfClient) {
        return isOfClient ? clients.getClientSessionContext() : servers.getServerSessionContext();
    }

    private static List<byte[]> ids(SSLSessionContext context) {
        return Collections.list(context.getIds());
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacks")
    void bothSidesHaveTheSameIdOfASessionOfTls12Alone(Stack stack, String versionOfBoth) throws Exception {
        use(stack, versionOfBoth);
        EnginePair pair = connected(false);
        byte[] id = pair.client.engine.getSession().getId();
        assertEquals(32, id.length);
        assertEquals(version.equals(Pairing.TLS12), Arrays.equals(id, pair.server.engine.getSession().getId()));
        use(stack, versionOfBoth);
        assertFalse(Arrays.equals(id, connected(false).client.engine.getSession().getId()));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacks")
    void sessionThatIsInvalidatedIsNotResumed(Stack stack, String versionOfBoth) throws Exception {
        for (boolean isByClient : new boolean[] {true, false}) {
            use(stack, versionOfBoth);
            connected(false);
            EnginePair resumed = connected(true);
            SSLSession session = (isByClient ? resumed.client : resumed.server).engine.getSession();
            session.putValue("user", "first");
            session.invalidate();
            assertFalse(session.isValid());
            assertNull(session.getSessionContext());
            assertNull(sessions(isByClient).getSession(session.getId()));
            EnginePair next = connected(false);
            SSLSession other = (isByClient ? next.client : next.server).engine.getSession();
            assertTrue(other.isValid());
            assertNull(other.getValue("user"));
            assertFalse(Arrays.equals(session.getId(), other.getId()));
            connected(true);
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacks")
    void sessionThatIsInvalidatedInItsHandshakeIsNeitherValidNorResumed(Stack stack, String versionOfBoth)
            throws Exception {
        for (boolean isByClient : new boolean[] {true, false}) {
            use(stack, versionOfBoth);
            EnginePair pair = pair();
            SSLEngine engine = (isByClient ? pair.client : pair.server).engine;
            engine.beginHandshake();
            engine.getHandshakeSession().invalidate();
            pair.handshake();
            assertFalse(engine.getSession().isValid());
            assertNull(sessions(isByClient).getSession(engine.getSession().getId()));
            connected(false);
            connected(true);
        }
    }
}
