package io.brokertls;

import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.jsse.Passwords;
import io.brokertls.jsse.Services;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/**
 * Collects the settings of a {@link BrokerTlsContext}. Used by one thread. Passwords are copied, and the copies wiped by
 * {@link #build()}; the caller wipes its own.
 */
public final class BrokerTlsContextBuilder {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final int ERROR = 1;
    private static final int WARNING = 2;

    private final List<Source> trust = new ArrayList<>();
    private final List<String[]> options = new ArrayList<>();
    private Source identity;
    private String privateKey;
    private byte[] keyPassword;
    private String keyAlias;
    private X509KeyManager keyManager;
    private X509TrustManager trustManager;
    private BrokerTlsContext.ClientAuth clientAuth = BrokerTlsContext.ClientAuth.NONE;
    private boolean checksServerName = true;
    private int sessionCacheSize;
    private int sessionTimeoutSeconds;

    BrokerTlsContextBuilder() {
    }

    /**
     * The keystore with our certificate and key: PKCS#12, JKS, JCEKS or PEM, found from its content.
     *
     * @param file read by {@link #build()} and at each reload
     * @param password may be null
     */
    public BrokerTlsContextBuilder keyStore(Path file, char[] password) {
        identity = new Source(null, file.toString(), Passwords.utf8(password));
        return this;
    }

    /**
     * As {@link #keyStore(Path, char[])}, from memory.
     *
     * @param label what messages call it
     */
    public BrokerTlsContextBuilder keyStore(byte[] content, String label, char[] password) {
        identity = new Source(content.clone(), label, Passwords.utf8(password));
        return this;
    }

    /** The type of the keystore, in place of what its content says: {@code pem}, {@code pkcs12}, {@code jks}… */
    public BrokerTlsContextBuilder keyStoreType(String type) {
        identityOrRefuse().type = type.toLowerCase(Locale.ROOT);
        return this;
    }

    /** The password of the key, where it is not the keystore's. */
    public BrokerTlsContextBuilder keyPassword(char[] password) {
        Passwords.wipe(keyPassword);
        keyPassword = Passwords.utf8(password);
        return this;
    }

    /** The one entry of the keystore to use, in place of every one. */
    public BrokerTlsContextBuilder keyAlias(String alias) {
        keyAlias = alias;
        return this;
    }

    /** Our certificate chain, PEM or DER; with {@link #privateKey(Path)} where the key stands apart. */
    public BrokerTlsContextBuilder certificate(Path file) {
        return keyStore(file, null);
    }

    /** The private key of {@link #certificate(Path)}. */
    public BrokerTlsContextBuilder privateKey(Path file) {
        privateKey = file.toString();
        return this;
    }

    /** Trusts the certificates of a store; may be called several times. */
    public BrokerTlsContextBuilder trustStore(Path file, char[] password) {
        trust.add(new Source(null, file.toString(), Passwords.utf8(password)));
        return this;
    }

    /** As {@link #trustStore(Path, char[])}, from memory; messages call it {@code label}. */
    public BrokerTlsContextBuilder trustStore(byte[] content, String label, char[] password) {
        trust.add(new Source(content.clone(), label, Passwords.utf8(password)));
        return this;
    }

    /** Trusts the certificates of a PEM or DER file, or of a directory of PEM files. */
    public BrokerTlsContextBuilder trustCertificates(Path fileOrDirectory) {
        return trustStore(fileOrDirectory, null);
    }

    /** Trusts the roots of the operating system. */
    public BrokerTlsContextBuilder systemTrust() {
        return option("system-trust", "yes");
    }

    /** What servers ask of clients; nothing by default. */
    public BrokerTlsContextBuilder clientAuth(BrokerTlsContext.ClientAuth mode) {
        clientAuth = mode;
        return this;
    }

    /** The protocol versions, {@code TLSv1.2} and {@code TLSv1.3} by default. */
    public BrokerTlsContextBuilder protocols(String... versions) {
        return option("versions", String.join(",", versions));
    }

    /** The cipher suites in order of preference, by IANA or OpenSSL name. */
    public BrokerTlsContextBuilder cipherSuites(String... names) {
        return option("cipher-suites", String.join(":", names));
    }

    /** The application protocols (ALPN) in order of preference; none by default. */
    public BrokerTlsContextBuilder applicationProtocols(String... protocols) {
        return option("alpn", String.join(",", protocols));
    }

    /** {@code modern} or {@code intermediate}. */
    public BrokerTlsContextBuilder preset(String name) {
        return option("preset", name);
    }

