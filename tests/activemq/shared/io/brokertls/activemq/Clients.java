package io.brokertls.activemq;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.security.SecureRandom;
import javax.net.ssl.KeyManager;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.broker.SslContext;

/** JMS clients on a provider of the test's choice. Their context is handed over as ActiveMQ's own factory does it. */
final class Clients {
    private Clients() {}

    /**
     * A started connection to {@code address}; {@code stores} gives its trust and, with {@code certified}, its
     * certificate.
     */
    static Connection connect(String address, Stores stores, boolean certified, String provider) throws Exception {
        KeyManager[] keys = certified ? stores.clientKeys() : null;
        SslContext context = new SslContext(keys, stores.clientTrust(), new SecureRandom());
        context.setProvider(provider);
        SslContext before = SslContext.getCurrentSslContext();
        SslContext.setCurrentSslContext(context);
        Connection connection = null;
        try {
            connection = new ActiveMQConnectionFactory(address).createConnection();
            connection.start();
            return connection;
        } catch (JMSException | RuntimeException e) {
            if (connection != null) {
                connection.close();
            }
            throw e;
        } finally {
            SslContext.setCurrentSslContext(before);
        }
    }

    static void send(Connection connection, String queue, String text) throws JMSException {
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(session.createQueue(queue));
        producer.send(session.createTextMessage(text));
        session.close();
    }

    /** The next text on {@code queue}, or null after half a minute without one. */
    static String receive(Connection connection, String queue) throws JMSException {
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Message message = session.createConsumer(session.createQueue(queue)).receive(30_000);
        session.close();
        return message == null ? null : ((TextMessage) message).getText();
    }

    /** Sends {@code text} to {@code queue} and takes it back. */
    static String echo(Connection connection, String queue, String text) throws JMSException {
        send(connection, queue, text);
        return receive(connection, queue);
    }
}
