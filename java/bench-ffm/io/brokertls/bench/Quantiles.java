package io.brokertls.bench;

import java.util.Arrays;

/** Quantiles of a few numbers. */
final class Quantiles {
    private Quantiles() {
    }

    static double median(double[] values) {
        return of(values, 0.5);
    }

    /** Returns the value below which this part of the values lies, one of them. */
    static double of(double[] values, double part) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.round(part * (sorted.length - 1))];
    }
}
