package io.brokertls.jsse.engine;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContext;
import io.brokertls.internal.NativeIdentity;
import io.brokertls.jsse.keys.SigningKey;
import io.brokertls.jsse.session.SessionContext;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** What all engines of one SSLContext share. Immutable but for its caches; used by many threads. */
public final class ContextState {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final int MOST_IDENTITIES = 64;

    private final NativeContext nativeContext;
    private final X509ExtendedKeyManager keyManager;
    private final X509ExtendedTrustManager trustManager;
    private final boolean checksServerName;
    private final int clientAuth;
    private final BrokerTlsContext.PeerCheck peerCheck;
    private final SessionContext clientSessions;
    private final SessionContext serverSessions;
    private final Deque<CachedIdentity> identities = new ArrayDeque<>();

    public ContextState(NativeContext nativeContext, X509ExtendedKeyManager keyManager,
            X509ExtendedTrustManager trustManager, boolean checksServerName, int clientAuth,
            BrokerTlsContext.PeerCheck peerCheck) {
        this.nativeContext = nativeContext;
        this.keyManager = keyManager;
        this.trustManager = trustManager;
        this.checksServerName = checksServerName;
        this.clientAuth = clientAuth;
        this.peerCheck = peerCheck;
        this.clientSessions = new SessionContext(nativeContext, true);
        this.serverSessions = new SessionContext(nativeContext, false);
        clientSessions.pair(serverSessions);
    }

    public NativeContext nativeContext() {
        return nativeContext;
    }

    /** Null where identities are native. */
    X509ExtendedKeyManager keyManager() {
        return keyManager;
    }

    /** Null where trust is native. */
    X509ExtendedTrustManager trustManager() {
        return trustManager;
    }

    public SessionContext clientSessions() {
        return clientSessions;
    }

    public SessionContext serverSessions() {
        return serverSessions;
    }

    public String[] defaultProtocols() {
        return nativeContext.versions();
    }

    public String[] defaultCipherSuites() {
        return nativeContext.cipherSuites();
    }

    /** Whether client engines compare the server's name unless told otherwise. */
    boolean checksServerName() {
        return checksServerName;
    }

    /** What server engines ask clients for unless told otherwise: 0 nothing, 1 want, 2 need a certificate. */
    int clientAuth() {
        return clientAuth;
    }

    /** Asked about peers that were accepted natively; null where there is none. */
    BrokerTlsContext.PeerCheck peerCheck() {
        return peerCheck;
    }

    String[] applicationProtocols() {
        byte[][] protocols = nativeContext.applicationProtocols();
        String[] names = new String[protocols.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = new String(protocols[i], StandardCharsets.ISO_8859_1);
        }
        return names;
    }

    System.Logger log() {
        return LOG;
    }

    /** Writes a line about a peer that is refused, or refuses this side; peers cannot bring about any number of them. */
    void logRefusal(String refusal) {
        if (LOG.isLoggable(System.Logger.Level.WARNING)) {
            String line = nativeContext.refusalLine(refusal);
            if (line != null) {
                LOG.log(System.Logger.Level.WARNING, line);
            }
        }
    }

    /** The native identity of a manager's key, made once for as long as it is among the last ones used. */
    NativeIdentity identity(PrivateKey key, X509Certificate[] chain) throws TlsFailure, CertificateEncodingException {
        synchronized (identities) {
            for (Iterator<CachedIdentity> each = identities.iterator(); each.hasNext();) {
                CachedIdentity cached = each.next();
                PrivateKey cachedKey = cached.key.get();
                if (cachedKey == null) {
                    each.remove();
                } else if (cachedKey == key && cached.endEntity.equals(chain[0])) {
                    return cached.identity;
                }
            }
        }
        NativeIdentity made = SigningKey.identity(key, chain);
        synchronized (identities) {
            identities.addFirst(new CachedIdentity(key, chain[0], made));
            if (identities.size() > MOST_IDENTITIES) {
                // Left to its cleaner: a handshake may be about to use it.
                identities.removeLast();
            }
        }
        return made;
    }

    private static final class CachedIdentity {
        private final WeakReference<PrivateKey> key;
        private final X509Certificate endEntity;
        private final NativeIdentity identity;

        CachedIdentity(PrivateKey key, X509Certificate endEntity, NativeIdentity identity) {
            this.key = new WeakReference<>(key);
            this.endEntity = endEntity;
            this.identity = identity;
        }
    }
}
