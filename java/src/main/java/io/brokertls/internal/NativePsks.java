package io.brokertls.internal;

/** Supplies the pre-shared keys of clients, on the threads that run the tasks of their handshakes. */
public interface NativePsks {
    /**
     * Returns a copy of the secret, which the native library wipes; null for an unknown identity. An exception ends the
     * connection.
     *
     * @param identity as the client has sent it
     */
    byte[] secret(byte[] identity);
}