    /** Clients accept a trusted certificate for any host. */
    public BrokerTlsContextBuilder insecureSkipServerName() {
        checksServerName = false;
        return option("insecure-skip-server-name", "yes");
    }

    /** Clients accept any certificate at all. */
    public BrokerTlsContextBuilder insecureAcceptAnyServer() {
        checksServerName = false;
        return option("insecure-accept-any-server", "yes");
    }

    /** Tolerates deviations of the peer's certificate, such as {@code insecure-x509-v1}; none by default. */
    public BrokerTlsContextBuilder allow(String... switches) {
        return option("allow", String.join(",", switches));
    }

    /** Any row of the table of options, by its name on the command line and in C. */
    public BrokerTlsContextBuilder option(String name, String value) {
        options.add(new String[] {name, value});
        return this;
    }

    /**
     * Bounds resumption, as {@link javax.net.ssl.SSLSessionContext} does.
     *
     * @param cacheSize the servers whose sessions clients remember; servers keep none, theirs are in their clients' tickets;
     *         0 for no limit of its own
     * @param timeoutSeconds the age at which a session is no longer resumed; 0 for no limit of its own
     */
    public BrokerTlsContextBuilder sessions(int cacheSize, int timeoutSeconds) {
        if (cacheSize < 0 || timeoutSeconds < 0) {
            throw new IllegalArgumentException("the limits of sessions are not negative");
        }
        sessionCacheSize = cacheSize;
        sessionTimeoutSeconds = timeoutSeconds;
        return this;
    }

    /** Our certificates are chosen by a manager of Java's; it is asked in each handshake. */
    public BrokerTlsContextBuilder keyManager(X509KeyManager manager) {
        keyManager = manager;
        return this;
    }

    /** Peers are judged by a manager of Java's alone. */
    public BrokerTlsContextBuilder trustManager(X509TrustManager manager) {
        trustManager = manager;
        return this;
    }

    /**
     * Reads every file and makes the context. The builder is spent: its passwords are wiped.
     *
     * @throws TlsFailure the first setting or file that cannot be used, by name, and what would mend it
     */
    public BrokerTlsContext build() throws TlsFailure {
        checkConflicts();
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            builder.logTo((level, line) -> LOG.log(levelOf(level), line));
            for (String[] option : options) {
                builder.set(option[0], option[1]);
            }
            builder.set("client-auth", clientAuth.name().toLowerCase(Locale.ROOT));
            if (identity != null) {
                builder.addIdentity(identity.content, identity.label, null, privateKey, identity.type, keyAlias,
                        identity.password, keyPassword);
            }
            for (Source source : trust) {
                builder.addTrust(source.content, source.label, null, source.password);
            }
            Services.Ready ready =
                    Services.build(builder, keyManager, trustManager, checksServerName, clientAuth.ordinal());
            if (sessionCacheSize > 0 || sessionTimeoutSeconds > 0) {
                ready.limitSessions(sessionCacheSize, sessionTimeoutSeconds);
            }
            return new BrokerTlsContext(ready);
        } finally {
            wipe();
        }
    }

    private void checkConflicts() throws TlsFailure {
        if (keyManager != null && identity != null) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "keyManager and a keystore; give one of them");
        }
        if (trustManager != null && !trust.isEmpty()) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "trustManager and a trust store; give one of them");
        }
        if (identity == null && (privateKey != null || keyAlias != null)) {
            throw TlsFailure.of(ErrorCode.NO_IDENTITY, "privateKey and keyAlias need a keystore or a certificate");
        }
    }

    private void wipe() {
        Passwords.wipe(keyPassword);
        if (identity != null) {
            identity.wipe();
        }
        trust.forEach(Source::wipe);
    }

    private Source identityOrRefuse() {
        if (identity == null) {
            throw new IllegalStateException("keyStoreType comes after the keystore");
        }
        return identity;
    }

    private static System.Logger.Level levelOf(int level) {
        if (level == ERROR) {
            return System.Logger.Level.ERROR;
        }
        return level == WARNING ? System.Logger.Level.WARNING : System.Logger.Level.INFO;
    }

    private static final class Source {
        private final byte[] content;
        private final String label;
        private final byte[] password;
        private String type;

        Source(byte[] content, String label, byte[] password) {
            this.content = content;
            this.label = label;
            this.password = password;
        }

        void wipe() {
            Passwords.wipe(password);
            if (content != null) {
                Arrays.fill(content, (byte) 0);
            }
        }
    }
}
