package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.clients;
import static io.brokertls.jsse.socket.SocketFixture.connect;
import static io.brokertls.jsse.socket.SocketFixture.echo;
import static io.brokertls.jsse.socket.SocketFixture.failure;
import static io.brokertls.jsse.socket.SocketFixture.listen;
import static io.brokertls.jsse.socket.SocketFixture.pattern;
import static io.brokertls.jsse.socket.SocketFixture.servers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Peers of the JDK that ask for new keys, or for a new handshake, in the midst of data. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketRekeyTest {
    private static final int ROUNDS = 20;
    private static final byte[] SENT = pattern(30_000);

    @Test
    void keyUpdatesOfAClientAreAnswered() throws Exception {
        try (SSLServerSocket server = listen(servers(), "TLSv1.3")) {
            CompletableFuture<Socket> peer = async(() -> echo(server));
            try (SSLSocket client = connect(JDK.getSocketFactory(), server)) {
                updateKeysAndExchange(client);
                client.shutdownOutput();
                assertEquals(-1, client.getInputStream().read());
            }
            peer.join();
        }
    }

    @Test
    void keyUpdatesOfAServerAreAnsweredWhileAnotherThreadWrites() throws Exception {
        try (SSLServerSocket server = listen(JDK.getServerSocketFactory(), "TLSv1.3")) {
            CompletableFuture<Void> peer = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    updateKeysAndExchange(socket);
                    return null;
                }
            });
            try (SSLSocket client = connect(clients(), server)) {
                CompletableFuture<Void> writer = async(() -> {
                    for (int i = 0; i < ROUNDS; i++) {
                        client.getOutputStream().write(SENT);
                    }
                    return null;
                });
                for (int i = 0; i < ROUNDS; i++) {
                    assertArrayEquals(SENT, client.getInputStream().readNBytes(SENT.length));
                }
                writer.join();
            }
            peer.join();
        }
    }

    /** In TLS 1.3 another handshake of the JDK's is an update of both keys (RFC 8446 section 4.6.3). */
    private static void updateKeysAndExchange(SSLSocket socket) throws IOException {
        for (int i = 0; i < ROUNDS; i++) {
            socket.startHandshake();
            socket.getOutputStream().write(SENT);
            assertArrayEquals(SENT, socket.getInputStream().readNBytes(SENT.length));
        }
    }

    @Test
    void renegotiationIsNotServed() throws Exception {
        try (SSLServerSocket server = listen(JDK.getServerSocketFactory(), "TLSv1.2")) {
            CompletableFuture<Object> peer = async(() -> {
                try (SSLSocket socket = (SSLSocket) accept(server)) {
                    assertEquals(1, socket.getInputStream().read());
                    socket.startHandshake();
                    return socket.getInputStream().read();
                }
            });
            try (SSLSocket client = connect(clients(), server)) {
                client.getOutputStream().write(1);
                SSLException ended = assertThrows(SSLException.class, client.getInputStream()::read);
                TlsFailure cause = assertInstanceOf(TlsFailure.class, ended.getCause());
                assertEquals(ErrorCode.ALERT_HANDSHAKE_FAILURE, cause.code());
            }
            SSLException refused = assertInstanceOf(SSLHandshakeException.class, failure(peer));
            assertTrue(refused.getMessage().contains("no_renegotiation"), refused.getMessage());
        }
    }
}
