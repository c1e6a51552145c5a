package io.brokertls.stacks.bundle;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsProvider;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/**
 * A bundle that uses the builder for a server, and the provider for a client. It serves echoes until it is stopped, and
 * sends a first message itself. Its port and the answer go into the file that a system property names.
 */
public final class EchoBundle implements BundleActivator {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private BrokerTlsContext tls;
    private ServerSocket listener;

    /** Made by the framework. */
    public EchoBundle() {
    }

    @Override
    public void start(BundleContext context) throws Exception {
        Path pki = Path.of(System.getProperty("stacks.pki"));
        tls = BrokerTlsContext.builder().keyStore(pki.resolve("server.p12"), PASSWORD)
                .trustStore(pki.resolve("ca.p12"), PASSWORD)
                .clientAuth(BrokerTlsContext.ClientAuth.NEED).build();
        listener = tls.serverSocketFactory().createServerSocket(0);
        daemon(() -> serve(listener));
        String answer = ask(pki, listener.getLocalPort());
        Path result = Path.of(System.getProperty("stacks.osgi.result"));
        Path written = Files.writeString(result.resolveSibling("written"), listener.getLocalPort() + " " + answer);
        Files.move(written, result, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Accepts no more connections. Those that are open continue. */
    @Override
    public void stop(BundleContext context) throws IOException {
        listener.close();
        tls.close();
    }

    private static void serve(ServerSocket listener) {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                daemon(() -> echo(client));
            } catch (IOException e) {
                // The bundle is stopped.
            }
        }
    }

    private static void echo(Socket client) {
        try (client) {
            client.getInputStream().transferTo(client.getOutputStream());
        } catch (IOException e) {
            // The client sees it.
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
    }

    private static String ask(Path pki, int port) throws GeneralSecurityException, IOException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(KeyStore.getInstance(pki.resolve("client.p12").toFile(), PASSWORD), PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(KeyStore.getInstance(pki.resolve("ca.p12").toFile(), PASSWORD));
        SSLContext context = SSLContext.getInstance("TLS", new BrokerTlsProvider());
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
            byte[] sent = "hello".getBytes(StandardCharsets.UTF_8);
            socket.getOutputStream().write(sent);
            InputStream input = socket.getInputStream();
            return new String(input.readNBytes(sent.length), StandardCharsets.UTF_8);
        }
    }
}
