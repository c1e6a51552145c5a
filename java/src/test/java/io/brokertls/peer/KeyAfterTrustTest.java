package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.security.KeyStore;
import java.security.Principal;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A client's key manager is asked after the server is trusted, sees it, and is not asked for any other server. */
class KeyAfterTrustTest {
    /** Notes each question, with the facts that the session of the handshake shows then. */
    private static final class Log {
        final List<String> lines = new ArrayList<>();

        void add(String what, SSLEngine engine) {
            ExtendedSSLSession session = (ExtendedSSLSession) engine.getHandshakeSession();
            String peer;
            try {
                peer = session.getPeerPrincipal().getName() + " " + session.getPeerCertificates().length;
            } catch (SSLPeerUnverifiedException e) {
                peer = "nobody";
            }
            lines.add(what + " " + session.getProtocol() + ", peer " + peer);
        }
    }

    private static final class Keys extends WatchedKeys {
        private final Log log;

        Keys(X509ExtendedKeyManager manager, Log log) {
            super(manager);
            this.log = log;
        }

        @Override
        protected void asked(String side, String[] keyTypes, Principal[] issuers, Object connection) {
            assertEquals("client", side);
            log.add("key", (SSLEngine) connection);
            List<String> types = new ArrayList<>(Arrays.asList(keyTypes));
            // No implementation of ours signs by these.
            types.removeAll(List.of("RSASSA-PSS", "DSA"));
            log.lines.add(types + " of " + Arrays.toString(issuers));
        }
    }

    private static final class Trust extends WatchedTrust {
        private final X509ExtendedTrustManager manager;
        private final Log log;

        Trust(X509ExtendedTrustManager manager, Log log) {
            this.manager = manager;
            this.log = log;
        }

        @Override
        protected void judge(String side, X509Certificate[] chain, String authType, Object connection)
                throws CertificateException {
            assertEquals("server", side);
            log.add("trust", (SSLEngine) connection);
            ask(manager, side, chain, authType, connection);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return manager.getAcceptedIssuers();
        }
    }

    private static SSLContext client(Stack stack, String trustAlgorithm, Log log) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(Pki.get().identity("client"), Pki.PASSWORD);
        KeyStore trusted = Pki.get().trust();
        TrustManager[] trust;
        if (trustAlgorithm.equals("PKIX")) {
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(trusted);
            trust = new TrustManager[] {
                new Trust((X509ExtendedTrustManager) factory.getTrustManagers()[0], log)};
        } else {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(trustAlgorithm, Stack.OURS.provider());
            factory.init(trusted);
            trust = factory.getTrustManagers();
        }
        SSLContext context = SSLContext.getInstance("TLS", stack.provider());
        context.init(new KeyManager[] {new Keys((X509ExtendedKeyManager) keys.getKeyManagers()[0], log)}, trust, null);
        return context;
    }

    private static EnginePair pair(SSLContext client, Stack server, String identity, String version) {
        SSLEngine clientEngine = client.createSSLEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = server.context(identity).createSSLEngine();
        serverEngine.setUseClientMode(false);
        serverEngine.setNeedClientAuth(true);
        return new EnginePair(clientEngine, serverEngine);
    }

    /** The questions of a handshake, and the code of the failure. */
    private static List<String> questions(Stack stack, String trust, Stack server, String identity, String version)
            throws Exception {
        Log log = new Log();
        EnginePair pair = pair(client(stack, trust, log), server, identity, version);
        if (identity.equals("unknown")) {
            pair.begin().settle();
            assertNotNull(pair.client.failure);
            assertNotNull(pair.server.failure, "the server is told");
            if (stack != Stack.JDK) {
                TlsFailure failure = assertInstanceOf(TlsFailure.class, pair.client.failure.getCause());
                assertEquals(ErrorCode.CERT_UNKNOWN_ISSUER, failure.code());
            }
        } else {
            pair.handshake();
            assertEquals("CN=client", pair.server.engine.getSession().getPeerPrincipal().getName());
        }
        return log.lines;
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2,ec,JDK", "TLSv1.2,ec,OURS", "TLSv1.2,long,JDK", "TLSv1.2,unknown,JDK", "TLSv1.3,ec,JDK",
        "TLSv1.3,ec,OURS", "TLSv1.3,long,JDK", "TLSv1.3,unknown,JDK", "TLSv1.3,unknown,OURS"})
    void managersAreAskedInTheOrderAndWithTheArgumentsOfSunJsse(String version, String identity, Stack server)
            throws Exception {
        List<String> expected = questions(Stack.JDK, "PKIX", server, identity, version);
        List<String> ours = questions(Stack.OURS, "PKIX", server, identity, version);
        assertEquals(expected, ours);
        assertTrue(ours.get(0).startsWith("trust " + version), ours.toString());
        assertEquals(identity.equals("unknown") ? 1 : 3, ours.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void keyManagerBesideNativeTrustSeesTheServerToo(String version) throws Exception {
        List<String> asked = questions(Stack.OURS, "BrokerTLS", Stack.JDK, "ec", version);
        assertEquals("key " + version + ", peer CN=ec 1", asked.get(0));
        assertEquals(2, asked.size());
        assertEquals(List.of(), questions(Stack.OURS, "BrokerTLS", Stack.JDK, "unknown", version));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void keyManagerThatIsAskedAboutASessionSeesItsServer(String version) throws Exception {
        Log log = new Log();
        SSLContext client = client(Stack.OURS, "PKIX", log);
        SSLContext server = Stack.OURS.context("ec");
        for (int round = 0; round < 2; round++) {
            log.lines.clear();
            SSLEngine clientEngine = client.createSSLEngine(Pki.HOST, 8883);
            clientEngine.setUseClientMode(true);
            clientEngine.setEnabledProtocols(new String[] {version});
            SSLEngine serverEngine = server.createSSLEngine();
            serverEngine.setUseClientMode(false);
            serverEngine.setNeedClientAuth(true);
            EnginePair pair = new EnginePair(clientEngine, serverEngine);
            pair.handshake();
            pair.exchange(pair.server, new byte[] {1});
            assertEquals("CN=ec", clientEngine.getSession().getPeerPrincipal().getName());
            assertEquals(1, clientEngine.getSession().getPeerCertificates().length);
        }
        assertTrue(log.lines.get(0).equals("key " + version + ", peer CN=ec 1"), log.lines.toString());
        assertEquals(2, log.lines.size(), "the session is resumed");
    }

    @Test
    void serverThatAsksForNothingIsTrustedAndNoKeyIsChosen() throws Exception {
        for (String version : new String[] {Pairing.TLS12, Pairing.TLS13}) {
            Log log = new Log();
            EnginePair pair = pair(client(Stack.OURS, "PKIX", log), Stack.JDK, "ec", version);
            pair.server.engine.setNeedClientAuth(false);
            pair.handshake();
            assertEquals(List.of("trust " + version + ", peer nobody"), log.lines);
        }
    }
}
