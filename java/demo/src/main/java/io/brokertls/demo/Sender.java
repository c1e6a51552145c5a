package io.brokertls.demo;

import io.brokertls.BrokerTlsContext;
import jakarta.jms.Connection;
import jakarta.jms.Session;
import java.nio.file.Path;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.broker.SslContext;

/** A JMS client: {@code Sender PORT KEYSTORE TRUSTSTORE PASSWORD TOPIC TEXT}. */
public final class Sender {
    private Sender() {}

    public static void main(String[] arguments) throws Exception {
        char[] password = arguments[3].toCharArray();
        BrokerTlsContext tls = BrokerTlsContext.builder()
                .keyStore(Path.of(arguments[1]), password)
                .trustStore(Path.of(arguments[2]), password)
                .build();
        SslContext context = new SslContext();
        context.setSSLContext(tls.sslContext());
        SslContext.setCurrentSslContext(context);
        try (Connection connection = new ActiveMQConnectionFactory("ssl://localhost:"
                + arguments[0]).createConnection()) {
            connection.start();
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            session.createProducer(session.createTopic(arguments[4])).send(session.createTextMessage(arguments[5]));
            System.out.println("sent to " + arguments[4]);
        }
    }
}
