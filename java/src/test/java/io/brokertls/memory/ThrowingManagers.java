package io.brokertls.memory;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.peer.WatchedTrust;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;

/** Managers of an application that throw whenever they are asked. */
enum ThrowingManagers {
    CHECKED {
        @Override
        Throwable thrown() {
            return new CertificateException(TEXT);
        }
    },
    RUNTIME {
        @Override
        Throwable thrown() {
            return new IllegalStateException(TEXT);
        }
    },
    ERROR {
        @Override
        Throwable thrown() {
            return new AssertionError(TEXT);
        }
    };

    static final String TEXT = "thrown by a manager";

    /** The number of times that a manager was asked and threw. */
    final AtomicLong thrown = new AtomicLong();

    abstract Throwable thrown();

    /** A context of either role, with such managers for both. */
    SSLContext context() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS", new BrokerTlsProvider());
        context.init(new KeyManager[] {new Keys()}, new TrustManager[] {new Trust()}, null);
        return context;
    }

    /** Throws checked exceptions too where the interface has none, as code of other languages does. */
    @SuppressWarnings("unchecked")
    private <T extends Throwable> RuntimeException fail() throws T {
        thrown.incrementAndGet();
        throw (T) thrown();
    }

    private final class Trust extends WatchedTrust {
        @Override
        protected void judge(String side, X509Certificate[] chain, String type, Object connection) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }
    }

    private final class Keys extends X509ExtendedKeyManager {
        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }

        @Override
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }

        @Override
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }

        @Override
        public String chooseEngineClientAlias(String[] types, Principal[] issuers, SSLEngine engine) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }

        @Override
        public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            throw ThrowingManagers.this.<RuntimeException>fail();
        }
    }
}
