package io.brokertls.activemq;

import jakarta.jms.Connection;
import java.util.List;
import org.apache.activemq.spring.SpringSslContext;

/** {@code keyStoreAlgorithm} and {@code trustStoreAlgorithm} of ours: keys and verdicts stay native. */
class NativeManagersTest extends ConnectorContract {
    @Override
    List<String> schemes() {
        return List.of("ssl", "nio+ssl");
    }

    @Override
    Broker open(String scheme, String options) throws Exception {
        SpringSslContext context = Broker.context(ours);
        if (Tls.isOurs()) {
            context.setKeyStoreAlgorithm(Tls.PROVIDER);
            context.setTrustStoreAlgorithm(Tls.PROVIDER);
        }
        return new Broker(context, scheme, 0, options);
    }

    @Override
    String untrusted() {
        return Tls.isOurs() ? "BTLS_CERT_SELF_SIGNED" : super.untrusted();
    }

    @Override
    String untrustedAlert() {
        return Tls.isOurs() ? "unknown_ca" : super.untrustedAlert();
    }

    /** In OpenWire the broker speaks first. */
    @Override
    boolean losesFirstPackets(String scheme) {
        return false;
    }

    @Override
    String echo(String scheme, Broker broker, Stores stores, boolean certified, String provider, String text)
            throws Exception {
        Connection connection = Clients.connect(scheme + "://localhost:" + broker.port(), stores, certified, provider);
        try {
            return Clients.echo(connection, "greetings", text);
        } finally {
            connection.close();
        }
    }
}
