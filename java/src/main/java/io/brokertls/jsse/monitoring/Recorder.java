package io.brokertls.jsse.monitoring;

import io.brokertls.RevocationSource;
import io.brokertls.TlsCertificate;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;

/** Records the events of JFR. Loaded only if the module jdk.jfr is there. */
final class Recorder implements Flight, FlightRecorderListener {
    private final AtomicReference<Hooks> registered = new AtomicReference<>();
    private volatile Supplier<Collection<Watched>> contexts;

    @Override
    public Object begin() {
        return begun(new Events.Handshake());
    }

    private static Object begun(Event event) {
        if (!event.isEnabled()) {
            return null;
        }
        event.begin();
        return event;
    }

    @Override
    public void handshake(Object begun, HandshakeFacts facts) {
        Events.Handshake event = (Events.Handshake) begun;
        event.end();
        if (event.shouldCommit()) {
            event.context = facts.context;
            event.connectionId = facts.connectionId;
            event.client = facts.isClient;
            event.address = facts.address;
            event.version = facts.version;
            event.cipherSuite = facts.cipherSuite;
            event.group = facts.group;
            event.resumed = facts.isResumed;
            event.peer = facts.peer;
            event.result = facts.result;
            event.commit();
        }
    }

    @Override
    public boolean records() {
        return new Events.Refusal().isEnabled() || new Events.Handshake().isEnabled();
    }

    @Override
    public void refusal(HandshakeFacts facts, String message, String hint) {
        Events.Refusal event = new Events.Refusal();
        if (event.shouldCommit()) {
            event.context = facts.context;
            event.connectionId = facts.connectionId;
            event.client = facts.isClient;
            event.address = facts.address;
            event.peer = facts.peer;
            event.code = facts.result;
            event.message = message;
            event.hint = hint;
            event.commit();
        }
    }

    @Override
    public Object beginReload() {
        return begun(new Events.Reload());
    }

    @Override
    public void reload(Object begun, String context, String failure) {
        Events.Reload event = (Events.Reload) begun;
        event.end();
        if (event.shouldCommit()) {
            event.context = context;
            event.successful = failure == null;
            event.failure = failure;
            event.commit();
        }
    }

    @Override
    public void watch(Supplier<Collection<Watched>> watched) {
        contexts = watched;
        // Calls back at once if JFR is in use. Otherwise JFR is not started.
        FlightRecorder.addListener(this);
    }

    /** Called by JFR with its locks held, and so without one of ours. */
    @Override
    public void recorderInitialized(FlightRecorder recorder) {
        Hooks hooks = new Hooks();
        if (contexts != null && registered.compareAndSet(null, hooks)) {
            hooks.add();
            if (registered.get() != hooks) {
                // Forgotten meanwhile, perhaps before they were added.
                hooks.remove();
            }
        }
    }

    @Override
    public void forget() {
        contexts = null;
        FlightRecorder.removeListener(this);
        Hooks hooks = registered.getAndSet(null);
        if (hooks != null) {
            hooks.remove();
        }
    }

    /** Actions that JFR calls for the periodic events. */
    private final class Hooks {
        private final Runnable certificates = () -> each(context -> context.certificates()
                .forEach(certificate -> record(context.name(), certificate)));
        private final Runnable sources = () -> each(context -> context.revocationSources()
                .forEach(source -> record(context.name(), source)));

        void add() {
            FlightRecorder.addPeriodicEvent(Events.Certificate.class, certificates);
            FlightRecorder.addPeriodicEvent(Events.Revocation.class, sources);
        }

        void remove() {
            FlightRecorder.removePeriodicEvent(certificates);
            FlightRecorder.removePeriodicEvent(sources);
        }
    }

    private void each(Consumer<Watched> recording) {
        Supplier<Collection<Watched>> watched = contexts;
        if (watched != null) {
            for (Watched context : watched.get()) {
                try {
                    recording.accept(context);
                } catch (IllegalStateException e) {
                    // It was closed meanwhile.
                    continue;
                }
            }
        }
    }

    private static void record(String context, TlsCertificate certificate) {
        Events.Certificate event = new Events.Certificate();
        event.context = context;
        event.kind = certificate.kind().name();
        event.place = certificate.place();
        event.subject = certificate.subject();
        event.notAfter = certificate.notAfter().toEpochMilli();
        event.daysLeft = certificate.daysLeft();
        event.commit();
    }

    private static void record(String context, RevocationSource source) {
        Events.Revocation event = new Events.Revocation();
        event.context = context;
        event.kind = source.kind().name();
        event.place = source.place();
        event.entries = source.entries();
        event.failures = source.failures();
        event.lastSuccess = milliseconds(source.lastSuccess());
        event.nextRefresh = milliseconds(source.nextRefresh());
        event.lastError = source.lastError().orElse(null);
        event.commit();
    }

    private static long milliseconds(Optional<Instant> time) {
        return time.map(Instant::toEpochMilli).orElse(Long.MIN_VALUE);
    }
}
