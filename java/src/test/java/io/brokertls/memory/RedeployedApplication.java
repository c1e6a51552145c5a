package io.brokertls.memory;

import io.brokertls.BrokerTlsContext;
import io.brokertls.peer.EnginePair;
import io.brokertls.peer.Pki;
import io.brokertls.peer.Stack;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** An application with the library in a class loader of its own. Some of what it makes is never closed. */
public final class RedeployedApplication implements Consumer<ExecutorService> {
    @Override
    public void accept(ExecutorService threads) {
        // The thread of the JDK that waits for openssl keeps its class loader for a minute.
        Pki.get();
        Thread.currentThread().setContextClassLoader(RedeployedApplication.class.getClassLoader());
        try {
            for (Stack stack : List.of(Stack.OURS, Stack.OURS_WITH_JDK_MANAGERS)) {
                SSLContext server = stack.context("ec");
                SSLContext client = stack.context(null);
                onThreads(threads, () -> engines(client, server));
                sockets(threads, client, server);
            }
            BrokerTlsContext.builder().option("insecure-accept-any-server", "yes").build().warnings();
            try (BrokerTlsContext closed = BrokerTlsContext.builder().option("insecure-accept-any-server", "yes")
                    .passwords((label, alias) -> null).onRevoked(peer -> null).build()) {
                closed.startMaintenance();
                closed.reload();
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        } finally {
            Thread.currentThread().setContextClassLoader(null);
        }
    }

    private static void engines(SSLContext client, SSLContext server) {
        try {
            SSLEngine one = client.createSSLEngine(Pki.HOST, 8883);
            one.setUseClientMode(true);
            SSLEngine other = server.createSSLEngine();
            other.setUseClientMode(false);
            EnginePair pair = new EnginePair(one, other);
            pair.handshake();
            pair.exchange(pair.client, new byte[100]);
            pair.exchange(pair.server, new byte[10_000]);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs on several threads of the container, which live on, and on a virtual thread of a Java that has them. */
    private static void onThreads(ExecutorService threads, Runnable work) throws Exception {
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(threads.submit(work));
        }
        for (Future<?> each : all) {
            each.get();
        }
        if (Runtime.version().feature() >= 21) {
            ((Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work)).join();
        }
    }

    private static void sockets(ExecutorService threads, SSLContext client, SSLContext server) throws Exception {
        try (SSLServerSocket listener = (SSLServerSocket) server.getServerSocketFactory()
                .createServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Future<Integer> served = threads.submit(() -> {
                try (SSLSocket socket = (SSLSocket) listener.accept()) {
                    int read = socket.getInputStream().read();
                    socket.getOutputStream().write(read);
                    return read;
                }
            });
            try (SSLSocket socket = (SSLSocket) client.getSocketFactory()
                    .createSocket(listener.getInetAddress(), listener.getLocalPort())) {
                socket.addHandshakeCompletedListener(event -> event.getSession().putValue("of", threads));
                socket.getOutputStream().write(42);
                if (socket.getInputStream().read() != 42 || served.get() != 42) {
                    throw new IllegalStateException("not what was sent");
                }
            }
        }
    }
}
