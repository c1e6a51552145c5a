package io.brokertls.activemq;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.BrokerServiceAware;
import org.apache.activemq.broker.SslContext;
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
    /** The number of beans that are in use. */
    private static int beans;

    private final TransportFactory shared;
    /** ActiveMQ names the broker and binds on one thread. */
    private final ThreadLocal<WeakReference<BrokerService>> binding = new ThreadLocal<>();

    private PerBrokerTransports(TransportFactory shared) {
        this.shared = shared;
    }

    /** Replaces the factories of those schemes that this ActiveMQ has, for one more bean. */
    static synchronized void acquire() {
        beans++;
        for (String scheme : SCHEMES) {
            TransportFactory found = find(scheme);
            if (found != null && !(found instanceof PerBrokerTransports)) {
                registerTransportFactory(scheme, new PerBrokerTransports(found));
            }
        }
    }

    /** Ends the use by one bean. The last one gives ActiveMQ its own factories back. Connectors continue. */
    static synchronized void release() {
        beans--;
        for (String scheme : beans == 0 ? SCHEMES : List.<String>of()) {
            TransportFactory found = find(scheme);
            if (found instanceof PerBrokerTransports) {
                registerTransportFactory(scheme, ((PerBrokerTransports) found).shared);
            }
        }
    }

    /** Returns the factory of a scheme; null if its protocol is not on the class path. */
    private static TransportFactory find(String scheme) {
        try {
            return findTransportFactory(URI.create(scheme + "://localhost"));
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    public void setBrokerService(BrokerService broker) {
        binding.set(new WeakReference<>(broker));
    }

    /** Returns the broker of this connector; null for a connector without one, and for a broker that did not bind. */
    private BrokerService broker() {
        WeakReference<BrokerService> named = binding.get();
        binding.remove();
        BrokerService broker = named == null ? null : named.get();
        return broker != null && broker.getSslContext() == SslContext.getCurrentSslContext() ? broker : null;
    }

    @Override
    public TransportServer doBind(URI location) throws IOException {
        BrokerService broker = broker();
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
