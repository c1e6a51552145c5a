package io.brokertls.peer;

import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.params.provider.Arguments;

/** Which implementation is client and which is server, and the version both are held to. */
final class Pairing {
    static final String TLS12 = "TLSv1.2";
    static final String TLS13 = "TLSv1.3";

    final Stack client;
    final Stack server;
    final String version;

    private Pairing(Stack client, Stack server, String version) {
        this.client = client;
        this.server = server;
        this.version = version;
    }

    /** Every pairing in every version: the source of the parameters of most tests here. */
    static List<Arguments> all() {
        List<Arguments> all = new ArrayList<>();
        all.addAll(of(TLS12));
        all.addAll(of(TLS13));
        return all;
    }

    static List<Arguments> tls12() {
        return of(TLS12);
    }

    static List<Arguments> tls13() {
        return of(TLS13);
    }

    private static List<Arguments> of(String version) {
        List<Arguments> found = new ArrayList<>();
        for (Stack client : Stack.values()) {
            for (Stack server : Stack.values()) {
                boolean hasJdkManagers = client == Stack.OURS_WITH_JDK_MANAGERS
                        || server == Stack.OURS_WITH_JDK_MANAGERS;
                if (!hasJdkManagers || client == Stack.JDK || server == Stack.JDK) {
                    found.add(Arguments.of(new Pairing(client, server, version)));
                }
            }
        }
        return found;
    }

    /** Two engines that have not begun; the server is {@code identity}, the client shows none. */
    EnginePair engines(String identity) {
        return engines(client.context(null), server.context(identity));
    }

    /** Two engines of these contexts, which the caller keeps for a second pair. */
    EnginePair engines(SSLContext clientContext, SSLContext serverContext) {
        SSLEngine clientEngine = clientContext.createSSLEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = serverContext.createSSLEngine();
        serverEngine.setUseClientMode(false);
        serverEngine.setEnabledProtocols(new String[] {version});
        return new EnginePair(clientEngine, serverEngine);
    }

    /** Returns a pair with a complete handshake. */
    EnginePair connected() throws Exception {
        EnginePair pair = engines("ec");
        pair.handshake();
        return pair;
    }

    boolean isTls13() {
        return version.equals(TLS13);
    }

    @Override
    public String toString() {
        return client + " client, " + server + " server, " + version;
    }
}
