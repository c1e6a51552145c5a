package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.OURS;
import static io.brokertls.jsse.socket.SocketFixture.TIMEOUT_S;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.connect;
import static io.brokertls.jsse.socket.SocketFixture.listen;
import static io.brokertls.jsse.socket.SocketFixture.pattern;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Many sockets, each read and written by several threads and closed by another: whatever is met, every call ends. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketThreadsTest {
    private static final int SOCKETS = 10;
    private static final int WRITERS = 3;
    private static final int CHUNK = 5000;
    private static final int CHUNKS = 20;

    static List<Arguments> pairs() {
        return List.of(Arguments.of("TLSv1.3", OURS, OURS), Arguments.of("TLSv1.2", OURS, OURS),
                Arguments.of("TLSv1.3", OURS, JDK), Arguments.of("TLSv1.3", JDK, OURS),
                Arguments.of("TLSv1.2", OURS, JDK), Arguments.of("TLSv1.2", JDK, OURS));
    }

    /** Every writer's chunks arrive whole, in the order of that writer: writes of several threads are not mixed. */
    @ParameterizedTest
    @MethodSource("pairs")
    void writersOfOneSocketAreNotMixed(String version, SSLContext clients, SSLContext servers) throws Exception {
        try (SSLServerSocket server = listen(servers.getServerSocketFactory(), version)) {
            List<CompletableFuture<?>> work = new ArrayList<>();
            for (int i = 0; i < SOCKETS; i++) {
                work.add(async(() -> {
                    try (Socket socket = accept(server)) {
                        converse(socket);
                    }
                    return null;
                }));
                work.add(async(() -> {
                    try (SSLSocket socket = connect(clients.getSocketFactory(), server)) {
                        converse(socket);
                    }
                    return null;
                }));
            }
            awaitAll(work);
        }
    }

    /** All threads begin with the handshake, and the readers take what the writers of the other end send. */
    private static void converse(Socket socket) throws Exception {
        List<CompletableFuture<?>> work = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            byte[] chunk = chunk(i);
            work.add(async(() -> {
                for (int sent = 0; sent < CHUNKS; sent++) {
                    socket.getOutputStream().write(chunk);
                }
                return null;
            }));
        }
        InputStream in = socket.getInputStream();
        int[] counts = new int[WRITERS];
        byte[] chunk = new byte[CHUNK];
        for (int i = 0; i < WRITERS * CHUNKS; i++) {
            assertEquals(CHUNK, in.readNBytes(chunk, 0, CHUNK));
            assertArrayEquals(chunk(chunk[0]), chunk);
            counts[chunk[0]]++;
        }
        for (int count : counts) {
            assertEquals(CHUNKS, count);
        }
        awaitAll(work);
        // The other end must have read it all before this one goes.
        socket.getOutputStream().write(9);
        assertEquals(9, in.read());
    }

    private static byte[] chunk(int writer) {
        byte[] chunk = new byte[CHUNK];
        Arrays.fill(chunk, (byte) writer);
        return chunk;
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void everyCallEndsWhenAThirdThreadCloses(String version, SSLContext clients, SSLContext servers) throws Exception {
        try (SSLServerSocket server = listen(servers.getServerSocketFactory(), version)) {
            List<CompletableFuture<?>> work = new ArrayList<>();
            for (int i = 0; i < SOCKETS; i++) {
                CompletableFuture<Socket> accepted = async(() -> accept(server));
                SSLSocket client = connect(clients.getSocketFactory(), server);
                work.addAll(useUntilClosed(client, clients == JDK));
                work.addAll(useUntilClosed(accepted.join(), servers == JDK));
                // Ours: the JDK's close waits as long as its writers write.
                boolean isClients = servers == JDK || clients != JDK && ThreadLocalRandom.current().nextBoolean();
                Socket closed = isClients ? client : accepted.join();
                // Before, in or after the handshake, and in the midst of data, as it comes.
                int turns = ThreadLocalRandom.current().nextInt(100);
                work.add(async(() -> {
                    for (int turn = 0; turn < turns; turn++) {
                        Thread.yield();
                    }
                    closed.close();
                    return null;
                }));
            }
            awaitAll(work);
        }
    }

    /** A reader and a writer, which may end with any failure of a connection but a timeout. */
    private static List<CompletableFuture<?>> useUntilClosed(Socket socket, boolean isJdks) {
        byte[] chunk = pattern(CHUNK);
        byte[] expected = Arrays.copyOf(chunk, 2 * CHUNK);
        System.arraycopy(chunk, 0, expected, CHUNK, CHUNK);
        return List.of(async(() -> {
            try (socket) {
                InputStream in = socket.getInputStream();
                byte[] bytes = new byte[CHUNK];
                int at = 0;
                int count = in.read(bytes);
                while (count >= 0) {
                    // Twice the chunk, so that it can be looked at from anywhere.
                    assertTrue(Arrays.equals(expected, at, at + count, bytes, 0, count));
                    at = (at + count) % CHUNK;
                    count = in.read(bytes);
                }
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                assertTrue(isJdks || socket.isClosed(), e::toString);
            }
            return null;
        }), async(() -> {
            try {
                OutputStream out = socket.getOutputStream();
                while (true) {
                    out.write(chunk);
                }
            } catch (IOException e) {
                return null;
            }
        }));
    }

    private static void awaitAll(List<CompletableFuture<?>> work) throws Exception {
        CompletableFuture.allOf(work.toArray(new CompletableFuture<?>[0])).get(3 * TIMEOUT_S, TimeUnit.SECONDS);
    }
}
