package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ConnectionFacts;
import io.brokertls.ErrorCode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The facts of a connection by the engine, by a wrapper of it, by its sessions and by wrappers of these. */
class ConnectionFactsTest {
    @TempDir
    static Path folder;

    private static Authority authority;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "ec");
        authority.issue("one", "ec");
        authority.issueAs("old", "ec");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void numberIsTheSameByEngineWrapperAndEachSessionBeforeDuringAndAfterTheHandshake(String version)
            throws Exception {
        AtomicLong inHandshake = new AtomicLong();
        try (BrokerTlsContext server = server("one").build();
                BrokerTlsContext client = client(version).build()) {
            SSLEngine inner = serverEngine(server);
            WrappedEngine wrapper = new WrappedEngine(inner);
            SSLSession early = wrapper.getSession();
            assertEquals(0, BrokerTlsContext.connectionId(wrapper), "before the handshake");
            inner.setHandshakeApplicationProtocolSelector((engine, offered) -> {
                inHandshake.set(BrokerTlsContext.connectionId(engine.getHandshakeSession()));
                return "";
            });
            EnginePair pair = new EnginePair(clientEngine(client, Pki.HOST), wrapper);
            pair.begin();
            long number = BrokerTlsContext.connectionId(inner);
            assertTrue(number > 0);
            assertEquals(number, BrokerTlsContext.connectionId(wrapper), "in the handshake");
            pair.handshake();
            SSLSession late = wrapper.getSession();
            for (SSLSession session : List.of(early, late, wrapped(late))) {
                assertEquals(number, BrokerTlsContext.connectionId(session));
                assertEquals(number, session.getValue(ConnectionFacts.ID_VALUE));
                assertEquals(number, ConnectionFacts.of(session).connectionId());
            }
            assertEquals(number, ConnectionFacts.of(wrapper).connectionId());
            assertEquals(number, ConnectionFacts.of(inner).connectionId());
            assertTrue(inHandshake.get() == 0 || inHandshake.get() == number);
        }
    }

    /** The sessions of both connections stay, as those in a registry of devices do. */
    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void connectionsThatResumeOneSessionHaveTheirOwnNumbers(String version) throws Exception {
        try (BrokerTlsContext server = server("one").build();
                BrokerTlsContext client = client(version).build()) {
            Set<Long> numbers = new HashSet<>();
            SSLSession[] sessions = new SSLSession[4];
            for (int i = 0; i < sessions.length; i++) {
                EnginePair pair = new EnginePair(clientEngine(client, Pki.HOST), serverEngine(server));
                pair.handshake();
                pair.exchange(pair.server, new byte[] {1});
                ConnectionFacts facts = ConnectionFacts.of(pair.server.engine);
                assertEquals(i > 0, facts.isResumed());
                assertEquals(i > 0, ConnectionFacts.of(pair.client.engine).isResumed());
                assertEquals(Optional.empty(), facts.failure());
                // A resumption of TLS 1.2 has no key exchange (RFC 5246 section 7.3).
                assertEquals(i == 0 || version.equals(Pairing.TLS13), facts.group().isPresent());
                sessions[i] = pair.server.engine.getSession();
                sessions[i].putValue("device", "device " + facts.connectionId());
                numbers.add(facts.connectionId());
                pair.server.engine.closeOutbound();
            }
            assertEquals(sessions.length, numbers.size());
            for (SSLSession session : sessions) {
                numbers.remove(BrokerTlsContext.connectionId(session));
            }
            assertEquals(Set.of(), numbers, "each session has the number of its own connection");
        }
    }

    @Test
    void refusalIsReachableByTheSessionOfTheWrapperOnBothSides() throws Exception {
        try (BrokerTlsContext server = server("one").build();
                BrokerTlsContext client = client(Pairing.TLS13).build()) {
            EnginePair pair = new EnginePair(new WrappedEngine(clientEngine(client, "elsewhere.test")),
                    new WrappedEngine(serverEngine(server)));
            SSLSession early = pair.client.engine.getSession();
            pair.begin().settle();
            assertEquals(ErrorCode.CERT_NAME_MISMATCH, ConnectionFacts.of(early).failure().orElseThrow().code());
            assertEquals(ErrorCode.CERT_NAME_MISMATCH,
                    ConnectionFacts.of(pair.client.engine.getSession()).failure().orElseThrow().code());
            assertEquals(ErrorCode.ALERT_BAD_CERTIFICATE,
                    ConnectionFacts.of(pair.server.engine).failure().orElseThrow().code());
            assertTrue(ConnectionFacts.of(pair.server.engine).toString().contains("BTLS_ALERT_BAD_CERTIFICATE (1042)"));
        }
    }

    @Test
    void toleratedDeviationsAreNamed() throws Exception {
        try (BrokerTlsContext server = server("old").build(); BrokerTlsContext client = client(Pairing.TLS13)
                .insecureAllow("insecure-x509-v1", "insecure-common-name").insecureSkipServerName(true).build()) {
            EnginePair pair = new EnginePair(clientEngine(client, Pki.HOST), serverEngine(server));
            pair.handshake();
            assertEquals(List.of("insecure-x509-v1"), ConnectionFacts.of(pair.client.engine).deviations());
            assertEquals(List.of(), ConnectionFacts.of(pair.server.engine).deviations());
        }
    }

    @Test
    void applicationCannotForgeOrRemoveTheFactsAndDoesNotCopyThem() throws Exception {
        try (BrokerTlsContext server = server("one").build()) {
            SSLSession session = serverEngine(server).getSession();
            for (String name : List.of(ConnectionFacts.ID_VALUE, ConnectionFacts.VALUE)) {
                assertThrows(IllegalArgumentException.class, () -> session.putValue(name, 7L));
                assertThrows(IllegalArgumentException.class, () -> session.removeValue(name));
            }
            session.putValue("device", "7");
            assertArrayEquals(new String[] {"device"}, session.getValueNames());
            assertEquals(0L, session.getValue(ConnectionFacts.ID_VALUE));
        }
    }

    @Test
    void engineSessionAndSocketOfAnotherProviderAreRefused() throws Exception {
        SSLContext jdk = Stack.JDK.context("ec");
        SSLEngine engine = jdk.createSSLEngine();
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.connectionId(engine));
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.connectionId(new WrappedEngine(engine)));
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.connectionId(engine.getSession()));
        assertThrows(IllegalArgumentException.class, () -> ConnectionFacts.of(engine));
        assertThrows(IllegalArgumentException.class, () -> ConnectionFacts.of(engine.getSession()));
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.sleep(engine.getSession()));
        try (SSLSocket socket = (SSLSocket) jdk.getSocketFactory().createSocket()) {
            assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.connectionId(socket));
            assertThrows(IllegalArgumentException.class, () -> ConnectionFacts.of(socket));
        }
        for (Object none : List.of((Runnable) () -> BrokerTlsContext.connectionId((SSLSession) null),
                (Runnable) () -> BrokerTlsContext.connectionId((SSLEngine) null),
                (Runnable) () -> ConnectionFacts.of((SSLSocket) null))) {
            assertThrows(NullPointerException.class, ((Runnable) none)::run);
        }
    }

    @Test
    void socketAndItsSessionHaveOneNumberWithoutAHandshakeByTheQuestion() throws Exception {
        try (BrokerTlsContext server = server("one").build();
                BrokerTlsContext client = client(Pairing.TLS13).build();
                SSLServerSocket listener = (SSLServerSocket) server.serverSocketFactory().createServerSocket(0);
                SSLSocket one = (SSLSocket) client.socketFactory().createSocket(Pki.HOST, listener.getLocalPort());
                SSLSocket other = (SSLSocket) listener.accept()) {
            assertEquals(0, ConnectionFacts.of(other).connectionId());
            Thread serving = new Thread(() -> {
                try {
                    other.startHandshake();
                } catch (java.io.IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            serving.start();
            one.startHandshake();
            serving.join();
            long number = BrokerTlsContext.connectionId(other);
            assertNotEquals(0, number);
            assertEquals(number, BrokerTlsContext.connectionId(other.getSession()));
            assertEquals(number, ConnectionFacts.of(other).connectionId());
            BrokerTlsContext.sleep(other.getSession());
            assertFalse(ConnectionFacts.of(other).isResumed());
        }
    }

    /** A session of another class that passes all calls on. */
    private static SSLSession wrapped(SSLSession session) {
        return (SSLSession) Proxy.newProxyInstance(ConnectionFactsTest.class.getClassLoader(),
                new Class<?>[] {SSLSession.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(session, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static BrokerTlsContextBuilder server(String name) {
        return BrokerTlsContext.builder().certificate(authority.file(name + ".pem"))
                .privateKey(authority.file(name + ".key"));
    }

    private static BrokerTlsContextBuilder client(String version) {
        return BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem")).protocols(version);
    }

    private static SSLEngine clientEngine(BrokerTlsContext context, String host) {
        SSLEngine engine = context.newEngine(host, 8883);
        engine.setUseClientMode(true);
        return engine;
    }

    private static SSLEngine serverEngine(BrokerTlsContext context) {
        SSLEngine engine = context.newEngine();
        engine.setUseClientMode(false);
        return engine;
    }
}
