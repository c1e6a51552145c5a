package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.clients;
import static io.brokertls.jsse.socket.SocketFixture.connect;
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
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The array of a reader, in which no byte changes but those that it has read. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketArrayTest {
    private static final byte UNTOUCHED = (byte) 0xa5;
    private static final int START = 100;
    private static final int ROOM = 19_000;
    private static final int PADDED = 8192;
    private static final Pattern HEADER = Pattern.compile("17 03 03 ([0-9a-f]{2}) ([0-9a-f]{2})");

    @TempDir
    Path folder;

    /** OpenSSL pads its data and its key update. */
    @Test
    void paddedRecordAndPaddedKeyUpdateChangeNothingBeyondTheBytesThatAreRead() throws Exception {
        Path output = folder.resolve("output");
        try (SSLServerSocket server = listen(servers(), "TLSv1.3")) {
            Process client = new ProcessBuilder("openssl", "s_client", "-connect",
                    "127.0.0.1:" + server.getLocalPort(), "-record_padding", "" + PADDED, "-msg")
                    .redirectOutput(output.toFile()).start();
            try (Socket socket = accept(server)) {
                OutputStream keyboard = client.getOutputStream();
                BufferedReader errors = new BufferedReader(new InputStreamReader(client.getErrorStream(),
                        StandardCharsets.UTF_8));
                CompletableFuture<Void> updated = async(() -> awaitKeyUpdate(errors));
                type(keyboard, "first\n");
                assertReads("first\n", socket.getInputStream());
                type(keyboard, "K\n");
                updated.join();
                type(keyboard, "second\n");
                assertReads("second\n", socket.getInputStream());
                keyboard.close();
                assertEquals(-1, socket.getInputStream().read());
            }
            assertTrue(client.waitFor(SocketFixture.TIMEOUT_S, TimeUnit.SECONDS));
            client.destroyForcibly();
        }
        int large = 0;
        Matcher header = HEADER.matcher(Files.readString(output));
        while (header.find()) {
            large += Integer.parseInt(header.group(1) + header.group(2), 16) >= PADDED ? 1 : 0;
        }
        assertTrue(large >= 3, () -> "the records are not padded");
    }

    private static Void awaitKeyUpdate(BufferedReader errors) throws IOException {
        String line = errors.readLine();
        while (!line.startsWith("KEYUPDATE")) {
            line = errors.readLine();
        }
        return null;
    }

    private static void type(OutputStream keyboard, String text) throws IOException {
        keyboard.write(text.getBytes(StandardCharsets.US_ASCII));
        keyboard.flush();
    }

    private static void assertReads(String text, InputStream input) throws IOException {
        byte[] bytes = untouched();
        byte[] expected = untouched();
        byte[] content = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(content, 0, expected, START, content.length);
        assertEquals(content.length, input.read(bytes, START, ROOM));
        assertArrayEquals(expected, bytes);
    }

    private static byte[] untouched() {
        byte[] bytes = new byte[START + ROOM + START];
        Arrays.fill(bytes, UNTOUCHED);
        return bytes;
    }

    @Test
    void alteredRecordChangesNothing() throws Exception {
        try (SSLServerSocket server = listen(JDK.getServerSocketFactory(), "TLSv1.2");
                SocketRelay relay = new SocketRelay(server, false)) {
            CompletableFuture<Void> peer = async(() -> {
                Socket socket = accept(server);
                socket.getInputStream().read();
                socket.getOutputStream().write(pattern(10_000));
                return null;
            });
            try (SSLSocket client = connect(clients(), relay.door())) {
                relay.begin();
                relay.passAll();
                client.startHandshake();
                CompletableFuture<byte[]> held = relay.holdNext();
                client.getOutputStream().write(1);
                byte[] record = held.join();
                record[START] ^= 1;
                relay.send(record, 0, record.length);
                relay.passAll();
                byte[] bytes = untouched();
                SSLException refused = assertThrows(SSLException.class,
                        () -> client.getInputStream().read(bytes, START, ROOM));
                assertEquals(ErrorCode.DECRYPT_FAILED,
                        assertInstanceOf(TlsFailure.class, refused.getCause()).code());
                assertArrayEquals(untouched(), bytes);
            }
            peer.join();
        }
    }
}
