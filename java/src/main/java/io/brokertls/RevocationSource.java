package io.brokertls;

import java.time.Instant;
import java.util.Optional;

/** A source of revocation data, with the outcome of the last attempt to read it. A snapshot; it does not change. */
public final class RevocationSource {
    private final Kind kind;
    private final String place;
    private final long lastSuccess;
    private final long nextRefresh;
    private final long entries;
    private final long failures;
    private final String lastError;

    /**
     * Called by the native library. Times are seconds since 1970, and {@link Long#MIN_VALUE} for none.
     *
     * @param kind the position in {@link Kind}
     * @param place the file, label or URL
     * @param lastSuccess the time of the last successful read or fetch
     * @param nextRefresh the time of the next fetch
     * @param entries the number of revoked certificates, or of responses
     * @param failures the number of failed attempts
     * @param lastError the error of the last attempt; null if it succeeded
     */
    RevocationSource(int kind, String place, long lastSuccess, long nextRefresh, long entries, long failures,
            String lastError) {
        this.kind = Kind.values()[kind];
        this.place = place;
        this.lastSuccess = lastSuccess;
        this.nextRefresh = nextRefresh;
        this.entries = entries;
        this.failures = failures;
        this.lastError = lastError;
    }

    /** {@return the kind of its data} */
    public Kind kind() {
        return kind;
    }

    /** {@return its file, label or URL} */
    public String place() {
        return place;
    }

    /** {@return the time of the last successful read or fetch; empty if there was none} */
    public Optional<Instant> lastSuccess() {
        return time(lastSuccess);
    }

    /**
     * {@return the time of the next fetch by {@link BrokerTlsContext#maintain()}; empty for a file, which reload reads}
     */
    public Optional<Instant> nextRefresh() {
        return time(nextRefresh);
    }

    /** {@return the number of revoked certificates in its lists, or of its OCSP responses} */
    public long entries() {
        return entries;
    }

    /** {@return the number of failed attempts} */
    public long failures() {
        return failures;
    }

    /** {@return the error of the last attempt; empty if it succeeded} */
    public Optional<String> lastError() {
        return Optional.ofNullable(lastError);
    }

    private static Optional<Instant> time(long seconds) {
        return seconds == Long.MIN_VALUE ? Optional.empty() : Optional.of(Instant.ofEpochSecond(seconds));
    }

    /** Returns all of it in one line, for logs. */
    @Override
    public String toString() {
        return kind + " " + place + ": " + entries + " entries, last success "
                + lastSuccess().map(Instant::toString).orElse("never")
                + nextRefresh().map(next -> ", next refresh " + next).orElse("") + ", " + failures + " failures"
                + lastError().map(error -> ", last error: " + error).orElse("");
    }

    /** The kind of data that a source gives. The order is that of the native library's numbers. */
    public enum Kind {
        /** Certificate revocation lists, from a file or fetched. */
        CRL,
        /** OCSP responses about peers, from a file or a responder. */
        OCSP,
        /** The OCSP response that is stapled to an own certificate. */
        STAPLE
    }
}
