package io.brokertls.jsse.session;

import io.brokertls.ConnectionFacts;
import io.brokertls.PskPrincipal;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.keys.SignatureScheme;
import java.io.ByteArrayInputStream;
import java.lang.ref.WeakReference;
import java.security.Principal;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import javax.crypto.SecretKey;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSessionBindingEvent;
import javax.net.ssl.SSLSessionBindingListener;
import javax.net.ssl.SSLSessionContext;
import javax.security.auth.x500.X500Principal;

/**
 * The facts of a connection. They are empty before the handshake, and stay when the engine is freed. Certificates are
 * read from the engine on first use. Safe for use by several threads.
 */
public final class Session extends ExtendedSSLSession {
    private static final X509Certificate[] NONE = {};
    /** The signature schemes of this provider, in the order of the native library. */
    private static final int[] SCHEMES = {
        0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601};

    /** Weak, so that a session does not keep the native side of its engine. */
    private final WeakReference<ChainSource> engine;
    private final ConnectionRecord connection;
    private final SessionContext sessions;
    private final String sessionHost;
    private final String sessionScope;
    private final String peerHost;
    private final int peerPort;
    private volatile SessionRoot root = new SessionRoot();
    private String protocol = "NONE";
    private String cipherSuite = "SSL_NULL_WITH_NULL_NULL";
    private List<SNIServerName> requestedServerNames;
    private int[] peerSchemes;
    private X509Certificate[] peerCertificates;
    private X509Certificate[] localCertificates;
    private byte[][] peerEncoded;
    private byte[][] localEncoded;
    /** The peer's subject if the context keeps no certificates of peers. */
    private byte[] peerName;
    /** The identity of the pre-shared key of a peer without a certificate, or null. */
    private byte[] pskIdentity;
    /** True if the subject and the identity are known, also if the peer has neither. */
    private boolean isPeerNamed;
    /** True if the peer has sent certificates that Java cannot read, so that it counts as a peer without any. */
    private boolean isPeerUnreadable;
    /** The signature schemes that this side accepts. */
    private int[] localSchemes = SCHEMES;
    private List<byte[]> statusResponses = List.of();
    private State state = State.IN_HANDSHAKE;
    private boolean isHandedOut;
    /** True if a manager has invalidated the session in its handshake. It ends when it is established. */
    private boolean endsEarly;

    /**
     * Makes a session without facts.
     *
     * @param connection the record of the engine
     * @param sessionHost the host that a client caches the session under
     * @param sessionScope the rest of that key; null if the session is not cached
     * @param requestedServerNames the names that a client sends; empty on a server
     */
    public Session(ChainSource engine, ConnectionRecord connection, SessionContext sessions, String sessionHost,
            String sessionScope, List<SNIServerName> requestedServerNames, String peerHost, int peerPort) {
        this.engine = new WeakReference<>(engine);
        this.connection = connection;
        this.sessions = sessions;
        this.sessionHost = sessionHost;
        this.sessionScope = sessionScope;
        this.requestedServerNames = requestedServerNames;
        this.peerHost = peerHost;
        this.peerPort = peerPort;
    }

    /** Sets the facts of a complete handshake. Many sessions share the few names of versions and suites. */
    public synchronized void establish(String version, String suite, String serverName) {
        protocol = version;
        cipherSuite = suite;
        if (serverName != null) {
            requestedServerNames = names(serverName);
        }
        state = State.VALID;
    }

    /**
     * Joins the resumptions of an earlier session if this is one, by what {@link NativeEngine#sessionOrigin} returns,
     * and enters the session into its context.
     */
    public void join(byte[] origin, boolean isResumed) {
        SessionRoot own = root;
        long first = own.establish(origin);
        SessionRoot earlier = isResumed ? sessions.root(first) : null;
        if (earlier != null) {
            earlier.addAll(own);
            root = earlier;
            earlier.learnLocalCertificates();
        } else {
            own.setFirst(this);
        }
        sessions.add(this);
        synchronized (this) {
            if (!endsEarly) {
                return;
            }
        }
        invalidate();
    }

    SessionRoot root() {
        return root;
    }

    /**
     * Keeps the encoded certificates of both sides. They are parsed on first use.
     *
     * @param subjectOfPeer the subject of a peer without a chain here, or null
     */
    public synchronized void keep(byte[][] peerChain, byte[][] localChain, byte[] subjectOfPeer) {
        peerEncoded = peerChain;
        peerName = subjectOfPeer;
        if (sessions == null || localChain.length == 0) {
            localEncoded = localChain;
        } else if (localCertificates == null) {
            localCertificates = sessions.ownChain(localChain);
            root.setLocalCertificates(localCertificates);
        }
    }

