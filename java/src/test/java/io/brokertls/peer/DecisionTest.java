package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmConstraints;
import java.security.AlgorithmParameters;
import java.security.CryptoPrimitive;
import java.security.Key;
import java.security.KeyStore;
import java.security.Provider;
import java.security.cert.CertPathValidatorException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The decisions of Java trust managers: their constraints hold, and nothing else refuses a peer. */
class DecisionTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();
    private static final String STORE_PROPERTY = "javax.net.ssl.trustStore";
    private static final String PASSWORD_PROPERTY = "javax.net.ssl.trustStorePassword";

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyStore good;
    private static KeyStore short1024;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        good = authority.issue("good", "ec");
        short1024 = authority.issueAs("short", "rsa:1024", "-extfile", "leaf.ext");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void constraintsOfTheConnectionReachTheJdksManager(String version) throws Exception {
        SSLContext client = ours(null, trust("PKIX"));
        SSLContext server = jdk(short1024);
        EnginePair refused = pair(client, server, version, DecisionTest::refuseShortRsa);
        refused.begin().settle();
        TlsFailure failure = refusal(refused.client);
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, failure.code());
        assertTrue(messageOfPath(failure).contains("constraints"), messageOfPath(failure));
        pair(client, server, version, parameters -> { }).handshake();
        pair(client, ours(keys(good), trust("PKIX")), version, DecisionTest::refuseShortRsa).handshake();
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void constraintsOfTheConnectionHoldForPlainManagersToo(String version) throws Exception {
        SSLContext client = ours(null, new TrustManager[] {new TrustingAnyone()});
        SSLContext server = jdk(short1024);
        EnginePair refused = pair(client, server, version, DecisionTest::refuseShortRsa);
        refused.begin().settle();
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, refusal(refused.client).code());
        pair(client, server, version, parameters -> { }).handshake();
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void constraintsOfAServerHoldForItsClients(String version) throws Exception {
        SSLContext server = ours(keys(good), trust("PKIX"));
        SSLContext client = jdk(short1024);
        SSLEngine[] engines = engines(client, Pki.HOST, server, version);
        SSLParameters parameters = engines[1].getSSLParameters();
        refuseShortRsa(parameters);
        parameters.setNeedClientAuth(true);
        engines[1].setSSLParameters(parameters);
        EnginePair refused = new EnginePair(engines[0], engines[1]);
        refused.begin().settle();
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, refusal(refused.server).code());
        assertNotNull(refused.client.failure, "the client is told");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void serverWithConstraintsOrAHostToIdentifyResumesNoSessionOfOneWithoutThem(String version) throws Exception {
        SSLContext server = ours(keys(good), trust("PKIX"));
        SSLContext client = jdk(short1024);
        assertNull(settleWith(client, server, version, parameters -> { }));
        for (Consumer<SSLParameters> change : List.<Consumer<SSLParameters>>of(DecisionTest::refuseShortRsa,
                parameters -> parameters.setEndpointIdentificationAlgorithm("HTTPS"))) {
            assertNull(settleWith(client, server, version, parameters -> { }));
            EnginePair.Side refused = settleWith(client, server, version, change);
            assertNotNull(refused, "the manager is asked again");
            assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, refusal(refused).code());
        }
    }

    /** Gives the server's side if it has failed, of a connection from a host that no certificate names. */
    private static EnginePair.Side settleWith(SSLContext client, SSLContext server, String version,
            Consumer<SSLParameters> change) throws Exception {
        SSLEngine[] engines = engines(client, Pki.HOST, server, version);
        engines[1] = server.createSSLEngine("elsewhere.test", 40000);
        engines[1].setUseClientMode(false);
        SSLParameters parameters = engines[1].getSSLParameters();
        parameters.setNeedClientAuth(true);
        change.accept(parameters);
        engines[1].setSSLParameters(parameters);
        EnginePair pair = new EnginePair(engines[0], engines[1]);
        pair.begin().settle();
        if (pair.server.failure == null) {
            // The client takes its tickets as it reads.
            pair.exchange(pair.server, new byte[] {1});
        }
        return pair.server.failure == null ? null : pair.server;
    }

    @Test
    void constraintsAreGivenBackByWhateverTakesThem() throws Exception {
        SSLContext context = ours(keys(good), trust("PKIX"));
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        refuseShortRsa(parameters);
        engine.setSSLParameters(parameters);
        assertSame(parameters.getAlgorithmConstraints(), engine.getSSLParameters().getAlgorithmConstraints());
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
                SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket()) {
            socket.setSSLParameters(parameters);
            assertSame(parameters.getAlgorithmConstraints(), socket.getSSLParameters().getAlgorithmConstraints());
            listener.setSSLParameters(parameters);
            assertSame(parameters.getAlgorithmConstraints(), listener.getSSLParameters().getAlgorithmConstraints());
        }
    }

    @Test
    void constraintsAreRefusedAtOnceIfTrustIsNative() throws Exception {
        SSLContext context = ours(keys(good), trust("BrokerTLS"));
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(true);
        SSLParameters parameters = new SSLParameters(null, new String[] {"TLSv1.2"});
        refuseShortRsa(parameters);
        assertRefusesConstraints(() -> engine.setSSLParameters(parameters));
        assertNull(engine.getSSLParameters().getAlgorithmConstraints());
        assertEquals(2, engine.getEnabledProtocols().length, "a refused call changes nothing");
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
                SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket()) {
            assertRefusesConstraints(() -> socket.setSSLParameters(parameters));
            assertRefusesConstraints(() -> listener.setSSLParameters(parameters));
        }
        SSLEngine built = BrokerTlsContext.builder().insecureAcceptAnyServer(true).build().newEngine(Pki.HOST, 8883);
        assertRefusesConstraints(() -> built.setSSLParameters(parameters));
        assertNull(context.getDefaultSSLParameters().getAlgorithmConstraints());
    }

    private static void assertRefusesConstraints(Executable set) {
        IllegalArgumentException thrown = assertThrows(IllegalArgumentException.class, set);
        assertEquals(ErrorCode.INVALID_ARGUMENT, assertInstanceOf(TlsFailure.class, thrown.getCause()).code());
        assertTrue(thrown.getMessage().contains("AlgorithmConstraints"), thrown.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void jdkRefusesMd5InItsOwnWordsAndThePermissiveManagerTakesIt(String version) throws Exception {
        KeyStore md5 = authority.issueAs("md5", "rsa:2048", "-md5", "-extfile", "leaf.ext");
        EnginePair refused = pair(ours(null, trust("PKIX")), jdk(md5), version, parameters -> { });
        refused.begin().settle();
        TlsFailure failure = refusal(refused.client);
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, failure.code());
        assertTrue(messageOfPath(failure).contains("MD5"), messageOfPath(failure));
        pair(ours(null, new TrustManager[] {new TrustingAnyone()}), jdk(md5), version, parameters -> { }).handshake();
    }

    @Test
    void keyTooShortForTheNativeLibraryIsTheManagersToTakeOrRefuse() throws Exception {
        // Too short for the signatures of TLS 1.3.
        KeyStore tiny = authority.issueAs("tiny", "rsa:512", "-extfile", "leaf.ext");
        EnginePair refused = pair(ours(null, trust("PKIX")), jdk(tiny), Pairing.TLS12, parameters -> { });
        refused.begin().settle();
        TlsFailure failure = refusal(refused.client);
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, failure.code());
        assertTrue(messageOfPath(failure).contains("keysize"), messageOfPath(failure));
        EnginePair taken = pair(ours(null, new TrustManager[] {new TrustingAnyone()}), jdk(tiny), Pairing.TLS12,
                parameters -> { });
        taken.handshake();
        taken.exchange(taken.client, new byte[] {1});
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void certificateOfVersionOneIsTheManagersToTakeOrRefuse(String version) throws Exception {
        KeyStore leaf = authority.issueAs("v1", "rsa:2048");
        assertEquals(1, ((X509Certificate) leaf.getCertificate("v1")).getVersion());
        pair(ours(null, trust("PKIX")), jdk(leaf), version, parameters -> { }).handshake();

        // As an issuer the JDK refuses it, for it does not say that it is one.
        KeyStore below = authority.issueBelow("below", "v1");
        EnginePair refused = pair(ours(null, trust("PKIX")), jdk(below), version, parameters -> { });
        refused.begin().settle();
        TlsFailure failure = refusal(refused.client);
        assertTrue(messageOfPath(failure).contains("CA"), messageOfPath(failure));
        pair(ours(null, new TrustManager[] {new TrustingAnyone()}), jdk(below), version, parameters -> { }).handshake();
    }

    @ParameterizedTest
    @CsvSource({"HTTPS,PKIX", "LDAPS,PKIX", "https,PKIX", "HTTPS,plain", "LDAPS,plain", "HTTPS,BrokerTLS"})
    void endpointIdentificationHolds(String identification, String manager) throws Exception {
        TrustManager[] trust = manager.equals("plain") ? new TrustManager[] {new TrustingAnyone()} : trust(manager);
        SSLContext client = ours(null, trust);
        SSLContext server = ours(keys(good), trust("PKIX"));
        Consumer<SSLParameters> identify =
                parameters -> parameters.setEndpointIdentificationAlgorithm(identification);
        for (String version : new String[] {Pairing.TLS12, Pairing.TLS13}) {
            pair(client, server, version, identify).handshake();
            SSLEngine[] engines = engines(client, "elsewhere.test", server, version);
            SSLParameters parameters = engines[0].getSSLParameters();
            identify.accept(parameters);
            engines[0].setSSLParameters(parameters);
            EnginePair refused = new EnginePair(engines[0], engines[1]);
            refused.begin().settle();
            TlsFailure failure = assertInstanceOf(TlsFailure.class,
                    assertInstanceOf(SSLHandshakeException.class, refused.client.failure).getCause());
            assertEquals(ErrorCode.CERT_NAME_MISMATCH, failure.code(), failure.getMessage());
            assertTrue(refused.server.failure.getMessage().startsWith("BTLS_ALERT_"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTPS", "LDAPS"})
    void serverThatIdentifiesClientsWithNativeTrustIsRefusedUnlessItAsksForNoCertificate(String identification)
            throws Exception {
        SSLContext client = ours(keys(good), trust("PKIX"));
        SSLContext server = ours(keys(good), trust("BrokerTLS"));
        for (boolean isAsking : new boolean[] {true, false}) {
            SSLEngine[] engines = engines(client, Pki.HOST, server, Pairing.TLS13);
            SSLParameters parameters = engines[1].getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm(identification);
            parameters.setNeedClientAuth(isAsking);
            engines[1].setSSLParameters(parameters);
            if (isAsking) {
                SSLException thrown = assertThrows(SSLException.class, engines[1]::beginHandshake);
                assertEquals(ErrorCode.INVALID_ARGUMENT, ((TlsFailure) thrown.getCause()).code());
                parameters.setNeedClientAuth(false);
                engines[1].setSSLParameters(parameters);
            }
            new EnginePair(engines[0], engines[1]).handshake();
        }
    }

    @Test
    void serverThatMayNotCreateSessionsIsRefused() throws Exception {
        SSLContext server = ours(keys(good), trust("BrokerTLS"));
        SSLEngine engine = server.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setEnableSessionCreation(false);
        SSLException thrown = assertThrows(SSLException.class, engine::beginHandshake);
        assertEquals(ErrorCode.INVALID_ARGUMENT, ((TlsFailure) thrown.getCause()).code());
        engine.setEnableSessionCreation(true);
        engine.beginHandshake();
        assertEquals(SSLEngineResult.HandshakeStatus.NEED_UNWRAP, engine.getHandshakeStatus());
    }

    @Test
    void withoutTrustManagersTheDefaultTrustOfTheProcessDecides() throws Exception {
        SSLContext server = ours(keys(good), trust("PKIX"));
        EnginePair refused = pair(ours(null, null), server, Pairing.TLS13, parameters -> { });
        refused.begin().settle();
        assertEquals(ErrorCode.CERT_UNKNOWN_ISSUER, refusal(refused.client).code());

        Path store = folder.resolve("trust.p12");
        try (OutputStream out = Files.newOutputStream(store)) {
            authority.trust().store(out, Authority.PASSWORD);
        }
        String oldStore = System.getProperty(STORE_PROPERTY);
        String oldPassword = System.getProperty(PASSWORD_PROPERTY);
        try {
            System.setProperty(STORE_PROPERTY, store.toString());
            System.setProperty(PASSWORD_PROPERTY, new String(Authority.PASSWORD));
            pair(ours(null, null), server, Pairing.TLS13, parameters -> { }).handshake();
        } finally {
            restore(STORE_PROPERTY, oldStore);
            restore(PASSWORD_PROPERTY, oldPassword);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void emptyArrayOfTrustManagersRefusesServersAndClients(String version) throws Exception {
        TrustManager[] nobody = {};
        EnginePair asClient = pair(ours(null, nobody), ours(keys(good), trust("PKIX")), version, parameters -> { });
        asClient.begin().settle();
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, refusal(asClient.client).code());

        SSLEngine[] engines = engines(ours(keys(good), trust("PKIX")), Pki.HOST, ours(keys(good), nobody), version);
        engines[1].setNeedClientAuth(true);
        EnginePair asServer = new EnginePair(engines[0], engines[1]);
        asServer.begin().settle();
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, refusal(asServer.server).code());
        assertNotNull(asServer.client.failure, "the client is told");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void clientWithoutKeyManagersIsWithoutACertificateWhichTheServerRefusesIfItNeedsOne(String version)
            throws Exception {
        SSLContext client = ours(null, trust("PKIX"));
        SSLContext server = ours(keys(good), trust("PKIX"));
        SSLEngine[] wanted = engines(client, Pki.HOST, server, version);
        wanted[1].setWantClientAuth(true);
        new EnginePair(wanted[0], wanted[1]).handshake();

        SSLEngine[] needed = engines(client, Pki.HOST, server, version);
        needed[1].setNeedClientAuth(true);
        EnginePair refused = new EnginePair(needed[0], needed[1]);
        refused.begin().settle();
        assertEquals(ErrorCode.CERT_MISSING, refusal(refused.server).code());
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void serverWithoutKeyManagersHasNoIdentity(String version) throws Exception {
        EnginePair refused = pair(ours(null, trust("PKIX")), ours(null, trust("PKIX")), version, parameters -> { });
        SSLHandshakeException thrown = null;
        try {
            refused.handshake();
        } catch (SSLHandshakeException e) {
            thrown = e;
        }
        assertNotNull(thrown);
        assertEquals(ErrorCode.NO_IDENTITY, assertInstanceOf(TlsFailure.class, thrown.getCause()).code());
    }

    private static void restore(String property, String value) {
        if (value == null) {
            System.clearProperty(property);
        } else {
            System.setProperty(property, value);
        }
    }

    private static TlsFailure refusal(EnginePair.Side side) {
        assertInstanceOf(SSLHandshakeException.class, side.failure);
        return assertInstanceOf(TlsFailure.class, side.failure.getCause());
    }

    /** What the JDK's validation of the path said. */
    private static String messageOfPath(Throwable thrown) {
        for (Throwable at = thrown; at != null; at = at.getCause()) {
            if (at instanceof CertPathValidatorException) {
                return at.getMessage();
            }
        }
        throw new AssertionError("no CertPathValidatorException", thrown);
    }

    private static void refuseShortRsa(SSLParameters parameters) {
        parameters.setAlgorithmConstraints(new NoShortRsa());
    }

    private static EnginePair pair(SSLContext client, SSLContext server, String version,
            Consumer<SSLParameters> change) throws Exception {
        SSLEngine[] engines = engines(client, Pki.HOST, server, version);
        SSLParameters parameters = engines[0].getSSLParameters();
        change.accept(parameters);
        engines[0].setSSLParameters(parameters);
        return new EnginePair(engines[0], engines[1]);
    }

    private static SSLEngine[] engines(SSLContext client, String host, SSLContext server, String version) {
        SSLEngine clientEngine = client.createSSLEngine(host, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = server.createSSLEngine();
        serverEngine.setUseClientMode(false);
        return new SSLEngine[] {clientEngine, serverEngine};
    }

    private static SSLContext ours(KeyManager[] keys, TrustManager[] trust) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", PROVIDER);
        context.init(keys, trust, null);
        return context;
    }

    private static SSLContext jdk(KeyStore identity) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", "SunJSSE");
        context.init(keys(identity), new TrustManager[] {new TrustingAnyone()}, null);
        return context;
    }

    private static KeyManager[] keys(KeyStore store) throws Exception {
        KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
        factory.init(store, Authority.PASSWORD);
        return factory.getKeyManagers();
    }

    private static TrustManager[] trust(String algorithm) throws Exception {
        TrustManagerFactory factory = algorithm.equals("BrokerTLS")
                ? TrustManagerFactory.getInstance(algorithm, PROVIDER) : TrustManagerFactory.getInstance(algorithm);
        factory.init(authority.trust());
        return factory.getTrustManagers();
    }

    /** Permits all but RSA keys below 2048 bits. */
    private static final class NoShortRsa implements AlgorithmConstraints {
        private static final int LEAST_BITS = 2048;

        @Override
        public boolean permits(Set<CryptoPrimitive> primitives, String algorithm, AlgorithmParameters parameters) {
            return !algorithm.toLowerCase(Locale.ROOT).startsWith("none");
        }

        @Override
        public boolean permits(Set<CryptoPrimitive> primitives, Key key) {
            return !(key instanceof RSAKey) || ((RSAKey) key).getModulus().bitLength() >= LEAST_BITS;
        }

        @Override
        public boolean permits(Set<CryptoPrimitive> primitives, String algorithm, Key key,
                AlgorithmParameters parameters) {
            return permits(primitives, key);
        }
    }
}
