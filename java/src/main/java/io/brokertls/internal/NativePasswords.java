package io.brokertls.internal;

/** Gives the passwords of stores and keys that came without one; asked by the thread that builds or reloads. */
public interface NativePasswords {
    /**
     * The password as UTF-8, which is wiped; null where there is none.
     *
     * @param isOfKey whether it decrypts one key, not the store
     * @param label the file, or what messages call it
     * @param alias the key's; may be null
     */
    byte[] password(boolean isOfKey, String label, String alias);
}
