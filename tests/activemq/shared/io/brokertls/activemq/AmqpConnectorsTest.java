package io.brokertls.activemq;

import jakarta.jms.Connection;
import java.util.List;
import org.apache.qpid.jms.JmsConnectionFactory;

/** AMQP 1.0 over TLS, with a JMS client that is not ActiveMQ's: it runs engines under Netty. */
class AmqpConnectorsTest extends ConnectorContract {
    @Override
    List<String> schemes() {
        return List.of("amqp+ssl", "amqp+nio+ssl");
    }

    @Override
    String echo(String scheme, Broker broker, Stores stores, boolean certified, String provider, String text)
            throws Exception {
        JmsConnectionFactory factory = new JmsConnectionFactory("amqps://localhost:" + broker.port()
                + "?transport.connectTimeout=30000&amqp.saslMechanisms=ANONYMOUS&jms.connectTimeout=30000");
        factory.setSslContext(stores.clientContext(provider, certified));
        Connection connection = factory.createConnection();
        try {
            connection.start();
            return Clients.echo(connection, "greetings", text);
        } finally {
            connection.close();
        }
    }
}
