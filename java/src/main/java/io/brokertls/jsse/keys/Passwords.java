package io.brokertls.jsse.keys;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Copies of passwords for native code. They are never Strings, and their caller wipes them. */
public final class Passwords {
    private Passwords() {
    }

    /** Returns a copy as UTF-8, which the caller wipes; null for null. */
    public static byte[] utf8(char[] password) {
        if (password == null) {
            return null;
        }
        ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(password));
        byte[] copy = new byte[encoded.remaining()];
        encoded.get(copy);
        Arrays.fill(encoded.array(), (byte) 0);
        return copy;
    }

    /** Overwrites a copy with zeros. Accepts null. */
    public static void wipe(byte[] secret) {
        if (secret != null) {
            Arrays.fill(secret, (byte) 0);
        }
    }
}
