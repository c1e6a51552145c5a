package io.brokertls.jsse.keys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Provider;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our reading of PKCS#12 and JKS files beside the JDK's own: the same aliases, kinds, chains and keys. */
class StoreParityTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();
    private static final char[] PASSWORD = "password".toCharArray();
    private static final int SECONDS_MAX = 60;
    private static final int CHAIN = 3;

    @TempDir
    static Path folder;

    /** A root, one authority below it, and two identities of that one. */
    @BeforeAll
    static void issue() throws Exception {
        Files.writeString(folder.resolve("ca.ext"), "basicConstraints=critical,CA:TRUE\n");
        Files.writeString(folder.resolve("leaf.ext"), "subjectAltName=DNS:localhost\n");
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", "root.key", "-subj",
                "/CN=root", "-out", "root.pem");
        issue("middle", "root", "ca", "rsa:2048");
        issue("first", "middle", "leaf", "rsa:2048");
        issue("second", "middle", "leaf", "rsa:3072");
        Files.writeString(folder.resolve("issuers.pem"), read("middle.pem") + read("root.pem"));
        Files.writeString(folder.resolve("issuers-reversed.pem"), read("root.pem") + read("middle.pem"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"issuers.pem", "issuers-reversed.pem"})
    void keyWithoutANameHasItsWholeChain(String issuers) throws Exception {
        openssl("pkcs12", "-export", "-inkey", "first.key", "-in", "first.pem", "-certfile", issuers,
                "-passout", "pass:password", "-out", "unnamed.p12");
        KeyStore ours = assertSameAsJdk("PKCS12", "unnamed.p12");
        assertEquals(CHAIN, ours.getCertificateChain("1").length);
    }

    @Test
    void aliasOfMixedCaseIsFoundInAnyCase() throws Exception {
        openssl("pkcs12", "-export", "-inkey", "first.key", "-in", "first.pem", "-certfile", "issuers.pem",
                "-name", "Broker Key", "-passout", "pass:password", "-out", "mixed.p12");
        KeyStore ours = assertSameAsJdk("PKCS12", "mixed.p12");
        for (String alias : new String[] {"Broker Key", "broker key", "BROKER KEY"}) {
            assertTrue(ours.isKeyEntry(alias), alias);
            assertEquals(CHAIN, ours.getCertificateChain(alias).length);
            assertEquals("RSA", ours.getKey(alias, PASSWORD).getAlgorithm());
        }
        assertNull(ours.getCertificateChain("broker"));
    }

    @Test
    void severalKeysHaveAChainEachAndTrustedCertificatesStayApart() throws Exception {
        merged("PKCS12", "several.p12");
        KeyStore ours = assertSameAsJdk("PKCS12", "several.p12");
        for (String alias : new String[] {"first", "second"}) {
            X509Certificate[] chain = Arrays.copyOf(ours.getCertificateChain(alias), CHAIN, X509Certificate[].class);
            assertEquals(List.of("CN=" + alias, "CN=middle", "CN=root"), names(chain));
        }
        assertTrue(ours.isCertificateEntry("anchor"));
    }

    @Test
    void javaKeyStoreOfSeveralKeysIsReadAlike() throws Exception {
        merged("JKS", "several.jks");
        assertSameAsJdk("JKS", "several.jks");
    }

    @Test
    void keyWithoutItsIssuersHasItsOwnCertificateAlone() throws Exception {
        openssl("pkcs12", "-export", "-inkey", "first.key", "-in", "first.pem", "-name", "alone",
                "-passout", "pass:password", "-out", "alone.p12");
        KeyStore ours = assertSameAsJdk("PKCS12", "alone.p12");
        assertEquals(1, ours.getCertificateChain("alone").length);
    }

    @Test
    void certificatesWithoutAKeyAreTrustedThoughNothingSaysSo() throws Exception {
        openssl("pkcs12", "-export", "-nokeys", "-in", "root.pem", "-passout", "pass:password", "-out", "roots.p12");
        assertEquals(0, load("PKCS12", "SunJSSE", "roots.p12").size());
        KeyStore ours = KeyStore.getInstance("BrokerTLS-PKCS12", PROVIDER);
        try (InputStream in = Files.newInputStream(folder.resolve("roots.p12"))) {
            ours.load(in, PASSWORD);
        }
        assertEquals(1, ours.size());
        assertTrue(ours.isCertificateEntry("1"));
    }

    /** Loads the file with both; gives ours. */
    private static KeyStore assertSameAsJdk(String type, String file) throws Exception {
        KeyStore jdk = load(type, "SUN", file);
        KeyStore ours = KeyStore.getInstance("BrokerTLS-" + type, PROVIDER);
        try (InputStream in = Files.newInputStream(folder.resolve(file))) {
            ours.load(in, PASSWORD);
        }
        assertEquals(new TreeSet<>(Collections.list(jdk.aliases())), new TreeSet<>(Collections.list(ours.aliases())));
        assertEquals(jdk.size(), ours.size());
        for (String alias : Collections.list(jdk.aliases())) {
            assertTrue(ours.containsAlias(alias));
            assertEquals(jdk.isKeyEntry(alias), ours.isKeyEntry(alias), alias);
            assertEquals(jdk.isCertificateEntry(alias), ours.isCertificateEntry(alias), alias);
            assertArrayEquals(jdk.getCertificateChain(alias), ours.getCertificateChain(alias), alias);
            assertEquals(jdk.getCertificate(alias), ours.getCertificate(alias), alias);
            assertEquals(jdk.getKey(alias, PASSWORD), ours.getKey(alias, PASSWORD), alias);
            assertEquals(jdk.getCertificateAlias(jdk.getCertificate(alias)),
                    ours.getCertificateAlias(jdk.getCertificate(alias)));
        }
        return ours;
    }

    private static KeyStore load(String type, String provider, String file) throws Exception {
        KeyStore store = KeyStore.getInstance(type, type.equals("PKCS12") ? "SunJSSE" : provider);
        try (InputStream in = Files.newInputStream(folder.resolve(file))) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    /** Both keys with their chains, and a trusted certificate, by keytool. */
    private static void merged(String type, String file) throws IOException {
        for (String name : new String[] {"first", "second"}) {
            openssl("pkcs12", "-export", "-inkey", name + ".key", "-in", name + ".pem", "-certfile", "issuers.pem",
                    "-name", name, "-passout", "pass:password", "-out", name + ".p12");
            keytool("-importkeystore", "-srckeystore", name + ".p12", "-srcstoretype", "PKCS12", "-srcstorepass",
                    "password", "-destkeystore", file, "-deststoretype", type, "-deststorepass", "password");
        }
        keytool("-importcert", "-noprompt", "-alias", "Anchor", "-file", "root.pem", "-keystore", file,
                "-storetype", type, "-storepass", "password");
    }

    private static List<String> names(X509Certificate[] chain) {
        List<String> names = new ArrayList<>();
        for (X509Certificate certificate : chain) {
            names.add(certificate.getSubjectX500Principal().getName());
        }
        return names;
    }

    private static String read(String file) throws IOException {
        return Files.readString(folder.resolve(file));
    }

    private static void issue(String name, String issuer, String extensions, String key) throws IOException {
        openssl("req", "-newkey", key, "-nodes", "-keyout", name + ".key", "-subj", "/CN=" + name,
                "-out", name + ".csr");
        openssl("x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key",
                "-CAcreateserial", "-days", "30", "-extfile", extensions + ".ext", "-out", name + ".pem");
    }

    private static void openssl(String... arguments) throws IOException {
        run("openssl", arguments);
    }

    private static void keytool(String... arguments) throws IOException {
        run(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), arguments);
    }

    private static void run(String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(Arrays.asList(arguments));
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(output.toFile()).start();
        try {
            if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException(command + ": " + Files.readString(output));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
