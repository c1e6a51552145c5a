// SunJSSE as a peer of tests/peers/run.sh: reads one command a line, makes one connection for each, and prints the
// words of its failure as one line. Ends when its input ends.
//
//   connect PORT VERSION CERTIFICATE TRUST SUITE ALPN
//   serve 0 VERSION CERTIFICATE TRUST SUITE ALPN
//
// CERTIFICATE is the common part of NAME.pem and NAME.key; `-` stands for none. A server prints its port first.

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

final class Peer {
    private static final int PATIENCE_MS = 20_000;

    private final String[] words;

    private Peer(String command) {
        words = command.split(" ");
    }

    public static void main(String[] arguments) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            Peer peer = new Peer(line);
            String said;
            try {
                said = peer.words[0].equals("serve") ? peer.serve() : peer.connect();
            } catch (Exception failure) {
                said = failure.toString();
            }
            System.out.println(said.replace('\n', ' '));
        }
    }

    private String serve() throws Exception {
        var factory = context().getServerSocketFactory();
        try (var listener = (SSLServerSocket) factory.createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            listener.setSoTimeout(PATIENCE_MS);
            listener.setNeedClientAuth(true);
            System.out.println(listener.getLocalPort());
            try (var socket = (SSLSocket) listener.accept()) {
                return converse(socket);
            }
        }
    }

    private String connect() throws Exception {
        var factory = context().getSocketFactory();
        try (var socket = (SSLSocket) factory.createSocket("localhost", Integer.parseInt(words[1]))) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            return converse(socket);
        }
    }

    private String converse(SSLSocket socket) throws IOException {
        socket.setSoTimeout(PATIENCE_MS);
        SSLParameters parameters = socket.getSSLParameters();
        if (!words[2].equals("-")) {
            parameters.setProtocols(new String[] {words[2]});
        }
        if (!words[5].equals("-")) {
            parameters.setCipherSuites(new String[] {words[5]});
        }
        if (!words[6].equals("-")) {
            parameters.setApplicationProtocols(new String[] {words[6]});
        }
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        int read = socket.getInputStream().read();
        return read < 0 ? "closed without an error" : "received " + read;
    }

    private SSLContext context() throws Exception {
        KeyManager[] keys = null;
        if (!words[3].equals("-")) {
            String pem = Files.readString(Path.of(words[3] + ".key"));
            byte[] key = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
            KeyStore store = empty();
            store.setKeyEntry("own", KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(key)),
                    new char[0], new Certificate[] {certificate(words[3] + ".pem")});
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, new char[0]);
            keys = factory.getKeyManagers();
        }
        KeyStore trusted = empty();
        trusted.setCertificateEntry("ca", certificate(words[4]));
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys, trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore empty() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Certificate certificate(String file) throws Exception {
        try (InputStream input = new FileInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificate(input);
        }
    }
}
