package io.brokertls.internal;

import io.brokertls.TlsFailure;
import java.nio.charset.StandardCharsets;

/** The fields of a conversion's result, in the order in which the native library writes them. */
public final class NativeConversion {
    static {
        NativeLoader.load();
    }

    private final byte[][] fields;
    private int next;

    /**
     * Converts a store.
     *
     * @param options names and values in turn
     * @param passwords UTF-8, copied: those of the input and of the output, null for those of the options, and then
     *     those of keys
     * @param source a file, or the name of the content in messages
     * @param content a {@code byte[]} or a {@link NativeFile}; null to read the file
     * @param destination null for a result in memory
     */
    public NativeConversion(String[] options, byte[][] passwords, String source, Object content, String destination)
            throws TlsFailure {
        this.fields = Workers.call(() -> convert(options, passwords, source, content, destination));
    }

    /** Returns the next field; may be null. */
    public byte[] bytes() {
        return fields[next++];
    }

    /** Returns the next field, which is UTF-8; null if it is missing. */
    public String text() {
        byte[] bytes = bytes();
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    /** Returns the next field, which is a number. */
    public int number() {
        return Integer.parseInt(text());
    }

    /** Returns the names of the options and their descriptions, in turn. */
    public static native String[] options();

    private static native byte[][] convert(String[] options, byte[][] passwords, String source, Object content,
            String destination) throws TlsFailure;
}
