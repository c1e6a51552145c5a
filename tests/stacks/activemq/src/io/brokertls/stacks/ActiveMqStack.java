package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

import io.brokertls.BrokerTlsContext;
import java.nio.file.Path;
import java.util.List;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.SslContext;
import org.apache.activemq.broker.TransportConnector;

/** ActiveMQ Classic: a context of the builder for the whole broker. */
public final class ActiveMqStack {
    private ActiveMqStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Pki.addProvider();
        Path store = Pki.copy("server.p12", "server.p12");
        BrokerTlsContext tls = Pki.server(store);
        BrokerService broker = new BrokerService();
        broker.setPersistent(false);
        broker.setUseJmx(false);
        SslContext forBroker = new SslContext();
        forBroker.setSSLContext(tls.sslContext());
        broker.setSslContext(forBroker);
        TransportConnector[] connectors = new TransportConnector[2];
        for (int i = 0; i < 2; i++) {
            connectors[i] = broker.addConnector(
                    List.of("mqtt+ssl", "mqtt+nio+ssl").get(i) + "://localhost:0?transport.needClientAuth=true");
        }
        broker.start();
        broker.waitUntilStarted();
        for (TransportConnector connector : connectors) {
            String name = "activemq's " + connector.getUri().getScheme();
            int port = connector.getConnectUri().getPort();
            for (String provider : List.of(Pki.OURS, Pki.JDK)) {
                check(name + " carries a message of a socket on " + provider,
                        () -> equal("hello", Mqtt.exchange(Pki.context(provider, "client"), port, "hello")));
            }
            if (name.contains("nio")) {
                // So it does with the provider of the JDK.
                RawClient.strangersAreCutOff(name, port, Mqtt.connect());
            } else {
                RawClient.strangersAreRefused(name, port, Mqtt.connect());
            }
        }
        int port = connectors[0].getConnectUri().getPort();
        check("activemq shows a new certificate after reload() of the context", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            tls.reload();
            equal("CN=localhost-renewed", RawClient.shownName(port));
        });
    }
}
