// Java's own TLS as a peer: reads one command a line, makes one connection for each, and prints what it saw.
//
// A command is "serve" or "connect" and settings "name=value", all separated by tabs. Ends when its input ends, so that
// it never outlives the tests. It must touch only the sockets and stores in its arguments.

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

final class Peer {
    private static final String CLIENT_SAYS = "hello from the client";
    private static final String SERVER_SAYS = "hello from the server";
    private static final int PATIENCE_MS = 30_000;

    private final Map<String, String> settings = new HashMap<>();

    public static void main(String[] arguments) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            Peer peer = new Peer();
            String[] words = line.split("\t");
            for (int i = 1; i < words.length; i++) {
                String[] setting = words[i].split("=", 2);
                peer.settings.put(setting[0], setting[1]);
            }
            try {
                System.out.println("done " + (words[0].equals("serve") ? peer.serve() : peer.connect()));
            } catch (Exception failure) {
                System.out.println("failed " + failure);
            }
        }
    }

    private String serve() throws Exception {
        var factory = context().getServerSocketFactory();
        try (var listener = (SSLServerSocket) factory.createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            listener.setSoTimeout(PATIENCE_MS);
            listener.setNeedClientAuth(settings.containsKey("needClientAuth"));
            System.out.println("listening " + listener.getLocalPort());
            try (var socket = (SSLSocket) listener.accept()) {
                prepare(socket);
                expect(CLIENT_SAYS, readLine(socket));
                writeLine(socket, SERVER_SAYS);
                return seen(socket);
            }
        }
    }

    private String connect() throws Exception {
        var factory = context().getSocketFactory();
        int port = Integer.parseInt(settings.get("port"));
        try (var socket = (SSLSocket) factory.createSocket("localhost", port)) {
            prepare(socket);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            writeLine(socket, CLIENT_SAYS);
            expect(SERVER_SAYS, readLine(socket));
            return seen(socket);
        }
    }

    private void prepare(SSLSocket socket) throws IOException {
        socket.setSoTimeout(PATIENCE_MS);
        if (settings.containsKey("alpn")) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {settings.get("alpn")});
            socket.setSSLParameters(parameters);
        }
    }

    /** The JVM's default context (javax.net.ssl.* properties), or one of the stores that the settings name. */
    private SSLContext context() throws Exception {
        if (!settings.containsKey("keyStore") && !settings.containsKey("trustStore")) {
            return SSLContext.getDefault();
        }
        KeyManager[] keys = null;
        if (settings.containsKey("keyStore")) {
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store("keyStore"), settings.get("keyPassword").toCharArray());
            keys = factory.getKeyManagers();
        }
        TrustManager[] trusted = null;
        if (settings.containsKey("trustStore")) {
            var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store("trustStore"));
            trusted = factory.getTrustManagers();
        }
        SSLContext context = SSLContext.getInstance(settings.getOrDefault("protocol", "TLS"));
        context.init(keys, trusted, null);
        return context;
    }

    private KeyStore store(String name) throws Exception {
        KeyStore store = KeyStore.getInstance(settings.getOrDefault(name + "Type", "PKCS12"));
        try (InputStream file = new FileInputStream(settings.get(name))) {
            store.load(file, settings.get(name + "Password").toCharArray());
        }
        return store;
    }

    private static void writeLine(SSLSocket socket, String line) throws IOException {
        socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    private static String readLine(SSLSocket socket) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = socket.getInputStream().read(); next != '\n'; next = socket.getInputStream().read()) {
            if (next < 0) {
                throw new IOException("the peer closed after \"" + line + "\"");
            }
            line.append((char) next);
        }
        return line.toString();
    }

    private static void expect(String wanted, String heard) throws IOException {
        if (!wanted.equals(heard)) {
            throw new IOException("heard \"" + heard + "\"");
        }
    }

    /** Waits for the peer's close_notify, without which reading throws (com.sun.net.ssl.requireCloseNotify). */
    private static String seen(SSLSocket socket) throws IOException {
        if (socket.getInputStream().read() != -1) {
            throw new IOException("data instead of close_notify");
        }
        SSLSession session = socket.getSession();
        String subject;
        try {
            subject = ((X509Certificate) session.getPeerCertificates()[0]).getSubjectX500Principal().getName();
        } catch (SSLPeerUnverifiedException none) {
            subject = "none";
        }
        return String.join("\t", "closed cleanly", session.getProtocol(), session.getCipherSuite(), subject,
                "alpn=" + socket.getApplicationProtocol());
    }
}
