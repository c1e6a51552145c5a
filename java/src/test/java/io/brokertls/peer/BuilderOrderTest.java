package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContext.ClientAuth;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Settings of a builder in every order, and names that are one argument each. */
class BuilderOrderTest {
    private static final int ORDERS = 60;

    @TempDir
    static Path folder;

    private static Authority authority;

    @BeforeAll
    static void makeFiles() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "ec");
        authority.issue("server", "ec");
        authority.run("openssl", "pkcs8", "-topk8", "-in", "server.key", "-passout", "pass:of the key", "-out",
                "locked.key");
    }

    private static String facts(BrokerTlsContext context) throws Exception {
        SSLEngine engine = context.newEngine();
        engine.setUseClientMode(false);
        return Arrays.toString(engine.getEnabledProtocols()) + Arrays.toString(engine.getEnabledCipherSuites())
                + Arrays.toString(engine.getSSLParameters().getApplicationProtocols()) + engine.getNeedClientAuth()
                + context.warnings();
    }

    private static String built(List<Consumer<BrokerTlsContextBuilder>> settings) throws Exception {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        settings.forEach(setting -> setting.accept(builder));
        try (BrokerTlsContext context = builder.build()) {
            return facts(context);
        } catch (TlsFailure e) {
            return e.code().name();
        }
    }

    private static void assertEveryOrderGives(String expected, List<Consumer<BrokerTlsContextBuilder>> settings)
            throws Exception {
        Random random = new Random(16);
        List<Consumer<BrokerTlsContextBuilder>> shuffled = new ArrayList<>(settings);
        for (int order = 0; order < ORDERS; order++) {
            assertEquals(expected, built(shuffled), "order " + order);
            Collections.shuffle(shuffled, random);
        }
    }

    @Test
    void settingsOfAServerGiveTheSameContextInEveryOrder() throws Exception {
        List<Consumer<BrokerTlsContextBuilder>> settings = List.of(
                builder -> builder.certificate(authority.file("server.pem")),
                builder -> builder.privateKey(authority.file("locked.key")),
                builder -> builder.keyPassword("of the key".toCharArray()),
                builder -> builder.trustCertificates(authority.file("ca.pem")),
                builder -> builder.clientAuth(ClientAuth.NEED),
                builder -> builder.protocols("TLSv1.3", "TLSv1.2"),
                builder -> builder.cipherSuites("TLS_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
                builder -> builder.groups("X25519", "secp256r1"),
                builder -> builder.applicationProtocols("mqtt", "amqp"),
                builder -> builder.option("log-refusals", "no"),
                builder -> builder.sessions(10, 60),
                builder -> builder.resumption(true),
                builder -> builder.verifyCallback(chain -> { }),
                builder -> builder.passwords((label, alias) -> null));
        String expected = built(settings);
        assertTrue(expected.startsWith("[TLSv1.2, TLSv1.3]"), expected);
        assertEveryOrderGives(expected, settings);
    }

    @Test
    void settingsThatConflictAreRefusedInEveryOrder() throws Exception {
        assertEveryOrderGives(ErrorCode.OPTION_CONFLICT.name(), List.of(
                builder -> builder.keyStore(authority.file("server.p12"), Authority.PASSWORD),
                builder -> builder.preset("modern"), builder -> builder.protocols("TLSv1.2")));
        assertEveryOrderGives(ErrorCode.VERSION_NOT_SUPPORTED.name(), List.of(
                builder -> builder.keyStore(authority.file("server.p12"), Authority.PASSWORD),
                builder -> builder.protocols("TLSv1.1"), builder -> builder.legacyEngine(false)));
    }

    @Test
    void settingsOfTheSecondEngineAreIndependentOfTheOrder() throws Exception {
        List<Consumer<BrokerTlsContextBuilder>> settings = List.of(
                builder -> builder.keyStore(authority.file("server.p12"), Authority.PASSWORD),
                builder -> builder.legacyEngine(true),
                builder -> builder.protocols("TLSv1.2", "TLSv1.1", "TLSv1"),
                builder -> builder.legacyAllow("legacy-3des"),
                builder -> builder.psk("device".getBytes(), new byte[16]),
                builder -> builder.cipherSuites("ECDHE-ECDSA-AES128-SHA", "DES-CBC3-SHA", "PSK-AES128-GCM-SHA256"));
        assertEveryOrderGives(built(settings), settings);
    }

    @Test
    void protocolWithACommaIsOneName() throws Exception {
        try (BrokerTlsContext context = BrokerTlsContext.builder().applicationProtocols("a,b", " h2", "\u00e9")
                .keyStore(authority.file("server.p12"), Authority.PASSWORD).build()) {
            assertArrayEquals(new String[] {"a,b", " h2", "\u00e9"},
                    context.newEngine().getSSLParameters().getApplicationProtocols());
        }
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        assertThrows(IllegalArgumentException.class, () -> builder.applicationProtocols("\u0416"));
        assertEquals(ErrorCode.INVALID_ALPN, assertThrows(TlsFailure.class, () -> BrokerTlsContext.builder()
                .keyStore(authority.file("server.p12"), Authority.PASSWORD).applicationProtocols("").build()).code());
    }

    @Test
    void nameWithASeparatorIsRefusedAndNotTakenForTwo() {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        for (Runnable call : List.<Runnable>of(() -> builder.protocols("TLSv1.2,TLSv1.3"),
                () -> builder.cipherSuites("TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"),
                () -> builder.groups("X25519:secp256r1"), () -> builder.insecureAllow("insecure-x509-v1,a"),
                () -> builder.legacyAllow("legacy-3des,legacy-dhe"))) {
            assertTrue(assertThrows(IllegalArgumentException.class, call::run).getMessage()
                    .startsWith("each name is an argument of its own"));
        }
    }
}
