package io.brokertls.bench;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.conscrypt.Conscrypt;

/** The implementations that are compared, as servers. */
enum Side {
    /** Ours, with keys and trust that stay native. */
    BROKERTLS("brokertls") {
        @Override
        Server server(String key) throws GeneralSecurityException, IOException {
            return jsse(ours(), KeyManagerFactory.getInstance(OURS, ours()), key);
        }
    },
    /** Ours, asking the JDK's key manager in each full handshake. */
    BROKERTLS_JDK_KEYS("brokertls, JDK's keys") {
        @Override
        Server server(String key) throws GeneralSecurityException, IOException {
            return jsse(ours(), jdkKeys(), key);
        }
    },
    SUNJSSE("SunJSSE") {
        @Override
        Server server(String key) throws GeneralSecurityException, IOException {
            return jsse(Security.getProvider("SunJSSE"), jdkKeys(), key);
        }
    },
    CONSCRYPT("Conscrypt") {
        /** Tickets are off unless asked for. Without them, it resumes no session of TLS 1.3. */
        @Override
        Server server(String key) throws GeneralSecurityException, IOException {
            Server server = jsse(Conscrypt.newProvider(), jdkKeys(), key);
            return () -> {
                SSLEngine engine = server.engine();
                Conscrypt.setUseSessionTickets(engine, true);
                return engine;
            };
        }
    },
    /** The engines of netty on BoringSSL, with native keys, and with tickets, which are off without a key for them. */
    TCNATIVE("netty-tcnative") {
        @Override
        Server server(String key) throws GeneralSecurityException, IOException {
            KeyStore identity = Identities.identity(key);
            PrivateKey secret = (PrivateKey) identity.getKey("server", Identities.PASSWORD);
            X509Certificate certificate = (X509Certificate) identity.getCertificate("server");
            SslContext context = SslContextBuilder.forServer(secret, certificate)
                    .sslProvider(SslProvider.OPENSSL_REFCNT).build();
            byte[] ticket = new byte[OpenSslSessionTicketKey.TICKET_KEY_SIZE];
            new SecureRandom().nextBytes(ticket);
            ((OpenSslSessionContext) context.sessionContext()).setTicketKeys(new OpenSslSessionTicketKey(
                    slice(ticket, 0, OpenSslSessionTicketKey.NAME_SIZE),
                    slice(ticket, OpenSslSessionTicketKey.NAME_SIZE, OpenSslSessionTicketKey.HMAC_KEY_SIZE),
                    slice(ticket, OpenSslSessionTicketKey.NAME_SIZE + OpenSslSessionTicketKey.HMAC_KEY_SIZE,
                            OpenSslSessionTicketKey.AES_KEY_SIZE)));
            return () -> context.newEngine(ByteBufAllocator.DEFAULT);
        }

        @Override
        void free(SSLEngine engine) {
            ReferenceCountUtil.release(engine);
        }
    };

    private static final String OURS = "BrokerTLS";

    /** The name in the table. */
    final String title;

    Side(String title) {
        this.title = title;
    }

    /** Returns a server with this key, which asks for no certificates. */
    abstract Server server(String key) throws GeneralSecurityException, IOException;

    /** Frees what the collector does not. */
    void free(SSLEngine engine) {
    }

    /** The client of every handshake that is measured is the JDK's own. */
    static SSLContext client(TrustCounter trust) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS", Security.getProvider("SunJSSE"));
        context.init(new KeyManager[0], new TrustManager[] {trust}, null);
        return context;
    }

    private static Server jsse(Provider provider, KeyManagerFactory keys, String key)
            throws GeneralSecurityException, IOException {
        keys.init(Identities.identity(key), Identities.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(Identities.trust(key));
        SSLContext context = SSLContext.getInstance("TLS", provider);
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context::createSSLEngine;
    }

    /** NewSunX509 would decrypt the PKCS #12 key anew in each handshake, 2.5 ms of it. */
    private static KeyManagerFactory jdkKeys() throws GeneralSecurityException {
        return KeyManagerFactory.getInstance("SunX509");
    }

    private static byte[] slice(byte[] bytes, int offset, int length) {
        return Arrays.copyOfRange(bytes, offset, offset + length);
    }

    private static Provider ours() throws GeneralSecurityException {
        try {
            return (Provider) Class.forName("io.brokertls.BrokerTlsProvider").getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new GeneralSecurityException("brokertls is not on the class path", e);
        }
    }

    /** Makes the engines of a server. */
    interface Server {
        SSLEngine engine();
    }
}
