package io.brokertls.jsse.session;

import io.brokertls.internal.NativeContext;
import java.lang.ref.SoftReference;
import java.security.cert.X509Certificate;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;

/**
 * The sessions of a context's clients or servers. Those of clients and of TLS 1.2 servers are listed as long as memory
 * allows. TLS 1.3 servers keep nothing of a client: their sessions are listed as long as they are in use. The native
 * library keeps the data for resumption, with the limits that are set here.
 *
 * <p>The cache size of clients is the number of servers with cached sessions. Servers keep sessions in the tickets of
 * their clients, or in a small native cache (the option {@code session-cache}). Their cache size limits only the list
 * here. Their timeout is checked when a client resumes a session; ticket keys live half a day at most. The option
 * {@code session-max-age-s} limits the age of every session.
 */
public final class SessionContext implements SSLSessionContext {
    private static final int DEFAULT_SIZE = 20_480;
    private static final int DEFAULT_TIMEOUT_S = 86_400;
    private static final long MS_PER_S = 1_000;
    private static final int MOST_OWN_CHAINS = 16;
    private static final String TLS12 = "TLSv1.2";

    private final NativeContext nativeContext;
    private final boolean isClient;
    /**
     * By the number of the first connection, the one that was used least recently first. Values and ids stay as long as
     * memory allows.
     */
    private final Map<Long, SoftReference<SessionRoot>> roots = new LinkedHashMap<>(16, 0.75f, true);
    /** The last own chains, guarded by itself. */
    private final Deque<OwnChain> ownChains = new ArrayDeque<>();
    private SessionContext other;
    private volatile int size = DEFAULT_SIZE;
    private volatile int timeoutS = DEFAULT_TIMEOUT_S;

    public SessionContext(NativeContext nativeContext, boolean isClient) {
        this.nativeContext = nativeContext;
        this.isClient = isClient;
    }

    /** Joins the two sides of one native context, which gets the limits of both from now on. */
    public void pair(SessionContext others) {
        other = others;
        others.other = this;
        limit();
    }

    synchronized void add(SessionRoot root) {
        root(root.origin(), root);
        dropOldest();
    }

    /**
     * Returns the root of the session that began with a connection. If it is not known any more, or has ended, it is
     * {@code own} from now on.
     */
    synchronized SessionRoot root(long origin, SessionRoot own) {
        SoftReference<SessionRoot> found = roots.get(origin);
        SessionRoot known = found == null ? null : found.get();
        if (known != null && !known.isEnded()) {
            return known;
        }
        roots.put(origin, new SoftReference<>(own));
        return own;
    }

    /** Has no side resume a session any more. */
    void end(long origin) {
        if (origin != 0) {
            remove(origin);
            nativeContext.endSession(origin);
        }
    }

    /** As {@link #end}, because of a fatal alert. */
    void fail(long origin) {
        remove(origin);
        nativeContext.failSession(origin);
    }

    /** Makes room in the list, unless another session has begun under the number of one that has ended. */
    private synchronized void remove(long origin) {
        SoftReference<SessionRoot> found = roots.get(origin);
        SessionRoot ended = found == null ? null : found.get();
        if (found != null && (ended == null || ended.isEnded())) {
            roots.remove(origin);
        }
    }

    private void dropOldest() {
        int most = size == 0 ? DEFAULT_SIZE : size;
        Iterator<SoftReference<SessionRoot>> oldest = roots.values().iterator();
        while (oldest.hasNext()) {
            boolean isGone = oldest.next().get() == null;
            if (!isGone && roots.size() <= most) {
                break;
            }
            oldest.remove();
        }
    }

    /** Returns an own chain, parsed once for all sessions; empty if Java cannot read it. */
    X509Certificate[] ownChain(byte[][] encoded) {
        synchronized (ownChains) {
            for (OwnChain known : ownChains) {
                if (Arrays.deepEquals(known.encoded, encoded)) {
                    return known.parsed;
                }
            }
        }
        OwnChain made = new OwnChain(encoded, SessionChains.parse(encoded));
        synchronized (ownChains) {
            ownChains.addFirst(made);
            if (ownChains.size() > MOST_OWN_CHAINS) {
                ownChains.removeLast();
            }
        }
        return made.parsed;
    }

    /** Returns true if sessions of this version are listed as long as memory allows. */
    boolean isKeeping(String version) {
        return isClient || version.equals(TLS12);
    }

    private List<Session> live() {
        List<SoftReference<SessionRoot>> known;
        synchronized (this) {
            known = new ArrayList<>(roots.values());
        }
        List<Session> live = new ArrayList<>();
        for (SoftReference<SessionRoot> each : known) {
            SessionRoot root = each.get();
            Session session = root == null ? null : root.listed();
            if (session != null) {
                live.add(session);
            }
        }
        return live;
    }

    /** Returns true if a session of this creation time is too old. */
    synchronized boolean isExpired(long creationTime) {
        return timeoutS != 0 && System.currentTimeMillis() - creationTime > timeoutS * MS_PER_S;
    }

    void forget(String host, String scope) {
        if (isClient && host != null && scope != null) {
            nativeContext.forgetSessions(host, scope);
        }
    }

    @Override
    public SSLSession getSession(byte[] sessionId) {
        if (sessionId == null) {
            throw new NullPointerException("sessionId");
        }
        for (Session session : live()) {
            if (Arrays.equals(session.getId(), sessionId)) {
                session.keepAll();
                return session;
            }
        }
        return null;
    }

    @Override
    public Enumeration<byte[]> getIds() {
        List<byte[]> ids = new ArrayList<>();
        for (Session session : live()) {
            ids.add(session.getId());
        }
        return Collections.enumeration(ids);
    }

    @Override
    public synchronized void setSessionTimeout(int seconds) {
        if (seconds < 0) {
            throw new IllegalArgumentException("the session timeout is negative: " + seconds);
        }
        timeoutS = seconds;
        limit();
    }

    @Override
    public synchronized int getSessionTimeout() {
        return timeoutS;
    }

    @Override
    public synchronized void setSessionCacheSize(int sessionsKept) {
        if (sessionsKept < 0) {
            throw new IllegalArgumentException("the session cache size is negative: " + sessionsKept);
        }
        size = sessionsKept;
        dropOldest();
        limit();
    }

    @Override
    public synchronized int getSessionCacheSize() {
        return size;
    }

    private void limit() {
        SessionContext clients = isClient ? this : other;
        SessionContext servers = isClient ? other : this;
        nativeContext.limitSessions(clients.size, clients.timeoutS, servers.timeoutS);
    }

    private static final class OwnChain {
        private final byte[][] encoded;
        private final X509Certificate[] parsed;

        OwnChain(byte[][] encoded, X509Certificate[] parsed) {
            this.encoded = encoded;
            this.parsed = parsed;
        }
    }
}
