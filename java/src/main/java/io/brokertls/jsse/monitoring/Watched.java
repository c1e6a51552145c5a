package io.brokertls.jsse.monitoring;

import io.brokertls.RevocationSource;
import io.brokertls.TlsCertificate;
import io.brokertls.TlsFailure;
import io.brokertls.TlsMetrics;
import java.util.List;

/** A context as its monitors see it. Methods but the name and the counters fail after its end. */
public interface Watched {
    /** Returns the name of the context in the process. */
    String name();

    TlsMetrics metrics();

    List<TlsCertificate> certificates();

    List<RevocationSource> revocationSources();

    long revocationUnknownAccepted();

    List<String> warnings();

    void reload() throws TlsFailure;
}
