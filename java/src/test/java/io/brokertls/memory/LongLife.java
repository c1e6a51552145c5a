package io.brokertls.memory;

import io.brokertls.peer.Pki;
import io.brokertls.peer.Stack;
import java.io.File;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.LogManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLSocket;

/**
 * The program of the soak: {@code ENGINES SOCKETS STEPS}. Prints {@code FIGURES heap resident direct descriptors} after
 * each step, memory in kB. Then prints {@code DONE name count} for each way in which a connection ended.
 *
 * <p>Engines are counted singly, two for each of their connections. The number of sockets is that of TLS sockets: the
 * other end of each is an engine on a plain socket, which is not counted.
 *
 * <p>Handshakes are cut in flight 0, 1, 2 and so on, in and after each of its messages, in TLS 1.2 and 1.3. Some have
 * managers that throw. Some engines are used by two threads at once, some are closed and others dropped.
 */
public final class LongLife {
    private static final int CUTS = 6;
    private static final int SESSIONS_MAX = 20;
    private static final int ROUNDS_MAX = 60;
    private static final int COLLECTIONS = 4;
    private static final int CLEANER_PAUSE_MS = 50;
    private static final int TIMEOUT_MS = 60_000;
    private static final int PACKET = 20_000;
    private static final String[] VERSIONS = {"TLSv1.2", "TLSv1.3"};

