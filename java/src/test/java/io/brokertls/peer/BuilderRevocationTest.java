package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContext.ClientAuth;
import io.brokertls.BrokerTlsContext.RevocationMode;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.RevocationSource;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Revocation in contexts of the builder: lists and responses from files, and requests over the network. */
class BuilderRevocationTest {
    private static final int PATIENCE_MS = 30_000;
    private static final String TOLD_REVOKED = "BTLS_ALERT_CERTIFICATE_REVOKED (1044)";

    @TempDir
    static Path folder;

    private static Authority authority;
    private static OcspResponder responder;
    private static Path emptyList;
    private static Path list;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "ec");
        responder = new OcspResponder(authority);
        authority.issue("good", "ec");
        authority.issue("revoked", "ec");
        authority.issue("unheard-of", "ec");
        issueNaming("listed", "crlDistributionPoints=URI:" + responder.address() + "/ca.crl");
        issueNaming("listed-revoked", "crlDistributionPoints=URI:" + responder.address() + "/ca.crl");
        issueNaming("answered", "authorityInfoAccess=OCSP;URI:" + responder.address());
        issueNaming("answered-revoked", "authorityInfoAccess=OCSP;URI:" + responder.address());
        authority.run("openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "empty.crl");
        emptyList = authority.file("empty.crl");
        authority.enter("good");
        authority.enter("answered");
        authority.revoke("listed-revoked");
        authority.revoke("answered-revoked");
        responder.publish(authority.revoke("revoked"));
        list = authority.file("ca.crl");
    }

    private static void issueNaming(String name, String extension) throws Exception {
        Files.writeString(authority.file(name + ".ext"), "subjectAltName=DNS:" + Pki.HOST + "\n" + extension + "\n");
        authority.issueAs(name, "ec", "-extfile", name + ".ext");
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
        assertOnlyTheRevokedIsRefused(version, "good", "revoked", builder -> builder.crl(list));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void responsesInFilesDecideAboutServersAndClients(String version) throws Exception {
        Path good = authority.staple("good");
        Path revoked = authority.staple("revoked");
        assertOnlyTheRevokedIsRefused(version, "good", "revoked", builder -> builder.ocspResponse(good, revoked));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void responderThatTheContextNamesIsAskedOnceForEach(String version) throws Exception {
        int before = responder.asked();
        assertOnlyTheRevokedIsRefused(version, "good", "revoked", BuilderRevocationTest::asking);
        // A context of a client and one of a server, each about both.
        assertEquals(before + 4, responder.asked());
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void placesThatCertificatesNameAreAskedIfAllowed(String version) throws Exception {
        int before = responder.asked();
        assertOnlyTheRevokedIsRefused(version, "listed", "listed-revoked", builder -> builder.option("fetch", "yes")
                .option("fetch-private-addresses", "yes"));
        assertEquals(before + 2, responder.asked(), "one list for both, in each context");
        assertOnlyTheRevokedIsRefused(version, "answered", "answered-revoked", builder -> builder.option("fetch", "yes")
                .option("fetch-private-addresses", "yes"));
        assertEquals(before + 6, responder.asked());
    }

    @Test
    void placesInPrivateNetworksAreNotAskedUnlessThatIsAllowed() throws Exception {
        int before = responder.asked();
        BrokerTlsContext server = server("good").option("fetch", "yes").build();
        for (String name : List.of("listed", "answered")) {
            assertRefused(settled(client(name).build(), server).server, ErrorCode.FETCH_REFUSED);
        }
        assertEquals(before, responder.asked());
    }

    @Test
    void responderThatIsNotThereIsUnreachable() throws Exception {
        // Bound and not listening: the system refuses every connection to it, and gives the port to no other socket.
        try (Socket nobody = new Socket()) {
            nobody.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            BrokerTlsContext server = server("good").option("fetch", "yes").option("crl-mode", "off")
                    .option("ocsp-responder", "http://127.0.0.1:" + nobody.getLocalPort() + "/").build();
            assertRefused(settled(client("good").build(), server).server, ErrorCode.REVOCATION_UNREACHABLE);
            RevocationSource source = server.revocationSources().get(0);
            assertEquals(RevocationSource.Kind.OCSP, source.kind());
            assertTrue(source.failures() > 0 && source.lastSuccess().isEmpty() && source.nextRefresh().isPresent());
            assertTrue(source.lastError().orElse("").startsWith("BTLS_REVOCATION_UNREACHABLE"), source.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void stapleOfTheServerIsWhatItsClientGoesBy(String version) throws Exception {
        BrokerTlsContext client = client("good").protocols(version).option("ocsp-mode", "require").build();
        assertRefused(settled(client, server("good").build()).client, ErrorCode.REVOCATION_UNKNOWN);
        pair(client, server("good").option("staple-file", authority.staple("good").toString())
                .option("staple-issuer", authority.file("ca.pem").toString()).build()).handshake();
    }

    @Test
    void stapleIsRequestedByMaintenanceAndListedAmongTheSources() throws Exception {
        BrokerTlsContext client = client("good").option("ocsp-mode", "require").build();
        BrokerTlsContext server = server("good").option("staple", "yes")
                .option("staple-issuer", authority.file("ca.pem").toString())
                .option("staple-responder", responder.address().toString()).build();
        server.maintain();
        pair(client, server).handshake();
        RevocationSource source = server.revocationSources().get(0);
        assertEquals(RevocationSource.Kind.STAPLE, source.kind());
        assertEquals(1, source.entries(), source.toString());
        assertTrue(source.nextRefresh().isPresent(), source.toString());
    }

    @Test
    void clientOfUnknownStatusIsRefusedCountedOrNotChecked() throws Exception {
        for (RevocationMode mode : RevocationMode.values()) {
            BrokerTlsContext server = server("good").ocspResponse(authority.staple("good")).revocation(mode).build();
            BrokerTlsContext client = client("unheard-of").build();
            if (mode == RevocationMode.REQUIRE) {
                assertRefused(settled(client, server).server, ErrorCode.REVOCATION_UNKNOWN);
            } else {
                pair(client, server).handshake();
            }
            assertEquals(mode == RevocationMode.PREFER ? 1 : 0, server.revocationUnknownAccepted());
        }
    }

    @Test
    void listsAndResponsesAreTakenFromMemoryAndDirectories() throws Exception {
        byte[] content = Files.readAllBytes(list);
        BrokerTlsContextBuilder listed = server("good").crl(content, "config: crl");
        BrokerTlsContextBuilder answered = server("good")
                .ocspResponse(Files.readAllBytes(authority.staple("revoked")), "config: ocsp");
        BrokerTlsContextBuilder inFolder = server("good").crl(Files.copy(list,
                Files.createDirectories(folder.resolve("lists")).resolve("own.crl")).getParent());
        Arrays.fill(content, (byte) 0);
        for (BrokerTlsContextBuilder builder : List.of(listed, answered, inFolder)) {
            assertRefused(settled(client("revoked").build(), builder.build()).server, ErrorCode.CERT_REVOKED);
        }
    }

    @Test
    void listThatWasReplacedHoldsFromTheNextReloadAlsoForResumedSessions() throws Exception {
        Path live = Files.copy(emptyList, folder.resolve("live.crl"), StandardCopyOption.REPLACE_EXISTING);
        for (String version : List.of(Pairing.TLS12, Pairing.TLS13)) {
            Files.copy(emptyList, live, StandardCopyOption.REPLACE_EXISTING);
            BrokerTlsContext server = server("good").crl(live).build();
            BrokerTlsContext client = client("revoked").protocols(version).build();
            EnginePair first = pair(client, server);
            first.handshake();
            first.exchange(first.server, new byte[] {1});
            Files.copy(list, live, StandardCopyOption.REPLACE_EXISTING);
            pair(client, server).handshake();
            server.reload();
            EnginePair refused = settled(client, server);
            assertRefused(refused.server, ErrorCode.CERT_REVOKED);
            assertReported(refused.client, TOLD_REVOKED);

            Files.writeString(live, "neither");
            TlsFailure failure = assertThrows(TlsFailure.class, server::reload);
            assertEquals(ErrorCode.CRL_MALFORMED, failure.code());
            assertTrue(failure.getMessage().contains("live.crl"), failure.getMessage());
            assertRefused(settled(client, server).server, ErrorCode.CERT_REVOKED);
        }
    }

    @Test
    void sourcesTellWhatTheyHoldAndWhenTheyWereHad() throws Exception {
        Instant before = Instant.now().minusSeconds(1);
        assertEquals(List.of(), server("good").build().revocationSources());
        BrokerTlsContext server = asking(server("good").crl(emptyList)).build();
        pair(client("good").build(), server).handshake();
        List<RevocationSource> sources = server.revocationSources();
        assertEquals(2, sources.size(), sources.toString());
        for (RevocationSource source : sources) {
            boolean isList = source.kind() == RevocationSource.Kind.CRL;
            assertEquals(isList ? 0 : 1, source.entries());
            assertEquals(isList, source.nextRefresh().isEmpty(), "a reload reads files");
            assertTrue(source.place().contains(isList ? "empty.crl" : responder.address().toString()), source.place());
            assertFalse(source.lastSuccess().orElseThrow().isBefore(before));
            assertEquals(0, source.failures());
            assertTrue(source.lastError().isEmpty());
        }
        assertEquals(2, sources.stream().map(RevocationSource::kind).distinct().count());
    }

    @Test
    void maintenanceSaysWhenItWantsToBeCalledAgain() throws Exception {
        BrokerTlsContext server = asking(server("good")).build();
        assertEquals(Duration.ofMinutes(1), server.maintain(), "nothing is kept yet");
        pair(client("good").build(), server).handshake();
        int before = responder.asked();
        Duration rest = server.maintain();
        assertTrue(rest.compareTo(Duration.ZERO) > 0 && rest.compareTo(Duration.ofMinutes(1)) <= 0, rest.toString());
        assertEquals(before, responder.asked(), "nothing is due");
        server.close();
        assertThrows(IllegalStateException.class, server::maintain);
        assertThrows(IllegalStateException.class, server::revocationSources);
        assertThrows(IllegalStateException.class, server::revocationUnknownAccepted);
    }

    @Test
    void threadForMaintenanceIsOneDaemonThatEndsWithTheContext() throws Exception {
        BrokerTlsContext server = asking(server("good")).build();
        assertEquals(List.of(), maintenanceThreads());
        server.startMaintenance();
        server.startMaintenance();
        List<Thread> threads = maintenanceThreads();
        assertEquals(1, threads.size());
        assertTrue(threads.get(0).isDaemon());
        pair(client("good").build(), server).handshake();
        server.close();
        assertEnds(threads.get(0));
        assertThrows(IllegalStateException.class, server::startMaintenance);
    }

    @Test
    void interruptedThreadClosesAContextWithMaintenanceAndStaysInterrupted() throws Exception {
        BrokerTlsContext server = asking(server("good")).build();
        server.startMaintenance();
        List<Thread> threads = maintenanceThreads();
        Thread.currentThread().interrupt();
        server.close();
        assertTrue(Thread.interrupted());
        assertEnds(threads.get(0));
    }

    @Test
    void threadForMaintenanceAsksForStaplesAtOnceAlsoAfterAReload() throws Exception {
        Path certificate = Files.copy(authority.file("good.pem"), folder.resolve("own.pem"));
        Path key = Files.copy(authority.file("good.key"), folder.resolve("own.key"));
        int before = responder.asked();
        BrokerTlsContext server = BrokerTlsContext.builder().certificate(certificate).privateKey(key)
                .option("staple", "yes").option("staple-issuer", authority.file("ca.pem").toString())
                .option("staple-responder", responder.address().toString()).build();
        server.startMaintenance();
        awaitAsked(before + 1);
        Files.copy(authority.file("answered.pem"), certificate, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(authority.file("answered.key"), key, StandardCopyOption.REPLACE_EXISTING);
        server.reload();
        awaitAsked(before + 2);
        List<Thread> threads = maintenanceThreads();
        server.close();
        assertEnds(threads.get(0));
    }

    /** A thread says that it ends just before it does. */
    private static void assertEnds(Thread thread) throws InterruptedException {
        thread.join(PATIENCE_MS);
        assertFalse(thread.isAlive());
    }

    /** Waits until the responder has been asked, for less time than the thread rests if it is not woken. */
    private static void awaitAsked(int times) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
        while (responder.asked() < times) {
            assertTrue(System.nanoTime() < end, "asked " + responder.asked() + " times and not " + times);
            Thread.sleep(5);
        }
    }

    private static List<Thread> maintenanceThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("brokertls-maintenance")).collect(Collectors.toList());
    }

    @Test
    void whatIsNoListAndWhatContradictsIsRefusedWhenBuilt() throws Exception {
        byte[] nonsense = "neither".getBytes(StandardCharsets.US_ASCII);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(authority.trust());
        X509TrustManager manager = (X509TrustManager) trust.getTrustManagers()[0];
        assertEquals(ErrorCode.CRL_MALFORMED, code(builder -> builder.crl(nonsense, "config").trustSystem()));
        assertEquals(ErrorCode.OCSP_MALFORMED, code(builder -> builder.ocspResponse(nonsense, "config").trustSystem()));
        assertEquals(ErrorCode.FILE_UNREADABLE, code(builder -> builder.crl(Path.of("/nowhere/ca.crl")).trustSystem()));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.crl(list).trustManager(manager)));
        assertEquals(ErrorCode.OPTION_CONFLICT, code(builder -> builder.crl(list).insecureAcceptAnyServer(true)));
        assertEquals(ErrorCode.OPTION_CONFLICT,
                code(builder -> builder.revocation(RevocationMode.REQUIRE).trustSystem()));
        assertEquals(ErrorCode.INVALID_ARGUMENT, code(builder -> builder.option("fetch", "yes")
                .option("ocsp-responder", "ldap://ca.example").trustSystem()));
        assertThrows(NullPointerException.class, () -> BrokerTlsContext.builder().crl((byte[]) null, "config"));
    }

    private static ErrorCode code(Consumer<BrokerTlsContextBuilder> set) {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        set.accept(builder);
        return assertThrows(TlsFailure.class, builder::build).code();
    }

    private static BrokerTlsContextBuilder asking(BrokerTlsContextBuilder builder) {
        return builder.option("fetch", "yes").option("ocsp-mode", "require")
                .option("ocsp-responder", responder.address().toString());
    }

    /** With a client and then a server that check as they are told to. */
    private static void assertOnlyTheRevokedIsRefused(String version, String good, String revoked,
            UnaryOperator<BrokerTlsContextBuilder> checking) throws Exception {
        BrokerTlsContext client = checking.apply(client("good")).protocols(version).build();
        pair(client, server(good).build()).handshake();
        EnginePair refused = settled(client, server(revoked).build());
        assertRefused(refused.client, ErrorCode.CERT_REVOKED);
        assertReported(refused.server, TOLD_REVOKED);

        BrokerTlsContext server = checking.apply(server("good")).protocols(version).build();
        EnginePair accepted = pair(client(good).build(), server);
        accepted.handshake();
        assertEquals("CN=" + good, accepted.server.engine.getSession().getPeerPrincipal().getName());
        refused = settled(client(revoked).build(), server);
        assertRefused(refused.server, ErrorCode.CERT_REVOKED);
        assertReported(refused.client, TOLD_REVOKED);
    }

    private static BrokerTlsContextBuilder client(String name) {
        return BrokerTlsContext.builder().certificate(authority.file(name + ".pem"))
                .privateKey(authority.file(name + ".key")).trustCertificates(authority.file("ca.pem"));
    }

    private static BrokerTlsContextBuilder server(String name) {
        return client(name).clientAuth(ClientAuth.NEED);
    }

    /** Engines after a handshake that has ended, with success or not. */
    private static EnginePair settled(BrokerTlsContext client, BrokerTlsContext server) throws Exception {
        EnginePair pair = pair(client, server);
        pair.begin().settle();
        return pair;
    }

    private static void assertRefused(EnginePair.Side side, ErrorCode code) {
        assertInstanceOf(SSLHandshakeException.class, side.failure);
        TlsFailure failure = assertInstanceOf(TlsFailure.class, side.failure.getCause());
        assertEquals(code, failure.code(), failure.getMessage());
    }

    private static void assertReported(EnginePair.Side side, String alert) {
        assertTrue(side.failure.getMessage().startsWith(alert), side.failure.getMessage());
    }

    private static EnginePair pair(BrokerTlsContext client, BrokerTlsContext server) {
        SSLEngine clientEngine = client.newEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        SSLEngine serverEngine = server.newEngine();
        serverEngine.setUseClientMode(false);
        return new EnginePair(clientEngine, serverEngine);
    }
}
