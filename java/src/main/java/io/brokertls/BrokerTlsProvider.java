package io.brokertls;

import io.brokertls.jsse.Services;
import java.security.InvalidParameterException;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.util.List;
import java.util.Map;

/**
 * The JSSE provider {@code BrokerTLS}.
 *
 * <p>It has the contexts {@code TLS}, {@code TLSv1.2} and {@code TLSv1.3}; the read-only key stores {@code PEM},
 * {@code BrokerTLS-PKCS12} and {@code BrokerTLS-JKS}; and key and trust manager factories named {@code BrokerTLS}, whose
 * managers are served natively in these contexts. It takes none of the JDK's names but those of the contexts, so that it
 * may stand at any place in the list of providers.
 *
 * <pre>{@code
 * Security.addProvider(new BrokerTlsProvider());
 * SSLContext context = SSLContext.getInstance("TLS", "BrokerTLS");
 * }</pre>
 */
public final class BrokerTlsProvider extends Provider {
    /** The name, as {@code SSLContext.getInstance("TLS", "BrokerTLS")} takes it. */
    public static final String NAME = "BrokerTLS";

    private static final long serialVersionUID = 1L;
    private static final String ROOM = "io.brokertls.jsse.";

    /** Without the context {@code Default}: {@code SSLContext.getDefault()} stays another provider's. */
    public BrokerTlsProvider() {
        this(false);
    }

    private BrokerTlsProvider(boolean hasDefault) {
        super(NAME, "0.1", "TLS for message brokers");
        add("SSLContext", "TLS", "ContextSpi");
        add("SSLContext", "TLSv1.2", "ContextSpi$Tls12");
        add("SSLContext", "TLSv1.3", "ContextSpi$Tls13");
        add("KeyStore", "PEM", "PemKeyStore");
        add("KeyStore", "BrokerTLS-PKCS12", "PemKeyStore$Pkcs12");
        add("KeyStore", "BrokerTLS-JKS", "PemKeyStore$Jks");
        add("KeyManagerFactory", NAME, "KeyManagers");
        add("TrustManagerFactory", NAME, "TrustManagers");
        if (hasDefault) {
            add("SSLContext", "Default", "ContextSpi$Default");
        }
    }

    /** A provider that also has the context {@code Default}, which reads the stores of {@code javax.net.ssl.*}. */
    public static BrokerTlsProvider withDefault() {
        return new BrokerTlsProvider(true);
    }

    /**
     * As the list of providers in {@code java.security} does it.
     *
     * @param argument {@code default}, for {@link #withDefault()}
     * @throws InvalidParameterException for any other
     */
    @Override
    public Provider configure(String argument) {
        if (!"default".equals(argument)) {
            throw new InvalidParameterException("BrokerTLS takes the argument \"default\" or none");
        }
        return withDefault();
    }

    private void add(String type, String algorithm, String className) {
        putService(new Local(this, type, algorithm, ROOM + className));
    }

    /** Makes its objects here: the JDK would need their package exported. */
    private static final class Local extends Service {
        Local(Provider provider, String type, String algorithm, String className) {
            super(provider, type, algorithm, className, List.of(), Map.of());
        }

        @Override
        public Object newInstance(Object parameter) throws NoSuchAlgorithmException {
            if (parameter != null) {
                throw new InvalidParameterException("BrokerTLS services take no parameter");
            }
            return Services.make(getClassName());
        }
    }
}
