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

    @Nullable ConfiguredSource store() {
        return store;
    }

    void setStore(ConfiguredSource source) {
        store = source;
    }

    void setKey(ConfiguredSource source) {
        if (key != null) {
            key.wipe();
        }
        key = source;
    }

    void setKeyPassword(char @Nullable [] password) {
        Passwords.wipe(keyPassword);
        keyPassword = Passwords.utf8(password);
    }

    void setAlias(String name) {
        alias = name;
    }

    void addTo(NativeContextBuilder builder, @Nullable NativePasswords passwords) throws TlsFailure {
        builder.addIdentity(store.content(), store.label(), key == null ? null : key.content(),
                key == null ? null : key.label(), store.type(), alias, store.password(), keyPassword, passwords);
    }

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
