package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.LOOPBACK;
import static io.brokertls.jsse.socket.SocketFixture.TIMEOUT_S;
import static io.brokertls.jsse.socket.SocketFixture.WAIT_MS;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Stands between a client and a server. What the client sends passes; the test decides about what the server sends. */
final class SocketRelay implements AutoCloseable {
    private final ServerSocket door = new ServerSocket(0, 5, LOOPBACK);
    private final int serverPort;
    private final boolean isSlow;
    private Socket client;
    private Socket server;
    private volatile CompletableFuture<byte[]> held;

    /** {@code isSlow} passes every byte by itself. */
    SocketRelay(ServerSocket target, boolean isSlow) throws IOException {
        this.serverPort = target.getLocalPort();
        this.isSlow = isSlow;
    }

    /** Returns the port for clients. */
    ServerSocket door() {
        return door;
    }

    /** Takes the client that has connected. */
    void begin() throws IOException {
        client = accept(door);
        server = new Socket(LOOPBACK, serverPort);
        server.setSoTimeout(WAIT_MS);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        async(() -> pump(client, server));
    }

    /** Passes {@code count} bytes of the server's. */
    void pass(int count) throws IOException {
        byte[] bytes = server.getInputStream().readNBytes(count);
        if (bytes.length < count) {
            throw new EOFException();
        }
        client.getOutputStream().write(bytes);
    }

    /** Passes what follows in a thread of its own, until {@link #holdNext()}. */
    CompletableFuture<Void> passAll() {
        held = null;
        return async(() -> pump(server, client));
    }

    /** Keeps back what the server sends next, and ends {@link #passAll()}. */
    CompletableFuture<byte[]> holdNext() {
        held = new CompletableFuture<>();
        return held.orTimeout(TIMEOUT_S, TimeUnit.SECONDS);
    }

    /** To the client, as if it were the server's. */
    void send(byte[] bytes, int offset, int length) throws IOException {
        client.getOutputStream().write(bytes, offset, length);
    }

    private Void pump(Socket from, Socket to) throws IOException {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        byte[] buffer = new byte[isSlow ? 1 : 8192];
        int count = in.read(buffer);
        while (count >= 0) {
            if (from == server && held != null) {
                held.complete(Arrays.copyOf(buffer, count));
                return null;
            }
            out.write(buffer, 0, count);
            count = in.read(buffer);
        }
        to.shutdownOutput();
        return null;
    }

    @Override
    public void close() throws IOException {
        door.close();
        if (client != null) {
            client.close();
        }
        if (server != null) {
            server.close();
        }
    }
}
