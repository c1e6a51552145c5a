package io.brokertls.activemq;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.net.ssl.SSLSocket;

/** STOMP 1.2 over TLS, its frames written to a socket as they are. */
class StompConnectorsTest extends ConnectorContract {
    @Override
    List<String> schemes() {
        return List.of("stomp+ssl", "stomp+nio+ssl");
    }

    @Override
    String echo(String scheme, Broker broker, Stores stores, boolean certified, String provider, String text)
            throws Exception {
        try (SSLSocket socket = Sockets.connect(stores.clientContext(provider, certified), broker.port())) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            write(socket, "CONNECT\naccept-version:1.2\nhost:localhost\n\n");
            expect(in, "CONNECTED");
            write(socket, "SUBSCRIBE\nid:0\ndestination:/queue/greetings\n\n");
            write(socket, "SEND\ndestination:/queue/greetings\nreceipt:1\n\n" + text);
            String first = frame(in);
            String message = first.startsWith("MESSAGE") ? first : frame(in);
            write(socket, "DISCONNECT\nreceipt:2\n\n");
            return message.substring(message.indexOf("\n\n") + 2);
        }
    }

    private static void write(SSLSocket socket, String frame) throws IOException {
        socket.getOutputStream().write((frame + '\0').getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    private static void expect(InputStream in, String command) throws IOException {
        String frame = frame(in);
        if (!frame.startsWith(command)) {
            throw new IOException("expected " + command + ", got " + frame);
        }
    }

    /** The next frame, without the line ends that may stand between frames. */
    private static String frame(InputStream in) throws IOException {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        for (int next = in.read(); next != 0; next = in.read()) {
            if (next < 0) {
                throw new EOFException("the broker closed the connection");
            }
            if (frame.size() > 0 || next != '\n') {
                frame.write(next);
            }
        }
        return frame.toString(StandardCharsets.UTF_8);
    }
}
