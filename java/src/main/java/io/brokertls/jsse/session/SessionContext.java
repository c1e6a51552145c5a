package io.brokertls.jsse.session;

import io.brokertls.internal.NativeContext;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.Enumeration;
import java.util.List;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;

/**
 * The sessions of a context's clients or servers that are in use. The native library keeps the data for resumption,
 * with the limits that are set here.
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

    private final NativeContext nativeContext;
    private final boolean isClient;
    private final Deque<WeakReference<Session>> sessions = new ArrayDeque<>();
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

    public synchronized void add(Session session) {
        sessions.addLast(new WeakReference<>(session));
        dropOldest();
    }

    private void dropOldest() {
        while (!sessions.isEmpty()
                && (size != 0 && sessions.size() > size || sessions.peekFirst().get() == null)) {
            sessions.removeFirst();
        }
    }

    private List<Session> live() {
        List<Session> live = new ArrayList<>();
        synchronized (this) {
            sessions.removeIf(each -> each.get() == null);
            for (WeakReference<Session> each : sessions) {
                Session session = each.get();
                if (session != null) {
                    live.add(session);
                }
            }
        }
        live.removeIf(session -> !session.isValid());
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
}
