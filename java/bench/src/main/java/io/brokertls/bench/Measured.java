package io.brokertls.bench;

/** One row of the table in one process: work that is done in samples, each one a handshake or a batch of records. */
interface Measured {
    /** Takes one sample, and adds it to the counts. */
    void sample(Counts counts) throws Exception;

    /** Begins a round. */
    default void begin() {
    }

    /** Fails if the samples are not of what the row says. */
    default void check(Counts counts) throws Exception {
    }
}
