package io.brokertls.bench;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.nio.ByteBuffer;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;

/**
 * Records of one size, TLS 1.3, on the server. Records to read are made by the client in batches outside the measured
 * time.
 */
final class Records implements Measured {
    /** A batch is so long that reading the clock does not count, and short enough for a processor's cache. */
    private static final int BATCH_MAX = 256;
    private static final int BATCH_BYTES = 1 << 20;
    /** The overhead of a TLS 1.3 record in bytes, with room for an implementation that pads. */
    private static final int OVERHEAD_MAX = 64;
    /** Connections are replaced before any implementation updates its keys. */
    private static final long RECORDS_MAX = 1 << 22;
    private static final String SUITE = "TLS_AES_128_GCM_SHA256";
    private static final String KEY = "ECDSA_P256";

    private final Side side;
    private final Side.Server servers;
    /** BoringSSL makes one record of 16,384 bytes; SunJSSE makes two. */
    private final SslContext clients;
    private final boolean isWrap;
    private final int size;
    private final int batch;
    private final ByteBuffer content;
    private final ByteBuffer plaintext;
    private final ByteBuffer records;
    private final long clockCost = Clock.cost();
    private Link link;
    private long moved;

    Records(Side side, boolean isWrap, boolean isDirect, int size) throws Exception {
        this.side = side;
        this.isWrap = isWrap;
        this.size = size;
        servers = side.server(KEY);
        clients = SslContextBuilder.forClient().sslProvider(SslProvider.OPENSSL)
                .trustManager(new TrustCounter(Identities.identity(KEY).getCertificate("server")))
                .protocols("TLSv1.3").ciphers(List.of(SUITE)).build();
        batch = Math.min(BATCH_MAX, BATCH_BYTES / size);
        connect();
        int packet = link.server.getSession().getPacketBufferSize();
        int application = link.server.getSession().getApplicationBufferSize();
        content = ByteBuffer.allocate(size);
        plaintext = allocate(isDirect, isWrap ? size : Math.max(application, size + OVERHEAD_MAX));
        records = allocate(isDirect, isWrap ? Math.max(packet, size + OVERHEAD_MAX)
                : batch * (size + OVERHEAD_MAX) + link.client.getSession().getPacketBufferSize());
    }

    private static ByteBuffer allocate(boolean isDirect, int length) {
        return isDirect ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
    }

    private void connect() throws Exception {
        if (link != null) {
            link.close(side);
        }
        link = new Link();
        link.handshake(clients.newEngine(ByteBufAllocator.DEFAULT, Identities.HOST, 1), servers);
        moved = 0;
    }

    @Override
    public void sample(Counts counts) throws Exception {
        if (moved > RECORDS_MAX) {
            connect();
        }
        if (!isWrap) {
            fill();
        }
        long bytes = Clock.allocated();
        long begun = Clock.nanos();
        if (isWrap) {
            wrap();
        } else {
            unwrap();
        }
        long nanos = Clock.nanos() - begun - clockCost;
        counts.add(batch, nanos, Clock.allocated() - bytes);
        moved += batch;
    }

    private void wrap() throws SSLException {
        SSLEngine server = link.server;
        for (int i = 0; i < batch; i++) {
            plaintext.clear();
            // SunJSSE makes two records of 16,384 bytes.
            while (plaintext.hasRemaining()) {
                records.clear();
                expectOk(server.wrap(plaintext, records));
            }
        }
    }

    private void unwrap() throws SSLException {
        SSLEngine server = link.server;
        while (records.hasRemaining()) {
            plaintext.clear();
            expectOk(server.unwrap(records, plaintext));
        }
    }

    private void fill() throws SSLException {
        records.clear();
        for (int i = 0; i < batch; i++) {
            content.clear();
            int before = records.position();
            expectOk(link.client.wrap(content, records));
            if (content.hasRemaining() || records.position() - before > size + OVERHEAD_MAX) {
                throw new SSLException("the client makes no record of " + size + " bytes");
            }
        }
        records.flip();
    }

    private static void expectOk(SSLEngineResult result) throws SSLException {
        if (result.getStatus() != SSLEngineResult.Status.OK) {
            throw new SSLException("the engine says " + result);
        }
    }
}
