package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** JMS over the connectors that speak OpenWire: every step of "How do I use SSL?", and what brokers see in the field. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class JmsConnectorsTest {
    @TempDir static Path folder;

    private static Stores ours;
    private static Stores theirs;

    @BeforeAll
    static void makeStores() throws Exception {
        ours = Stores.make(folder.resolve("ours"), "device-7");
        theirs = Stores.make(folder.resolve("theirs"), "stranger");
    }

    /** A context of one's own is what this is about: nothing may come from the process. */
    @BeforeEach
    void noSettingOfTheProcess() {
        for (String name : System.getProperties().stringPropertyNames()) {
            assertTrue(!name.startsWith("javax.net.ssl."), name);
        }
    }

    /** Where a JMS client finds {@code broker}: an auto connector is reached by the scheme without "auto+". */
    private static String address(Broker broker, String scheme, String options) {
        return scheme.replace("auto+", "") + "://localhost:" + broker.port() + options;
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "auto+ssl", "auto+nio+ssl"})
    void messageThroughConnectorArrives(String scheme) throws Exception {
        try (Broker broker = new Broker(ours, scheme, "")) {
            for (String provider : List.of(Tls.PROVIDER, Tls.JDK)) {
                Connection connection = Clients.connect(address(broker, scheme, ""), ours, false, provider);
                assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
                connection.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "auto+nio+ssl"})
    void clientWithNeededCertificateIsServed(String scheme) throws Exception {
        try (Broker broker = new Broker(ours, scheme, "transport.needClientAuth=true&needClientAuth=true")) {
            for (String provider : List.of(Tls.PROVIDER, Tls.JDK)) {
                Connection connection = Clients.connect(address(broker, scheme, ""), ours, true, provider);
                assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
                connection.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "auto+nio+ssl"})
    void clientWithoutNeededCertificateIsRefused(String scheme) throws Exception {
        try (Broker broker = new Broker(ours, scheme, "transport.needClientAuth=true&needClientAuth=true")) {
            for (String provider : List.of(Tls.PROVIDER, Tls.JDK)) {
                assertThrows(JMSException.class,
                        () -> Clients.connect(address(broker, scheme, ""), ours, false, provider).close(), provider);
            }
        }
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

    /** Both certificates have one name, so a client finds the key wrong rather than the name unknown. */
    @Test
    void twoBrokersInOneProcessServeOnlyTheirOwnClients() throws Exception {
        String need = "transport.needClientAuth=true&needClientAuth=true";
        try (Broker first = new Broker(ours, "ssl", need); Broker second = new Broker(theirs, "nio+ssl", need)) {
            Connection own = Clients.connect(address(first, "ssl", ""), ours, true, Tls.PROVIDER);
            Connection other = Clients.connect(address(second, "nio+ssl", ""), theirs, true, Tls.PROVIDER);
            assertEquals("one", Clients.echo(own, "greetings", "one"));
            assertEquals("two", Clients.echo(other, "greetings", "two"));
            own.close();
            other.close();
            List<String> refusals = List.of(refusal(address(first, "ssl", ""), theirs),
                    refusal(address(second, "nio+ssl", ""), ours));
            for (String reasons : refusals) {
                assertTrue(reasons.contains("SSLHandshakeException: PKIX path"), reasons);
            }
        }
    }

    /** Why a client of {@code stores} does not connect to the broker at {@code address}. */
    private static String refusal(String address, Stores stores) {
        return Tls.reasons(assertThrows(JMSException.class,
                () -> Clients.connect(address, stores, true, Tls.JDK).close()));
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
                + "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA,TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
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
}
