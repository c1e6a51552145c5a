package io.brokertls;

import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.internal.NativeFile;
import io.brokertls.internal.NativePsks;
import io.brokertls.jsse.Services;
import io.brokertls.jsse.keys.Passwords;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Collects the settings of a {@link BrokerTlsContext}, for use by one thread. The builder copies passwords, keys and
 * other bytes, and {@link #build()} wipes the copies of passwords and keys. The caller wipes its own arrays.
 *
 * <p>The order of calls does not matter, but for those about the last keystore or trust store. Each method refuses null
 * at once. A value or file that cannot be used is reported by {@link #build()}.
 */
public final class BrokerTlsContextBuilder extends PeerSettings {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final int ERROR = 1;
    private static final int WARNING = 2;
    private static final char BYTE_MAX = 0xff;

    private final List<String[]> options = new ArrayList<>();
    private final List<byte[]> protocols = new ArrayList<>();
    /** Pairs of an identity and a secret. */
    private final List<byte[][]> psks = new ArrayList<>();
    private @Nullable NativePsks pskSource;
    private @Nullable ConfiguredSource pskFile;
    private boolean limitsSessions;
    private int sessionCacheSize;
    private int sessionTimeoutSeconds;
    private @Nullable String name;
    private boolean registersMBean;
    private boolean isUsed;

    /** Called by {@link BrokerTlsContext#builder()}. */
    BrokerTlsContextBuilder() {
    }

    @Override
    BrokerTlsContextBuilder self() {
        return this;
    }

    /** {@return the names that {@link #option} accepts} */
    public static List<String> optionNames() {
        return List.of(NativeContextBuilder.optionNames());
    }

    /**
     * Sets an option by its name, which is the same for the command line and in C. {@link #optionNames()} lists them.
     *
     * @param name the name, for example {@code session-max-age-s}; a wrong one is reported by {@link #build()}
     * @param value its value as a text, for example {@code 3600} or {@code yes}
     * @return this builder
     */
    public BrokerTlsContextBuilder option(String name, String value) {
        options.add(new String[] {Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value")});
        return this;
    }

    /**
     * Sets the protocol versions.
     *
     * @param versions {@code TLSv1.2} and {@code TLSv1.3} by default. {@code TLSv1} and {@code TLSv1.1} need
     *         {@link #legacyEngine}
     * @return this builder
     * @throws IllegalArgumentException for a name with a comma or colon
     */
    public BrokerTlsContextBuilder protocols(String... versions) {
        return option("versions", joined(versions, "versions", ","));
    }

    /**
     * Sets the cipher suites.
     *
     * @param names by IANA or OpenSSL name, in order of preference
     * @return this builder
     * @throws IllegalArgumentException for a name with a comma or colon
     */
    public BrokerTlsContextBuilder cipherSuites(String... names) {
        return option("cipher-suites", joined(names, "names", ":"));
    }

    /**
     * Sets the key exchange groups.
     *
     * @param names in order of preference, for example {@code X25519MLKEM768} and {@code secp256r1}
     * @return this builder
     * @throws IllegalArgumentException for a name with a comma or colon
     */
    public BrokerTlsContextBuilder groups(String... names) {
        return option("groups", joined(names, "names", ":"));
    }

    /**
     * Sets the application protocols (ALPN, RFC 7301). Default: none. The bytes of a name are those of its characters,
     * as in {@link javax.net.ssl.SSLParameters#setApplicationProtocols}.
     *
     * @param protocols in order of preference, for example {@code mqtt}. They replace those of an earlier call
     * @return this builder
     * @throws IllegalArgumentException for a character beyond U+00FF
     */
    public BrokerTlsContextBuilder applicationProtocols(String... protocols) {
        this.protocols.clear();
        for (String name : all(protocols, "protocols")) {
            if (name.chars().anyMatch(character -> character > BYTE_MAX)) {
                throw new IllegalArgumentException("a name of an application protocol is of bytes: " + name);
            }
            this.protocols.add(name.getBytes(StandardCharsets.ISO_8859_1));
        }
        return this;
    }

    /**
     * Sets versions, suites and groups by the name of a preset.
     *
     * @param name {@code modern} or {@code intermediate}
     * @return this builder
     */
    public BrokerTlsContextBuilder preset(String name) {
        return option("preset", Objects.requireNonNull(name, "name"));
    }

    /**
     * Serves clients that the first engine does not, by a second one on the OpenSSL of the system. It has old versions
     * if {@link #protocols} names them, CBC and finite-field Diffie-Hellman suites, and pre-shared keys. The page "Old
     * and PSK clients" of the manual says what each setting costs.
     *
     * @param isOn false by default
     * @return this builder
     */
    public BrokerTlsContextBuilder legacyEngine(boolean isOn) {
        return option("legacy-engine", isOn ? "yes" : "no");
    }

    /**
     * Allows weak parts of TLS in the second engine. Default: none.
     *
     * @param parts their names, for example {@code legacy-3des}
     * @return this builder
     * @throws IllegalArgumentException for a name with a comma or colon
     */
    public BrokerTlsContextBuilder legacyAllow(String... parts) {
        return option("legacy-allow", joined(parts, "parts", ","));
    }

    /**
     * Sets the library of the second engine. Default: the one in the jar.
     *
     * @param file a path of the default file system
     * @return this builder
     * @throws UnsupportedOperationException if the path is one of another file system
     */
    public BrokerTlsContextBuilder legacyLibrary(Path file) {
        return option("legacy-library", ConfiguredSource.systemPath(file, "file"));
    }

    /**
     * Sets the file with the pre-shared keys of clients, for the second engine. {@link PskPrincipal} is the principal
     * of such a client.
     *
     * @param file a line {@code IDENTITY:HEX} for each client; a reload reads it again
     * @return this builder
     */
    public BrokerTlsContextBuilder pskFile(Path file) {
        if (ConfiguredSource.isOfTheSystem(Objects.requireNonNull(file, "file"))) {
            return option("psk-file", file.toString());
        }
        pskFile = ConfiguredSource.of(file, null);
        return this;
    }

    /**
     * Adds the pre-shared key of a client, for the second engine. Connections to servers use the key that the option
     * {@code psk-identity} names.
     *
     * @param identity 1 to 256 bytes without a zero byte; copied
     * @param secret 1 to 256 bytes; copied, and {@link #build()} wipes the copy
     * @return this builder
     */
    public BrokerTlsContextBuilder psk(byte[] identity, byte[] secret) {
        Objects.requireNonNull(identity, "identity");
        Objects.requireNonNull(secret, "secret");
        psks.add(new byte[][] {identity.clone(), secret.clone()});
        return this;
    }

    /**
     * Sets the source of the pre-shared keys of other clients, for the second engine.
     *
     * @param source called by several threads, on those that run the delegated tasks of engines
     * @return this builder
     */
    public BrokerTlsContextBuilder psk(BrokerTlsContext.PskSource source) {
        Objects.requireNonNull(source, "source");
        pskSource = identity -> {
            try {
                byte[] secret = source.secret(identity);
                return secret == null ? null : secret.clone();
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "the source of pre-shared keys failed", e);
                throw e;
            }
        };
        return this;
    }

    /**
     * Turns session resumption on or off.
     *
     * @param resumes true by default
     * @return this builder
     */
    public BrokerTlsContextBuilder resumption(boolean resumes) {
        return option("resumption", resumes ? "yes" : "no");
    }

    /**
     * Limits resumption, as {@link javax.net.ssl.SSLSessionContext} does.
     *
     * @param cacheSize the number of servers with cached sessions, in clients; 0 for the default limit. Servers keep
     *         sessions in the tickets of their clients, or in the cache of the option {@code session-cache}
     * @param timeoutSeconds the age after which a session is not resumed; 0 for the default limit
     * @return this builder
     * @throws IllegalArgumentException for a negative number
     */
    public BrokerTlsContextBuilder sessions(int cacheSize, int timeoutSeconds) {
        if (cacheSize < 0 || timeoutSeconds < 0) {
            throw new IllegalArgumentException("the limits of sessions must not be negative");
        }
        limitsSessions = true;
        sessionCacheSize = cacheSize;
        sessionTimeoutSeconds = timeoutSeconds;
        return this;
    }

    /**
     * Sets the name of the context in MBeans and in the events of JFR. It need not be unique: a second MBean of a name
     * has the key {@code instance}.
     *
     * @param ofContext {@code context-} and a number by default
     * @return this builder
     */
    public BrokerTlsContextBuilder name(String ofContext) {
        name = Objects.requireNonNull(ofContext, "ofContext");
        return this;
    }

    /**
     * Registers an MBean for the context, {@code io.brokertls:type=TlsContext,name=NAME}, until it is closed or
     * collected. {@link BrokerTlsContextMXBean} has its attributes. The system property {@code brokertls.jmx} set to
     * {@code true} registers one for each context, also for those of the provider.
     *
     * @param registers false by default
     * @return this builder
     */
    public BrokerTlsContextBuilder registerMBean(boolean registers) {
        registersMBean = registers;
        return this;
    }

    /**
     * Reads every file and makes the context. Wipes the passwords, also when it fails, so that a builder makes one
     * context. Blocks while it reads.
     *
     * @return the context, which the caller closes
     * @throws TlsFailure for the first setting or file that cannot be used
     * @throws IllegalStateException at the second call
     */
    public BrokerTlsContext build() throws TlsFailure {
        if (isUsed) {
            throw new IllegalStateException("the builder has been used and its passwords are wiped; make another");
        }
        isUsed = true;
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            checkIdentities();
            checkPeers();
            builder.logTo((level, line) -> LOG.log(levelOf(level), line));
            // Options come first: they set the limits for reading stores.
            for (String[] option : options) {
                builder.set(option[0], option[1]);
            }
            addIdentitiesTo(builder);
            addPeersTo(builder);
            for (byte[] protocol : protocols) {
                builder.addApplicationProtocol(protocol);
            }
            addPsksTo(builder);
            Services.Ready ready = Services.build(builder, keyManager(), trustManager(), verifyCallback(), name,
                    registersMBean);
            if (limitsSessions) {
                ready.limitSessions(sessionCacheSize, sessionTimeoutSeconds);
            }
            return new BrokerTlsContext(ready);
        } finally {
            wipeIdentities();
            wipePeers();
            psks.forEach(psk -> Passwords.wipe(psk[1]));
        }
    }

    private void addPsksTo(NativeContextBuilder builder) throws TlsFailure {
        if (pskFile != null) {
            builder.setPskFile((NativeFile) pskFile.content(), pskFile.label());
        }
        for (byte[][] psk : psks) {
            builder.addPsk(psk[0], psk[1]);
        }
        if (pskSource != null) {
            builder.askForPsks(pskSource);
        }
    }

    private static System.Logger.Level levelOf(int level) {
        if (level == ERROR) {
            return System.Logger.Level.ERROR;
        }
        return level == WARNING ? System.Logger.Level.WARNING : System.Logger.Level.INFO;
    }
}
