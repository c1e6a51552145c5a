package io.brokertls.activemq;

import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;

/** {@code mosquitto_pub} and {@code mosquitto_sub}, which are on OpenSSL. */
class MosquittoClientsTest extends ForeignContract {
    @BeforeAll
    void writePem() throws Exception {
        PemFiles.write(Stores.ours());
        PemFiles.write(Stores.impostor());
    }

    @Override
    List<String> schemes() {
        return List.of("mqtt+ssl", "mqtt+nio+ssl");
    }

    @Override
    Program send(int port, Stores own, Stores trusted, String text) throws IOException {
        return Program.start("mosquitto_pub", "-d", "-h", "localhost", "-p", "" + port, "--cafile",
                trusted.path("broker.pem"), "--cert", own.path("client.pem"), "--key", own.path("client.pem"), "-V",
                        "311",
                "-q", "1", "-t", "line/1", "-m", text);
    }

    @Override
    Program receive(int port, Stores own, Stores trusted) throws Exception {
        // Into a pipe it would print nothing before its end.
        Program subscriber = Program.start("stdbuf", "-oL", "mosquitto_sub", "-d", "-h", "localhost", "-p", "" + port,
                "--cafile", trusted.path("broker.pem"), "--cert", own.path("client.pem"), "--key",
                        own.path("client.pem"),
                "-V", "311", "-q", "1", "-t", "line/1", "-C", "1", "-W", "30");
        subscriber.await("Subscribed (");
        return subscriber;
    }

    @Override
    Destination destination(Session session) throws JMSException {
        return session.createTopic("line.1");
    }

    @Override
    String refused() {
        return "certificate unknown";
    }

    @Override
    String untrusted() {
        return "certificate verify failed";
    }
}
