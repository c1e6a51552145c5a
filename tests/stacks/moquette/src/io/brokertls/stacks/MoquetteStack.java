package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import com.hivemq.client.mqtt.MqttClient;
import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.mqtt3.Mqtt3BlockingClient;
import io.brokertls.BrokerTlsContext;
import io.moquette.broker.ISslContextCreator;
import io.moquette.broker.Server;
import io.moquette.broker.config.MemoryConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** Moquette by a context of the builder, and with it the clients of Paho and HiveMQ. */
public final class MoquetteStack {
    private MoquetteStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Path store = Pki.copy("server.p12", "server.p12");
        BrokerTlsContext tls = Pki.server(store);
        int port = start(tls);
        int other = start(Pki.server(Pki.file("other.p12")));
        for (String provider : List.of(Pki.OURS, Pki.JDK)) {
            if (provider.equals(Pki.OURS)) {
                Pki.insertProvider();
            }
            check("moquette carries a message of a socket on " + provider,
                    () -> equal("hello", exchange(Pki.context(provider, "client"), port)));
        }
        RawClient.strangersAreRefused("moquette", port, Mqtt.connect());
        clients(port, other);
        check("moquette shows a new certificate after reload() of the context", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            tls.reload();
            equal("CN=localhost-renewed", RawClient.shownName(port));
        });
    }

    /**
     * Exchanges a message. Moquette notes that it has acknowledged a CONNECT after it has sent the packet, and until
     * then ends a connection that subscribes, also one without TLS. So the client comes again, a few times.
     */
    private static String exchange(SSLContext context, int port) throws IOException {
        for (int attempt = 1;; attempt++) {
            try {
                return Mqtt.exchange(context, port, "hello");
            } catch (EOFException e) {
                if (attempt == 5) {
                    throw e;
                }
            }
        }
    }

    private static void clients(int port, int other) {
        check("Paho's client of MQTT 3.1.1 carries a message", () -> equal("hello", paho3("ca", port)));
        refused("Paho's client of MQTT 3.1.1 refuses a server of a strange CA", "BTLS_CERT_SELF_SIGNED_IN_CHAIN",
                () -> paho3("strange-ca", port));
        refused("Paho's client of MQTT 3.1.1 refuses a server with another name", "BTLS_CERT_NAME_MISMATCH",
                () -> paho3("ca", other));
        check("HiveMQ's client carries a message", () -> equal("hello", hive("ca", port)));
        refused("HiveMQ's client refuses a server of a strange CA", "unable to find valid certification path",
                () -> hive("strange-ca", port));
        refused("HiveMQ's client refuses a server with another name", "No subject alternative DNS name matching localhost",
                () -> hive("ca", other));
    }

    private static int start(BrokerTlsContext tls) throws Exception {
        int port = Pki.freePort();
        Properties settings = new Properties();
        settings.put("host", "localhost");
        settings.put("port", "0");
        settings.put("ssl_port", Integer.toString(port));
        settings.put("allow_anonymous", "true");
        settings.put("telemetry_enabled", "false");
        settings.put("data_path", Files.createTempDirectory("moquette").toString());
        ISslContextCreator creator = () -> new JdkSslContext(tls.sslContext(), false, null,
                IdentityCipherSuiteFilter.INSTANCE, null, ClientAuth.REQUIRE, null, false);
        new Server().startServer(new MemoryConfig(settings), List.of(), creator, null, null);
        return port;
    }

    private static String paho3(String trust, int port) throws Exception {
        MqttConnectOptions options = new MqttConnectOptions();
        options.setSocketFactory(Pki.client(trust).socketFactory());
        org.eclipse.paho.client.mqttv3.MqttClient client = new org.eclipse.paho.client.mqttv3.MqttClient(
                "ssl://localhost:" + port, "paho3", new MemoryPersistence());
        CompletableFuture<String> received = new CompletableFuture<>();
        client.connect(options);
        client.subscribe("t", (topic, message) -> received.complete(new String(message.getPayload(),
                StandardCharsets.UTF_8)));
        client.publish("t", "hello".getBytes(StandardCharsets.UTF_8), 0, false);
        String answer = received.get(60, TimeUnit.SECONDS);
        client.disconnect();
        return answer;
    }

    private static String hive(String trust, int port) throws Exception {
        Mqtt3BlockingClient client = MqttClient.builder().useMqttVersion3().identifier("hive")
                .serverHost("localhost").serverPort(port)
                .sslConfig().keyManagerFactory(Pki.keys("client")).trustManagerFactory(Pki.trust(trust))
                .applySslConfig().buildBlocking();
        client.connect();
        try (Mqtt3BlockingClient.Mqtt3Publishes publishes = client.publishes(MqttGlobalPublishFilter.ALL)) {
            client.subscribeWith().topicFilter("t").send();
            client.publishWith().topic("t").payload("hello".getBytes(StandardCharsets.UTF_8)).send();
            return new String(publishes.receive().getPayloadAsBytes(), StandardCharsets.UTF_8);
        } finally {
            client.disconnect();
        }
    }
}
