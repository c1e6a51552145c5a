package io.brokertls.jsse;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContext;
import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.jsse.engine.ConfiguredEngine;
import io.brokertls.jsse.engine.ContextState;
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

/** The door of this package for the exported one, which is not to know its classes. */
public final class Services {
    private Services() {
    }

    /** Puts foreign managers and the check, where they are not null, and what was collected together as a context. */
    public static Ready build(NativeContextBuilder builder, X509KeyManager keys, X509TrustManager trust,
            BrokerTlsContext.PeerCheck peerCheck) throws TlsFailure {
        X509ExtendedKeyManager keyManager = keys == null
                ? null : ContextSpi.useKeys(builder, ExtendedKeyManager.of(keys));
        X509ExtendedTrustManager trustManager = trust == null
                ? null : ContextSpi.useTrust(builder, ExtendedTrustManager.of(trust));
        if (peerCheck != null) {
            builder.useHostCheck();
        }
        NativeContext made = builder.build();
        return new Ready(new ContextState(made, keyManager, trustManager, made.checksServerName(), made.clientAuth(),
                peerCheck));
    }

    /** The number of an engine's connection in its context; 0 before its handshake has begun. */
    public static long connectionId(SSLEngine engine) {
        if (engine instanceof ConfiguredEngine) {
            return ((ConfiguredEngine) engine).connectionId();
        }
        throw new IllegalArgumentException("not an engine of BrokerTLS: " + engine);
    }

    /** The same of a socket's. */
    public static long connectionId(SSLSocket socket) {
        if (socket instanceof TlsSocket) {
            return connectionId(((TlsSocket) socket).engine());
        }
        throw new IllegalArgumentException("not a socket of BrokerTLS: " + socket);
    }

    /** A context that is ready. */
    public static final class Ready {
        private final ContextState state;

        Ready(ContextState state) {
            this.state = state;
        }

        /** What an SSLContext is made over. */
        public SSLContextSpi spi() {
            return new ContextSpi(state);
        }

        /** Bounds the sessions of clients and servers, as their session contexts then say. */
        public void limitSessions(int cacheSize, int timeoutSeconds) {
            for (SessionContext sessions : List.of(state.clientSessions(), state.serverSessions())) {
                sessions.setSessionCacheSize(cacheSize);
                sessions.setSessionTimeout(timeoutSeconds);
            }
        }

        /** The native context, for reload, warnings and close. */
        public NativeContext nativeContext() {
            return state.nativeContext();
        }
    }
}
