package io.brokertls.activemq;

import java.io.IOException;
import java.util.Map;

/** Files for programs without Java stores: {@code client.pem}, with the key, and {@code broker.pem}. */
final class PemFiles {
    private PemFiles() {}

    /** Makes them beside the stores that they come from. */
    static void write(Stores stores) throws IOException, InterruptedException {
        Program.run(Map.of(), "openssl", "pkcs12", "-in", stores.path("client.ks"), "-passin", "pass:"
                + Stores.PASSWORD,
                "-nodes", "-out", stores.path("client.pem"));
        Program.run(Map.of(), "openssl", "x509", "-inform", "DER", "-in", stores.path("broker_cert"), "-out",
                stores.path("broker.pem"));
    }
}
