#!/usr/bin/env bash
# SunJSSE adds sixteen zeros of padding to each TLS 1.3 record.
#
# Seen with OpenJDK 17.0.15 of Debian 12 (package openjdk-17-jdk-headless), installed from there if there is no javac on
# the path. Exits with 2 at another version than 17. AES-128-GCM, records of an SSLEngine in bytes:
#   1 byte of data:    TLSv1.2 30, TLSv1.3 39 (23 without padding)
#   100 bytes of data: TLSv1.2 129, TLSv1.3 138 (122 without padding)
# RFC 8446 5.4 leaves padding to the sender, and OpenSSL, BoringSSL, NSS, Go and rustls add none unless told. A reader
# that decrypts into a buffer sized for the data, or takes the last byte of a record for its type, works with all of
# these and fails with each Java peer. A record of one byte takes 39 bytes instead of 23.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v javac > /dev/null; then
    apt-get install -y -q openjdk-17-jdk-headless > /dev/null
fi
version=$(java --version)
echo "${version%%$'\n'*}"
if ! [[ $version =~ ^openjdk\ 17[.\ ] ]]; then
    echo "another version than stated: this is about OpenJDK 17" >&2
    exit 2
fi
keytool -genkeypair -alias server -keyalg EC -groupname secp256r1 -dname CN=localhost -validity 30 \
    -storetype PKCS12 -keystore "$folder/server.p12" -storepass changeit 2> /dev/null
cat > "$folder/Padding.java" << 'JAVA'
import java.io.FileInputStream;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.util.ArrayDeque;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;

public class Padding {
    static ByteBuffer wrap(SSLEngine engine, ByteBuffer data) throws Exception {
        ByteBuffer record = ByteBuffer.allocate(40000);
        engine.wrap(data, record);
        return record.flip();
    }

    /** Lets an engine do what it can: it takes records from one queue and puts records into the other. */
    static void step(SSLEngine engine, ArrayDeque<ByteBuffer> in, ArrayDeque<ByteBuffer> out) throws Exception {
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> engine.getDelegatedTask().run();
                case NEED_WRAP -> out.add(wrap(engine, ByteBuffer.allocate(0)));
                default -> {
                    if (in.isEmpty()) {
                        return;
                    }
                    engine.unwrap(in.peek(), ByteBuffer.allocate(40000));
                    if (!in.peek().hasRemaining()) {
                        in.remove();
                    }
                }
            }
        }
    }

    static int record(SSLContext context, String version, String suite, int length) throws Exception {
        SSLEngine server = context.createSSLEngine();
        SSLEngine client = context.createSSLEngine("localhost", 8883);
        client.setUseClientMode(true);
        server.setUseClientMode(false);
        client.setEnabledProtocols(new String[] {version});
        client.setEnabledCipherSuites(new String[] {suite});
        client.beginHandshake();
        server.beginHandshake();
        ArrayDeque<ByteBuffer> toServer = new ArrayDeque<>();
        ArrayDeque<ByteBuffer> toClient = new ArrayDeque<>();
        for (int flight = 0; flight < 4; flight++) {
            step(client, toClient, toServer);
            step(server, toServer, toClient);
        }
        return wrap(client, ByteBuffer.allocate(length)).remaining();
    }

    public static void main(String[] arguments) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(arguments[0]), "changeit".toCharArray());
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, "changeit".toCharArray());
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("server", store.getCertificate("server"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        int[][] expected = {{1, 30, 39}, {100, 129, 138}};
        for (int[] row : expected) {
            int old = record(context, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", row[0]);
            int now = record(context, "TLSv1.3", "TLS_AES_128_GCM_SHA256", row[0]);
            System.out.println(row[0] + " bytes of data: TLSv1.2 " + old + ", TLSv1.3 " + now + " bytes on the wire");
            // Header 5, type 1 and tag 16 are all that TLS 1.3 asks for.
            if (old != row[1] || now != row[2] || now - row[0] - 22 != 16) {
                System.out.println("  changed");
                System.exit(1);
            }
        }
    }
}
JAVA
javac -d "$folder" "$folder/Padding.java"
java -cp "$folder" Padding "$folder/server.p12"
