package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.LOOPBACK;
import static io.brokertls.jsse.socket.SocketFixture.WAIT_MS;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.clients;
import static io.brokertls.jsse.socket.SocketFixture.connect;
import static io.brokertls.jsse.socket.SocketFixture.failure;
import static io.brokertls.jsse.socket.SocketFixture.listen;
import static io.brokertls.jsse.socket.SocketFixture.pattern;
import static io.brokertls.jsse.socket.SocketFixture.servers;
import static io.brokertls.jsse.socket.SocketFixture.trust;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.peer.Pki;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ends of connections: in the midst of a handshake, one way, by an interrupted thread, over unread bytes, of layers.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketClosingTest {
    private static final int UNREAD = 96 * 1024;

    @ParameterizedTest
    @CsvSource({"true,TLSv1.3", "false,TLSv1.3", "true,TLSv1.2", "false,TLSv1.2"})
    void eitherSideMayCloseItsOutputFirst(boolean oursIsServer, String version) throws Exception {
        try (SSLServerSocket server = listen(oursIsServer ? servers() : JDK.getServerSocketFactory(), version)) {
            CompletableFuture<byte[]> peer = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    assertEquals(1, socket.getInputStream().read());
                    socket.getOutputStream().write(pattern(100));
                    socket.shutdownOutput();
                    return socket.getInputStream().readAllBytes();
                }
            });
            try (SSLSocket client = connect(oursIsServer ? JDK.getSocketFactory() : clients(), server)) {
                client.getOutputStream().write(1);
                assertArrayEquals(pattern(100), client.getInputStream().readAllBytes());
                if (version.equals("TLSv1.3")) {
                    client.getOutputStream().write(pattern(200));
                }
            }
            assertArrayEquals(version.equals("TLSv1.3") ? pattern(200) : new byte[0], peer.join());
        }
    }

    @Test
    void outputThatIsShutBeforeTheHandshakeIsClosedAfterIt() throws Exception {
        try (SSLServerSocket server = listen(servers()); SSLSocket client = connect(clients(), server)) {
            CompletableFuture<Integer> peer = async(() -> {
                try (Socket socket = accept(server)) {
                    socket.getOutputStream().write(5);
                    return socket.getInputStream().read();
                }
            });
            client.shutdownOutput();
            client.shutdownOutput();
            assertThrows(SocketException.class, client::getOutputStream);
            assertEquals(5, client.getInputStream().read());
            assertEquals(-1, peer.join());
        }
    }

    @Test
    void inputIsShutOnlyBehindTheEndOfTheStream() throws Exception {
        try (SSLServerSocket server = listen(servers()); SSLSocket client = connect(clients(), server)) {
            CompletableFuture<Void> peer = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    socket.getOutputStream().write(5);
                    socket.shutdownOutput();
                    assertEquals(6, socket.getInputStream().read());
                    return null;
                }
            });
            client.startHandshake();
            SSLException early = assertThrows(SSLException.class, client::shutdownInput);
            assertEquals(ErrorCode.WRONG_STATE, assertInstanceOf(TlsFailure.class, early.getCause()).code());
            assertFalse(client.isInputShutdown());
            InputStream in = client.getInputStream();
            assertEquals(5, in.read());
            assertEquals(-1, in.read());
            client.shutdownInput();
            client.shutdownInput();
            assertTrue(client.isInputShutdown());
            assertEquals(-1, in.read());
            assertEquals(0, in.available());
            assertThrows(SocketException.class, client::getInputStream);
            client.getOutputStream().write(6);
            peer.join();
        }
    }

    @Test
    void closeEndsAHandshakeThatWaits() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK)) {
            SSLSocket client = connect(clients(), server);
            CompletableFuture<Object> reader = async(() -> client.getInputStream().read());
            CompletableFuture<Object> writer = async(() -> {
                client.getOutputStream().write(1);
                return null;
            });
            try (Socket below = accept(server)) {
                assertEquals(22, below.getInputStream().read());
                client.close();
                assertInstanceOf(SocketException.class, failure(reader));
                assertInstanceOf(SocketException.class, failure(writer));
                assertTrue(client.isClosed());
                assertFalse(client.getSession().isValid());
                assertThrows(SocketException.class, client::startHandshake);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void interruptedThreadSaysGoodbyeToo(boolean oursIsServer) throws Exception {
        try (SSLServerSocket server = listen(oursIsServer ? servers() : JDK.getServerSocketFactory())) {
            CompletableFuture<byte[]> peer = async(() -> {
                try (Socket socket = accept(server)) {
                    return socket.getInputStream().readAllBytes();
                }
            });
            SSLSocket client = connect(clients(), server);
            client.startHandshake();
            Thread.currentThread().interrupt();
            client.getOutputStream().write(4);
            client.close();
            assertTrue(Thread.interrupted());
            assertArrayEquals(new byte[] {4}, peer.join());
        }
    }

    @Test
    void closeOverUnreadTicketsDoesNotTakeBackWhatWasWritten() throws Exception {
        try (SSLServerSocket server = (SSLServerSocket) servers().createServerSocket(); Socket below = new Socket()) {
            server.setReceiveBufferSize(8192);
            server.bind(new InetSocketAddress(LOOPBACK, 0));
            CompletableFuture<Void> isClosed = new CompletableFuture<>();
            CompletableFuture<byte[]> peer = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    socket.startHandshake();
                    socket.getOutputStream().write(new byte[1000]);
                    isClosed.join();
                    return socket.getInputStream().readAllBytes();
                }
            });
            below.setSendBufferSize(1 << 20);
            below.connect(server.getLocalSocketAddress());
            SSLSocket client = (SSLSocket) clients().createSocket(below, "localhost", server.getLocalPort(), true);
            client.setSoTimeout(WAIT_MS);
            client.startHandshake();
            while (below.getInputStream().available() < 1000) {
                assertFalse(peer.isDone());
                Thread.onSpinWait();
            }
            client.getOutputStream().write(pattern(UNREAD));
            client.close();
            isClosed.complete(null);
            assertArrayEquals(pattern(UNREAD), peer.join());
        }
    }

    @Test
    void brokenOutputLeavesWhatThePeerHasSentToBeRead() throws Exception {
        try (SSLServerSocket server = listen(servers()); Socket below = new Socket()) {
            CompletableFuture<Throwable> peer = async(() -> {
                try (Socket socket = accept(server)) {
                    socket.getOutputStream().write(pattern(50));
                    return assertThrows(SSLException.class, socket.getInputStream()::read);
                }
            });
            below.connect(server.getLocalSocketAddress());
            SSLSocket client = (SSLSocket) clients().createSocket(below, "localhost", server.getLocalPort(), true);
            client.setSoTimeout(WAIT_MS);
            client.startHandshake();
            below.shutdownOutput();
            SocketException first = assertThrows(SocketException.class, () -> client.getOutputStream().write(1));
            assertEquals(first, assertThrows(SocketException.class, () -> client.getOutputStream().write(1)));
            assertFalse(client.isClosed());
            assertArrayEquals(pattern(50), client.getInputStream().readNBytes(50));
            client.close();
            assertEquals(ErrorCode.TRUNCATED, assertInstanceOf(TlsFailure.class, peer.join().getCause()).code());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void writerLearnsWhyThePeerHasGone(boolean oursIsServer) throws Exception {
        SSLContext anonymous = SSLContext.getInstance("TLS", new BrokerTlsProvider());
        anonymous.init(null, trust(), null);
        SSLServerSocketFactory factory = oursIsServer ? servers() : JDK.getServerSocketFactory();
        try (SSLServerSocket server = listen(factory, "TLSv1.3"); Socket below = new Socket()) {
            server.setNeedClientAuth(true);
            CompletableFuture<Object> peer = async(() -> {
                try (Socket socket = accept(server)) {
                    return socket.getInputStream().read();
                }
            });
            below.connect(server.getLocalSocketAddress());
            SSLSocketFactory clients = anonymous.getSocketFactory();
            SSLSocket client = (SSLSocket) clients.createSocket(below, "localhost", server.getLocalPort(), true);
            client.setSoTimeout(WAIT_MS);
            client.startHandshake();
            while (below.getInputStream().available() == 0) {
                Thread.onSpinWait();
            }
            below.shutdownOutput();
            SSLException told = assertThrows(SSLException.class, () -> client.getOutputStream().write(1));
            ErrorCode alert = assertInstanceOf(TlsFailure.class, told.getCause()).code();
            assertTrue(oursIsServer ? alert == ErrorCode.ALERT_CERTIFICATE_REQUIRED
                    : Pki.ALERTS_OF_THE_JDK_WITHOUT_A_CERTIFICATE.contains(alert), () -> "" + alert);
            assertInstanceOf(SSLException.class, failure(peer));
            client.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void failedLayerClosesOnlyItsOwnSocketBelow(boolean autoClose) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK)) {
            CompletableFuture<Socket> client = async(() -> new Socket(LOOPBACK, server.getLocalPort()));
            Socket below = accept(server);
            try (Socket plain = client.join()) {
                plain.setSoTimeout(WAIT_MS);
                plain.getOutputStream().write("HELO there\r\n".getBytes(StandardCharsets.US_ASCII));
                Socket tls = clients().createSocket(below, (InputStream) null, autoClose);
                CompletableFuture<Object> read = async(() -> tls.getInputStream().read());
                assertEquals(21, plain.getInputStream().read());
                plain.shutdownOutput();
                SSLException failed = assertInstanceOf(SSLException.class, failure(read));
                assertEquals(ErrorCode.PEER_NOT_TLS, assertInstanceOf(TlsFailure.class, failed.getCause()).code());
                assertEquals(autoClose, below.isClosed());
                tls.close();
                assertEquals(autoClose, below.isClosed());
                assertTrue(tls.isClosed());
            }
            below.close();
        }
    }

    @Test
    void layerThatOwnsTheSocketBelowClosesItAndBeginsWithAllThatWasConsumed() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK)) {
            CompletableFuture<Socket> below = async(() -> {
                Socket plain = accept(server);
                // As a server does that looks at what comes: the whole hello, and no byte more.
                byte[] header = plain.getInputStream().readNBytes(5);
                byte[] body = plain.getInputStream().readNBytes((header[3] & 0xff) << 8 | header[4] & 0xff);
                byte[] hello = new byte[header.length + body.length];
                System.arraycopy(header, 0, hello, 0, header.length);
                System.arraycopy(body, 0, hello, header.length, body.length);
                try (Socket tls = clients().createSocket(plain, new ByteArrayInputStream(hello), true)) {
                    assertEquals(8, tls.getInputStream().read());
                    assertEquals(-1, tls.getInputStream().read());
                }
                return plain;
            });
            try (SSLSocket client = connect(clients(), server)) {
                client.getOutputStream().write(8);
            }
            assertTrue(below.join().isClosed());
        }
    }

    @Test
    void closeOfASocketThatIsNotConnectedOrNotStartedSaysNothing() throws Exception {
        Socket unconnected = clients().createSocket();
        unconnected.close();
        unconnected.close();
        assertTrue(unconnected.isClosed());
        assertThrows(SocketException.class, unconnected::getInputStream);
        assertThrows(SocketException.class, () -> unconnected.connect(new InetSocketAddress(LOOPBACK, 1)));
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK)) {
            connect(clients(), server).close();
            try (Socket below = accept(server)) {
                assertEquals(-1, below.getInputStream().read());
            }
        }
    }

    @Test
    void closingManyWaysAtOnceIsOneClose() throws IOException {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<Integer> peer = async(() -> {
                try (Socket socket = accept(server)) {
                    return socket.getInputStream().read();
                }
            });
            SSLSocket client = connect(clients(), server);
            client.startHandshake();
            CompletableFuture<?>[] closing = new CompletableFuture<?>[8];
            for (int i = 0; i < closing.length; i++) {
                closing[i] = async(() -> {
                    client.close();
                    return null;
                });
            }
            CompletableFuture.allOf(closing).join();
            assertEquals(-1, peer.join());
        }
    }
}
