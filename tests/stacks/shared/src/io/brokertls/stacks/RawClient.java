package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.refused;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLParameters;

/**
 * A client without a stack, on the provider of the JDK, so that it sees what a server of ours sends. Each flight is one
 * write: a socket of the JDK writes each message, and a server that refuses the first has closed before the last.
 */
public final class RawClient implements AutoCloseable {
    private static final int TIMEOUT_MS = 60_000;

    private final Socket socket;
    private final SSLEngine engine;
    private final ByteBuffer received;
    private final ByteBuffer plaintext;

    private RawClient(int port, String serverName, String key, String version, String... protocols)
            throws GeneralSecurityException, IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(TIMEOUT_MS);
        engine = Pki.context(Pki.JDK, key).createSSLEngine("localhost", port);
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(new String[] {version});
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setApplicationProtocols(protocols);
        if (serverName != null) {
            parameters.setServerNames(List.of(new SNIHostName(serverName)));
        }
        engine.setSSLParameters(parameters);
        received = ByteBuffer.allocate(2 * engine.getSession().getPacketBufferSize()).flip();
        plaintext = ByteBuffer.allocate(2 * engine.getSession().getApplicationBufferSize());
    }

    /**
     * Connects to a server on the loopback interface, and completes the handshake.
     *
     * @param protocols what the client offers by ALPN
     */
    public static RawClient connect(int port, String key, String version, String... protocols)
            throws GeneralSecurityException, IOException {
        return connect(new RawClient(port, null, key, version, protocols));
    }

    private static RawClient connect(RawClient client) throws IOException {
        try {
            client.engine.beginHandshake();
            client.handshake();
            return client;
        } catch (IOException e) {
            client.close();
            throw e;
        }
    }

    /**
     * Returns the name in the certificate that a server shows.
     *
     * @param protocols what the client offers by ALPN
     */
    public static String shownName(int port, String... protocols) throws GeneralSecurityException, IOException {
        try (RawClient client = connect(port, "client", "TLSv1.3", protocols)) {
            return client.shownName();
        }
    }

    /** Returns the name in the certificate that a server shows to a client that asks for a server name. */
    public static String nameShownFor(String serverName, int port, String version)
            throws GeneralSecurityException, IOException {
        try (RawClient client = connect(new RawClient(port, serverName, "client", version))) {
            return client.shownName();
        }
    }

    private String shownName() throws IOException {
        return ((X509Certificate) engine.getSession().getPeerCertificates()[0]).getSubjectX500Principal().getName();
    }

    /**
     * Waits until a server shows a certificate with a name. Meanwhile it can close its port, as Artemis does. The check
     * that calls this has a limit.
     */
    public static void awaitName(int port, String name) throws Exception {
        String shown = null;
        while (!name.equals(shown)) {
            Thread.sleep(50);
            try {
                shown = shownName(port);
            } catch (ConnectException e) {
                shown = null;
            }
        }
    }

    /**
     * Checks that a server refuses a certificate of a strange CA, and a client without one, each with its alert.
     *
     * @param greeting what a client sends first
     */
    public static void strangersAreRefused(String server, int port, byte[] greeting) {
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            refused(server + " refuses the certificate of a strange CA over " + version,
                    "Received fatal alert: unknown_ca", () -> greet(port, "stranger", version, greeting));
            refused(server + " refuses a client without a certificate over " + version,
                    "Received fatal alert: " + (version.equals("TLSv1.3") ? "certificate_required" : "handshake_failure"),
                    () -> greet(port, null, version, greeting));
        }
    }

    /** Checks that a server refuses strangers without an alert, because its stack ends the connection first. */
    public static void strangersAreCutOff(String server, int port, byte[] greeting) {
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            refused(server + " refuses the certificate of a strange CA over " + version + ", and sends no alert",
                    "ended without an alert", () -> greet(port, "stranger", version, greeting));
            refused(server + " refuses a client without a certificate over " + version + ", and sends no alert",
                    "ended without an alert", () -> greet(port, null, version, greeting));
        }
    }

    private static void greet(int port, String key, String version, byte[] greeting) throws Exception {
        try (RawClient client = connect(port, key, version)) {
            client.write(greeting);
            client.read();
        }
    }

    /** Sends data. */
    public void write(byte[] data) throws IOException {
        ByteBuffer source = ByteBuffer.wrap(data);
        while (source.hasRemaining()) {
            flush(source);
        }
    }

    /** Returns the next data of the server. */
    public byte[] read() throws IOException {
        while (plaintext.position() == 0) {
            unwrap();
        }
        byte[] data = new byte[plaintext.flip().remaining()];
        plaintext.get(data);
        plaintext.clear();
        return data;
    }

    private void handshake() throws IOException {
        while (true) {
            HandshakeStatus status = engine.getHandshakeStatus();
            if (status == HandshakeStatus.NEED_TASK) {
                engine.getDelegatedTask().run();
            } else if (status == HandshakeStatus.NEED_WRAP) {
                flush(ByteBuffer.allocate(0));
            } else if (status == HandshakeStatus.NEED_UNWRAP) {
                unwrap();
            } else {
                return;
            }
        }
    }

    /** Wraps what the engine has, and sends it at once. */
    private void flush(ByteBuffer source) throws IOException {
        ByteBuffer packets = ByteBuffer.allocate(1 << 17);
        do {
            engine.wrap(source, packets);
        } while (source.hasRemaining() || engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP);
        socket.getOutputStream().write(packets.array(), 0, packets.position());
    }

    private void unwrap() throws IOException {
        SSLEngineResult result = engine.unwrap(received, plaintext);
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
            throw new EOFException("the server ended the connection without an alert");
        }
        if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
            received.compact();
            int count = receive();
            if (count < 0) {
                throw new EOFException("the connection ended without an alert");
            }
            received.position(received.position() + count).flip();
        }
        if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
            for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                task.run();
            }
        }
    }

    /**
     * Reads what has come in. A server that closes its socket before it has read everything resets the connection, and
     * that is an end like any other.
     *
     * @return the number of bytes, or -1 at the end
     */
    private int receive() throws IOException {
        try {
            return socket.getInputStream().read(received.array(), received.position(), received.remaining());
        } catch (SocketException e) {
            return -1;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
