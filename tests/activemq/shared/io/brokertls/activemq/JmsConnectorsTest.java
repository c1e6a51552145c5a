package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** JMS over the connectors that speak OpenWire, with what their addresses can say and what brokers see in the field. */
class JmsConnectorsTest extends ConnectorContract {
    @Override
    List<String> schemes() {
        return List.of("ssl", "nio+ssl", "auto+ssl", "auto+nio+ssl");
    }

    /** In OpenWire the broker speaks first. */
    @Override
    boolean losesFirstPackets(String scheme) {
        return false;
    }

    @Override
    String echo(String scheme, Broker broker, Stores stores, boolean certified, String provider, String text)
            throws Exception {
        Connection connection = Clients.connect(address(broker, scheme, ""), stores, certified, provider);
        try {
            return Clients.echo(connection, "greetings", text);
        } finally {
            connection.close();
        }
    }

    /** Returns the address of {@code broker} for a JMS client. An auto connector has the scheme without "auto+". */
    private static String address(Broker broker, String scheme, String options) {
        return scheme.replace("auto+", "") + "://localhost:" + broker.port() + options;
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "auto+nio+ssl"})
    void wantedCertificateMayBeLeftOut(String scheme) throws Exception {
        try (Broker broker = new Broker(ours, scheme, "transport.wantClientAuth=true&wantClientAuth=true")) {
            for (boolean certified : new boolean[] {true, false}) {
                Connection connection = Clients.connect(address(broker, scheme, ""), ours, certified, Tls.PROVIDER);
                assertEquals("hello", Clients.echo(connection, "greetings", "hello"));
                connection.close();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"ssl, ''", "nio+ssl, ''", "ssl, verifyHostName", "nio+ssl, verifyHostName"})
    void certificateForAnotherHostIsRefusedUnlessNamesAreNotVerified(String scheme, String without) throws Exception {
        try (Broker broker = new Broker(ours, scheme, "")) {
            String elsewhere = scheme + "://127.0.0.1:" + broker.port();
            if (without.isEmpty()) {
                JMSException refusal = assertThrows(JMSException.class,
                        () -> Clients.connect(elsewhere, ours, false, Tls.PROVIDER));
                assertTrue(Tls.reasons(refusal).contains("127.0.0.1"), Tls.reasons(refusal));
            } else {
                Clients.connect(elsewhere + "?socket.verifyHostName=false", ours, false, Tls.PROVIDER).close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "auto+nio+ssl"})
    void oldProtocolsAndSuitesBesideNewerOnesAreAccepted(String scheme) throws Exception {
        String options = "transport.enabledProtocols=TLSv1,TLSv1.1,TLSv1.2&transport.enabledCipherSuites="
                + "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA,"
                + "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
        try (Broker broker = new Broker(ours, scheme, options)) {
            Connection connection = Clients.connect(address(broker, scheme, ""), ours, false, Tls.PROVIDER);
            assertEquals("hello", Clients.echo(connection, "greetings", "hello"));
            connection.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nio+ssl", "auto+nio+ssl"})
    void tenMegabytesArriveWhole(String scheme) throws Exception {
        byte[] sent = new byte[10 << 20];
        new Random(7).nextBytes(sent);
        try (Broker broker = new Broker(ours, scheme, "")) {
            Connection connection = Clients.connect(address(broker, scheme, ""), ours, false, Tls.PROVIDER);
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageProducer producer = session.createProducer(session.createQueue("large"));
            BytesMessage message = session.createBytesMessage();
            message.writeBytes(sent);
            producer.send(message);
            BytesMessage received = (BytesMessage) session.createConsumer(session.createQueue("large")).receive(60_000);
            byte[] bytes = new byte[(int) received.getBodyLength()];
            received.readBytes(bytes);
            assertTrue(Arrays.equals(sent, bytes));
            connection.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nio+ssl", "auto+nio+ssl"})
    void fiftyClientsAtOnceAreServed(String scheme) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(50);
        try (Broker broker = new Broker(ours, scheme, "")) {
            List<Callable<String>> tasks = new ArrayList<>();
            for (int index = 0; index < 50; index++) {
                String queue = "queue-" + index;
                tasks.add(() -> {
                    Connection connection = Clients.connect(address(broker, scheme, ""), ours, false, Tls.PROVIDER);
                    String answer = Clients.echo(connection, queue, queue);
                    connection.close();
                    return answer;
                });
            }
            List<Future<String>> answers = pool.invokeAll(tasks, 90, TimeUnit.SECONDS);
            for (int index = 0; index < 50; index++) {
                assertEquals("queue-" + index, answers.get(index).get());
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void unknownSuiteAloneKeepsTheConnectorFromStarting() {
        Exception refusal = assertThrows(Exception.class,
                () -> new Broker(ours, "ssl", "transport.enabledCipherSuites=NO_SUCH_SUITE").close());
        assertTrue(Tls.reasons(refusal).contains("NO_SUCH_SUITE"), Tls.reasons(refusal));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "auto+nio+ssl"})
    void suiteThatTheConnectorNamesIsNegotiated(String scheme) throws Exception {
        String suite = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
        String options = "transport.enabledProtocols=TLSv1.2&transport.enabledCipherSuites=" + suite;
        try (Broker broker = new Broker(ours, scheme, options)) {
            for (String provider : Tls.providers()) {
                assertEquals(suite, Sockets.suite(ours.clientContext(provider, false), broker.port()));
                assertEquals("hello", echo(scheme, broker, ours, false, provider, "hello"));
            }
        }
    }

    /** With a new context behind the old address, so that nothing of the old session can be resumed. */
    @ParameterizedTest
    @MethodSource("pairs")
    void clientWithFailoverFindsTheRestartedBroker(String scheme, String provider) throws Exception {
        int port = portToKeep();
        Broker first = new Broker(Broker.context(ours), scheme, port, NEED);
        String address = "failover:(" + address(first, scheme, "") + ")?initialReconnectDelay=10&maxReconnectDelay=100"
                + "&timeout=60000";
        Connection connection = Clients.connect(address, ours, true, provider);
        try {
            assertEquals("before", Clients.echo(connection, "greetings", "before"));
            first.close();
            try (Broker second = new Broker(Broker.context(ours), scheme, port, NEED)) {
                assertEquals("after", Clients.echo(connection, "greetings", "after"));
                assertEquals(port, second.port());
                connection.close();
            }
        } finally {
            connection.close();
            first.close();
        }
    }

    /** A free port below those that clients' sockets are given, so that none takes it while a broker restarts. */
    private static int portToKeep() throws IOException {
        Random random = new Random();
        for (int tries = 0; tries < 100; tries++) {
            int port = 20_000 + random.nextInt(10_000);
            try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return probe.getLocalPort();
            } catch (BindException taken) {
                // Another one is as good.
            }
        }
        throw new IOException("no free port");
    }
}
