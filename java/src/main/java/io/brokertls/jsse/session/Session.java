package io.brokertls.jsse.session;

import io.brokertls.ConnectionFacts;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.keys.SignatureScheme;
import java.security.Principal;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import javax.crypto.SecretKey;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSessionBindingEvent;
import javax.net.ssl.SSLSessionBindingListener;
import javax.net.ssl.SSLSessionContext;

/**
 * The facts of a connection. They are empty before the handshake, and stay when the engine is freed. Certificates are
 * read from the engine on first use. Safe for use by several threads.
 */
public final class Session extends ExtendedSSLSession {
    /** The signature schemes of this provider, in the order of the native library. */
    private static final int[] SCHEMES = {
        0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601};

    private final SessionChains chains;
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
    /** The signature schemes that this side accepts. */
    private int[] localSchemes = SCHEMES;
    private List<byte[]> statusResponses = List.of();
    private State state = State.BLANK;
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
        this.chains = new SessionChains(engine, sessions);
        this.connection = connection;
        this.sessions = sessions;
        this.sessionHost = sessionHost;
        this.sessionScope = sessionScope;
        this.requestedServerNames = requestedServerNames;
        this.peerHost = peerHost;
        this.peerPort = peerPort;
    }

    /** Makes this the session of a handshake, which is valid until it is invalidated. */
    public synchronized void begin() {
        state = State.IN_HANDSHAKE;
    }

    /** Sets the facts of a handshake that are settled; null leaves one as it is. */
    public synchronized void settle(String version, String suite) {
        protocol = version == null ? protocol : version;
        cipherSuite = suite == null ? cipherSuite : suite;
    }

    /**
     * Sets the facts of a complete handshake, and enters the session into its context. A session that resumes an
     * earlier one joins it, by what {@link NativeEngine#sessionOrigin} returns.
     *
     * @return the report about the values that the join has replaced. The caller runs it without a lock.
     */
    public Runnable establish(String version, String suite, String serverName, byte[] origin, boolean isResumed) {
        SessionRoot own = root;
        long first = own.establish(origin);
        SessionRoot joined = isResumed ? sessions.root(first, own) : own;
        Map<String, Object> replaced = Map.of();
        if (joined == own) {
            own.setFirst(this);
        } else {
            replaced = own.moveTo(joined);
            root = joined;
            joined.learnLocalCertificates();
        }
        chains.establish();
        boolean isToEnd;
        synchronized (this) {
            protocol = version;
            cipherSuite = suite;
            if (serverName != null) {
                requestedServerNames = names(serverName);
            }
            state = State.VALID;
            isToEnd = endsEarly;
        }
        root.list(this, sessions.isKeeping(version));
        sessions.add(root);
        if (isToEnd) {
            invalidate();
        }
        Map<String, Object> unbound = replaced;
        return () -> unbound.forEach(this::unbind);
    }

    /** Ends the session because a fatal alert was sent or received (RFC 5246 section 7.2.2). */
    public void fail() {
        synchronized (this) {
            endsEarly |= state == State.IN_HANDSHAKE;
            if (state != State.VALID) {
                return;
            }
            state = State.INVALIDATED;
        }
        if (root.end()) {
            sessions.fail(root.origin());
        }
    }

    SessionRoot root() {
        return root;
    }

    /**
     * Keeps the encoded certificates of both sides. They are parsed on first use.
     *
     * @param subjectOfPeer the subject of a peer without a chain here, or null
     */
    public void keep(byte[][] peerChain, byte[][] localChain, byte[] subjectOfPeer) {
        chains.keep(peerChain, localChain, subjectOfPeer, root);
    }

    /** Keeps what {@link NativeEngine#chains} returns. */
    public void keep(byte[][] encoded) {
        chains.keep(encoded, root);
    }

    /** Returns true if the session is established and the native side has certificates that it lacks. */
    public boolean lacksChains() {
        return chains.isLacking();
    }

    /** Records that the application has the session before the handshake is complete. */
    public synchronized void handOut() {
        isHandedOut = true;
    }

    /** Returns true if the application can hold the session longer than the engine. */
    public synchronized boolean isHandedOut() {
        return isHandedOut;
    }

    /** Returns true if the session can tell its certificates no more: its engine was collected before it was closed. */
    boolean isLost() {
        return chains.isLacking() && chains.engine() == null;
    }

    /** Returns the facts of its connection. */
    public ConnectionFacts facts() {
        return connection.facts();
    }

    /** Returns the engine of the connection; null if it is no longer used. */
    public ChainSource engine() {
        return chains.engine();
    }

    /** Returns the name of the peer for the log, or a text that it has no certificate. */
    public String peerName() {
        Principal peer = chains.principalOfPeer();
        return peer == null ? "without certificate" : peer.getName();
    }

    /** Reads the certificates, or the identity, from the engine now, because it can be freed later. */
    void keepAll() {
        chains.principalOfPeer();
        local();
    }

    X509Certificate[] local() {
        return chains.local(root);
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
    public void setPeerCertificates(X509Certificate[] chain) {
        chains.setPeer(chain);
    }

    public synchronized void setProtocol(String version) {
        protocol = version.intern();
    }

    public synchronized void setStatusResponses(List<byte[]> responses) {
        statusResponses = responses;
    }

    /** Sets the encoded certificates that were sent. */
    public void setLocalCertificates(byte[][] chain) {
        chains.setLocal(sessions.ownChain(chain));
    }

    public void setLocalCertificates(X509Certificate[] chain) {
        chains.setLocal(chain);
    }

    @Override
    public Certificate[] getPeerCertificates() throws SSLPeerUnverifiedException {
        X509Certificate[] chain = chains.peer();
        if (chain.length == 0) {
            if (chains.subjectOfPeer() != null) {
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
        Principal peer = chains.principalOfPeer();
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
            if (!isEstablished()) {
                return new byte[0];
            }
        }
        return root.id();
    }

    @Override
    public SSLSessionContext getSessionContext() {
        synchronized (this) {
            if (state != State.VALID) {
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
                return state == State.IN_HANDSHAKE && !endsEarly;
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
        unbind(name, old);
        if (value instanceof SSLSessionBindingListener) {
            ((SSLSessionBindingListener) value).valueBound(new SSLSessionBindingEvent(this, name));
        }
    }

    private void unbind(String name, Object old) {
        if (old instanceof SSLSessionBindingListener) {
            ((SSLSessionBindingListener) old).valueUnbound(new SSLSessionBindingEvent(this, name));
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
        unbind(name, old);
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

    private boolean isEstablished() {
        return state == State.VALID || state == State.INVALIDATED;
    }

    /** BLANK is that of no handshake. IN_HANDSHAKE → VALID → INVALIDATED. */
    private enum State {
        BLANK, IN_HANDSHAKE, VALID, INVALIDATED
    }

    /** The engine of a session. */
    public interface ChainSource {
        /** Returns the answer of the connection; null if the engine cannot tell now: a task runs, or it was freed. */
        <T> T ask(Function<NativeEngine, T> question);
    }
}
