package io.brokertls.demo;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.SslContext;
import org.apache.activemq.broker.TransportConnector;

/**
 * Three ActiveMQ brokers in one virtual machine, each with a TLS context of its own. "plant" has keystores, "office" PEM
 * files, both in the working directory; each wants a certificate of its clients. "field" has the pre-shared keys of its
 * clients, and no certificate. They end with the standard input.
 */
public final class Brokers {
    private Brokers() {}

    public static void main(String[] arguments) throws Exception {
        BrokerService plant = start("plant", plantContext("password".toCharArray()));
        BrokerService office = start("office", officeContext());
        BrokerService field = start("field", fieldContext());
        waitForEndOfInput();
        plant.stop();
        office.stop();
        field.stop();
    }

    private static BrokerTlsContext plantContext(char[] password) throws TlsFailure {
        return BrokerTlsContext.builder()
                .keyStore(Path.of("plant.ks"), password)
                .trustStore(Path.of("plant.ts"), password)
                .clientAuth(BrokerTlsContext.ClientAuth.NEED)
                .build();
    }

    private static BrokerTlsContext officeContext() throws TlsFailure {
        return BrokerTlsContext.builder()
                .certificate(Path.of("office.pem"))
                .trustCertificates(Path.of("clerk.crt"))
                .clientAuth(BrokerTlsContext.ClientAuth.NEED)
                .protocols("TLSv1.3")
                .build();
    }

    private static BrokerTlsContext fieldContext() throws TlsFailure {
        return BrokerTlsContext.builder()
                .legacyEngine(true)
                .pskFile(Path.of("sensors.psk"))
                .build();
    }

    /** Sets the context of a broker, before its connectors are added. */
    private static BrokerService start(String name, BrokerTlsContext tls) throws Exception {
        SslContext context = new SslContext();
        context.setSSLContext(tls.sslContext());
        BrokerService broker = new BrokerService();
        broker.setSslContext(context);
        broker.setBrokerName(name);
        broker.setPersistent(false);
        broker.setUseJmx(false);
        TransportConnector jms = broker.addConnector("nio+ssl://127.0.0.1:0");
        // Not mqtt+nio+ssl: there ActiveMQ 6.3 gives all brokers of a process the context that came last.
        TransportConnector mqtt = broker.addConnector("mqtt+ssl://127.0.0.1:0");
        broker.start();
        System.out.println("[" + name + "] listens for JMS on port " + jms.getConnectUri().getPort());
        System.out.println("[" + name + "] listens for MQTT on port " + mqtt.getConnectUri().getPort());
        return broker;
    }

    private static void waitForEndOfInput() throws IOException {
        while (System.in.read() >= 0) {
            // Whatever is typed means nothing.
        }
    }
}
