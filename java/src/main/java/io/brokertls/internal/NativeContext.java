package io.brokertls.internal;

import io.brokertls.ErrorCode;
import io.brokertls.RevocationSource;
import io.brokertls.TlsCertificate;
import io.brokertls.TlsFailure;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A native context. Safe for use by several threads. */
public final class NativeContext extends NativeHandle {
    private static final long RETRY_MS = 1000;

    private final ContextCounters counters = new ContextCounters();
    /** Frees a connection of this context. It does not refer to the context, which a connection can outlive. */
    private final Free freeing = freeing(counters);
    private final boolean tasksWait;

    /** Owns a context. {@code callsBack} is true if its handshakes call managers, callbacks or keys of Java. */
    NativeContext(long pointer, boolean callsBack) {
        super(pointer, NativeContext::free);
        this.tasksWait = callsBack || mayBlock(pointer);
    }

    private static Free freeing(ContextCounters counters) {
        return engine -> {
            counters.closed();
            NativeEngine.free(engine);
        };
    }

    private NativeEngine counted(NativeEngine made) {
        counters.opened();
        return made;
    }

    /** Returns the counters of the context, which stay after its end. */
    public ContextCounters counters() {
        return counters;
    }

    /**
     * Makes a client's engine.
     *
     * @param host a DNS name or an IP address; null only if the name is not compared
     * @throws TlsFailure NO_TRUST, INVALID_SERVER_NAME, WRONG_STATE after close, or the code for a wrong setting
     */
    public NativeEngine connect(String host, EngineSettings settings) throws TlsFailure {
        try {
            return counted(NativeEngine.client(pointer(), host, settings, freeing, tasksWait));
        } catch (IllegalStateException e) {
            throw closed();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Makes a server's engine.
     *
     * @throws TlsFailure NO_IDENTITY, NO_TRUST, WRONG_STATE after close, or the code for a wrong setting
     */
    public NativeEngine accept(EngineSettings settings) throws TlsFailure {
        try {
            return counted(NativeEngine.server(pointer(), settings, freeing, tasksWait));
        } catch (IllegalStateException e) {
            throw closed();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** An engine that begins after close fails with a TlsFailure, as JSSE callers expect. */
    private static TlsFailure closed() {
        return TlsFailure.of(ErrorCode.WRONG_STATE, "the context is closed");
    }

    /**
     * Reads every source again. Either all of them take effect, for engines made later, or none does.
     *
     * @throws TlsFailure for the first source that cannot be used; the context keeps its configuration
     */
    public void reload() throws TlsFailure {
        try {
            long context = pointer();
            Workers.call(() -> {
                reload(context);
                return null;
            });
            counters.reloaded(null);
        } catch (TlsFailure e) {
            counters.reloaded(e);
            throw e;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the warnings about a configuration that can be used. */
    public String[] warnings() {
        try {
            return warnings(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Returns the log line for a refused peer.
     *
     * @return null if refusals are not logged, or if the limit of this minute is reached
     * @throws IllegalStateException after {@link #close()}; connections can outlive their context
     */
    public String refusalLine(String refusal) {
        try {
            return refusalLine(pointer(), refusal);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the cipher suites in effect, by IANA name, in order of preference. */
    public String[] cipherSuites() {
        try {
            return cipherSuites(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the key exchange groups in effect, in order of preference. */
    public String[] groups() {
        try {
            return groups(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Returns the names that are of supported groups, in the order and spelling of the list.
     *
     * @throws TlsFailure GROUP_NOT_SUPPORTED, with the reasons, if no name is left
     */
    public String[] servedGroups(String[] names) throws TlsFailure {
        try {
            return servedGroups(pointer(), names);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Returns the names that are of supported signature schemes, in the order and spelling of the list.
     *
     * @throws TlsFailure INVALID_ARGUMENT if no name is left
     */
    public String[] servedSignatureSchemes(String[] names) throws TlsFailure {
        try {
            return servedSignatureSchemes(pointer(), names);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the protocol versions in effect, oldest first. */
    public String[] versions() {
        try {
            return versions(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the application protocols in order of preference. */
    public byte[][] applicationProtocols() {
        try {
            return applicationProtocols(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the default of servers for client certificates: 0 none, 1 want, 2 need. */
    public int clientAuth() {
        try {
            return clientAuth(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns true if clients compare the server's name by default. */
    public boolean checksServerName() {
        try {
            return checksServerName(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Limits resumption.
     *
     * @param clientSessions number of servers with cached sessions, in clients; 0 for the default limit
     * @param clientTimeoutSeconds age after which a client does not resume a session; 0 for the default limit
     * @param serverTimeoutSeconds age after which a server does not resume a session; 0 for the default limit
     */
    public void limitSessions(int clientSessions, int clientTimeoutSeconds, int serverTimeoutSeconds) {
        try {
            limitSessions(pointer(), clientSessions, clientTimeoutSeconds, serverTimeoutSeconds);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Ends the session of a connection, by the number of its first connection. It is not resumed any more, as all
     * sessions of a context that is closed.
     */
    public void endSession(long origin) {
        long context = pointerOrZero();
        try {
            if (context != 0) {
                endSession(context, origin);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Ends a session as {@link #endSession}, because of a fatal alert. */
    public void failSession(long origin) {
        long context = pointerOrZero();
        try {
            if (context != 0) {
                failSession(context, origin);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Drops a client's sessions with a server. A context that is closed has none. */
    public void forgetSessions(String host, String sessionScope) {
        long context = pointerOrZero();
        try {
            if (context != 0) {
                forgetSessions(context, host, sessionScope);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Fetches revocation data and staples that are due. Blocks as long as the fetches take.
     *
     * @return the time until the next call in milliseconds
     */
    public long maintain() {
        try {
            long context = pointer();
            return Workers.call(() -> maintain(context));
        } catch (TlsFailure e) {
            // Too many virtual threads wait. What is due is done by the next call.
            return RETRY_MS;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the sources of revocation data. */
    public RevocationSource[] revocationSources() {
        try {
            return revocationSources(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the certificates in use, own ones first: {@link TlsCertificate#TEXTS} texts each. */
    public List<TlsCertificate> certificates() {
        try {
            String[] texts = certificates(pointer());
            List<TlsCertificate> all = new ArrayList<>();
            for (int i = 0; i < texts.length; i += TlsCertificate.TEXTS) {
                all.add(new TlsCertificate(Arrays.copyOfRange(texts, i, i + TlsCertificate.TEXTS)));
            }
            return all;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the number of certificates accepted since the last reload although no source knew their status. */
    public long revocationUnknownAccepted() {
        try {
            return revocationUnknownAccepted(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns the numbers of peers that have used the parts of the second engine, by the names of the parts. */
    public Map<String, Long> legacyUses() {
        try {
            Map<String, Long> uses = new LinkedHashMap<>();
            for (String name : legacyNames(pointer())) {
                uses.put(name, legacyUses(pointer(), name));
            }
            return uses;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Returns every cipher suite of the first engine, by IANA name, in order of preference. */
    public static native String[] supportedCipherSuites();

    /** Returns every protocol version of the first engine, oldest first. */
    public static native String[] supportedVersions();

    /**
     * Returns the supported ones of the named suites, in the order of the list.
     *
     * @param names comma-separated IANA, Java or OpenSSL names; known suites that are not supported are left out
     * @param more the suites of a context, by IANA name, that count as supported too
     * @throws TlsFailure CIPHER_NOT_SUPPORTED for an unknown name, NO_CIPHER_SUITE if no suite is left
     */
    public static native String[] servedCipherSuites(String names, String[] more) throws TlsFailure;

    /**
     * Returns the supported ones of the named versions, oldest first.
     *
     * @param more the versions of a context that count as supported too
     * @throws TlsFailure VERSION_NOT_SUPPORTED for an unknown name, or if no version is left
     */
    public static native String[] servedVersions(String names, String[] more) throws TlsFailure;

    private static native boolean mayBlock(long context);

    private static native void reload(long context) throws TlsFailure;

    private static native String[] warnings(long context);

    private static native String refusalLine(long context, String refusal);

    private static native String[] cipherSuites(long context);

    private static native String[] versions(long context);

    private static native String[] groups(long context);

    private static native String[] servedGroups(long context, String[] names) throws TlsFailure;

    private static native String[] servedSignatureSchemes(long context, String[] names) throws TlsFailure;

    private static native byte[][] applicationProtocols(long context);

    private static native int clientAuth(long context);

    private static native boolean checksServerName(long context);

    private static native void limitSessions(long context, int clientSessions, int clientTimeoutSeconds,
            int serverTimeoutSeconds);

    private static native void endSession(long context, long origin);

    private static native void failSession(long context, long origin);

    private static native void forgetSessions(long context, String host, String sessionScope);

    private static native long maintain(long context);

    private static native RevocationSource[] revocationSources(long context);

    private static native String[] certificates(long context);

    private static native long revocationUnknownAccepted(long context);

    private static native String[] legacyNames(long context);

    private static native long legacyUses(long context, String name);

    private static native void free(long context);
}
