package io.brokertls.activemq;

import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code mqtt.c} of the demonstration, compiled against what {@code make stage} has installed: our C API at the other
 * end.
 */
class CClientTest extends ForeignContract {
    @TempDir static Path folder;

    private Stores ours;
    private String program;

    @BeforeAll
    void compile() throws Exception {
        ours = Stores.make(folder.resolve("stores"), "device-7", List.of("-ext", "san=dns:localhost"));
        Path lib = Program.root().resolve("build/stage/lib");
        program = folder.resolve("mqtt").toString();
        Program.run(Map.of("PKG_CONFIG_PATH", lib.resolve("pkgconfig").toString()), "sh", "-c",
                "cc -Wall -Wextra -Werror -o "
                + program + " " + Program.root().resolve("bindings/c/demo/mqtt.c") + " -Wl,-rpath," + lib
                + " $(pkg-config --cflags --libs brokertls)");
    }

    @Override
    List<String> schemes() {
        return List.of("mqtt+ssl", "mqtt+nio+ssl");
    }

    @Override
    Stores ours() {
        return ours;
    }

    @Override
    Program send(int port, Stores own, Stores trusted, String text) throws IOException {
        return Program.start(program, "" + port, own.path("client.ks"), trusted.path("client.ts"), Stores.PASSWORD,
                "publish", "line/1", text);
    }

    @Override
    Program receive(int port, Stores own, Stores trusted) throws Exception {
        Program subscriber = Program.start(program, "" + port, own.path("client.ks"), trusted.path("client.ts"),
                Stores.PASSWORD, "subscribe", "line/1");
        subscriber.await("subscribed to line/1");
        return subscriber;
    }

    @Override
    Destination destination(Session session) throws JMSException {
        return session.createTopic("line.1");
    }

    @Override
    String refused() {
        return "BTLS_ALERT_CERTIFICATE_UNKNOWN (1046)";
    }

    @Override
    String untrusted() {
        return "BTLS_CERT_SELF_SIGNED (319)";
    }
}
