package io.brokertls.activemq;

import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;

/** {@code node/client.js}, with the libraries that Node's users take. */
abstract class NodeClient extends ForeignContract {
    private static final String SCRIPT = Program.root().resolve("tests/activemq/node/client.js").toString();

    /** Runs the script with its arguments. */
    abstract String protocol();

    @BeforeAll
    void writePem() throws Exception {
        PemFiles.write(Stores.ours());
        PemFiles.write(Stores.impostor());
    }

    @Override
    Program send(int port, Stores own, Stores trusted, String text) throws IOException {
        return Program.start("node", SCRIPT, protocol(), "" + port, own.path("client.pem"), trusted.path("broker.pem"),
                "send", "greetings", text);
    }

    @Override
    Program receive(int port, Stores own, Stores trusted) throws IOException {
        return Program.start("node", SCRIPT, protocol(), "" + port, own.path("client.pem"), trusted.path("broker.pem"),
                "receive", "greetings");
    }

    @Override
    Destination destination(Session session) throws JMSException {
        return session.createQueue("greetings");
    }

    @Override
    String refused() {
        return "certificate unknown";
    }

    @Override
    String untrusted() {
        return "failed: DEPTH_ZERO_SELF_SIGNED_CERT";
    }

    /** Node looks at the certificate when its handshake is over, and closes the connection without an alert. */
    @Override
    String untrustedAtTheBroker() {
        return " failed: BTLS_";
    }
}
