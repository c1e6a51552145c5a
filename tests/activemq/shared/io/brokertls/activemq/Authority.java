package io.brokertls.activemq;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An authority made with openssl: it certifies a broker and clients, revokes them, and answers for them by OCSP. */
final class Authority implements AutoCloseable {
    private static final String CONFIGURATION = "[req]\ndistinguished_name = name\nx509_extensions = root\n[name]\n"
            + "[root]\nbasicConstraints = critical, CA:true\n"
            + "keyUsage = critical, keyCertSign, cRLSign, digitalSignature\n"
            + "[leaf]\nsubjectAltName = DNS:localhost\n"
            + "[ca]\ndefault_ca = here\n[here]\ndatabase = index.txt\nserial = serial\nnew_certs_dir = .\n"
            + "certificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\ndefault_days = 10\n"
            + "default_crl_days = 10\npolicy = any\nunique_subject = no\n"
            + "[any]\ncommonName = supplied\n";

    private final Path folder;
    private HttpServer responder;

    Authority(Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        Files.writeString(folder.resolve("openssl.cnf"), CONFIGURATION);
        Files.writeString(folder.resolve("index.txt"), "");
        Files.writeString(folder.resolve("serial"), "1000\n");
        // Two authorities of one name would be one to revocation.
        openssl("req -x509 -newkey rsa:2048 -nodes -config openssl.cnf -days 10 -keyout ca.key -out ca.pem -subj /CN="
                + folder.getFileName());
    }

    /** Stores of a broker and of the client {@code name}, both certified here. */
    Stores issue(String name) throws Exception {
        Path stores = Files.createDirectories(folder.resolve(name));
        certify("localhost", stores.resolve("broker.ks"), name + "-broker");
        certify(name, stores.resolve("client.ks"), name);
        KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
        anchors.load(null, null);
        try (var in = Files.newInputStream(folder.resolve("ca.pem"))) {
            anchors.setCertificateEntry("broker", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        for (String file : List.of("broker.ts", "client.ts")) {
            try (OutputStream out = Files.newOutputStream(stores.resolve(file))) {
                anchors.store(out, Stores.PASSWORD.toCharArray());
            }
        }
        return Stores.in(stores);
    }

    private void certify(String commonName, Path store, String file) throws Exception {
        openssl("req -newkey rsa:2048 -nodes -config openssl.cnf -subj /CN=" + commonName + " -keyout " + file
                + ".key -out " + file + ".csr");
        openssl("ca -batch -notext -config openssl.cnf -extensions leaf -in " + file + ".csr -out " + file + ".pem");
        openssl("pkcs12 -export -name " + file + " -in " + file + ".pem -inkey " + file + ".key -certfile ca.pem"
                + " -passout pass:" + Stores.PASSWORD + " -out " + store);
    }

    /** Revokes the certificate of the client {@code name}. */
    void revoke(String name) throws Exception {
        openssl("ca -batch -config openssl.cnf -revoke " + name + ".pem");
    }

    /** The place of a new revocation list. */
    Path revocationList() throws Exception {
        openssl("ca -batch -config openssl.cnf -gencrl -out crl.pem");
        return folder.resolve("crl.pem");
    }

    /** A file with the OCSP response about the client {@code name}. */
    Path response(String name) throws Exception {
        openssl("ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem -cert " + name + ".pem"
                + " -no_nonce -ndays 1 -respout " + name + ".ocsp");
        return folder.resolve(name + ".ocsp");
    }

    /** Starts to answer by OCSP; the address to ask at. */
    String startResponder() throws IOException {
        responder = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        responder.createContext("/", this::respond);
        responder.start();
        return "http://127.0.0.1:" + responder.getAddress().getPort();
    }

    /** The request is the body, or in Base64 the path. */
    private synchronized void respond(HttpExchange exchange) throws IOException {
        byte[] request = exchange.getRequestMethod().equals("POST") ? exchange.getRequestBody().readAllBytes()
                : Base64.getDecoder().decode(exchange.getRequestURI().getPath().substring(1));
        Files.write(folder.resolve("request.der"), request);
        try {
            openssl("ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -ndays 1"
                    + " -reqin request.der -respout response.der");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        byte[] response = Files.readAllBytes(folder.resolve("response.der"));
        exchange.getResponseHeaders().set("Content-Type", "application/ocsp-response");
        exchange.sendResponseHeaders(200, response.length);
        exchange.getResponseBody().write(response);
        exchange.close();
    }

    private void openssl(String command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("openssl"));
        words.addAll(List.of(command.split(" ")));
        Path log = folder.resolve("openssl.log");
        Process process = new ProcessBuilder(words).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(log.toFile()).start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("openssl did not end: " + words);
        }
        if (process.exitValue() != 0) {
            throw new IOException(words + ": " + Files.readString(log, StandardCharsets.UTF_8));
        }
    }

    @Override
    public void close() {
        if (responder != null) {
            responder.stop(0);
        }
    }
}
