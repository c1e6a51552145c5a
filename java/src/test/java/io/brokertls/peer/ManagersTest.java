package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.net.Socket;
import java.security.InvalidKeyException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Security;
import java.security.SignatureSpi;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The application's own managers in handshakes: plain ones, and ones that throw. */
class ManagersTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();

    static List<Arguments> thrown() {
        return List.of(Arguments.of(Pairing.TLS12, new IllegalStateException("broken manager")),
                Arguments.of(Pairing.TLS13, new IllegalStateException("broken manager")),
                Arguments.of(Pairing.TLS12, new StackOverflowError("deep manager")),
                Arguments.of(Pairing.TLS13, new StackOverflowError("deep manager")));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void plainManagersServeOnBothSides(String version) throws Exception {
        SSLContext context = context(new Keys("ec"), new Trust());
        EnginePair pair = pair(context, context, version);
        pair.server.engine.setNeedClientAuth(true);
        pair.handshake();
        assertEquals("CN=ec", pair.server.engine.getSession().getPeerPrincipal().getName());
        pair.exchange(pair.server, new byte[] {1});
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void trustManagerThatThrowsFailsThatHandshakeOnly(String version, Throwable thrown) throws Exception {
        Trust trust = new Trust();
        SSLContext client = context(null, trust);
        SSLContext server = Stack.OURS.context("ec");
        trust.thrown = thrown;
        EnginePair pair = pair(client, server, version);
        assertFailsWith(pair, true, thrown);
        assertInstanceOf(SSLException.class, pair.server.failure, "the peer is told by an alert");
        trust.thrown = null;
        pair(client, server, version).handshake();
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void keyManagerThatThrowsFailsThatHandshakeOnly(String version, Throwable thrown) throws Exception {
        Keys keys = new Keys("ec");
        SSLContext client = Stack.OURS.context(null);
        SSLContext server = context(keys, new Trust());
        keys.thrown = thrown;
        EnginePair pair = pair(client, server, version);
        assertFailsWith(pair, false, thrown);
        assertInstanceOf(SSLException.class, pair.client.failure, "the peer is told by an alert");
        keys.thrown = null;
        pair(client, server, version).handshake();
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void whatAKeyThrowsIsTheCauseOfItsHandshakesFailureAndThePeerIsAlerted(String version, Throwable thrown)
            throws Exception {
        BreakingProvider provider = new BreakingProvider();
        Security.addProvider(provider);
        try {
            Keys keys = new Keys("ec");
            keys.key = new TokenKey();
            SSLContext broken = context(keys, new Trust());
            BreakingSignature.thrown = () -> thrown;
            for (Stack peer : new Stack[] {Stack.OURS, Stack.JDK}) {
                EnginePair asServer = pair(peer.context(null), broken, version);
                assertFailsWith(asServer, false, thrown);
                assertSigningFailed(asServer.server);
                EnginePair asClient = pair(broken, peer.context("ec"), version);
                asClient.server.engine.setNeedClientAuth(true);
                assertFailsWith(asClient, true, thrown);
                assertSigningFailed(asClient.client);
            }
        } finally {
            Security.removeProvider(provider.getName());
        }
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void exceptionOfAClientsKeyManagerSendsTheServerAnAlert(String version, Throwable thrown) throws Exception {
        Keys keys = new Keys("ec");
        keys.thrown = thrown;
        for (Stack peer : new Stack[] {Stack.OURS, Stack.JDK}) {
            EnginePair pair = pair(context(keys, new Trust()), peer.context("ec"), version);
            pair.server.engine.setWantClientAuth(true);
            assertFailsWith(pair, true, thrown);
            assertInstanceOf(SSLException.class, pair.client.failure);
            assertTrue(pair.server.failure.getMessage().contains("internal_error"), pair.server.failure.getMessage());
        }
    }

    @Test
    void keyManagerWithoutAnyAliasLeavesTheServerWithoutIdentity() throws Exception {
        Keys keys = new Keys("ec");
        keys.alias = null;
        EnginePair pair = pair(Stack.OURS.context(null), context(keys, new Trust()), Pairing.TLS13);
        pair.begin().settle();
        assertInstanceOf(TlsFailure.class, assertInstanceOf(SSLException.class, pair.server.failure).getCause());
    }

    private static void assertFailsWith(EnginePair pair, boolean isClient, Throwable thrown) throws Exception {
        pair.begin().settle();
        EnginePair.Side side = isClient ? pair.client : pair.server;
        TlsFailure failure = assertInstanceOf(TlsFailure.class, side.failure.getCause());
        assertSame(thrown, failure.getCause());
    }

    private static void assertSigningFailed(EnginePair.Side side) {
        assertEquals(SSLHandshakeException.class, side.failure.getClass());
        assertEquals(ErrorCode.SIGNING_FAILED, ((TlsFailure) side.failure.getCause()).code());
        assertTrue(side.failure.getMessage().startsWith("BTLS_SIGNING_FAILED (223)"), side.failure.getMessage());
        String told = assertInstanceOf(SSLException.class, side.peer.failure).getMessage();
        assertTrue(told.contains("internal_error"), told);
    }

    private static SSLContext context(KeyManager keys, TrustManager trust) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", PROVIDER);
        context.init(keys == null ? null : new KeyManager[] {keys}, new TrustManager[] {trust}, null);
        return context;
    }

    private static EnginePair pair(SSLContext client, SSLContext server, String version) {
        SSLEngine clientEngine = client.createSSLEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = server.createSSLEngine();
        serverEngine.setUseClientMode(false);
        serverEngine.setEnabledProtocols(new String[] {version});
        return new EnginePair(clientEngine, serverEngine);
    }

    private static void fail(Throwable thrown) {
        if (thrown instanceof Error) {
            throw (Error) thrown;
        }
        if (thrown != null) {
            throw (RuntimeException) thrown;
        }
    }

    /** Trusts anyone, or throws. */
    private static final class Trust implements X509TrustManager {
        private volatile Throwable thrown;

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {
            fail(thrown);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {
            fail(thrown);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** Has one EC key, or throws. */
    private static final class Keys implements X509KeyManager {
        private final X509Certificate[] chain;
        private volatile PrivateKey key;
        private volatile Throwable thrown;
        private String alias = "one";

        Keys(String identity) throws Exception {
            KeyStore store = Pki.get().identity(identity);
            chain = Arrays.stream(store.getCertificateChain(identity)).map(X509Certificate.class::cast)
                    .toArray(X509Certificate[]::new);
            key = (PrivateKey) store.getKey(identity, Pki.PASSWORD);
        }

        @Override
        public String[] getClientAliases(String keyType, Principal[] issuers) {
            return new String[] {alias};
        }

        @Override
        public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
            fail(thrown);
            return Arrays.asList(keyTypes).contains("EC") ? alias : null;
        }

        @Override
        public String[] getServerAliases(String keyType, Principal[] issuers) {
            return new String[] {alias};
        }

        @Override
        public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
            fail(thrown);
            return keyType.startsWith("EC") ? alias : null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String wanted) {
            return chain.clone();
        }

        @Override
        public PrivateKey getPrivateKey(String wanted) {
            return key;
        }
    }

    /** A key that only {@link BreakingProvider} knows. */
    static final class TokenKey implements PrivateKey {
        private static final long serialVersionUID = 1L;

        @Override
        public String getAlgorithm() {
            return "EC";
        }

        @Override
        public String getFormat() {
            return null;
        }

        @Override
        public byte[] getEncoded() {
            return null;
        }
    }

    /** A token that was pulled out. */
    static final class BreakingProvider extends Provider {
        private static final long serialVersionUID = 1L;

        BreakingProvider() {
            super("Breaking", "1", "signatures that throw");
            for (String digest : new String[] {"SHA256", "SHA384", "SHA512"}) {
                putService(new Service(this, "Signature", digest + "withECDSA", BreakingSignature.class.getName(),
                        null, null) {
                    @Override
                    public Object newInstance(Object parameter) {
                        return new BreakingSignature();
                    }
                });
            }
        }
    }

    /** A provider that knows {@link TokenKey}, and throws instead of a signature. */
    static final class BreakingSignature extends SignatureSpi {
        static volatile Supplier<Throwable> thrown;

        @Override
        protected void engineInitVerify(PublicKey key) throws InvalidKeyException {
            throw new InvalidKeyException("signs only");
        }

        @Override
        protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
            if (!(key instanceof TokenKey)) {
                throw new InvalidKeyException("not of this token");
            }
        }

        @Override
        protected void engineUpdate(byte b) {
            fail(thrown.get());
        }

        @Override
        protected void engineUpdate(byte[] content, int offset, int length) {
            fail(thrown.get());
        }

        @Override
        protected byte[] engineSign() {
            fail(thrown.get());
            return new byte[0];
        }

        @Override
        protected boolean engineVerify(byte[] signature) {
            return false;
        }

        @Override
        @Deprecated
        protected void engineSetParameter(String name, Object value) {
            throw new UnsupportedOperationException();
        }

        @Override
        @Deprecated
        protected Object engineGetParameter(String name) {
            throw new UnsupportedOperationException();
        }
    }
}
