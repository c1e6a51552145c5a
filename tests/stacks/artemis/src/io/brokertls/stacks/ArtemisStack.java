package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/** Artemis: the provider at place 1, with acceptors and connectors that name their stores. */
public final class ArtemisStack {
    private ArtemisStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Pki.insertProvider();
        Path store = Pki.copy("server.p12", "server.p12");
        int port = start(store);
        int other = start(Pki.file("other.p12"));
        check("artemis carries a message of its client", () -> equal("hello", exchange(port, "ca")));
        RawClient.strangersAreRefused("artemis", port, new byte[] {'?'});
        // The client keeps the reason of a failed connection to its log.
        refused("artemis' client refuses a server of a strange CA", "AMQ219007",
                () -> exchange(port, "strange-ca"));
        refused("artemis' client refuses a server with another name", "AMQ219007",
                () -> exchange(other, "ca"));
        check("artemis shows a new certificate after a change of the keystore", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            RawClient.awaitName(port, "CN=localhost-renewed");
        });
    }

    private static String stores(Path key, String trust) {
        return "sslEnabled=true;keyStorePath=" + key + ";keyStoreType=PKCS12;keyStorePassword=changeit;trustStorePath="
                + Pki.path(trust + ".p12") + ";trustStoreType=PKCS12;trustStorePassword=changeit";
    }

    private static int start(Path store) throws Exception {
        int port = Pki.freePort();
        Configuration configuration = new ConfigurationImpl();
        // A refresh during the start would leave out the acceptor.
        configuration.setPersistenceEnabled(false).setSecurityEnabled(false).setJMXManagementEnabled(false)
                .setConfigurationFileRefreshPeriod(10_000);
        configuration.addAcceptorConfiguration("tls", "tcp://localhost:" + port + "?" + stores(store, "ca")
                + ";needClientAuth=true;sslAutoReload=true");
        EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
        broker.setConfiguration(configuration);
        broker.start();
        return port;
    }

    private static String exchange(int port, String trust) throws Exception {
        String url = "tcp://localhost:" + port + "?" + stores(Pki.file("client.p12"), trust).replace(';', '&')
                + "&verifyHost=true&initialConnectAttempts=1";
        try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(url);
                Connection connection = factory.createConnection()) {
            connection.start();
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            Destination queue = session.createQueue("orders");
            session.createProducer(queue).send(session.createTextMessage("hello"));
            MessageConsumer consumer = session.createConsumer(queue);
            return ((TextMessage) consumer.receive(60_000)).getText();
        }
    }
}
