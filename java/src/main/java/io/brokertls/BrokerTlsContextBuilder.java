package io.brokertls;

import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.internal.NativeFile;
import io.brokertls.internal.NativePasswords;
import io.brokertls.internal.NativePsks;
import io.brokertls.internal.NativeRevokedListener;
import io.brokertls.jsse.Services;
import io.brokertls.jsse.keys.Passwords;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Collects the settings of a {@link BrokerTlsContext}, for use by one thread. The builder copies passwords, and
 * {@link #build()} wipes the copies. The caller wipes its own arrays.
 */
public final class BrokerTlsContextBuilder {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final int ERROR = 1;
    private static final int WARNING = 2;
    private static final char BYTE_MAX = 0xff;

    private final List<ConfiguredIdentity> identities = new ArrayList<>();
    private final List<ConfiguredSource> trust = new ArrayList<>();
    private final List<ConfiguredSource> crls = new ArrayList<>();
    private final List<ConfiguredSource> ocspResponses = new ArrayList<>();
    private final List<String[]> options = new ArrayList<>();
    private final List<byte[]> protocols = new ArrayList<>();
    private @Nullable X509KeyManager keyManager;
    private @Nullable X509TrustManager trustManager;
    private BrokerTlsContext.@Nullable VerifyCallback verifyCallback;
    private @Nullable RevokedPeerListener revokedPeerListener;
    private @Nullable NativePasswords passwords;
    /** Pairs of an identity and a secret. */
    private final List<byte[][]> psks = new ArrayList<>();
    private @Nullable NativePsks pskSource;
    private @Nullable ConfiguredSource pskFile;
    private boolean limitsSessions;
    private int sessionCacheSize;
    private int sessionTimeoutSeconds;
    private String name;
    private boolean registersMBean;
    private boolean isUsed;

    BrokerTlsContextBuilder() {
    }

    /** Returns the names that {@link #option} accepts. */
    public static List<String> optionNames() {
        return List.of(NativeContextBuilder.optionNames());
    }

    /**
     * Adds a keystore with own certificates and keys: PKCS#12, JKS, JCEKS or PEM, detected from its content. Each call
     * adds an identity. A peer is shown the one that fits the requested server name and the keys that it can verify.
     *
     * @param file read by {@link #build()} and at each reload
     * @param password may be null
     */
    public BrokerTlsContextBuilder keyStore(Path file, char @Nullable [] password) {
        return identity(ConfiguredSource.of(Objects.requireNonNull(file, "file"), password));
    }

    /**
     * Adds a keystore from memory, as {@link #keyStore(Path, char[])} does from a file.
     *
     * @param label its name in messages
     */
    public BrokerTlsContextBuilder keyStore(byte[] content, String label, char @Nullable [] password) {
        return identity(ConfiguredSource.of(content, label, password));
    }

    private BrokerTlsContextBuilder identity(ConfiguredSource source) {
        if (current().store() != null) {
            identities.add(new ConfiguredIdentity());
        }
        current().setStore(source);
        return this;
    }

    /**
     * Sets the type of the last keystore: {@code pem}, {@code pkcs12}, {@code jks} or {@code jceks}. By default its
     * content decides.
     *
     * @throws IllegalStateException if no keystore was added
     */
    public BrokerTlsContextBuilder keyStoreType(String type) {
        Objects.requireNonNull(type, "type");
        ConfiguredSource store = current().store();
        if (store == null) {
            throw new IllegalStateException("keyStoreType needs a keystore; call keyStore first");
        }
        store.setType(type);
        return this;
    }

    /** Sets the password of the key in the last keystore. By default it is the password of the keystore. */
    public BrokerTlsContextBuilder keyPassword(char @Nullable [] password) {
        current().setKeyPassword(password);
        return this;
    }

    /** Sets the one entry of the last keystore to use. By default every entry is used. */
    public BrokerTlsContextBuilder keyAlias(String alias) {
        current().setAlias(Objects.requireNonNull(alias, "alias"));
        return this;
    }

    /** Adds an own certificate chain, PEM or DER. {@link #privateKey(Path)} adds a key in a separate file. */
    public BrokerTlsContextBuilder certificate(Path file) {
        return keyStore(file, null);
    }

    /** Adds an own certificate chain from memory. {@code label} is its name in messages. */
    public BrokerTlsContextBuilder certificate(byte[] content, String label) {
        return keyStore(content, label, null);
    }

    /** Adds the private key of the last {@link #certificate(Path)}. {@link #keyPassword} sets its password. */
    public BrokerTlsContextBuilder privateKey(Path file) {
        return key(ConfiguredSource.of(Objects.requireNonNull(file, "file"), null));
    }

    /** Adds a private key from memory. {@link #build()} wipes the copy. */
    public BrokerTlsContextBuilder privateKey(byte[] content, String label) {
        return key(ConfiguredSource.of(content, label, null));
    }

    private BrokerTlsContextBuilder key(ConfiguredSource source) {
        current().setKey(source);
        return this;
    }

    private ConfiguredIdentity current() {
        if (identities.isEmpty()) {
            identities.add(new ConfiguredIdentity());
        }
        return identities.get(identities.size() - 1);
    }

    /**
     * Sets the source of passwords for stores and keys without one, whether they are added before or after this call.
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
        return this;
    }

    /** Adds the certificates of a store to the trust anchors. May be called several times. */
    public BrokerTlsContextBuilder trustStore(Path file, char @Nullable [] password) {
        trust.add(ConfiguredSource.of(Objects.requireNonNull(file, "file"), password));
        return this;
    }

    /** Adds the certificates of a store in memory to the trust anchors. {@code label} is its name in messages. */
    public BrokerTlsContextBuilder trustStore(byte[] content, String label, char @Nullable [] password) {
        trust.add(ConfiguredSource.of(content, label, password));
        return this;
    }

    /**
     * Sets the type of the last trust store, as {@link #keyStoreType} does for a keystore.
     *
     * @throws IllegalStateException if no trust store was added
     */
    public BrokerTlsContextBuilder trustStoreType(String type) {
        Objects.requireNonNull(type, "type");
        if (trust.isEmpty()) {
            throw new IllegalStateException("trustStoreType needs a trust store; call trustStore first");
        }
        trust.get(trust.size() - 1).setType(type);
        return this;
    }

    /** Adds the certificates of a PEM or DER file, or of a directory of such files, to the trust anchors. */
    public BrokerTlsContextBuilder trustCertificates(Path fileOrDirectory) {
        return trustStore(Objects.requireNonNull(fileOrDirectory, "fileOrDirectory"), null);
    }

    /** Adds certificates from memory, PEM or DER, to the trust anchors. {@code label} is their name in messages. */
    public BrokerTlsContextBuilder trustCertificates(byte[] content, String label) {
        return trustStore(content, label, null);
    }

    /** Adds the roots of the operating system to the trust anchors. */
    public BrokerTlsContextBuilder trustSystem() {
        return option("system-trust", "yes");
    }

    /** Sets the request of servers for a client certificate. Default: {@link BrokerTlsContext.ClientAuth#NONE}. */
    public BrokerTlsContextBuilder clientAuth(BrokerTlsContext.ClientAuth mode) {
        return option("client-auth", Objects.requireNonNull(mode, "mode").name().toLowerCase(Locale.ROOT));
    }

    /**
     * Adds certificate revocation lists, PEM or DER, or directories of them. May be called several times. A reload
     * reads them again. {@link #option} configures fetches over the network: {@code fetch}, {@code ocsp-responder} and
     * others.
     */
    public BrokerTlsContextBuilder crl(Path... filesOrDirectories) {
        for (Path file : all(filesOrDirectories, "filesOrDirectories")) {
            if (ConfiguredSource.isOfTheSystem(file)) {
                option("crl", file.toString());
            } else {
                crls.add(ConfiguredSource.of(file, null));
            }
        }
        return this;
    }

    /** Adds certificate revocation lists from memory. {@code label} is their name in messages. */
    public BrokerTlsContextBuilder crl(byte[] content, String label) {
        crls.add(ConfiguredSource.of(content, label, null));
        return this;
    }

    /** Adds OCSP responses about peers, PEM or DER. May be called several times. A reload reads them again. */
    public BrokerTlsContextBuilder ocspResponse(Path... files) {
        for (Path file : all(files, "files")) {
            if (ConfiguredSource.isOfTheSystem(file)) {
                option("ocsp", file.toString());
            } else {
                ocspResponses.add(ConfiguredSource.of(file, null));
            }
        }
        return this;
    }

    /** Adds OCSP responses about peers from memory. {@code label} is their name in messages. */
    public BrokerTlsContextBuilder ocspResponse(byte[] content, String label) {
        ocspResponses.add(ConfiguredSource.of(content, label, null));
        return this;
    }

    /**
     * Sets the treatment of a peer if no source knows the revocation status of its certificate. Default:
     * {@code REQUIRE} if lists or responses are added or fetched. The options {@code crl-mode} and {@code ocsp-mode}
     * set it for each kind.
     */
    public BrokerTlsContextBuilder revocation(BrokerTlsContext.RevocationMode mode) {
        return option("revocation", Objects.requireNonNull(mode, "mode").name().toLowerCase(Locale.ROOT));
    }

    /**
     * Sets the listener for peers that are revoked during their connection; it keeps or closes each connection. Without
     * a listener the peer is logged, and the connection continues. A context referenced by its own listener is not
     * garbage collected before it is closed.
     */
    public BrokerTlsContextBuilder onRevoked(RevokedPeerListener listener) {
        revokedPeerListener = Objects.requireNonNull(listener, "listener");
        return this;
    }

    /** Sets the protocol versions. Default: {@code TLSv1.2} and {@code TLSv1.3}. */
    public BrokerTlsContextBuilder protocols(String... versions) {
        return option("versions", joined(versions, "versions", ","));
    }

    /** Sets the cipher suites in order of preference, by IANA or OpenSSL name. */
    public BrokerTlsContextBuilder cipherSuites(String... names) {
        return option("cipher-suites", joined(names, "names", ":"));
    }

    /**
     * Sets the key exchange groups in order of preference, for example {@code X25519MLKEM768} and {@code secp256r1}.
     */
    public BrokerTlsContextBuilder groups(String... names) {
        return option("groups", joined(names, "names", ":"));
    }

    /**
     * Sets the application protocols (ALPN) in order of preference. Default: none. The bytes of a name are those of its
     * characters, as in {@link javax.net.ssl.SSLParameters#setApplicationProtocols}.
     *
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

    /** Sets versions, suites and groups by the name of a preset: {@code modern} or {@code intermediate}. */
    public BrokerTlsContextBuilder preset(String name) {
        return option("preset", Objects.requireNonNull(name, "name"));
    }

    /**
     * Makes clients accept a trusted certificate for any host. Default: false.
     *
     * <p>INSECURE: the owner of any certificate from the same CA can then act as the server.
     */
    public BrokerTlsContextBuilder insecureSkipServerName(boolean skips) {
        return option("insecure-skip-server-name", skips ? "yes" : "no");
    }

    /**
     * Makes clients accept any certificate. Default: false.
     *
     * <p>INSECURE: the connection is encrypted, but the server is not authenticated.
     */
    public BrokerTlsContextBuilder insecureAcceptAnyServer(boolean accepts) {
        return option("insecure-accept-any-server", accepts ? "yes" : "no");
    }

    /** Tolerates deviations in peer certificates, for example {@code insecure-x509-v1}. Default: none. */
    public BrokerTlsContextBuilder insecureAllow(String... deviations) {
        return option("allow", joined(deviations, "deviations", ","));
    }

    /**
     * Serves clients that the first engine does not, by a second one on the OpenSSL of the system. It has old versions
     * if {@link #protocols} names them, CBC and finite-field Diffie-Hellman suites, and pre-shared keys. Default:
     * false. The jar has its library. The page "Old and PSK clients" of the manual says what each setting costs.
     */
    public BrokerTlsContextBuilder legacyEngine(boolean isOn) {
        return option("legacy-engine", isOn ? "yes" : "no");
    }

    /** Allows weak parts of TLS in the second engine, for example {@code legacy-3des}. Default: none. */
    public BrokerTlsContextBuilder legacyAllow(String... parts) {
        return option("legacy-allow", joined(parts, "parts", ","));
    }

    /** Sets the library of the second engine. Default: the one in the jar. */
    public BrokerTlsContextBuilder legacyLibrary(Path file) {
        return option("legacy-library", ConfiguredSource.systemPath(file, "file"));
    }

    /**
     * Sets the file with the pre-shared keys of clients, for the second engine: a line {@code IDENTITY:HEX} each. A
     * reload reads it again. {@link PskPrincipal} is the principal of such a client.
     */
    public BrokerTlsContextBuilder pskFile(Path file) {
        if (ConfiguredSource.isOfTheSystem(Objects.requireNonNull(file, "file"))) {
            return option("psk-file", file.toString());
        }
        pskFile = ConfiguredSource.of(file, null);
        return this;
    }

    /**
     * Adds the pre-shared key of a client, for the second engine. {@link #build()} wipes the copy. Connections to
     * servers use the key that the option {@code psk-identity} names.
     *
     * @param identity 1 to 256 bytes without a zero byte
     * @param secret 1 to 256 bytes
     */
    public BrokerTlsContextBuilder psk(byte[] identity, byte[] secret) {
        Objects.requireNonNull(identity, "identity");
        Objects.requireNonNull(secret, "secret");
        psks.add(new byte[][] {identity.clone(), secret.clone()});
        return this;
    }

    /** Sets the source of the pre-shared keys of other clients, for the second engine. */
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

    /** Turns session resumption on or off. Default: on. */
    public BrokerTlsContextBuilder resumption(boolean resumes) {
        return option("resumption", resumes ? "yes" : "no");
    }

    /**
     * Sets an option by its name, which is the same for the command line and in C. {@link #optionNames()} lists them.
     */
    public BrokerTlsContextBuilder option(String name, String value) {
        options.add(new String[] {Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value")});
        return this;
    }

    /**
     * Limits resumption, as {@link javax.net.ssl.SSLSessionContext} does.
     *
     * @param cacheSize the number of servers with cached sessions, in clients; 0 for the default limit. Servers keep
     *         sessions in the tickets of their clients, or in the cache of the option {@code session-cache}
     * @param timeoutSeconds the age after which a session is not resumed; 0 for the default limit
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

    /** Sets a Java key manager, which chooses the own certificate in each handshake. */
    public BrokerTlsContextBuilder keyManager(X509KeyManager manager) {
        keyManager = Objects.requireNonNull(manager, "manager");
        return this;
    }

    /** Sets a Java trust manager, which alone accepts or refuses peers. */
    public BrokerTlsContextBuilder trustManager(X509TrustManager manager) {
        trustManager = Objects.requireNonNull(manager, "manager");
        return this;
    }

    /** Sets a callback that can refuse peers after the trust anchors accepted them. Not with {@link #trustManager}. */
    public BrokerTlsContextBuilder verifyCallback(BrokerTlsContext.VerifyCallback callback) {
        verifyCallback = Objects.requireNonNull(callback, "callback");
        return this;
    }

    /**
     * Sets the name of the context in MBeans and in the events of JFR. Default: {@code context-} and a number. It need
     * not be unique: a second MBean of a name has the key {@code instance}.
     */
    public BrokerTlsContextBuilder name(String ofContext) {
        name = Objects.requireNonNull(ofContext, "ofContext");
        return this;
    }

    /**
     * Registers an MBean for the context, {@code io.brokertls:type=TlsContext,name=NAME}, until it is closed or
     * collected. {@link BrokerTlsContextMXBean} has its attributes. Default: false. The system property
     * {@code brokertls.jmx} set to {@code true} registers one for each context, also for those of the provider.
     */
    public BrokerTlsContextBuilder registerMBean(boolean registers) {
        registersMBean = registers;
        return this;
    }

    /**
     * Reads every file and makes the context. Wipes the passwords, also when it fails, so that a builder makes one
     * context.
     *
     * @throws TlsFailure for the first setting or file that cannot be used
     * @throws IllegalStateException at the second call
     */
    public BrokerTlsContext build() throws TlsFailure {
        if (isUsed) {
            throw new IllegalStateException("the builder has been used and its passwords are wiped; make another");
        }
        isUsed = true;
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            checkConflicts();
            builder.logTo((level, line) -> LOG.log(levelOf(level), line));
            // Options come first: they set the limits for reading stores.
            for (String[] option : options) {
                builder.set(option[0], option[1]);
            }
            for (ConfiguredIdentity identity : identities) {
                identity.addTo(builder, passwords);
            }
            for (ConfiguredSource source : trust) {
                builder.addTrust(source.content(), source.label(), source.type(), source.password(), passwords);
            }
            for (ConfiguredSource source : crls) {
                builder.addCrl(source.content(), source.label());
            }
            for (ConfiguredSource source : ocspResponses) {
                builder.addOcspResponse(source.content(), source.label());
            }
            for (byte[] protocol : protocols) {
                builder.addApplicationProtocol(protocol);
            }
            if (pskFile != null) {
                builder.setPskFile((NativeFile) pskFile.content(), pskFile.label());
            }
            for (byte[][] psk : psks) {
                builder.addPsk(psk[0], psk[1]);
            }
            if (pskSource != null) {
                builder.askForPsks(pskSource);
            }
            if (revokedPeerListener != null) {
                builder.onRevoked(report(revokedPeerListener));
            }
            Services.Ready ready = Services.build(builder, keyManager, trustManager, verifyCallback, name,
                    registersMBean);
            if (limitsSessions) {
                ready.limitSessions(sessionCacheSize, sessionTimeoutSeconds);
            }
            return new BrokerTlsContext(ready);
        } finally {
            identities.forEach(ConfiguredIdentity::wipe);
            trust.forEach(ConfiguredSource::wipe);
            psks.forEach(psk -> Passwords.wipe(psk[1]));
        }
    }

    private static <T> T[] all(T[] values, String parameter) {
        for (T value : Objects.requireNonNull(values, parameter)) {
            Objects.requireNonNull(value, parameter);
        }
        return values;
    }

    /** Joins names for an option, in which a separator would make two of one. */
    private static String joined(String[] names, String parameter, String separator) {
        for (String name : all(names, parameter)) {
            if (name.indexOf(',') >= 0 || name.indexOf(':') >= 0) {
                throw new IllegalArgumentException("each name is an argument of its own, without commas and colons: "
                        + name);
            }
        }
        return String.join(separator, names);
    }

    private void checkConflicts() throws TlsFailure {
        if (keyManager != null && !identities.isEmpty()) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "keyManager and a keystore; give one of them");
        }
        if (trustManager != null && !trust.isEmpty()) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "trustManager and a trust store; give one of them");
        }
        if (trustManager != null && verifyCallback != null) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "trustManager and verifyCallback; give one of them");
        }
        if (!identities.isEmpty() && identities.get(0).store() == null) {
            throw TlsFailure.of(ErrorCode.NO_IDENTITY,
                    "keys, aliases and key passwords need a keystore or a certificate");
        }
    }

    private static NativeRevokedListener report(RevokedPeerListener listener) {
        return (connectionId, subject, issuer, serial, reason, timeSeconds) -> {
            RevokedPeer peer = new RevokedPeer(connectionId, subject, issuer, serial, reason, timeSeconds);
            try {
                return listener.revoked(peer) != RevokedPeerListener.Action.KEEP;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "the listener failed for the revoked peer of " + peer, e);
                return true;
            }
        };
    }

    private static System.Logger.Level levelOf(int level) {
        if (level == ERROR) {
            return System.Logger.Level.ERROR;
        }
        return level == WARNING ? System.Logger.Level.WARNING : System.Logger.Level.INFO;
    }
}
