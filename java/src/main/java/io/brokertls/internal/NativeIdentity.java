package io.brokertls.internal;

import io.brokertls.TlsFailure;

/** A certificate chain with its private key, in the native library. Shared by threads. */
public final class NativeIdentity extends NativeHandle {
    private final boolean signsInJava;

    /**
     * Copies a key that can be exported.
     *
     * @param chain DER, end entity first
     * @param pkcs8 the private key; the caller wipes its array
     * @throws TlsFailure if the key is not supported or does not belong to the first certificate
     */
    public NativeIdentity(byte[][] chain, byte[] pkcs8) throws TlsFailure {
        super(create(chain, pkcs8), NativeIdentity::free);
        this.signsInJava = false;
    }

    /**
     * Makes an identity with a key that cannot be exported, for example one in a token.
     *
     * @param chain DER, end entity first
     * @throws TlsFailure if the key type of the end entity is not supported
     */
    public NativeIdentity(byte[][] chain, ForeignKey key) throws TlsFailure {
        super(createForeign(chain, new AskedKey(key), key.schemes()), NativeIdentity::free);
        this.signsInJava = true;
    }

    /** Returns true for a key that cannot be exported. */
    boolean signsInJava() {
        return signsInJava;
    }

    /** Returns the pointer for {@link HandshakeHost#chooseIdentity}. The native side takes its own reference. */
    public long share() {
        return pointer();
    }

    private static native long create(byte[][] chain, byte[] pkcs8) throws TlsFailure;

    private static native long createForeign(byte[][] chain, ForeignKey key, int[] schemes) throws TlsFailure;

    private static native void free(long identity);

    /** A private key that cannot be exported. Called on threads that run delegated tasks. */
    public interface ForeignKey {
        /** Returns the numbers of its signature schemes, best first (RFC 8446 section 4.2.3). */
        int[] schemes();

        /**
         * Signs a message.
         *
         * @return the signature in the form of TLS (DER for ECDSA), or null if it failed; the key keeps the exception
         */
        byte[] sign(int scheme, byte[] message);
    }

    /** A key that signs on the thread that made the native call. */
    private static final class AskedKey implements ForeignKey {
        private final ForeignKey key;

        AskedKey(ForeignKey key) {
            this.key = key;
        }

        @Override
        public int[] schemes() {
            return key.schemes();
        }

        @Override
        public byte[] sign(int scheme, byte[] message) {
            return Workers.ask(() -> key.sign(scheme, message));
        }
    }
}
