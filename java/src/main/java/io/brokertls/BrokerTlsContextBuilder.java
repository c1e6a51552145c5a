package io.brokertls;

import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.internal.NativePasswords;
import io.brokertls.internal.NativeRevoked;
import io.brokertls.jsse.Services;
import io.brokertls.jsse.keys.Passwords;
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

    private final List<Identity> identities = new ArrayList<>();
    private final List<Source> trust = new ArrayList<>();
    private final List<Source> crls = new ArrayList<>();
    private final List<Source> ocspResponses = new ArrayList<>();
    private final List<String[]> options = new ArrayList<>();
    private X509KeyManager keyManager;
    private X509TrustManager trustManager;
    private BrokerTlsContext.PeerCheck peerCheck;
    private RevocationListener revocationListener;
    private NativePasswords passwords;
    private boolean limitsSessions;
    private int sessionCacheSize;
    private int sessionTimeoutSeconds;
    private boolean isSpent;

    BrokerTlsContextBuilder() {
    }

    /** The names that {@link #option} takes. */
    public static List<String> optionNames() {
        return List.of(NativeContextBuilder.optionNames());
    }

    /**
     * A keystore with our certificate and key: PKCS#12, JKS, JCEKS or PEM, found from its content. Called again, it adds a
     * further identity: each peer is shown the one whose name it asks for and whose key it can verify.
     *
     * @param file read by {@link #build()} and at each reload
     * @param password may be null
     */
    public BrokerTlsContextBuilder keyStore(Path file, char[] password) {
        return identity(new Source(null, file.toString(), Passwords.utf8(password)));
    }

    /**
     * As {@link #keyStore(Path, char[])}, from memory.
     *
     * @param label what messages call it
     */
    public BrokerTlsContextBuilder keyStore(byte[] content, String label, char[] password) {
        return identity(new Source(content.clone(), label, Passwords.utf8(password)));
    }

    private BrokerTlsContextBuilder identity(Source source) {
        if (current().store != null) {
            identities.add(new Identity());
        }
        current().store = source;
        return this;
    }

    /** The type of the last keystore, in place of what its content says: {@code pem}, {@code pkcs12}, {@code jks}… */
    public BrokerTlsContextBuilder keyStoreType(String type) {
        if (current().store == null) {
            throw new IllegalStateException("keyStoreType comes after the keystore");
        }
        current().store.type = type.toLowerCase(Locale.ROOT);
        return this;
    }

    /** The password of the last keystore's key, where it is not the keystore's. */
    public BrokerTlsContextBuilder keyPassword(char[] password) {
        Passwords.wipe(current().keyPassword);
        current().keyPassword = Passwords.utf8(password);
        return this;
    }

    /** The one entry of the last keystore to use, in place of every one. */
    public BrokerTlsContextBuilder keyAlias(String alias) {
        current().alias = alias;
        return this;
    }

    /** Our certificate chain, PEM or DER; with {@link #privateKey(Path)} where the key stands apart. */
    public BrokerTlsContextBuilder certificate(Path file) {
        return keyStore(file, null);
    }

    /** As {@link #certificate(Path)}, from memory; messages call it {@code label}. */
    public BrokerTlsContextBuilder certificate(byte[] content, String label) {
        return keyStore(content, label, null);
    }

    /** The private key of the last {@link #certificate(Path)}; its password is {@link #keyPassword}. */
    public BrokerTlsContextBuilder privateKey(Path file) {
        return key(new Source(null, file.toString(), null));
    }

    /** As {@link #privateKey(Path)}, from memory; the copy is wiped by {@link #build()}. */
    public BrokerTlsContextBuilder privateKey(byte[] content, String label) {
        return key(new Source(content.clone(), label, null));
    }

    private BrokerTlsContextBuilder key(Source source) {
        if (current().key != null) {
            current().key.wipe();
        }
        current().key = source;
        return this;
    }

    private Identity current() {
        if (identities.isEmpty()) {
            identities.add(new Identity());
        }
        return identities.get(identities.size() - 1);
    }

    /** Where the passwords of stores and keys come from that are added, before or after it, without one. */
    public BrokerTlsContextBuilder passwords(BrokerTlsContext.PasswordSource source) {
        passwords = (isOfKey, label, alias) -> {
            char[] given;
            try {
                given = source.password(label, alias);
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.WARNING, "the source of passwords failed for " + label, e);
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

    /** The type of the last trust store, in place of what its content says. */
    public BrokerTlsContextBuilder trustStoreType(String type) {
        if (trust.isEmpty()) {
            throw new IllegalStateException("trustStoreType comes after the trust store");
        }
        trust.get(trust.size() - 1).type = type.toLowerCase(Locale.ROOT);
        return this;
    }

    /** Trusts the certificates of a PEM or DER file, or of a directory of PEM files. */
    public BrokerTlsContextBuilder trustCertificates(Path fileOrDirectory) {
        return trustStore(fileOrDirectory, null);
    }

    /** Trusts these certificates, PEM or DER; messages call them {@code label}. */
    public BrokerTlsContextBuilder trustCertificates(byte[] content, String label) {
        return trustStore(content, label, null);
    }

    /** Trusts the roots of the operating system. */
    public BrokerTlsContextBuilder systemTrust() {
        return option("system-trust", "yes");
    }

    /** What servers ask of clients; nothing by default. */
    public BrokerTlsContextBuilder clientAuth(BrokerTlsContext.ClientAuth mode) {
        return option("client-auth", mode.name().toLowerCase(Locale.ROOT));
    }

    /**
     * Checks peers by revocation lists, PEM or DER, and directories of them; may be called several times. A reload reads them
     * again. What is fetched over the network is set by {@link #option}: {@code fetch}, {@code ocsp-responder} and the
     * others.
     */
    public BrokerTlsContextBuilder crl(Path... filesOrDirectories) {
        for (Path file : filesOrDirectories) {
            option("crl", file.toString());
        }
        return this;
    }

    /** As {@link #crl(Path...)}, from memory; messages call it {@code label}. */
    public BrokerTlsContextBuilder crl(byte[] content, String label) {
        crls.add(new Source(content.clone(), label, null));
        return this;
    }

    /** Checks peers by OCSP responses that are there already, PEM or DER; may be called several times. */
    public BrokerTlsContextBuilder ocspResponse(Path... files) {
        for (Path file : files) {
            option("ocsp", file.toString());
        }
        return this;
    }

    /** As {@link #ocspResponse(Path...)}, from memory; messages call it {@code label}. */
    public BrokerTlsContextBuilder ocspResponse(byte[] content, String label) {
        ocspResponses.add(new Source(content.clone(), label, null));
        return this;
    }

    /**
     * What follows where no source knows whether a peer's certificate is revoked. {@code REQUIRE} by default where there are
     * lists or responses or they are fetched; options {@code crl-mode} and {@code ocsp-mode} set it for each kind.
     */
    public BrokerTlsContextBuilder revocation(BrokerTlsContext.Revocation mode) {
        return option("revocation", mode.name().toLowerCase(Locale.ROOT));
    }

    /**
     * Who is told of peers that turn out to be revoked while they are connected, and says whether they are closed. Without
     * one they are logged, and go on. A context whose listener refers to it is not collected before it is closed.
     */
    public BrokerTlsContextBuilder revocationListener(RevocationListener listener) {
        revocationListener = listener;
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

    /** The key exchange groups in order of preference, such as {@code X25519MLKEM768} and {@code secp256r1}. */
    public BrokerTlsContextBuilder groups(String... names) {
        return option("groups", String.join(":", names));
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
        return option("insecure-skip-server-name", "yes");
    }

    /** Clients accept any certificate at all. */
    public BrokerTlsContextBuilder insecureAcceptAnyServer() {
        return option("insecure-accept-any-server", "yes");
    }

    /** Tolerates deviations of the peer's certificate, such as {@code insecure-x509-v1}; none by default. */
    public BrokerTlsContextBuilder allow(String... switches) {
        return option("allow", String.join(",", switches));
    }

    /** Whether earlier sessions are resumed; they are by default. */
    public BrokerTlsContextBuilder resumption(boolean resumes) {
        return option("resumption", resumes ? "yes" : "no");
    }

    /** Any row of the table of options, by its name on the command line and in C: {@link #optionNames()}. */
    public BrokerTlsContextBuilder option(String name, String value) {
        options.add(new String[] {name, value});
        return this;
    }

    /**
     * Bounds resumption, as {@link javax.net.ssl.SSLSessionContext} does.
     *
     * @param cacheSize the number of servers that clients remember sessions with; servers keep sessions in their
     *         clients' tickets, or in a cache of the option {@code session-cache}; 0 for no limit of its own
     * @param timeoutSeconds the age at which a session is no longer resumed; 0 for no limit of its own
     */
    public BrokerTlsContextBuilder sessions(int cacheSize, int timeoutSeconds) {
        if (cacheSize < 0 || timeoutSeconds < 0) {
            throw new IllegalArgumentException("the limits of sessions are not negative");
        }
        limitsSessions = true;
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
     * Peers that are accepted are then asked about there, and may be refused; not with {@link #trustManager}. It is
     * asked again before a session is resumed, unless the option {@code resumption-asks-again} is {@code no}.
     */
    public BrokerTlsContextBuilder peerCheck(BrokerTlsContext.PeerCheck check) {
        peerCheck = check;
        return this;
    }

    /**
     * Reads every file and makes the context. The builder is spent, also where this fails: its passwords are wiped.
     *
     * @throws TlsFailure the first setting or file that cannot be used, by name, and what would mend it
     * @throws IllegalStateException at the second call
     */
    public BrokerTlsContext build() throws TlsFailure {
        if (isSpent) {
            throw new IllegalStateException("the builder is spent, its passwords are wiped; make another");
        }
        isSpent = true;
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            checkConflicts();
            builder.logTo((level, line) -> LOG.log(levelOf(level), line));
            // Before the stores, which are read within the limits that options set.
            for (String[] option : options) {
                builder.set(option[0], option[1]);
            }
            for (Identity identity : identities) {
                identity.addTo(builder, passwords);
            }
            for (Source source : trust) {
                builder.addTrust(source.content, source.label, source.type, source.password, passwords);
            }
            for (Source source : crls) {
                builder.addCrl(source.content, source.label);
            }
            for (Source source : ocspResponses) {
                builder.addOcspResponse(source.content, source.label);
            }
            if (revocationListener != null) {
                builder.tellOfRevoked(told(revocationListener));
            }
            Services.Ready ready = Services.build(builder, keyManager, trustManager, peerCheck);
            if (limitsSessions) {
                ready.limitSessions(sessionCacheSize, sessionTimeoutSeconds);
            }
            return new BrokerTlsContext(ready);
        } finally {
            identities.forEach(Identity::wipe);
            trust.forEach(Source::wipe);
        }
    }

    private void checkConflicts() throws TlsFailure {
        if (keyManager != null && !identities.isEmpty()) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "keyManager and a keystore; give one of them");
        }
        if (trustManager != null && !trust.isEmpty()) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "trustManager and a trust store; give one of them");
        }
        if (trustManager != null && peerCheck != null) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "trustManager and peerCheck; give one of them");
        }
        if (!identities.isEmpty() && identities.get(0).store == null) {
            throw TlsFailure.of(ErrorCode.NO_IDENTITY, "keys, aliases and key passwords need a keystore or a certificate");
        }
    }

    private static NativeRevoked told(RevocationListener listener) {
        return (connectionId, subject, issuer, serial, reason, revokedSeconds) -> {
            RevokedPeer peer = new RevokedPeer(connectionId, subject, issuer, serial, reason, revokedSeconds);
            try {
                return listener.revoked(peer) != RevocationListener.Action.KEEP;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "the revocation listener failed about " + peer, e);
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

    /** A keystore, or a certificate and its key. */
    private static final class Identity {
        private Source store;
        private Source key;
        private byte[] keyPassword;
        private String alias;

        void addTo(NativeContextBuilder builder, NativePasswords passwords) throws TlsFailure {
            builder.addIdentity(store.content, store.label, key == null ? null : key.content,
                    key == null ? null : key.label, store.type, alias, store.password, keyPassword, passwords);
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
            Passwords.wipe(content);
        }
    }
}
