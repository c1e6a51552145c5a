package io.brokertls.jsse.socket;

import io.brokertls.BrokerTlsProvider;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import javax.net.ServerSocketFactory;
import javax.net.SocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

/** The fixture of the socket tests: a certificate, contexts, and work in other threads with a time limit. */
final class SocketFixture {
    static final int TIMEOUT_S = 30;
    static final int WAIT_MS = 20_000;
    static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final char[] PASSWORD = "changeit".toCharArray();

    /** Managers of a certificate for localhost, which they also trust. */
    private static final KeyManagerFactory KEYS;
    private static final TrustManagerFactory TRUST;
    static final SSLContext JDK;
    static final SSLContext OURS;

    static {
        try {
            KeyStore store = store();
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("localhost", store.getCertificate("localhost"));
            KEYS = KeyManagerFactory.getInstance("PKIX");
            KEYS.init(store, PASSWORD);
            TRUST = TrustManagerFactory.getInstance("PKIX");
            TRUST.init(trusted);
            JDK = SSLContext.getInstance("TLS", "SunJSSE");
            OURS = SSLContext.getInstance("TLS", new BrokerTlsProvider());
            JDK.init(KEYS.getKeyManagers(), TRUST.getTrustManagers(), null);
            OURS.init(KEYS.getKeyManagers(), TRUST.getTrustManagers(), null);
        } catch (IOException | GeneralSecurityException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private SocketFixture() {
    }

    private static KeyStore store() throws IOException, GeneralSecurityException, InterruptedException {
        Path directory = Files.createTempDirectory("brokertls-sockets");
        Path file = directory.resolve("localhost.p12");
        String keytool = System.getProperty("java.home") + File.separator + "bin" + File.separator + "keytool";
        Process made = new ProcessBuilder(keytool, "-genkeypair", "-alias", "localhost", "-keyalg", "EC",
                "-groupname", "secp256r1", "-dname", "CN=localhost", "-ext", "SAN=dns:localhost,ip:127.0.0.1",
                "-validity", "2", "-storetype", "PKCS12", "-keystore", file.toString(),
                "-storepass", new String(PASSWORD)).inheritIO().start();
        if (!made.waitFor(TIMEOUT_S, TimeUnit.SECONDS) || made.exitValue() != 0) {
            throw new IllegalStateException("keytool failed");
        }
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, PASSWORD);
        }
        Files.delete(file);
        Files.delete(directory);
        return keys;
    }

    static TrustManager[] trust() {
        return TRUST.getTrustManagers();
    }

    /** A context of the JDK's that remembers no session: a resumed one is asked for under the name of the first. */
    static SSLContext forgetfulJdk() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS", "SunJSSE");
        context.init(KEYS.getKeyManagers(), TRUST.getTrustManagers(), null);
        return context;
    }

    static X509ExtendedKeyManager keys() {
        return (X509ExtendedKeyManager) KEYS.getKeyManagers()[0];
    }

    static SSLSocketFactory clients() {
        return OURS.getSocketFactory();
    }

    static SSLServerSocketFactory servers() {
        return OURS.getServerSocketFactory();
    }

    static SSLServerSocket listen(ServerSocketFactory factory) throws IOException {
        return (SSLServerSocket) factory.createServerSocket(0, 250, LOOPBACK);
    }

    static SSLServerSocket listen(ServerSocketFactory factory, String version) throws IOException {
        SSLServerSocket server = listen(factory);
        server.setEnabledProtocols(new String[] {version});
        return server;
    }

    static Socket accept(ServerSocket server) throws IOException {
        server.setSoTimeout(WAIT_MS);
        Socket accepted = server.accept();
        accepted.setSoTimeout(WAIT_MS);
        return accepted;
    }

    static SSLSocket connect(SocketFactory factory, ServerSocket server) throws IOException {
        SSLSocket socket = (SSLSocket) factory.createSocket("localhost", server.getLocalPort());
        socket.setSoTimeout(WAIT_MS);
        return socket;
    }

    /** Sends back what it reads until the peer closes. */
    static Socket echo(ServerSocket server) throws IOException {
        Socket socket = accept(server);
        socket.getInputStream().transferTo(socket.getOutputStream());
        socket.close();
        return socket;
    }

    /** Until a thread waits for a lock, which its work must not end before. */
    static void awaitWaiting(Thread thread, CompletableFuture<?> work) {
        while (thread.getState() != Thread.State.WAITING) {
            if (work.isDone()) {
                throw new AssertionError("it did not wait");
            }
            Thread.onSpinWait();
        }
    }

    /** In a thread of its own, as the other end. */
    static <T> CompletableFuture<T> async(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                result.complete(work.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return result.orTimeout(TIMEOUT_S, TimeUnit.SECONDS);
    }

    /** Returns the exception that ended the work of another thread. */
    static Throwable failure(CompletableFuture<?> work) {
        try {
            work.join();
        } catch (CompletionException e) {
            return e.getCause();
        }
        throw new AssertionError("it succeeded");
    }

    static byte[] pattern(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + (i >>> 8));
        }
        return bytes;
    }
}
