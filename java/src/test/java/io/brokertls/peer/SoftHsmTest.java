package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AuthProvider;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.ProviderException;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys that cannot leave their token: SoftHSM behind the JDK's PKCS#11 provider, in both roles and versions. */
class SoftHsmTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();
    private static final char[] PIN = "1234".toCharArray();
    /** The paths of the library in the packages of distributions. */
    private static final List<Path> LIBRARIES = List.of(Path.of("/usr/lib/softhsm/libsofthsm2.so"),
            Path.of("/usr/lib64/softhsm/libsofthsm2.so"), Path.of("/usr/lib64/pkcs11/libsofthsm2.so"),
            Path.of("/usr/local/lib/softhsm/libsofthsm2.so"));

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyManager[] peerKeys;
    private static Token rsa;
    private static Token ec;

    @BeforeAll
    static void makeTokens() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        peerKeys = keys("PKIX", authority.issue("peer", "ec"), Authority.PASSWORD);
        // The library reads it when it is loaded; the environment of a JVM cannot be changed from within.
        String settings = System.getenv("SOFTHSM2_CONF");
        assertNotNull(settings, "SOFTHSM2_CONF is not set; run this test by Maven, whose pom sets it");
        Path tokens = Files.createDirectory(folder.resolve("tokens"));
        Files.createDirectories(Path.of(settings).getParent());
        Files.writeString(Path.of(settings), "directories.tokendir = " + tokens + "\nlog.level = ERROR\n");
        for (String name : new String[] {"rsa", "ec"}) {
            try {
                authority.run("softhsm2-util", "--init-token", "--free", "--label", name, "--so-pin", "5678",
                        "--pin", new String(PIN));
            } catch (IOException e) {
                fail("SoftHSM is missing; on Debian, run: apt-get install softhsm2", e);
            }
        }
        rsa = new Token("rsa", 0, "RSA", new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4));
        ec = new Token("ec", 1, "EC", new ECGenParameterSpec("secp256r1"));
    }

    @AfterAll
    static void removeProviders() {
        for (Token token : new Token[] {rsa, ec}) {
            if (token != null) {
                Security.removeProvider(token.provider.getName());
            }
        }
    }

    static List<Object[]> cases() {
        List<Object[]> cases = new ArrayList<>();
        for (String key : new String[] {"rsa", "ec"}) {
            for (String factory : new String[] {"PKIX", "SunX509", "BrokerTLS"}) {
                for (String version : new String[] {Pairing.TLS12, Pairing.TLS13}) {
                    cases.add(new Object[] {key, factory, version});
                }
            }
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void keyInTheTokenServesOnBothSides(String key, String factory, String version) throws Exception {
        SSLContext ours = ours(token(key).keys(factory));
        for (Stack stack : new Stack[] {Stack.OURS, Stack.JDK}) {
            SSLContext peer = SSLContext.getInstance("TLS", stack.provider());
            peer.init(peerKeys, trust(), null);
            for (boolean isServer : new boolean[] {true, false}) {
                EnginePair pair = isServer ? pair(peer, ours, version) : pair(ours, peer, version);
                pair.handshake();
                pair.exchange(pair.client, new byte[] {1, 2, 3});
                EnginePair.Side other = isServer ? pair.client : pair.server;
                assertEquals("CN=" + key, other.engine.getSession().getPeerPrincipal().getName());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rsa", "ec"})
    void keyCannotBeExported(String name) throws Exception {
        Token token = token(name);
        PrivateKey key = (PrivateKey) token.store.getKey(name, PIN);
        assertNull(key.getEncoded());
        assertNull(key.getFormat());
        assertEquals(1, token.store.getCertificateChain(name).length);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rsa", "ec"})
    void keyManagerOverTheTokenServesTheBuilder(String name) throws Exception {
        try (BrokerTlsContext tls = BrokerTlsContext.builder().keyManager((X509KeyManager) token(name).keys("PKIX")[0])
                .trustManager((X509TrustManager) trust()[0]).clientAuth(BrokerTlsContext.ClientAuth.NEED).build()) {
            EnginePair pair = pair(tls.sslContext(), tls.sslContext(), Pairing.TLS13);
            pair.handshake();
            assertEquals("CN=" + name, pair.server.engine.getSession().getPeerPrincipal().getName());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void tokenThatIsLoggedOutFailsTheHandshakeWithAnAlertAndServesAgainAfterwards(String key, String factory,
            String version) throws Exception {
        Token token = token(key);
        SSLContext ours = ours(token.keys(factory));
        SSLContext peer = SSLContext.getInstance("TLS", "SunJSSE");
        peer.init(peerKeys, trust(), null);
        for (boolean isServer : new boolean[] {true, false}) {
            EnginePair pair = isServer ? pair(peer, ours, version) : pair(ours, peer, version);
            pair.server.engine.setNeedClientAuth(true);
            token.provider.logout();
            try {
                pair.begin().settle();
            } finally {
                token.login();
            }
            EnginePair.Side own = isServer ? pair.server : pair.client;
            assertEquals(SSLHandshakeException.class, own.failure.getClass());
            TlsFailure failure = assertInstanceOf(TlsFailure.class, own.failure.getCause());
            assertInstanceOf(SSLException.class, own.peer.failure);
            if (factory.equals("PKIX")) {
                // The JDK's PKIX managers ask the token for each handshake, and find no key.
                assertTrue(isServer ? failure.code() == ErrorCode.NO_COMMON_SIGNATURE
                        : Pki.ALERTS_OF_THE_JDK_WITHOUT_A_CERTIFICATE.contains(failure.code()), failure::toString);
            } else {
                assertEquals(ErrorCode.SIGNING_FAILED, failure.code(), failure.getMessage());
                assertTrue(isOfToken(failure.getCause()), () -> failure.getCause() + " is what the token threw");
                String told = own.peer.failure.getMessage();
                assertTrue(told.contains("internal_error"), told);
            }
        }
        pair(peer, ours(token.keys(factory)), version).handshake();
    }

    private static boolean isOfToken(Throwable thrown) {
        return thrown instanceof ProviderException
                || thrown != null && thrown.getCause() instanceof ProviderException;
    }

    private static Token token(String name) {
        return name.equals("rsa") ? rsa : ec;
    }

    private static KeyManager[] keys(String algorithm, KeyStore store, char[] password) throws Exception {
        KeyManagerFactory factory = algorithm.equals("BrokerTLS")
                ? KeyManagerFactory.getInstance(algorithm, PROVIDER) : KeyManagerFactory.getInstance(algorithm);
        factory.init(store, password);
        return factory.getKeyManagers();
    }

    private static TrustManager[] trust() throws Exception {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(authority.trust());
        return factory.getTrustManagers();
    }

    private static SSLContext ours(KeyManager[] keys) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", PROVIDER);
        context.init(keys, trust(), null);
        return context;
    }

    private static EnginePair pair(SSLContext client, SSLContext server, String version) {
        SSLEngine clientEngine = client.createSSLEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = server.createSSLEngine();
        serverEngine.setUseClientMode(false);
        serverEngine.setNeedClientAuth(true);
        return new EnginePair(clientEngine, serverEngine);
    }

    /** A token with one key that was made in it, and that key's certificate. */
    private static final class Token {
        private final String name;
        private final AuthProvider provider;
        private final KeyStore store;

        Token(String name, int slot, String algorithm, AlgorithmParameterSpec parameters) throws Exception {
            this.name = name;
            Path library = LIBRARIES.stream().filter(Files::exists).findFirst()
                    .orElseGet(() -> fail("libsofthsm2.so is at none of " + LIBRARIES));
            Path configuration = Files.writeString(folder.resolve(name + ".cfg"), "name = " + name + "\nlibrary = "
                    + library + "\nslotListIndex = " + slot + "\nattributes(generate, CKO_PRIVATE_KEY, *) = {\n"
                    + "  CKA_SENSITIVE = true\n  CKA_EXTRACTABLE = false\n}\n");
            provider = (AuthProvider) Security.getProvider("SunPKCS11").configure(configuration.toString());
            Security.addProvider(provider);
            store = KeyStore.getInstance("PKCS11", provider);
            store.load(null, PIN);
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm, provider);
            generator.initialize(parameters);
            KeyPair pair = generator.generateKeyPair();
            X509Certificate[] chain = {authority.certify(name, pair.getPublic())};
            store.setKeyEntry(name, pair.getPrivate(), null, chain);
        }

        void login() throws Exception {
            store.load(null, PIN);
        }

        KeyManager[] keys(String factory) throws Exception {
            return SoftHsmTest.keys(factory, store, PIN);
        }
    }
}
