package io.brokertls.activemq;

import java.util.List;

/** AMQP 1.0, by rhea. */
class NodeAmqpClientTest extends NodeClient {
    @Override
    String protocol() {
        return "amqp";
    }

    @Override
    List<String> schemes() {
        return List.of("amqp+ssl", "amqp+nio+ssl");
    }

    /** So that JMS clients are given texts, not AMQP's own bytes. */
    @Override
    String options() {
        return "&transport.transformer=jms";
    }
}
