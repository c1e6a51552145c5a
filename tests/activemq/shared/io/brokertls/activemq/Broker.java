package io.brokertls.activemq;

import java.io.IOException;
import org.apache.activemq.broker.BrokerPlugin;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.SslContext;
import org.apache.activemq.broker.TransportConnector;
import org.apache.activemq.spring.SpringSslContext;

/**
 * An embedded broker without disk, with a context of its own and one connector, of any scheme, on a port that the
 * system chose.
 */
final class Broker implements AutoCloseable {
    private final BrokerService service = new BrokerService();
    private final TransportConnector connector;
    private final int port;

    /** {@code options} is the query of the connector's address, without its question mark; it may be empty. */
    Broker(Stores stores, String scheme, String options, BrokerPlugin... plugins) throws Exception {
        this(context(stores), scheme, 0, options, plugins);
    }

    /** With a context that the caller has configured, on a port that it has chosen; 0 leaves that to the system. */
    Broker(SslContext context, String scheme, int port, String options, BrokerPlugin... plugins) throws Exception {
        if (context instanceof SpringSslContext) {
            ((SpringSslContext) context).afterPropertiesSet();
        }
        service.setBrokerName(scheme.replace('+', '-') + System.nanoTime());
        service.setPersistent(false);
        service.setUseJmx(false);
        service.setUseShutdownHook(false);
        service.setPlugins(plugins);
        service.setSslContext(context);
        connector = service.addConnector(scheme + "://127.0.0.1:" + port + (options.isEmpty() ? "" : "?" + options));
        service.start();
        if (!service.waitUntilStarted()) {
            throw new IllegalStateException("the broker did not start", service.getStartException());
        }
        this.port = connector.getConnectUri().getPort();
    }

    /** Makes the connector of a scheme, before its properties are set. */
    static SpringSslContext context(Stores stores) throws IOException {
        SpringSslContext context = new SpringSslContext();
        context.setProvider(Tls.PROVIDER);
        context.setKeyStoreType("pkcs12");
        context.setKeyStore(stores.path("broker.ks"));
        context.setKeyStorePassword(Stores.PASSWORD);
        context.setTrustStoreType("pkcs12");
        context.setTrustStore(stores.path("broker.ts"));
        context.setTrustStorePassword(Stores.PASSWORD);
        return context;
    }

    int port() {
        return port;
    }

    /** Opens one more connector, so that messages can go from one protocol to another: its port. */
    int open(String scheme, String options) throws Exception {
        TransportConnector more = service.addConnector(scheme + "://127.0.0.1:0"
                + (options.isEmpty() ? "" : "?" + options));
        return service.startTransportConnector(more).getConnectUri().getPort();
    }

    /** Stops it; the queues are gone with it. */
    @Override
    public void close() throws Exception {
        service.stop();
        service.waitUntilStopped();
    }
}
