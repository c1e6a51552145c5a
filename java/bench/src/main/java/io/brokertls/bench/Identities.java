package io.brokertls.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.concurrent.TimeUnit;

/** Self-signed identities made by keytool, one of each kind of key, in a folder that all forks read. */
final class Identities {
    static final String HOST = "localhost";
    static final char[] PASSWORD = "password".toCharArray();

    /** The folder of the stores, for the forks of a run. */
    private static final String FOLDER = "io.brokertls.bench.identities";

    private static final int SECONDS_MAX = 60;

    private Identities() {
    }

    /** Makes the stores for this process, and returns the option by which a fork finds them. */
    static String make() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("brokertls-bench");
        keytool(folder.resolve("ECDSA_P256"), "EC", "-groupname", "secp256r1");
        keytool(folder.resolve("RSA_2048"), "RSA", "-keysize", "2048");
        System.setProperty(FOLDER, folder.toString());
        return "-D" + FOLDER + "=" + folder;
    }

    static KeyStore identity(String key) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(System.getProperty(FOLDER), key))) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    static KeyStore trust(String key) throws IOException, GeneralSecurityException {
        Certificate certificate = identity(key).getCertificate("server");
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry("server", certificate);
        return trust;
    }

    private static void keytool(Path store, String algorithm, String option, String value)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", "server", "-keyalg", algorithm, option, value, "-dname", "CN=" + HOST,
                "-ext", "san=dns:" + HOST, "-validity", "30", "-storetype", "PKCS12", "-keystore", store.toString(),
                "-storepass", new String(PASSWORD)).inheritIO().start();
        if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException("keytool failed for " + algorithm);
        }
    }
}
