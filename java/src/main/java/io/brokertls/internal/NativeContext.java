package io.brokertls.internal;

import io.brokertls.ErrorCode;
import io.brokertls.RevocationSource;
import io.brokertls.TlsFailure;
import java.lang.ref.Reference;

/** What engines are made from. Shared by threads. */
public final class NativeContext extends NativeHandle {
    NativeContext(long pointer) {
        super(pointer, NativeContext::free);
    }

    /**
     * A client's engine.
     *
     * @param host a DNS name or an IP address; null only where the name is not compared
     * @throws TlsFailure NO_TRUST, INVALID_SERVER_NAME, WRONG_STATE once it is closed, or what a setting leads to
     */
    public NativeEngine connect(String host, EngineSettings settings) throws TlsFailure {
        try {
            return NativeEngine.client(pointer(), host, settings);
        } catch (IllegalStateException e) {
            throw closed();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * A server's engine.
     *
     * @throws TlsFailure NO_IDENTITY, NO_TRUST, WRONG_STATE once it is closed, or what a setting leads to
     */
    public NativeEngine accept(EngineSettings settings) throws TlsFailure {
        try {
            return NativeEngine.server(pointer(), settings);
        } catch (IllegalStateException e) {
            throw closed();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** An engine that begins late is told as of any other failure. */
    private static TlsFailure closed() {
        return TlsFailure.of(ErrorCode.WRONG_STATE, "the context is closed");
    }

    /**
     * Reads every source again, all or nothing; engines made before keep what they have.
     *
     * @throws TlsFailure the first source that cannot be used; the context goes on with what it had
     */
    public void reload() throws TlsFailure {
        try {
            reload(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What an operator should know though the context was built. */
    public String[] warnings() {
        try {
            return warnings(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * The line of the log for a refused peer.
     *
     * @return null if it is not to be written: refusals are not logged, or this minute has had as many as it may
     */
    public String refusalLine(String refusal) {
        try {
            return refusalLine(pointer(), refusal);
        } catch (IllegalStateException e) {
            return refusal; // of an engine that outlives its context
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The cipher suites in effect, by IANA name, in order of preference. */
    public String[] cipherSuites() {
        try {
            return cipherSuites(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The protocol versions in effect, oldest first. */
    public String[] versions() {
        try {
            return versions(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The application protocols of every engine, in order of preference. */
    public byte[][] applicationProtocols() {
        try {
            return applicationProtocols(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What servers ask clients for unless an engine says otherwise: 0 nothing, 1 want, 2 need a certificate. */
    public int clientAuth() {
        try {
            return clientAuth(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Whether clients compare the server's name unless an engine says otherwise. */
    public boolean checksServerName() {
        try {
            return checksServerName(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Bounds what is resumed.
     *
     * @param clientSessions servers that clients remember sessions of; 0 for no limit of its own
     * @param clientTimeoutSeconds age at which a client no longer resumes a session; 0 for no limit of its own
     * @param serverTimeoutSeconds age at which a server no longer resumes a session; 0 for no limit of its own
     */
    public void limitSessions(int clientSessions, int clientTimeoutSeconds, int serverTimeoutSeconds) {
        try {
            limitSessions(pointer(), clientSessions, clientTimeoutSeconds, serverTimeoutSeconds);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Forgets a client's sessions with a server. */
    public void forgetSessions(String host, String sessionScope) {
        try {
            forgetSessions(pointer(), host, sessionScope);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Fetches anew what is due; takes as long as that does.
     *
     * @return after how many milliseconds it wants to be called again
     */
    public long maintain() {
        try {
            return maintain(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Where knowledge of revocation comes from. */
    public RevocationSource[] revocationSources() {
        try {
            return revocationSources(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** How many certificates were accepted since the last reload though nobody knew whether they are revoked. */
    public long revocationUnknownAccepted() {
        try {
            return revocationUnknownAccepted(pointer());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Every cipher suite that is served, by IANA name, in order of preference. */
    public static native String[] supportedCipherSuites();

    /** Every protocol version that is served, oldest first. */
    public static native String[] supportedVersions();

    /**
     * Which of the named suites are served, in the order of the list.
     *
     * @param names comma-separated IANA or OpenSSL names; those of suites that exist and are not served are left out
     * @throws TlsFailure CIPHER_NOT_SUPPORTED for a name that is none, NO_CIPHER_SUITE where nothing is left
     */
    public static native String[] servedCipherSuites(String names) throws TlsFailure;

    /**
     * Which of the named versions are served, oldest first.
     *
     * @throws TlsFailure VERSION_NOT_SUPPORTED for a name that is none, or where nothing is left
     */
    public static native String[] servedVersions(String names) throws TlsFailure;

    private static native void reload(long context) throws TlsFailure;

    private static native String[] warnings(long context);

    private static native String refusalLine(long context, String refusal);

    private static native String[] cipherSuites(long context);

    private static native String[] versions(long context);

    private static native byte[][] applicationProtocols(long context);

    private static native int clientAuth(long context);

    private static native boolean checksServerName(long context);

    private static native void limitSessions(long context, int clientSessions, int clientTimeoutSeconds,
            int serverTimeoutSeconds);

    private static native void forgetSessions(long context, String host, String sessionScope);

    private static native long maintain(long context);

    private static native RevocationSource[] revocationSources(long context);

    private static native long revocationUnknownAccepted(long context);

    private static native void free(long context);
}
