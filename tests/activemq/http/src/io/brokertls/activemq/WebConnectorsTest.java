package io.brokertls.activemq;

import jakarta.jms.Connection;
import java.util.List;
import org.apache.activemq.spring.SpringSslContext;

/** The connectors that a web server carries: OpenWire over https, MQTT over wss. */
class WebConnectorsTest extends ConnectorContract {
    @Override
    List<String> schemes() {
        return List.of("https", "wss");
    }

    /** These connectors have no option for it; the context's protocol is how it is said. */
    @Override
    Broker ofOneVersion(String scheme, String version) throws Exception {
        SpringSslContext context = Broker.context(ours);
        context.setProtocol(version);
        return new Broker(context, scheme, 0, "");
    }

    /** The web server's log, which says it, is not ActiveMQ's. */
    @Override
    boolean logsRefusals() {
        return false;
    }

    @Override
    String echo(String scheme, Broker broker, Stores stores, boolean certified, String provider, String text)
            throws Exception {
        String address = scheme + "://localhost:" + broker.port();
        if (scheme.equals("wss")) {
            return MqttClients.echo(address, stores.clientContext(provider, certified), "greetings", text);
        }
        Connection connection = Clients.connect(address, stores, certified, provider);
        try {
            return Clients.echo(connection, "greetings", text);
        } finally {
            connection.close();
        }
    }
}
