package io.brokertls.internal;

import java.net.InetAddress;

/** The host that a program has named by an address. */
public final class OriginalHost {
    static {
        NativeLoader.load();
    }

    private OriginalHost() {
    }

    /**
     * Returns the name that an address was made with, or the text of the address if it was made without one. A name
     * that was looked up for the address later counts for nothing: whoever has the address decides it.
     */
    public static String of(InetAddress address) {
        String given = name(address);
        return given == null || given.isEmpty() ? address.getHostAddress() : given;
    }

    /** Returns null for an address without a name. Java has no public method that tells the two kinds of name apart. */
    private static native String name(InetAddress address);
}
