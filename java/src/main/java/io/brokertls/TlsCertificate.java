package io.brokertls;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/** A certificate that a context uses, for monitoring of its expiry. A snapshot; it does not change. */
public final class TlsCertificate {
    /** The number of texts that the native library gives for each certificate. */
    public static final int TEXTS = 9;

    private static final int HEXADECIMAL = 16;
    private static final int PLACE = 1;
    private static final int SUBJECT = 2;
    private static final int ISSUER = 3;
    private static final int SERIAL = 4;
    private static final int KEY = 5;
    private static final int SHA256 = 6;
    private static final int NOT_BEFORE = 7;
    private static final int NOT_AFTER = 8;

    private final String[] texts;

    /**
     * Makes the facts of a certificate, for the provider.
     *
     * @param texts {@link #TEXTS} of them: kind, place, subject, issuer, serial number, key, SHA-256, and the two times
     *         of validity in seconds since 1970; copied
     */
    public TlsCertificate(String[] texts) {
        this.texts = Objects.requireNonNull(texts, "texts").clone();
    }

    /** {@return the use of the certificate} */
    public Kind kind() {
        return texts[0].equals("own") ? Kind.OWN : Kind.TRUSTED;
    }

    /** {@return its place: {@code broker.ks, alias broker}, or the manager and the alias} */
    public String place() {
        return texts[PLACE];
    }

    /** {@return the subject in the form of RFC 4514, for example {@code CN=broker,O=Example}} */
    public String subject() {
        return texts[SUBJECT];
    }

    /** {@return the issuer in the same form} */
    public String issuer() {
        return texts[ISSUER];
    }

    /** {@return the serial number} */
    public BigInteger serialNumber() {
        return new BigInteger(texts[SERIAL], HEXADECIMAL);
    }

    /** {@return the type and size of the key, for example {@code EC P-256}} */
    public String key() {
        return texts[KEY];
    }

    /** {@return the SHA-256 fingerprint in lower-case hexadecimal} */
    public String sha256() {
        return texts[SHA256];
    }

    /** {@return the first second of validity} */
    public Instant notBefore() {
        return Instant.ofEpochSecond(Long.parseLong(texts[NOT_BEFORE]));
    }

    /** {@return the last second of validity} */
    public Instant notAfter() {
        return Instant.ofEpochSecond(Long.parseLong(texts[NOT_AFTER]));
    }

    /** {@return the number of whole days until it expires; negative once it has expired} */
    public long daysLeft() {
        return Math.floorDiv(Duration.between(Instant.now(), notAfter()).getSeconds(), Duration.ofDays(1).getSeconds());
    }

    /** Returns all of it in one line, for logs. */
    @Override
    public String toString() {
        return kind() + " " + place() + ": " + subject() + ", issuer " + issuer() + ", serial " + texts[SERIAL] + ", "
                + key() + ", valid from " + notBefore() + " to " + notAfter();
    }

    /** The use of a certificate. */
    public enum Kind {
        /** It is shown to peers: an own certificate, or one of its issuers. */
        OWN,
        /** It is a trust anchor. */
        TRUSTED
    }
}
