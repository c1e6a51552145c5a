package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Provider;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The decisions of trust managers of the JDK, and of the application, about peers of this provider. */
class TrustTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyStore good;
    private static KeyStore revoked;
    private static X509CRL revocations;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        good = authority.issue("good", "ec");
        revoked = authority.issue("revoked", "ec");
        revocations = authority.revoke("revoked");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void serverThatIsNotOnTheRevocationListIsAccepted(String version) throws Exception {
        EnginePair pair = pair(context(null, byRevocationList()), context(keys(good), trust("PKIX")), version);
        pair.handshake();
        assertEquals(good.getCertificate("good"), pair.client.engine.getSession().getPeerCertificates()[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void revokedServerIsRefused(String version) throws Exception {
        EnginePair pair = pair(context(null, byRevocationList()), context(keys(revoked), trust("PKIX")), version);
        assertRefused(pair, pair.client, ErrorCode.CERT_REVOKED);
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void revokedClientIsRefusedAndAnotherAccepted(String version) throws Exception {
        SSLContext server = context(keys(good), byRevocationList());
        EnginePair refused = pair(context(keys(revoked), trust("PKIX")), server, version);
        refused.server.engine.setNeedClientAuth(true);
        assertRefused(refused, refused.server, ErrorCode.CERT_REVOKED);

        EnginePair accepted = pair(context(keys(good), trust("PKIX")), server, version);
        accepted.server.engine.setNeedClientAuth(true);
        accepted.handshake();
        assertEquals(good.getCertificate("good"), accepted.server.engine.getSession().getPeerCertificates()[0]);
    }

    @ParameterizedTest
    @CsvSource({"SunX509,SunX509", "NewSunX509,PKIX", "PKIX,PKIX", "SunX509,BrokerTLS", "BrokerTLS,PKIX",
        "BrokerTLS,BrokerTLS"})
    void managersOfEachFactoryCompleteHandshakesOnBothSides(String keys, String trust) throws Exception {
        SSLContext context = context(keys(keys, good), trust(trust));
        for (String version : new String[] {Pairing.TLS12, Pairing.TLS13}) {
            EnginePair pair = pair(context, context, version);
            pair.server.engine.setNeedClientAuth(true);
            pair.handshake();
            pair.exchange(pair.client, new byte[] {1});
            assertEquals("CN=good", pair.server.engine.getSession().getPeerPrincipal().getName());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void endpointIdentificationRefusesAnotherHost(String version) throws Exception {
        SSLContext client = context(null, trust("PKIX"));
        SSLContext server = context(keys(good), trust("PKIX"));
        EnginePair wrong = pair(client, "elsewhere.test", server, version);
        identify(wrong.client.engine);
        assertRefused(wrong, wrong.client, ErrorCode.CERT_NAME_MISMATCH);

        EnginePair right = pair(client, Pki.HOST, server, version);
        identify(right.client.engine);
        right.handshake();

        pair(client, "elsewhere.test", server, version).handshake();
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void oldCertificatesAreAcceptedByThePermissiveManager(String version) throws Exception {
        KeyStore[] old = {
            authority.issueAs("v1", "rsa:2048"),
            authority.issueAs("md5", "rsa:2048", "-md5", "-extfile", "leaf.ext"),
            authority.issueAs("short", "rsa:1024", "-extfile", "leaf.ext"),
        };
        assertEquals(1, ((X509Certificate) old[0].getCertificate("v1")).getVersion());
        assertEquals("MD5withRSA", ((X509Certificate) old[1].getCertificate("md5")).getSigAlgName());
        for (KeyStore identity : old) {
            SSLContext jdk = SSLContext.getInstance("TLS", "SunJSSE");
            jdk.init(keys("SunX509", identity), new TrustManager[] {new TrustingAnyone()}, null);
            SSLContext ours = context(keys(good), new TrustingAnyone());
            EnginePair asClient = pair(ours, jdk, version);
            asClient.handshake();
            assertNotNull(asClient.client.engine.getSession().getPeerCertificates());
            EnginePair asServer = pair(jdk, ours, version);
            asServer.server.engine.setNeedClientAuth(true);
            asServer.handshake();
            assertNotNull(asServer.server.engine.getSession().getPeerCertificates());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void md5IsRefusedIfTheJdkDecides(String version) throws Exception {
        KeyStore md5 = authority.issueAs("md5", "rsa:2048", "-md5", "-extfile", "leaf.ext");
        SSLContext jdk = SSLContext.getInstance("TLS", "SunJSSE");
        jdk.init(keys("SunX509", md5), null, null);
        EnginePair pair = pair(context(null, trust("PKIX")), jdk, version);
        assertRefused(pair, pair.client, ErrorCode.CERT_REJECTED_BY_MANAGER);
    }

    @Test
    void emptyArrayOfTrustManagersRefusesEveryPeer() throws Exception {
        EnginePair pair = pair(context(null), context(keys(good), trust("PKIX")), Pairing.TLS13);
        pair.begin().settle();
        assertInstanceOf(SSLHandshakeException.class, pair.client.failure);
    }

    private static void identify(SSLEngine engine) {
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
    }

    private static void assertRefused(EnginePair pair, EnginePair.Side side, ErrorCode code) throws Exception {
        pair.begin().settle();
        assertInstanceOf(SSLHandshakeException.class, side.failure);
        TlsFailure failure = assertInstanceOf(TlsFailure.class, side.failure.getCause());
        assertEquals(code, failure.code(), failure.getMessage());
        assertInstanceOf(CertificateException.class, failure.getCause());
        assertNotNull(side.peer.failure, "the peer is told by an alert");
    }

    private static EnginePair pair(SSLContext client, SSLContext server, String version) {
        return pair(client, Pki.HOST, server, version);
    }

    private static EnginePair pair(SSLContext client, String host, SSLContext server, String version) {
        SSLEngine clientEngine = client.createSSLEngine(host, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = server.createSSLEngine();
        serverEngine.setUseClientMode(false);
        serverEngine.setEnabledProtocols(new String[] {version});
        return new EnginePair(clientEngine, serverEngine);
    }

    private static SSLContext context(KeyManager[] keys, TrustManager... trust) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", PROVIDER);
        context.init(keys, trust, null);
        return context;
    }

    private static KeyManager[] keys(KeyStore store) throws Exception {
        return keys("PKIX", store);
    }

    private static KeyManager[] keys(String algorithm, KeyStore store) throws Exception {
        KeyManagerFactory factory = algorithm.equals("BrokerTLS")
                ? KeyManagerFactory.getInstance(algorithm, PROVIDER) : KeyManagerFactory.getInstance(algorithm);
        factory.init(store, Authority.PASSWORD);
        return factory.getKeyManagers();
    }

    private static TrustManager[] trust(String algorithm) throws Exception {
        TrustManagerFactory factory = algorithm.equals("BrokerTLS")
                ? TrustManagerFactory.getInstance(algorithm, PROVIDER) : TrustManagerFactory.getInstance(algorithm);
        factory.init(authority.trust());
        return factory.getTrustManagers();
    }

    private static TrustManager[] byRevocationList() throws Exception {
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(authority.trust(), new X509CertSelector());
        parameters.setRevocationEnabled(true);
        parameters.addCertStore(CertStore.getInstance("Collection",
                new CollectionCertStoreParameters(List.of(revocations))));
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters));
        return factory.getTrustManagers();
    }
}
