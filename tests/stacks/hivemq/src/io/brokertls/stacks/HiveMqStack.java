package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttCallback;
import org.eclipse.paho.mqttv5.client.MqttClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.MqttDisconnectResponse;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;

/**
 * HiveMQ CE: the provider at place 1 by a file for {@code java.security.properties}, and listeners in {@code
 * config.xml}. With it Paho's client of MQTT 5.
 */
public final class HiveMqStack {
    private HiveMqStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Path store = Pki.copy("server.jks", "server.jks");
        int port = Pki.freePort();
        int other = Pki.freePort();
        Path folder = Files.createTempDirectory("hivemq");
        Files.writeString(folder.resolve("config.xml"), "<?xml version=\"1.0\"?>\n<hivemq>\n  <listeners>\n"
                + listener(store, port) + listener(Pki.file("other.jks"), other) + "  </listeners>\n"
                + "  <anonymous-usage-statistics>\n    <enabled>false</enabled>\n  </anonymous-usage-statistics>\n"
                + "</hivemq>\n");
        EmbeddedHiveMQ broker = EmbeddedHiveMQ.builder().withConfigurationFolder(folder)
                .withDataFolder(Files.createDirectory(folder.resolve("data")))
                .withExtensionsFolder(Files.createDirectory(folder.resolve("extensions"))).build();
        broker.start().get();
        for (String provider : List.of(Pki.OURS, Pki.JDK)) {
            check("hivemq carries a message of a socket on " + provider,
                    () -> equal("hello", Mqtt.exchange(Pki.context(provider, "client"), port, "hello")));
        }
        RawClient.strangersAreRefused("hivemq", port, Mqtt.connect());
        check("Paho's client of MQTT 5 carries a message", () -> equal("hello", paho("ca", port)));
        refused("Paho's client of MQTT 5 refuses a server of a strange CA", "BTLS_CERT_SELF_SIGNED_IN_CHAIN",
                () -> paho("strange-ca", port));
        refused("Paho's client of MQTT 5 refuses a server with another name", "BTLS_CERT_NAME_MISMATCH",
                () -> paho("ca", other));
        check("hivemq shows a new certificate after a change of the keystore", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.jks");
            RawClient.awaitName(port, "CN=localhost-renewed");
        });
    }

    private static String listener(Path store, int port) {
        return "    <tls-tcp-listener>\n      <port>" + port + "</port>\n"
                + "      <bind-address>127.0.0.1</bind-address>\n      <tls>\n"
                + "        <keystore>\n          <path>" + store + "</path>\n"
                + "          <password>changeit</password>\n"
                + "          <private-key-password>changeit</private-key-password>\n        </keystore>\n"
                + "        <client-authentication-mode>REQUIRED</client-authentication-mode>\n"
                + "        <truststore>\n          <path>" + Pki.path("ca.jks") + "</path>\n"
                + "          <password>changeit</password>\n        </truststore>\n"
                + "      </tls>\n    </tls-tcp-listener>\n";
    }

    private static String paho(String trust, int port) throws Exception {
        MqttConnectionOptions options = new MqttConnectionOptions();
        options.setSocketFactory(Pki.client(trust).socketFactory());
        MqttClient client = new MqttClient("ssl://localhost:" + port, "paho5", new MemoryPersistence());
        CompletableFuture<String> received = new CompletableFuture<>();
        client.setCallback(new Receiver(received));
        client.connect(options);
        client.subscribe("t", 0);
        client.publish("t", "hello".getBytes(StandardCharsets.UTF_8), 0, false);
        String answer = received.get(60, TimeUnit.SECONDS);
        client.disconnect();
        return answer;
    }

    /** Takes the first message. */
    private static final class Receiver implements MqttCallback {
        private final CompletableFuture<String> received;

        Receiver(CompletableFuture<String> received) {
            this.received = received;
        }

        @Override
        public void messageArrived(String topic, MqttMessage message) {
            received.complete(new String(message.getPayload(), StandardCharsets.UTF_8));
        }

        @Override
        public void disconnected(MqttDisconnectResponse response) {
        }

        @Override
        public void mqttErrorOccurred(MqttException exception) {
        }

        @Override
        public void deliveryComplete(IMqttToken token) {
        }

        @Override
        public void connectComplete(boolean isReconnected, String server) {
        }

        @Override
        public void authPacketArrived(int reason, MqttProperties properties) {
        }
    }
}
