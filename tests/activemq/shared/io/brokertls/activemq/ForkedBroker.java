package io.brokertls.activemq;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.activemq.broker.BrokerFactory;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.TransportConnector;

/** A broker from an activemq.xml in a JVM of its own, where nothing has named the provider but what the test shows. */
final class ForkedBroker implements AutoCloseable {
    private static final String READY = "ready";

    private final Process process;
    private final Map<String, String> facts = new LinkedHashMap<>();

    /** {@code folder} takes the log; {@code options} are the JVM's. */
    ForkedBroker(Path folder, Path xml, String... options) throws IOException, InterruptedException {
        List<String> words = jvm(Main.class, options);
        words.add("xbean:file:" + xml.toAbsolutePath());
        Path log = Files.createTempFile(folder, "broker", ".log");
        process = new ProcessBuilder(words).redirectError(log.toFile()).start();
        String line = "";
        BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(),
                StandardCharsets.UTF_8));
        while (!line.equals(READY)) {
            line = out.readLine();
            if (line == null) {
                close();
                throw new IOException("the broker did not start: " + Files.readString(log));
            }
            if (line.startsWith("fact ")) {
                facts.put(line.split(" ", 3)[1], line.split(" ", 3)[2]);
            }
        }
    }

    /** The command that runs {@code main} on the class path of the tests; {@code options} are the JVM's. */
    static List<String> jvm(Class<?> main, String... options) {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.add("-cp");
        words.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        words.add("-Djava.util.logging.config.file=" + System.getProperty("java.util.logging.config.file"));
        words.addAll(List.of(options));
        words.add(main.getName());
        return words;
    }

    /** The port of the connector of this name. */
    int port(String connector) {
        return Integer.parseInt(facts.get(connector));
    }

    /** The provider of that JVM's default context. */
    String defaultProvider() {
        return facts.get("default-provider");
    }

    /** Stops it: it ends with its input. */
    @Override
    public void close() throws IOException, InterruptedException {
        process.getOutputStream().close();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("the broker did not stop");
        }
    }

    /** Starts the broker at the URI that is the only argument, in the other JVM. The end of input stops it. */
    static final class Main {
        public static void main(String[] arguments) throws Exception {
            BrokerService service = BrokerFactory.createBroker(arguments[0]);
            service.start();
            if (!service.waitUntilStarted()) {
                throw new IllegalStateException("the broker did not start", service.getStartException());
            }
            for (TransportConnector connector : service.getTransportConnectors()) {
                System.out.println("fact " + connector.getName() + " " + connector.getConnectUri().getPort());
            }
            System.out.println("fact default-provider " + SSLContext.getDefault().getProvider().getName());
            System.out.println(READY);
            while (System.in.read() >= 0) {
                // Nothing is said before the end.
            }
            service.stop();
            System.exit(0);
        }
    }
}
