package io.brokertls.peer;

import io.brokertls.ErrorCode;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The certificates of these tests: one authority and what it issued, made by openssl once per JVM. */
public final class Pki {
    public static final String HOST = "localhost";
    /** The alerts of a server of the JDK to a client without a certificate: up to 17.0.15 the first, then the others. */
    public static final Set<ErrorCode> ALERTS_OF_THE_JDK_WITHOUT_A_CERTIFICATE = Set.of(ErrorCode.ALERT_BAD_CERTIFICATE,
            ErrorCode.ALERT_CERTIFICATE_REQUIRED, ErrorCode.ALERT_HANDSHAKE_FAILURE);
    static final char[] PASSWORD = "password".toCharArray();

    private static final int COMMAND_SECONDS_MAX = 60;
    /** Makes a certificate so large that a chain of three does not fit into one record of 16,384 bytes. */
    private static final int COMMENT_LENGTH = 7000;

    private static Pki made;

    private final Path folder;
    private final Map<String, KeyStore> identities = new HashMap<>();
    private final KeyStore trust;

    private Pki() throws IOException, GeneralSecurityException {
        folder = Files.createTempDirectory("brokertls-peer");
        try {
            Files.writeString(folder.resolve("leaf.ext"), "subjectAltName=DNS:" + HOST + ",DNS:other.test\n");
            Files.writeString(folder.resolve("large.ext"), "subjectAltName=DNS:" + HOST + "\nnsComment=" + comment());
            Files.writeString(folder.resolve("ca.ext"), "basicConstraints=critical,CA:TRUE\nnsComment=" + comment());
            authority("ca");
            authority("stranger");
            issue("rsa", "ca", "leaf", "rsa:2048");
            issue("ec", "ca", "leaf", "ec");
            issue("pss", "ca", "leaf", "rsa-pss");
            issue("ed448", "ca", "leaf", "ed448");
            issue("client", "ca", "leaf", "ec");
            issue("unknown", "stranger", "leaf", "ec");
            issue("middle", "ca", "ca", "ec");
            issue("lower", "middle", "ca", "ec");
            issue("long", "lower", "large", "ec");
            keep("rsa");
            keep("ec");
            keep("pss");
            keep("ed448");
            keep("client");
            keep("unknown");
            keep("long", "lower", "middle");
            trust = KeyStore.getInstance("PKCS12");
            trust.load(null, null);
            try (InputStream in = Files.newInputStream(folder.resolve("ca.pem"))) {
                trust.setCertificateEntry("ca", CertificateFactory.getInstance("X.509")
                        .generateCertificate(in));
            }
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        }
    }

    /** The certificates, made at the first call. */
    public static synchronized Pki get() {
        if (made == null) {
            try {
                made = new Pki();
            } catch (IOException | GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }
        return made;
    }

    /**
     * {@code rsa}, {@code ec}, {@code pss}, {@code ed448}, {@code client}, {@code long} (three large certificates), or
     * {@code unknown}.
     */
    KeyStore identity(String name) {
        return identities.get(name);
    }

    /** Trusts the authority that issued all but {@code unknown}. */
    KeyStore trust() {
        return trust;
    }

    private void authority(String name) throws IOException {
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-keyout", name + ".key", "-subj", "/CN=" + name, "-out", name + ".pem");
    }

    private void issue(String name, String issuer, String extensions, String key) throws IOException {
        String[] request = {"req", "-newkey", key, "-nodes", "-keyout", name + ".key", "-subj", "/CN=" + name,
            "-out", name + ".csr"};
        if (!key.contains(":") && !key.equals("ed448")) {
            int length = request.length;
            request = Arrays.copyOf(request, length + 2);
            request[length] = "-pkeyopt";
            request[length + 1] = key.equals("ec") ? "ec_paramgen_curve:P-256" : "rsa_keygen_bits:2048";
        }
        openssl(request);
        openssl("x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key",
                "-CAcreateserial", "-days", "30", "-extfile", extensions + ".ext", "-out", name + ".pem");
    }

    private void keep(String name, String... issuers) throws IOException, GeneralSecurityException {
        StringBuilder chain = new StringBuilder(Files.readString(folder.resolve(name + ".pem")));
        for (String issuer : issuers) {
            chain.append(Files.readString(folder.resolve(issuer + ".pem")));
        }
        Files.writeString(folder.resolve("chain"), chain);
        openssl("pkcs12", "-export", "-inkey", name + ".key", "-in", "chain", "-name", name,
                "-passout", "pass:" + new String(PASSWORD), "-out", name + ".p12");
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve(name + ".p12"))) {
            store.load(in, PASSWORD);
        }
        identities.put(name, store);
    }

    private static String comment() {
        return "x".repeat(COMMENT_LENGTH) + "\n";
    }

    private void openssl(String... arguments) throws IOException {
        String[] command = new String[arguments.length + 1];
        command[0] = "openssl";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(output.toFile()).start();
        try {
            if (!process.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("openssl does not end: " + Arrays.toString(arguments));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        if (process.exitValue() != 0) {
            throw new IOException(Arrays.toString(arguments) + ": " + Files.readString(output));
        }
    }
}
