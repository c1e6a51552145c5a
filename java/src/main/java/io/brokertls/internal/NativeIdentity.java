package io.brokertls.internal;

import io.brokertls.TlsFailure;

/** A certificate chain with its private key, in the native library. Shared by threads. */
public final class NativeIdentity extends NativeHandle {
    /**
     * Takes over a key that can be exported.
     *
     * @param chain DER, end entity first
     * @param pkcs8 the private key, which is copied; the caller wipes its own
     * @throws TlsFailure where the key is not served or does not belong to the first certificate
     */
    public NativeIdentity(byte[][] chain, byte[] pkcs8) throws TlsFailure {
        super(create(chain, pkcs8), NativeIdentity::free);
    }

    /**
     * Signs with a key that stays where it is, in a token for one.
     *
     * @param chain DER, end entity first
     * @throws TlsFailure where the end entity's kind of key is not served
     */
    public NativeIdentity(byte[][] chain, ForeignKey key) throws TlsFailure {
        super(createForeign(chain, key, key.schemes()), NativeIdentity::free);
    }

    /** For {@link HandshakeHost#chooseIdentity}; the native side takes a share of its own before the call returns. */
    public long share() {
        return pointer();
    }

    private static native long create(byte[][] chain, byte[] pkcs8) throws TlsFailure;

    private static native long createForeign(byte[][] chain, ForeignKey key, int[] schemes) throws TlsFailure;

    private static native void free(long identity);

    /** A private key that signs by itself. Called on threads that run tasks. */
    public interface ForeignKey {
        /** The numbers of the signature schemes it can sign with, best first (RFC 8446 section 4.2.3). */
        int[] schemes();

        /**
         * Signs.
         *
         * @return the signature as TLS carries it (DER for ECDSA), or null where it failed; the reason is kept by the key
         */
        byte[] sign(int scheme, byte[] message);
    }
}
