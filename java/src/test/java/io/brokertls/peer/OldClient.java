package io.brokertls.peer;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Clients of old versions and with pre-shared keys, each a process of its own: the JDK's and OpenSSL's. The JDK reads its
 * security properties once. Each client sends a line, and prints the answer.
 */
final class OldClient {
    static final byte[] PING = "ping\n".getBytes(StandardCharsets.US_ASCII);
    static final byte[] PONG = "pong\n".getBytes(StandardCharsets.US_ASCII);
    private static final int SECONDS_MAX = 60;
    /** The algorithms that the JDK disables, without the old versions and suites. */
    private static final String PROPERTIES = "jdk.tls.disabledAlgorithms=SSLv3, RC4, NULL, anon\n"
            + "jdk.tls.legacyAlgorithms=\n";

    private final Process process;
    private final Path output;

    private OldClient(Path folder, List<String> command) throws IOException {
        output = Files.createTempFile(folder, "client", ".txt");
        process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(output.toFile()).start();
    }

    /** Starts the JDK's client in a JVM with old versions enabled. */
    static OldClient ofJdk(Path folder, int port, String version, String suite, Path trust)
            throws IOException, URISyntaxException {
        Path properties = Files.writeString(folder.resolve("old.security"), PROPERTIES);
        String java = Paths.get(System.getProperty("java.home"), "bin", "java").toString();
        return new OldClient(folder, List.of(java, "-Djava.security.properties=" + properties, "-cp",
                classes().toString(), OldClient.class.getName(), String.valueOf(port), version, suite,
                trust.toString()));
    }

    /** Starts OpenSSL's client with these arguments. */
    static OldClient ofOpenssl(Path folder, int port, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("openssl", "s_client", "-connect", "127.0.0.1:" + port, "-ign_eof"));
        command.addAll(Arrays.asList(arguments));
        OldClient client = new OldClient(folder, command);
        try {
            OutputStream input = client.process.getOutputStream();
            input.write(PING);
            input.flush();
            return client;
        } catch (IOException e) {
            client.process.destroyForcibly();
            throw e;
        }
    }

    /** Waits for the end, and returns what the client has printed. */
    String finish() throws IOException, InterruptedException {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
                throw new IOException("the client does not end: " + Files.readString(output));
            }
            return Files.readString(output, StandardCharsets.ISO_8859_1);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Path classes() throws URISyntaxException {
        return Paths.get(OldClient.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** Returns the library of the second engine, as the jar has it. */
    static Path library() throws URISyntaxException {
        String platform = System.getProperty("native.platform");
        return classes().resolve("META-INF/native/" + platform + "/libbrokertls_legacy.so");
    }

    /** The JDK's client. */
    public static void main(String[] arguments) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(arguments[3]))) {
            store.load(in, Authority.PASSWORD);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(
                InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0]))) {
            socket.setEnabledProtocols(new String[] {arguments[1]});
            socket.setEnabledCipherSuites(new String[] {arguments[2]});
            socket.getOutputStream().write(PING);
            byte[] answer = socket.getInputStream().readNBytes(PONG.length);
            System.out.println(socket.getSession().getProtocol() + " " + socket.getSession().getCipherSuite());
            System.out.print(new String(answer, StandardCharsets.US_ASCII));
        } catch (IOException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }
}
