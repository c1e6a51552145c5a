package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contract of clients that are separate programs, with a certificate, at connectors that need one. A JMS client
 * exchanges messages with them.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class ForeignContract {
    private static final String NEED = "transport.needClientAuth=true&needClientAuth=true";

    /** The connectors' schemes. */
    abstract List<String> schemes();

    /** Returns the stores of the broker. */
    Stores ours() {
        return Stores.ours();
    }

    /** Returns further settings of the connector's address, each with its ampersand. */
    String options() {
        return "";
    }

    /** Sends {@code text} with the certificate of {@code own}, to a broker of {@code trusted}, and ends. */
    abstract Program send(int port, Stores own, Stores trusted, String text) throws IOException;

    /** Prints the next text and ends; it has started to listen. */
    abstract Program receive(int port, Stores own, Stores trusted) throws Exception;

    /** Returns the destination of the client's messages. */
    abstract Destination destination(Session session) throws JMSException;

    /** Returns the output of a client with a refused certificate. */
    abstract String refused();

    /** Returns the output of a client that does not trust the broker. */
    abstract String untrusted();

    /** Returns the name of that in the broker's log, on this provider. */
    String untrustedAtTheBroker() {
        return "BTLS_ALERT_UNKNOWN_CA (1048)";
    }

    @BeforeEach
    @AfterEach
    void noSettingOfTheProcess() {
        Tls.assertNoSettingOfTheProcess();
    }

    /**
     * A connector that needs certificates. Those with "nio" speak TLS 1.2 here. In TLS 1.3 a client's first packet may
     * come with the end of its handshake. ActiveMQ then sometimes does not answer it, on the JDK's provider too.
     */
    private Broker broker(String scheme) throws Exception {
        String version = scheme.contains("nio") ? "&transport.enabledProtocols=TLSv1.2" : "";
        return new Broker(ours(), scheme, NEED + version + options());
    }

    /** A JMS client of {@code broker}, on a connector of its own. */
    private Connection jms(Broker broker) throws Exception {
        return Clients.connect("ssl://localhost:" + broker.open("ssl", NEED), ours(), true, Tls.PROVIDER);
    }

    @ParameterizedTest
    @MethodSource("schemes")
    void messageOfTheClientReachesJms(String scheme) throws Exception {
        try (Broker broker = broker(scheme)) {
            Connection connection = jms(broker);
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(destination(session));
            try (Program client = send(broker.port(), ours(), ours(), "out of " + scheme)) {
                client.assertSucceeds();
            }
            assertEquals("out of " + scheme, text(consumer.receive(30_000)));
            connection.close();
        }
    }

    @ParameterizedTest
    @MethodSource("schemes")
    void messageOfJmsReachesTheClient(String scheme) throws Exception {
        try (Broker broker = broker(scheme); Program client = receive(broker.port(), ours(), ours())) {
            Connection connection = jms(broker);
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            session.createProducer(destination(session)).send(session.createTextMessage("into " + scheme));
            connection.close();
            String printed = client.assertSucceeds();
            assertTrue(printed.contains("into " + scheme + "\n"), printed);
        }
    }

    /**
     * The certificate has the name of the one that the broker trusts, and another key. No alert comes through the NIO
     * connectors of ActiveMQ.
     */
    @ParameterizedTest
    @MethodSource("schemes")
    void clientWithAnUntrustedCertificateIsRefused(String scheme) throws Exception {
        try (Broker broker = broker(scheme); BrokerLog log = new BrokerLog();
                Program client = send(broker.port(), Stores.impostor(), ours(), "lost")) {
            String printed = client.assertFails();
            boolean hears = !scheme.contains("nio");
            assertTrue(printed.contains(refused()) == hears || !Tls.isOurs(), printed);
            String line = log.await(Tls.untrusted(Tls.PROVIDER));
            assertTrue(line.contains("PKIX path"), line);
        }
    }

    @ParameterizedTest
    @MethodSource("schemes")
    void clientThatDoesNotTrustTheBrokerTellsIt(String scheme) throws Exception {
        try (Broker broker = broker(scheme); BrokerLog log = new BrokerLog();
                Program client = send(broker.port(), ours(), Stores.impostor(), "lost")) {
            String printed = client.assertFails();
            assertTrue(printed.contains(untrusted()), printed);
            String words = Tls.isOurs() ? untrustedAtTheBroker() : "";
            String line = log.await(words);
            assertTrue(line.contains(words), line);
        }
    }

    private static String text(Message message) throws JMSException {
        if (message instanceof BytesMessage) {
            byte[] bytes = new byte[(int) ((BytesMessage) message).getBodyLength()];
            ((BytesMessage) message).readBytes(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        }
        return message == null ? "nothing" : ((TextMessage) message).getText();
    }
}
