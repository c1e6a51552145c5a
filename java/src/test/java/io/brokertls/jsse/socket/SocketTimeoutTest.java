package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.WAIT_MS;
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
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Peers that send slowly, in parts, or more than one record at once. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketTimeoutTest {
    private static final int SHORT_MS = 10;
    /** Past a record's header and into its body. */
    private static final int PARTS = 12;
    private static final int ANSWER = 1000;
    /** Looks like a record, and was not encrypted with the connection's key. */
    private static final byte[] GARBAGE = Arrays.copyOf(new byte[] {23, 3, 3, 0, 64}, 5 + 64);

    @ParameterizedTest
    @CsvSource({"true,TLSv1.3", "false,TLSv1.3", "true,TLSv1.2", "false,TLSv1.2"})
    void timeoutInTheMidstOfARecordLosesNothing(boolean oursIsServer, String version) throws Exception {
        byte[] sent = pattern(1000);
        try (SSLServerSocket server = listen(oursIsServer ? servers() : JDK.getServerSocketFactory(), version);
                SocketRelay relay = new SocketRelay(server, false);
                SSLSocket client = connect(clients(), relay.door())) {
            CompletableFuture<Void> peer = async(() -> {
                try (Socket socket = accept(server)) {
                    assertEquals(1, socket.getInputStream().read());
                    socket.getOutputStream().write(sent);
                    assertEquals(-1, socket.getInputStream().read());
                    return null;
                }
            });
            relay.begin();
            client.setSoTimeout(SHORT_MS);
            for (int i = 0; i < PARTS; i++) {
                assertThrows(SocketTimeoutException.class, client::startHandshake);
                assertFalse(client.isClosed());
                relay.pass(1);
            }
            CompletableFuture<Void> rest = relay.passAll();
            client.setSoTimeout(WAIT_MS);
            client.getOutputStream().write(1);
            assertArrayEquals(sent, client.getInputStream().readNBytes(sent.length));
            client.shutdownOutput();
            assertEquals(-1, client.getInputStream().read());
            peer.join();
            rest.join();
        }
    }

    @ParameterizedTest
    @CsvSource({"true,TLSv1.3", "false,TLSv1.3", "true,TLSv1.2", "false,TLSv1.2"})
    void timeoutInTheMidstOfDataLosesNothing(boolean oursIsServer, String version) throws Exception {
        try (SSLServerSocket server = listen(oursIsServer ? servers() : JDK.getServerSocketFactory(), version);
                SocketRelay relay = new SocketRelay(server, false);
                SSLSocket client = connect(clients(), relay.door())) {
            CompletableFuture<Void> peer = async(() -> answerAsAsked(server));
            byte[] held = holdAnswer(relay, client);
            InputStream in = client.getInputStream();
            client.setSoTimeout(SHORT_MS);
            for (int i = 0; i < PARTS; i++) {
                assertThrows(SocketTimeoutException.class, in::read);
                relay.send(held, i, 1);
            }
            relay.send(held, PARTS, held.length - PARTS);
            CompletableFuture<Void> rest = relay.passAll();
            client.setSoTimeout(WAIT_MS);
            assertArrayEquals(pattern(ANSWER), in.readNBytes(ANSWER));
            client.shutdownOutput();
            assertEquals(-1, client.getInputStream().read());
            peer.join();
            rest.join();
        }
    }

    /** One byte first, so that the client has all of the handshake, and then the answer. */
    private static Void answerAsAsked(SSLServerSocket server) throws IOException {
        try (Socket socket = accept(server)) {
            assertEquals(1, socket.getInputStream().read());
            socket.getOutputStream().write(2);
            assertEquals(3, socket.getInputStream().read());
            socket.getOutputStream().write(pattern(ANSWER));
            assertEquals(-1, socket.getInputStream().read());
            return null;
        }
    }

    private static byte[] holdAnswer(SocketRelay relay, SSLSocket client) throws IOException {
        relay.begin();
        relay.passAll();
        client.getOutputStream().write(1);
        assertEquals(2, client.getInputStream().read());
        CompletableFuture<byte[]> held = relay.holdNext();
        client.getOutputStream().write(3);
        return held.join();
    }

    @ParameterizedTest
    @CsvSource({"true,TLSv1.3", "false,TLSv1.3", "true,TLSv1.2", "false,TLSv1.2"})
    void oneByteAtATimeIsServed(boolean oursIsServer, String version) throws Exception {
        byte[] sent = pattern(2000);
        try (SSLServerSocket server = listen(oursIsServer ? servers() : JDK.getServerSocketFactory(), version);
                SocketRelay relay = new SocketRelay(server, true);
                SSLSocket client = connect(oursIsServer ? JDK.getSocketFactory() : clients(), relay.door())) {
            CompletableFuture<Socket> peer = async(() -> echo(server));
            relay.begin();
            relay.passAll();
            client.getOutputStream().write(sent);
            InputStream in = client.getInputStream();
            for (byte expected : sent) {
                assertEquals(expected & 0xff, in.read());
            }
            client.shutdownOutput();
            assertEquals(-1, in.read());
            peer.join();
        }
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.3", "TLSv1.2"})
    void dataBeforeGarbageIsReadAndThenTheFailure(String version) throws Exception {
        try (SSLServerSocket server = listen(servers(), version); SocketRelay relay = new SocketRelay(server, false);
                SSLSocket client = connect(clients(), relay.door())) {
            CompletableFuture<Void> peer = async(() -> answerAsAsked(server));
            byte[] held = holdAnswer(relay, client);
            byte[] sent = Arrays.copyOf(held, held.length + GARBAGE.length);
            System.arraycopy(GARBAGE, 0, sent, held.length, GARBAGE.length);
            relay.send(sent, 0, sent.length);
            byte[] bytes = new byte[4 * ANSWER];
            InputStream in = client.getInputStream();
            assertEquals(ANSWER, in.read(bytes));
            SSLException failed = assertThrows(SSLException.class, () -> in.read(bytes));
            assertEquals(ErrorCode.DECRYPT_FAILED, assertInstanceOf(TlsFailure.class, failed.getCause()).code());
            SSLException told = assertInstanceOf(SSLException.class, failure(peer));
            assertEquals(ErrorCode.ALERT_BAD_RECORD_MAC, assertInstanceOf(TlsFailure.class, told.getCause()).code());
        }
    }
}
