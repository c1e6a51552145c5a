package io.brokertls.bench;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.conscrypt.Conscrypt;

/** The implementations that are compared, as servers. */
public enum Side {
    /** Ours, with keys and trust that stay native. */
    BROKERTLS {
        @Override
        Provider provider() throws GeneralSecurityException {
            return ours();
        }

        @Override
        KeyManagerFactory keyManagers() throws GeneralSecurityException {
            return KeyManagerFactory.getInstance(OURS, ours());
        }
    },
    /** Ours, asking the JDK's key manager in each full handshake. */
    BROKERTLS_JDK_KEYS {
        @Override
        Provider provider() throws GeneralSecurityException {
            return ours();
        }
    },
    SUNJSSE {
        @Override
        Provider provider() {
            return Security.getProvider("SunJSSE");
        }
    },
    CONSCRYPT {
        @Override
        Provider provider() {
            return Conscrypt.newProvider();
        }

        /** Off unless asked for; without them it resumes no session of TLS 1.3. */
        @Override
        void prepare(SSLEngine engine) {
            Conscrypt.setUseSessionTickets(engine, true);
        }
    };

    /** One of each implementation. */
    static final List<Side> STACKS = List.of(BROKERTLS, SUNJSSE, CONSCRYPT);

    private static final String OURS = "BrokerTLS";

    abstract Provider provider() throws GeneralSecurityException;

    KeyManagerFactory keyManagers() throws GeneralSecurityException {
        // NewSunX509 would decrypt the PKCS #12 key anew in each handshake, 2.5 ms of it.
        return KeyManagerFactory.getInstance("SunX509");
    }

    /** The setting of a server's engine that makes the comparison fair. */
    void prepare(SSLEngine engine) {
    }

    /** Whether the provider can be made here. */
    boolean isPresent() {
        try {
            return provider() != null;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** The server's context, with this key; it asks for no certificates. */
    final SSLContext server(String key) throws GeneralSecurityException, IOException {
        KeyManagerFactory keys = keyManagers();
        keys.init(Identities.identity(key), Identities.PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS", provider());
        context.init(keys.getKeyManagers(), trust(key), null);
        return context;
    }

    /** The client of every measurement is the JDK's own. */
    static SSLContext client(String key) throws GeneralSecurityException, IOException {
        return client(new TrustCounter(Identities.identity(key).getCertificate("server")));
    }

    static SSLContext client(TrustCounter trust) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS", SUNJSSE.provider());
        context.init(new KeyManager[0], new TrustManager[] {trust}, null);
        return context;
    }

    private static TrustManager[] trust(String key) throws GeneralSecurityException, IOException {
        KeyStore store = Identities.trust(key);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory.getTrustManagers();
    }

    private static Provider ours() throws GeneralSecurityException {
        try {
            return (Provider) Class.forName("io.brokertls.BrokerTlsProvider").getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new GeneralSecurityException("brokertls is not on the class path", e);
        }
    }
}
