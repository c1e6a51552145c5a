package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.jsse.keys.KeytoolStore;
import java.io.File;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A separate process with this provider first in its list: the factories of the JDK, and the sockets that they make.
 */
class DefaultsTest {
    private static final int SECONDS_MAX = 120;

    @TempDir
    static Path folder;

    private static Path store;

    @BeforeAll
    static void makeStore() throws Exception {
        KeyStore made = KeytoolStore.make(folder, "-keyalg", "EC", "-groupname", "secp256r1", "-ext",
                "san=dns:localhost");
        made.setCertificateEntry("trusted", made.getCertificate(KeytoolStore.ALIAS));
        store = folder.resolve("store.p12");
        try (OutputStream out = Files.newOutputStream(store)) {
            made.store(out, KeytoolStore.PASSWORD);
        }
    }

    @Test
    void providerThatStandsFirstLeavesTheDefaultsOfTheProcessToTheJdk() throws Exception {
        Map<String, String> facts = run("BrokerTLS");
        assertJdkServesTheRest(facts);
        assertEquals("SunJSSE", facts.get("Default"));
        assertEquals("true", facts.get("sockets"));
    }

    @Test
    void defaultContextIsOursIfRequested() throws Exception {
        Map<String, String> facts = run("BrokerTLS default");
        assertJdkServesTheRest(facts);
        assertEquals("BrokerTLS", facts.get("Default"));
        assertEquals("false", facts.get("sockets"));
    }

    private static void assertJdkServesTheRest(Map<String, String> facts) {
        assertEquals("BrokerTLS", facts.get("first"), facts.toString());
        assertEquals("BrokerTLS", facts.get("TLS"), "a context that is asked for by its name is ours");
        assertEquals("page", facts.get("https"), facts.toString());
        assertEquals("SunJSSE", facts.get("PKIX"));
        assertEquals("SunJSSE", facts.get("trust default"));
        assertEquals("SunJSSE", facts.get("key default"));
        assertTrue(facts.get("PKCS12").startsWith("Sun") || facts.get("PKCS12").equals("SUN"), facts.toString());
        for (String service : new String[] {"JKS", "X.509", "path", "SHA-256"}) {
            assertEquals("SUN", facts.get(service), service);
        }
        assertEquals("SunJCE", facts.get("AES"));
        assertEquals("SunEC", facts.get("EC"));
        assertEquals("SunEC", facts.get("signer"));
        for (String fact : new String[] {"random", "verified", "jar"}) {
            assertEquals("true", facts.get(fact), fact);
        }
    }

    /** Runs the program with this line as the first of the list of providers, and the JDK's own behind it. */
    private static Map<String, String> run(String first) throws Exception {
        StringBuilder properties = new StringBuilder("security.provider.1=" + first + "\n");
        String[] own = {"SUN", "SunRsaSign", "SunEC", "SunJSSE", "SunJCE"};
        for (int i = 0; i < own.length; i++) {
            properties.append("security.provider.").append(i + 2).append('=').append(own[i]).append('\n');
        }
        Path list = Files.writeString(folder.resolve("providers"), properties);
        Path output = folder.resolve("output");
        String password = new String(KeytoolStore.PASSWORD);
        Path program = Path.of(DefaultsTest.class.getResource("/Defaults.java").toURI());
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.security.properties=" + list, "-Djavax.net.ssl.keyStore=" + store,
                "-Djavax.net.ssl.keyStorePassword=" + password, "-Djavax.net.ssl.trustStore=" + store,
                "-Djavax.net.ssl.trustStorePassword=" + password, "-cp", classPath(), program.toString());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        boolean ended = process.waitFor(SECONDS_MAX, TimeUnit.SECONDS);
        process.destroyForcibly();
        String said = Files.readString(output);
        assertTrue(ended && process.exitValue() == 0, said);
        Map<String, String> facts = new HashMap<>();
        for (String line : said.split("\n")) {
            int end = line.indexOf('=');
            facts.put(line.substring(0, Math.max(end, 0)), line.substring(end + 1).trim());
        }
        return facts;
    }

    /** Our classes, and the native library among the tests' resources. */
    private static String classPath() throws Exception {
        URI classes = BrokerTlsProvider.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        Path resources = Path.of(DefaultsTest.class.getResource("/Defaults.java").toURI()).getParent();
        return Path.of(classes) + File.pathSeparator + resources;
    }
}
