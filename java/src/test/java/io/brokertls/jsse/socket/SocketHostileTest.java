package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.LOOPBACK;
import static io.brokertls.jsse.socket.SocketFixture.TIMEOUT_S;
import static io.brokertls.jsse.socket.SocketFixture.WAIT_MS;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.clients;
import static io.brokertls.jsse.socket.SocketFixture.connect;
import static io.brokertls.jsse.socket.SocketFixture.failure;
import static io.brokertls.jsse.socket.SocketFixture.listen;
import static io.brokertls.jsse.socket.SocketFixture.servers;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Peers that send what they should not, too much of it, or nothing. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketHostileTest {
    private static final int RECORD = 16_384;

    static List<Arguments> firstBytes() {
        return List.of(
                Arguments.of("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII), ErrorCode.PEER_NOT_TLS),
                Arguments.of(new byte[] {16, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0}, ErrorCode.PEER_NOT_TLS),
                Arguments.of(new byte[64], ErrorCode.PEER_NOT_TLS),
                Arguments.of(new byte[] {22, 3, 1, -1, -1}, ErrorCode.RECORD_TOO_LARGE),
                Arguments.of(new byte[] {22, 3, 1, 0, 0}, ErrorCode.UNEXPECTED_MESSAGE),
                Arguments.of(new byte[] {23, 3, 3, 0, 1, 0}, ErrorCode.UNEXPECTED_MESSAGE),
                Arguments.of(new byte[] {21, 3, 3, 0, 2, 2, 40}, ErrorCode.ALERT_HANDSHAKE_FAILURE));
    }

    @ParameterizedTest
    @MethodSource("firstBytes")
    void clientThatBeginsWithGarbageIsRefusedAtOnce(byte[] garbage, ErrorCode code) throws Exception {
        try (SSLServerSocket server = listen(servers()); Socket plain = new Socket(LOOPBACK, server.getLocalPort())) {
            CompletableFuture<Object> read = async(() -> accept(server).getInputStream().read());
            assertRefusesAtOnce(plain, garbage, read, code);
        }
    }

    @ParameterizedTest
    @MethodSource("firstBytes")
    void serverThatBeginsWithGarbageIsRefusedAtOnce(byte[] garbage, ErrorCode code) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK); SSLSocket client = connect(clients(), server)) {
            CompletableFuture<Object> read = async(() -> client.getInputStream().read());
            try (Socket plain = accept(server)) {
                assertRefusesAtOnce(plain, garbage, read, code);
            }
        }
    }

    /** The peer's end stays open, so that nothing but the bytes can be the reason. */
    private static void assertRefusesAtOnce(Socket plain, byte[] garbage, CompletableFuture<Object> read,
            ErrorCode code) throws IOException {
        plain.setSoTimeout(WAIT_MS);
        plain.getOutputStream().write(garbage);
        plain.getInputStream().readAllBytes();
        plain.close();
        SSLException failed = assertInstanceOf(SSLException.class, failure(read));
        assertEquals(code, assertInstanceOf(TlsFailure.class, failed.getCause()).code());
    }

    @Test
    void handshakeMessageWithoutEndIsRefused() throws Exception {
        try (SSLServerSocket server = listen(servers()); Socket plain = new Socket(LOOPBACK, server.getLocalPort())) {
            CompletableFuture<Object> read = async(() -> accept(server).getInputStream().read());
            byte[] record = new byte[5 + RECORD];
            System.arraycopy(new byte[] {22, 3, 1, RECORD >> 8, 0, 1, -1, -1, -1, 3, 3}, 0, record, 0, 11);
            OutputStream out = plain.getOutputStream();
            out.write(record);
            Arrays.fill(record, 5, record.length, (byte) 0);
            CompletableFuture<Object> flood = async(() -> {
                while (true) {
                    out.write(record);
                }
            });
            SSLException failed = assertInstanceOf(SSLException.class, failure(read));
            assertEquals(ErrorCode.HANDSHAKE_TOO_LARGE, assertInstanceOf(TlsFailure.class, failed.getCause()).code());
            assertInstanceOf(SocketException.class, failure(flood));
        }
    }

    @Test
    void silentPeersOfAllKindsLeaveNoDescriptorOpen() throws Exception {
        connectAndFail();
        long before = openSockets();
        for (int i = 0; i < 25; i++) {
            connectAndFail();
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
        while (openSockets() > before) {
            assertTrue(System.nanoTime() < end, () -> "more sockets than the " + before + " before");
            Thread.onSpinWait();
        }
    }

    private static long openSockets() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(SocketHostileTest::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException e) {
            // Closed since it was listed.
            return false;
        }
    }

    /** Connections that end before, in, and after the handshake, and by whom. */
    private static void connectAndFail() throws Exception {
        try (SSLServerSocket server = listen(servers())) {
            CompletableFuture<Object> garbage = async(() -> accept(server).getInputStream().read());
            try (Socket plain = new Socket(LOOPBACK, server.getLocalPort())) {
                plain.getOutputStream().write(new byte[16]);
            }
            assertInstanceOf(SSLException.class, failure(garbage));
            CompletableFuture<Object> ended = async(() -> accept(server).getInputStream().read());
            try (Socket plain = new Socket(LOOPBACK, server.getLocalPort())) {
                plain.getOutputStream().write(new byte[] {22, 3, 1});
            }
            assertInstanceOf(SSLException.class, failure(ended));
            CompletableFuture<Object> truncated = async(() -> accept(server).getInputStream().read());
            try (Socket below = new Socket(LOOPBACK, server.getLocalPort())) {
                SSLSocket layer = (SSLSocket) clients().createSocket(below, "localhost", server.getLocalPort(), false);
                layer.setSoTimeout(WAIT_MS);
                layer.startHandshake();
            }
            assertInstanceOf(IOException.class, failure(truncated));
            CompletableFuture<Object> served = async(() -> {
                try (Socket socket = accept(server)) {
                    return socket.getInputStream().read();
                }
            });
            try (SSLSocket client = connect(clients(), server)) {
                client.startHandshake();
            }
            assertEquals(-1, served.join());
        }
        int port;
        try (ServerSocket gone = new ServerSocket(0, 5, LOOPBACK)) {
            port = gone.getLocalPort();
        }
        assertThrows(IOException.class, () -> clients().createSocket(LOOPBACK, port));
    }
}