    /** Keeps what {@link NativeEngine#chains} returns. */
    public void keep(byte[][] chains) {
        int end = 2;
        while (chains[end] != null) {
            end++;
        }
        keep(Arrays.copyOfRange(chains, 2, end), Arrays.copyOfRange(chains, end + 1, chains.length), chains[0]);
        synchronized (this) {
            pskIdentity = chains[1];
            isPeerNamed = true;
        }
    }

    /** Returns true if the session is established and the native side has certificates that it lacks. */
    public synchronized boolean lacksChains() {
        return state != State.IN_HANDSHAKE && (peerCertificates == null && peerEncoded == null
                || localCertificates == null && localEncoded == null);
    }

    /** Records that the application has the session before the handshake is complete. */
    public synchronized void handOut() {
        isHandedOut = true;
    }

    /** Returns true if the application can hold the session longer than the engine. */
    public synchronized boolean isHandedOut() {
        return isHandedOut;
    }

    /** Returns the facts of its connection. */
    public ConnectionFacts facts() {
        return connection.facts();
    }

    /** Returns the engine of the connection; null if it is no longer used. */
    public ChainSource engine() {
        return engine.get();
    }

    /** Returns the name of the peer for the log, or a text that it has no certificate. */
    public String peerName() {
        Principal peer = principalOfPeer();
        return peer == null ? "without certificate" : peer.getName();
    }

    /** Returns the subject of the peer's certificate, or else the identity of its pre-shared key, or else null. */
    private Principal principalOfPeer() {
        X500Principal subject = subjectOfPeer();
        if (subject != null) {
            return subject;
        }
        synchronized (this) {
            return isPeerUnreadable || pskIdentity == null ? null : new PskPrincipal(pskIdentity);
        }
    }

    /** Asks the engine once for the subject and the identity. It takes the engine's lock before the session's. */
    private void learnNames() {
        ChainSource asked;
        synchronized (this) {
            boolean isKnown = isPeerNamed || isPeerUnreadable || peerName != null;
            asked = isKnown || state == State.IN_HANDSHAKE ? null : engine.get();
        }
        byte[][] told = asked == null ? null : asked.ask(each -> new byte[][] {each.peerName(), each.pskIdentity()});
        if (told != null) {
            synchronized (this) {
                peerName = told[0];
                pskIdentity = told[1];
                isPeerNamed = true;
            }
        }
    }

    /** Returns the subject of the peer's certificate, also if the certificate is not kept; null if it has sent none. */
    private X500Principal subjectOfPeer() {
        X509Certificate[] chain = peer();
        if (chain.length > 0) {
            return chain[0].getSubjectX500Principal();
        }
        learnNames();
        byte[] encoded;
        synchronized (this) {
            encoded = isPeerUnreadable ? null : peerName;
        }
        try {
            return encoded == null ? null : new X500Principal(encoded);
        } catch (IllegalArgumentException e) {
            // A subject that only the native library can read counts as none, as such a certificate does.
            synchronized (this) {
                isPeerUnreadable = true;
            }
            return null;
        }
    }

    /** Reads the certificates, or the identity, from the engine now, because it can be freed later. */
    void keepAll() {
        principalOfPeer();
        local();
    }

    /** Returns null if the engine cannot tell now. The engine can pass its chains to this session during the call. */
    private byte[][] chain(boolean isPeers) {
        byte[][] kept = kept(isPeers);
        ChainSource asked = engine.get();
        byte[][] told = kept == null && asked != null
                ? asked.ask(isPeers ? NativeEngine::peerChain : NativeEngine::localChain) : kept;
        return told == null ? kept(isPeers) : told;
    }

    private synchronized byte[][] kept(boolean isPeers) {
        return isPeers ? peerEncoded : localEncoded;
    }

    public synchronized void setRequestedServerName(String nameOrNull) {
        requestedServerNames = names(nameOrNull);
    }

    private static List<SNIServerName> names(String nameOrNull) {
        try {
            return nameOrNull == null ? List.of() : List.of(new SNIHostName(nameOrNull));
        } catch (IllegalArgumentException e) {
            return List.of();
        }
    }

    public synchronized void setPeerSignatureSchemes(int[] schemes) {
        peerSchemes = schemes;
    }

