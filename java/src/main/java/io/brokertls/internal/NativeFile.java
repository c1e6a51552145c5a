package io.brokertls.internal;

import java.io.IOException;

/** A file that only Java can read, for example in an archive. Called at each build and reload. */
@FunctionalInterface
public interface NativeFile {
    /**
     * Reads the file. The native library wipes the result.
     *
     * @param limit the largest number of bytes that is accepted; one more shows that there are too many
     * @throws IOException with the reason, which becomes a part of the error's message
     */
    byte[] read(int limit) throws IOException;
}
