package io.brokertls;

import io.brokertls.jsse.ContextSpi;
import io.brokertls.jsse.keys.NativeKeyManagerFactory;
import io.brokertls.jsse.keys.NativeKeyStore;
import io.brokertls.jsse.trust.NativeTrustManagerFactory;
import java.io.IOException;
import java.security.AccessController;
import java.security.GeneralSecurityException;
import java.security.InvalidParameterException;
import java.security.NoSuchAlgorithmException;
import java.security.PrivilegedAction;
import java.security.Provider;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The JSSE provider {@code BrokerTLS}.
 *
 * <p>It provides the contexts {@code TLS}, {@code TLSv1.2} and {@code TLSv1.3}, and {@code SSL} as another name of
 * {@code TLS}. It provides the read-only key stores
 * {@code PEM}, {@code BrokerTLS-PKCS12} and {@code BrokerTLS-JKS}. It provides key and trust manager factories with the
 * name {@code BrokerTLS}; in its own contexts, their managers run in native code. Only the contexts have names of the
 * JDK, so the provider can have any position in the list of providers.
 *
 * <pre>{@code
 * Security.addProvider(new BrokerTlsProvider());
 * SSLContext context = SSLContext.getInstance("TLS", "BrokerTLS");
 * }</pre>
 */
public final class BrokerTlsProvider extends Provider {
    /** The name of the provider, for {@code SSLContext.getInstance("TLS", "BrokerTLS")}. */
    public static final String NAME = "BrokerTLS";

    private static final long serialVersionUID = 1L;

    /** Makes a provider without the context {@code Default}. {@code SSLContext.getDefault()} does not change. */
    public BrokerTlsProvider() {
        this(false);
    }

    private BrokerTlsProvider(boolean hasDefault) {
        super(NAME, "0.1", "TLS for message brokers");
        add("SSLContext", "TLS", ContextSpi.Tls.class, ContextSpi.Tls::new);
        add("SSLContext", "SSL", ContextSpi.Tls.class, ContextSpi.Tls::new);
        add("SSLContext", "TLSv1.2", ContextSpi.Tls12.class, ContextSpi.Tls12::new);
        add("SSLContext", "TLSv1.3", ContextSpi.Tls13.class, ContextSpi.Tls13::new);
        add("KeyStore", "PEM", NativeKeyStore.Pem.class, NativeKeyStore.Pem::new);
        add("KeyStore", "BrokerTLS-PKCS12", NativeKeyStore.Pkcs12.class, NativeKeyStore.Pkcs12::new);
        add("KeyStore", "BrokerTLS-JKS", NativeKeyStore.Jks.class, NativeKeyStore.Jks::new);
        add("KeyManagerFactory", NAME, NativeKeyManagerFactory.class, NativeKeyManagerFactory::new);
        add("TrustManagerFactory", NAME, NativeTrustManagerFactory.class, NativeTrustManagerFactory::new);
        if (hasDefault) {
            add("SSLContext", "Default", ContextSpi.Default.class, ContextSpi.Default::new);
        }
    }

    /**
     * Makes a provider with the context {@code Default}, which reads the stores of {@code javax.net.ssl.*}.
     *
     * @return the provider, in no list yet
     */
    public static BrokerTlsProvider withDefault() {
        return new BrokerTlsProvider(true);
    }

    /**
     * Returns the provider for an argument in the list of providers in {@code java.security}.
     *
     * @param argument {@code default}, for {@link #withDefault()}
     * @throws InvalidParameterException for any other argument
     */
    @Override
    public Provider configure(String argument) {
        if (!Objects.requireNonNull(argument, "argument").equals("default")) {
            throw new InvalidParameterException("BrokerTLS takes the argument \"default\" or none");
        }
        return withDefault();
    }

    private void add(String type, String algorithm, Class<?> implementation, Maker maker) {
        // For programs without the permission, under a security manager.
        AccessController.doPrivileged((PrivilegedAction<Void>) () -> {
            putService(new MadeService(this, type, algorithm, implementation, maker));
            return null;
        });
    }

    /** Makes one object of a service. */
    private interface Maker {
        Object make() throws GeneralSecurityException, IOException;
    }

    /** A service that makes its objects itself. The JDK makes them only from an exported package. */
    private static final class MadeService extends Service {
        private final Maker maker;

        MadeService(Provider provider, String type, String algorithm, Class<?> implementation, Maker maker) {
            super(provider, type, algorithm, implementation.getName(), List.of(), Map.of());
            this.maker = maker;
        }

        @Override
        public Object newInstance(Object parameter) throws NoSuchAlgorithmException {
            if (parameter != null) {
                throw new InvalidParameterException("BrokerTLS services take no parameter");
            }
            try {
                return maker.make();
            } catch (GeneralSecurityException | IOException e) {
                throw new NoSuchAlgorithmException(e.getMessage(), e);
            }
        }
    }
}
