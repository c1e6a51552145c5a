package io.brokertls.internal;

import io.brokertls.TlsFailure;
import java.lang.ref.Reference;

/** Collects the settings of a {@link NativeContext}. Used by one thread. */
public final class NativeContextBuilder extends NativeHandle {
    /** True if handshakes call managers, callbacks or keys of Java. */
    private boolean callsBack;

    /** Makes a builder without options. */
    public NativeContextBuilder() {
        super(create(), NativeContextBuilder::free);
    }

    /**
     * Sets an option by its name, for example {@code versions} or {@code client-auth}. The command and C have the same
     * options.
     *
     * @throws TlsFailure UNKNOWN_OPTION, or the code for a wrong value
     */
    public void set(String option, String text) throws TlsFailure {
        try {
            long builder = pointer();
            Workers.call(() -> {
                set(builder, option, text);
                return null;
            });
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Adds an identity.
     *
     * @param content the store or certificate chain, as a {@code byte[]} or a {@link NativeFile}; null if
     *         {@code label} is a path, which is read at each build and reload
     * @param label the path, or the name in messages
     * @param key a separate private key; null if it is in {@code content}, or if {@code keyLabel} is a path
     * @param keyLabel the path or name of the key; null if the key is in the store
     * @param type {@code pem}, {@code der}, {@code pkcs12}, {@code jks}, {@code jceks}; null detects it
     * @param alias the one entry to use; null uses every entry
     * @param password UTF-8, copied; null for none
     * @param keyPassword UTF-8, copied; null for the password of the store
     * @param passwords the source of a password that is null; may be null
     * @throws TlsFailure INVALID_ARGUMENT
     */
    public synchronized void addIdentity(Object content, String label, Object key, String keyLabel, String type,
            String alias, byte[] password, byte[] keyPassword, NativePasswords passwords) throws TlsFailure {
        addIdentity(pointer(), content, label, key, keyLabel, type, alias, password, keyPassword, asked(passwords));
    }

    /**
     * Adds trust anchors. The parameters are those of {@link #addIdentity}. A path can be that of a directory.
     *
     * @throws TlsFailure INVALID_ARGUMENT
     */
    public synchronized void addTrust(Object content, String label, String type, byte[] password,
            NativePasswords passwords) throws TlsFailure {
        addTrust(pointer(), content, label, type, password, asked(passwords));
    }

    /** Returns a source that is asked on the thread that builds or reloads; null for null. */
    private static NativePasswords asked(NativePasswords passwords) {
        return passwords == null ? null
                : (isOfKey, label, alias) -> Workers.ask(() -> passwords.password(isOfKey, label, alias));
    }

    /** Adds revocation lists, PEM or DER. {@code label} is their name in messages. */
    public synchronized void addCrl(Object content, String label) {
        addCrl(pointer(), content, label);
    }

    /** Adds OCSP responses about peers, PEM or DER. {@code label} is their name in messages. */
    public synchronized void addOcspResponse(Object content, String label) {
        addOcspResponse(pointer(), content, label);
    }

    /** Adds an identity with a loaded key, for example a key of another provider. */
    public synchronized void addIdentity(NativeIdentity identity) {
        callsBack |= identity.signsInJava();
        addShared(pointer(), identity.share());
    }

    /** Makes {@link HandshakeHost#chooseIdentity} choose the identities. */
    public synchronized void useHostIdentities() {
        callsBack = true;
        useHostIdentities(pointer());
    }

    /**
     * Makes {@link HandshakeHost#checkPeer} alone accept or refuse peers.
     *
     * @param issuers the distinguished names (DER) that a server names in its request for a certificate
     */
    public synchronized void useHostTrust(byte[][] issuers) {
        callsBack = true;
        useHostTrust(pointer(), issuers);
    }

    /** Calls {@link HandshakeHost#approvePeer} for peers that the trust anchors accepted. */
    public synchronized void useHostCheck() {
        callsBack = true;
        useHostCheck(pointer());
    }

    /** Returns the names of all options. */
    public static native String[] optionNames();

    /** Sets the listener for peers that are revoked during their connection. */
    public synchronized void onRevoked(NativeRevokedListener listener) {
        onRevoked(pointer(), (connectionId, subject, issuer, serial, reason, timeSeconds) -> Workers.ask(
                () -> listener.revoked(connectionId, subject, issuer, serial, reason, timeSeconds)));
    }

    /** Sets the file with the pre-shared keys of clients. {@code label} is its name in messages. */
    public synchronized void setPskFile(NativeFile content, String label) {
        setPskFile(pointer(), content, label);
    }

    /**
     * Adds an application protocol.
     *
     * @throws TlsFailure INVALID_ALPN for an empty name, or one of more than 255 bytes
     */
    public synchronized void addApplicationProtocol(byte[] protocol) throws TlsFailure {
        addApplicationProtocol(pointer(), protocol);
    }

    /**
     * Adds the pre-shared key of a client.
     *
     * @throws TlsFailure PSK_MALFORMED for a secret of no byte or of more than 256
     */
    public synchronized void addPsk(byte[] identity, byte[] secret) throws TlsFailure {
        addPsk(pointer(), identity, secret);
    }

    /** Sets the source of pre-shared keys for other identities. */
    public synchronized void askForPsks(NativePsks psks) {
        callsBack = true;
        askForPsks(pointer(), identity -> Workers.ask(() -> psks.secret(identity)));
    }

    /** Sets the receiver of the context's log. */
    public synchronized void logTo(NativeLog log) {
        logTo(pointer(), new LateLog(log));
    }

    /**
     * Reads every source and makes the context. The builder can be used again.
     *
     * @throws TlsFailure for the first source or setting that cannot be used
     */
    public NativeContext build() throws TlsFailure {
        try {
            long builder = pointer();
            if (looksForLegacyLibrary(builder)) {
                NativeLoader.bringLegacy();
            }
            return new NativeContext(Workers.call(() -> build(builder)), callsBack);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static native long create();

    private static native void set(long builder, String option, String text) throws TlsFailure;

    private static native void addIdentity(long builder, Object content, String label, Object key, String keyLabel,
            String type, String alias, byte[] password, byte[] keyPassword, NativePasswords passwords)
            throws TlsFailure;

    private static native void addTrust(long builder, Object content, String label, String type, byte[] password,
            NativePasswords passwords) throws TlsFailure;

    private static native void addCrl(long builder, Object content, String label);

    private static native void addOcspResponse(long builder, Object content, String label);

    private static native void addShared(long builder, long identity);

    private static native void useHostIdentities(long builder);

    private static native void useHostTrust(long builder, byte[][] issuers);

    private static native void useHostCheck(long builder);

    private static native void onRevoked(long builder, NativeRevokedListener listener);

    private static native void setPskFile(long builder, NativeFile content, String label);

    private static native void addApplicationProtocol(long builder, byte[] protocol) throws TlsFailure;

    private static native void addPsk(long builder, byte[] identity, byte[] secret) throws TlsFailure;

    private static native void askForPsks(long builder, NativePsks psks);

    private static native void logTo(long builder, NativeLog log);

    private static native boolean looksForLegacyLibrary(long builder);

    private static native long build(long builder) throws TlsFailure;

    private static native void free(long builder);
}
