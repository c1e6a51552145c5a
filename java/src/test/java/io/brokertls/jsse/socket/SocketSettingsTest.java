package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.LOOPBACK;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.clients;
import static io.brokertls.jsse.socket.SocketFixture.connect;
import static io.brokertls.jsse.socket.SocketFixture.echo;
import static io.brokertls.jsse.socket.SocketFixture.failure;
import static io.brokertls.jsse.socket.SocketFixture.forgetfulJdk;
import static io.brokertls.jsse.socket.SocketFixture.listen;
import static io.brokertls.jsse.socket.SocketFixture.servers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings of sockets and server sockets before the handshake, and their facts after it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketSettingsTest {
    private static SSLSocket connectAs(ServerSocket server, boolean oursIsClient, String serverName,
            String... protocols) throws IOException, GeneralSecurityException {
        SSLSocket client = connect(oursIsClient ? clients() : forgetfulJdk().getSocketFactory(), server);
        SSLParameters parameters = client.getSSLParameters();
        if (serverName != null) {
            parameters.setServerNames(List.of(new SNIHostName(serverName)));
        }
        parameters.setApplicationProtocols(protocols);
        client.setSSLParameters(parameters);
        return client;
    }

    private static CompletableFuture<String> serveProtocol(SSLServerSocket server, String chosen) {
        return async(() -> {
            try (SSLSocket socket = (SSLSocket) accept(server)) {
                socket.setHandshakeApplicationProtocolSelector((asked, offered) -> chosen);
                socket.getOutputStream().write(1);
                return socket.getApplicationProtocol();
            }
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nameThatAMatcherTakesIsServed(boolean oursIsClient) throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            matchOnly(server, "broker\\.test");
            CompletableFuture<String> name = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    socket.getOutputStream().write(1);
                    ExtendedSSLSession session = (ExtendedSSLSession) socket.getSession();
                    return ((SNIHostName) session.getRequestedServerNames().get(0)).getAsciiName();
                }
            });
            try (SSLSocket client = connectAs(server, oursIsClient, "broker.test")) {
                assertEquals(1, client.getInputStream().read());
            }
            assertEquals("broker.test", name.join());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nameThatNoMatcherTakesIsRefused(boolean oursIsClient) throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            matchOnly(server, "broker\\.test");
            CompletableFuture<Object> read = async(() -> accept(server).getInputStream().read());
            try (SSLSocket client = connectAs(server, oursIsClient, "other.test")) {
                SSLException told = assertThrows(SSLException.class, client.getInputStream()::read);
                assertTrue(told.getMessage().contains("unrecognized_name"), told.getMessage());
            }
            SSLException refused = assertInstanceOf(SSLHandshakeException.class, failure(read));
            assertEquals(ErrorCode.SERVER_NAME_REFUSED, codeOf(refused));
        }
    }

    private static void matchOnly(SSLServerSocket server, String pattern) {
        SSLParameters parameters = server.getSSLParameters();
        parameters.setSNIMatchers(List.of(SNIHostName.createSNIMatcher(pattern)));
        server.setSSLParameters(parameters);
    }

    private static ErrorCode codeOf(SSLException failed) {
        return assertInstanceOf(TlsFailure.class, failed.getCause()).code();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void selectorCanChooseNoProtocol(boolean oursIsClient) throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<String> protocol = serveProtocol(server, "");
            try (SSLSocket client = connectAs(server, oursIsClient, null, "amqp", "mqtt")) {
                assertEquals(1, client.getInputStream().read());
                assertEquals("", client.getApplicationProtocol());
            }
            assertEquals("", protocol.join());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void selectorThatTakesNoneOrSomethingElseRefuses(boolean isNull) throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<String> protocol = serveProtocol(server, isNull ? null : "stomp");
            try (SSLSocket client = connectAs(server, false, null, "amqp", "mqtt")) {
                SSLException told = assertThrows(SSLException.class, client.getInputStream()::read);
                assertTrue(told.getMessage().contains("no_application_protocol"), told.getMessage());
            }
            SSLException refused = assertInstanceOf(SSLHandshakeException.class, failure(protocol));
            assertEquals(ErrorCode.NO_COMMON_ALPN, codeOf(refused));
        }
    }

    @Test
    void clientsProtocolIsWhatTheJdksServerTakes() throws Exception {
        try (SSLServerSocket server = listen(JDK.getServerSocketFactory())) {
            CompletableFuture<String> protocol = serveProtocol(server, "mqtt");
            try (SSLSocket client = connectAs(server, true, null, "amqp", "mqtt")) {
                assertEquals(1, client.getInputStream().read());
                assertEquals("mqtt", client.getApplicationProtocol());
            }
            assertEquals("mqtt", protocol.join());
        }
    }

    @Test
    void acceptedSocketHasTheSettingsOfItsServerSocket() throws Exception {
        try (SSLServerSocket server = listen(servers(), "TLSv1.2")) {
            String[] suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
            server.setEnabledCipherSuites(suites);
            server.setWantClientAuth(true);
            server.setEnableSessionCreation(false);
            try (Socket plain = new Socket(LOOPBACK, server.getLocalPort());
                    SSLSocket one = (SSLSocket) accept(server)) {
                assertEquals(plain.getLocalPort(), one.getPort());
                assertArrayEquals(suites, one.getEnabledCipherSuites());
                assertArrayEquals(new String[] {"TLSv1.2"}, one.getEnabledProtocols());
                assertTrue(one.getWantClientAuth());
                assertFalse(one.getNeedClientAuth());
                assertFalse(one.getUseClientMode());
                assertFalse(one.getEnableSessionCreation());
            }
            server.setNeedClientAuth(true);
            try (Socket plain = new Socket(LOOPBACK, server.getLocalPort());
                    SSLSocket one = (SSLSocket) accept(server)) {
                assertEquals(plain.getLocalPort(), one.getPort());
                assertTrue(one.getNeedClientAuth());
                assertFalse(one.getWantClientAuth());
            }
        }
    }

    @Test
    void acceptedSocketMayBeTheClient() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            server.setUseClientMode(true);
            CompletableFuture<Integer> accepted = async(() -> {
                try (Socket socket = accept(server)) {
                    socket.getOutputStream().write(4);
                    return socket.getInputStream().read();
                }
            });
            Socket below = new Socket(LOOPBACK, server.getLocalPort());
            try (Socket tls = JDK.getSocketFactory().createSocket(below, (InputStream) null, true)) {
                assertEquals(4, tls.getInputStream().read());
                tls.getOutputStream().write(5);
                assertEquals(5, accepted.join());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void sessionNamesThePeerAsTheJdksDoes(boolean oursIsServer) throws Exception {
        try (SSLServerSocket server = listen(oursIsServer ? servers() : JDK.getServerSocketFactory())) {
            CompletableFuture<SSLSocket> accepted = async(() -> {
                SSLSocket socket = (SSLSocket) accept(server);
                socket.startHandshake();
                return socket;
            });
            try (SSLSocket client = connect(oursIsServer ? JDK.getSocketFactory() : clients(), server)) {
                assertNull(client.getHandshakeSession());
                assertEquals("localhost", client.getSession().getPeerHost());
                assertEquals(server.getLocalPort(), client.getSession().getPeerPort());
                assertNull(client.getHandshakeSession());
                try (SSLSocket peer = accepted.join()) {
                    assertEquals("127.0.0.1", peer.getSession().getPeerHost());
                    assertEquals(client.getLocalPort(), peer.getSession().getPeerPort());
                    assertTrue(peer.getSession().isValid());
                    // The JDK's close reads once more where there is a timeout, until that.
                    peer.setSoTimeout(0);
                    client.setSoTimeout(0);
                }
            }
        }
    }

    /**
     * The delay of small packets is off during the handshake. The socket below shows that, the socket above does not,
     * and a setting of either is kept.
     */
    @Test
    void delayOfSmallPacketsIsAsTheApplicationSays() throws Exception {
        try (SSLServerSocket server = listen(servers()); Socket below = new Socket(LOOPBACK, server.getLocalPort())) {
            CompletableFuture<Socket> peer = async(() -> {
                SSLSocket socket = (SSLSocket) accept(server);
                socket.startHandshake();
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(1);
                assertTrue(socket.getTcpNoDelay());
                assertTrue(socket.getOption(StandardSocketOptions.TCP_NODELAY));
                assertArrayEquals(new byte[] {2, 3}, socket.getInputStream().readAllBytes());
                return socket;
            });
            try (SSLSocket client = (SSLSocket) clients().createSocket(below, "localhost", server.getLocalPort(),
                    true)) {
                client.startHandshake();
                assertTrue(below.getTcpNoDelay());
                assertFalse(client.getTcpNoDelay());
                assertFalse(client.getOption(StandardSocketOptions.TCP_NODELAY));
                client.getOutputStream().write(2);
                assertFalse(below.getTcpNoDelay());
                client.setOption(StandardSocketOptions.TCP_NODELAY, true);
                client.getOutputStream().write(3);
                assertTrue(below.getTcpNoDelay());
                assertEquals(1, client.getInputStream().read());
            }
            peer.join().close();
        }
    }

    @Test
    void hostThatIsNullIsTheLoopbackInterfaceAsForSocketsOfTheJdk() throws Exception {
        InetAddress loopback = InetAddress.getByName(null);
        for (SSLSocketFactory factory : List.of(clients(), JDK.getSocketFactory())) {
            for (boolean named : new boolean[] {false, true}) {
                try (ServerSocket server = servers().createServerSocket(0, 5, loopback)) {
                    CompletableFuture<Socket> peer = async(() -> echo(server));
                    int port = server.getLocalPort();
                    try (Socket client = named
                            ? factory.createSocket((String) null, port, loopback, 0)
                            : factory.createSocket((String) null, port)) {
                        assertEquals(loopback, client.getInetAddress());
                        client.getOutputStream().write(7);
                        assertEquals(7, client.getInputStream().read());
                    }
                    peer.join().close();
                }
            }
        }
    }

    @Test
    void protocolsWithoutACommonOneFailOnBothSides() throws Exception {
        try (SSLServerSocket server = listen(servers(), "TLSv1.3")) {
            CompletableFuture<Object> read = async(() -> accept(server).getInputStream().read());
            try (SSLSocket client = connect(clients(), server)) {
                client.setEnabledProtocols(new String[] {"TLSv1.2"});
                SSLException told = assertThrows(SSLHandshakeException.class, client::startHandshake);
                assertEquals(ErrorCode.ALERT_PROTOCOL_VERSION, codeOf(told));
                assertFalse(client.getSession().isValid());
            }
            SSLException refused = assertInstanceOf(SSLHandshakeException.class, failure(read));
            assertEquals(ErrorCode.NO_COMMON_VERSION, codeOf(refused));
        }
    }
}
