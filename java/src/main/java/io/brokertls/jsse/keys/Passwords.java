package io.brokertls.jsse.keys;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Passwords on their way to native code: never a String, wiped by whoever asked for the copy. */
public final class Passwords {
    private Passwords() {
    }

    /** A copy as UTF-8, which the caller wipes; null for null. */
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

    /** Overwrites a copy; null is fine. */
    public static void wipe(byte[] secret) {
        if (secret != null) {
            Arrays.fill(secret, (byte) 0);
        }
    }
}
