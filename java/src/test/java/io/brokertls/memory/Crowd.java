package io.brokertls.memory;

import io.brokertls.peer.Stack;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A server that echoes, with a thread for each connection. Prints {@code PORT} and its port. */
public final class Crowd {
    private static final int STACK_BYTES = 256 * 1024;

    private Crowd() {
    }

    public static void main(String[] arguments) throws Exception {
        ServerSocket listener = Stack.OURS.context("ec").getServerSocketFactory()
                .createServerSocket(0, 1000, InetAddress.getLoopbackAddress());
        System.out.println("PORT " + listener.getLocalPort());
        while (true) {
            Socket accepted = listener.accept();
            new Thread(null, () -> echo(accepted), "echo", STACK_BYTES).start();
        }
    }

    private static void echo(Socket accepted) {
        try (Socket socket = accepted) {
            byte[] bytes = new byte[4096];
            InputStream in = socket.getInputStream();
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                socket.getOutputStream().write(bytes, 0, count);
            }
        } catch (Exception e) {
            System.out.println("FAILED " + e);
        }
    }
}
