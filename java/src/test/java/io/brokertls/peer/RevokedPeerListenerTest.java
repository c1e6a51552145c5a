package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContext.ClientAuth;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.RevokedPeerListener;
import io.brokertls.RevokedPeerListener.Action;
import io.brokertls.RevokedPeer;
import io.brokertls.TlsFailure;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.CRLReason;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Peers that are revoked while connected: the listener gets each of them once, and keeps or closes the connection. */
class RevokedPeerListenerTest {
    private static final int PATIENCE_MS = 30_000;
    private static final byte[] LINE = {1, 2, 3};

    @TempDir
    static Path folder;

    private static Authority authority;
    private static Path emptyList;
    private static Path fullList;
    private static Path list;

    private final List<RevokedPeer> told = new ArrayList<>();

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "ec");
        authority.issue("good", "ec");
        authority.issue("revoked", "ec");
        authority.run("openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "empty.crl");
        emptyList = authority.file("empty.crl");
        authority.run("openssl", "ca", "-config", "ca.cnf", "-revoke", "revoked.pem", "-crl_reason", "keyCompromise");
        authority.run("openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "ca.crl");
        fullList = authority.file("ca.crl");
        list = folder.resolve("live.crl");
    }

    @BeforeEach
    void forgive() throws Exception {
        Files.copy(emptyList, list, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void revoke() throws Exception {
        Files.copy(fullList, list, StandardCopyOption.REPLACE_EXISTING);
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void revokedPeerIsReportedOnceAndContinuesIfKept(String version) throws Exception {
        BrokerTlsContext server = server(keeping()).protocols(version).build();
        EnginePair kept = connected("revoked", server);
        EnginePair good = connected("good", server);
        server.reload();
        assertEquals(List.of(), told);
        revoke();
        server.reload();
        assertEquals(1, told.size());
        RevokedPeer peer = told.get(0);
        X509Certificate certificate = certificate();
        assertEquals(BrokerTlsContext.connectionId(kept.server.engine), peer.connectionId());
        assertNotEquals(BrokerTlsContext.connectionId(good.server.engine), peer.connectionId());
        assertEquals("CN=revoked", peer.subject());
        assertEquals(certificate.getIssuerX500Principal().getName(), peer.issuer());
        assertEquals(certificate.getSerialNumber(), peer.serialNumber());
        assertEquals(CRLReason.KEY_COMPROMISE, peer.reason());
        assertTrue(peer.time().isAfter(Instant.now().minusSeconds(3600)), peer.toString());
        assertTrue(peer.toString().contains("CN=revoked") && peer.toString().contains("KEY_COMPROMISE"),
                peer.toString());
        server.reload();
        assertEquals(1, told.size());
        kept.exchange(kept.client, LINE);
        kept.exchange(kept.server, LINE);
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void closedEngineThrowsTheRevocationAndItsPeerSeesTheAlert(String version) throws Exception {
        BrokerTlsContext server = server(closing()).protocols(version).build();
        EnginePair reading = connected("revoked", server);
        EnginePair writing = connected("revoked", server);
        EnginePair good = connected("good", server);
        revoke();
        server.reload();
        assertEquals(2, told.size());

        ByteBuffer plaintext = ByteBuffer.allocate(100);
        SSLException thrown = assertThrows(SSLException.class,
                () -> reading.server.engine.unwrap(ByteBuffer.allocate(0), plaintext));
        assertRevoked(thrown);
        assertSeesTheAlert(reading);

        // No plaintext goes out any more, only the alert.
        assertRevoked(assertThrows(SSLException.class,
                () -> writing.server.engine.wrap(ByteBuffer.wrap(LINE), ByteBuffer.allocate(20_000))));
        ByteBuffer records = ByteBuffer.allocate(20_000);
        SSLEngineResult last = writing.server.engine.wrap(ByteBuffer.wrap(LINE), records);
        assertEquals(SSLEngineResult.Status.CLOSED, last.getStatus());
        assertEquals(0, last.bytesConsumed());
        records.flip();
        assertAlert(assertThrows(SSLException.class, () -> writing.client.engine.unwrap(records, plaintext)));
        good.exchange(good.client, LINE);
    }

    private static X509Certificate certificate() throws Exception {
        try (InputStream in = Files.newInputStream(authority.file("revoked.pem"))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static void assertSeesTheAlert(EnginePair pair) throws SSLException {
        ByteBuffer records = ByteBuffer.allocate(20_000);
        pair.server.engine.wrap(ByteBuffer.allocate(0), records);
        records.flip();
        assertAlert(assertThrows(SSLException.class,
                () -> pair.client.engine.unwrap(records, ByteBuffer.allocate(100))));
    }

    private static void assertAlert(SSLException thrown) {
        TlsFailure failure = assertInstanceOf(TlsFailure.class, thrown.getCause());
        assertEquals(ErrorCode.ALERT_CERTIFICATE_REVOKED, failure.code(), failure.getMessage());
    }

    @Test
    void serverThatIsRevokedIsReportedToItsClient() throws Exception {
        BrokerTlsContext client = identity("good").crl(list).onRevoked(closing()).build();
        EnginePair pair = pair(client, server("revoked").build());
        pair.handshake();
        revoke();
        client.reload();
        assertEquals(1, told.size());
        assertEquals(BrokerTlsContext.connectionId(pair.client.engine), told.get(0).connectionId());
        assertRevoked(assertThrows(SSLException.class,
                () -> pair.client.engine.unwrap(ByteBuffer.allocate(0), ByteBuffer.allocate(100))));
    }

    @Test
    void listenerThatThrowsOrAnswersNothingHasTheConnectionClosed() throws Exception {
        List<RevokedPeerListener> defects = List.of(peer -> null, peer -> {
            throw new IllegalStateException("as a defect would");
        }, peer -> {
            throw new AssertionError("as a worse one would");
        });
        for (RevokedPeerListener defect : defects) {
            forgive();
            BrokerTlsContext server = server(defect).build();
            EnginePair pair = connected("revoked", server);
            revoke();
            server.reload();
            assertRevoked(assertThrows(SSLException.class,
                    () -> pair.server.engine.unwrap(ByteBuffer.allocate(0), ByteBuffer.allocate(100))));
        }
    }

    @Test
    void listenerMayUseTheContextAndTheEngineAndCloseBoth() throws Exception {
        AtomicReference<BrokerTlsContext> own = new AtomicReference<>();
        AtomicReference<SSLEngine> engine = new AtomicReference<>();
        BrokerTlsContext server = server(peer -> {
            told.add(peer);
            assertEquals(BrokerTlsContext.connectionId(engine.get()), peer.connectionId());
            engine.get().closeOutbound();
            assertDoesNotThrow(own.get()::reload);
            own.get().close();
            return Action.CLOSE;
        }).build();
        own.set(server);
        EnginePair pair = connected("revoked", server);
        engine.set(pair.server.engine);
        revoke();
        server.reload();
        assertEquals(1, told.size());
        assertThrows(IllegalStateException.class, server::reload);
        // The listener has closed it before, and nothing follows a close_notify.
        ByteBuffer records = ByteBuffer.allocate(20_000);
        assertRevoked(assertThrows(SSLException.class,
                () -> pair.server.engine.wrap(ByteBuffer.allocate(0), records)));
        pair.server.engine.wrap(ByteBuffer.allocate(0), records);
        records.flip();
        SSLEngineResult seen = pair.client.engine.unwrap(records, ByteBuffer.allocate(100));
        assertEquals(SSLEngineResult.Status.CLOSED, seen.getStatus());
    }

    @Test
    void withoutAListenerTheConnectionContinues() throws Exception {
        BrokerTlsContext server = server("good").crl(list).build();
        EnginePair pair = connected("revoked", server);
        revoke();
        server.reload();
        pair.exchange(pair.client, LINE);
        pair.exchange(pair.server, LINE);
    }

    @Test
    void socketIsReportedByItsNumberAndClosed() throws Exception {
        BrokerTlsContext server = server(closing()).build();
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (SSLServerSocket listening = (SSLServerSocket) server.serverSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress());
                SSLSocket client = (SSLSocket) identity("revoked").insecureSkipServerName(true).build().socketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), listening.getLocalPort())) {
            Future<SSLSocket> accepting = other.submit(() -> {
                SSLSocket accepted = (SSLSocket) listening.accept();
                assertEquals(0, BrokerTlsContext.connectionId(accepted));
                accepted.setSoTimeout(PATIENCE_MS);
                assertEquals(1, accepted.getInputStream().read());
                return accepted;
            });
            client.setSoTimeout(PATIENCE_MS);
            client.getOutputStream().write(1);
            try (SSLSocket accepted = accepting.get(PATIENCE_MS, TimeUnit.MILLISECONDS)) {
                revoke();
                server.reload();
                assertEquals(1, told.size());
                assertEquals(BrokerTlsContext.connectionId(accepted), told.get(0).connectionId());
                assertRevoked(assertThrows(SSLException.class, () -> accepted.getOutputStream().write(1)));
                assertAlert(assertThrows(SSLException.class, () -> client.getInputStream().read()));
            }
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void enginesAndSocketsOfOthersHaveNoNumber() throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.connectionId(engine));
        try (SSLSocket socket = (SSLSocket) SSLContext.getDefault().getSocketFactory().createSocket()) {
            assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.connectionId(socket));
        }
        assertEquals(0, BrokerTlsContext.connectionId(server("good").build().newEngine()));
    }

    private RevokedPeerListener keeping() {
        return peer -> {
            told.add(peer);
            return Action.KEEP;
        };
    }

    private RevokedPeerListener closing() {
        return peer -> {
            told.add(peer);
            return Action.CLOSE;
        };
    }

    private static void assertRevoked(SSLException thrown) {
        TlsFailure failure = assertInstanceOf(TlsFailure.class, thrown.getCause());
        assertEquals(ErrorCode.CERT_REVOKED, failure.code(), failure.getMessage());
        assertTrue(failure.getMessage().contains("keyCompromise"), failure.getMessage());
    }

    private static EnginePair connected(String name, BrokerTlsContext server) throws Exception {
        EnginePair pair = pair(identity(name).build(), server);
        pair.handshake();
        return pair;
    }

    private static BrokerTlsContextBuilder server(RevokedPeerListener listener) {
        return server("good").crl(list).onRevoked(listener);
    }

    private static BrokerTlsContextBuilder server(String name) {
        return identity(name).clientAuth(ClientAuth.NEED);
    }

    private static BrokerTlsContextBuilder identity(String name) {
        return BrokerTlsContext.builder().certificate(authority.file(name + ".pem"))
                .privateKey(authority.file(name + ".key")).trustCertificates(authority.file("ca.pem"));
    }

    private static EnginePair pair(BrokerTlsContext client, BrokerTlsContext server) {
        SSLEngine clientEngine = client.newEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        SSLEngine serverEngine = server.newEngine();
        serverEngine.setUseClientMode(false);
        return new EnginePair(clientEngine, serverEngine);
    }
}
