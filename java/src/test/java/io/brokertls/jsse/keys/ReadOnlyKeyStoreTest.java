package io.brokertls.jsse.keys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.jsse.trust.NativeTrustManagerFactory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.Provider;
import java.security.UnrecoverableKeyException;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores read by the native loader. */
class ReadOnlyKeyStoreTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();

    @TempDir
    static Path folder;

    private static KeyStore made;

    @BeforeAll
    static void makeStore() throws Exception {
        made = KeytoolStore.make(folder, "-keyalg", "EC", "-groupname", "secp256r1");
    }

    @Test
    void certificateAndKeyInEitherOrderAreOneEntry() throws Exception {
        for (String pem : new String[] {certificatePem() + keyPem(), keyPem() + certificatePem()}) {
            KeyStore store = load("PEM", pem.getBytes(StandardCharsets.US_ASCII), null);
            List<String> aliases = Collections.list(store.aliases());
            assertEquals(1, store.size(), aliases.toString());
            assertTrue(store.isKeyEntry(aliases.get(0)));
            assertEquals(key(), store.getKey(aliases.get(0), null));
            assertArrayEquals(made.getCertificateChain(KeytoolStore.ALIAS), store.getCertificateChain(aliases.get(0)));
        }
    }

    @Test
    void certificatesAloneAreTrustOfTheJdk() throws Exception {
        KeyStore store = load("PEM", certificatePem().getBytes(StandardCharsets.US_ASCII), null);
        String alias = store.getCertificateAlias(made.getCertificate(KeytoolStore.ALIAS));
        assertTrue(store.isCertificateEntry(alias));
        X509ExtendedTrustManager manager = NativeTrustManagerFactory.ofJdk(store);
        assertArrayEquals(made.getCertificateChain(KeytoolStore.ALIAS), manager.getAcceptedIssuers());
    }

    @Test
    void pkcs12IsReadUnderANameOfItsOwn() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        made.store(out, KeytoolStore.PASSWORD);
        KeyStore store = load("BrokerTLS-PKCS12", out.toByteArray(), KeytoolStore.PASSWORD);
        assertEquals(key(), store.getKey(KeytoolStore.ALIAS, KeytoolStore.PASSWORD));
    }

    @Test
    void wrongPasswordIsAnUnrecoverableKey() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        made.store(out, KeytoolStore.PASSWORD);
        IOException thrown = assertThrows(IOException.class,
                () -> load("BrokerTLS-PKCS12", out.toByteArray(), "wrong".toCharArray()));
        assertInstanceOf(UnrecoverableKeyException.class, thrown.getCause());
        assertTrue(thrown.getMessage().startsWith("BTLS_STORE_PASSWORD_WRONG (203)"), thrown.getMessage());
    }

    @Test
    void bytesOfNoStoreAreRefused() {
        byte[] noise = new byte[4096];
        assertThrows(IOException.class, () -> load("PEM", noise, null));
        assertThrows(IOException.class, () -> load("BrokerTLS-JKS", noise, null));
    }

    @Test
    void changingAndWritingAreRefused() throws Exception {
        KeyStore store = load("PEM", certificatePem().getBytes(StandardCharsets.US_ASCII), null);
        assertThrows(KeyStoreException.class, () -> store.deleteEntry("1"));
        assertThrows(UnsupportedOperationException.class, () -> store.store(new ByteArrayOutputStream(), null));
    }

    @Test
    void emptyStoreHasNoEntries() throws Exception {
        KeyStore store = KeyStore.getInstance("PEM", PROVIDER);
        store.load(null, null);
        assertEquals(0, store.size());
    }

    private static KeyStore load(String type, byte[] content, char[] password) throws Exception {
        KeyStore store = KeyStore.getInstance(type, PROVIDER);
        store.load(new ByteArrayInputStream(content), password);
        return store;
    }

    private static Key key() throws Exception {
        return made.getKey(KeytoolStore.ALIAS, KeytoolStore.PASSWORD);
    }

    private static String certificatePem() throws Exception {
        return pem("CERTIFICATE", made.getCertificate(KeytoolStore.ALIAS).getEncoded());
    }

    private static String keyPem() throws Exception {
        return pem("PRIVATE KEY", key().getEncoded());
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + Base64.getMimeEncoder().encodeToString(der)
                + "\n-----END " + label + "-----\n";
    }
}
