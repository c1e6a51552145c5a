package io.brokertls.internal;

/** Receives the lines of a context's log; called from any thread that uses it. */
public interface NativeLog {
    /** Writes a line. Level 1 is an error, 2 a warning, 3 information. */
    void write(int level, String line);
}
