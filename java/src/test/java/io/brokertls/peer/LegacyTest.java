package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.PskPrincipal;
import io.brokertls.TlsFailure;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyManagementException;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The second engine behind engines and sockets: the JDK's client with old versions, and OpenSSL's with keys. */
class LegacyTest {
    private static final int PATIENCE_MS = 60_000;
    private static final String SECRET = "8c701116e9127c57a99d5563709af3de";
    private static final String[] ALL = {"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"};

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyStore identity;
    private static Path trust;
    private static Path keys;

    @BeforeAll
    static void makeStores() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        identity = authority.issue("broker", "rsa:2048");
        trust = folder.resolve("trust.p12");
        try (var out = Files.newOutputStream(trust)) {
            authority.trust().store(out, Authority.PASSWORD);
        }
        keys = Files.writeString(folder.resolve("init.psk"), "myclient1:" + SECRET + "\n");
    }

    private static BrokerTlsContextBuilder server() {
        return BrokerTlsContext.builder().certificate(authority.file("broker.pem"))
                .privateKey(authority.file("broker.key")).legacyEngine(true);
    }

    /** The account of a conversation. */
    private static final class Met {
        private SSLSession session;
        private SSLException failure;
        private String client;

        Met served() {
            assertEquals(null, failure, client);
            assertTrue(client.contains("pong\n"), client);
            return this;
        }

        TlsFailure refused(ErrorCode code) {
            assertNotNull(failure, client);
            TlsFailure cause = assertInstanceOf(TlsFailure.class, failure.getCause());
            assertEquals(code, cause.code(), client);
            assertFalse(client.contains("pong\n"), client);
            return cause;
        }
    }

    @FunctionalInterface
    private interface Start {
        OldClient client(int port) throws Exception;
    }

    /** Serves one client, by a socket or by an engine. */
    private static Met meet(BrokerTlsContext context, boolean isByEngine, Start start) throws Exception {
        return meet(context.serverSocketFactory(), context.newEngine(), isByEngine, start);
    }

    private static Met meet(SSLContext context, boolean isByEngine, Start start) throws Exception {
        return meet(context.getServerSocketFactory(), context.createSSLEngine(), isByEngine, start);
    }

    private static Met meet(ServerSocketFactory sockets, SSLEngine engine, boolean isByEngine, Start start)
            throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        Met met = new Met();
        try (ServerSocket listener = isByEngine ? new ServerSocket(0, 1, loopback)
                : sockets.createServerSocket(0, 1, loopback)) {
            listener.setSoTimeout(PATIENCE_MS);
            OldClient client = start.client(listener.getLocalPort());
            try (Socket socket = listener.accept()) {
                socket.setSoTimeout(PATIENCE_MS);
                met.session = isByEngine ? converse(engine, socket) : converse((SSLSocket) socket);
            } catch (SSLException e) {
                met.failure = e;
            } finally {
                met.client = client.finish();
            }
        }
        return met;
    }

    private static SSLSession converse(SSLSocket socket) throws IOException {
        socket.startHandshake();
        assertArrayEquals(OldClient.PING, socket.getInputStream().readNBytes(OldClient.PING.length));
        socket.getOutputStream().write(OldClient.PONG);
        return socket.getSession();
    }

    /** Moves the records of an engine over a socket. After a failure, the client reads its alert before the end. */
    private static SSLSession converse(SSLEngine engine, Socket socket) throws IOException {
        engine.setUseClientMode(false);
        ByteBuffer in = ByteBuffer.allocate(engine.getSession().getPacketBufferSize()).flip();
        ByteBuffer plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        try {
            engine.beginHandshake();
            while (plain.position() < OldClient.PING.length) {
                step(engine, socket, in, plain);
            }
            assertArrayEquals(OldClient.PING, Arrays.copyOf(plain.array(), plain.position()));
            send(engine, socket, ByteBuffer.wrap(OldClient.PONG));
            engine.closeOutbound();
            while (!engine.isOutboundDone()) {
                send(engine, socket, ByteBuffer.allocate(0));
            }
            return engine.getSession();
        } catch (SSLException e) {
            send(engine, socket, ByteBuffer.allocate(0));
            throw e;
        } finally {
            socket.shutdownOutput();
            socket.getInputStream().readAllBytes();
        }
    }

    private static void step(SSLEngine engine, Socket socket, ByteBuffer in, ByteBuffer plain) throws IOException {
        switch (engine.getHandshakeStatus()) {
            case NEED_TASK:
                engine.getDelegatedTask().run();
                break;
            case NEED_WRAP:
                send(engine, socket, ByteBuffer.allocate(0));
                break;
            default:
                if (engine.unwrap(in, plain).getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
                    in.compact();
                    int count = socket.getInputStream().read(in.array(), in.position(), in.remaining());
                    if (count < 0) {
                        throw new EOFException("the client has left");
                    }
                    in.position(in.position() + count).flip();
                }
        }
    }

    private static void send(SSLEngine engine, Socket socket, ByteBuffer content) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(content, out);
        socket.getOutputStream().write(out.array(), 0, out.position());
    }

    @ParameterizedTest
    @CsvSource({
        "TLSv1, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, true", "TLSv1, TLS_RSA_WITH_AES_128_CBC_SHA, false",
        "TLSv1.1, TLS_DHE_RSA_WITH_AES_256_CBC_SHA, true", "TLSv1.1, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, false",
        "TLSv1.2, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, true", "TLSv1.2, TLS_RSA_WITH_AES_256_CBC_SHA256, false",
        "TLSv1.3, TLS_AES_128_GCM_SHA256, true", "TLSv1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, false"})
    void clientOfTheJdkIsServedWithItsVersionAndSuiteByTheNamesOfJava(String version, String suite,
            boolean isByEngine) throws Exception {
        BrokerTlsContext context = server().protocols(ALL).legacyAllow("legacy-rsa-key-exchange").build();
        Met met = meet(context, isByEngine, port -> OldClient.ofJdk(folder, port, version, suite, trust)).served();
        assertEquals(version, met.session.getProtocol());
        assertEquals(suite, met.session.getCipherSuite());
        assertTrue(met.client.startsWith(version + " " + suite + "\n"), met.client);
        assertThrows(SSLPeerUnverifiedException.class, met.session::getPeerPrincipal);
        Map<String, Long> uses = context.legacyUses();
        assertEquals(version.equals("TLSv1") ? 1L : 0L, uses.get("TLSv1"));
        assertEquals(suite.startsWith("TLS_RSA_") ? 1L : 0L, uses.get("legacy-rsa-key-exchange"));
        assertEquals(suite.endsWith("_GCM_SHA256") ? 0L : 1L, uses.get("legacy-engine"));
        assertEquals(0L, uses.get("pre-shared key"));
    }

    /** Later updates of Java 17 put the alert in brackets before the text. */
    private static String refusedWith(String alert) {
        return "(?s).*refused: (\\(" + alert + "\\) )?Received fatal alert: " + alert + "\\b.*";
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientOfTheJdkWithAVersionThatIsNotNamedIsRefusedWithTheAlertForIt(boolean isByEngine) throws Exception {
        BrokerTlsContext context = server().protocols("TLSv1.3", "TLSv1.2", "TLSv1.1").build();
        Met met = meet(context, isByEngine, port -> OldClient.ofJdk(folder, port, "TLSv1",
                "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", trust));
        String hint = met.refused(ErrorCode.NO_COMMON_VERSION).hint();
        assertTrue(hint.contains("is served with versions=TLSv1.3,TLSv1.2,TLSv1.1,TLSv1."), hint);
        assertTrue(met.client.matches(refusedWith("protocol_version")), met.client);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientOfTheJdkWithRsaKeyExchangeIsRefusedWithoutItsSwitch(boolean isByEngine) throws Exception {
        Met met = meet(server().build(), isByEngine, port -> OldClient.ofJdk(folder, port, "TLSv1.2",
                "TLS_RSA_WITH_AES_128_CBC_SHA", trust));
        String hint = met.refused(ErrorCode.NO_COMMON_CIPHER_SUITE).hint();
        assertTrue(hint.contains("is served with legacy-allow=legacy-rsa-key-exchange."), hint);
        assertTrue(met.client.matches(refusedWith("handshake_failure")), met.client);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void identityOfAPreSharedKeyIsThePrincipalOfThePeer(boolean isByEngine) throws Exception {
        BrokerTlsContext context = server().pskFile(keys).build();
        Met met = meet(context, isByEngine, port -> OldClient.ofOpenssl(folder, port, "-tls1_2", "-cipher",
                "PSK-AES128-GCM-SHA256", "-psk_identity", "myclient1", "-psk", SECRET)).served();
        assertEquals("TLS_PSK_WITH_AES_128_GCM_SHA256", met.session.getCipherSuite());
        PskPrincipal peer = assertInstanceOf(PskPrincipal.class, met.session.getPeerPrincipal());
        assertEquals("myclient1", peer.getName());
        assertArrayEquals("myclient1".getBytes(StandardCharsets.US_ASCII), peer.identity());
        assertThrows(SSLPeerUnverifiedException.class, met.session::getPeerCertificates);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientWithAWrongSecretIsRefused(boolean isByEngine) throws Exception {
        BrokerTlsContext context = server().pskFile(keys).build();
        Met met = meet(context, isByEngine, port -> OldClient.ofOpenssl(folder, port, "-tls1_2", "-cipher",
                "PSK-AES128-GCM-SHA256", "-psk_identity", "myclient1", "-psk", "00ff"));
        met.refused(ErrorCode.PSK_REFUSED);
        assertTrue(met.client.contains("SSL alert number 20"), met.client);
    }

    private static final byte[] OTHER = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

    private static Met meetOther(BrokerTlsContext context, boolean isByEngine) throws Exception {
        return meet(context, isByEngine, port -> OldClient.ofOpenssl(folder, port, "-tls1_2", "-cipher",
                "PSK-AES128-GCM-SHA256", "-psk_identity", "other", "-psk", "0102030405060708090a0b0c0d0e0f10"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void keyInMemoryAndKeyOfTheSourceServeTheirClients(boolean isByEngine) throws Exception {
        byte[] other = "other".getBytes(StandardCharsets.US_ASCII);
        BrokerTlsContext inMemory = server().psk(other, OTHER).build();
        assertEquals("other", meetOther(inMemory, isByEngine).served().session.getPeerPrincipal().getName());
        byte[] kept = OTHER.clone();
        BrokerTlsContext bySource = server().pskFile(keys)
                .psk(identity -> Arrays.equals(identity, other) ? kept : null).build();
        for (int turn = 0; turn < 2; turn++) {
            assertEquals("other", meetOther(bySource, isByEngine).served().session.getPeerPrincipal().getName());
        }
        assertArrayEquals(OTHER, kept);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientIsRefusedIfTheSourceDoesNotKnowItOrFails(boolean isByEngine) throws Exception {
        meetOther(server().psk(identity -> null).build(), isByEngine).refused(ErrorCode.PSK_REFUSED);
        meetOther(server().psk(identity -> {
            throw new IllegalStateException("the database is down");
        }).build(), isByEngine).refused(ErrorCode.PSK_UNAVAILABLE);
        meetOther(server().psk(identity -> new byte[257]).build(), isByEngine).refused(ErrorCode.PSK_UNAVAILABLE);
    }

    @Test
    void keyWithoutASecretOrWithoutTheEngineIsRefusedWhenBuilt() {
        byte[] one = {1};
        assertEquals(ErrorCode.PSK_MALFORMED,
                assertThrows(TlsFailure.class, () -> server().psk(one, new byte[0]).build()).code());
        assertEquals(ErrorCode.PSK_MALFORMED,
                assertThrows(TlsFailure.class, () -> server().psk(new byte[] {0}, one).build()).code());
        assertEquals(ErrorCode.OPTION_CONFLICT,
                assertThrows(TlsFailure.class, () -> server().legacyEngine(false).psk(one, one).build()).code());
    }

    @Test
    void namesOfTheSecondEngineAreSupportedByContextsThatHaveThemAlone() throws Exception {
        BrokerTlsContext with = server().protocols(ALL).build();
        BrokerTlsContext without = server().legacyEngine(false).build();
        String[] oldestFirst = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
        String suite = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
        assertArrayEquals(oldestFirst, with.newEngine().getSupportedProtocols());
        assertArrayEquals(oldestFirst, with.newEngine().getEnabledProtocols());
        assertTrue(List.of(with.newEngine().getSupportedCipherSuites()).contains(suite));
        assertArrayEquals(new String[] {"TLSv1.2", "TLSv1.3"}, without.newEngine().getSupportedProtocols());
        assertFalse(List.of(without.newEngine().getSupportedCipherSuites()).contains(suite));
        assertThrows(IllegalArgumentException.class,
                () -> without.newEngine().setEnabledProtocols(new String[] {"TLSv1"}));
        SSLEngine engine = with.newEngine();
        engine.setEnabledProtocols(new String[] {"TLSv1"});
        engine.setEnabledCipherSuites(new String[] {suite});
        assertArrayEquals(new String[] {"TLSv1"}, engine.getEnabledProtocols());
        assertArrayEquals(new String[] {suite}, engine.getEnabledCipherSuites());
    }

    /** Makes a context of {@code SSLContext.getInstance} while the properties, names and values in turn, are set. */
    private static SSLContext withProperties(String... pairs) throws Exception {
        return withProperties(KeyManagerFactory.getInstance("BrokerTLS", new BrokerTlsProvider()), pairs);
    }

    private static SSLContext withProperties(KeyManagerFactory managers, String... pairs) throws Exception {
        managers.init(identity, Authority.PASSWORD);
        for (int i = 0; i < pairs.length; i += 2) {
            System.setProperty(pairs[i], pairs[i + 1]);
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS", new BrokerTlsProvider());
            context.init(managers.getKeyManagers(), null, null);
            return context;
        } finally {
            for (int i = 0; i < pairs.length; i += 2) {
                System.clearProperty(pairs[i]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void propertiesGiveContextsOfGetInstanceTheSecondEngineAndTheirOldParts(boolean isByEngine) throws Exception {
        String suite = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256";
        String old = "TLS_RSA_WITH_AES_128_CBC_SHA";
        SSLContext context = withProperties("brokertls.legacy-engine", "true");
        meet(context, isByEngine, port -> OldClient.ofJdk(folder, port, "TLSv1.2", suite, trust)).served();
        Start withRsa = port -> OldClient.ofJdk(folder, port, "TLSv1.2", old, trust);
        meet(context, isByEngine, withRsa).refused(ErrorCode.NO_COMMON_CIPHER_SUITE);
        meet(withProperties("brokertls.legacy-engine", "yes", "brokertls.legacy-allow", "legacy-rsa-key-exchange"),
                isByEngine, withRsa).served();
        assertFalse(List.of(withProperties().getSupportedSSLParameters().getCipherSuites()).contains(suite));
    }

    @Test
    void propertiesLeaveAContextWithAJavaKeyManagerItsFirstEngineAlone() throws Exception {
        SSLContext context = withProperties(KeyManagerFactory.getInstance("PKIX"), "brokertls.legacy-engine", "yes");
        String suite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        meet(context, true, port -> OldClient.ofJdk(folder, port, "TLSv1.2", suite, trust)).served();
        meet(context, true, port -> OldClient.ofJdk(folder, port, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
                trust)).refused(ErrorCode.NO_COMMON_SIGNATURE);
    }

    @ParameterizedTest
    @CsvSource({"brokertls.legacy-engine, maybe, INVALID_ARGUMENT",
        "brokertls.legacy-allow, everything, INVALID_ARGUMENT",
        "brokertls.legacy-library, /nowhere/legacy.so, LEGACY_UNAVAILABLE"})
    void wrongValuesOfThePropertiesAreRefusedByInit(String property, String value, ErrorCode code) {
        KeyManagementException failure = assertThrows(KeyManagementException.class,
                () -> withProperties("brokertls.legacy-engine", "yes", property, value));
        assertEquals(code, assertInstanceOf(TlsFailure.class, failure.getCause()).code());
    }

    @Test
    void reloadWithAKeyOfAnotherKindChangesTheSuitesThatCanBeEnabled() throws Exception {
        Path certificate = folder.resolve("changed.pem");
        Path key = folder.resolve("changed.key");
        String rsa = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
        String ecdsa = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA";
        authority.issue("elliptic", "ec");
        copy("broker", certificate, key);
        BrokerTlsContext context = BrokerTlsContext.builder().certificate(certificate).privateKey(key)
                .legacyEngine(true).protocols(ALL).build();
        assertEnables(context, rsa, ecdsa);
        copy("elliptic", certificate, key);
        context.reload();
        assertEnables(context, ecdsa, rsa);
        Met met = meet(context, true, port -> OldClient.ofJdk(folder, port, "TLSv1", ecdsa, trust)).served();
        assertEquals(ecdsa, met.session.getCipherSuite());
        copy("broker", certificate, key);
        context.reload();
        assertEnables(context, rsa, ecdsa);
    }

    private static void copy(String name, Path certificate, Path key) throws IOException {
        Files.copy(authority.file(name + ".pem"), certificate, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(authority.file(name + ".key"), key, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void assertEnables(BrokerTlsContext context, String suite, String other) {
        SSLEngine engine = context.newEngine();
        List<String> supported = List.of(engine.getSupportedCipherSuites());
        assertTrue(supported.contains(suite) && !supported.contains(other), supported.toString());
        assertEquals(supported, List.of(context.serverSocketFactory().getSupportedCipherSuites()));
        engine.setEnabledCipherSuites(new String[] {suite});
        assertArrayEquals(new String[] {suite}, engine.getEnabledCipherSuites());
        assertThrows(IllegalArgumentException.class, () -> engine.setEnabledCipherSuites(new String[] {other}));
    }

    /** An engine that connects to a server as "device", and one that serves the keys in {@code server}. */
    private static EnginePair engines(byte[] ours, BrokerTlsContextBuilder server, String version) throws Exception {
        byte[] device = "device".getBytes(StandardCharsets.US_ASCII);
        SSLEngine client = BrokerTlsContext.builder().legacyEngine(true).protocols(version).psk(device, ours)
                .option("psk-identity", "device").build().newEngine("broker", 8883);
        client.setUseClientMode(true);
        SSLEngine served = server.legacyEngine(true).protocols(version).build().newEngine();
        served.setUseClientMode(false);
        return new EnginePair(client, served);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2", "TLSv1"})
    void clientOfOursWithAKeyIsAcceptedAndItsIdentityIsThePrincipalOfThePeerForTheServerAlone(String version)
            throws Exception {
        byte[] device = "device".getBytes(StandardCharsets.US_ASCII);
        EnginePair pair = engines(OTHER, BrokerTlsContext.builder().psk(device, OTHER), version);
        pair.handshake();
        pair.exchange(pair.client, OldClient.PING);
        pair.exchange(pair.server, OldClient.PONG);
        SSLSession client = pair.client.engine.getSession();
        SSLSession server = pair.server.engine.getSession();
        assertEquals(version, client.getProtocol());
        assertEquals(server.getCipherSuite(), client.getCipherSuite());
        assertEquals(new PskPrincipal(device), server.getPeerPrincipal());
        assertThrows(SSLPeerUnverifiedException.class, client::getPeerPrincipal);
        assertThrows(SSLPeerUnverifiedException.class, client::getPeerCertificates);
        assertEquals(null, client.getLocalPrincipal());
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.3, ALERT_DECRYPT_ERROR", "TLSv1.2, ALERT_BAD_RECORD_MAC"})
    void clientOfOursWithAnotherSecretIsRefusedWithTheCodesOfBothSides(String version, ErrorCode alert)
            throws Exception {
        byte[] device = "device".getBytes(StandardCharsets.US_ASCII);
        EnginePair pair = engines(new byte[16], BrokerTlsContext.builder().psk(device, OTHER), version);
        pair.begin().settle();
        TlsFailure served = assertInstanceOf(TlsFailure.class, pair.server.failure.getCause());
        assertEquals(ErrorCode.PSK_REFUSED, served.code());
        assertEquals(alert, assertInstanceOf(TlsFailure.class, pair.client.failure.getCause()).code());
        assertThrows(SSLPeerUnverifiedException.class, pair.server.engine.getSession()::getPeerPrincipal);
        assertThrows(SSLPeerUnverifiedException.class, pair.client.engine.getSession()::getPeerPrincipal);
    }

    @Test
    void identityOfThisSideWithoutItsKeyIsAConflictWhenBuilt() {
        byte[] one = {1};
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder().legacyEngine(true).psk(one, OTHER)
                .option("psk-identity", "device");
        TlsFailure failure = assertThrows(TlsFailure.class, builder::build);
        assertEquals(ErrorCode.OPTION_CONFLICT, failure.code());
        assertTrue(failure.getMessage().contains("psk-identity"), failure.getMessage());
    }

    @Test
    void nameOfAPrincipalIsItsTextOrShowsItsBytes() {
        assertEquals("ger\u00e4t", new PskPrincipal("ger\u00e4t".getBytes(StandardCharsets.UTF_8)).getName());
        assertEquals("a\\\\b\\x0a\\xff", new PskPrincipal(new byte[] {'a', '\\', 'b', '\n', (byte) 0xff}).getName());
        PskPrincipal one = new PskPrincipal(new byte[] {1});
        one.identity()[0] = 2;
        assertEquals(new PskPrincipal(new byte[] {1}), one);
        assertEquals(one.hashCode(), new PskPrincipal(new byte[] {1}).hashCode());
        assertFalse(one.equals(new PskPrincipal(new byte[] {2})));
    }
}
