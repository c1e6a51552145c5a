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
    /** {@return the number of open connections} */
    long getOpenConnections();

    /** {@return the number of complete full handshakes} */
    long getFullHandshakes();

    /** {@return the number of complete handshakes that resumed a session} */
    long getResumedHandshakes();

    /** {@return the number of refusals} */
    long getRefusals();

    /** {@return the numbers of refusals by the name of their code, for example {@code CERT_EXPIRED}} */
    Map<String, Long> getRefusalsByReason();

    /** {@return the number of refusals without a line in the log} */
    long getRefusalsNotLogged();

    /** {@return the certificates in use} */
    List<Certificate> getCertificates();

    /** {@return the number of days until the first own certificate expires; null without an own certificate} */
    @Nullable Long getDaysUntilExpiry();

    /** {@return the number of reloads that took effect} */
    long getReloads();

    /** {@return the number of reloads that failed} */
    long getFailedReloads();

    /** {@return the time of the last reload; null if there was none} */
    @Nullable Date getLastReload();

    /** {@return the message of the last reload if it failed; null if it took effect} */
    @Nullable String getLastReloadFailure();

    /** {@return the sources of revocation data} */
    List<Revocation> getRevocationSources();

    /** {@return the number of certificates accepted since the last reload although no source knew their status} */
    long getRevocationUnknownAccepted();

    /** {@return the warnings about the configuration} */
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

        /**
         * Makes the composite of a certificate, for the provider.
         *
         * @param from the certificate
         */
        public Certificate(TlsCertificate from) {
            this.from = Objects.requireNonNull(from, "from");
        }

        /** {@return {@code OWN} or {@code TRUSTED}} */
        public String getKind() {
            return from.kind().name();
        }

        /** {@return its place, with the alias if it has one} */
        public String getPlace() {
            return from.place();
        }

        /** {@return the subject} */
        public String getSubject() {
            return from.subject();
        }

        /** {@return the issuer} */
        public String getIssuer() {
            return from.issuer();
        }

        /** {@return the serial number in hexadecimal} */
        public String getSerialNumber() {
            return from.serialNumber().toString(16);
        }

        /** {@return the type and size of the key} */
        public String getKey() {
            return from.key();
        }

        /** {@return the SHA-256 fingerprint in hexadecimal} */
        public String getSha256() {
            return from.sha256();
        }

        /** {@return the last second of validity} */
        public Date getNotAfter() {
            return Date.from(from.notAfter());
        }

        /** {@return the number of whole days until it expires} */
        public long getDaysLeft() {
            return from.daysLeft();
        }
    }

    /** A source of revocation data, see {@link RevocationSource}. */
    final class Revocation {
        private final RevocationSource from;

        /**
         * Makes the composite of a source, for the provider.
         *
         * @param from the source
         */
        public Revocation(RevocationSource from) {
            this.from = Objects.requireNonNull(from, "from");
        }

        /** {@return {@code CRL}, {@code OCSP} or {@code STAPLE}} */
        public String getKind() {
            return from.kind().name();
        }

        /** {@return its file, label or URL} */
        public String getPlace() {
            return from.place();
        }

        /** {@return the time of the last successful read or fetch; null if there was none} */
        public @Nullable Date getLastSuccess() {
            return from.lastSuccess().map(Date::from).orElse(null);
        }

        /** {@return the time of the next fetch; null for a file} */
        public @Nullable Date getNextRefresh() {
            return from.nextRefresh().map(Date::from).orElse(null);
        }

        /** {@return the number of its entries} */
        public long getEntries() {
            return from.entries();
        }

        /** {@return the number of failed attempts} */
        public long getFailures() {
            return from.failures();
        }

        /** {@return the error of the last attempt; null if it succeeded} */
        public @Nullable String getLastError() {
            return from.lastError().orElse(null);
        }
    }
}
