package io.brokertls.internal;

import io.brokertls.TlsFailure;

/** An opened store of keys and certificates: PEM, DER, PKCS#12, JKS or JCEKS. Shared by threads. */
public final class NativeStore extends NativeHandle {
    /** A private key with its certificate chain. */
    public static final int KEY = 0;
    /** A certificate. */
    public static final int CERTIFICATE = 1;

    /**
     * Opens a store.
     *
     * @param label its name for messages
     * @param type {@code pem}, {@code pkcs12} and so on; null finds it
     * @param password UTF-8, copied; null for none
     * @throws TlsFailure what is wrong with the content or the password
     */
    public NativeStore(byte[] content, String label, String type, byte[] password) throws TlsFailure {
        super(open(content, label, type, password), NativeStore::free);
    }

    /**
     * The entries that Java can use, in order. Those without a name are {@code 1}, {@code 2} and so on; two of the same
     * name are told apart by a number.
     */
    public synchronized String[] aliases() {
        return aliases(pointer());
    }

    /** {@link #KEY} or {@link #CERTIFICATE}. */
    public synchronized int kind(int entry) {
        return kind(pointer(), entry);
    }

    /** The entry's certificates, DER, end entity first. */
    public synchronized byte[][] chain(int entry) {
        return chain(pointer(), entry);
    }

    /**
     * The entry's private key as PKCS#8; the caller wipes it.
     *
     * @param password UTF-8, copied; null for the store's
     * @throws TlsFailure KEY_PASSWORD_WRONG and what else is wrong with the key
     */
    public synchronized byte[] key(int entry, byte[] password) throws TlsFailure {
        return key(pointer(), entry, password);
    }

    private static native long open(byte[] content, String label, String type, byte[] password) throws TlsFailure;

    private static native String[] aliases(long store);

    private static native int kind(long store, int entry);

    private static native byte[][] chain(long store, int entry);

    private static native byte[] key(long store, int entry, byte[] password) throws TlsFailure;

    private static native void free(long store);
}
