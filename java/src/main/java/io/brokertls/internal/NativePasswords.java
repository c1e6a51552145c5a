package io.brokertls.internal;

/** Supplies the passwords of stores and keys that were added without one, on the thread that builds or reloads. */
public interface NativePasswords {
    /**
     * Returns the password as UTF-8, which the native library wipes; null if there is none.
     *
     * @param isOfKey true for the password of one key, false for that of the store
     * @param label the file, or its name in messages
     * @param alias the alias of the key; may be null
     */
    byte[] password(boolean isOfKey, String label, String alias);
}
