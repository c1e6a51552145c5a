package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jakarta.jms.Connection;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The connectors that a web server carries: OpenWire over https, MQTT over wss. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WebConnectorsTest {
    @TempDir static Path folder;

    private static Stores ours;

    @BeforeAll
    static void makeStores() throws Exception {
        ours = Stores.make(folder.resolve("ours"), "device-7");
    }

    @Test
    void messageThroughHttpsArrives() throws Exception {
        try (Broker broker = new Broker(ours, "https", "")) {
            for (String provider : List.of(Tls.PROVIDER, Tls.JDK)) {
                Connection connection = Clients.connect("https://localhost:" + broker.port(), ours, false, provider);
                assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
                connection.close();
            }
        }
    }

    @Test
    void messageThroughWssArrives() throws Exception {
        try (Broker broker = new Broker(ours, "wss", "")) {
            for (String provider : List.of(Tls.PROVIDER, Tls.JDK)) {
                String address = "wss://localhost:" + broker.port();
                assertEquals("hello", MqttClients.echo(address, ours.clientContext(provider, false), "greetings", "hello"));
            }
        }
    }
}
