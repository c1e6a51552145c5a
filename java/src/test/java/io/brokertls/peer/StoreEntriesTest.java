package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.KeyStore;
import java.security.UnrecoverableKeyException;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.spec.PBEParameterSpec;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores of several entries, through {@link KeyStore} and the builder: each key is read when it is asked for. */
class StoreEntriesTest {
    private static final char[] PASSWORD = Authority.PASSWORD;
    private static final char[] OTHER_PASSWORD = "of the other key".toCharArray();
    /** More than a file may cost, so that it is refused before anything is derived. */
    private static final int TOO_MANY_ITERATIONS = 25_000_000;
    private static final int BLOCK = 16;

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyStore one;
    private static KeyStore two;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        one = authority.issue("one", "ec");
        two = authority.issue("two", "rsa:2048");
    }

    @Test
    void equalAliasesOfKeysGetNumbersAndEachKeepsItsKey() throws Exception {
        // The JDK's only store that keeps names which differ in case alone.
        KeyStore exact = KeyStore.getInstance("CaseExactJKS");
        exact.load(null, null);
        put(exact, "Broker", "one", one, PASSWORD);
        put(exact, "broker", "two", two, OTHER_PASSWORD);
        exact.setCertificateEntry("BROKER", authority.certificate());
        write(exact, "exact.jks");
        KeyStore ours = load("BrokerTLS-JKS", "exact.jks");
        assertEquals(new TreeSet<>(List.of("broker", "broker-2", "broker-3")),
                new TreeSet<>(Collections.list(ours.aliases())));
        int keys = 0;
        for (String alias : Collections.list(ours.aliases())) {
            assertTrue(ours.containsAlias(alias));
            if (ours.isKeyEntry(alias)) {
                boolean isOne = ours.getCertificate(alias).equals(one.getCertificate("one"));
                KeyStore made = isOne ? one : two;
                String name = isOne ? "one" : "two";
                assertEquals(made.getKey(name, PASSWORD), ours.getKey(alias, isOne ? PASSWORD : OTHER_PASSWORD));
                assertArrayEquals(made.getCertificateChain(name), ours.getCertificateChain(alias));
                keys++;
            } else {
                assertEquals(authority.certificate(), ours.getCertificate(alias));
            }
        }
        assertEquals(2, keys);
        assertThrows(UnrecoverableKeyException.class, () -> ours.getKey("broker", "neither".toCharArray()));
    }

    @Test
    void equalNamesOfCertificatesGetNumbers() throws Exception {
        Files.writeString(authority.file("three.pem"), Files.readString(authority.file("one.pem"))
                + Files.readString(authority.file("two.pem")) + Files.readString(authority.file("ca.pem")));
        authority.run("openssl", "pkcs12", "-export", "-nokeys", "-in", "three.pem", "-caname", "same", "-caname",
                "Same", "-caname", "same", "-passout", "pass:" + new String(PASSWORD), "-out", "same.p12");
        KeyStore ours = load("BrokerTLS-PKCS12", "same.p12");
        assertEquals(List.of("same", "same-2", "same-3"), Collections.list(ours.aliases()));
        for (String alias : Collections.list(ours.aliases())) {
            assertTrue(ours.isCertificateEntry(alias));
        }
        assertEquals(authority.certificate(), ours.getCertificate("SAME-3"));
    }

    @Test
    void keyThatIsTooDearLeavesTheOneBesideIt() throws Exception {
        for (boolean dearFirst : new boolean[] {true, false}) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            if (dearFirst) {
                store.setKeyEntry("dear", dear(), one.getCertificateChain("one"));
            }
            put(store, "usable", "two", two, PASSWORD);
            if (!dearFirst) {
                store.setKeyEntry("dear", dear(), one.getCertificateChain("one"));
            }
            write(store, "dear.p12");
            KeyStore ours = load("BrokerTLS-PKCS12", "dear.p12");
            assertEquals(new TreeSet<>(List.of("dear", "usable")), new TreeSet<>(Collections.list(ours.aliases())));
            assertEquals(two.getKey("two", PASSWORD), ours.getKey("usable", PASSWORD));
            assertArrayEquals(one.getCertificateChain("one"), ours.getCertificateChain("dear"));
            UnrecoverableKeyException refused =
                    assertThrows(UnrecoverableKeyException.class, () -> ours.getKey("dear", PASSWORD));
            assertTrue(refused.getMessage().contains("BTLS_COST_TOO_HIGH"), refused.getMessage());
            assertServes("two", "dear.p12", null, "alias dear: ");
            assertServes("two", "dear.p12", "Usable", null);
            assertRefused(ErrorCode.COST_TOO_HIGH, "dear.p12", "dear");
        }
    }

    @Test
    void keyOfAnAlgorithmThatIsNotServedLeavesTheOneBesideIt() throws Exception {
        for (String type : new String[] {"PKCS12", "JKS"}) {
            KeyStore store = KeyStore.getInstance(type);
            store.load(null, null);
            KeyStore old = authority.issue("old", "ed448");
            put(store, "old", "old", old, PASSWORD);
            put(store, "usable", "two", two, PASSWORD);
            write(store, "old.store");
            KeyStore ours = load("BrokerTLS-" + type, "old.store");
            assertEquals(2, ours.size());
            assertEquals(two.getKey("two", PASSWORD), ours.getKey("usable", PASSWORD));
            assertArrayEquals(old.getCertificateChain("old"), ours.getCertificateChain("old"));
            assertServes("two", "old.store", null, "alias old: ");
            assertRefused(ErrorCode.KEY_ALGORITHM_UNSUPPORTED, "old.store", "old");
        }
    }

    @Test
    void keyOfAnotherPasswordIsReadWithItsOwnAlone() throws Exception {
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, null);
        put(store, "one", "one", one, OTHER_PASSWORD);
        put(store, "two", "two", two, PASSWORD);
        write(store, "passwords.jks");
        KeyStore ours = load("BrokerTLS-JKS", "passwords.jks");
        assertEquals(one.getKey("one", PASSWORD), ours.getKey("one", OTHER_PASSWORD));
        assertEquals(two.getKey("two", PASSWORD), ours.getKey("TWO", PASSWORD));
        UnrecoverableKeyException refused =
                assertThrows(UnrecoverableKeyException.class, () -> ours.getKey("one", PASSWORD));
        assertTrue(refused.getMessage().contains("BTLS_KEY_PASSWORD_WRONG"), refused.getMessage());
        assertEquals(one.getKey("one", PASSWORD), ours.getKey("one", OTHER_PASSWORD));
        assertServes("two", "passwords.jks", "two", null);
        assertRefused(ErrorCode.KEY_PASSWORD_WRONG, "passwords.jks", "one");
        assertRefused(ErrorCode.ALIAS_NOT_FOUND, "passwords.jks", "three");
    }

    /** An encrypted key that says it took this many iterations: nothing is encrypted, which would take too long. */
    private static byte[] dear() throws Exception {
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("PBEWithSHA1AndDESede");
        parameters.init(new PBEParameterSpec(new byte[BLOCK], TOO_MANY_ITERATIONS));
        return new EncryptedPrivateKeyInfo(parameters, new byte[BLOCK * BLOCK]).getEncoded();
    }

    private static void put(KeyStore store, String alias, String name, KeyStore from, char[] password)
            throws Exception {
        store.setKeyEntry(alias, from.getKey(name, PASSWORD), password, from.getCertificateChain(name));
    }

    private static void write(KeyStore store, String name) throws Exception {
        try (OutputStream out = Files.newOutputStream(authority.file(name))) {
            store.store(out, PASSWORD);
        }
    }

    private static KeyStore load(String type, String name) throws Exception {
        KeyStore store = KeyStore.getInstance(type, new BrokerTlsProvider());
        try (InputStream in = Files.newInputStream(authority.file(name))) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private static BrokerTlsContext build(String store, String alias) throws TlsFailure {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder().keyStore(authority.file(store), PASSWORD);
        return (alias == null ? builder : builder.keyAlias(alias)).trustCertificates(authority.file("ca.pem")).build();
    }

    /** A server of this store shows the certificate of this name, and warns of the entry that it does not use. */
    private static void assertServes(String name, String store, String alias, String warned) throws Exception {
        try (BrokerTlsContext both = build(store, alias)) {
            List<String> warnings = both.warnings();
            assertEquals(warned == null ? 0 : 1, warnings.size(), warnings.toString());
            assertTrue(warned == null || warnings.get(0).contains(warned), warnings.toString());
            SSLEngine client = both.newEngine(Pki.HOST, 8883);
            client.setUseClientMode(true);
            SSLEngine server = both.newEngine();
            server.setUseClientMode(false);
            EnginePair pair = new EnginePair(client, server);
            pair.handshake();
            assertEquals("CN=" + name, client.getSession().getPeerPrincipal().getName());
        }
    }

    private static void assertRefused(ErrorCode code, String store, String alias) {
        TlsFailure failure = assertThrows(TlsFailure.class, () -> build(store, alias).close());
        assertEquals(code, failure.code(), failure.getMessage());
        assertTrue(failure.getMessage().contains(store), failure.getMessage());
    }
}
