package io.brokertls.jsse.monitoring;

import io.brokertls.BrokerTlsContextMXBean;
import io.brokertls.ErrorCode;
import io.brokertls.TlsCertificate;
import io.brokertls.TlsFailure;
import io.brokertls.TlsMetrics;
import java.lang.ref.WeakReference;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The MBean of a context. It does not keep the context from being collected. */
final class ContextMBean implements BrokerTlsContextMXBean {
    private final WeakReference<Watched> reference;
    private final Supplier<TlsMetrics> counters;

    /** @param counters the counters of the context, which do not refer to it */
    ContextMBean(Watched context, Supplier<TlsMetrics> counters) {
        this.reference = new WeakReference<>(context);
        this.counters = counters;
    }

    private Watched context() {
        Watched context = reference.get();
        if (context == null) {
            throw new IllegalStateException("the context is no longer used");
        }
        return context;
    }

    @Override
    public long getOpenConnections() {
        return counters.get().openConnections();
    }

    @Override
    public long getFullHandshakes() {
        return counters.get().fullHandshakes();
    }

    @Override
    public long getResumedHandshakes() {
        return counters.get().resumedHandshakes();
    }

    @Override
    public long getRefusals() {
        return counters.get().refusalCount();
    }

    @Override
    public Map<String, Long> getRefusalsByReason() {
        Map<String, Long> named = new TreeMap<>();
        for (Map.Entry<ErrorCode, Long> each : counters.get().refusals().entrySet()) {
            named.put(each.getKey().name(), each.getValue());
        }
        return named;
    }

    @Override
    public long getRefusalsNotLogged() {
        return counters.get().refusalsNotLogged();
    }

    @Override
    public List<Certificate> getCertificates() {
        return context().certificates().stream().map(Certificate::new).collect(Collectors.toList());
    }

    @Override
    public Long getDaysUntilExpiry() {
        return context().certificates().stream().filter(each -> each.kind() == TlsCertificate.Kind.OWN)
                .map(TlsCertificate::daysLeft).min(Long::compare).orElse(null);
    }

    @Override
    public long getReloads() {
        return counters.get().reloads();
    }

    @Override
    public long getFailedReloads() {
        return counters.get().failedReloads();
    }

    @Override
    public Date getLastReload() {
        return counters.get().lastReload().map(Date::from).orElse(null);
    }

    @Override
    public String getLastReloadFailure() {
        return counters.get().lastReloadFailure().map(Throwable::getMessage).orElse(null);
    }

    @Override
    public List<Revocation> getRevocationSources() {
        return context().revocationSources().stream().map(Revocation::new).collect(Collectors.toList());
    }

    @Override
    public long getRevocationUnknownAccepted() {
        return context().revocationUnknownAccepted();
    }

    @Override
    public List<String> getWarnings() {
        return context().warnings();
    }

    @Override
    public void reload() {
        try {
            context().reload();
        } catch (TlsFailure e) {
            // A management client need not have the classes of this library.
            throw new IllegalStateException(e.messageWithHint());
        }
    }
}
