package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.ConnectionFacts;
import java.net.InetAddress;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Managers, matchers and selectors see the handshake as with SunJSSE. Its answers are the expected ones. */
class CallbackFactsTest {
    private static final String TLS12 = Pairing.TLS12;
    private static final String TLS13 = Pairing.TLS13;
    private static final String NO_SUITE = "SSL_NULL_WITH_NULL_NULL";

    private static SSLParameters parameters(SSLParameters given, String version) {
        given.setProtocols(new String[] {version});
        given.setApplicationProtocols(new String[] {"mqtt", "h2"});
        return given;
    }

    private static AskedManagers client(Stack stack, String version, String identity) throws Exception {
        AskedManagers asked = new AskedManagers("client");
        SSLEngine client = asked.context(stack).createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        SSLParameters offered = parameters(client.getSSLParameters(), version);
        offered.setServerNames(List.of(new SNIHostName(Pki.HOST)));
        client.setSSLParameters(offered);
        SSLEngine server = Stack.JDK.context(identity).createSSLEngine();
        server.setUseClientMode(false);
        SSLParameters given = parameters(server.getSSLParameters(), version);
        given.setNeedClientAuth(true);
        server.setSSLParameters(given);
        new EnginePair(client, server).handshake();
        assertEquals("mqtt", client.getApplicationProtocol());
        assertNull(client.getHandshakeApplicationProtocol());
        return asked;
    }

    private static AskedManagers server(Stack stack, String version, String identity, boolean selects)
            throws Exception {
        AskedManagers asked = new AskedManagers(identity);
        SSLEngine server = asked.context(stack).createSSLEngine();
        server.setUseClientMode(false);
        SSLParameters given = parameters(server.getSSLParameters(), version);
        given.setNeedClientAuth(true);
        if (selects) {
            given.setSNIMatchers(List.of(asked.matcher(server)));
            server.setHandshakeApplicationProtocolSelector(asked::select);
        }
        server.setSSLParameters(given);
        SSLEngine client = Stack.JDK.context("client").createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        SSLParameters offered = parameters(client.getSSLParameters(), version);
        offered.setServerNames(List.of(new SNIHostName(Pki.HOST)));
        client.setSSLParameters(offered);
        new EnginePair(client, server).handshake();
        assertEquals("mqtt", server.getApplicationProtocol());
        assertNull(server.getHandshakeApplicationProtocol());
        return asked;
    }

    /** Returns the facts without the key types that no suite of TLS 1.2 here has. */
    private static Map<String, String> ofServedKeys(Map<String, String> facts, String version) {
        Map<String, String> changed = new TreeMap<>();
        facts.forEach((question, shown) -> changed.put(
                version.equals(TLS12) ? question.replace(", RSASSA-PSS, DSA]", "]") : question, shown));
        return changed;
    }

    @ParameterizedTest
    @CsvSource({TLS12 + ",ec", TLS12 + ",rsa", TLS13 + ",ec", TLS13 + ",rsa"})
    void managersOfAClientSeeWhatSunJsseShows(String version, String identity) throws Exception {
        AskedManagers expected = client(Stack.JDK, version, identity);
        AskedManagers ours = client(Stack.OURS, version, identity);
        assertEquals(ofServedKeys(expected.facts, version), ours.facts);
        assertEquals(2, ours.questions.size());
        for (String shown : ours.facts.values()) {
            assertTrue(shown.startsWith(version + " TLS_") && shown.endsWith(", protocol mqtt"), shown);
        }
    }