    public synchronized void setLocalSignatureSchemes(int[] schemes) {
        localSchemes = schemes;
    }

    /** Sets the certificates of the peer. None takes them back: the native side has them, if there are any. */
    public synchronized void setPeerCertificates(X509Certificate[] chain) {
        peerCertificates = chain.length == 0 ? null : chain.clone();
    }

    public synchronized void setProtocol(String version) {
        protocol = version.intern();
    }

    public synchronized void setStatusResponses(List<byte[]> responses) {
        statusResponses = responses;
    }

    public synchronized void setLocalCertificates(X509Certificate[] chain) {
        localCertificates = chain.clone();
    }

    static X509Certificate[] parse(byte[][] chain) {
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            X509Certificate[] certificates = new X509Certificate[chain.length];
            for (int i = 0; i < chain.length; i++) {
                certificates[i] = (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(chain[i]));
            }
            return certificates;
        } catch (CertificateException e) {
            // A certificate that only the native library can read counts as none, so that callers refuse the peer.
            return NONE;
        }
    }

    /** Takes the engine's lock before the session's, never after it. */
    private X509Certificate[] peer() {
        synchronized (this) {
            if (peerCertificates != null || state == State.IN_HANDSHAKE) {
                return peerCertificates == null ? NONE : peerCertificates;
            }
        }
        byte[][] chain = chain(true);
        synchronized (this) {
            if (peerCertificates == null && chain != null) {
                peerCertificates = parse(chain);
                isPeerUnreadable = chain.length > 0 && peerCertificates.length == 0;
                peerEncoded = null;
            }
            return peerCertificates == null ? NONE : peerCertificates;
        }
    }

    X509Certificate[] local() {
        synchronized (this) {
            if (localCertificates != null || state == State.IN_HANDSHAKE) {
                return ownOrFirst();
            }
        }
        byte[][] chain = chain(false);
        synchronized (this) {
            if (localCertificates == null && chain != null) {
                localCertificates = parse(chain);
                localEncoded = null;
            }
            return ownOrFirst();
        }
    }

    /** Returns the own certificates, or those of the full handshake, because a resumption sends none. */
    private X509Certificate[] ownOrFirst() {
        X509Certificate[] known = localCertificates == null ? NONE : localCertificates;
        X509Certificate[] first = root.localCertificates();
        if (known.length == 0) {
            return first == null ? NONE : first;
        }
        if (first == null) {
            root.setLocalCertificates(known);
        }
        return known;
    }

    @Override
    public Certificate[] getPeerCertificates() throws SSLPeerUnverifiedException {
        X509Certificate[] chain = peer();
        if (chain.length == 0) {
            if (subjectOfPeer() != null) {
                // The peer is verified: an application must not take it for one without a certificate.
                throw new UnsupportedOperationException("the context keeps no certificates of peers (keep-peer-chain); "
                        + "getPeerPrincipal has the subject");
            }
            throw new SSLPeerUnverifiedException("the peer has sent no certificate");
        }
        return chain.clone();
    }

    @Override
    public Certificate[] getLocalCertificates() {
        X509Certificate[] chain = local();
        return chain.length == 0 ? null : chain.clone();
    }

    @Override
    @Deprecated
    @SuppressWarnings("removal")
    public javax.security.cert.X509Certificate[] getPeerCertificateChain() {
        throw new UnsupportedOperationException("use getPeerCertificates");
    }

    @Override
    public Principal getPeerPrincipal() throws SSLPeerUnverifiedException {
        Principal peer = principalOfPeer();
        if (peer == null) {
            throw new SSLPeerUnverifiedException("the peer has sent no certificate");
        }
        return peer;
    }

    @Override
    public Principal getLocalPrincipal() {
        X509Certificate[] chain = local();
        return chain.length == 0 ? null : chain[0].getSubjectX500Principal();
    }

    @Override
    public byte[] getId() {
        synchronized (this) {
            if (state == State.IN_HANDSHAKE) {
                return new byte[0];
            }
        }
        return root.id();
    }

    @Override
    public SSLSessionContext getSessionContext() {
        synchronized (this) {
            if (state == State.IN_HANDSHAKE) {
                return null;
            }
        }
        return sessions;
    }

    @Override
    public long getCreationTime() {
        return root.creationTime();
    }

    @Override
    public long getLastAccessedTime() {
        return root.lastAccessedTime();
    }

    @Override
    public void invalidate() {
        synchronized (this) {
            endsEarly |= state == State.IN_HANDSHAKE;
            if (state != State.VALID) {
                return;
            }
            state = State.INVALIDATED;
        }
        if (root.end()) {
            sessions.end(root.origin());
        }
        sessions.forget(sessionHost, sessionScope);
    }

    @Override
    public boolean isValid() {
        synchronized (this) {
            if (state != State.VALID) {
                return false;
            }
        }
        return !root.isEnded() && !sessions.isExpired(root.creationTime());
    }

    @Override
    public void putValue(String name, Object value) {
        if (name == null || value == null) {
            throw new IllegalArgumentException("a value of a session needs a name and a value");
        }
        refuseReserved(name);
        Object old = root.put(name, value);
        if (old instanceof SSLSessionBindingListener) {
            ((SSLSessionBindingListener) old).valueUnbound(new SSLSessionBindingEvent(this, name));
        }
        if (value instanceof SSLSessionBindingListener) {
            ((SSLSessionBindingListener) value).valueBound(new SSLSessionBindingEvent(this, name));
        }
    }

    @Override
    public Object getValue(String name) {
        if (name == null) {
            throw new IllegalArgumentException("a value of a session needs a name");
        }
        switch (name) {
            case ConnectionFacts.ID_VALUE:
                return connection.id();
            case ConnectionFacts.VALUE:
                return connection.facts();
            default:
                return root.get(name);
        }
    }

    private static void refuseReserved(String name) {
        if (name.equals(ConnectionFacts.ID_VALUE) || name.equals(ConnectionFacts.VALUE)) {
            throw new IllegalArgumentException("the value " + name + " is a fact of the connection");
        }
    }

    @Override
    public void removeValue(String name) {
        if (name == null) {
            throw new IllegalArgumentException("a value of a session needs a name");
        }
        refuseReserved(name);
        Object old = root.remove(name);
        if (old instanceof SSLSessionBindingListener) {
            ((SSLSessionBindingListener) old).valueUnbound(new SSLSessionBindingEvent(this, name));
        }
    }

    @Override
    public String[] getValueNames() {
        return root.names();
    }

    @Override
    public synchronized String getCipherSuite() {
        return cipherSuite;
    }

    @Override
    public synchronized String getProtocol() {
        return protocol;
    }

    @Override
    public String getPeerHost() {
        return peerHost;
    }

    @Override
    public int getPeerPort() {
        return peerPort;
    }

    @Override
    public int getPacketBufferSize() {
        return NativeEngine.PACKET_SIZE;
    }

    @Override
    public int getApplicationBufferSize() {
        return NativeEngine.APPLICATION_ROOM;
    }

    @Override
    public synchronized String[] getLocalSupportedSignatureAlgorithms() {
        return SignatureScheme.jcaNames(localSchemes);
    }

    @Override
    public synchronized String[] getPeerSupportedSignatureAlgorithms() {
        return peerSchemes == null ? new String[0] : SignatureScheme.jcaNames(peerSchemes);
    }

    @Override
    public synchronized List<SNIServerName> getRequestedServerNames() {
        return requestedServerNames;
    }

    @Override
    public synchronized List<byte[]> getStatusResponses() {
        List<byte[]> copies = new ArrayList<>(statusResponses.size());
        for (byte[] response : statusResponses) {
            copies.add(response.clone());
        }
        return copies;
    }

    @Override
    public synchronized String toString() {
        return "Session[" + protocol + ", " + cipherSuite + "]";
    }

    /**
     * Refuses, as sessions here have no exporter (RFC 8446 section 7.5). Java 25 has this method.
     *
     * @throws UnsupportedOperationException always
     */
    public SecretKey exportKeyingMaterialKey(String keyAlgorithm, String label, byte[] context, int length) {
        throw noExporter();
    }

    /**
     * Refuses, as sessions here have no exporter (RFC 8446 section 7.5). Java 25 has this method.
     *
     * @throws UnsupportedOperationException always
     */
    public byte[] exportKeyingMaterialData(String label, byte[] context, int length) {
        throw noExporter();
    }

    private static UnsupportedOperationException noExporter() {
        return new UnsupportedOperationException("the provider BrokerTLS does not export keying material");
    }

    /** IN_HANDSHAKE → VALID → INVALIDATED. */
    private enum State {
        IN_HANDSHAKE, VALID, INVALIDATED
    }

    /** The engine of a session. */
    public interface ChainSource {
        /** Returns the answer of the connection; null if the engine cannot tell now: a task runs, or it was freed. */
        <T> T ask(Function<NativeEngine, T> question);
    }
}
