package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The log lines of io.brokertls at WARNING, DEBUG and TRACE, and the secrets that they do not contain. */
class LoggingTest {
    // System.Logger's TRACE and DEBUG under the names of java.util.logging.
    private static final Level TRACE = Level.FINER;
    private static final Level DEBUG = Level.FINE;
    private static final Logger LOGGER = Logger.getLogger("io.brokertls");

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyStore one;

    private LogLines lines;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        one = authority.issue("one", "ec");
    }

    @BeforeEach
    void listen() {
        lines = new LogLines(LOGGER.getLevel());
    }

    @AfterEach
    void stopListening() {
        lines.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void handshakeIsLoggedAtDebugAndAResumedOneAsSuch(String version) throws Exception {
        LOGGER.setLevel(DEBUG);
        try (BrokerTlsContext server = server().applicationProtocols("mqtt").build();
                BrokerTlsContext client = client().applicationProtocols("mqtt").protocols(version).build()) {
            for (String resumed : new String[] {"", ", resumed"}) {
                lines.clear();
                EnginePair pair = pair(client, Pki.HOST, server);
                pair.handshake();
                pair.exchange(pair.server, new byte[] {1});
                assertEquals(2, lines.at(DEBUG).size(), lines.toString());
                String ofClient = lines.at(DEBUG).stream().filter(line -> line.endsWith("CN=one")).findFirst()
                        .orElseThrow();
                assertTrue(ofClient.matches("connection \\d+ to localhost:8883: handshake completed: "
                        + version + ", TLS_.*"), ofClient);
                assertTrue(ofClient.contains(", protocol mqtt" + resumed + ", peer CN=one"), ofClient);
                assertTrue(lines.at(DEBUG).stream().anyMatch(line -> line.endsWith("peer without certificate")));
                assertTrue(lines.at(Level.WARNING).isEmpty(), lines.toString());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void refusalIsLoggedAtWarningOnBothSidesWithItsHint(String version) throws Exception {
        LOGGER.setLevel(Level.WARNING);
        try (BrokerTlsContext server = server().build();
                BrokerTlsContext client = client().protocols(version).build()) {
            EnginePair pair = pair(client, "elsewhere.test", server);
            pair.begin().settle();
            List<String> warnings = lines.at(Level.WARNING);
            assertEquals(2, warnings.size(), lines.toString());
            String own = warnings.stream().filter(line -> line.contains(": BTLS_CERT_NAME_MISMATCH (303)")).findFirst()
                    .orElseThrow();
            assertTrue(own.contains("elsewhere.test"), own);
            assertTrue(own.contains("Connect to a name in the certificate"), own);
            assertTrue(warnings.stream().anyMatch(line -> line.contains(": BTLS_ALERT_BAD_CERTIFICATE (1042)")));

            lines.clear();
            pair(client, Pki.HOST, server).handshake();
            assertEquals(List.of(), lines.all(), "a good handshake is no news at WARNING");
        }
    }

    /** So many refusals that two minutes could not have all their lines. */
    @Test
    void refusalsAreLoggedWithinALimitAndNotIfTurnedOff() throws Exception {
        LOGGER.setLevel(Level.WARNING);
        for (String logs : new String[] {"yes", "no"}) {
            lines.clear();
            try (BrokerTlsContext server = server().option("log-refusals", logs).build()) {
                for (int i = 0; i < 150; i++) {
                    SSLEngine engine = server.sslContext().createSSLEngine();
                    engine.setUseClientMode(false);
                    ByteBuffer plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
                    ByteBuffer request = ByteBuffer.wrap("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    assertThrows(SSLException.class, () -> unwrapAll(engine, request, plain));
                }
                int count = lines.at(Level.WARNING).size();
                assertTrue(logs.equals("yes") ? count >= 60 && count <= 120 : count == 0, logs + ": " + count);
                assertEquals(logs.equals("yes"),
                        lines.toString().contains("more refusals of this minute are not logged"));
            }
        }
    }

    private static void unwrapAll(SSLEngine engine, ByteBuffer bytes, ByteBuffer plain) throws SSLException {
        for (int i = 0; i < 10; i++) {
            engine.unwrap(bytes, plain);
            for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                task.run();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void peerThatLeavesWithoutGoodbyeIsNewsOnlyDuringTheHandshake(String version) throws Exception {
        LOGGER.setLevel(DEBUG);
        try (BrokerTlsContext server = server().build();
                BrokerTlsContext client = client().protocols(version).build()) {
            EnginePair done = pair(client, Pki.HOST, server);
            done.handshake();
            lines.clear();
            assertThrows(SSLException.class, done.server.engine::closeInbound);
            assertEquals(List.of(), lines.at(Level.WARNING));
            assertTrue(lines.at(DEBUG).stream().anyMatch(line -> line.contains(": BTLS_TRUNCATED")), lines.toString());

            EnginePair begun = pair(client, Pki.HOST, server);
            begun.begin().client.wrap(ByteBuffer.allocate(0));
            begun.server.step(Integer.MAX_VALUE);
            lines.clear();
            assertThrows(SSLException.class, begun.server.engine::closeInbound);
            assertTrue(lines.at(Level.WARNING).stream().anyMatch(line -> line.contains(": BTLS_HANDSHAKE_EOF")),
                    lines.toString());
            assertEquals(Map.of(ErrorCode.HANDSHAKE_EOF, 1L), server.metrics().refusals());
        }
    }

    /** As health checks do: they connect and leave, or leave with a part of a message sent. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 100})
    void peerThatLeavesBeforeItsFirstRecordIsLoggedAtDebugAndDoesNotCount(int sent) throws Exception {
        LOGGER.setLevel(DEBUG);
        try (BrokerTlsContext server = server().build(); BrokerTlsContext client = client().build();
                ServerSocket listener = server.serverSocketFactory().createServerSocket(0)) {
            SSLEngine speaker = client.newEngine(Pki.HOST, 8883);
            speaker.setUseClientMode(true);
            ByteBuffer hello = ByteBuffer.allocate(speaker.getSession().getPacketBufferSize());
            speaker.wrap(ByteBuffer.allocate(0), hello);
            try (Socket check = new Socket("localhost", listener.getLocalPort())) {
                check.getOutputStream().write(hello.array(), 0, sent);
            }
            lines.clear();
            try (Socket accepted = listener.accept()) {
                assertThrows(SSLException.class, accepted.getInputStream()::read);
            }
            assertEquals(List.of(), lines.at(Level.WARNING));
            assertTrue(lines.at(DEBUG).stream().anyMatch(line -> line.contains(": BTLS_HANDSHAKE_EOF")),
                    lines.toString());
            assertEquals(Map.of(), server.metrics().refusals());
        }
    }

    /** It speaks another protocol, which an operator wants to know. */
    @Test
    void peerThatLeavesAfterTheWordsOfAnotherProtocolIsLoggedAtWarning() throws Exception {
        LOGGER.setLevel(DEBUG);
        try (BrokerTlsContext server = server().build()) {
            SSLEngine engine = server.newEngine();
            engine.setUseClientMode(false);
            engine.beginHandshake();
            engine.unwrap(ByteBuffer.wrap("GET".getBytes(StandardCharsets.US_ASCII)), ByteBuffer.allocate(20_000));
            assertThrows(SSLException.class, engine::closeInbound);
            assertTrue(lines.at(Level.WARNING).stream().anyMatch(line -> line.contains(": BTLS_PEER_NOT_TLS")),
                    lines.toString());
        }
    }

    @Test
    void managersAndTheirAnswersAreLoggedAtTrace() throws Exception {
        LOGGER.setLevel(TRACE);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(one, Authority.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(authority.trust());
        try (BrokerTlsContext both = BrokerTlsContext.builder().keyManager((X509KeyManager) keys.getKeyManagers()[0])
                .trustManager((X509TrustManager) trust.getTrustManagers()[0]).build()) {
            EnginePair pair = pair(both, Pki.HOST, both);
            pair.server.engine.setNeedClientAuth(true);
            pair.handshake();
            String all = String.join("\n", lines.at(TRACE));
            assertTrue(all.contains("the key manager is asked for a key of [EC"), all);
            assertTrue(all.contains("the key manager chose "), all);
            assertTrue(all.contains("the trust manager is asked about CN=one, issued by CN=ca"), all);
        }
    }

    @Test
    void nameOfAPeerCannotForgeALine() throws Exception {
        LOGGER.setLevel(Level.ALL);
        authority.issue("evil\nforged: line\u001b[2J", "ec");
        try (BrokerTlsContext server = BrokerTlsContext.builder()
                .certificate(authority.file("evil\nforged: line\u001b[2J.pem"))
                .privateKey(authority.file("evil\nforged: line\u001b[2J.key")).build();
                BrokerTlsContext client = client().build()) {
            pair(client, Pki.HOST, server).handshake();
            EnginePair refused = pair(client, "elsewhere.test", server);
            refused.begin().settle();
            assertTrue(lines.toString().contains("forged"), lines.toString());
            for (String line : lines.all()) {
                assertFalse(line.contains("\n") || line.contains("\u001b"), line);
            }
        }
    }

    @Test
    void secretsAreInNoMessage() throws Exception {
        LOGGER.setLevel(Level.ALL);
        char[] right = "Tr0ub4dor-right".toCharArray();
        char[] wrong = "Tr0ub4dor-wrong".toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("one", one.getKey("one", Authority.PASSWORD), right, one.getCertificateChain("one"));
        Path file = folder.resolve("secret.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, right);
        }
        StringBuilder told = new StringBuilder();
        for (BrokerTlsContextBuilder builder : List.of(BrokerTlsContext.builder().keyStore(file, wrong),
                BrokerTlsContext.builder().keyStore(file, right).keyAlias("absent"),
                BrokerTlsContext.builder().option("cert", file.toString()).option("password", "pass:Tr0ub4dor-wrong"),
                BrokerTlsContext.builder().option("password", "Tr0ub4dor-right").trustSystem())) {
            TlsFailure thrown = assertThrows(TlsFailure.class, builder::build);
            told.append(thrown.getMessage()).append(thrown.hint()).append('\n');
        }
        try (BrokerTlsContext server = BrokerTlsContext.builder().keyStore(file, right).build();
                BrokerTlsContext client = client().build()) {
            EnginePair pair = pair(client, Pki.HOST, server);
            pair.handshake();
            pair.exchange(pair.client, "plaintext of the peers".getBytes());
            Files.writeString(file, "no store");
            assertThrows(TlsFailure.class, server::reload);
        }
        told.append(lines);
        byte[] key = one.getKey("one", Authority.PASSWORD).getEncoded();
        String encoded = Base64.getEncoder().encodeToString(key);
        for (String secret : new String[] {"Tr0ub4dor", "plaintext of the peers", encoded.substring(40, 60)}) {
            assertFalse(told.toString().contains(secret), told.toString());
        }
        assertTrue(lines.toString().contains("reload failed"), lines.toString());
    }

    private static BrokerTlsContextBuilder server() {
        return BrokerTlsContext.builder().certificate(authority.file("one.pem")).privateKey(authority.file("one.key"));
    }

    private static BrokerTlsContextBuilder client() throws Exception {
        return BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem"));
    }

    private static EnginePair pair(BrokerTlsContext client, String host, BrokerTlsContext server) {
        SSLEngine clientEngine = client.newEngine(host, 8883);
        clientEngine.setUseClientMode(true);
        SSLEngine serverEngine = server.newEngine();
        serverEngine.setUseClientMode(false);
        return new EnginePair(clientEngine, serverEngine);
    }
}
