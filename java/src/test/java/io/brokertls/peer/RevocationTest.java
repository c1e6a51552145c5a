package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Provider;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertStore;
import java.security.cert.CertificateRevokedException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.util.EnumSet;
import java.util.List;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Revocation as the JDK's PKIX manager checks it over our engines: by list, by responder, and by stapled response. */
class RevocationTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();
    private static final int PATIENCE_MS = 30_000;

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyStore good;
    private static KeyStore revoked;
    private static KeyStore unheardOf;
    private static X509CRL revocations;
    private static OcspResponder responder;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        good = authority.issue("good", "ec");
        revoked = authority.issue("revoked", "ec");
        unheardOf = authority.issue("unheard-of", "ec");
        authority.enter("good");
        revocations = authority.revoke("revoked");
        responder = new OcspResponder(authority);
    }

    @AfterAll
    static void endResponder() throws IOException {
        if (responder != null) {
            responder.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void listDecidesAboutServersAndClients(String version) throws Exception {
        PKIXRevocationChecker checker = checker(Option.PREFER_CRLS, Option.NO_FALLBACK, Option.ONLY_END_ENTITY);
        CertStore lists = CertStore.getInstance("Collection", new CollectionCertStoreParameters(List.of(revocations)));
        assertGoodAcceptedAndRevokedRefused(version, trust(checker, lists));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void responderDecidesAboutServersAndClients(String version) throws Exception {
        PKIXRevocationChecker checker = checker(Option.NO_FALLBACK, Option.ONLY_END_ENTITY);
        checker.setOcspResponder(responder.address());
        int before = responder.asked();
        assertGoodAcceptedAndRevokedRefused(version, trust(checker, null));
        assertTrue(responder.asked() >= before + 2, "the responder was asked");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void certificateThatTheResponderDoesNotKnowIsRefused(String version) throws Exception {
        PKIXRevocationChecker checker = checker(Option.NO_FALLBACK, Option.ONLY_END_ENTITY);
        checker.setOcspResponder(responder.address());
        EnginePair pair = pair(ours(null, trust(checker, null)), ours(unheardOf, plainTrust()), version);
        pair.begin().settle();
        TlsFailure failure = refusal(pair.client.failure);
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, failure.code(), failure.getMessage());
        assertFalse(isCausedBy(failure, CertificateRevokedException.class));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void responderThatIsNotThereRefusesUnlessFailuresAreSoft(String version) throws Exception {
        // Bound and not listening: the system refuses every connection to it, and gives the port to no other socket.
        try (Socket nobody = new Socket()) {
            nobody.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            URI address = URI.create("http://127.0.0.1:" + nobody.getLocalPort());
            PKIXRevocationChecker hard = checker(Option.NO_FALLBACK, Option.ONLY_END_ENTITY);
            hard.setOcspResponder(address);
            EnginePair refused = pair(ours(null, trust(hard, null)), ours(good, plainTrust()), version);
            refused.begin().settle();
            TlsFailure failure = refusal(refused.client.failure);
            assertEquals(BasicReason.UNDETERMINED_REVOCATION_STATUS, reason(failure));

            PKIXRevocationChecker soft = checker(Option.NO_FALLBACK, Option.ONLY_END_ENTITY, Option.SOFT_FAIL);
            soft.setOcspResponder(address);
            pair(ours(null, trust(soft, null)), ours(good, plainTrust()), version).handshake();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void stapledResponseReachesTheManagerAndDecides(String version) throws Exception {
        // No responder is named and no list is given: what is known comes from the staple.
        TrustManager[] trust = trust(checker(Option.NO_FALLBACK, Option.ONLY_END_ENTITY), null);
        try (StaplingServer server = new StaplingServer("good", version, true)) {
            ExtendedSSLSession session = server.connect(trust);
            assertEquals(1, session.getStatusResponses().size());
            assertTrue(session.getStatusResponses().get(0).length > 0);
        }
        try (StaplingServer server = new StaplingServer("revoked", version, true)) {
            SSLException thrown = assertThrows(SSLException.class, () -> server.connect(trust));
            TlsFailure failure = refusal(thrown);
            assertEquals(ErrorCode.CERT_REVOKED, failure.code(), failure.getMessage());
            assertTrue(isCausedBy(failure, CertificateRevokedException.class));
        }
        try (StaplingServer server = new StaplingServer("good", version, false)) {
            SSLException thrown = assertThrows(SSLException.class, () -> server.connect(trust));
            TlsFailure failure = refusal(thrown);
            assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, failure.code());
            assertTrue(failure.getMessage().contains("OCSP responder"), failure.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void stapleOfOurServerIsWhatTheJdksClientGoesBy(String version) throws Exception {
        SSLContext jdk = SSLContext.getInstance("TLS", "SunJSSE");
        jdk.init(null, trust(checker(Option.NO_FALLBACK, Option.ONLY_END_ENTITY), null), null);
        BrokerTlsContext stapling = server().option("staple-file", authority.staple("good").toString())
                .option("staple-issuer", authority.file("ca.pem").toString()).build();
        EnginePair pair = pair(jdk, stapling.sslContext(), version);
        pair.handshake();
        assertEquals(1, ((ExtendedSSLSession) pair.client.engine.getSession()).getStatusResponses().size());

        EnginePair refused = pair(jdk, server().build().sslContext(), version);
        refused.begin().settle();
        String why = assertInstanceOf(SSLHandshakeException.class, refused.client.failure).getMessage();
        assertTrue(why.contains("Certificate does not specify OCSP responder"), why);
    }

    private static BrokerTlsContextBuilder server() {
        return BrokerTlsContext.builder().certificate(authority.file("good.pem"))
                .privateKey(authority.file("good.key"));
    }

    private static void assertGoodAcceptedAndRevokedRefused(String version, TrustManager[] judge) throws Exception {
        EnginePair asClient = pair(ours(null, judge), ours(good, plainTrust()), version);
        asClient.handshake();
        assertEquals("CN=good", asClient.client.engine.getSession().getPeerPrincipal().getName());
        EnginePair asServer = pair(ours(good, plainTrust()), ours(good, judge), version);
        asServer.server.engine.setNeedClientAuth(true);
        asServer.handshake();
        assertEquals("CN=good", asServer.server.engine.getSession().getPeerPrincipal().getName());

        EnginePair refusedServer = pair(ours(null, judge), ours(revoked, plainTrust()), version);
        refusedServer.begin().settle();
        assertRevoked(refusedServer.client);
        EnginePair refusedClient = pair(ours(revoked, plainTrust()), ours(good, judge), version);
        refusedClient.server.engine.setNeedClientAuth(true);
        refusedClient.begin().settle();
        assertRevoked(refusedClient.server);
    }

    private static void assertRevoked(EnginePair.Side side) {
        TlsFailure failure = refusal(side.failure);
        assertEquals(ErrorCode.CERT_REVOKED, failure.code(), failure.getMessage());
        assertTrue(isCausedBy(failure, CertificateRevokedException.class), "the cause says so");
        String told = assertInstanceOf(SSLException.class, side.peer.failure).getMessage();
        assertTrue(told.startsWith("BTLS_ALERT_CERTIFICATE_REVOKED (1044)"), told);
    }

    private static TlsFailure refusal(SSLException thrown) {
        assertInstanceOf(SSLHandshakeException.class, thrown);
        return assertInstanceOf(TlsFailure.class, thrown.getCause());
    }

    private static boolean isCausedBy(Throwable thrown, Class<? extends Throwable> kind) {
        Throwable at = thrown;
        while (at != null && !kind.isInstance(at)) {
            at = at.getCause();
        }
        return at != null;
    }

    private static CertPathValidatorException.Reason reason(Throwable thrown) {
        CertPathValidatorException.Reason reason = null;
        for (Throwable at = thrown; at != null; at = at.getCause()) {
            if (at instanceof CertPathValidatorException) {
                reason = ((CertPathValidatorException) at).getReason();
            }
        }
        return reason;
    }

    private static PKIXRevocationChecker checker(Option... options) throws Exception {
        PKIXRevocationChecker checker =
                (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
        checker.setOptions(EnumSet.of(options[0], options));
        return checker;
    }

    private static TrustManager[] trust(PKIXRevocationChecker checker, CertStore lists) throws Exception {
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(authority.trust(), new X509CertSelector());
        parameters.setRevocationEnabled(true);
        parameters.addCertPathChecker(checker);
        if (lists != null) {
            parameters.addCertStore(lists);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters));
        return factory.getTrustManagers();
    }

    private static TrustManager[] plainTrust() throws Exception {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(authority.trust());
        return factory.getTrustManagers();
    }

    private static SSLContext ours(KeyStore identity, TrustManager[] trust) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(identity, Authority.PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS", PROVIDER);
        context.init(keys.getKeyManagers(), trust, null);
        return context;
    }

    private static EnginePair pair(SSLContext client, SSLContext server, String version) {
        SSLEngine clientEngine = client.createSSLEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = server.createSSLEngine();
        serverEngine.setUseClientMode(false);
        return new EnginePair(clientEngine, serverEngine);
    }

    /** openssl's server, with or without a response to staple. */
    private static final class StaplingServer implements AutoCloseable {
        private final Process process;
        private final int port;

        StaplingServer(String name, String version, boolean staples) throws IOException {
            ProcessBuilder builder = new ProcessBuilder("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                    authority.file(name + ".pem").toString(), "-key", authority.file(name + ".key").toString(),
                            version);
            if (staples) {
                builder.command().addAll(List.of("-status_file", authority.staple(name).toString()));
            }
            process = builder.redirectErrorStream(true).start();
            BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream()));
            String line = out.readLine();
            while (line != null && !line.startsWith("ACCEPT")) {
                line = out.readLine();
            }
            if (line == null) {
                throw new IOException("openssl s_server did not start");
            }
            port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1).trim());
        }

        ExtendedSSLSession connect(TrustManager[] trust) throws Exception {
            SSLContext context = ours(null, trust);
            try (SSLSocket socket = (SSLSocket) context.getSocketFactory()
                    .createSocket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(PATIENCE_MS);
                socket.startHandshake();
                return (ExtendedSSLSession) socket.getSession();
            }
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
