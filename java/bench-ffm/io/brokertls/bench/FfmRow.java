package io.brokertls.bench;

import io.brokertls.internal.CriticalMove;
import io.brokertls.jsse.engine.Way;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import javax.net.ssl.SSLEngine;

/** Records of one size in one direction, in batches. The ways take turns, batch by batch, on the same connection. */
final class FfmRow {
    private static final int BATCH = 64;
    private static final int BATCHES = 25;
    /** The overhead of a TLS 1.3 record in bytes. */
    private static final int OVERHEAD = 5 + 1 + 16;

    private final SSLEngine client;
    private final SSLEngine server;
    private final boolean isWrap;
    private final int size;
    private final ByteBuffer content;
    private final ByteBuffer plaintext;
    private final ByteBuffer records;
    private final long clockCost = Clock.cost();

    FfmRow(SSLEngine client, SSLEngine server, boolean isWrap, int size) {
        this.client = client;
        this.server = server;
        this.isWrap = isWrap;
        this.size = size;
        content = ByteBuffer.allocate(size);
        plaintext = ByteBuffer.allocate(server.getSession().getApplicationBufferSize());
        records = ByteBuffer.allocate(isWrap ? server.getSession().getPacketBufferSize() : BATCH * (size + OVERHEAD));
    }

    String title() {
        return (isWrap ? "wrap, " : "unwrap, ") + size + " B";
    }

    /** Returns the nanoseconds of a record by each way: the median of the batches of a round. */
    Map<Way, Double> round() {
        Map<Way, double[]> samples = new EnumMap<>(Way.class);
        for (int i = 0; i < BATCHES; i++) {
            for (Way way : Way.values()) {
                samples.computeIfAbsent(way, absent -> new double[BATCHES])[i] = batch(way);
            }
        }
        Map<Way, Double> medians = new EnumMap<>(Way.class);
        samples.forEach((way, nanos) -> medians.put(way, Quantiles.median(nanos)));
        return medians;
    }

    private double batch(Way way) {
        if (!isWrap) {
            records.clear();
            for (int i = 0; i < BATCH; i++) {
                Way.JNI.wrap(client, content.clear(), records);
            }
            records.flip();
        }
        long begun = Clock.nanos();
        if (isWrap) {
            for (int i = 0; i < BATCH; i++) {
                way.wrap(server, content.clear(), records.clear());
            }
        } else {
            while (records.hasRemaining()) {
                way.unwrap(server, records, plaintext.clear());
            }
        }
        double nanos = (double) (Clock.nanos() - begun - clockCost) / BATCH;
        if ((isWrap ? records.position() - OVERHEAD : plaintext.position()) != size) {
            throw new IllegalStateException("the records have another size");
        }
        return nanos;
    }

    /**
     * Returns the nanoseconds in which the function wipes the plaintext of a record that it wraps. It takes that for
     * memory of the pool. A function for arrays of the caller would leave it alone.
     */
    double wipe() {
        return isWrap ? wipe(size) - wipe(0) : 0;
    }

    private double wipe(int length) {
        double[] samples = new double[BATCHES];
        for (int sample = 0; sample < BATCHES; sample++) {
            long begun = Clock.nanos();
            for (int i = 0; i < BATCH; i++) {
                CriticalMove.wipe(content.array(), length);
            }
            samples[sample] = (double) (Clock.nanos() - begun - clockCost) / BATCH;
        }
        return Quantiles.median(samples);
    }
}
