package io.brokertls.bench;

import java.util.Arrays;

/**
 * The samples of a round: the time of an operation inside the library, and the bytes that it takes of the Java heap.
 * The median of each counts, because a sample in which the machine does something else says nothing.
 */
final class Counts {
    private static final int MOST_SAMPLES = 1 << 16;

    private final double[] nanos = new double[MOST_SAMPLES];
    private final double[] bytes = new double[MOST_SAMPLES];
    private int samples;
    private long operations;

    void add(long operationsMore, long nanosMore, long bytesMore) {
        nanos[samples] = (double) nanosMore / operationsMore;
        bytes[samples] = (double) bytesMore / operationsMore;
        samples++;
        operations += operationsMore;
    }

    boolean isFull() {
        return samples == MOST_SAMPLES;
    }

    long operations() {
        return operations;
    }

    /** Returns nanoseconds and bytes, each for one operation. */
    @Override
    public String toString() {
        return median(nanos) + " " + median(bytes);
    }

    private double median(double[] values) {
        double[] sorted = Arrays.copyOf(values, samples);
        Arrays.sort(sorted);
        return sorted[samples / 2];
    }
}
