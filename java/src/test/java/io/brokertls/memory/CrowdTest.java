package io.brokertls.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;

/** Many connections in a JVM with little memory. */
class CrowdTest {
    private static final int CONNECTIONS = 1000;
    private static final int ROUNDS = 2;
    private static final int TIMEOUT_MS = 120_000;

    @Test
    void thousandConnectionsAreServedInThirtyTwoMebibytesOfHeap() throws Exception {
        Path target = Path.of(System.getProperty("basedir", "."), "target");
        Process server = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx32m", "-cp",
                target.resolve("classes") + ":" + target.resolve("test-classes") + ":"
                        + System.getProperty("java.class.path") + ":"
                        + System.getProperty("surefire.test.class.path", ""),
                Crowd.class.getName()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        List<SSLSocket> clients = new ArrayList<>();
        try (BufferedReader printed =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
            String line = printed.readLine();
            while (!line.startsWith("PORT ")) {
                line = printed.readLine();
            }
            SSLContext context = SSLContext.getInstance("TLS", "SunJSSE");
            context.init(null, new TrustManager[] {new Anyone()}, null);
            int port = Integer.parseInt(line.substring("PORT ".length()));
            for (int i = 0; i < CONNECTIONS; i++) {
                SSLSocket client = (SSLSocket) context.getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), port);
                client.setSoTimeout(TIMEOUT_MS);
                clients.add(client);
            }
            echo(clients);
        } finally {
            server.destroyForcibly();
            for (SSLSocket client : clients) {
                client.close();
            }
        }
    }

    private static void echo(List<SSLSocket> clients) throws IOException {
        byte[] content = new byte[4096];
        new Random(1).nextBytes(content);
        for (int round = 0; round < ROUNDS; round++) {
            for (SSLSocket client : clients) {
                client.getOutputStream().write(content);
            }
            for (SSLSocket client : clients) {
                assertArrayEquals(content, client.getInputStream().readNBytes(content.length));
            }
        }
    }

    /** Trusts the server, whatever it shows. */
    private static final class Anyone implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {
            throw new IllegalStateException("there is no client");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {
            assertArrayEquals(chain, chain.clone());
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
