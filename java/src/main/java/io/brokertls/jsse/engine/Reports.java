package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.ContextCounters;
import io.brokertls.internal.LateLog;
import io.brokertls.internal.NativeContext;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.monitoring.Flight;
import io.brokertls.jsse.monitoring.HandshakeFacts;
import io.brokertls.jsse.session.Session;
import java.net.InetAddress;
import java.security.Principal;

/**
 * Reports the connections of a context: complete handshakes and refusals, to the log and the counters. A line names the
 * connection as those of the native library do.
 */
final class Reports {
    private static final System.Logger LOG = System.getLogger("io.brokertls");

    private static final int WARNING = 2;
    private static final int DEBUG = 4;

    /** Called with the lock of the engine. */
    private final LateLog log = new LateLog((level, line) ->
            LOG.log(level == DEBUG ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING, line));
    private final NativeContext context;
    private final String name;
    private final ContextCounters counters;

    Reports(NativeContext context, String name) {
        this.context = context;
        this.name = name;
        this.counters = context.counters();
    }

    /** Begins the event of a handshake, if a recording wants it. */
    void begin(ConfiguredEngine engine) {
        engine.flight = Flight.EVENTS.begin();
    }

    /** Reports a complete handshake with the facts of its connection. */
    void complete(ConfiguredEngine engine, String[] facts, boolean isResumed, Session session) {
        counters.complete(isResumed);
        if (engine.flight != null) {
            HandshakeFacts recorded = facts(engine, isResumed ? "resumed" : "full");
            recorded.version = facts[ConfiguredEngine.FACT_VERSION];
            recorded.cipherSuite = session.getCipherSuite();
            recorded.group = facts[ConfiguredEngine.FACT_GROUP];
            recorded.isResumed = isResumed;
            recorded.peer = HandshakeCallbacks.printable(session.peerName());
            Flight.EVENTS.handshake(engine.flight, recorded);
            engine.flight = null;
        }
        if (LOG.isLoggable(System.Logger.Level.DEBUG)) {
            String protocol = facts[ConfiguredEngine.FACT_PROTOCOL];
            log.write(DEBUG, HandshakeCallbacks.printable(connection(engine)
                    + "handshake completed: " + facts[ConfiguredEngine.FACT_VERSION] + ", " + session.getCipherSuite()
                    + ", group " + facts[ConfiguredEngine.FACT_GROUP]
                    + (protocol == null ? "" : ", protocol " + protocol) + (isResumed ? ", resumed" : "") + ", peer "
                    + session.peerName()));
        }
    }

    /**
     * Reports a failed connection. Devices lose their network all the time, and health checks leave at once. That is no
     * news about TLS.
     *
     * @param peer the subject that a Java manager was asked about, as its messages do not name it; null for none
     * @param isEstablished true if its handshake was complete
     */
    void failed(HandshakingEngine engine, TlsFailure failure, Principal peer, boolean isEstablished) {
        if (isEstablished ? failure.code() == ErrorCode.TRUNCATED : isLookedAt(engine, failure)) {
            if (LOG.isLoggable(System.Logger.Level.DEBUG)) {
                log.write(DEBUG, HandshakeCallbacks.printable(line(engine, failure, peer)));
            }
            return;
        }
        counters.refused(failure.code());
        record(engine, failure, peer);
        String line = null;
        if (LOG.isLoggable(System.Logger.Level.WARNING)) {
            line = limited(line(engine, failure, peer));
        }
        if (line == null) {
            counters.leftOut();
        } else {
            log.write(WARNING, line);
        }
    }

    /** Returns true for a peer that leaves before its first record, as health checks do. */
    private static boolean isLookedAt(HandshakingEngine engine, TlsFailure failure) {
        return failure.code() == ErrorCode.HANDSHAKE_EOF
                && Boolean.FALSE.equals(engine.ask(NativeEngine::hasBegun));
    }

    private void record(ConfiguredEngine engine, TlsFailure failure, Principal peer) {
        if (!Flight.EVENTS.records()) {
            return;
        }
        HandshakeFacts recorded = facts(engine, failure.code().name());
        recorded.peer = peer == null ? null : HandshakeCallbacks.printable(peer.getName());
        if (engine.flight != null) {
            Flight.EVENTS.handshake(engine.flight, recorded);
            engine.flight = null;
        }
        Flight.EVENTS.refusal(recorded, HandshakeCallbacks.printable(failure.getMessage()), failure.hint());
    }

    private HandshakeFacts facts(ConfiguredEngine engine, String result) {
        HandshakeFacts facts = new HandshakeFacts();
        facts.context = name;
        facts.connectionId = engine.connectionId();
        facts.isClient = engine.mode == ConfiguredEngine.MODE_CLIENT;
        String address = address(engine);
        facts.address = address == null ? null : HandshakeCallbacks.printable(address);
        facts.result = result;
        return facts;
    }

    /** Returns a line that peers cannot forge; null beyond the limit, so that they cannot fill the log. */
    private String limited(String line) {
        try {
            return context.refusalLine(line);
        } catch (IllegalStateException e) {
            // The context is closed. No more than the connections that it had can fail.
            return HandshakeCallbacks.printable(line);
        }
    }

    private static String line(ConfiguredEngine engine, TlsFailure failure, Principal peer) {
        return connection(engine) + failure.getMessage()
                + (peer == null || failure.getMessage().contains(peer.getName()) ? "" : ", peer " + peer.getName())
                + (failure.hint().isEmpty() ? "" : "; " + failure.hint());
    }

    /** Returns the name of a connection: {@code connection 7 from 192.0.2.1:50123: }. */
    private static String connection(ConfiguredEngine engine) {
        String address = address(engine);
        String way = engine.mode == ConfiguredEngine.MODE_CLIENT ? " to " : " from ";
        return "connection " + engine.connectionId() + (address == null ? "" : way + address) + ": ";
    }

    /** Returns the peer's host and port as far as the socket or the caller of the engine names them; else null. */
    private static String address(ConfiguredEngine engine) {
        String host = engine.host;
        int port = engine.port;
        if (engine.socket != null && engine.mode == ConfiguredEngine.MODE_SERVER) {
            InetAddress remote = engine.socket.getInetAddress();
            host = remote == null ? host : remote.getHostAddress();
            port = remote == null ? port : engine.socket.getPort();
        }
        if (host == null) {
            return null;
        }
        String name = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return port < 0 ? name : name + ":" + port;
    }
}
