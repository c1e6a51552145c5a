package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A context of the builder while it is used: read again, closed, and closed in the midst of things. */
class BuilderLifeTest {
    private static final int PATIENCE_S = 60;

    @TempDir
    static Path folder;

    private static Authority authority;
    private static Path certificate;
    private static Path key;

    @BeforeAll
    static void makeStores() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        authority.issue("first", "ec");
        authority.issue("second", "ec");
        certificate = folder.resolve("current.pem");
        key = folder.resolve("current.key");
    }

    @BeforeEach
    void useFirst() throws Exception {
        use("first");
    }

    private static void use(String name) throws Exception {
        Files.copy(authority.file(name + ".pem"), certificate, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(authority.file(name + ".key"), key, StandardCopyOption.REPLACE_EXISTING);
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void connectionsAfterAReloadHaveTheNewCertificateAndOldOnesContinue(String version) throws Exception {
        try (BrokerTlsContext server = server(); BrokerTlsContext client = client(version)) {
            EnginePair old = connected(client, server);
            assertEquals("CN=first", shown(old));
            use("second");
            assertEquals("CN=first", shown(connected(client(version), server)), "files alone change nothing");
            server.reload();
            assertEquals("CN=second", shown(connected(client(version), server)));
            old.exchange(old.client, new byte[] {1});
            old.exchange(old.server, new byte[] {2});
            assertEquals("CN=first", shown(old));
        }
    }

    @Test
    void badFileKeepsTheLastGoodAndIsReported() throws Exception {
        try (BrokerTlsContext server = server()) {
            Files.writeString(certificate, "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
            TlsFailure broken = assertThrows(TlsFailure.class, server::reload);
            assertTrue(broken.getMessage().contains(certificate.toString()), broken.getMessage());
            assertEquals("CN=first", shown(connected(client(Pairing.TLS13), server)));

            use("first");
            Files.copy(authority.file("second.key"), key, StandardCopyOption.REPLACE_EXISTING);
            assertEquals(ErrorCode.KEY_MISMATCH, assertThrows(TlsFailure.class, server::reload).code());
            Files.delete(key);
            assertEquals(ErrorCode.FILE_UNREADABLE, assertThrows(TlsFailure.class, server::reload).code());
            assertEquals("CN=first", shown(connected(client(Pairing.TLS13), server)));

            use("second");
            server.reload();
            assertEquals("CN=second", shown(connected(client(Pairing.TLS13), server)));
        }
    }

    @Test
    void reloadsDuringHandshakesGiveEachOneCertificateOrTheOther() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (BrokerTlsContext server = server()) {
            Future<?> reloads = threads.submit(() -> {
                for (int i = 0; i < 50; i++) {
                    server.reload();
                }
                return null;
            });
            for (int i = 0; i < 20; i++) {
                assertEquals("CN=first", shown(connected(client(Pairing.TLS13), server)));
            }
            reloads.get(PATIENCE_S, TimeUnit.SECONDS);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void connectionsContinueAfterTheContextIsClosedAndNothingNewIsMade() throws Exception {
        BrokerTlsContext server = server();
        BrokerTlsContext client = client(Pairing.TLS13);
        EnginePair open = connected(client, server);
        server.close();
        client.close();
        server.close();
        open.exchange(open.client, new byte[] {1});
        open.exchange(open.server, new byte[] {2});
        open.client.engine.closeOutbound();
        for (Executable use : List.<Executable>of(server::reload, server::warnings,
                () -> server.sslContext().getServerSessionContext().setSessionTimeout(1))) {
            assertThrows(IllegalStateException.class, use);
        }
        assertThrows(SSLException.class, () -> begin(server.newEngine()));
        assertThrows(SSLException.class, () -> begin(server.newEngine(Pki.HOST, 1)));
        assertThrows(SSLException.class, () -> begin(server.sslContext().createSSLEngine()));
    }

    @Test
    void engineThatHadNotBegunIsRefusedAfterTheContextIsClosed() throws Exception {
        BrokerTlsContext server = server();
        SSLEngine engine = server.newEngine();
        engine.setUseClientMode(false);
        server.close();
        SSLException thrown = assertThrows(SSLException.class, engine::beginHandshake);
        assertEquals(ErrorCode.WRONG_STATE, ((TlsFailure) thrown.getCause()).code());
        engine.closeOutbound();
    }

    @Test
    void socketsOfAClosedContextAreRefusedAtTheirHandshake() throws Exception {
        BrokerTlsContext server = server();
        server.close();
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket plain = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
            try (SSLSocket socket = (SSLSocket) server.socketFactory().createSocket(plain, Pki.HOST, 1, true)) {
                assertThrows(SSLException.class, socket::startHandshake);
            } catch (IllegalStateException e) {
                assertTrue(e.getMessage().contains("closed"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void contextClosedInTheMidstOfATaskLetsTheHandshakeComplete(String version) throws Exception {
        BrokerTlsContext[] held = new BrokerTlsContext[1];
        held[0] = BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem")).protocols(version)
                .verifyCallback(chain -> held[0].close()).build();
        try (BrokerTlsContext server = server()) {
            EnginePair pair = connected(held[0], server);
            pair.exchange(pair.client, new byte[] {1});
            assertThrows(IllegalStateException.class, held[0]::warnings);
        }
    }

    @Test
    void contextClosedByOneThreadWhileOthersUseItEitherServesOrIsClosed() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 20; round++) {
                BrokerTlsContext server = server();
                List<Future<?>> users = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    users.add(threads.submit(() -> useUntilClosed(server)));
                }
                threads.submit(server::close);
                for (Future<?> user : users) {
                    user.get(PATIENCE_S, TimeUnit.SECONDS);
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static Void useUntilClosed(BrokerTlsContext server) throws Exception {
        try (BrokerTlsContext client = client(Pairing.TLS13)) {
            while (true) {
                connected(client, server);
            }
        } catch (IllegalStateException | SSLException e) {
            assertThrows(IllegalStateException.class, server::warnings);
            return null;
        }
    }

    private static void begin(SSLEngine engine) throws SSLException {
        engine.setUseClientMode(false);
        engine.beginHandshake();
    }

    private static BrokerTlsContext server() throws TlsFailure {
        return BrokerTlsContext.builder().certificate(certificate).privateKey(key).build();
    }

    private static BrokerTlsContext client(String version) throws TlsFailure {
        return BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem")).protocols(version).build();
    }

    private static EnginePair connected(BrokerTlsContext client, BrokerTlsContext server) throws Exception {
        SSLEngine clientEngine = client.newEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        SSLEngine serverEngine = server.newEngine();
        serverEngine.setUseClientMode(false);
        EnginePair pair = new EnginePair(clientEngine, serverEngine);
        pair.handshake();
        assertNull(pair.client.failure);
        return pair;
    }

    private static String shown(EnginePair pair) throws Exception {
        return pair.client.engine.getSession().getPeerPrincipal().getName();
    }
}
