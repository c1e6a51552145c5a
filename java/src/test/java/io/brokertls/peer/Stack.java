package io.brokertls.peer;

import io.brokertls.BrokerTlsProvider;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** The implementations of TLS that meet in these tests. */
public enum Stack {
    JDK {
        @Override
        Provider provider() {
            return Security.getProvider("SunJSSE");
        }
    },
    /** Keys and trust stay native. */
    OURS {
        @Override
        Provider provider() {
            return new BrokerTlsProvider();
        }

        @Override
        KeyManagerFactory keyManagers() throws GeneralSecurityException {
            return KeyManagerFactory.getInstance("BrokerTLS", provider());
        }

        @Override
        TrustManagerFactory trustManagers() throws GeneralSecurityException {
            return TrustManagerFactory.getInstance("BrokerTLS", provider());
        }
    },
    /** Keys and trust are asked of the JDK's managers. */
    OURS_WITH_JDK_MANAGERS {
        @Override
        Provider provider() {
            return new BrokerTlsProvider();
        }
    };

    abstract Provider provider();

    KeyManagerFactory keyManagers() throws GeneralSecurityException {
        return KeyManagerFactory.getInstance("PKIX");
    }

    TrustManagerFactory trustManagers() throws GeneralSecurityException {
        return TrustManagerFactory.getInstance("PKIX");
    }

    /**
     * Returns true for guarantees that the JDK's engine does not give. FINISHED is reported once, and not with each TLS
     * 1.3 ticket. Ciphertext can be in a read-only buffer. The buffer sizes are the same before and after the
     * handshake.
     */
    final boolean isStrict() {
        return this != JDK;
    }

    /** The managers of an identity ({@link Pki}). */
    final KeyManager[] keyManagersOf(String identity) throws GeneralSecurityException {
        KeyManagerFactory factory = keyManagers();
        factory.init(Pki.get().identity(identity), Pki.PASSWORD);
        return factory.getKeyManagers();
    }

    /** A context with this identity ({@link Pki}; null for none) that trusts the authority. */
    public final SSLContext context(String identity) {
        try {
            Pki pki = Pki.get();
            KeyManager[] keys = identity == null ? null : keyManagersOf(identity);
            TrustManagerFactory factory = trustManagers();
            factory.init(pki.trust());
            TrustManager[] trust = factory.getTrustManagers();
            SSLContext context = SSLContext.getInstance("TLS", provider());
            context.init(keys, trust, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
