package io.brokertls.jsse.session;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The part of a session that its resumptions share: id, creation time, values, own certificates, and its end. The
 * caller of the values holds no lock of a session. Safe for use by several threads.
 */
final class SessionRoot {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int ID_LENGTH = 32;
    private static final long MS_PER_S = 1_000;

    private long creationTime = System.currentTimeMillis();
    private volatile long lastAccessedTime = creationTime;
    /** The number of the first connection; 0 before its handshake is complete. */
    private long origin;
    private byte[] id;
    private Map<String, Object> values;
    private X509Certificate[] localCertificates;
    /** The session of the full handshake, while it is in use. */
    private WeakReference<Session> first;
    /** The last session, which a session context lists. */
    private WeakReference<Session> last;
    /** Keeps the last session alive, if a session context lists it as long as it has this root; else null. */
    private Session kept;
    private volatile boolean isEnded;
    /** The root of the resumed session, which has the values from the end of the handshake on; null if it is this. */
    private SessionRoot joined;

    /**
     * Sets the facts that {@link io.brokertls.internal.NativeEngine#sessionOrigin} returns. Returns the number of the
     * first connection.
     */
    synchronized long establish(byte[] facts) {
        ByteBuffer read = ByteBuffer.wrap(facts);
        origin = read.getLong();
        long firstTimeS = read.getLong();
        if (firstTimeS != 0) {
            creationTime = firstTimeS * MS_PER_S;
        }
        if (read.hasRemaining()) {
            id = new byte[read.remaining()];
            read.get(id);
        }
        return origin;
    }

    synchronized long origin() {
        return origin;
    }

    synchronized byte[] id() {
        if (id == null) {
            id = new byte[ID_LENGTH];
            RANDOM.nextBytes(id);
        }
        return id.clone();
    }

    synchronized long creationTime() {
        return creationTime;
    }

    long lastAccessedTime() {
        return lastAccessedTime;
    }

    void touch() {
        lastAccessedTime = System.currentTimeMillis();
    }

    /** Returns true at the first call. */
    synchronized boolean end() {
        boolean isFirst = !isEnded;
        isEnded = true;
        kept = null;
        return isFirst;
    }

    boolean isEnded() {
        return isEnded;
    }

    Object put(String name, Object value) {
        synchronized (this) {
            if (joined == null) {
                if (values == null) {
                    values = new HashMap<>();
                }
                return values.put(name, value);
            }
        }
        return joined.put(name, value);
    }

    Object get(String name) {
        synchronized (this) {
            if (joined == null) {
                return values == null ? null : values.get(name);
            }
        }
        return joined.get(name);
    }

    Object remove(String name) {
        synchronized (this) {
            if (joined == null) {
                return values == null ? null : values.remove(name);
            }
        }
        return joined.remove(name);
    }

    String[] names() {
        synchronized (this) {
            if (joined == null) {
                return values == null ? new String[0] : values.keySet().toArray(new String[0]);
            }
        }
        return joined.names();
    }

    /**
     * Moves the values of a handshake to the session that it has resumed. From now on, values that are put here are
     * values there. Returns the values there that were replaced.
     */
    synchronized Map<String, Object> moveTo(SessionRoot earlier) {
        Map<String, Object> replaced = new HashMap<>();
        if (values != null) {
            values.forEach((name, value) -> {
                Object old = earlier.put(name, value);
                if (old != null) {
                    replaced.put(name, old);
                }
            });
            values = null;
        }
        joined = earlier;
        earlier.touch();
        return replaced;
    }

    /** Returns the certificates that were sent in the full handshake; null if they are not known. */
    synchronized X509Certificate[] localCertificates() {
        return localCertificates;
    }

    synchronized void setLocalCertificates(X509Certificate[] chain) {
        localCertificates = chain;
    }

    synchronized void setFirst(Session session) {
        first = new WeakReference<>(session);
    }

    /** Sets the session to list. It is kept with this if {@code isKept}, and else while it is in use. */
    synchronized void list(Session session, boolean isKept) {
        last = new WeakReference<>(session);
        kept = isKept && !isEnded ? session : null;
    }

    /** Returns the last session that can still be used; null if there is none. */
    Session listed() {
        List<WeakReference<Session>> known;
        synchronized (this) {
            known = Arrays.asList(last, first);
        }
        for (WeakReference<Session> each : known) {
            Session session = each == null ? null : each.get();
            if (session != null && session.isValid() && !session.isLost()) {
                return session;
            }
        }
        return null;
    }

    /** Reads the own certificates from the session of the full handshake, which may have to ask its engine. */
    void learnLocalCertificates() {
        Session known;
        synchronized (this) {
            known = localCertificates != null || first == null ? null : first.get();
        }
        if (known != null) {
            known.local();
        }
    }
}
