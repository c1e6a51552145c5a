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
     * Returns the reason that a client is not served: its own verdict or the broker's alert. In TLS 1.3 the alert
     * follows the client's handshake. Returns an empty text if the broker sends data, as it does first in OpenWire.
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
     * Asserts that the broker refuses the client, with {@code alert} if it runs on this provider. The NIO transports of
     * ActiveMQ close without one, whatever the provider: they do not call {@code wrap} after an exception. The JDK's
     * client sends its last flight in several writes. It does not read an alert after a failed write.
     */
    static void assertRefused(String alert, String scheme, SSLContext context, int port) throws IOException {
        String reason = refusal(context, port);
        if (scheme.contains("nio")) {
            assertTrue(!reason.isEmpty() && !reason.contains(alert), reason);
            return;
        }
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
