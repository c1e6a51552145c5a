package io.brokertls.stacks;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** A client of MQTT 3.1.1 over sockets, as small as a check needs. */
public final class Mqtt {
    private static final int TIMEOUT_MS = 60_000;

    private Mqtt() {
    }

    /** Returns the packet CONNECT. */
    public static byte[] connect() {
        return new byte[] {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'x'};
    }

    /** Subscribes to a topic, publishes to it, and returns what comes back. */
    public static String exchange(SSLContext context, int port, String message) throws IOException {
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
            socket.setSoTimeout(TIMEOUT_MS);
            OutputStream out = socket.getOutputStream();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            out.write(connect());
            expect(0x20, in);
            out.write(new byte[] {(byte) 0x82, 6, 0, 1, 0, 1, 't', 0});
            expect(0x90, in);
            byte[] text = message.getBytes(StandardCharsets.UTF_8);
            byte[] publish = new byte[5 + text.length];
            publish[0] = 0x30;
            publish[1] = (byte) (3 + text.length);
            publish[3] = 1;
            publish[4] = 't';
            System.arraycopy(text, 0, publish, 5, text.length);
            out.write(publish);
            byte[] received = expect(0x30, in);
            return new String(received, 3, received.length - 3, StandardCharsets.UTF_8);
        }
    }

    private static byte[] expect(int type, DataInputStream in) throws IOException {
        Checks.equal(type, in.readUnsignedByte());
        return in.readNBytes(in.readUnsignedByte());
    }
}
