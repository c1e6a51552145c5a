package io.brokertls.internal;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A program of a user, with the exported package alone. It runs in a JVM or class loader of its own, and its package is
 * changed with that of the library.
 */
public final class LoadedProgram {
    private static final char[] PASSWORD = "password".toCharArray();

    private LoadedProgram() {}

    /** @param arguments the folder of an {@code Authority} with a server and a revocation list */
    public static void main(String[] arguments) {
        System.out.println(use(arguments[0]));
    }

    /** Calls native methods of each kind: with calls back into Java, with exceptions, with objects of the library. */
    public static String use(String folder) {
        Path files = Path.of(folder);
        AtomicInteger judged = new AtomicInteger();
        Path store = files.resolve("server.p12");
        try (BrokerTlsContext server = BrokerTlsContext.builder().keyStore(store, PASSWORD).build();
                BrokerTlsContext client = BrokerTlsContext.builder().trustCertificates(files.resolve("ca.pem"))
                        .crl(files.resolve("ca.crl")).verifyCallback(chain -> judged.incrementAndGet()).build()) {
            String received = exchange(server, client);
            return BrokerTlsContext.class.getName() + " received " + received + ", " + judged + " judged, "
                    + client.revocationSources().size() + " source, " + refused(files);
        } catch (LinkageError | IOException | InterruptedException | TlsFailure e) {
            return "refused " + (e.getMessage() == null ? e : e.getMessage());
        }
    }

    private static String refused(Path files) {
        try (BrokerTlsContext context = BrokerTlsContext.builder().keyStore(files.resolve("none.p12"), null).build()) {
            return "none refused by " + context;
        } catch (TlsFailure e) {
            return e.code().name();
        }
    }

    private static String exchange(BrokerTlsContext server, BrokerTlsContext client)
            throws IOException, InterruptedException {
        InetAddress here = InetAddress.getLoopbackAddress();
        try (ServerSocket listener = server.serverSocketFactory().createServerSocket(0, 1, here)) {
            Thread accepting = new Thread(() -> greet(listener));
            accepting.start();
            try (Socket socket = client.socketFactory().createSocket("localhost", listener.getLocalPort())) {
                return new String(socket.getInputStream().readNBytes("hello".length()), StandardCharsets.US_ASCII);
            } finally {
                accepting.join();
            }
        }
    }

    private static void greet(ServerSocket listener) {
        try (Socket socket = listener.accept(); OutputStream out = socket.getOutputStream()) {
            out.write("hello".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            System.out.println("server: " + e);
        }
    }
}
