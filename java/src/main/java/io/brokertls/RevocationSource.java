package io.brokertls;

import java.time.Instant;
import java.util.Optional;

/** Where knowledge of revocation comes from, and how asking there went: as it was when it was asked for. */
public final class RevocationSource {
    private final Kind kind;
    private final String place;
    private final long lastSuccess;
    private final long nextRefresh;
    private final long entries;
    private final long failures;
    private final String lastError;

    /** Called by the native library. */
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

    /** What it gives. */
    public Kind kind() {
        return kind;
    }

    /** Its file, label or URL. */
    public String place() {
        return place;
    }

    /** When it was last read or fetched; empty where it never could be. */
    public Optional<Instant> lastSuccess() {
        return time(lastSuccess);
    }

    /** When {@link BrokerTlsContext#maintain()} asks there again; empty for a file, which a reload reads. */
    public Optional<Instant> nextRefresh() {
        return time(nextRefresh);
    }

    /** How many certificates the lists revoke, or how many responses there are. */
    public long entries() {
        return entries;
    }

    /** How often asking there has failed. */
    public long failures() {
        return failures;
    }

    /** What went wrong the last time; empty where it went well. */
    public Optional<String> lastError() {
        return Optional.ofNullable(lastError);
    }

    private static Optional<Instant> time(long seconds) {
        return seconds == Long.MIN_VALUE ? Optional.empty() : Optional.of(Instant.ofEpochSecond(seconds));
    }

    /** In a line, for logs. */
    @Override
    public String toString() {
        return kind + " " + place + ": " + entries + " entries, last had "
                + lastSuccess().map(Instant::toString).orElse("never")
                + nextRefresh().map(next -> ", asked again " + next).orElse("") + ", " + failures + " failures"
                + lastError().map(error -> ", the last one: " + error).orElse("");
    }

    /** What a source gives; in the order of the native library's numbers. */
    public enum Kind {
        /** Revocation lists (CRL), of a file or fetched. */
        CRL,
        /** OCSP responses about peers, of a file or a responder's. */
        OCSP,
        /** The OCSP response that is stapled to a certificate of our own. */
        STAPLE
    }
}
