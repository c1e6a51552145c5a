package io.brokertls.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Records of one size, TLS 1.3, on the server. Reading needs records that were not read before: the client makes a
 * batch between the invocations, which JMH leaves out of the time; a batch is long enough for that to be exact.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RecordBenchmark {
    static final int BATCH = 256;
    /** The overhead of a TLS 1.3 record in bytes, with room for an implementation that pads. */
    private static final int OVERHEAD_MAX = 64;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Param
    public Side side;

    @Param({"64", "1024", "16384"})
    public int size;

    @Param({"heap", "direct"})
    public String buffers;

    @Param("TLS_AES_128_GCM_SHA256")
    public String suite;

    private SSLEngine server;
    private ByteBuffer plaintext;
    private ByteBuffer out;

    @Setup(Level.Iteration)
    public void connect() throws Exception {
        SSLContext serverContext = side.server("ECDSA_P256");
        Link link = new Link();
        link.handshake(Side.client("ECDSA_P256"), side, serverContext, 1, "TLSv1.3", suite);
        server = link.server;
        plaintext = allocate(size);
        out = allocate(Math.max(server.getSession().getPacketBufferSize(), size + OVERHEAD_MAX));
    }

    private ByteBuffer allocate(int length) {
        return buffers.equals("direct") ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
    }

    /**
     * Measures the Java heap that the thread allocates. The profiler of JMH would count the preparation of the batches
     * too.
     */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Allocation {
        public long bytes;
        public long records;

        private void add(long before) {
            bytes += THREADS.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
            records += BATCH;
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int wrap(Allocation allocation) throws SSLException {
        int produced = 0;
        long before = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
        for (int i = 0; i < BATCH; i++) {
            plaintext.clear();
            // SunJSSE makes two records of 16,384 bytes.
            while (plaintext.hasRemaining()) {
                out.clear();
                produced += server.wrap(plaintext, out).bytesProduced();
            }
        }
        allocation.add(before);
        return produced;
    }

    /** Records for the server, made by the client outside the measured time. */
    @State(Scope.Thread)
    public static class Batch {
        private SSLEngine client;
        private SSLEngine server;
        private ByteBuffer records;
        private ByteBuffer content;
        private ByteBuffer destination;

        @Setup(Level.Iteration)
        public void connect(RecordBenchmark of) throws Exception {
            Link link = new Link();
            link.handshake(Side.client("ECDSA_P256"), of.side, of.side.server("ECDSA_P256"), 1, "TLSv1.3", of.suite);
            client = link.client;
            server = link.server;
            records = of.allocate(BATCH * (of.size + 2 * OVERHEAD_MAX) + client.getSession().getPacketBufferSize());
            content = ByteBuffer.allocate(of.size);
            destination = of.allocate(Math.max(server.getSession().getApplicationBufferSize(), of.size));
        }

        @Setup(Level.Invocation)
        public void fill() throws SSLException {
            records.clear();
            for (int i = 0; i < BATCH; i++) {
                content.clear();
                while (content.hasRemaining()) {
                    client.wrap(content, records);
                }
            }
            records.flip();
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int unwrap(Batch batch, Allocation allocation) throws SSLException {
        int read = 0;
        long before = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
        ByteBuffer destination = batch.destination;
        while (batch.records.hasRemaining()) {
            destination.clear();
            SSLEngineResult result = batch.server.unwrap(batch.records, destination);
            if (result.getStatus() != SSLEngineResult.Status.OK) {
                throw new SSLException("unwrap says " + result);
            }
            read += result.bytesProduced();
        }
        allocation.add(before);
        return read;
    }
}
