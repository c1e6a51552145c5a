package io.brokertls.activemq;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * The stores of one broker and of its client, made with the commands of "How do I use SSL?" of ActiveMQ in their order.
 * The command line answers the questions of keytool: the password, the name, and "trust this?".
 */
final class Stores {
    static final String PASSWORD = "password";

    private final Path folder;

    /** The stores of the brokers that the client trusts. */
    private final List<Path> trusted;

    private Stores(Path folder, List<Path> trusted) {
        this.folder = folder;
        this.trusted = trusted;
    }

    /** Makes all of them in {@code folder}, the client's certificate with the common name {@code client}. */
    static Stores make(Path folder, String client) throws Exception {
        return make(folder, client, List.of());
    }

    /** Makes stores with options for the broker's certificate, which some clients need. */
    static Stores make(Path folder, String client, List<String> options) throws Exception {
        Files.createDirectories(folder);
        Stores stores = new Stores(folder, List.of(folder));
        List<String> more = new ArrayList<>(List.of("-dname", "CN=localhost, O=Example"));
        more.addAll(options);
        stores.keytool("-genkey -alias broker -keyalg RSA -keystore broker.ks", more.toArray(new String[0]));
        stores.keytool("-export -alias broker -keystore broker.ks -file broker_cert");
        stores.makeClient(client);
        stores.keytool("-import -alias broker -keystore client.ts -file broker_cert", "-noprompt");
        stores.keytool("-export -alias client -keystore client.ks -file client_cert");
        stores.keytool("-import -alias client -keystore broker.ts -file client_cert", "-noprompt");
        return stores;
    }

    /** Those that are in {@code folder} already. */
    static Stores in(Path folder) {
        return new Stores(folder, List.of(folder));
    }

    /** The stores of most tests, made once. */
    static Stores ours() {
        return Shared.OURS;
    }

    /** Returns other stores with the same names in their certificates as {@link #ours()}. */
    static Stores impostor() {
        return Shared.IMPOSTOR;
    }

    /** The stores that a process makes once, in its build folder, because keytool is slow. */
    private static final class Shared {
        static final Stores OURS = make("ours");
        static final Stores IMPOSTOR = make("impostor");

        private static Stores make(String name) {
            try {
                Path folder = Files.createDirectories(Path.of("target", "stores"));
                return Stores.make(Files.createTempDirectory(folder, name).toAbsolutePath(), "device-7");
            } catch (Exception e) {
                throw new IllegalStateException("no stores for the tests", e);
            }
        }
    }

    /** Returns these stores with a client that also trusts the broker of {@code other}. */
    Stores trusting(Stores other) {
        return new Stores(folder, List.of(folder, other.folder));
    }

    /** Another client of the same broker, certified as {@code name}, with its stores in {@code where}. */
    Stores another(Path where, String name) throws Exception {
        Files.createDirectories(where);
        Files.copy(folder.resolve("client.ts"), where.resolve("client.ts"));
        Stores client = in(where);
        client.makeClient(name);
        client.keytool("-export -alias client -keystore client.ks -file client_cert");
        keytool("-import -alias " + name + " -keystore broker.ts -noprompt", "-file", client.path("client_cert"));
        return client;
    }

    private void makeClient(String name) throws Exception {
        keytool("-genkey -alias client -keyalg RSA -keystore client.ks", "-dname", "CN=" + name + ", O=Example");
    }

    /** Writes {@code broker.pem}, the broker's chain and key, and {@code clients.pem}, its trust anchors. */
    void writePem(Path where) throws Exception {
        KeyStore keys = load(folder.resolve("broker.ks"));
        StringBuilder broker = new StringBuilder();
        for (Certificate certificate : keys.getCertificateChain("broker")) {
            broker.append(pem("CERTIFICATE", certificate.getEncoded()));
        }
        broker.append(pem("PRIVATE KEY", keys.getKey("broker", PASSWORD.toCharArray()).getEncoded()));
        Files.writeString(where.resolve("broker.pem"), broker);
        Files.writeString(where.resolve("clients.pem"),
                pem("CERTIFICATE", load(folder.resolve("broker.ts")).getCertificate("client").getEncoded()));
    }

    private static String pem(String label, byte[] content) {
        String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return "-----BEGIN " + label + "-----\n" + lines + "\n-----END " + label + "-----\n";
    }

    /** The path of one of the files by the document's name. */
    String path(String name) {
        return folder.resolve(name).toString();
    }

    KeyManager[] clientKeys() throws Exception {
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(load(folder.resolve("client.ks")), PASSWORD.toCharArray());
        return factory.getKeyManagers();
    }

    TrustManager[] clientTrust() throws Exception {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        KeyStore anchors = load(folder.resolve("client.ts"));
        for (Path each : trusted) {
            anchors.setCertificateEntry(each.toString(), load(each.resolve("client.ts")).getCertificate("broker"));
        }
        factory.init(anchors);
        return factory.getTrustManagers();
    }

    /** Returns a context for a client: its trust anchors and, with {@code certified}, its certificate. */
    SSLContext clientContext(String provider, boolean certified) throws Exception {
        return clientContext("TLS", provider, certified);
    }

    SSLContext clientContext(String protocol, String provider, boolean certified) throws Exception {
        SSLContext context = SSLContext.getInstance(protocol, provider);
        context.init(certified ? clientKeys() : null, clientTrust(), null);
        return context;
    }

    private static KeyStore load(Path file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        return store;
    }

    private void keytool(String command, String... more) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        // It lives too short for more.
        words.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"));
        words.addAll(List.of(command.split(" ")));
        words.addAll(List.of(more));
        words.addAll(List.of("-storepass", PASSWORD));
        Path log = folder.resolve("keytool.log");
        Process process = new ProcessBuilder(words).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(log.toFile()).start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("keytool did not end: " + words);
        }
        if (process.exitValue() != 0) {
            throw new IOException(words + ": " + Files.readString(log));
        }
    }
}
