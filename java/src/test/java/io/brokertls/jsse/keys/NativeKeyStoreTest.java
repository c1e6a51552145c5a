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
import java.security.PrivateKey;
import java.security.Provider;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509KeyManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores read by the native loader, and entries that are given to them. */
class NativeKeyStoreTest {
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

    private static KeyStore empty(String type) throws Exception {
        KeyStore store = KeyStore.getInstance(type, PROVIDER);
        store.load(null, null);
        return store;
    }

    /** As Tomcat does: it copies the one entry that it serves into an empty store of the same type and provider. */
    @Test
    void entryIsCopiedIntoAnEmptyStoreOfEachTypeAndServed() throws Exception {
        KeyStore from = load("PEM", (certificatePem() + keyPem()).getBytes(StandardCharsets.US_ASCII), null);
        String alias = from.aliases().nextElement();
        for (String type : new String[] {"PEM", "BrokerTLS-PKCS12", "BrokerTLS-JKS"}) {
            KeyStore to = empty(type);
            to.setKeyEntry("Server", from.getKey(alias, new char[0]), "x".toCharArray(),
                    from.getCertificateChain(alias));
            assertEquals(List.of("server"), Collections.list(to.aliases()));
            assertEquals(key(), to.getKey("SERVER", "x".toCharArray()));
            assertArrayEquals(made.getCertificateChain(KeytoolStore.ALIAS), to.getCertificateChain("server"));
            assertTrue(to.isKeyEntry("server") && to.getCreationDate("server") != null);
            KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
            keys.init(to, "x".toCharArray());
            assertEquals(key(), ((X509KeyManager) keys.getKeyManagers()[0]).getPrivateKey("server"));
            KeyManagerFactory own = KeyManagerFactory.getInstance("BrokerTLS", PROVIDER);
            own.init(to, "x".toCharArray());
            assertEquals(1, own.getKeyManagers().length);
        }
    }

    @Test
    void entriesAreAddedToAFileAndDeletedFromIt() throws Exception {
        KeyStore store = load("PEM", certificatePem().getBytes(StandardCharsets.US_ASCII), null);
        String read = store.aliases().nextElement();
        store.setKeyEntry("added", key(), "x".toCharArray(), made.getCertificateChain(KeytoolStore.ALIAS));
        store.setCertificateEntry("ca", made.getCertificate(KeytoolStore.ALIAS));
        assertEquals(List.of(read, "added", "ca"), Collections.list(store.aliases()));
        for (Enumeration<String> all = store.aliases(); all.hasMoreElements();) {
            store.deleteEntry(all.nextElement());
        }
        store.deleteEntry("none");
        assertEquals(0, store.size());
    }

    @Test
    void keyIsReturnedForItsPasswordAlone() throws Exception {
        KeyStore store = empty("PEM");
        Certificate[] chain = made.getCertificateChain(KeytoolStore.ALIAS);
        store.setKeyEntry("locked", key(), "x".toCharArray(), chain);
        store.setKeyEntry("empty", key(), new char[0], chain);
        store.setKeyEntry("open", key(), null, chain);
        assertEquals(key(), store.getKey("locked", "x".toCharArray()));
        assertEquals(key(), store.getKey("empty", new char[0]));
        assertEquals(key(), store.getKey("open", null));
        assertEquals(key(), store.getKey("open", "any".toCharArray()));
        for (char[] wrong : new char[][] {"y".toCharArray(), new char[0], null}) {
            UnrecoverableKeyException thrown =
                    assertThrows(UnrecoverableKeyException.class, () -> store.getKey("locked", wrong));
            assertEquals("the key locked: the password is wrong", thrown.getMessage());
        }
        store.setEntry("protected", new KeyStore.PrivateKeyEntry((PrivateKey) key(), chain),
                new KeyStore.PasswordProtection("z".toCharArray()));
        KeyStore.PrivateKeyEntry entry = (KeyStore.PrivateKeyEntry) store.getEntry("protected",
                new KeyStore.PasswordProtection("z".toCharArray()));
        assertEquals(key(), entry.getPrivateKey());
    }

    @Test
    void entryThatIsNoPrivateKeyWithItsChainIsRefused() throws Exception {
        KeyStore store = empty("PEM");
        Certificate certificate = made.getCertificate(KeytoolStore.ALIAS);
        Certificate[] chain = {certificate};
        store.setKeyEntry("key", key(), null, chain);
        assertThrows(KeyStoreException.class, () -> store.setCertificateEntry("KEY", certificate));
        assertThrows(KeyStoreException.class, () -> store.setCertificateEntry("none", null));
        assertThrows(KeyStoreException.class,
                () -> store.setKeyEntry("secret", new SecretKeySpec(new byte[16], "AES"), null, null));
        assertThrows(KeyStoreException.class, () -> store.setKeyEntry("bytes", new byte[16], chain));
        assertThrows(KeyStoreException.class, () -> store.setKeyEntry("null", null, null, chain));
        assertEquals(1, store.size());
    }

    @Test
    void writingIsRefused() throws Exception {
        KeyStore store = load("PEM", certificatePem().getBytes(StandardCharsets.US_ASCII), null);
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
