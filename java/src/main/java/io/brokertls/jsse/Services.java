package io.brokertls.jsse;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContext;
import io.brokertls.internal.NativeContextBuilder;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.NoSuchAlgorithmException;
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

    /** A new object of a class of this package that the provider registered by its name. */
    public static Object make(String className) throws NoSuchAlgorithmException {
        try {
            switch (className.substring(className.lastIndexOf('.') + 1)) {
                case "ContextSpi":
                    return new ContextSpi();
                case "ContextSpi$Tls12":
                    return new ContextSpi.Tls12();
                case "ContextSpi$Tls13":
                    return new ContextSpi.Tls13();
                case "ContextSpi$Default":
                    return new ContextSpi.Default();
                case "PemKeyStore":
                    return new PemKeyStore();
                case "PemKeyStore$Pkcs12":
                    return new PemKeyStore.Pkcs12();
                case "PemKeyStore$Jks":
                    return new PemKeyStore.Jks();
                case "KeyManagers":
                    return new KeyManagers();
                case "TrustManagers":
                    return new TrustManagers();
                default:
                    throw new NoSuchAlgorithmException("not a service of BrokerTLS: " + className);
            }
        } catch (IOException | GeneralSecurityException e) {
            throw new NoSuchAlgorithmException(e.getMessage(), e);
        }
    }

    /** Puts foreign managers and the check, where they are not null, and what was collected together as a context. */
    public static Ready build(NativeContextBuilder builder, X509KeyManager keys, X509TrustManager trust,
            BrokerTlsContext.PeerCheck peerCheck) throws TlsFailure {
        X509ExtendedKeyManager keyManager = keys == null
                ? null : ContextSpi.useKeys(builder, Fallbacks.extended(keys));
        X509ExtendedTrustManager trustManager = trust == null
                ? null : ContextSpi.useTrust(builder, Fallbacks.extended(trust));
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
