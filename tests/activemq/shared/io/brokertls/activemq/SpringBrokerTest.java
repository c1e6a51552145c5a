package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Brokers from an activemq.xml, in JVMs of their own: the snippet of java/README.md, and the ways to name the provider.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SpringBrokerTest {
    @TempDir static Path folder;

    private static final Stores ours = Stores.ours();
    private static final Stores strangers = Stores.impostor().trusting(ours);

    @BeforeAll
    static void writePem() throws Exception {
        ours.writePem(folder);
    }

    /** The first block of XML below the heading "ActiveMQ". */
    private static String snippet() throws IOException {
        String page = Files.readString(Path.of(System.getProperty("project.root"), "java", "README.md"));
        Matcher block = Pattern.compile("^## ActiveMQ$.*?^```xml\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(page);
        assertTrue(block.find(), "java/README.md has no XML below \"## ActiveMQ\"");
        return block.group(1);
    }

    /** A whole file around {@code content}, on ports that are free here and without a store of messages. */
    static Path activemqXml(Path folder, String content) throws IOException {
        String free = content.replaceAll("://0\\.0\\.0\\.0:\\d+", "://127.0.0.1:0")
                .replace("<broker ", "<broker persistent=\"false\" useJmx=\"false\" useShutdownHook=\"false\" ");
        String xml = "<beans xmlns=\"http://www.springframework.org/schema/beans\"\n"
                + "    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
                + "    xsi:schemaLocation=\"http://www.springframework.org/schema/beans\n"
                + "        http://www.springframework.org/schema/beans/spring-beans.xsd\n"
                + "        http://activemq.apache.org/schema/core\n"
                + "        http://activemq.apache.org/schema/core/activemq-core.xsd\">\n"
                + "<bean class=\"org.springframework.beans.factory.config.PropertyPlaceholderConfigurer\"/>\n"
                + free + "</beans>\n";
        return Files.writeString(Files.createTempFile(folder, "activemq", ".xml"), xml);
    }

    static void assertServed(ForkedBroker broker, String connector, boolean certified) throws Exception {
        for (String provider : Tls.providers()) {
            Connection connection =
                    Clients.connect("ssl://localhost:" + broker.port(connector), ours, certified, provider);
            assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
            connection.close();
        }
    }

    static void assertNeedsACertificateItTrusts(ForkedBroker broker) throws Exception {
        String address = "ssl://localhost:" + broker.port("ssl");
        for (String provider : Tls.providers()) {
            Sockets.assertRefused("certificate_required", "ssl", ours.clientContext(provider, false),
                    broker.port("ssl"));
            Sockets.assertRefused("certificate_unknown", "ssl", strangers.clientContext(provider, true),
                    broker.port("ssl"));
            assertThrows(JMSException.class, () -> Clients.connect(address, ours, false, provider).close());
            assertThrows(JMSException.class, () -> Clients.connect(address, strangers, true, provider).close());
        }
    }

    @Test
    void snippetOfTheReadmeServesOnlyItsClients() throws Exception {
        Path xml = activemqXml(folder, snippet());
        try (ForkedBroker broker = new ForkedBroker(folder, xml, "-Dactivemq.conf=" + folder)) {
            assertServed(broker, "ssl", true);
            assertNeedsACertificateItTrusts(broker);
            for (String provider : Tls.providers()) {
                // Not TLS 1.3, for what ConnectorContract.TLS_1_2 says.
                assertEquals("hello", MqttClients.echo("ssl://localhost:" + broker.port("mqtt"),
                        ours.clientContext("TLSv1.2", provider, true), "greetings", "hello"));
                Sockets.assertRefused("certificate_required", "mqtt+nio+ssl", ours.clientContext(provider, false),
                        broker.port("mqtt"));
            }
            assertEquals(Tls.JDK, broker.defaultProvider());
        }
    }

    /** With what keytool made, and the provider named in a file for {@code -Djava.security.properties}. */
    @Test
    void providerFromTheJvmsListServesWithoutABeanThatNamesIt() throws Exception {
        Path security = Files.writeString(Files.createTempFile(folder, "java", ".security"),
                "security.provider.13=BrokerTLS\n");
        String broker = "<broker xmlns=\"http://activemq.apache.org/schema/core\" brokerName=\"listed\">\n"
                + "<sslContext><sslContext provider=\"BrokerTLS\"\n"
                + "    keyStore=\"file:" + ours.path("broker.ks") + "\" keyStorePassword=\"password\"\n"
                + "    trustStore=\"file:" + ours.path("broker.ts")
                + "\" trustStorePassword=\"password\"/></sslContext>\n"
                + "<transportConnectors>\n"
                + "  <transportConnector name=\"ssl\" uri=\"ssl://0.0.0.0:61617?transport.needClientAuth=true\"/>\n"
                + "</transportConnectors></broker>\n";
        try (ForkedBroker forked = new ForkedBroker(folder, activemqXml(folder, broker),
                "-Djava.security.properties=" + security)) {
            assertServed(forked, "ssl", true);
            assertNeedsACertificateItTrusts(forked);
            assertEquals(Tls.JDK, forked.defaultProvider());
        }
    }
}
