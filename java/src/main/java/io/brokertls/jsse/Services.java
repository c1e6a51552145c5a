package io.brokertls.jsse;

import io.brokertls.BrokerTlsContext;
import io.brokertls.ConnectionFacts;
import io.brokertls.TlsCertificate;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContext;
import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.jsse.engine.ConfiguredEngine;
import io.brokertls.jsse.engine.ContextState;
import io.brokertls.jsse.engine.Engine;
import io.brokertls.jsse.keys.ExtendedKeyManager;
import io.brokertls.jsse.session.Session;
import io.brokertls.jsse.session.SessionContext;
import io.brokertls.jsse.socket.TlsSocket;
import io.brokertls.jsse.trust.ExtendedTrustManager;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/** The entry points of this package for the exported package, which does not use its other classes. */
public final class Services {
    private Services() {
    }

    /** Makes a context from a builder, and from Java managers, a verify callback and a name that can be null. */
    public static Ready build(NativeContextBuilder builder, X509KeyManager keys, X509TrustManager trust,
            BrokerTlsContext.VerifyCallback verifyCallback, String name, boolean registersMBean) throws TlsFailure {
        X509ExtendedKeyManager keyManager = keys == null
                ? null : ContextSpi.useKeys(builder, ExtendedKeyManager.of(keys));
        X509ExtendedTrustManager trustManager = trust == null
                ? null : ContextSpi.useTrust(builder, ExtendedTrustManager.of(trust));
        if (verifyCallback != null) {
            builder.useHostCheck();
        }
        NativeContext made = builder.build();
        return new Ready(new ContextState(made, keyManager, trustManager, made.checksServerName(), made.clientAuth(),
                verifyCallback, new ContextState.Monitored(name, registersMBean)));
    }

    /** Returns the facts of a session's connection, also if a wrapper passes its values on. */
    public static ConnectionFacts facts(SSLSession session) {
        if (session instanceof Session) {
            return ((Session) session).facts();
        }
        Object value = value(session, ConnectionFacts.VALUE);
        if (value instanceof ConnectionFacts) {
            return (ConnectionFacts) value;
        }
        throw new IllegalArgumentException("not a session of BrokerTLS: " + session);
    }

    /** Returns the number of a session's connection in its context; 0 before its handshake has begun. */
    public static long connectionId(SSLSession session) {
        Object value = value(session, ConnectionFacts.ID_VALUE);
        if (value instanceof Long) {
            return (Long) value;
        }
        throw new IllegalArgumentException("not a session of BrokerTLS: " + session);
    }

    private static Object value(SSLSession session, String name) {
        try {
            return Objects.requireNonNull(session, "session").getValue(name);
        } catch (UnsupportedOperationException e) {
            return null;
        }
    }

    /** Returns the facts of an engine's connection. */
    public static ConnectionFacts facts(SSLEngine engine) {
        return facts(session(engine));
    }

    /** Returns the facts of a socket's connection. */
    public static ConnectionFacts facts(SSLSocket socket) {
        return facts(session(socket));
    }

    /** Returns the number of an engine's connection in its context; 0 before its handshake has begun. */
    public static long connectionId(SSLEngine engine) {
        return engine instanceof ConfiguredEngine
                ? ((ConfiguredEngine) engine).connectionId() : connectionId(session(engine));
    }

    /** Returns the number of a socket's connection in its context; 0 before its handshake has begun. */
    public static long connectionId(SSLSocket socket) {
        return socket instanceof TlsSocket ? connectionId(((TlsSocket) socket).engine())
                : connectionId(session(socket));
    }

    /** Returns a session of an engine, or of the one that it wraps. All sessions of an engine have the same facts. */
    private static SSLSession session(SSLEngine engine) {
        SSLSession session = Objects.requireNonNull(engine, "engine").getSession();
        if (session == null || value(session, ConnectionFacts.ID_VALUE) == null) {
            throw new IllegalArgumentException("not an engine of BrokerTLS: " + engine);
        }
        return session;
    }

    private static SSLSession session(SSLSocket socket) {
        Objects.requireNonNull(socket, "socket");
        SSLSession session = socket instanceof TlsSocket
                ? ((TlsSocket) socket).engine().getSession() : socket.getSession();
        if (session == null || value(session, ConnectionFacts.ID_VALUE) == null) {
            throw new IllegalArgumentException("not a socket of BrokerTLS: " + socket);
        }
        return session;
    }

    /** Drops the expanded keys of an engine, if it has any and no task runs. */
    public static void sleep(SSLEngine engine) {
        if (engine instanceof Engine) {
            sleep((Session.ChainSource) engine);
        } else {
            sleep(session(engine));
        }
    }

    /** Drops the expanded keys of a socket. */
    public static void sleep(SSLSocket socket) {
        sleep(session(socket));
    }

    /** Drops the expanded keys of a session's connection. */
    public static void sleep(SSLSession session) {
        if (!(session instanceof Session)) {
            throw new IllegalArgumentException("not a session of BrokerTLS: " + session);
        }
        Session.ChainSource engine = ((Session) session).engine();
        if (engine != null) {
            sleep(engine);
        }
    }

    private static void sleep(Session.ChainSource engine) {
        engine.ask(connection -> {
            connection.sleep();
            return null;
        });
    }

    /** A complete context. */
    public static final class Ready {
        private final ContextState state;

        Ready(ContextState state) {
            this.state = state;
        }

        /** Makes the implementation for an SSLContext. */
        public SSLContextSpi spi() {
            return new ContextSpi.OfBuilder(state);
        }

        /** Limits the sessions of clients and servers. Their session contexts return the same limits. */
        public void limitSessions(int cacheSize, int timeoutSeconds) {
            for (SessionContext sessions : List.of(state.clientSessions(), state.serverSessions())) {
                sessions.setSessionCacheSize(cacheSize);
                sessions.setSessionTimeout(timeoutSeconds);
            }
        }

        /** Returns the name of the context. */
        public String name() {
            return state.name();
        }

        /** Reads every file again. */
        public void reload() throws TlsFailure {
            state.reload();
        }

        /** Ends the monitors of the context. */
        public void endMonitors() {
            state.endMonitors();
        }

        /** Returns the certificates in use. */
        public List<TlsCertificate> certificates() {
            return state.certificates();
        }

        /** Returns the native context. */
        public NativeContext nativeContext() {
            return state.nativeContext();
        }
    }
}
