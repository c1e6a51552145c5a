package io.brokertls;

import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The management interface of a context: {@code io.brokertls:type=TlsContext,name=NAME}.
 * {@link BrokerTlsContextBuilder#registerMBean} registers it. Its counters are those of {@link TlsMetrics}.
 */
public interface BrokerTlsContextMXBean {
    /** Returns the number of open connections. */
    long getOpenConnections();

    /** Returns the number of complete full handshakes. */
    long getFullHandshakes();

    /** Returns the number of complete handshakes that resumed a session. */
    long getResumedHandshakes();

    /** Returns the number of refusals. */
    long getRefusals();

    /** Returns the numbers of refusals by the name of their code, for example {@code CERT_EXPIRED}. */
    Map<String, Long> getRefusalsByReason();

    /** Returns the number of refusals without a line in the log. */
    long getRefusalsNotLogged();

    /** Returns the certificates in use. */
    List<Certificate> getCertificates();

    /** Returns the number of days until the first own certificate expires; null without an own certificate. */
    @Nullable Long getDaysUntilExpiry();

    /** Returns the number of reloads that took effect. */
    long getReloads();

    /** Returns the number of reloads that failed. */
    long getFailedReloads();

    /** Returns the time of the last reload; null if there was none. */
    @Nullable Date getLastReload();

    /** Returns the message of the last reload if it failed; null if it took effect. */
    @Nullable String getLastReloadFailure();

    /** Returns the sources of revocation data. */
    List<Revocation> getRevocationSources();

    /** Returns the number of certificates accepted since the last reload although no source knew their status. */
    long getRevocationUnknownAccepted();

    /** Returns the warnings about the configuration. */
    List<String> getWarnings();

    /**
     * Reads every file again, as {@link BrokerTlsContext#reload()} does.
     *
     * @throws IllegalStateException with the code, the file and a hint if the context kept its configuration
     */
    void reload();

    /** A certificate, see {@link TlsCertificate}. */
    final class Certificate {
        private final TlsCertificate from;

        /** Made by the provider. */
        public Certificate(TlsCertificate from) {
            this.from = Objects.requireNonNull(from, "from");
        }

        /** Returns {@code OWN} or {@code TRUSTED}. */
        public String getKind() {
            return from.kind().name();
        }

        /** Returns its place, with the alias if it has one. */
        public String getPlace() {
            return from.place();
        }

        /** Returns the subject. */
        public String getSubject() {
            return from.subject();
        }

        /** Returns the issuer. */
        public String getIssuer() {
            return from.issuer();
        }

        /** Returns the serial number in hexadecimal. */
        public String getSerialNumber() {
            return from.serialNumber().toString(16);
        }

        /** Returns the type and size of the key. */
        public String getKey() {
            return from.key();
        }

        /** Returns the SHA-256 fingerprint in hexadecimal. */
        public String getSha256() {
            return from.sha256();
        }

        /** Returns the last second of validity. */
        public Date getNotAfter() {
            return Date.from(from.notAfter());
        }

        /** Returns the number of whole days until it expires. */
        public long getDaysLeft() {
            return from.daysLeft();
        }
    }

    /** A source of revocation data, see {@link RevocationSource}. */
    final class Revocation {
        private final RevocationSource from;

        /** Made by the provider. */
        public Revocation(RevocationSource from) {
            this.from = Objects.requireNonNull(from, "from");
        }

        /** Returns {@code CRL}, {@code OCSP} or {@code STAPLE}. */
        public String getKind() {
            return from.kind().name();
        }

        /** Returns its file, label or URL. */
        public String getPlace() {
            return from.place();
        }

        /** Returns the time of the last successful read or fetch; null if there was none. */
        public @Nullable Date getLastSuccess() {
            return from.lastSuccess().map(Date::from).orElse(null);
        }

        /** Returns the time of the next fetch; null for a file. */
        public @Nullable Date getNextRefresh() {
            return from.nextRefresh().map(Date::from).orElse(null);
        }

        /** Returns the number of its entries. */
        public long getEntries() {
            return from.entries();
        }

        /** Returns the number of failed attempts. */
        public long getFailures() {
            return from.failures();
        }

        /** Returns the error of the last attempt; null if it succeeded. */
        public @Nullable String getLastError() {
            return from.lastError().orElse(null);
        }
    }
}
