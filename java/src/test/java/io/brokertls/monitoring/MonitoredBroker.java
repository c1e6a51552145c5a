package io.brokertls.monitoring;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.peer.Authority;
import io.brokertls.peer.EnginePair;
import java.nio.file.Path;
import javax.net.ssl.SSLEngine;

/** A broker that is watched, its clients, and their authority, which has revoked an identity that is not shown. */
final class MonitoredBroker {
    private final Authority authority;
    private final String name;

    /** Issues the broker's identity of this name, and the revoked one. */
    MonitoredBroker(Path folder, String name) throws Exception {
        this.authority = new Authority(folder, "ec");
        this.name = name;
        authority.issue(name, "ec");
        authority.issue("revoked", "ec");
        authority.revoke("revoked");
    }

    Path file(String suffix) {
        return authority.file(suffix);
    }

    /** Returns the broker's identity as a keystore. */
    Path store() {
        return authority.file(name + ".p12");
    }

    BrokerTlsContextBuilder server() {
        return BrokerTlsContext.builder().certificate(authority.file(name + ".pem"))
                .privateKey(authority.file(name + ".key"));
    }

    BrokerTlsContextBuilder client() {
        return BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem"));
    }

    static EnginePair pair(BrokerTlsContext client, String host, BrokerTlsContext server) {
        SSLEngine clientEngine = client.newEngine(host, 8883);
        clientEngine.setUseClientMode(true);
        SSLEngine serverEngine = server.newEngine();
        serverEngine.setUseClientMode(false);
        return new EnginePair(clientEngine, serverEngine);
    }
}
