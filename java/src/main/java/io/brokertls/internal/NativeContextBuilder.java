package io.brokertls.internal;

import io.brokertls.TlsFailure;

/** Collects the settings of a {@link NativeContext}. Used by one thread. */
public final class NativeContextBuilder extends NativeHandle {
    /** No option set. */
    public NativeContextBuilder() {
        super(create(), NativeContextBuilder::free);
    }

    /**
     * Sets a row of the table of options: {@code versions}, {@code cipher-suites}, {@code client-auth}, {@code alpn},
     * {@code allow} and so on; the same table as the command's and C's.
     *
     * @throws TlsFailure UNKNOWN_OPTION, or what the text leads to
     */
    public synchronized void set(String option, String text) throws TlsFailure {
        set(pointer(), option, text);
    }

    /**
     * Adds an identity.
     *
     * @param content the store or certificate chain; null where {@code label} is a path, which is read now and at reload
     * @param label the path, or the name for messages
     * @param key the private key where it stands apart; null where it is in {@code content}, or {@code keyLabel} is a path
     * @param keyLabel the key's path or name; null where the key is in the store
     * @param type {@code pem}, {@code der}, {@code pkcs12}, {@code jks}, {@code jceks}; null finds it
     * @param alias the one entry to use; null uses every one
     * @param password UTF-8, copied; null for none
     * @param keyPassword UTF-8, copied; null for the store's
     * @param passwords asked where {@code password} is null, now and at reload; may be null
     * @throws TlsFailure INVALID_ARGUMENT
     */
    public synchronized void addIdentity(byte[] content, String label, byte[] key, String keyLabel, String type,
            String alias, byte[] password, byte[] keyPassword, NativePasswords passwords) throws TlsFailure {
        addIdentity(pointer(), content, label, key, keyLabel, type, alias, password, keyPassword, passwords);
    }

    /**
     * Adds trusted certificates; parameters as of {@link #addIdentity}. A path may be that of a directory.
     *
     * @throws TlsFailure INVALID_ARGUMENT
     */
    public synchronized void addTrust(byte[] content, String label, String type, byte[] password,
            NativePasswords passwords) throws TlsFailure {
        addTrust(pointer(), content, label, type, password, passwords);
    }

    /** Adds revocation lists, PEM or DER; messages call them {@code label}. */
    public synchronized void addCrl(byte[] content, String label) {
        addCrl(pointer(), content, label);
    }

    /** Adds OCSP responses about peers, PEM or DER; messages call them {@code label}. */
    public synchronized void addOcspResponse(byte[] content, String label) {
        addOcspResponse(pointer(), content, label);
    }

    /** Adds an identity whose key is already there, such as one of another provider. */
    public synchronized void addIdentity(NativeIdentity identity) {
        addShared(pointer(), identity.share());
    }

    /** Identities are chosen by {@link HandshakeHost#chooseIdentity}. */
    public synchronized void useHostIdentities() {
        useHostIdentities(pointer());
    }

    /**
     * Peers are judged by {@link HandshakeHost#checkPeer} alone.
     *
     * @param issuers the distinguished names (DER) that a server sends with its request for a certificate
     */
    public synchronized void useHostTrust(byte[][] issuers) {
        useHostTrust(pointer(), issuers);
    }

    /** Peers that are accepted natively are then asked about by {@link HandshakeHost#approvePeer}. */
    public synchronized void useHostCheck() {
        useHostCheck(pointer());
    }

    /** The names of the table of options, in its order. */
    public static native String[] optionNames();

    /** Tells of peers that are revoked while they are connected. */
    public synchronized void tellOfRevoked(NativeRevoked told) {
        tellOfRevoked(pointer(), told);
    }

    /** Writes the context's log there. */
    public synchronized void logTo(NativeLog log) {
        logTo(pointer(), log);
    }

    /**
     * Reads every source and makes the context; the builder may be used again.
     *
     * @throws TlsFailure the first source or setting that cannot be used, by name
     */
    public synchronized NativeContext build() throws TlsFailure {
        return new NativeContext(build(pointer()));
    }

    private static native long create();

    private static native void set(long builder, String option, String text) throws TlsFailure;

    private static native void addIdentity(long builder, byte[] content, String label, byte[] key, String keyLabel,
            String type, String alias, byte[] password, byte[] keyPassword, NativePasswords passwords)
            throws TlsFailure;

    private static native void addTrust(long builder, byte[] content, String label, String type, byte[] password,
            NativePasswords passwords) throws TlsFailure;

    private static native void addCrl(long builder, byte[] content, String label);

    private static native void addOcspResponse(long builder, byte[] content, String label);

    private static native void addShared(long builder, long identity);

    private static native void useHostIdentities(long builder);

    private static native void useHostTrust(long builder, byte[][] issuers);

    private static native void useHostCheck(long builder);

    private static native void tellOfRevoked(long builder, NativeRevoked told);

    private static native void logTo(long builder, NativeLog log);

    private static native long build(long builder) throws TlsFailure;

    private static native void free(long builder);
}
