package io.brokertls;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The identity of a peer that a pre-shared key authenticated (RFC 4279 section 5.1).
 * {@link javax.net.ssl.SSLSession#getPeerPrincipal()} returns it for such a peer, which has sent no certificate.
 */
public final class PskPrincipal implements Principal {
    private static final int MOST_VISIBLE = 0x7e;
    private static final int LEAST_VISIBLE = 0x20;

    private final byte[] identity;

    /**
     * Makes a principal of an identity.
     *
     * @param identity copied
     */
    public PskPrincipal(byte[] identity) {
        this.identity = Objects.requireNonNull(identity, "identity").clone();
    }

    /** {@return a copy of the identity as the peer has sent it} */
    public byte[] identity() {
        return identity.clone();
    }

    /**
     * Returns the identity as a text if it is UTF-8 without control characters. Otherwise each byte beside the visible
     * ones of ASCII is written as {@code \xNN}, and a backslash as two. Compare {@link #identity()} to tell any two
     * identities apart.
     */
    @Override
    public String getName() {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(identity)).toString();
            if (text.codePoints().noneMatch(Character::isISOControl)) {
                return text;
            }
        } catch (CharacterCodingException e) {
            // The bytes are no text.
        }
        StringBuilder escaped = new StringBuilder();
        for (byte each : identity) {
            int value = Byte.toUnsignedInt(each);
            if (value == '\\') {
                escaped.append("\\\\");
            } else if (value >= LEAST_VISIBLE && value <= MOST_VISIBLE) {
                escaped.append((char) value);
            } else {
                escaped.append(String.format("\\x%02x", value));
            }
        }
        return escaped.toString();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PskPrincipal && Arrays.equals(identity, ((PskPrincipal) other).identity);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(identity);
    }

    @Override
    public String toString() {
        return "PskPrincipal[" + getName() + "]";
    }
}
