package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.net.Socket;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A client's session belongs to the peer that was verified and to the identity that was shown. */
class SessionIdentityTest {
    private static final String EVIL = "evil.test";
    private static final String BANK = "bank.test";
    private static final int PORT = 8883;

    static List<Object[]> stacksAndVersions() {
        return List.of(new Object[] {Stack.OURS, Pairing.TLS12}, new Object[] {Stack.OURS, Pairing.TLS13},
                new Object[] {Stack.JDK, Pairing.TLS12}, new Object[] {Stack.JDK, Pairing.TLS13});
    }

    @ParameterizedTest
    @MethodSource("stacksAndVersions")
    void serverOfEvilIsNotResumedUnderTheNameOfTheBank(Stack stack, String version) throws Exception {
        SSLContext evil = Stack.OURS.context("unknown");
        SSLContext client = context(stack, null, new ByHost());
        // The name of the bank is sent to evil. The manager accepts the certificate of evil for the host evil alone.
        EnginePair first = pair(engine(client, EVIL, PORT, BANK, version), evil);
        first.handshake();
        read(first);
        EnginePair toBank = pair(engine(client, BANK, PORT, BANK, version), evil);
        toBank.begin().settle();
        assertNotNull(toBank.client.failure, "evil is refused");
        // The bank itself is let in.
        pair(engine(client, BANK, PORT, BANK, version), Stack.OURS.context("ec")).handshake();
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void sessionIsResumedByTheSameHostPortIdentificationNamesAndProtocolsAlone(String version) throws Exception {
        SSLContext server = Stack.OURS.context("ec");
        Trusting trust = new Trusting();
        SSLContext client = context(Stack.OURS, null, trust);
        assertEquals(1, asked(trust, engine(client, BANK, PORT, BANK, version), server));
        assertEquals(0, asked(trust, engine(client, BANK, PORT, BANK, version), server));
        assertEquals(1, asked(trust, engine(client, BANK, PORT + 1, BANK, version), server));
        assertEquals(1, asked(trust, engine(client, EVIL, PORT, BANK, version), server));
        assertEquals(1, asked(trust, engine(client, BANK, PORT, EVIL, version), server));
        assertEquals(1, asked(trust, engine(client, BANK, PORT, null, version), server));
        for (Consumer<SSLParameters> change : List.<Consumer<SSLParameters>>of(
                parameters -> parameters.setEndpointIdentificationAlgorithm("LDAPS"),
                parameters -> parameters.setApplicationProtocols(new String[] {"mqtt"}))) {
            for (int expected : new int[] {1, 0}) {
                SSLEngine engine = engine(client, BANK, PORT, BANK, version);
                SSLParameters parameters = engine.getSSLParameters();
                change.accept(parameters);
                engine.setSSLParameters(parameters);
                assertEquals(expected, asked(trust, engine, server));
            }
        }
        assertEquals(0, asked(trust, engine(client, BANK, PORT, BANK, version), server));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void engineWithoutAPeerHostResumesNothingIfAManagerDecides(String version) throws Exception {
        SSLContext server = Stack.OURS.context("ec");
        Trusting trust = new Trusting();
        SSLContext client = context(Stack.OURS, null, trust);
        for (int i = 0; i < 2; i++) {
            assertEquals(1, asked(trust, engine(client, null, -1, BANK, version), server));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void sessionIsNotResumedIfTheKeyManagerChoosesAnotherIdentity(String version) throws Exception {
        SSLContext server = Stack.OURS.context("ec");
        Trusting trust = new Trusting();
        Keys keys = new Keys("ec", "client");
        SSLContext client = context(Stack.OURS, keys, trust);
        for (String alias : new String[] {"ec", "client", null, "ec"}) {
            keys.alias = alias;
            for (int expected : new int[] {1, 0}) {
                EnginePair pair = pair(engine(client, BANK, PORT, BANK, version), server);
                pair.server.engine.setWantClientAuth(true);
                assertEquals(expected, asked(trust, pair), alias);
                if (alias != null) {
                    assertEquals("CN=" + alias, pair.server.engine.getSession().getPeerPrincipal().getName());
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("stacksAndVersions")
    void handshakeSessionOfAClientHasItsNamesAndItsVersionWhenTheKeyManagerIsAsked(Stack stack, String version)
            throws Exception {
        Keys keys = new Keys("client");
        SSLContext client = context(stack, keys, new Trusting());
        for (String sent : new String[] {BANK, null}) {
            keys.seen.clear();
            EnginePair pair = pair(engine(client, BANK, PORT, sent, version), Stack.OURS.context("ec"));
            pair.server.engine.setWantClientAuth(true);
            pair.handshake();
            assertEquals(version + " " + List.of(new SNIHostName(BANK)), keys.seen.get(0));
            ExtendedSSLSession session = (ExtendedSSLSession) pair.client.engine.getSession();
            assertEquals(List.of(new SNIHostName(BANK)), session.getRequestedServerNames());
        }
        keys.seen.clear();
        EnginePair byAddress = pair(engine(client, "127.0.0.1", PORT, null, version), Stack.OURS.context("ec"));
        byAddress.server.engine.setWantClientAuth(true);
        byAddress.handshake();
        assertEquals(version + " []", keys.seen.get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void trustManagerIsAskedAgainOnBothSidesIfSet(String version) throws Exception {
        Trusting trust = new Trusting();
        Trusting ofServer = new Trusting();
        try (BrokerTlsContext client = managed(trust, "client"); BrokerTlsContext server = managed(ofServer, "ec")) {
            for (int i = 0; i < 3; i++) {
                EnginePair pair = pair(engine(client.sslContext(), BANK, PORT, BANK, version), server.sslContext());
                pair.server.engine.setNeedClientAuth(true);
                assertEquals(1, asked(trust, pair));
                assertEquals(1, ofServer.asked.getAndSet(0));
                assertEquals("CN=client", pair.server.engine.getSession().getPeerPrincipal().getName());
                assertEquals("CN=ec", pair.client.engine.getSession().getPeerPrincipal().getName());
            }
            ofServer.refuses = true;
            EnginePair pair = pair(engine(client.sslContext(), BANK, PORT, BANK, version), server.sslContext());
            pair.server.engine.setNeedClientAuth(true);
            pair.begin().settle();
            assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, code(pair.server.failure));
            assertEquals(2, ofServer.asked.get(), "about the session, then in the full handshake");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void verifyCallbackIsCalledAgainOnBothSidesUnlessTurnedOff(String version) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        boolean[] refuses = {false};
        BrokerTlsContext.VerifyCallback check = chain -> {
            asked.incrementAndGet();
            if (refuses[0]) {
                throw new CertificateException("locked");
            }
        };
        for (boolean isAsked : new boolean[] {true, false}) {
            try (BrokerTlsContext checking = builder("client").verifyCallback(check)
                    .option("resumption-asks-again", isAsked ? "yes" : "no").build();
                    BrokerTlsContext other = builder("ec").build()) {
                for (boolean isServer : new boolean[] {true, false}) {
                    SSLContext server = (isServer ? checking : other).sslContext();
                    SSLContext client = (isServer ? other : checking).sslContext();
                    refuses[0] = false;
                    int[] expected = {1, isAsked ? 1 : 0};
                    for (int times : expected) {
                        EnginePair pair = pair(engine(client, Pki.HOST, PORT, null, version), server);
                        pair.server.engine.setNeedClientAuth(true);
                        asked.set(0);
                        pair.handshake();
                        read(pair);
                        assertEquals(times, asked.get());
                    }
                    refuses[0] = true;
                    EnginePair pair = pair(engine(client, Pki.HOST, PORT, null, version), server);
                    pair.server.engine.setNeedClientAuth(true);
                    pair.begin().settle();
                    SSLException failure = (isServer ? pair.server : pair.client).failure;
                    if (isAsked) {
                        assertEquals(ErrorCode.CERT_REJECTED_BY_CALLBACK, code(failure));
                    } else {
                        assertNull(failure);
                    }
                }
            }
        }
    }

    private static ErrorCode code(SSLException failure) {
        return assertInstanceOf(TlsFailure.class, failure.getCause()).code();
    }

    private static BrokerTlsContextBuilder builder(String identity) throws Exception {
        return BrokerTlsContext.builder().keyStore(bytes(Pki.get().identity(identity)), identity, Pki.PASSWORD)
                .trustStore(bytes(Pki.get().trust()), "trust", Pki.PASSWORD);
    }

    private static BrokerTlsContext managed(X509ExtendedTrustManager trust, String identity) throws Exception {
        return BrokerTlsContext.builder().keyStore(bytes(Pki.get().identity(identity)), identity, Pki.PASSWORD)
                .trustManager(trust).option("resumption-asks-again", "managers").build();
    }

    private static byte[] bytes(KeyStore store) throws Exception {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        store.store(out, Pki.PASSWORD);
        return out.toByteArray();
    }

    private static SSLContext context(Stack stack, KeyManager keys, TrustManager trust) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", stack.provider());
        context.init(keys == null ? null : new KeyManager[] {keys}, new TrustManager[] {trust}, null);
        return context;
    }

    private static SSLEngine engine(SSLContext context, String host, int port, String name, String version) {
        SSLEngine engine = host == null ? context.createSSLEngine() : context.createSSLEngine(host, port);
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(new String[] {version});
        if (name != null) {
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(name)));
            engine.setSSLParameters(parameters);
        }
        return engine;
    }

    private static EnginePair pair(SSLEngine client, SSLContext server) {
        SSLEngine engine = server.createSSLEngine();
        engine.setUseClientMode(false);
        return new EnginePair(client, engine);
    }

    private static int asked(Trusting trust, SSLEngine client, SSLContext server) throws Exception {
        return asked(trust, pair(client, server));
    }

    /** Counts the questions to the client's manager about the server. */
    private static int asked(Trusting trust, EnginePair pair) throws Exception {
        trust.asked.set(0);
        pair.handshake();
        read(pair);
        return trust.asked.get();
    }

    /** Has the client read its tickets. */
    private static void read(EnginePair pair) throws Exception {
        pair.exchange(pair.server, new byte[] {1});
    }

    /** Trusts anyone until it refuses, and counts. */
    private static class Trusting extends WatchedTrust {
        final AtomicInteger asked = new AtomicInteger();
        volatile boolean refuses;

        void check(X509Certificate[] chain, String peerHost) throws CertificateException {
            asked.incrementAndGet();
            if (refuses) {
                throw new CertificateException("no longer trusted");
            }
        }

        @Override
        protected void judge(String side, X509Certificate[] chain, String authType, Object connection)
                throws CertificateException {
            check(chain, connection instanceof SSLEngine ? ((SSLEngine) connection).getPeerHost() : null);
        }
    }

    /** Takes the stranger's certificate for evil, and the authority's for the bank. */
    private static final class ByHost extends Trusting {
        @Override
        void check(X509Certificate[] chain, String peerHost) throws CertificateException {
            String expected = EVIL.equals(peerHost) ? "CN=unknown" : "CN=ec";
            if (!chain[0].getSubjectX500Principal().getName().equals(expected)) {
                throw new CertificateException(peerHost + " is not " + chain[0].getSubjectX500Principal());
            }
        }
    }

    /** Chooses the alias that it is told to, and keeps what the handshake's session says meanwhile. */
    private static final class Keys extends X509ExtendedKeyManager {
        private final List<String> names;
        final List<String> seen = new ArrayList<>();
        volatile String alias;

        Keys(String... names) {
            this.names = List.of(names);
            this.alias = names[0];
        }

        @Override
        public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
            ExtendedSSLSession session = (ExtendedSSLSession) engine.getHandshakeSession();
            seen.add(session.getProtocol() + " " + session.getRequestedServerNames());
            return Arrays.asList(keyTypes).contains("EC") ? alias : null;
        }

        @Override
        public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
            return alias;
        }

        @Override
        public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
            return null;
        }

        @Override
        public String[] getClientAliases(String keyType, Principal[] issuers) {
            return names.toArray(new String[0]);
        }

        @Override
        public String[] getServerAliases(String keyType, Principal[] issuers) {
            return new String[0];
        }

        @Override
        public X509Certificate[] getCertificateChain(String wanted) {
            try {
                return Arrays.stream(Pki.get().identity(wanted).getCertificateChain(wanted))
                        .map(X509Certificate.class::cast).toArray(X509Certificate[]::new);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public PrivateKey getPrivateKey(String wanted) {
            try {
                return (PrivateKey) Pki.get().identity(wanted).getKey(wanted, Pki.PASSWORD);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
