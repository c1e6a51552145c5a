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
     * @param label its name in messages
     * @param type {@code pem}, {@code pkcs12} and so on; null detects it
     * @param password UTF-8, copied; null for none
     * @throws TlsFailure if the content or the password is wrong
     */
    public NativeStore(byte[] content, String label, String type, byte[] password) throws TlsFailure {
        super(open(content, label, type, password), NativeStore::free);
    }

    /**
     * Returns the aliases of the entries that Java can use. An entry without a name gets a number from {@code 1}. A
     * second entry of the same name gets a number after its name.
     */
    public synchronized String[] aliases() {
        return aliases(pointer());
    }

    /** Returns {@link #KEY} or {@link #CERTIFICATE}. */
    public synchronized int kind(int entry) {
        return kind(pointer(), entry);
    }

    /** Returns the certificates of an entry, DER, end entity first. */
    public synchronized byte[][] chain(int entry) {
        return chain(pointer(), entry);
    }

    /**
     * Returns the private key of an entry as PKCS#8. The caller wipes it.
     *
     * @param password UTF-8, copied; null for the password of the store
     * @throws TlsFailure KEY_PASSWORD_WRONG, or another code if the key cannot be read
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
