package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Principal;
import java.security.URIParameter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.security.auth.login.Configuration;
import org.apache.activemq.broker.BrokerFilter;
import org.apache.activemq.broker.BrokerPlugin;
import org.apache.activemq.broker.ConnectionContext;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.ConnectionInfo;
import org.apache.activemq.filter.DestinationMapEntry;
import org.apache.activemq.security.AuthorizationEntry;
import org.apache.activemq.security.AuthorizationPlugin;
import org.apache.activemq.security.DefaultAuthorizationMap;
import org.apache.activemq.security.JaasCertificateAuthenticationPlugin;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The name in a client's certificate is the name that ActiveMQ knows the client by: login by certificate, with users
 * and groups in the files of its documentation. All certificates here are trusted; it is the name that counts.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CertificateLoginTest {
    @TempDir static Path folder;

    private static Configuration before;
    private static Stores device;
    private static Stores guest;
    private static Stores unknown;

    /** The connected users, as "name: principals". */
    private final BlockingQueue<String> connected = new LinkedBlockingQueue<>();

    @BeforeAll
    static void makeStoresAndFiles() throws Exception {
        device = Stores.make(folder.resolve("device"), "device-7");
        guest = device.another(folder.resolve("guest"), "guest-1");
        unknown = device.another(folder.resolve("unknown"), "device-8");
        Files.writeString(folder.resolve("users.properties"),
                "seven=CN=device-7, O=Example\nvisitor=CN=guest-1, O=Example\n");
        Files.writeString(folder.resolve("groups.properties"), "devices=seven\nguests=visitor\n");
        Path login = Files.writeString(folder.resolve("login.config"), "CertLogin {\n"
                + "  org.apache.activemq.jaas.TextFileCertificateLoginModule required\n"
                + "    baseDir=\"" + folder + "\"\n"
                + "    org.apache.activemq.jaas.textfiledn.user=\"users.properties\"\n"
                + "    org.apache.activemq.jaas.textfiledn.group=\"groups.properties\";\n};\n");
        before = Configuration.getConfiguration();
        Configuration.setConfiguration(Configuration.getInstance("JavaLoginConfig", new URIParameter(login.toUri())));
    }

    @AfterAll
    static void restoreLogin() {
        Configuration.setConfiguration(before);
    }

    static Stream<Arguments> openWire() {
        return pairs("ssl", "nio+ssl", "auto+nio+ssl");
    }

    static Stream<Arguments> mqtt() {
        return pairs("mqtt+ssl", "mqtt+nio+ssl");
    }

    private static Stream<Arguments> pairs(String... schemes) {
        return Stream.of(schemes).flatMap(scheme -> Tls.providers().stream().map(each -> Arguments.of(scheme, each)));
    }

    /** Makes a broker that allows everything to the group "devices", and nothing to others. */
    private Broker broker(String scheme) throws Exception {
        JaasCertificateAuthenticationPlugin login = new JaasCertificateAuthenticationPlugin();
        login.setConfiguration("CertLogin");
        login.setDiscoverLoginConfig(false);
        BrokerPlugin recorder = next -> new BrokerFilter(next) {
            @Override
            public void addConnection(ConnectionContext context, ConnectionInfo info) throws Exception {
                connected.add(context.getUserName() + ": " + context.getSecurityContext().getPrincipals().stream()
                        .map(Principal::getName).sorted().collect(Collectors.joining(" ")));
                super.addConnection(context, info);
            }
        };
        String options = scheme.contains("mqtt+nio")
                ? ConnectorContract.NEED + "&" + ConnectorContract.TLS_1_2 : ConnectorContract.NEED;
        return new Broker(device, scheme, options, recorder, new AuthorizationPlugin(devicesOnly()), login);
    }

    private static DefaultAuthorizationMap devicesOnly() throws Exception {
        List<DestinationMapEntry> entries = new ArrayList<>();
        for (byte type : new byte[] {ActiveMQDestination.QUEUE_TYPE, ActiveMQDestination.TOPIC_TYPE}) {
            AuthorizationEntry entry = new AuthorizationEntry();
            entry.setDestination(ActiveMQDestination.createDestination(">", type));
            entry.setRead("devices");
            entry.setWrite("devices");
            entry.setAdmin("devices");
            entries.add(entry);
        }
        AuthorizationEntry advisories = new AuthorizationEntry();
        advisories.setTopic("ActiveMQ.Advisory.>");
        advisories.setRead("devices,guests");
        advisories.setWrite("devices,guests");
        advisories.setAdmin("devices,guests");
        entries.add(advisories);
        return new DefaultAuthorizationMap(entries);
    }

    private static Connection connect(Broker broker, String scheme, Stores client, String provider) throws Exception {
        return Clients.connect(scheme.replace("auto+", "") + "://localhost:" + broker.port(), client, true, provider);
    }

    @ParameterizedTest
    @MethodSource("openWire")
    void nameInTheCertificateGetsItsUserAndGroups(String scheme, String provider) throws Exception {
        try (Broker broker = broker(scheme)) {
            Connection connection = connect(broker, scheme, device, provider);
            assertEquals("hello", Clients.echo(connection, "greetings", "hello"));
            connection.close();
            assertEquals("CN=device-7, O=Example: devices seven", connected.poll(30, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @MethodSource("openWire")
    void userOfAnotherGroupIsKnownAndMayDoNothing(String scheme, String provider) throws Exception {
        try (Broker broker = broker(scheme)) {
            Connection connection = connect(broker, scheme, guest, provider);
            JMSException refusal = assertThrows(JMSException.class,
                    () -> Clients.send(connection, "greetings", "hello"));
            String reason = refusal.getMessage();
            assertTrue(reason.contains("User CN=guest-1, O=Example is not authorized to write"), reason);
            connection.close();
            assertEquals("CN=guest-1, O=Example: guests visitor", connected.poll(30, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @MethodSource("openWire")
    void trustedCertificateWithAnotherNameIsNotLetIn(String scheme, String provider) throws Exception {
        try (Broker broker = broker(scheme); BrokerLog log = new BrokerLog()) {
            assertThrows(JMSException.class, () -> connect(broker, scheme, unknown, provider).close());
            String line = log.await("CN=device-8, O=Example");
            assertTrue(line.contains("due to User name") || line.contains("SecurityException"), line);
            assertTrue(connected.isEmpty());
        }
    }

    private static String echo(Broker broker, Stores client, String provider) throws Exception {
        SSLContext context = client.clientContext(provider, true);
        return MqttClients.echo("ssl://localhost:" + broker.port(), context, "greetings", "hello");
    }

    @ParameterizedTest
    @MethodSource("mqtt")
    void nameInTheCertificateOfAnMqttClientGetsItsUserAndGroups(String scheme, String provider) throws Exception {
        try (Broker broker = broker(scheme)) {
            assertEquals("hello", echo(broker, device, provider));
            assertEquals("CN=device-7, O=Example: devices seven", connected.poll(30, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @MethodSource("mqtt")
    void trustedCertificateWithAnotherNameIsNotLetInOverMqtt(String scheme, String provider) throws Exception {
        try (Broker broker = broker(scheme)) {
            MqttException refusal = assertThrows(MqttException.class, () -> echo(broker, unknown, provider));
            assertEquals(MqttException.REASON_CODE_NOT_AUTHORIZED, refusal.getReasonCode(), refusal.toString());
            assertTrue(connected.isEmpty());
        }
    }
}
