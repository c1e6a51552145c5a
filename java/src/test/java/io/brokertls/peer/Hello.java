package io.brokertls.peer;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** The ClientHello of an engine, in its first record (RFC 8446 section 4.1.2). */
final class Hello {
    private static final int RECORD_HEADER = 5;
    private static final int MESSAGE_HEADER = 4;
    private static final int VERSION_AND_RANDOM = 34;
    private static final int SUPPORTED_VERSIONS = 43;

    final List<Integer> suites;
    private final Map<Integer, ByteBuffer> extensions = new LinkedHashMap<>();

    private Hello(ByteBuffer record) {
        record.position(RECORD_HEADER + MESSAGE_HEADER + VERSION_AND_RANDOM);
        take(record, record.get() & 0xff);
        suites = numbersOf(take(record, record.getShort() & 0xffff));
        take(record, record.get() & 0xff);
        ByteBuffer all = take(record, record.getShort() & 0xffff);
        while (all.hasRemaining()) {
            int type = all.getShort() & 0xffff;
            extensions.put(type, take(all, all.getShort() & 0xffff));
        }
    }

    /** Begins the handshake of a client. */
    static Hello of(SSLEngine engine) throws SSLException {
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.beginHandshake();
        while (engine.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
            engine.getDelegatedTask().run();
        }
        engine.wrap(ByteBuffer.allocate(0), record);
        record.flip();
        return new Hello(record);
    }

    private static ByteBuffer take(ByteBuffer from, int length) {
        ByteBuffer taken = from.slice();
        taken.limit(length);
        from.position(from.position() + length);
        return taken;
    }

    private static List<Integer> numbersOf(ByteBuffer bytes) {
        List<Integer> numbers = new ArrayList<>();
        while (bytes.remaining() >= Short.BYTES) {
            numbers.add(bytes.getShort() & 0xffff);
        }
        return numbers;
    }

    boolean has(int extension) {
        return extensions.containsKey(extension);
    }

    /** Returns the numbers of an extension that is a list of them. */
    List<Integer> numbers(int extension) {
        ByteBuffer content = extensions.get(extension).duplicate();
        return numbersOf(take(content, content.getShort() & 0xffff));
    }

    /** Returns the groups with a key share (RFC 8446 section 4.2.8). */
    List<Integer> keyShares() {
        ByteBuffer content = extensions.get(51).duplicate();
        ByteBuffer shares = take(content, content.getShort() & 0xffff);
        List<Integer> groups = new ArrayList<>();
        while (shares.hasRemaining()) {
            groups.add(shares.getShort() & 0xffff);
            take(shares, shares.getShort() & 0xffff);
        }
        return groups;
    }

    List<Integer> versions() {
        if (!has(SUPPORTED_VERSIONS)) {
            return List.of(0x0303);
        }
        ByteBuffer content = extensions.get(SUPPORTED_VERSIONS).duplicate();
        return numbersOf(take(content, content.get() & 0xff));
    }
}
