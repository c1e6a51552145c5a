package io.brokertls.peer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An authority with a key of its own in a folder of the test: issues certificates of any shape, and revokes them. */
public final class Authority {
    public static final char[] PASSWORD = "password".toCharArray();

    private static final int COMMAND_SECONDS_MAX = 60;

    private final Path folder;

    /** @param key as openssl names it: {@code ec}, or {@code rsa:2048} */
    public Authority(Path folder, String key) throws IOException {
        this.folder = folder;
        Files.writeString(folder.resolve("leaf.ext"), "subjectAltName=DNS:" + Pki.HOST + "\n");
        Files.writeString(folder.resolve("index.txt"), "");
        Files.writeString(folder.resolve("ca.cnf"), "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\n"
                + "default_md=sha256\ncertificate=ca.pem\nprivate_key=ca.key\ndefault_crl_days=30\n");
        run(withKey(key, "openssl", "req", "-x509", "-nodes", "-days", "30", "-keyout", "ca.key", "-subj", "/CN=ca",
                "-out", "ca.pem"));
    }

    /** A certificate for {@link Pki#HOST}. */
    public KeyStore issue(String name, String key) throws IOException, GeneralSecurityException {
        return issueAs(name, key, "-extfile", "leaf.ext");
    }

    /** A certificate as these options of {@code openssl x509} make it; without an extension file one of version 1. */
    public KeyStore issueAs(String name, String key, String... options) throws IOException, GeneralSecurityException {
        run(withKey(key, "openssl", "req", "-nodes", "-keyout", name + ".key", "-subj", "/CN=" + name,
                "-out", name + ".csr"));
        List<String> command = new ArrayList<>(List.of("openssl", "x509", "-req", "-in", name + ".csr", "-CA",
                "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-out", name + ".pem"));
        command.addAll(Arrays.asList(options));
        run(command.toArray(new String[0]));
        run("openssl", "pkcs12", "-export", "-inkey", name + ".key", "-in", name + ".pem", "-name", name,
                "-passout", "pass:" + new String(PASSWORD), "-out", name + ".p12");
        return load(name + ".p12");
    }

    private KeyStore load(String file) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve(file))) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    /** A certificate that another one issued, which comes with it. */
    public KeyStore issueBelow(String name, String issuer) throws IOException, GeneralSecurityException {
        run("openssl", "req", "-nodes", "-newkey", "rsa:2048", "-keyout", name + ".key", "-subj", "/CN=" + name,
                "-out", name + ".csr");
        run("openssl", "x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key",
                "-CAcreateserial", "-days", "30", "-extfile", "leaf.ext", "-out", name + ".pem");
        run("openssl", "pkcs12", "-export", "-inkey", name + ".key", "-in", name + ".pem", "-certfile",
                issuer + ".pem", "-name", name, "-passout", "pass:" + new String(PASSWORD), "-out", name + ".p12");
        return load(name + ".p12");
    }

    /** A certificate for a key that is elsewhere. */
    public X509Certificate certify(String name, PublicKey key) throws IOException, GeneralSecurityException {
        String pem = "-----BEGIN PUBLIC KEY-----\n" + Base64.getMimeEncoder().encodeToString(key.getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
        Files.writeString(folder.resolve(name + ".pub"), pem);
        run("openssl", "x509", "-new", "-subj", "/CN=" + name, "-force_pubkey", name + ".pub", "-CA", "ca.pem",
                "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "leaf.ext", "-out", name + ".pem");
        return read(name + ".pem");
    }

    public X509Certificate certificate() throws IOException, GeneralSecurityException {
        return read("ca.pem");
    }

    private X509Certificate read(String file) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(folder.resolve(file))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    /** A store that trusts this authority alone. */
    public KeyStore trust() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", certificate());
        return store;
    }

    /** The list of all that was revoked, this one now among them. */
    public X509CRL revoke(String name) throws IOException, GeneralSecurityException {
        run("openssl", "ca", "-config", "ca.cnf", "-revoke", name + ".pem");
        run("openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "ca.crl");
        try (InputStream in = Files.newInputStream(folder.resolve("ca.crl"))) {
            return (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(in);
        }
    }

    /** Lets the authority's responder answer for this one: without it the status is unknown. */
    public void enter(String name) throws IOException {
        run("openssl", "ca", "-config", "ca.cnf", "-valid", name + ".pem");
    }

    /** The OCSP response (DER) that openssl gives to this request. */
    public byte[] respond(byte[] request) throws IOException {
        Files.write(folder.resolve("request.der"), request);
        run("openssl", "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key",
                "-reqin", "request.der", "-ndays", "1", "-respout", "response.der");
        return Files.readAllBytes(folder.resolve("response.der"));
    }

    /** A file with the OCSP response about this one, as servers staple it. */
    public Path staple(String name) throws IOException {
        run("openssl", "ocsp", "-issuer", "ca.pem", "-cert", name + ".pem", "-no_nonce", "-reqout", "asked.der");
        return Files.write(folder.resolve(name + ".staple"), respond(Files.readAllBytes(folder.resolve("asked.der"))));
    }

    /** The file with what openssl made: {@code name.pem}, {@code name.key}. */
    public Path file(String name) {
        return folder.resolve(name);
    }

    private static String[] withKey(String key, String... command) {
        List<String> all = new ArrayList<>(Arrays.asList(command));
        all.addAll(List.of("-newkey", key));
        if (key.equals("ec")) {
            all.addAll(List.of("-pkeyopt", "ec_paramgen_curve:P-256"));
        }
        return all.toArray(new String[0]);
    }

    /** Runs a program in the folder. */
    void run(String... command) throws IOException {
        Path output = folder.resolve("output");
        Files.writeString(output, "", StandardOpenOption.CREATE);
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(output.toFile());
        Process process = builder.start();
        try {
            if (!process.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("does not end: " + Arrays.toString(command));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        if (process.exitValue() != 0) {
            throw new IOException(Arrays.toString(command) + ": " + Files.readString(output));
        }
    }
}
