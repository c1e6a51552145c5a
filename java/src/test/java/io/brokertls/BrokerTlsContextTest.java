package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.jsse.keys.KeytoolStore;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Provider;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Contexts by the builder and by the provider, as far as no peer is needed. */
class BrokerTlsContextTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();

    @TempDir
    static Path folder;

    @Test
    void contextOfTheBuilderIsAnInitialisedSslContext() throws Exception {
        try (BrokerTlsContext context = BrokerTlsContext.builder().trustSystem().build()) {
            assertSame(context.sslContext(), context.sslContext());
            assertEquals("BrokerTLS", context.sslContext().getProvider().getName());
            assertEquals("broker", context.newEngine("broker", 8883).getPeerHost());
            context.reload();
        }
    }

    @Test
    void missingFileIsNamed() {
        TlsFailure thrown = assertThrows(TlsFailure.class, () -> BrokerTlsContext.builder()
                .keyStore(Path.of("/nowhere/broker.ks"), "password".toCharArray()).build());
        assertEquals(ErrorCode.FILE_UNREADABLE, thrown.code());
        assertTrue(thrown.getMessage().contains("/nowhere/broker.ks"), thrown.getMessage());
    }

    @Test
    void contextIsMadeOfAMapOfOptions() throws Exception {
        Map<String, String> options = new LinkedHashMap<>(Map.of("system-trust", "yes", "versions", "TLSv1.2"));
        try (BrokerTlsContext context = BrokerTlsContext.of(options)) {
            assertArrayEquals(new String[] {"TLSv1.2"}, context.newEngine().getEnabledProtocols());
        }
        options.put("verions", "TLSv1.3");
        TlsFailure thrown = assertThrows(TlsFailure.class, () -> BrokerTlsContext.of(options));
        assertEquals(ErrorCode.UNKNOWN_OPTION, thrown.code());
        assertTrue(thrown.getMessage().contains("verions"), thrown.getMessage());
    }

    @Test
    void unknownOptionIsRefused() {
        assertEquals(ErrorCode.UNKNOWN_OPTION, assertThrows(TlsFailure.class,
                () -> BrokerTlsContext.builder().option("no-such-option", "yes").build()).code());
    }

    @Test
    void keyWithoutCertificateIsRefused() {
        assertEquals(ErrorCode.NO_IDENTITY, assertThrows(TlsFailure.class,
                () -> BrokerTlsContext.builder().privateKey(Path.of("broker.key")).build()).code());
    }

    @Test
    void closingTwiceDoesNothing() throws Exception {
        BrokerTlsContext context = BrokerTlsContext.builder().trustSystem().build();
        context.close();
        context.close();
        assertThrows(IllegalStateException.class, context::reload);
    }

    @Test
    void contextMayBeInitialisedAgain() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", PROVIDER);
        initialise(context);
        initialise(context);
        assertArrayEquals(new String[] {"TLSv1.3", "TLSv1.2"}, context.getSupportedSSLParameters().getProtocols());
    }

    @Test
    void nameOfTheContextLimitsWhatIsEnabled() throws Exception {
        assertArrayEquals(new String[] {"TLSv1.3", "TLSv1.2"}, defaultProtocols("TLS"));
        assertArrayEquals(new String[] {"TLSv1.2"}, defaultProtocols("TLSv1.2"));
        assertArrayEquals(new String[] {"TLSv1.3", "TLSv1.2"}, defaultProtocols("TLSv1.3"));
    }

    private static String[] defaultProtocols(String name) throws Exception {
        SSLContext context = SSLContext.getInstance(name, PROVIDER);
        initialise(context);
        return context.getDefaultSSLParameters().getProtocols();
    }

    private static void initialise(SSLContext context) throws Exception {
        KeyStore store = KeytoolStore.make(folder, "-keyalg", "EC", "-groupname", "secp256r1");
        KeyManagerFactory keys = KeyManagerFactory.getInstance("BrokerTLS", PROVIDER);
        keys.init(store, KeytoolStore.PASSWORD);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("trusted", store.getCertificate(KeytoolStore.ALIAS));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("BrokerTLS", PROVIDER);
        trust.init(trusted);
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    }
}
