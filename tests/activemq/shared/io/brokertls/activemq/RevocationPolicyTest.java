package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContext.RevocationMode;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.RevokedPeerListener;
import io.brokertls.RevocationSource;
import io.brokertls.RevokedPeer;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.SslContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Revocation by contexts of the builder, in place of {@code crlPath} and {@code java.security}. Each broker has its own
 * lists, responders and policy, and nothing is set for the process.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RevocationPolicyTest {
    /** The responder that java/README.md names. */
    private static final String RESPONDER = "http://ocsp.example.net:80/";

    @TempDir static Path folder;

    private static Authority authority;
    private static Stores good;
    private static Stores revoked;
    /** A client of a trusted authority without a list. */
    private static Stores unheardOf;
    private static String responder;
    private static Path emptyList;
    private static Path list;

    @BeforeAll
    static void makeAuthorities() throws Exception {
        authority = new Authority(folder.resolve("authority"));
        good = authority.issue("device-7");
        revoked = authority.issue("device-8");
        emptyList = Files.copy(authority.revocationList(), folder.resolve("empty.crl"));
        authority.revoke("device-8");
        list = authority.revocationList();
        responder = authority.startResponder();
        unheardOf = new Authority(folder.resolve("silent")).issue("device-9").trusting(good);
    }

    @AfterAll
    static void stopResponder() {
        authority.close();
    }

    @BeforeEach
    @AfterEach
    void noSettingOfTheProcess() {
        Tls.assertNoSettingOfTheProcess();
    }

    private static BrokerTlsContextBuilder builder() {
        return BrokerTlsContext.builder()
                .keyStore(Path.of(good.path("broker.ks")), Stores.PASSWORD.toCharArray())
                .trustStore(Path.of(good.path("broker.ts")), Stores.PASSWORD.toCharArray())
                .trustStore(Path.of(unheardOf.path("broker.ts")), Stores.PASSWORD.toCharArray())
                .clientAuth(BrokerTlsContext.ClientAuth.NEED);
    }

    private static Broker broker(BrokerTlsContext tls, String scheme) throws Exception {
        SslContext forBroker = new SslContext();
        forBroker.setSSLContext(tls.sslContext());
        return new Broker(forBroker, scheme, 0, "");
    }

    private static void assertServed(Broker broker, String scheme, Stores client) throws Exception {
        for (String provider : Tls.providers()) {
            if (scheme.startsWith("mqtt")) {
                assertEquals("hello", MqttClients.echo("ssl://localhost:" + broker.port(),
                        client.clientContext(provider, true), "greetings", "hello"));
                continue;
            }
            Connection connection = Clients.connect(scheme + "://localhost:" + broker.port(), client, true, provider);
            assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
            connection.close();
        }
    }

    /** In the handshake: the broker says why in its log, and the client by an alert. */
    private static void assertRefused(Broker broker, String scheme, Stores client, String code, String alert)
            throws Exception {
        try (BrokerLog log = new BrokerLog()) {
            Sockets.assertRefused(alert, scheme, client.clientContext(Tls.PROVIDER, true), broker.port());
            String line = log.await(code);
            assertTrue(line.contains(code), line);
        }
        for (String provider : Tls.providers()) {
            Sockets.assertRefused(alert, scheme, client.clientContext(provider, true), broker.port());
            if (!scheme.startsWith("mqtt")) {
                String address = scheme + "://localhost:" + broker.port();
                assertThrows(JMSException.class, () -> Clients.connect(address, client, true, provider).close());
            }
        }
    }

    private static void assertRevoked(Broker broker, String scheme, Stores client) throws Exception {
        assertRefused(broker, scheme, client, "BTLS_CERT_REVOKED", "certificate_revoked");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "mqtt+ssl"})
    void clientOnTheListOfTheContextIsRefused(String scheme) throws Exception {
        try (BrokerTlsContext tls = builder().crl(list).build(); Broker broker = broker(tls, scheme)) {
            assertServed(broker, scheme, good);
            assertRevoked(broker, scheme, revoked);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl", "mqtt+ssl"})
    void clientThatTheResponderOfTheContextRevokesIsRefused(String scheme) throws Exception {
        try (BrokerTlsContext tls = builder().option("fetch", "yes").option("ocsp-mode", "require")
                .option("ocsp-responder", responder).build(); Broker broker = broker(tls, scheme)) {
            assertServed(broker, scheme, good);
            assertRevoked(broker, scheme, revoked);
            List<RevocationSource> sources = tls.revocationSources();
            assertEquals(1, sources.size(), sources.toString());
            assertEquals(responder, sources.get(0).place());
            assertEquals(2, sources.get(0).entries(), "an answer for each client, whatever number of connections");
            assertEquals(0, sources.get(0).failures());
        }
    }

    /** Three brokers with the same trust and the same list, which knows nothing of the third client. */
    @Test
    void eachBrokerInAProcessHasAPolicyOfItsOwn() throws Exception {
        try (BrokerTlsContext requiring = builder().crl(list).revocation(RevocationMode.REQUIRE).build();
                BrokerTlsContext preferring = builder().crl(list).revocation(RevocationMode.PREFER).build();
                BrokerTlsContext careless = builder().crl(list).revocation(RevocationMode.OFF).build();
                Broker strict = broker(requiring, "ssl"); Broker lenient = broker(preferring, "nio+ssl");
                Broker open = broker(careless, "ssl")) {
            assertServed(strict, "ssl", good);
            assertServed(lenient, "nio+ssl", good);
            assertServed(open, "ssl", good);
            assertRevoked(strict, "ssl", revoked);
            assertRevoked(lenient, "nio+ssl", revoked);
            assertServed(open, "ssl", revoked);
            assertRefused(strict, "ssl", unheardOf, "BTLS_REVOCATION_UNKNOWN", "certificate_unknown");
            assertServed(lenient, "nio+ssl", unheardOf);
            assertServed(open, "ssl", unheardOf);
            assertEquals(0, requiring.revocationUnknownAccepted());
            assertTrue(preferring.revocationUnknownAccepted() > 0);
            assertEquals(0, careless.revocationUnknownAccepted());
        }
    }

    /** One client waits for the responder. Clients with a known status connect meanwhile. */
    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl"})
    void responderThatHangsStopsOnlyTheClientsItIsAskedAbout(String scheme) throws Exception {
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (Silence silence = new Silence();
                BrokerTlsContext tls = builder().ocspResponse(authority.response("device-7")).option("fetch", "yes")
                        .option("ocsp-responder", silence.url()).option("crl-mode", "off")
                        .option("revocation-deadline-ms", "20000").build();
                Broker broker = broker(tls, scheme); BrokerLog log = new BrokerLog()) {
            Future<String> waiting = threads.submit(
                    () -> Sockets.refusal(revoked.clientContext(Tls.PROVIDER, true), broker.port()));
            silence.awaitQuestion();
            assertServed(broker, scheme, good);
            assertFalse(waiting.isDone());
            silence.close();
            String line = log.await("BTLS_REVOCATION_UNREACHABLE");
            assertTrue(line.contains("BTLS_REVOCATION_UNREACHABLE"), line);
            String told = waiting.get(1, TimeUnit.MINUTES);
            assertEquals(!scheme.contains("nio"), told.contains("certificate_unknown"), told);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Takes one connection and says nothing until it is closed. */
    private static final class Silence implements AutoCloseable {
        private final ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        private Socket asker;

        Silence() throws IOException {
            listener.setSoTimeout(30_000);
        }

        String url() {
            return "http://127.0.0.1:" + listener.getLocalPort() + "/";
        }

        void awaitQuestion() throws IOException {
            asker = listener.accept();
        }

        @Override
        public void close() throws IOException {
            listener.close();
            if (asker != null) {
                asker.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl"})
    void listThatIsReplacedWhileTheBrokerRunsCountsFromTheNextReload(String scheme) throws Exception {
        Path live = Files.copy(emptyList, folder.resolve("live.crl"), StandardCopyOption.REPLACE_EXISTING);
        try (BrokerTlsContext tls = builder().crl(live).build(); Broker broker = broker(tls, scheme)) {
            assertServed(broker, scheme, revoked);
            Files.copy(list, live, StandardCopyOption.REPLACE_EXISTING);
            assertServed(broker, scheme, revoked);
            tls.reload();
            assertRevoked(broker, scheme, revoked);
            assertServed(broker, scheme, good);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl"})
    void clientThatIsRevokedWhileConnectedIsReportedAndClosed(String scheme) throws Exception {
        Path live = Files.copy(emptyList, folder.resolve("live.crl"), StandardCopyOption.REPLACE_EXISTING);
        BlockingQueue<RevokedPeer> told = new LinkedBlockingQueue<>();
        BrokerTlsContextBuilder builder = builder().crl(live).onRevoked(peer -> {
            told.add(peer);
            return RevokedPeerListener.Action.CLOSE;
        });
        try (BrokerTlsContext tls = builder.build(); Broker broker = broker(tls, scheme)) {
            String address = scheme + "://localhost:" + broker.port();
            Connection other = Clients.connect(address, good, true, Tls.PROVIDER);
            Connection connection = Clients.connect(address, revoked, true, Tls.PROVIDER);
            assertEquals("hello", Clients.echo(connection, "greetings", "hello"));
            Files.copy(list, live, StandardCopyOption.REPLACE_EXISTING);
            tls.reload();
            RevokedPeer peer = told.poll(30, TimeUnit.SECONDS);
            assertTrue(peer != null && peer.subject().contains("CN=device-8"), String.valueOf(peer));
            assertThrows(JMSException.class, () -> Clients.send(connection, "greetings", "too late"));
            assertEquals("hello", Clients.echo(other, "greetings", "hello"));
            assertTrue(told.isEmpty(), told.toString());
            other.close();
            closeEnded(connection);
        }
    }

    /** Lets go of a connection that the broker has ended: its close says so where the client has not noticed before. */
    private static void closeEnded(Connection connection) {
        try {
            connection.close();
        } catch (JMSException e) {
            assertTrue(e.getCause() instanceof IOException, e.toString());
        }
    }

    /** Returns the section on revocation of java/README.md. */
    private static String section() throws IOException {
        String page = Files.readString(Path.of(System.getProperty("project.root"), "java", "README.md"));
        return page.substring(page.indexOf("\n## Revocation\n"));
    }

    /** Makes a folder with the files that the page names. */
    private static Path files(String name) throws IOException {
        Path files = Files.createDirectories(folder.resolve(name));
        Files.copy(Path.of(good.path("broker.ks")), files.resolve("broker.ks"));
        Files.copy(Path.of(good.path("broker.ts")), files.resolve("broker.ts"));
        Files.copy(list, files.resolve("clients.crl"));
        return files;
    }

    /** Runs the code of java/README.md. Only the paths and the responder differ. */
    @Test
    void codeOfTheReadmeRefusesTheRevoked() throws Exception {
        Path files = files("code");
        String block = ReadmeTest.blocks(section()).get(0).replace("Path.of(\"", "Path.of(\"" + files + "/")
                .replace(RESPONDER, responder);
        assertEquals("", ReadmeTest.compile(block, files));
        BrokerService configured = new BrokerService();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {files.toUri().toURL()})) {
            loader.loadClass("Page").getMethod("run", char[].class, BrokerService.class)
                    .invoke(null, Stores.PASSWORD.toCharArray(), configured);
        }
        try (Broker broker = new Broker(configured.getSslContext(), "nio+ssl", 0, "")) {
            assertServed(broker, "nio+ssl", good);
            assertRevoked(broker, "nio+ssl", revoked);
        }
    }

    /** Runs its XML, in a JVM without settings. */
    @Test
    void xmlOfTheReadmeRefusesTheRevoked() throws Exception {
        Path files = files("xml");
        String section = section();
        String block = section.substring(section.indexOf("```xml\n") + "```xml\n".length());
        Path xml = SpringBrokerTest.activemqXml(files,
                block.substring(0, block.indexOf("```")).replace(RESPONDER, responder));
        try (ForkedBroker broker = new ForkedBroker(files, xml, "-Dactivemq.conf=" + files)) {
            for (String scheme : List.of("ssl", "nio+ssl")) {
                int port = broker.port(scheme.replace("+ssl", ""));
                for (String provider : Tls.providers()) {
                    Connection connection = Clients.connect(scheme + "://localhost:" + port, good, true, provider);
                    assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
                    connection.close();
                    Sockets.assertRefused("certificate_revoked", scheme, revoked.clientContext(provider, true), port);
                }
            }
            assertEquals(Tls.JDK, broker.defaultProvider());
        }
    }
}
