package io.brokertls.jsse.engine;

import io.brokertls.BrokerTlsContext;
import io.brokertls.RevocationSource;
import io.brokertls.TlsCertificate;
import io.brokertls.TlsFailure;
import io.brokertls.TlsMetrics;
import io.brokertls.internal.NativeContext;
import io.brokertls.internal.NativeIdentity;
import io.brokertls.jsse.keys.ManagerCertificates;
import io.brokertls.jsse.keys.SigningKey;
import io.brokertls.jsse.monitoring.Flight;
import io.brokertls.jsse.monitoring.Monitoring;
import io.brokertls.jsse.monitoring.Watched;
import io.brokertls.jsse.session.SessionContext;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * The shared state of all engines of one SSLContext. Immutable except for its caches; safe for use by several threads.
 */
public final class ContextState implements Watched {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final int MOST_IDENTITIES = 64;

    private final NativeContext nativeContext;
    private final Reports reports;
    private final String name;
    private final Cleaner.Cleanable monitors;
    private final X509ExtendedKeyManager keyManager;
    private final X509ExtendedTrustManager trustManager;
    private final boolean checksServerName;
    private final int clientAuth;
    private final BrokerTlsContext.VerifyCallback verifyCallback;
    private final SessionContext clientSessions;
    private final SessionContext serverSessions;
    private final Deque<CachedIdentity> identities = new ArrayDeque<>();

    /**
     * Makes the state of a context.
     *
     * @param monitored its name, and true if it has an MBean; null for the settings of the process
     * @throws TlsFailure if it cannot have an MBean
     */
    public ContextState(NativeContext nativeContext, X509ExtendedKeyManager keyManager,
            X509ExtendedTrustManager trustManager, boolean checksServerName, int clientAuth,
            BrokerTlsContext.VerifyCallback verifyCallback, Monitored monitored) throws TlsFailure {
        this.nativeContext = nativeContext;
        this.name = monitored == null || monitored.name == null ? Monitoring.newName() : monitored.name;
        this.reports = new Reports(nativeContext, name);
        this.keyManager = keyManager;
        this.trustManager = trustManager;
        this.checksServerName = checksServerName;
        this.clientAuth = clientAuth;
        this.verifyCallback = verifyCallback;
        this.clientSessions = new SessionContext(nativeContext, true);
        this.serverSessions = new SessionContext(nativeContext, false);
        clientSessions.pair(serverSessions);
        boolean isRegistered = Monitoring.registersAll() || monitored != null && monitored.isRegistered;
        this.monitors = NativeContext.atEnd(this,
                Monitoring.watch(this, nativeContext.counters()::snapshot, isRegistered));
    }

    /** Ends the monitors. Further calls do nothing. */
    public void endMonitors() {
        monitors.clean();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public TlsMetrics metrics() {
        return nativeContext.counters().snapshot();
    }

    @Override
    public List<RevocationSource> revocationSources() {
        return List.of(nativeContext.revocationSources());
    }

    @Override
    public long revocationUnknownAccepted() {
        return nativeContext.revocationUnknownAccepted();
    }

    @Override
    public List<String> warnings() {
        return List.of(nativeContext.warnings());
    }

    @Override
    public void reload() throws TlsFailure {
        Object event = Flight.EVENTS.beginReload();
        String failure = null;
        try {
            nativeContext.reload();
        } catch (TlsFailure e) {
            failure = e.getMessage();
            throw e;
        } finally {
            if (event != null) {
                Flight.EVENTS.reload(event, name, failure);
            }
        }
    }

    public NativeContext nativeContext() {
        return nativeContext;
    }

    /** Returns the Java key manager; null if identities are native. */
    X509ExtendedKeyManager keyManager() {
        return keyManager;
    }

    /** Returns the Java trust manager; null if trust is native. */
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
        return SuiteNames.ofJava(nativeContext.cipherSuites());
    }

    /** Returns the versions that an engine can enable, oldest first: also those of the second engine here. */
    public String[] supportedProtocols() {
        return joined(olderProtocols(), NativeContext.supportedVersions());
    }

    /** Returns the suites that an engine can enable: also those of the second engine here. */
    public String[] supportedCipherSuites() {
        return SuiteNames.ofJava(joined(NativeContext.supportedCipherSuites(), olderSuites()));
    }

    /** Returns the supported ones of a list of versions, oldest first. */
    String[] servedProtocols(String names) throws TlsFailure {
        return NativeContext.servedVersions(names, olderProtocols());
    }

    /** Returns the supported ones of a list of suites. */
    String[] servedCipherSuites(String names) throws TlsFailure {
        return SuiteNames.ofJava(NativeContext.servedCipherSuites(names, olderSuites()));
    }

    /** Returns the versions of the second engine that the first does not have. A reload can change them. */
    private String[] olderProtocols() {
        return without(nativeContext.versions(), NativeContext.supportedVersions());
    }

    /** Returns its suites that the first does not have. A reload with keys of another kind changes them. */
    private String[] olderSuites() {
        return without(nativeContext.cipherSuites(), NativeContext.supportedCipherSuites());
    }

    /** Returns the names that are not among those of the first engine. */
    private static String[] without(String[] names, String[] supported) {
        List<String> first = List.of(supported);
        return Arrays.stream(names).filter(name -> !first.contains(name)).toArray(String[]::new);
    }

    private static String[] joined(String[] one, String[] other) {
        String[] all = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, all, one.length, other.length);
        return all;
    }

    /** Returns true if client engines compare the server's name by default. */
    boolean checksServerName() {
        return checksServerName;
    }

    /** Returns the default of server engines for client certificates: 0 none, 1 want, 2 need. */
    int clientAuth() {
        return clientAuth;
    }

    /** Sets what engines get without settings of their own, so that parameters of the context keep it. */
    public void setDefaults(SSLParameters parameters) {
        if (clientAuth == Parameters.NEED) {
            parameters.setNeedClientAuth(true);
        } else if (clientAuth == Parameters.WANT) {
            parameters.setWantClientAuth(true);
        }
        parameters.setApplicationProtocols(applicationProtocols());
    }

    /** Returns the callback for peers that the trust anchors accepted; null if there is none. */
    BrokerTlsContext.VerifyCallback verifyCallback() {
        return verifyCallback;
    }

    /** Returns the certificates in use, own ones first: those of the native context, and those of Java managers. */
    @Override
    public List<TlsCertificate> certificates() {
        List<TlsCertificate> all = new ArrayList<>();
        if (keyManager != null) {
            all.addAll(ManagerCertificates.of(keyManager));
        }
        all.addAll(nativeContext.certificates());
        if (trustManager != null) {
            all.addAll(ManagerCertificates.of(trustManager));
        }
        return all;
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

    Reports reports() {
        return reports;
    }

    /** Returns the native identity of a manager's key. The identities of the last keys are cached. */
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
                // Its cleaner frees it, because a handshake can still use it.
                identities.removeLast();
            }
        }
        return made;
    }

    /** The name of a context, and its MBean. */
    public static final class Monitored {
        private final String name;
        private final boolean isRegistered;

        public Monitored(String name, boolean isRegistered) {
            this.name = name;
            this.isRegistered = isRegistered;
        }
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
