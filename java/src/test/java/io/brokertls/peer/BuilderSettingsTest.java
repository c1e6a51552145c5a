package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContext.ClientAuth;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every setting of the builder that is not a store: what it does to handshakes, and what contradicts it. */
class BuilderSettingsTest {
    /** Both authorities have one name, so that the key tells them apart. */
    private static final ErrorCode OF_THE_SAME_NAME = ErrorCode.CERT_SIGNATURE_INVALID;

    @TempDir
    static Path folder;

    private static Authority authority;
    private static Authority stranger;
    private static KeyStore one;

    @BeforeAll
    static void makeStores() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        stranger = new Authority(Files.createDirectory(folder.resolve("stranger")), "rsa:2048");
        one = authority.issue("one", "ec");
        authority.enter("one");
        authority.issue("revoked", "ec");
        authority.revoke("revoked");
        stranger.issue("other", "ec");
        authority.issueAs("v1", "rsa:2048");
        authority.run("openssl", "pkcs8", "-topk8", "-in", "one.key", "-passout", "pass:secret", "-out", "locked.key");
    }

    @Test
    void clientAuthHoldsAsTheMethodAndTheOptionSay() throws Exception {
        for (boolean byOption : new boolean[] {false, true}) {
            for (ClientAuth mode : ClientAuth.values()) {
                BrokerTlsContextBuilder builder = server();
                BrokerTlsContext server = byOption ? builder.option("client-auth", mode.name().toLowerCase()).build()
                        : builder.clientAuth(mode).build();
                assertEquals(mode == ClientAuth.NEED, server.newEngine().getNeedClientAuth());
                assertEquals(mode == ClientAuth.WANT, server.newEngine().getWantClientAuth());
                EnginePair without = pair(client().build(), Pki.HOST, server);
                without.begin().settle();
                if (mode == ClientAuth.NEED) {
                    assertEquals(ErrorCode.CERT_MISSING, failure(without.server).code());
                } else {
                    assertEquals(null, without.server.failure);
                }
                BrokerTlsContext known = client().certificate(authority.file("one.pem"))
                        .privateKey(authority.file("one.key")).build();
                EnginePair with = pair(known, Pki.HOST, server);
                with.handshake();
                if (mode != ClientAuth.NONE) {
                    assertEquals("CN=one", with.server.engine.getSession().getPeerPrincipal().getName());
                }
            }
        }
    }

    @Test
    void peerWithoutAChainKeepsItsPrincipalAndIsNotTakenForOneWithoutCertificate() throws Exception {
        BrokerTlsContext server = server().clientAuth(ClientAuth.WANT).option("keep-peer-chain", "no").build();
        BrokerTlsContext known = client().certificate(authority.file("one.pem"))
                .privateKey(authority.file("one.key")).build();
        for (int connections = 0; connections < 2; connections++) {
            EnginePair pair = pair(known, Pki.HOST, server);
            pair.handshake();
            SSLSession session = pair.server.engine.getSession();
            assertEquals("CN=one", session.getPeerPrincipal().getName());
            assertThrows(UnsupportedOperationException.class, session::getPeerCertificates);
            assertNotNull(pair.client.engine.getSession().getPeerCertificates());
        }
        EnginePair unknown = pair(client().build(), Pki.HOST, server);
        unknown.handshake();
        SSLSession session = unknown.server.engine.getSession();
        assertThrows(SSLPeerUnverifiedException.class, session::getPeerPrincipal);
        assertThrows(SSLPeerUnverifiedException.class, session::getPeerCertificates);
    }

    @Test
    void revokedClientIsRefusedByTheListOfItsIssuer() throws Exception {
        BrokerTlsContext server = server().clientAuth(ClientAuth.NEED)
                .option("crl", authority.file("ca.crl").toString()).build();
        EnginePair refused = pair(client().certificate(authority.file("revoked.pem"))
                .privateKey(authority.file("revoked.key")).build(), Pki.HOST, server);
        refused.begin().settle();
        assertEquals(ErrorCode.CERT_REVOKED, failure(refused.server).code());
        assertTrue(failure(refused.server).getMessage().contains("ca.crl"), failure(refused.server).getMessage());
        pair(client().certificate(authority.file("one.pem")).privateKey(authority.file("one.key")).build(), Pki.HOST,
                server).handshake();
    }

    @Test
    void versionsSuitesAndProtocolsAreThoseThatWereSet() throws Exception {
        BrokerTlsContext server = server().protocols("TLSv1.2")
                .cipherSuites("ECDHE-ECDSA-AES256-GCM-SHA384").applicationProtocols("mqtt", "amqp").build();
        assertArrayEquals(new String[] {"TLSv1.2"}, server.newEngine().getEnabledProtocols());
        EnginePair pair = pair(client().applicationProtocols("stomp", "amqp").build(), Pki.HOST, server);
        pair.handshake();
        assertEquals("TLSv1.2", pair.client.engine.getSession().getProtocol());
        assertEquals("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", pair.client.engine.getSession().getCipherSuite());
        assertEquals("amqp", pair.server.engine.getApplicationProtocol());

        EnginePair modern = pair(client().preset("modern").build(), Pki.HOST, server);
        modern.begin().settle();
        assertEquals(ErrorCode.NO_COMMON_VERSION, failure(modern.server).code());
        EnginePair groups = pair(client().groups("secp256r1").build(), Pki.HOST, server().groups("x25519").build());
        groups.begin().settle();
        assertEquals(ErrorCode.NO_COMMON_GROUP, failure(groups.server).code());
    }

    @Test
    void namesAreCheckedUnlessTheMethodOrTheOptionSaysOtherwise() throws Exception {
        BrokerTlsContext server = server().build();
        EnginePair refused = pair(client().build(), "elsewhere.test", server);
        refused.begin().settle();
        assertEquals(ErrorCode.CERT_NAME_MISMATCH, failure(refused.client).code());
        pair(client().insecureSkipServerName(true).build(), "elsewhere.test", server).handshake();
        pair(client().option("insecure-skip-server-name", "yes").build(), "elsewhere.test", server).handshake();
    }

    @Test
    void strangerIsAcceptedOnlyByTheSwitchForIt() throws Exception {
        BrokerTlsContext server = BrokerTlsContext.builder().certificate(stranger.file("other.pem"))
                .privateKey(stranger.file("other.key")).build();
        EnginePair refused = pair(client().build(), Pki.HOST, server);
        refused.begin().settle();
        assertEquals(OF_THE_SAME_NAME, failure(refused.client).code());
        pair(BrokerTlsContext.builder().insecureAcceptAnyServer(true).build(), "elsewhere.test", server).handshake();
        pair(BrokerTlsContext.builder().option("insecure-accept-any-server", "on").build(), Pki.HOST, server)
                .handshake();
    }

    @Test
    void deviationIsToleratedOnlyByItsSwitch() throws Exception {
        BrokerTlsContext server = BrokerTlsContext.builder().certificate(authority.file("v1.pem"))
                .privateKey(authority.file("v1.key")).build();
        EnginePair refused = pair(client().insecureAllow("insecure-common-name").build(), "v1", server);
        refused.begin().settle();
        assertEquals(ErrorCode.CERT_VERSION_UNSUPPORTED, failure(refused.client).code());
        pair(client().insecureAllow("insecure-common-name", "insecure-x509-v1").build(), "v1", server).handshake();
    }

    @Test
    void withoutResumptionEachHandshakeIsAFullOne() throws Exception {
        for (boolean resumes : new boolean[] {true, false}) {
            AtomicInteger asked = new AtomicInteger();
            BrokerTlsContext client = client().resumption(resumes).verifyCallback(chain -> asked.incrementAndGet())
                    .option("resumption-asks-again", "no").build();
            BrokerTlsContext server = server().build();
            for (int i = 0; i < 2; i++) {
                EnginePair pair = pair(client, Pki.HOST, server);
                pair.handshake();
                pair.exchange(pair.server, new byte[] {1});
            }
            assertEquals(resumes ? 1 : 2, asked.get());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void verifyCallbackRefusesAPeerByAnException(String version) throws Exception {
        for (Throwable thrown : new Throwable[] {new CertificateException("the tenant has left"),
            new IllegalStateException("broken check"), new StackOverflowError("deep check")}) {
            BrokerTlsContext client = client().protocols(version).verifyCallback(chain -> {
                assertEquals("CN=one", chain[0].getSubjectX500Principal().getName());
                fail(thrown);
            }).build();
            EnginePair pair = pair(client, Pki.HOST, server().build());
            pair.begin().settle();
            TlsFailure failure = failure(pair.client);
            assertEquals(ErrorCode.CERT_REJECTED_BY_CALLBACK, failure.code());
            assertSame(thrown, failure.getCause());
            assertTrue(failure.getMessage().contains(thrown.getMessage()), failure.getMessage());
            String told = pair.server.failure.getMessage();
            assertTrue(told.startsWith("BTLS_ALERT_ACCESS_DENIED (1049)"), told);
        }
    }

    @Test
    void verifyCallbackIsNotCalledForAPeerThatTrustRefuses() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        BrokerTlsContext server = BrokerTlsContext.builder().certificate(stranger.file("other.pem"))
                .privateKey(stranger.file("other.key")).build();
        EnginePair pair = pair(client().verifyCallback(chain -> asked.incrementAndGet()).build(), Pki.HOST, server);
        pair.begin().settle();
        assertEquals(OF_THE_SAME_NAME, failure(pair.client).code());
        assertEquals(0, asked.get());
    }

    /** Every option with a value, and the settings that it needs. A new option must be added here. */
    private static Map<String, String> rows() throws Exception {
        Map<String, String> rows = new LinkedHashMap<>();
        String store = authority.file("one.p12").toString();
        rows.put("cert", "cert=" + store + ";password=pass:password");
        rows.put("key", "cert=" + authority.file("one.pem") + ";key=" + authority.file("one.key"));
        rows.put("alias", "cert=" + store + ";password=pass:password;alias=one");
        rows.put("type", "cert=" + store + ";password=pass:password;type=pkcs12");
        rows.put("password", "cert=" + store + ";password=pass:password");
        rows.put("key-password", "cert=" + authority.file("one.pem") + ";key=" + authority.file("locked.key")
                + ";key-password=pass:secret");
        rows.put("trust", "trust=" + authority.file("ca.pem"));
        rows.put("trust-type", "trust=" + authority.file("ca.pem") + ";trust-type=pem");
        rows.put("trust-password", "trust=" + store + ";trust-password=pass:password");
        rows.put("system-trust", "system-trust=yes");
        rows.put("client-auth", "client-auth=want;system-trust=yes;cert=" + store + ";password=pass:password");
        for (String row : new String[] {"preset=modern", "versions=TLSv1.3", "cipher-suites=TLS_AES_128_GCM_SHA256",
            "groups=secp256r1", "openssl-options=SSL_OP_NO_TLSv1", "send-ca-names=no", "log-refusals=no", "allow=insecure-rsa-1024", "keep-peer-chain=no",
            "insecure-skip-server-name=yes", "insecure-accept-any-server=no", "insecure-allow-missing-mac=yes",
            "alpn=mqtt", "resumption=no", "session-max-age-s=60", "sleep-after-s=60",
            "resumption-asks-again=managers", "tls13-tickets=0", "max-ticket-bytes=2048", "session-cache=0",
            "insecure-key-log=" + folder.resolve("keys.log"),
            "max-content-bytes=100000", "max-kdf-iterations=1000000", "max-kdf-memory-bytes=1000000"}) {
            rows.put(row.substring(0, row.indexOf('=')), row + ";trust=" + authority.file("ca.pem"));
        }
        for (String row : new String[] {"crl=" + authority.file("ca.crl"), "revocation=prefer",
            "revocation-depth=leaf", "revocation-max-stale-s=60", "max-crl-bytes=100000", "crl-mode=require",
            "ocsp-mode=prefer", "insecure-ocsp-sha1=yes"}) {
            rows.put(row.substring(0, row.indexOf('=')), row + ";trust=" + authority.file("ca.pem")
                    + (row.startsWith("crl=") ? "" : ";crl=" + authority.file("ca.crl")));
        }
        rows.put("ocsp", "trust=" + authority.file("ca.pem") + ";ocsp=" + authority.staple("one"));
        for (String row : new String[] {"fetch=yes", "revocation-deadline-ms=2000", "fetch-timeout-s=5",
            "fetch-redirects=1", "fetch-concurrency=4", "fetch-private-addresses=yes",
            "fetch-proxy=http://127.0.0.1:3128", "fetch-cache=" + folder.resolve("lists"), "fetch-refresh-s=600", "ocsp-responder=http://127.0.0.1/",
            "ocsp-nonce=yes", "ocsp-hash=sha256"}) {
            rows.put(row.substring(0, row.indexOf('=')), row + ";trust=" + authority.file("ca.pem")
                    + (row.startsWith("fetch=") ? "" : ";fetch=yes"));
        }
        String chain = "cert=" + authority.file("one.pem") + ";key=" + authority.file("one.key");
        Path keys = Files.writeString(folder.resolve("init.psk"), "device:00ff\n");
        for (String row : new String[] {"legacy-engine=yes", "legacy-allow=legacy-3des", "psk-file=" + keys,
            "psk-format=text;psk-file=" + keys, "psk-separator=:;psk-file=" + keys, "psk-hash=sha384;psk-file=" + keys,
            "psk-hint=broker;psk-file=" + keys, "psk-identity=device;psk-file=" + keys, "psk-replaces-certificate=yes;psk-file=" + keys,
            "legacy-library=" + OldClient.library()}) {
            rows.put(row.substring(0, row.indexOf('=')), chain + ";" + row
                    + (row.startsWith("legacy-engine=") ? "" : ";legacy-engine=yes"));
        }
        rows.put("staple", chain + ";staple=yes;staple-issuer=" + authority.file("ca.pem"));
        rows.put("staple-file", chain + ";staple-issuer=" + authority.file("ca.pem") + ";staple-file="
                + authority.staple("one"));
        for (String row : new String[] {"staple-issuer=" + authority.file("ca.pem"),
            "staple-responder=http://127.0.0.1:9/", "staple-refresh-s=600", "staple-timeout-s=5"}) {
            rows.put(row.substring(0, row.indexOf('=')), chain + ";staple=yes;" + row
                    + (row.startsWith("staple-issuer=") ? "" : ";staple-issuer=" + authority.file("ca.pem")));
        }
        return rows;
    }

    @Test
    void everyRowOfTheTableOfOptionsCanBeSetAndIsRefusedWithoutSense() throws Exception {
        Map<String, String> rows = rows();
        assertEquals(new TreeSet<>(BrokerTlsContextBuilder.optionNames()), new TreeSet<>(rows.keySet()));
        for (Map.Entry<String, String> row : rows.entrySet()) {
            with(row.getValue(), null).build().close();
            // Any text is a hint.
            if (!row.getKey().equals("alpn") && !row.getKey().equals("psk-hint")) {
                TlsFailure thrown = assertThrows(TlsFailure.class,
                        () -> with(row.getValue(), row.getKey()).build(), row.getKey());
                assertFalse(thrown.getMessage().isEmpty());
            }
        }
        assertEquals(ErrorCode.INVALID_ALPN, code(builder -> builder.option("alpn", "mqtt,,amqp")));
    }

    private static BrokerTlsContextBuilder with(String options, String nonsense) {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        for (String option : options.split(";")) {
            int end = option.indexOf('=');
            String name = option.substring(0, end);
            builder.option(name, name.equals(nonsense) ? "/no/such nonsense" : option.substring(end + 1));
        }
        return builder;
    }

    @Test
    void contradictionsAreRefusedWhenBuilt() throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(one, Authority.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(authority.trust());
        X509KeyManager keyManager = (X509KeyManager) keys.getKeyManagers()[0];
        X509TrustManager trustManager = (X509TrustManager) trust.getTrustManagers()[0];
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.keyManager(keyManager)
                .keyStore(authority.file("one.p12"), Authority.PASSWORD)));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.keyManager(keyManager)
                .option("cert", authority.file("one.p12").toString()).option("password", "pass:password")));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.trustManager(trustManager)
                .trustCertificates(authority.file("ca.pem"))));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.trustManager(trustManager).trustSystem()));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.trustManager(trustManager)
                .verifyCallback(chain -> { })));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.preset("modern").protocols("TLSv1.2")
                .trustSystem()));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.option("alias", "one").trustSystem()));
        assertEquals(ErrorCode.NO_IDENTITY, code(builder -> builder.keyAlias("one").trustSystem()));
        assertEquals(ErrorCode.NO_IDENTITY, code(builder -> builder.keyPassword(Authority.PASSWORD).trustSystem()));
        assertEquals(ErrorCode.NO_TRUST, code(builder -> builder.clientAuth(ClientAuth.NEED)
                .keyStore(authority.file("one.p12"), Authority.PASSWORD)));
        assertEquals(ErrorCode.VERSION_NOT_SUPPORTED, code(builder -> builder.protocols("TLSv1.4").trustSystem()));
        assertEquals(ErrorCode.CIPHER_NOT_SUPPORTED, code(builder -> builder.cipherSuites("NONE_SUCH").trustSystem()));
        assertEquals(ErrorCode.INVALID_ARGUMENT, code(builder -> builder.insecureAllow("everything").trustSystem()));
        assertThrows(IllegalStateException.class, () -> BrokerTlsContext.builder().keyStoreType("pem"));
        assertThrows(IllegalStateException.class, () -> BrokerTlsContext.builder().trustStoreType("pem"));
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.builder().sessions(-1, 0));
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.builder().sessions(0, -1));
    }

    @Test
    void warningsNameWhatIsInsecureAndWhatIsNotServed() throws Exception {
        assertTrue(server().build().warnings().isEmpty());
        BrokerTlsContext loose = client().insecureSkipServerName(true).protocols("TLSv1.1", "TLSv1.2").build();
        String warnings = String.join("\n", loose.warnings());
        assertTrue(warnings.contains("insecure: server names are not checked"), warnings);
        assertTrue(warnings.contains("TLSv1.1"), warnings);
    }

    private static BrokerTlsContextBuilder server() {
        return BrokerTlsContext.builder().certificate(authority.file("one.pem")).privateKey(authority.file("one.key"))
                .trustCertificates(authority.file("ca.pem"));
    }

    private static BrokerTlsContextBuilder client() {
        return BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem"));
    }

    private static ErrorCode code(Consumer<BrokerTlsContextBuilder> set) {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        set.accept(builder);
        return assertThrows(TlsFailure.class, builder::build).code();
    }

    private static void fail(Throwable thrown) throws CertificateException {
        if (thrown instanceof Error) {
            throw (Error) thrown;
        }
        if (thrown instanceof RuntimeException) {
            throw (RuntimeException) thrown;
        }
        throw (CertificateException) thrown;
    }

    private static TlsFailure failure(EnginePair.Side side) {
        assertNotNull(side.failure);
        assertInstanceOf(SSLHandshakeException.class, side.failure);
        return assertInstanceOf(TlsFailure.class, side.failure.getCause());
    }

    private static EnginePair pair(BrokerTlsContext client, String host, BrokerTlsContext server) {
        SSLEngine clientEngine = client.newEngine(host, 8883);
        clientEngine.setUseClientMode(true);
        SSLEngine serverEngine = server.newEngine();
        serverEngine.setUseClientMode(false);
        return new EnginePair(clientEngine, serverEngine);
    }
}
