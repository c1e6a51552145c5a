package io.brokertls.activemq;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** MQTT clients on sockets of a context of the test's choice; they speak MQTT over TLS and over wss. */
final class MqttClients {
    private MqttClients() {}

    /** Publishes {@code text} to {@code topic}, to which it has subscribed: what comes, null after half a minute. */
    static String echo(String address, SSLContext context, String topic, String text)
            throws MqttException, InterruptedException {
        BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
        try (MqttClient client = connect(address, context)) {
            // Without acknowledgements by the client: one that comes after its DISCONNECT finds the connection closed.
            client.subscribe(topic, 0, (from, message) -> arrived.add(new String(message.getPayload(),
                    StandardCharsets.UTF_8)));
            client.publish(topic, text.getBytes(StandardCharsets.UTF_8), 1, false);
            String answer = arrived.poll(30, TimeUnit.SECONDS);
            client.disconnect();
            return answer;
        }
    }

    /** A connected client; {@code address} begins with ssl:// or wss://. */
    static MqttClient connect(String address, SSLContext context) throws MqttException {
        MqttConnectOptions options = new MqttConnectOptions();
        options.setSocketFactory(context.getSocketFactory());
        options.setHttpsHostnameVerificationEnabled(true);
        options.setConnectionTimeout(30);
        MqttClient client = new MqttClient(address, MqttClient.generateClientId(), new MemoryPersistence());
        client.setTimeToWait(30_000);
        try {
            client.connect(options);
            return client;
        } catch (MqttException e) {
            client.close();
            throw e;
        }
    }
}