    @ParameterizedTest
    @CsvSource({TLS12 + ",ec", TLS12 + ",rsa", TLS13 + ",ec", TLS13 + ",rsa"})
    void managersOfAServerSeeWhatSunJsseShows(String version, String identity) throws Exception {
        Map<String, String> expected = server(Stack.JDK, version, identity, false).facts;
        if (version.equals(TLS12)) {
            // Known here before the certificate is chosen, and by SunJSSE after it.
            expected.replaceAll((question, shown) -> question.startsWith("server key")
                    ? shown.replace("protocol null", "protocol mqtt") : shown);
        }
        AskedManagers ours = server(Stack.OURS, version, identity, false);
        assertEquals(expected, ours.facts);
        assertEquals(identity.equals("ec") ? 2 : 4, ours.questions.size());
        String suite = version.equals(TLS12) ? NO_SUITE : "TLS_AES_256_GCM_SHA384";
        assertTrue(ours.facts.get("server key of EC by null").startsWith(version + " " + suite));
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void selectorsSeeWhatSunJsseShowsAndMatchersMore(String version) throws Exception {
        Map<String, String> expected = server(Stack.JDK, version, "ec", true).facts;
        AskedManagers ours = server(Stack.OURS, version, "ec", true);
        String selector = "selector of [mqtt, h2]";
        // A suite of TLS 1.2 is chosen for the key, which is chosen after the protocol here.
        String suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
        assertEquals(expected.get(selector).replace(suite, NO_SUITE), ours.facts.get(selector));
        String matcher = ours.facts.get("matcher of " + Pki.HOST);
        assertTrue(matcher.startsWith(version) && matcher.contains("names [" + Pki.HOST + "]"), matcher);
        assertEquals("no session, protocol null", expected.get("matcher of " + Pki.HOST));
        String key = ours.facts.get("server key of EC by null");
        assertTrue(key.endsWith("protocol mqtt"), key);
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void managersOfSocketsSeeWhatSunJsseShows(String version) throws Exception {
        for (boolean isClient : new boolean[] {true, false}) {
            Map<String, String> expected = sockets(Stack.JDK, isClient, version);
            if (!isClient && version.equals(TLS12)) {
                expected.replaceAll((question, shown) -> question.startsWith("server key")
                        ? shown.replace("protocol null", "protocol mqtt") : shown);
            }
            assertEquals(ofServedKeys(expected, version), sockets(Stack.OURS, isClient, version));
        }
    }

    private static Map<String, String> sockets(Stack stack, boolean isClient, String version) throws Exception {
        AskedManagers asked = new AskedManagers(isClient ? "client" : "ec");
        SSLContext clients = isClient ? asked.context(stack) : Stack.JDK.context("client");
        SSLContext servers = isClient ? Stack.JDK.context("ec") : asked.context(stack);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (SSLServerSocket listener = (SSLServerSocket) servers.getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            SSLParameters given = parameters(listener.getSSLParameters(), version);
            given.setNeedClientAuth(true);
            listener.setSSLParameters(given);
            Future<Integer> served = executor.submit(() -> {
                try (SSLSocket socket = (SSLSocket) listener.accept()) {
                    return socket.getInputStream().read();
                }
            });
            try (SSLSocket socket = (SSLSocket) clients.getSocketFactory()
                    .createSocket(Pki.HOST, listener.getLocalPort())) {
                SSLParameters offered = parameters(socket.getSSLParameters(), version);
                offered.setServerNames(List.of(new SNIHostName(Pki.HOST)));
                socket.setSSLParameters(offered);
                socket.getOutputStream().write(7);
                assertEquals(7, served.get(1, TimeUnit.MINUTES));
            }
        } finally {
            executor.shutdownNow();
        }
        Map<String, String> withoutPorts = new TreeMap<>();
        asked.facts.forEach((question, shown) -> withoutPorts.put(question, shown.replaceAll(":\\d+", ":port")));
        return withoutPorts;
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void trustManagerBesideNativeKeysSeesTheServersCertificate(String version) throws Exception {
        AskedManagers asked = new AskedManagers("client");
        KeyStore store = Pki.get().identity("ec");
        KeyManagerFactory factory = KeyManagerFactory.getInstance("BrokerTLS", Stack.OURS.provider());
        factory.init(store, Pki.PASSWORD);
        SSLEngine server = asked.context(Stack.OURS, factory.getKeyManagers()).createSSLEngine();
        server.setUseClientMode(false);
        server.setNeedClientAuth(true);
        SSLEngine client = Stack.JDK.context("client").createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {version});
        new EnginePair(client, server).handshake();
        String shown = asked.facts.get("trust in a client by EC");
        assertTrue(shown.contains("own CN=ec 1, "), shown);
        assertTrue(shown.endsWith("protocol "), shown);
    }

    /** The client sends no share of the server's group first, and repeats its ClientHello (RFC 8446 section 4.1.4). */
    @Test
    void keyManagerIsAskedOnceIfTheClientRepeatsItsHello() throws Exception {
        AskedManagers asked = new AskedManagers("ec");
        BrokerTlsContext context =
                BrokerTlsContext.builder().keyManager(asked.keyManager()).groups("secp384r1").build();
        SSLEngine server = context.sslContext().createSSLEngine();
        server.setUseClientMode(false);
        SSLEngine client = Stack.JDK.context(null).createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {TLS13});
        new EnginePair(client, server).handshake();
        assertEquals(Optional.of("secp384r1"), ConnectionFacts.of(server).group());
        assertEquals(List.of("server key of EC by null"), asked.questions);
    }
}
