package io.brokertls.jsse;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContext;
import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.jsse.engine.ConfiguredEngine;
import io.brokertls.jsse.engine.ContextState;
import io.brokertls.jsse.engine.Engine;
import io.brokertls.jsse.keys.ExtendedKeyManager;
import io.brokertls.jsse.session.SessionContext;
import io.brokertls.jsse.socket.TlsSocket;
import io.brokertls.jsse.trust.ExtendedTrustManager;
import java.util.List;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/** The entry points of this package for the exported package, which does not use its other classes. */
public final class Services {
    private Services() {
    }

    /** Makes a context from a builder, and from Java managers and a verify callback that can be null. */
    public static Ready build(NativeContextBuilder builder, X509KeyManager keys, X509TrustManager trust,
            BrokerTlsContext.VerifyCallback verifyCallback) throws TlsFailure {
        X509ExtendedKeyManager keyManager = keys == null
                ? null : ContextSpi.useKeys(builder, ExtendedKeyManager.of(keys));
        X509ExtendedTrustManager trustManager = trust == null
                ? null : ContextSpi.useTrust(builder, ExtendedTrustManager.of(trust));
        if (verifyCallback != null) {
            builder.useHostCheck();
        }
        NativeContext made = builder.build();
        return new Ready(new ContextState(made, keyManager, trustManager, made.checksServerName(), made.clientAuth(),
                verifyCallback));
    }

    /** Returns the number of an engine's connection in its context; 0 before its handshake has begun. */
    public static long connectionId(SSLEngine engine) {
        if (engine instanceof ConfiguredEngine) {
            return ((ConfiguredEngine) engine).connectionId();
        }
        throw new IllegalArgumentException("not an engine of BrokerTLS: " + engine);
    }

    /** Returns the number of a socket's connection in its context; 0 before its handshake has begun. */
    public static long connectionId(SSLSocket socket) {
        if (socket instanceof TlsSocket) {
            return connectionId(((TlsSocket) socket).engine());
        }
        throw new IllegalArgumentException("not a socket of BrokerTLS: " + socket);
    }

    /** Drops the expanded keys of an engine, if it has any and no task runs. */
    public static void sleep(SSLEngine engine) {
        if (!(engine instanceof Engine)) {
            throw new IllegalArgumentException("not an engine of BrokerTLS: " + engine);
        }
        ((Engine) engine).ask(connection -> {
            connection.sleep();
            return null;
        });
    }

    /** Drops the expanded keys of a socket. */
    public static void sleep(SSLSocket socket) {
        if (!(socket instanceof TlsSocket)) {
            throw new IllegalArgumentException("not a socket of BrokerTLS: " + socket);
        }
        sleep(((TlsSocket) socket).engine());
    }

    /** A complete context. */
    public static final class Ready {
        private final ContextState state;

        Ready(ContextState state) {
            this.state = state;
        }

        /** Makes the implementation for an SSLContext. */
        public SSLContextSpi spi() {
            return new ContextSpi(state);
        }

        /** Limits the sessions of clients and servers. Their session contexts return the same limits. */
        public void limitSessions(int cacheSize, int timeoutSeconds) {
            for (SessionContext sessions : List.of(state.clientSessions(), state.serverSessions())) {
                sessions.setSessionCacheSize(cacheSize);
                sessions.setSessionTimeout(timeoutSeconds);
            }
        }

        /** Returns the native context. */
        public NativeContext nativeContext() {
            return state.nativeContext();
        }
    }
}
