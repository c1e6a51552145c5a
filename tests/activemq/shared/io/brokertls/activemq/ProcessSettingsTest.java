package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * "Using the javax.net.ssl.* System Properties" and "Starting the Client" of "How do I use SSL?". No test has a context
 * of its own. The provider stands in the JDK's place of the list, and its default context is used.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ProcessSettingsTest {
    @TempDir static Path folder;

    private static final Stores ours = Stores.ours();
    private static final Stores strangers = Stores.impostor();

    private static String security;

    @BeforeAll
    static void writeSecurity() throws Exception {
        Path file = Files.writeString(folder.resolve("java.security"),
                "security.provider.4=BrokerTLS default\nsecurity.provider.13=SunJSSE\n");
        security = "-Djava.security.properties=" + file;
    }

    private static ForkedBroker broker() throws Exception {
        Path xml = SpringBrokerTest.activemqXml(folder,
                "<broker xmlns=\"http://activemq.apache.org/schema/core\" brokerName=\"process\">\n"
                + "<transportConnectors>\n"
                + "  <transportConnector name=\"open\" uri=\"nio+ssl://0.0.0.0:61616\"/>\n"
                + "  <transportConnector name=\"ssl\" uri=\"ssl://0.0.0.0:61617?transport.needClientAuth=true\"/>\n"
                + "</transportConnectors></broker>\n");
        return new ForkedBroker(folder, xml, security,
                "-Djavax.net.ssl.keyStore=" + ours.path("broker.ks"), "-Djavax.net.ssl.keyStorePassword=password",
                "-Djavax.net.ssl.trustStore=" + ours.path("broker.ts"), "-Djavax.net.ssl.trustStorePassword=password");
    }

    /**
     * A client's JVM with the settings of {@code stores}, and the password that a trust store in PKCS#12 is read with.
     */
    private static Program client(ForkedBroker broker, Stores stores) throws Exception {
        List<String> words = ForkedBroker.jvm(Client.class, security,
                "-Djavax.net.ssl.keyStore=" + stores.path("client.ks"), "-Djavax.net.ssl.keyStorePassword=password",
                "-Djavax.net.ssl.trustStore=" + stores.path("client.ts"),
                        "-Djavax.net.ssl.trustStorePassword=password");
        words.add("ssl://localhost:" + broker.port("ssl"));
        return Program.start(words.toArray(new String[0]));
    }

    @Test
    void brokerServesWithTheStoresOfItsProcess() throws Exception {
        try (ForkedBroker broker = broker()) {
            assertEquals("BrokerTLS", broker.defaultProvider());
            SpringBrokerTest.assertServed(broker, "open", false);
            SpringBrokerTest.assertServed(broker, "ssl", true);
            SpringBrokerTest.assertNeedsACertificateItTrusts(broker);
        }
    }

    @Test
    void clientConnectsWithTheStoresOfItsProcess() throws Exception {
        try (ForkedBroker broker = broker(); Program served = client(broker, ours);
                Program refused = client(broker, strangers)) {
            String printed = served.assertSucceeds();
            assertTrue(printed.contains("hello over BrokerTLS"), printed);
            String reason = refused.assertFails();
            assertTrue(reason.contains("Could not connect to broker URL"), reason);
        }
    }

    /** Sends a text to the broker at the address that is the only argument, and receives it, in the JVM of a client. */
    static final class Client {
        public static void main(String[] arguments) throws Exception {
            Connection connection = new ActiveMQConnectionFactory(arguments[0]).createConnection();
            connection.start();
            String provider = SSLContext.getDefault().getProvider().getName();
            System.out.println(Clients.echo(connection, "greetings", "hello over " + provider));
            connection.close();
        }
    }
}
