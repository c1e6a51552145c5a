package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys of Ed448, which SunJSSE signs with and this library does not: they are refused by name, or another is taken. */
class Ed448KeyTest {
    private static final String UNSERVED =
            "BTLS_KEY_ALGORITHM_UNSUPPORTED (211): the private key's algorithm is not supported: Ed448";
    private static final String REMEDY =
            "Use RSA (1024 bits or more), ECDSA on P-256, P-384 or P-521, Ed25519, or ML-DSA.";

    /** A store with the keys of these identities. */
    private static KeyStore keys(String... names) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        for (String name : names) {
            KeyStore identity = Pki.get().identity(name);
            keys.setKeyEntry(name, identity.getKey(name, Pki.PASSWORD), Pki.PASSWORD,
                    identity.getCertificateChain(name));
        }
        return keys;
    }

    /** A context with the managers of the JDK. SunX509 knows no signature algorithms of a peer, types of keys alone. */
    private static SSLContext context(Stack stack, String... names) throws Exception {
        KeyManagerFactory managers = KeyManagerFactory.getInstance("SunX509");
        managers.init(keys(names), Pki.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(Pki.get().trust());
        SSLContext context = SSLContext.getInstance("TLS", stack.provider());
        context.init(managers.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static EnginePair pair(SSLContext ofClient, SSLContext ofServer, String version, boolean needsClient) {
        SSLEngine client = ofClient.createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {version});
        SSLEngine server = ofServer.createSSLEngine();
        server.setUseClientMode(false);
        server.setNeedClientAuth(needsClient);
        return new EnginePair(client, server);
    }

    private static void assertUnserved(Throwable failure) {
        assertEquals(UNSERVED, failure.getMessage());
        TlsFailure cause = assertInstanceOf(TlsFailure.class, failure.getCause());
        assertEquals(ErrorCode.KEY_ALGORITHM_UNSUPPORTED, cause.code());
        assertEquals(REMEDY, cause.hint());
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void serverOfTheJdkSignsAndOursSaysTheReasonAndTheRemedy(String version) throws Exception {
        SSLContext client = context(Stack.JDK, "client");
        pair(client, context(Stack.JDK, "ed448"), version, false).handshake();
        EnginePair ours = pair(client, context(Stack.OURS, "ed448"), version, false);
        ours.begin().settle();
        assertUnserved(ours.server.failure);
        assertTrue(ours.client.failure.getMessage().contains("internal_error"), ours.client.failure.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void clientOfTheJdkSignsAndOursSaysTheReasonAndTheRemedy(String version) throws Exception {
        SSLContext server = context(Stack.JDK, "ec");
        pair(context(Stack.JDK, "ed448"), server, version, true).handshake();
        EnginePair ours = pair(context(Stack.OURS, "ed448"), server, version, true);
        ours.begin().settle();
        assertUnserved(ours.client.failure);
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void serverTakesTheKeyOfAnotherTypeIfItsManagerHasOne(String version) throws Exception {
        EnginePair pair = pair(context(Stack.JDK, "client"), context(Stack.OURS, "ed448", "rsa"), version, false);
        pair.handshake();
        X509Certificate shown = (X509Certificate) pair.client.engine.getSession().getPeerCertificates()[0];
        assertEquals("RSA", shown.getPublicKey().getAlgorithm());
        X509Certificate own = (X509Certificate) pair.server.engine.getSession().getLocalCertificates()[0];
        assertEquals(shown, own);
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void clientOffersNoSignatureOfItAndAServerWithSuchAKeyAloneCannotServe(String version) throws Exception {
        EnginePair pair = pair(context(Stack.OURS, "client"), context(Stack.JDK, "ed448"), version, false);
        pair.begin().settle();
        assertNotNull(pair.server.failure);
        TlsFailure told = assertInstanceOf(TlsFailure.class, pair.client.failure.getCause());
        assertEquals(ErrorCode.ALERT_INTERNAL_ERROR, told.code());
    }

    @Test
    void contextFromAFileSaysTheReasonAndTheRemedyWhenItIsBuilt(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("ed448.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            keys("ed448").store(out, Pki.PASSWORD);
        }
        TlsFailure refused = assertThrows(TlsFailure.class,
                () -> BrokerTlsContext.builder().keyStore(file, Pki.PASSWORD).build());
        assertEquals(ErrorCode.KEY_ALGORITHM_UNSUPPORTED, refused.code());
        assertTrue(refused.getMessage().contains("Ed448"), refused.getMessage());
        assertEquals(REMEDY, refused.hint());
    }
}
