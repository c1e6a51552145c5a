package io.brokertls.memory;

import io.brokertls.peer.EnginePair;
import io.brokertls.peer.Pki;
import io.brokertls.peer.Stack;
import java.lang.ref.Reference;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * The program of the memory tests, in a JVM with no other use of memory.
 *
 * <p>{@code drop STACK COUNT STEP} makes engines and drops them without closing any, and prints {@code RSS kB} after
 * each step. {@code idle STACK COUNT} connects engines, keeps them, and prints {@code HEAP bytes} and
 * {@code NATIVE bytes} for each. {@code arrays STACK COUNT} moves that many large records through arrays, has a server
 * refuse an altered one, and prints {@code PINS true} if arrays are pinned. {@code pinned STACK COUNT} does the same,
 * but pins them in any JVM.
 */
public final class EngineSoak {
    private static final int FINISHED_EVERY = 50;
    private static final int STARTED_EVERY = 4;
    private static final int COLLECTIONS = 4;
    private static final int KILOBYTE = 1024;
    private static final int RECORD = 16_384;

    private final SSLContext client;
    private final SSLContext server;

    private EngineSoak(Stack stack) {
        client = stack.context(null);
        server = stack.context("ec");
    }

    public static void main(String[] arguments) throws Exception {
        EngineSoak soak = new EngineSoak(Stack.valueOf(arguments[1]));
        int count = Integer.parseInt(arguments[2]);
        if (arguments[0].equals("drop")) {
            soak.drop(count, Integer.parseInt(arguments[3]));
        } else if (arguments[0].equals("arrays")) {
            soak.arrays(count);
        } else if (arguments[0].equals("pinned")) {
            pins().setBoolean(null, true);
            soak.arrays(count);
        } else {
            soak.idle(count);
        }
    }

    private void drop(int count, int step) throws Exception {
        ByteBuffer record = ByteBuffer.allocate(20_000);
        ByteBuffer plaintext = ByteBuffer.allocate(20_000);
        for (int i = 0; i < count; i++) {
            if (i % FINISHED_EVERY == 0) {
                pair().handshake();
            } else if (i % STARTED_EVERY == 0) {
                EnginePair started = pair();
                record.clear();
                started.client.engine.wrap(ByteBuffer.allocate(0), record);
                record.flip();
                started.server.engine.unwrap(record, plaintext);
            } else if (i % 2 == 0) {
                client.createSSLEngine(Pki.HOST, i % 60_000).setUseClientMode(true);
            } else {
                server.createSSLEngine().setUseClientMode(false);
            }
            if ((i + 1) % step == 0) {
                System.out.println("RSS " + kilobytes("VmRSS:"));
            }
        }
    }

    /**
     * Connects twice as many and counts the second half, when all code is compiled. RssAnon grows by what malloc took,
     * as the heap is whole from the start.
     */
    private void idle(int count) throws Exception {
        List<SSLEngine> kept = new ArrayList<>(2 * count);
        connect(kept, count);
        long heap = heapAfterCollection();
        long anonymous = kilobytes("RssAnon:");
        connect(kept, 2 * count);
        heap = heapAfterCollection() - heap;
        anonymous = kilobytes("RssAnon:") - anonymous;
        System.out.println("HEAP " + heap / count);
        System.out.println("NATIVE " + Math.max(0, anonymous) * KILOBYTE / count);
        Reference.reachabilityFence(kept);
    }

    private void connect(List<SSLEngine> kept, int count) throws Exception {
        while (kept.size() < count) {
            EnginePair pair = pair();
            pair.handshake();
            kept.add(pair.client.engine);
            kept.add(pair.server.engine);
        }
    }

    private void arrays(int count) throws Exception {
        EnginePair used = pair();
        used.handshake();
        for (int i = 0; i < count; i++) {
            move(used.client.engine, used.server.engine, false);
            move(used.server.engine, used.client.engine, false);
        }
        EnginePair altered = pair();
        altered.handshake();
        try {
            move(altered.client.engine, altered.server.engine, true);
        } catch (SSLException e) {
            System.out.println("REFUSED " + e.getMessage());
        }
        System.out.println("PINS " + pins().getBoolean(null));
    }

    private static Field pins() throws ReflectiveOperationException {
        Field pins = Class.forName("io.brokertls.jsse.engine.Bridge").getDeclaredField("pins");
        pins.setAccessible(true);
        return pins;
    }

    private static void move(SSLEngine from, SSLEngine to, boolean isAltered) throws Exception {
        ByteBuffer record = ByteBuffer.allocate(from.getSession().getPacketBufferSize());
        ByteBuffer plaintext = ByteBuffer.allocate(to.getSession().getApplicationBufferSize());
        byte[] content = new byte[RECORD];
        new Random(RECORD).nextBytes(content);
        from.wrap(ByteBuffer.wrap(content), record);
        record.flip();
        if (isAltered) {
            record.put(RECORD / 2, (byte) ~record.get(RECORD / 2));
        }
        to.unwrap(record, plaintext);
        if (!plaintext.flip().equals(ByteBuffer.wrap(content))) {
            throw new IllegalStateException("not the record that was sent");
        }
    }

    private EnginePair pair() {
        SSLEngine one = client.createSSLEngine(Pki.HOST, 8883);
        one.setUseClientMode(true);
        SSLEngine other = server.createSSLEngine();
        other.setUseClientMode(false);
        return new EnginePair(one, other);
    }

    private static long heapAfterCollection() {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private static long kilobytes(String row) throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(row)) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IllegalStateException("no " + row);
    }
}
