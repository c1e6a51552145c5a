package io.brokertls.stacks;

import java.nio.file.Path;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.SslContext;
import org.apache.activemq.broker.TransportConnector;

/** A browser at the connector {@code wss} of ActiveMQ, with a context of the builder. */
public final class BrowserStack {
    private BrowserStack() {
    }

    public static void main(String[] arguments) throws Exception {
        BrowserChecks.run("activemq", start(Pki.file("server.p12")), start(Pki.file("other.p12")));
    }

    private static int start(Path store) throws Exception {
        BrokerService broker = new BrokerService();
        broker.setBrokerName(store.getFileName().toString());
        broker.setPersistent(false);
        broker.setUseJmx(false);
        SslContext tls = new SslContext();
        tls.setSSLContext(Pki.server(store).sslContext());
        broker.setSslContext(tls);
        TransportConnector connector = broker.addConnector("wss://localhost:0?transport.needClientAuth=true");
        broker.start();
        broker.waitUntilStarted();
        return connector.getConnectUri().getPort();
    }
}
