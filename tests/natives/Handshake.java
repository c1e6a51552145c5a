import io.brokertls.BrokerTlsContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * Sends a message over loopback between two contexts of the jar on the class path, with the identity in the first
 * argument. Prints the processor, the answer, and what the handshake has chosen.
 */
final class Handshake {
    private Handshake() {}

    public static void main(String[] arguments) throws Exception {
        Path identity = Path.of(arguments[0]);
        BrokerTlsContext server = BrokerTlsContext.builder().certificate(identity).privateKey(identity).build();
        BrokerTlsContext client = BrokerTlsContext.builder().trustCertificates(identity).build();
        InetAddress here = InetAddress.getByName("127.0.0.1");
        try (SSLServerSocket listener = (SSLServerSocket) server.serverSocketFactory().createServerSocket(0, 1, here)) {
            CompletableFuture<Void> echo = CompletableFuture.runAsync(() -> echo(listener));
            int port = listener.getLocalPort();
            try (SSLSocket socket = (SSLSocket) client.socketFactory().createSocket("localhost", port)) {
                socket.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
                String answer = new String(socket.getInputStream().readNBytes(5), StandardCharsets.US_ASCII);
                SSLSession session = socket.getSession();
                System.out.println(System.getProperty("os.arch") + ": " + answer + ", " + session.getProtocol() + ", "
                        + session.getCipherSuite());
            }
            echo.get();
        }
    }

    private static void echo(SSLServerSocket listener) {
        try (SSLSocket peer = (SSLSocket) listener.accept()) {
            peer.getOutputStream().write(peer.getInputStream().readNBytes(5));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
