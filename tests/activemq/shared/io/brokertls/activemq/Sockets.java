package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;

/** Clients without a protocol: they show what TLS alone says, on the one thread that asks. */
final class Sockets {
    private Sockets() {}

    /** Connected to this machine; reads end after half a minute. */
    static SSLSocket connect(SSLContext context, int port) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port);
        socket.setSoTimeout(30_000);
        return socket;
    }

    /**
     * What the client of {@code context} learns when it is not served: by its own verdict or by the broker's alert, which
     * in TLS 1.3 comes after the client's handshake. Empty if the broker speaks, as it does first in OpenWire.
     */
    static String refusal(SSLContext context, int port) throws IOException {
        try (SSLSocket socket = connect(context, port)) {
            socket.startHandshake();
            int first = socket.getInputStream().read();
            return first >= 0 ? "" : "the broker closed the connection";
        } catch (IOException e) {
            return Tls.reasons(e);
        }
    }

    /**
     * The broker refuses the client of {@code context}, with {@code alert} where it runs on our provider; from the JDK's,
     * ActiveMQ's NIO transports send none. The JDK's client sends its last flight in several writes and does not look for
     * an alert when one of them fails, as it may once the broker has closed.
     */
    static void assertRefused(String alert, SSLContext context, int port) throws IOException {
        String reason = refusal(context, port);
        boolean cutOff = reason.startsWith("SocketException") && context.getProvider().getName().equals(Tls.JDK);
        assertTrue(reason.contains(alert) || cutOff || !Tls.isOurs() && !reason.isEmpty(), reason);
    }

    /** The protocol version that the client of {@code context} and the broker agree on. */
    static String version(SSLContext context, int port) throws IOException {
        try (SSLSocket socket = connect(context, port)) {
            socket.startHandshake();
            return socket.getSession().getProtocol();
        }
    }

    /** The cipher suite that they agree on. */
    static String suite(SSLContext context, int port) throws IOException {
        try (SSLSocket socket = connect(context, port)) {
            socket.startHandshake();
            return socket.getSession().getCipherSuite();
        }
    }

    /** The bytes that a client of {@code context} begins with. */
    static byte[] clientHello(SSLContext context) throws IOException {
        SSLEngine engine = context.createSSLEngine("localhost", 1);
        engine.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), hello);
        return Arrays.copyOf(hello.array(), hello.position());
    }
}
