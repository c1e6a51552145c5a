package io.brokertls;

import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.internal.NativePasswords;
import io.brokertls.jsse.keys.Passwords;
import org.jspecify.annotations.Nullable;

/** A keystore, or a certificate and its key, that a builder has been given. */
final class ConfiguredIdentity {
    private @Nullable ConfiguredSource store;
    private @Nullable ConfiguredSource key;
    private byte @Nullable [] keyPassword;
    private @Nullable String alias;

    /** Makes an identity without a store. */
    ConfiguredIdentity() {
    }

    /** {@return the keystore or certificate; null if there is none yet} */
    @Nullable ConfiguredSource store() {
        return store;
    }

    /**
     * Sets the keystore or certificate.
     *
     * @param source its file or bytes
     */
    void setStore(ConfiguredSource source) {
        store = source;
    }

    /**
     * Sets the key in a source of its own. Wipes an earlier one.
     *
     * @param source its file or bytes
     */
    void setKey(ConfiguredSource source) {
        if (key != null) {
            key.wipe();
        }
        key = source;
    }

    /**
     * Sets the password of the key. Wipes an earlier one.
     *
     * @param password copied; null for that of the store
     */
    void setKeyPassword(char @Nullable [] password) {
        Passwords.wipe(keyPassword);
        keyPassword = Passwords.utf8(password);
    }

    /**
     * Sets the one entry to use.
     *
     * @param name its alias
     */
    void setAlias(String name) {
        alias = name;
    }

    /**
     * Gives the identity to the native builder.
     *
     * @param builder copies the passwords
     * @param passwords the source of those that are missing; may be null
     * @throws TlsFailure if the store or the key cannot be used
     */
    void addTo(NativeContextBuilder builder, @Nullable NativePasswords passwords) throws TlsFailure {
        builder.addIdentity(store.content(), store.label(), key == null ? null : key.content(),
                key == null ? null : key.label(), store.type(), alias, store.password(), keyPassword, passwords);
    }

    /** Wipes the copies of passwords and keys. */
    void wipe() {
        Passwords.wipe(keyPassword);
        if (store != null) {
            store.wipe();
        }
        if (key != null) {
            key.wipe();
        }
    }
}
