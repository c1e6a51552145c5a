package io.brokertls.jsse.session;

import io.brokertls.PskPrincipal;
import io.brokertls.internal.NativeEngine;
import java.io.ByteArrayInputStream;
import java.lang.ref.WeakReference;
import java.security.Principal;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.security.auth.x500.X500Principal;

/**
 * The certificates of both sides of a session, and the identity of a peer without any. They are read from the engine on
 * first use. Safe for use by several threads.
 */
final class SessionChains {
    private static final X509Certificate[] NONE = {};

    /** Weak, so that a session does not keep the native side of its engine. */
    private final WeakReference<Session.ChainSource> engine;
    private final SessionContext sessions;
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
    /** True from the end of the handshake on: the engine has the certificates. */
    private boolean isEstablished;

    SessionChains(Session.ChainSource engine, SessionContext sessions) {
        this.engine = new WeakReference<>(engine);
        this.sessions = sessions;
    }

    /** Returns the engine; null if it is no longer used. */
    Session.ChainSource engine() {
        return engine.get();
    }

    synchronized void establish() {
        isEstablished = true;
    }

    /** Keeps the encoded certificates of both sides, which are parsed on first use, and a peer's subject or null. */
    synchronized void keep(byte[][] peerChain, byte[][] localChain, byte[] subjectOfPeer, SessionRoot root) {
        peerEncoded = peerChain;
        peerName = subjectOfPeer;
        if (localChain.length == 0) {
            localEncoded = localChain;
        } else if (localCertificates == null) {
            localCertificates = sessions.ownChain(localChain);
            root.setLocalCertificates(localCertificates);
        }
    }

    /** Keeps what {@link NativeEngine#chains} returns. */
    void keep(byte[][] chains, SessionRoot root) {
        int end = 2;
        while (chains[end] != null) {
            end++;
        }
        keep(Arrays.copyOfRange(chains, 2, end), Arrays.copyOfRange(chains, end + 1, chains.length), chains[0], root);
        synchronized (this) {
            pskIdentity = chains[1];
            isPeerNamed = true;
        }
    }

    /** Returns true if the session is established and the native side has certificates that are not kept. */
    synchronized boolean isLacking() {
        return isEstablished && (peerCertificates == null && peerEncoded == null
                || localCertificates == null && localEncoded == null);
    }

    /** Sets the certificates of the peer. None takes them back: the native side has them, if there are any. */
    synchronized void setPeer(X509Certificate[] chain) {
        peerCertificates = chain.length == 0 ? null : chain.clone();
    }

    synchronized void setLocal(X509Certificate[] chain) {
        localCertificates = chain.clone();
    }

    /** Returns the subject of the peer's certificate, or else the identity of its pre-shared key, or else null. */
    Principal principalOfPeer() {
        X500Principal subject = subjectOfPeer();
        if (subject != null) {
            return subject;
        }
        synchronized (this) {
            return isPeerUnreadable || pskIdentity == null ? null : new PskPrincipal(pskIdentity);
        }
    }

    /** Returns the subject of the peer's certificate, also if the certificate is not kept; null if it has sent none. */
    X500Principal subjectOfPeer() {
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

    /** Asks the engine once for the subject and the identity. It takes the engine's lock before the own one. */
    private void learnNames() {
        Session.ChainSource asked;
        synchronized (this) {
            boolean isKnown = isPeerNamed || isPeerUnreadable || peerName != null;
            asked = isKnown || !isEstablished ? null : engine.get();
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

    /** Takes the engine's lock before the own one, never after it. */
    X509Certificate[] peer() {
        synchronized (this) {
            if (peerCertificates != null || !isEstablished) {
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

    /** Returns the own certificates, or those of the full handshake, because a resumption sends none. */
    X509Certificate[] local(SessionRoot root) {
        synchronized (this) {
            if (localCertificates != null || !isEstablished) {
                return ownOrFirst(root);
            }
        }
        byte[][] chain = chain(false);
        synchronized (this) {
            if (localCertificates == null && chain != null) {
                localCertificates = parse(chain);
                localEncoded = null;
            }
            return ownOrFirst(root);
        }
    }

    private X509Certificate[] ownOrFirst(SessionRoot root) {
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

    /** Returns null if the engine cannot tell now. The engine can pass its chains to this object during the call. */
    private byte[][] chain(boolean isPeers) {
        byte[][] kept = kept(isPeers);
        Session.ChainSource asked = engine.get();
        byte[][] told = kept == null && asked != null
                ? asked.ask(isPeers ? NativeEngine::peerChain : NativeEngine::localChain) : kept;
        return told == null ? kept(isPeers) : told;
    }

    private synchronized byte[][] kept(boolean isPeers) {
        return isPeers ? peerEncoded : localEncoded;
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
}
