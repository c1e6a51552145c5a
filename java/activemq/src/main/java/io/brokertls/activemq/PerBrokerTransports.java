package io.brokertls.activemq;

import java.io.IOException;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.BrokerServiceAware;
import org.apache.activemq.transport.Transport;
import org.apache.activemq.transport.TransportFactory;
import org.apache.activemq.transport.TransportServer;
import org.apache.activemq.wireformat.WireFormat;

/**
 * Makes a factory of ActiveMQ for each connector. The factories of these schemes keep the SSL context of the last
 * connector that was bound, and give it to the connections of all brokers in the process.
 */
final class PerBrokerTransports extends TransportFactory implements BrokerServiceAware {
    private static final List<String> SCHEMES = List.of("mqtt+nio+ssl", "stomp+nio+ssl", "amqp+nio+ssl");

    private final TransportFactory shared;
    /** ActiveMQ names the broker and binds on one thread. */
    private final ThreadLocal<BrokerService> binding = new ThreadLocal<>();

    private PerBrokerTransports(TransportFactory shared) {
        this.shared = shared;
    }

    /** Replaces the factories of those schemes that this ActiveMQ has. Further calls do nothing. */
    static synchronized void install() {
        for (String scheme : SCHEMES) {
            TransportFactory found;
            try {
                found = TransportFactory.findTransportFactory(URI.create(scheme + "://localhost"));
            } catch (IOException e) {
                // The protocol is not on the class path.
                continue;
            }
            if (!(found instanceof PerBrokerTransports)) {
                TransportFactory.registerTransportFactory(scheme, new PerBrokerTransports(found));
            }
        }
    }

    @Override
    public void setBrokerService(BrokerService broker) {
        binding.set(broker);
    }

    @Override
    public TransportServer doBind(URI location) throws IOException {
        BrokerService broker = binding.get();
        binding.remove();
        TransportFactory own;
        try {
            own = shared.getClass().getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IOException("no transport factory of its own for " + location.getScheme(), e);
        }
        if (own instanceof BrokerServiceAware && broker != null) {
            ((BrokerServiceAware) own).setBrokerService(broker);
        }
        return own.doBind(location);
    }

    @Override
    public Transport doConnect(URI location, Executor executor) throws Exception {
        return shared.doConnect(location, executor);
    }

    @Override
    public Transport doConnect(URI location) throws Exception {
        return shared.doConnect(location);
    }

    @Override
    public Transport doCompositeConnect(URI location, Executor executor) throws Exception {
        return shared.doCompositeConnect(location, executor);
    }

    @Override
    public Transport doCompositeConnect(URI location) throws Exception {
        return shared.doCompositeConnect(location);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Transport configure(Transport transport, WireFormat format, Map options) throws Exception {
        return shared.configure(transport, format, options);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Transport serverConfigure(Transport transport, WireFormat format, HashMap options) throws Exception {
        return shared.serverConfigure(transport, format, options);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Transport compositeConfigure(Transport transport, WireFormat format, Map options) {
        return shared.compositeConfigure(transport, format, options);
    }
}
