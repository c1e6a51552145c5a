package io.brokertls.activemq;

import java.util.List;

/** STOMP 1.2, by stompit. */
class NodeStompClientTest extends NodeClient {
    @Override
    String protocol() {
        return "stomp";
    }

    @Override
    List<String> schemes() {
        return List.of("stomp+ssl", "stomp+nio+ssl");
    }
}
