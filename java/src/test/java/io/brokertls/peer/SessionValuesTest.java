package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ConnectionFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionBindingEvent;
import javax.net.ssl.SSLSessionBindingListener;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Values that are put in a handshake belong to the session that it resumes, and each is bound and unbound once. */
class SessionValuesTest {
    private static EnginePair pair(SSLContext clients, SSLContext servers, String version) {
        SSLEngine client = clients.createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {version});
        SSLEngine server = servers.createSSLEngine();
        server.setUseClientMode(false);
        return new EnginePair(client, server);
    }

    private static final class Replaced implements SSLSessionBindingListener {
        final List<String> events = new ArrayList<>();
        SSLEngine engine;
        SSLSession session;

        @Override
        public void valueBound(SSLSessionBindingEvent event) {
            events.add("bound");
            assertSame(session, event.getSession());
        }

        @Override
        public void valueUnbound(SSLSessionBindingEvent event) {
            events.add("unbound");
            // Another thread uses the engine meanwhile: no lock is held.
            CompletableFuture<String> asked = CompletableFuture.supplyAsync(() -> engine.getHandshakeStatus() + " "
                    + engine.getSession().getProtocol());
            try {
                assertTrue(asked.get(1, TimeUnit.MINUTES).endsWith(event.getSession().getProtocol()));
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"OURS,TLSv1.2", "OURS,TLSv1.3", "OURS_WITH_JDK_MANAGERS,TLSv1.2", "OURS_WITH_JDK_MANAGERS,TLSv1.3"})
    void valueOfAHandshakeReplacesThatOfTheSessionOnceAndUnderNoLock(Stack stack, String version) throws Exception {
        SSLContext clients = stack.context(null);
        SSLContext servers = stack.context("ec");
        EnginePair first = pair(clients, servers, version);
        first.handshake();
        Replaced old = new Replaced();
        old.session = first.client.engine.getSession();
        old.session.putValue("user", old);

        EnginePair second = pair(clients, servers, version);
        second.begin();
        old.engine = second.client.engine;
        Replaced young = new Replaced();
        young.session = second.client.engine.getHandshakeSession();
        young.session.putValue("user", young);
        assertSame(old, old.session.getValue("user"));
        second.handshake();

        assertTrue(ConnectionFacts.of(second.client.engine).isResumed());
        assertEquals(List.of("bound", "unbound"), old.events);
        assertEquals(List.of("bound"), young.events);
        assertSame(young, old.session.getValue("user"));
        assertSame(young, second.client.engine.getSession().getValue("user"));
        assertSame(young, young.session.getValue("user"));
    }

    private static final class Counted implements SSLSessionBindingListener {
        final AtomicInteger bound = new AtomicInteger();
        final AtomicInteger unbound = new AtomicInteger();

        @Override
        public void valueBound(SSLSessionBindingEvent event) {
            bound.incrementAndGet();
        }

        @Override
        public void valueUnbound(SSLSessionBindingEvent event) {
            unbound.incrementAndGet();
        }
    }

    /** Puts values before, during and after handshakes that resume one session, from several threads. */
    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void eachValueIsBoundAndUnboundOnceIfConnectionsResumeAtOnce(String version) throws Exception {
        SSLContext clients = Stack.OURS_WITH_JDK_MANAGERS.context(null);
        SSLContext servers = Stack.OURS_WITH_JDK_MANAGERS.context("ec");
        EnginePair first = pair(clients, servers, version);
        first.handshake();
        Queue<Counted> all = new ConcurrentLinkedQueue<>();
        Queue<SSLSession> sessions = new ConcurrentLinkedQueue<>(List.of(first.server.engine.getSession()));
        Callable<Void> resuming = () -> {
            for (int round = 0; round < 20; round++) {
                EnginePair pair = pair(clients, servers, version);
                pair.begin();
                SSLSession inHandshake = pair.server.engine.getHandshakeSession();
                put(inHandshake, all, round);
                pair.handshake();
                SSLSession session = pair.server.engine.getSession();
                sessions.add(session);
                put(session, all, round + 1);
                put(inHandshake, all, round + 2);
                session.removeValue("name" + round % 3);
            }
            return null;
        };
        ExecutorService executor = Executors.newFixedThreadPool(4);
        try {
            List<Future<Void>> running = executor.invokeAll(List.of(resuming, resuming, resuming, resuming));
            for (Future<Void> each : running) {
                each.get(2, TimeUnit.MINUTES);
            }
        } finally {
            executor.shutdownNow();
        }
        for (SSLSession session : sessions) {
            for (String name : session.getValueNames()) {
                session.removeValue(name);
            }
        }
        assertEquals(4 * 20 * 3, all.size());
        for (Counted each : all) {
            assertEquals(1, each.bound.get());
            assertEquals(1, each.unbound.get());
        }
    }

    private static void put(SSLSession session, Queue<Counted> all, int number) {
        Counted value = new Counted();
        all.add(value);
        session.putValue("name" + number % 3, value);
    }
}
