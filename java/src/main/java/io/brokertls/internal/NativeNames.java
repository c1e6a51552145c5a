package io.brokertls.internal;

import io.brokertls.TlsFailure;
import java.nio.charset.StandardCharsets;

/** The fields of a certificate's names, in the order in which the native library writes them. */
public final class NativeNames {
    private final byte[][] fields;
    private int next;

    /**
     * Reads a certificate.
     *
     * @throws TlsFailure CERTIFICATE_MALFORMED unless it is exactly one certificate in DER
     */
    public NativeNames(byte[] certificate) throws TlsFailure {
        NativeLoader.load();
        this.fields = read(certificate);
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

    private static native byte[][] read(byte[] certificate) throws TlsFailure;
}
