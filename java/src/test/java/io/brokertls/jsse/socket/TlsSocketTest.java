package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.LOOPBACK;
import static io.brokertls.jsse.socket.SocketFixture.WAIT_MS;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.awaitWaiting;
import static io.brokertls.jsse.socket.SocketFixture.clients;
import static io.brokertls.jsse.socket.SocketFixture.connect;
import static io.brokertls.jsse.socket.SocketFixture.echo;
import static io.brokertls.jsse.socket.SocketFixture.failure;
import static io.brokertls.jsse.socket.SocketFixture.listen;
import static io.brokertls.jsse.socket.SocketFixture.pattern;
import static io.brokertls.jsse.socket.SocketFixture.servers;
import static io.brokertls.jsse.socket.SocketFixture.trust;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Our sockets against each other and against the JDK's, in both roles. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TlsSocketTest {
    @ParameterizedTest
    @CsvSource({"true,TLSv1.3", "false,TLSv1.3", "true,TLSv1.2", "false,TLSv1.2"})
    void socketAgainstTheJdksCarriesBytesBothWays(boolean oursIsClient, String version) throws Exception {
        byte[] sent = pattern(200_001);
        try (SSLServerSocket server = listen(oursIsClient ? JDK.getServerSocketFactory() : servers())) {
            server.setEnabledProtocols(new String[] {version});
            CompletableFuture<byte[]> received = async(() -> {
                try (Socket socket = accept(server)) {
                    byte[] bytes = socket.getInputStream().readNBytes(sent.length);
                    socket.getOutputStream().write(bytes);
                    assertEquals(-1, socket.getInputStream().read());
                    return bytes;
                }
            });
            try (SSLSocket client = connect(oursIsClient ? clients() : JDK.getSocketFactory(), server)) {
                client.getOutputStream().write(sent);
                assertArrayEquals(sent, client.getInputStream().readNBytes(sent.length));
                assertEquals(version, client.getSession().getProtocol());
            }
            assertArrayEquals(sent, received.join());
        }
    }

    @Test
    void bulkBothWaysAtOnceArrivesWhole() throws Exception {
        byte[] chunk = pattern(1 << 20);
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<Socket> echoed = async(() -> echo(server));
            try (SSLSocket client = connect(clients(), server)) {
                CompletableFuture<Void> writer = async(() -> {
                    for (int i = 0; i < 64; i++) {
                        client.getOutputStream().write(chunk);
                    }
                    client.shutdownOutput();
                    return null;
                });
                InputStream in = client.getInputStream();
                for (int i = 0; i < 64; i++) {
                    assertArrayEquals(chunk, in.readNBytes(chunk.length));
                }
                assertEquals(-1, in.read());
                writer.join();
            }
            echoed.join();
        }
    }

    @Test
    void writerThatWaitedForTheHandshakeIsNotHeldUpByTheReader() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK); SSLSocket client = connect(clients(), server)) {
            CompletableFuture<Integer> reader = async(() -> client.getInputStream().read());
            Socket below = accept(server);
            // With the hello's first byte the handshake is the reader's.
            InputStream consumed = new ByteArrayInputStream(below.getInputStream().readNBytes(1));
            CompletableFuture<Thread> writing = new CompletableFuture<>();
            CompletableFuture<Void> writer = async(() -> {
                writing.complete(Thread.currentThread());
                client.getOutputStream().write(8);
                return null;
            });
            awaitWaiting(writing.get(30, TimeUnit.SECONDS), writer);
            try (Socket peer = clients().createSocket(below, consumed, true)) {
                int value = peer.getInputStream().read();
                peer.getOutputStream().write(value + 1);
                assertEquals(9, reader.get(30, TimeUnit.SECONDS));
                writer.get(30, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void twoHundredConnectionsAtOnceAreServed() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            List<CompletableFuture<?>> work = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                work.add(async(() -> echo(server)));
            }
            for (int i = 0; i < 200; i++) {
                byte[] sent = pattern(i * 100 + 1);
                work.add(async(() -> {
                    try (SSLSocket client = connect(clients(), server)) {
                        client.getOutputStream().write(sent);
                        assertArrayEquals(sent, client.getInputStream().readNBytes(sent.length));
                    }
                    return null;
                }));
            }
            CompletableFuture.allOf(work.toArray(new CompletableFuture<?>[0])).get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void layeredClientLeavesTheSocketBelowOpen() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK)) {
            CompletableFuture<Integer> after = async(() -> {
                try (Socket plain = accept(server)) {
                    assertEquals('S', plain.getInputStream().read());
                    plain.getOutputStream().write('G');
                    SSLSocket tls = (SSLSocket) JDK.getSocketFactory().createSocket(plain, (InputStream) null, false);
                    assertEquals(7, tls.getInputStream().read());
                    assertEquals(-1, tls.getInputStream().read());
                    tls.close();
                    plain.getOutputStream().write('P');
                    return plain.getInputStream().read();
                }
            });
            try (Socket plain = new Socket(LOOPBACK, server.getLocalPort())) {
                plain.getOutputStream().write('S');
                assertEquals('G', plain.getInputStream().read());
                SSLSocketFactory factory = clients();
                Socket tls = factory.createSocket(plain, "localhost", server.getLocalPort(), false);
                tls.getOutputStream().write(7);
                tls.close();
                assertFalse(plain.isClosed());
                assertEquals('P', plain.getInputStream().read());
                plain.getOutputStream().write('Q');
            }
            assertEquals('Q', after.join());
        }
    }

    @Test
    void layeredServerBeginsWithWhatWasConsumed() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK)) {
            CompletableFuture<Integer> read = async(() -> {
                Socket plain = accept(server);
                byte[] consumed = plain.getInputStream().readNBytes(3);
                try (Socket tls = clients().createSocket(plain, new ByteArrayInputStream(consumed), true)) {
                    int value = tls.getInputStream().read();
                    tls.getOutputStream().write(value + 1);
                    return value;
                }
            });
            try (Socket client = JDK.getSocketFactory().createSocket("localhost", server.getLocalPort())) {
                client.getOutputStream().write(41);
                assertEquals(42, client.getInputStream().read());
            }
            assertEquals(41, read.join());
        }
    }

    @Test
    void layerOverAnUnconnectedSocketIsRefused() {
        assertThrows(SocketException.class, () -> clients().createSocket(new Socket(), "localhost", 1, true));
        assertThrows(NullPointerException.class, () -> clients().createSocket((Socket) null, "localhost", 1, true));
    }

    @Test
    void clientCertificateIsAskedForAsTheServerSocketSays() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            server.setNeedClientAuth(true);
            CompletableFuture<String> peer = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    assertTrue(socket.getNeedClientAuth());
                    String name = socket.getSession().getPeerPrincipal().getName();
                    socket.getOutputStream().write(1);
                    return name;
                }
            });
            try (SSLSocket client = connect(JDK.getSocketFactory(), server)) {
                assertEquals(1, client.getInputStream().read());
            }
            assertEquals("CN=localhost", peer.join());
        }
    }

    @Test
    void clientWithoutCertificateIsServedIfOneIsOnlyWanted() throws Exception {
        SSLContext anonymous = SSLContext.getInstance("TLS", "SunJSSE");
        anonymous.init(null, trust(), null);
        try (SSLServerSocket server = listen(servers())) {
            server.setWantClientAuth(true);
            CompletableFuture<Void> peer = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    assertTrue(socket.getWantClientAuth());
                    assertThrows(SSLPeerUnverifiedException.class, () -> socket.getSession().getPeerPrincipal());
                    socket.getOutputStream().write(1);
                    return null;
                }
            });
            try (SSLSocket client = connect(anonymous.getSocketFactory(), server)) {
                assertEquals(1, client.getInputStream().read());
            }
            peer.join();
        }
    }

    @Test
    void applicationProtocolIsChosenByTheSocketsSelector() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<String> chosen = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    socket.setHandshakeApplicationProtocolSelector((asked, offered) -> {
                        assertSame(socket, asked);
                        assertEquals(List.of("amqp", "mqtt"), offered);
                        return "mqtt";
                    });
                    socket.startHandshake();
                    socket.getOutputStream().write(1);
                    return socket.getApplicationProtocol();
                }
            });
            try (SSLSocket client = connect(clients(), server)) {
                SSLParameters parameters = client.getSSLParameters();
                parameters.setApplicationProtocols(new String[] {"amqp", "mqtt"});
                client.setSSLParameters(parameters);
                assertNull(client.getApplicationProtocol());
                assertEquals(1, client.getInputStream().read());
                assertEquals("mqtt", client.getApplicationProtocol());
            }
            assertEquals("mqtt", chosen.join());
        }
    }

    @Test
    void listenersHearOfTheHandshakeOnce() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            async(() -> echo(server));
            try (SSLSocket client = connect(clients(), server)) {
                CompletableFuture<String> heard = new CompletableFuture<>();
                client.addHandshakeCompletedListener(event -> heard.complete(event.getCipherSuite()));
                client.startHandshake();
                client.startHandshake();
                assertEquals(client.getSession().getCipherSuite(), heard.get(30, TimeUnit.SECONDS));
                assertThrows(IllegalArgumentException.class, () -> client.removeHandshakeCompletedListener(e -> { }));
                assertThrows(IllegalArgumentException.class, () -> client.addHandshakeCompletedListener(null));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void timeoutLeavesTheConnectionUsable(boolean afterHandshake) throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<Void> go = new CompletableFuture<>();
            async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    if (afterHandshake) {
                        socket.startHandshake();
                    }
                    go.get(30, TimeUnit.SECONDS);
                    socket.getOutputStream().write(9);
                    return socket.getInputStream().read();
                }
            });
            try (SSLSocket client = connect(clients(), server)) {
                if (afterHandshake) {
                    client.startHandshake();
                }
                client.setSoTimeout(50);
                InputStream in = client.getInputStream();
                assertThrows(SocketTimeoutException.class, in::read);
                go.complete(null);
                client.setSoTimeout(30_000);
                assertEquals(9, in.read());
            }
        }
    }

    @Test
    void endWithoutCloseNotifyIsTruncatedAtEveryCall() throws Exception {
        try (SSLServerSocket server = listen(servers()); Socket below = new Socket(LOOPBACK, server.getLocalPort())) {
            CompletableFuture<SSLException> seen = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    InputStream in = socket.getInputStream();
                    assertEquals(5, in.read());
                    SSLException first = assertThrows(SSLException.class, in::read);
                    assertSame(first, assertThrows(SSLException.class, in::read));
                    return first;
                }
            });
            Socket client = JDK.getSocketFactory().createSocket(below, "localhost", server.getLocalPort(), false);
            client.getOutputStream().write(5);
            below.shutdownOutput();
            TlsFailure cause = assertInstanceOf(TlsFailure.class, seen.join().getCause());
            assertEquals(ErrorCode.TRUNCATED, cause.code());
        }
    }

    @Test
    void endDuringTheHandshakeIsHandshakeEofAndSessionIsInvalid() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<Object> work = async(() -> {
                SSLSocket socket = (SSLSocket) accept(server);
                assertEquals("SSL_NULL_WITH_NULL_NULL", socket.getSession().getCipherSuite());
                assertFalse(socket.getSession().isValid());
                return socket.getInputStream().read();
            });
            new Socket(LOOPBACK, server.getLocalPort()).close();
            TlsFailure cause = assertInstanceOf(TlsFailure.class, failure(work).getCause());
            assertEquals(ErrorCode.HANDSHAKE_EOF, cause.code());
        }
    }

    @Test
    void plaintextOnTheTlsPortIsRefusedWithAnAlert() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            Socket plain = new Socket(LOOPBACK, server.getLocalPort());
            plain.setSoTimeout(WAIT_MS);
            CompletableFuture<Object> work = async(() -> accept(server).getInputStream().read());
            plain.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] answer = plain.getInputStream().readAllBytes();
            assertEquals(21, answer[0]);
            plain.close();
            SSLException refused = assertInstanceOf(SSLException.class, failure(work));
            assertEquals(ErrorCode.PEER_NOT_TLS, assertInstanceOf(TlsFailure.class, refused.getCause()).code());
            assertTrue(refused.getMessage().startsWith("BTLS_PEER_NOT_TLS"), refused.getMessage());
        }
    }

    @Test
    void closeFromAnotherThreadEndsAReaderAndABlockedWriter() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<SSLSocket> accepted = async(() -> {
                SSLSocket socket = (SSLSocket) accept(server);
                socket.startHandshake();
                return socket;
            });
            SSLSocket client = connect(clients(), server);
            client.startHandshake();
            CompletableFuture<Void> full = new CompletableFuture<>();
            CompletableFuture<Object> reader = async(() -> client.getInputStream().read());
            CompletableFuture<Object> writer = async(() -> {
                OutputStream out = client.getOutputStream();
                byte[] chunk = new byte[1 << 20];
                while (true) {
                    out.write(chunk);
                    full.complete(null);
                }
            });
            full.get(30, TimeUnit.SECONDS);
            client.close();
            client.close();
            assertInstanceOf(SocketException.class, failure(reader));
            assertInstanceOf(SocketException.class, failure(writer));
            assertTrue(client.isClosed());
            accepted.join().close();
        }
    }

    @Test
    void halfCloseLetsReadingContinue() throws Exception {
        try (SSLServerSocket server = listen(JDK.getServerSocketFactory())) {
            CompletableFuture<Void> peer = async(() -> {
                try (Socket socket = accept(server)) {
                    assertArrayEquals(new byte[] {1, 2}, socket.getInputStream().readAllBytes());
                    socket.getOutputStream().write(3);
                    return null;
                }
            });
            try (SSLSocket client = connect(clients(), server)) {
                client.getOutputStream().write(new byte[] {1, 2});
                client.shutdownOutput();
                assertTrue(client.isOutputShutdown());
                assertThrows(SocketException.class, client::getOutputStream);
                assertArrayEquals(new byte[] {3}, client.getInputStream().readAllBytes());
            }
            peer.join();
        }
    }

    @Test
    void streamArgumentsAreChecked() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            async(() -> echo(server));
            SSLSocket client = connect(clients(), server);
            InputStream in = client.getInputStream();
            OutputStream out = client.getOutputStream();
            assertEquals(0, in.read(new byte[0], 0, 0));
            out.write(new byte[0]);
            assertThrows(IndexOutOfBoundsException.class, () -> in.read(new byte[3], 2, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> out.write(new byte[3], -1, 2));
            assertThrows(NullPointerException.class, () -> out.write(null, 0, 1));
            out.write(255);
            out.write(new byte[] {4, 5});
            assertEquals(255, in.read());
            assertEquals(4, in.read());
            in.close();
            assertTrue(client.isClosed());
            assertThrows(SocketException.class, in::read);
            assertThrows(SocketException.class, () -> out.write(1));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void socketsOfEveryFormAreMade(boolean oursIsServer) throws Exception {
        SSLServerSocketFactory factory = oursIsServer ? servers() : JDK.getServerSocketFactory();
        try (SSLServerSocket server = (SSLServerSocket) factory.createServerSocket()) {
            server.bind(new InetSocketAddress(LOOPBACK, 0));
            int port = server.getLocalPort();
            List<Socket> made = new ArrayList<>();
            made.add(clients().createSocket(LOOPBACK, port));
            made.add(clients().createSocket(LOOPBACK, port, LOOPBACK, 0));
            made.add(clients().createSocket("localhost", port, LOOPBACK, 0));
            Socket late = clients().createSocket();
            assertFalse(late.isConnected());
            assertThrows(SocketException.class, late::getInputStream);
            late.connect(new InetSocketAddress(LOOPBACK, port), 5000);
            made.add(late);
            for (Socket socket : made) {
                socket.setSoTimeout(WAIT_MS);
                CompletableFuture<Socket> peer = async(() -> echo(server));
                socket.getOutputStream().write(6);
                assertEquals(6, socket.getInputStream().read());
                assertEquals(port, socket.getPort());
                socket.close();
                peer.join();
            }
        }
        factory.createServerSocket(0).close();
        factory.createServerSocket(0, 3).close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void httpsUrlConnectionReadsAnAnswer(boolean oursIsClient) throws Exception {
        try (SSLServerSocket server = listen(oursIsClient ? JDK.getServerSocketFactory() : servers())) {
            CompletableFuture<String> asked = async(() -> {
                try (Socket socket = accept(server)) {
                    BufferedReader in = new BufferedReader(
                            new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
                    String request = in.readLine();
                    while (!in.readLine().isEmpty()) {
                        continue;
                    }
                    socket.getOutputStream().write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine"
                            .getBytes(StandardCharsets.US_ASCII));
                    return request;
                }
            });
            URL url = new URL("https://localhost:" + server.getLocalPort() + "/status");
            HttpsURLConnection connection = (HttpsURLConnection) url.openConnection();
            connection.setSSLSocketFactory(oursIsClient ? clients() : JDK.getSocketFactory());
            try (InputStream in = connection.getInputStream()) {
                assertEquals("fine", new String(in.readAllBytes(), StandardCharsets.US_ASCII));
            }
            assertEquals("GET /status HTTP/1.1", asked.join());
        }
    }
}
