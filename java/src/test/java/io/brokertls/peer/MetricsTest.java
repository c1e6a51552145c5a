package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.TlsMetrics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The counters of a context, and the line of each refusal with the connection and its peer. */
class MetricsTest {
    private static final int COLLECTIONS_MAX = 200;

    @TempDir
    static Path folder;

    private static Authority authority;
    private static Authority stranger;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "ec");
        authority.issue("one", "ec");
        stranger = new Authority(Files.createDirectory(folder.resolve("stranger")), "ec");
        stranger.issue("device-7", "ec");
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void handshakesAreCountedByResultAndOpenConnectionsUntilTheirEnd(String version) throws Exception {
        try (BrokerTlsContext server = server().build(); BrokerTlsContext client = client(version).build()) {
            EnginePair first = pair(client, server, null, -1);
            assertEquals(0, server.metrics().openConnections(), "an engine without a handshake");
            handshake(first);
            handshake(pair(client, server, null, -1));
            EnginePair refused = pair(client("elsewhere.test", client), serverEngine(server, null, -1));
            refused.begin().settle();
            assertEquals(2, server.metrics().openConnections());
            for (BrokerTlsContext each : List.of(server, client)) {
                TlsMetrics metrics = each.metrics();
                assertEquals(1, metrics.fullHandshakes());
                assertEquals(1, metrics.resumedHandshakes());
                assertEquals(1, metrics.refusalCount());
            }
            assertEquals(Map.of(ErrorCode.CERT_NAME_MISMATCH, 1L), client.metrics().refusals());
            assertEquals(Map.of(ErrorCode.ALERT_BAD_CERTIFICATE, 1L), server.metrics().refusals());
            close(first);
            assertEquals(1, server.metrics().openConnections());
            assertThrows(UnsupportedOperationException.class, () -> server.metrics().refusals().clear());
        }
    }

    @Test
    void connectionsThatAreDroppedWithoutACloseLeaveTheCountOfOpenOnesAndTheContextMayBeClosedBefore()
            throws Exception {
        BrokerTlsContext server = server().build();
        try (BrokerTlsContext client = client(Pairing.TLS13).build()) {
            handshake(pair(client, server, null, -1));
        }
        server.close();
        for (int i = 0; i < COLLECTIONS_MAX && server.metrics().openConnections() > 0; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertEquals(0, server.metrics().openConnections());
        assertEquals(1, server.metrics().fullHandshakes());
    }

    @ParameterizedTest
    @CsvSource({"192.0.2.7, 50123, ' from 192.0.2.7:50123'", "2001:db8::7, 50123, ' from [2001:db8::7]:50123'",
        "gateway.test, -1, ' from gateway.test'", ", -1, ''"})
    void refusalIsOneLineWithNumberPeerCodeSubjectAndHint(String host, int port, String from) throws Exception {
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(authority.trust());
        X509TrustManager manager = (X509TrustManager) trust.getTrustManagers()[0];
        for (BrokerTlsContextBuilder asking : List.of(server().trustCertificates(authority.file("ca.pem")),
                server().trustManager(manager))) {
            try (LogLines lines = new LogLines(Level.WARNING);
                    BrokerTlsContext server = asking.clientAuth(BrokerTlsContext.ClientAuth.NEED).build();
                    BrokerTlsContext client = client(Pairing.TLS13).certificate(stranger.file("device-7.pem"))
                            .privateKey(stranger.file("device-7.key")).build()) {
                EnginePair pair = pair(client, server, host, port);
                pair.begin().settle();
                long number = BrokerTlsContext.connectionId(pair.server.engine);
                TlsFailure failure = (TlsFailure) pair.server.failure.getCause();
                String start = "connection " + number + from + ": " + failure.getMessage();
                List<String> own = lines.at(Level.WARNING);
                own.removeIf(line -> line.contains(" to localhost:"));
                assertEquals(1, own.size(), lines.toString());
                assertTrue(own.get(0).startsWith(start), own.get(0));
                assertTrue(own.get(0).contains("CN=device-7"), own.get(0));
                assertTrue(own.get(0).endsWith("; " + failure.hint()), own.get(0));
            }
        }
    }

    @Test
    void refusalOfASocketNamesTheAddressOfItsPeer() throws Exception {
        try (LogLines lines = new LogLines(Level.WARNING); BrokerTlsContext server = server().build();
                BrokerTlsContext client = client(Pairing.TLS13).build();
                SSLServerSocket listener = (SSLServerSocket) server.serverSocketFactory().createServerSocket(0);
                SSLSocket one = (SSLSocket) client.socketFactory().createSocket("127.0.0.1", listener.getLocalPort());
                SSLSocket other = (SSLSocket) listener.accept()) {
            Thread serving = new Thread(() -> {
                try {
                    other.startHandshake();
                } catch (IOException e) {
                    lines.flush();
                }
            });
            serving.start();
            assertThrows(SSLException.class, one::startHandshake);
            serving.join();
            int port = one.getLocalPort();
            String all = lines.toString();
            assertTrue(all.matches("(?s).*connection \\d+ from 127\\.0\\.0\\.1:" + port + ": BTLS_ALERT_.*"), all);
            assertTrue(all.matches("(?s).*connection \\d+ to 127\\.0\\.0\\.1:" + listener.getLocalPort()
                    + ": BTLS_CERT_NAME_MISMATCH.*"), all);
        }
    }

    @Test
    void nameOfAHostCannotForgeALineAlsoAfterTheEndOfTheContext() throws Exception {
        String evil = "evil\r\nconnection 1: forged \u001b[2J";
        for (boolean isClosed : new boolean[] {false, true}) {
            try (LogLines lines = new LogLines(Level.WARNING)) {
                BrokerTlsContext server = server().build();
                SSLEngine engine = serverEngine(server, evil, 7);
                engine.beginHandshake();
                if (isClosed) {
                    server.close();
                }
                refusePlaintext(engine);
                assertEquals(1, lines.all().size(), lines.toString());
                String line = lines.all().get(0);
                assertTrue(line.startsWith("connection 1 from [evil"), line);
                assertTrue(line.contains("BTLS_PEER_NOT_TLS"), line);
                assertFalse(line.contains("\n") || line.contains("\r") || line.contains("\u001b"), line);
                assertEquals(Map.of(ErrorCode.PEER_NOT_TLS, 1L), server.metrics().refusals());
                server.close();
            }
        }
    }

    /** So many that two minutes could not have all their lines. */
    @Test
    void refusalsBeyondTheLimitOfTheLogAreCountedAsLeftOut() throws Exception {
        int count = 150;
        for (String logs : new String[] {"yes", "no"}) {
            try (LogLines lines = new LogLines(Level.WARNING);
                    BrokerTlsContext server = server().option("log-refusals", logs).build()) {
                for (int i = 0; i < count; i++) {
                    refusePlaintext(serverEngine(server, "192.0.2.7", i));
                }
                TlsMetrics metrics = server.metrics();
                assertEquals(Map.of(ErrorCode.PEER_NOT_TLS, (long) count), metrics.refusals());
                assertEquals(count - lines.at(Level.WARNING).size(), metrics.refusalsNotLogged());
                assertTrue(metrics.refusalsNotLogged() > 0);
            }
        }
    }

    @Test
    void reloadsAreCountedWithTheLastResult() throws Exception {
        Path store = Files.copy(authority.file("one.p12"), folder.resolve("reload.p12"));
        try (BrokerTlsContext server = BrokerTlsContext.builder().keyStore(store, Authority.PASSWORD).build()) {
            assertEquals(Optional.empty(), server.metrics().lastReload());
            Files.writeString(store, "no store");
            assertThrows(TlsFailure.class, server::reload);
            assertEquals(1, server.metrics().failedReloads());
            assertEquals(ErrorCode.STORE_FORMAT_UNKNOWN, server.metrics().lastReloadFailure().orElseThrow().code());
            Files.copy(authority.file("one.p12"), store, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            server.reload();
            assertEquals(1, server.metrics().reloads());
            assertEquals(1, server.metrics().failedReloads());
            assertTrue(server.metrics().lastReload().isPresent());
            assertEquals(Optional.empty(), server.metrics().lastReloadFailure());
        }
    }

    private static void refusePlaintext(SSLEngine engine) throws SSLException {
        ByteBuffer plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        ByteBuffer request = ByteBuffer.wrap("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThrows(SSLException.class, () -> {
            for (int i = 0; i < 10; i++) {
                engine.unwrap(request, plain);
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
            }
        });
    }

    private static void handshake(EnginePair pair) throws SSLException {
        pair.handshake();
        pair.exchange(pair.server, new byte[] {1});
    }

    private static void close(EnginePair pair) {
        pair.client.engine.closeOutbound();
        pair.server.engine.closeOutbound();
        pair.settle();
    }

    private static EnginePair pair(BrokerTlsContext client, BrokerTlsContext server, String peer, int port) {
        return pair(client(Pki.HOST, client), serverEngine(server, peer, port));
    }

    private static EnginePair pair(SSLEngine client, SSLEngine server) {
        return new EnginePair(client, server);
    }

    private static SSLEngine client(String host, BrokerTlsContext context) {
        SSLEngine engine = context.newEngine(host, 8883);
        engine.setUseClientMode(true);
        return engine;
    }

    private static SSLEngine serverEngine(BrokerTlsContext context, String peer, int port) {
        SSLEngine engine = peer == null ? context.newEngine() : context.newEngine(peer, port);
        engine.setUseClientMode(false);
        return engine;
    }

    private static BrokerTlsContextBuilder server() {
        return BrokerTlsContext.builder().certificate(authority.file("one.pem")).privateKey(authority.file("one.key"));
    }

    private static BrokerTlsContextBuilder client(String version) {
        return BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem")).protocols(version);
    }
}
