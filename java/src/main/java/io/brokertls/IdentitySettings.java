package io.brokertls;

import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.internal.NativePasswords;
import io.brokertls.jsse.keys.Passwords;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link BrokerTlsContextBuilder} for own certificates and keys. Its public methods are those of the
 * builder, and return it.
 */
abstract class IdentitySettings {
    private static final System.Logger LOG = System.getLogger("io.brokertls");

    private final List<ConfiguredIdentity> identities = new ArrayList<>();
    private @Nullable X509KeyManager keyManager;
    private @Nullable NativePasswords passwords;

    /** Restricted to the builder, which alone has this class above it. */
    IdentitySettings() {
    }

    /** {@return this object, by the type that a chain of calls continues with} */
    abstract BrokerTlsContextBuilder self();

    /**
     * Adds a keystore with own certificates and keys: PKCS#12, JKS, JCEKS or PEM, detected from its content. Each call
     * adds an identity. A peer is shown the one that fits the requested server name and the keys that it can verify.
     *
     * @param file read by {@link BrokerTlsContextBuilder#build()} and at each reload
     * @param password copied; null for a store without one, or to ask the source of passwords
     * @return this builder
     */
    public BrokerTlsContextBuilder keyStore(Path file, char @Nullable [] password) {
        return identity(ConfiguredSource.of(Objects.requireNonNull(file, "file"), password));
    }

    /**
     * Adds a keystore from memory, as {@link BrokerTlsContextBuilder#keyStore(Path, char[])} does from a file.
     *
     * @param content copied; {@link BrokerTlsContextBuilder#build()} wipes the copy
     * @param label its name in messages
     * @param password copied; may be null
     * @return this builder
     */
    public BrokerTlsContextBuilder keyStore(byte[] content, String label, char @Nullable [] password) {
        return identity(ConfiguredSource.of(content, label, password));
    }

    private BrokerTlsContextBuilder identity(ConfiguredSource source) {
        if (current().store() != null) {
            identities.add(new ConfiguredIdentity());
        }
        current().setStore(source);
        return self();
    }

    /**
     * Sets the type of the last keystore. By default its content decides.
     *
     * @param type {@code pem}, {@code pkcs12}, {@code jks} or {@code jceks}, in lower or upper case
     * @return this builder
     * @throws IllegalStateException if no keystore was added
     */
    public BrokerTlsContextBuilder keyStoreType(String type) {
        Objects.requireNonNull(type, "type");
        ConfiguredSource store = current().store();
        if (store == null) {
            throw new IllegalStateException("keyStoreType needs a keystore; call keyStore first");
        }
        store.setType(type);
        return self();
    }

    /**
     * Sets the password of the key in the last keystore. By default it is the password of the keystore.
     *
     * @param password copied; null for the default
     * @return this builder
     */
    public BrokerTlsContextBuilder keyPassword(char @Nullable [] password) {
        current().setKeyPassword(password);
        return self();
    }

    /**
     * Sets the one entry of the last keystore to use. By default every entry is used.
     *
     * @param alias the name of the entry
     * @return this builder
     */
    public BrokerTlsContextBuilder keyAlias(String alias) {
        current().setAlias(Objects.requireNonNull(alias, "alias"));
        return self();
    }

    /**
     * Adds an own certificate chain, PEM or DER. {@link BrokerTlsContextBuilder#privateKey(Path)} adds a key in a
     * separate file.
     *
     * @param file read by {@link BrokerTlsContextBuilder#build()} and at each reload
     * @return this builder
     */
    public BrokerTlsContextBuilder certificate(Path file) {
        return keyStore(file, null);
    }

    /**
     * Adds an own certificate chain from memory.
     *
     * @param content copied
     * @param label its name in messages
     * @return this builder
     */
    public BrokerTlsContextBuilder certificate(byte[] content, String label) {
        return keyStore(content, label, null);
    }

    /**
     * Adds the private key of the last {@link BrokerTlsContextBuilder#certificate(Path)}.
     * {@link BrokerTlsContextBuilder#keyPassword} sets its password.
     *
     * @param file read by {@link BrokerTlsContextBuilder#build()} and at each reload
     * @return this builder
     */
    public BrokerTlsContextBuilder privateKey(Path file) {
        return key(ConfiguredSource.of(Objects.requireNonNull(file, "file"), null));
    }

    /**
     * Adds a private key from memory, as {@link BrokerTlsContextBuilder#privateKey(Path)} does from a file.
     *
     * @param content copied; {@link BrokerTlsContextBuilder#build()} wipes the copy
     * @param label its name in messages
     * @return this builder
     */
    public BrokerTlsContextBuilder privateKey(byte[] content, String label) {
        return key(ConfiguredSource.of(content, label, null));
    }

    private BrokerTlsContextBuilder key(ConfiguredSource source) {
        current().setKey(source);
        return self();
    }

    private ConfiguredIdentity current() {
        if (identities.isEmpty()) {
            identities.add(new ConfiguredIdentity());
        }
        return identities.get(identities.size() - 1);
    }

    /**
     * Sets the source of passwords for stores and keys without one, whether they are added before or after this call.
     *
     * @param source called by {@link BrokerTlsContextBuilder#build()} and at each reload. An exception from it is
     *         logged, and means that there is no password
     * @return this builder
     */
    public BrokerTlsContextBuilder passwords(BrokerTlsContext.PasswordSource source) {
        Objects.requireNonNull(source, "source");
        passwords = (isOfKey, label, alias) -> {
            char[] given;
            try {
                given = source.password(label, alias);
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.WARNING, "the password source failed for " + label, e);
                return null;
            }
            byte[] copy = Passwords.utf8(given);
            if (given != null) {
                Arrays.fill(given, '\0');
            }
            return copy;
        };
        return self();
    }

    /**
     * Sets a Java key manager, which chooses the own certificate in each handshake. It takes the place of keystores.
     *
     * @param manager called by several threads, on those that run the delegated tasks of engines
     * @return this builder
     */
    public BrokerTlsContextBuilder keyManager(X509KeyManager manager) {
        keyManager = Objects.requireNonNull(manager, "manager");
        return self();
    }

    /** {@return the key manager that was set, or null} */
    final @Nullable X509KeyManager keyManager() {
        return keyManager;
    }

    /** {@return the source of passwords that was set, or null} */
    final @Nullable NativePasswords passwords() {
        return passwords;
    }

    /**
     * Refuses identities that contradict each other.
     *
     * @throws TlsFailure OPTION_CONFLICT or NO_IDENTITY
     */
    final void checkIdentities() throws TlsFailure {
        if (keyManager != null && !identities.isEmpty()) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "keyManager and a keystore; give one of them");
        }
        if (!identities.isEmpty() && identities.get(0).store() == null) {
            throw TlsFailure.of(ErrorCode.NO_IDENTITY,
                    "keys, aliases and key passwords need a keystore or a certificate");
        }
    }

    /**
     * Gives the identities to the native builder.
     *
     * @param builder has its options already, which limit the reading of stores
     * @throws TlsFailure for the first store or key that cannot be used
     */
    final void addIdentitiesTo(NativeContextBuilder builder) throws TlsFailure {
        for (ConfiguredIdentity identity : identities) {
            identity.addTo(builder, passwords);
        }
    }

    /** Wipes the copies of passwords and keys. */
    final void wipeIdentities() {
        identities.forEach(ConfiguredIdentity::wipe);
    }
}
