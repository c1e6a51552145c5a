package io.brokertls.stacks;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsProvider;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

/** The files that pki.sh makes, and contexts with them. */
public final class Pki {
    /** The password of every store. */
    public static final String PASSWORD = "changeit";
    /** Our provider. */
    public static final String OURS = BrokerTlsProvider.NAME;
    /** The provider of the JDK. */
    public static final String JDK = "SunJSSE";
    private static final Path FOLDER = Path.of(System.getProperty("stacks.pki"));

    private Pki() {
    }

    /** Adds our provider behind those of the JDK, as the page says for stacks with a setting for it. */
    public static void addProvider() {
        Security.addProvider(new BrokerTlsProvider());
    }

    /** Inserts our provider before those of the JDK, as the page says for stacks without a setting for it. */
    public static void insertProvider() {
        Security.insertProviderAt(new BrokerTlsProvider(), 1);
    }

    /** Returns a file by its name. */
    public static Path file(String name) {
        return FOLDER.resolve(name);
    }

    /** Returns the name of a file, as settings take it. */
    public static String path(String name) {
        return file(name).toString();
    }

    /** Copies a file into a folder of its own, for a check that replaces it. */
    public static Path copy(String name, String nameOfCopy) throws IOException {
        Path folder = Files.createTempDirectory(FOLDER, "copy");
        return Files.copy(file(name), folder.resolve(nameOfCopy));
    }

    /** Replaces a copy by another file. */
    public static void replace(Path copy, String name) throws IOException {
        Files.copy(file(name), copy, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Returns a context of the builder for servers that need a client certificate, with native keys and trust. */
    public static BrokerTlsContext server(Path store) throws TlsFailure {
        return BrokerTlsContext.builder().keyStore(store, PASSWORD.toCharArray())
                .trustStore(file("ca.p12"), PASSWORD.toCharArray())
                .clientAuth(BrokerTlsContext.ClientAuth.NEED).build();
    }

    /** Returns a context of the builder for clients, which trusts a CA. */
    public static BrokerTlsContext client(String trust) throws TlsFailure {
        return BrokerTlsContext.builder().keyStore(file("client.p12"), PASSWORD.toCharArray())
                .trustStore(file(trust + ".p12"), PASSWORD.toCharArray()).build();
    }

    /** Returns the number of a port that is free now, for stacks that cannot report the one they have taken. */
    public static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            return free.getLocalPort();
        }
    }

    /** Returns the keystore of a name: {@code server}, {@code client}, {@code ca} and so on. */
    public static KeyStore store(String name) throws GeneralSecurityException, IOException {
        return KeyStore.getInstance(file(name + ".p12").toFile(), PASSWORD.toCharArray());
    }

    /** Returns a factory of key managers, with the algorithm that is the default. */
    public static KeyManagerFactory keys(String name) throws GeneralSecurityException, IOException {
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store(name), PASSWORD.toCharArray());
        return factory;
    }

    /** Returns a factory of trust managers, with the algorithm that is the default. */
    public static TrustManagerFactory trust(String name) throws GeneralSecurityException, IOException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store(name));
        return factory;
    }

    /** Makes a context of a provider that trusts {@code ca}. Without a key it shows no certificate. */
    public static SSLContext context(String provider, String key) throws GeneralSecurityException, IOException {
        return context(provider, key, "ca");
    }

    /** Makes a context of a provider. */
    public static SSLContext context(String provider, String key, String trust)
            throws GeneralSecurityException, IOException {
        SSLContext context = SSLContext.getInstance("TLS", provider);
        KeyManager[] managers = key == null ? null : new KeyManager[] {new Shown(key)};
        context.init(managers, trust(trust).getTrustManagers(), null);
        return context;
    }

    /** A manager that shows its certificate, although the peer asks for one of another issuer. */
    private static final class Shown extends X509ExtendedKeyManager {
        private final String alias;
        private final PrivateKey key;
        private final X509Certificate[] chain;

        Shown(String name) throws GeneralSecurityException, IOException {
            KeyStore store = store(name);
            alias = name;
            key = (PrivateKey) store.getKey(name, PASSWORD.toCharArray());
            chain = java.util.Arrays.copyOf(store.getCertificateChain(name), 2, X509Certificate[].class);
        }

        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {alias};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return alias;
        }

        @Override
        public String chooseEngineClientAlias(String[] types, Principal[] issuers, SSLEngine engine) {
            return alias;
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[] {alias};
        }

        @Override
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return key.getAlgorithm().startsWith(type.substring(0, 2)) ? alias : null;
        }

        @Override
        public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
            return chooseServerAlias(type, issuers, null);
        }

        @Override
        public X509Certificate[] getCertificateChain(String ignored) {
            return chain.clone();
        }

        @Override
        public PrivateKey getPrivateKey(String ignored) {
            return key;
        }
    }
}
