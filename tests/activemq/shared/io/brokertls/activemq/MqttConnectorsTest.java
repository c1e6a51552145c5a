package io.brokertls.activemq;

import java.util.List;

/** MQTT over TLS. */
class MqttConnectorsTest extends ConnectorContract {
    @Override
    List<String> schemes() {
        return List.of("mqtt+ssl", "mqtt+nio+ssl");
    }

    @Override
    String echo(String scheme, Broker broker, Stores stores, boolean certified, String provider, String text)
            throws Exception {
        return MqttClients.echo("ssl://localhost:" + broker.port(), stores.clientContext(provider, certified),
                "greetings", text);
    }
}