    private final ExecutorService second = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "second");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, Long> ends = new TreeMap<>();
    private final SSLContext[][] contexts = new SSLContext[2 + 2 * ThrowingManagers.values().length][];

    private LongLife() throws Exception {
        int row = 0;
        for (Stack stack : new Stack[] {Stack.OURS, Stack.OURS_WITH_JDK_MANAGERS}) {
            contexts[row++] = new SSLContext[] {stack.context("client"), stack.context("ec")};
        }
        for (ThrowingManagers thrown : ThrowingManagers.values()) {
            contexts[row++] = new SSLContext[] {thrown.context(), Stack.OURS.context("ec")};
            contexts[row++] = new SSLContext[] {Stack.OURS.context("client"), thrown.context()};
        }
        // Full from the start of the measurement.
        for (SSLContext[] pair : contexts) {
            pair[0].getClientSessionContext().setSessionCacheSize(SESSIONS_MAX);
            pair[1].getServerSessionContext().setSessionCacheSize(SESSIONS_MAX);
        }
    }

    public static void main(String[] arguments) throws Exception {
        LogManager.getLogManager().reset();
        LongLife life = new LongLife();
        int steps = Integer.parseInt(arguments[2]);
        int pairs = Integer.parseInt(arguments[0]) / 2 / steps;
        int connections = Integer.parseInt(arguments[1]) / steps;
        for (int step = 0; step < steps; step++) {
            for (int i = 0; i < pairs; i++) {
                life.engines(step * pairs + i);
            }
            life.sockets(step * connections, connections);
            figures();
        }
        for (ThrowingManagers manager : ThrowingManagers.values()) {
            life.ends.put("manager." + manager, manager.thrown.get());
        }
        life.ends.forEach((name, count) -> System.out.println("DONE " + name + " " + count));
    }

    /** Every second pair has managers that do not throw, so that handshakes get beyond them. */
    private SSLContext[] contexts(int number) {
        return number % 2 == 0 ? contexts[number / 2 % 2] : contexts[2 + number / 2 % (contexts.length - 2)];
    }

    private SSLEngine engine(int number, boolean isClient) {
        SSLEngine engine = isClient ? contexts(number)[0].createSSLEngine(Pki.HOST, number % 60_000)
                : contexts(number)[1].createSSLEngine();
        engine.setUseClientMode(isClient);
        engine.setEnabledProtocols(new String[] {version(number)});
        if (!isClient) {
            engine.setNeedClientAuth(needsClient(number));
        }
        return engine;
    }

    private void engines(int number) throws Exception {
        SSLEngine client = engine(number, true);
        SSLEngine server = engine(number, false);
        int cut = number / 16 % CUTS;
        if (number % 16 < 2) {
            Future<String> other = second.submit(attempt(() -> run(client, server, cut, number)));
            end("thread", attempt(() -> run(client, server, CUTS, number)).call());
            end("thread", other.get());
        } else {
            end("engine", attempt(() -> run(client, server, cut, number)).call());
        }
        if (number % 3 == 0) {
            attempt(() -> close(client)).call();
            attempt(() -> close(server)).call();
        }
    }

    private static String close(SSLEngine engine) throws IOException {
        engine.closeOutbound();
        engine.wrap(ByteBuffer.allocate(0), ByteBuffer.allocate(PACKET));
        engine.closeInbound();
        return "closed";
    }

    /** Moves messages between the engines, of flight {@code cut} only a part, and nothing after it. */
    private static String run(SSLEngine client, SSLEngine server, int cut, int number) throws IOException {
        ByteBuffer[] wires = {ByteBuffer.allocate(4 * PACKET), ByteBuffer.allocate(4 * PACKET)};
        SSLEngine[] ends = {client, server};
        int message = 0;
        for (int round = 0; round < ROUNDS_MAX; round++) {
            for (int side = 0; side < 2; side++) {
                ByteBuffer wire = wires[side];
                int before = wire.position();
                turn(ends[side], wires[1 - side], wire);
                if (wire.position() > before && message++ == cut) {
                    Flight flight = new Flight(Arrays.copyOfRange(wire.array(), before, wire.position()));
                    int place = place(flight, number);
                    wire.position(before).put(flight.before(place));
                    turn(ends[1 - side], wire, wires[1 - side]);
                    return cutName(cut, flight, place, number);
                }
            }
            if (isOpen(client) && isOpen(server)) {
                return "finished";
            }
        }
        return "unfinished";
    }

    /** Returns the place at which a flight is cut. Each of its places gets its turn. */
    private static int place(Flight flight, int number) {
        return number / 16 / CUTS % flight.places();
    }

    private static String cutName(int cut, Flight flight, int place, int number) {
        return "cut" + cut + "." + version(number) + "." + flight.name(place);
    }

    private static boolean needsClient(int number) {
        return number / 8 % 2 == 0;
    }

    private static String version(int number) {
        return VERSIONS[number / 4 % 2];
    }

    private static boolean isOpen(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING
                && !"SSL_NULL_WITH_NULL_NULL".equals(engine.getSession().getCipherSuite());
    }

    /** Reads what there is, and writes one message if the engine has one. */
    private static void turn(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws IOException {
        if (engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING && !isOpen(engine)) {
            engine.beginHandshake();
        }
        in.flip();
        try {
            SSLEngineResult result = null;
            while (in.hasRemaining() && (result == null || result.bytesConsumed() > 0)) {
                result = engine.unwrap(in, ByteBuffer.allocate(PACKET));
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
            }
        } finally {
            in.compact();
        }
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            engine.wrap(ByteBuffer.allocate(0), out);
        }
    }

    /** One side is a socket of ours; the other an engine on a plain socket, which resets the connection. */
    private void sockets(int first, int count) throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket listener = new ServerSocket(0, 100, loopback)) {
            for (int i = first; i < first + count; i++) {
                int number = i;
                boolean isClient = number / 3 % 2 == 0;
                Socket dialled = new Socket(loopback, listener.getLocalPort());
                Socket accepted = listener.accept();
                dialled.setSoLinger(true, 0);
                accepted.setSoLinger(true, 0);
                Socket wire = isClient ? accepted : dialled;
                Future<String> other = second.submit(attempt(() -> drive(wire, number, !isClient)));
                end("socket", attempt(() -> serve(isClient ? dialled : accepted, number, isClient)).call());
                end("wire", other.get());
            }
        }
    }

    private String serve(Socket plain, int number, boolean isClient) throws Exception {
        SSLSocket socket = (SSLSocket) contexts(number)[isClient ? 0 : 1].getSocketFactory()
                .createSocket(plain, Pki.HOST, plain.getPort(), true);
        socket.setUseClientMode(isClient);
        socket.setEnabledProtocols(new String[] {version(number)});
        socket.setSoTimeout(TIMEOUT_MS);
        if (!isClient) {
            socket.setNeedClientAuth(needsClient(number));
        }
        try {
            socket.startHandshake();
            try {
                return "finished" + socket.getInputStream().read();
            } catch (IOException e) {
                return "finished, reset";
            }
        } finally {
            // Every fifth is left to the garbage collector, which closes its descriptor.
            if (number % 5 != 0) {
                socket.close();
            } else if (!plain.isClosed()) {
                plain.shutdownOutput();
            }
        }
    }

    private String drive(Socket wire, int number, boolean isClient) throws Exception {
        try (Socket closed = wire) {
            closed.setSoTimeout(TIMEOUT_MS);
            SSLEngine engine = engine(number, isClient);
            ByteBuffer in = ByteBuffer.allocate(4 * PACKET);
            int cut = number / 16 % CUTS;
            int message = 0;
            for (int round = 0; round < ROUNDS_MAX; round++) {
                ByteBuffer out = ByteBuffer.allocate(PACKET);
                int waiting = in.position();
                turn(engine, in, out);
                int length = out.position();
                if (length > 0 && message++ == cut) {
                    Flight flight = new Flight(Arrays.copyOf(out.array(), length));
                    int place = place(flight, number);
                    closed.getOutputStream().write(flight.before(place));
                    return cutName(cut, flight, place, number);
                }
                closed.getOutputStream().write(out.array(), 0, length);
                if (isOpen(engine)) {
                    return "finished";
                }
                if (length == 0 && in.position() == waiting) {
                    int read = closed.getInputStream().read(in.array(), in.position(), in.remaining());
                    if (read < 0) {
                        return "ended";
                    }
                    in.position(in.position() + read);
                }
            }
            return "unfinished";
        }
    }

    /** Turns what TLS, the network and the managers may throw into the name of an end. */
    private static Callable<String> attempt(Callable<String> action) {
        return () -> {
            try {
                return action.call();
            } catch (IOException e) {
                return "IOException";
            } catch (Exception | AssertionError e) {
                if (!ThrowingManagers.TEXT.equals(e.getMessage())) {
                    throw e;
                }
                return e.getClass().getSimpleName();
            }
        };
    }

    private void end(String kind, String name) {
        ends.merge(kind + "." + name, 1L, Long::sum);
    }

    private static void figures() throws Exception {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            Thread.sleep(CLEANER_PAUSE_MS);
        }
        Runtime runtime = Runtime.getRuntime();
        long heap = runtime.totalMemory() - runtime.freeMemory();
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct")).mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
        String[] descriptors = new File("/proc/self/fd").list();
        System.out.println("FIGURES " + heap / 1024 + " " + resident() + " " + direct / 1024 + " "
                + descriptors.length);
    }

    private static long resident() throws IOException {
        String row = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:")).findFirst().orElseThrow();
        return Long.parseLong(row.replaceAll("[^0-9]", ""));
    }
}
