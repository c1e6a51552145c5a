package io.brokertls;

import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.internal.NativeRevokedListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link BrokerTlsContextBuilder} that decide if a peer is accepted: trust, revocation and tolerated
 * deviations. Its public methods are those of the builder, and return it.
 */
abstract class PeerSettings extends IdentitySettings {
    private static final System.Logger LOG = System.getLogger("io.brokertls");

    private final List<ConfiguredSource> trust = new ArrayList<>();
    private final List<ConfiguredSource> crls = new ArrayList<>();
    private final List<ConfiguredSource> ocspResponses = new ArrayList<>();
    private @Nullable X509TrustManager trustManager;
    private BrokerTlsContext.@Nullable VerifyCallback verifyCallback;
    private @Nullable RevokedPeerListener revokedPeerListener;

    /** Restricted to the builder, which alone has this class above it. */
    PeerSettings() {
    }

    /**
     * Adds the certificates of a store to the trust anchors. May be called several times.
     *
     * @param file read by {@link BrokerTlsContextBuilder#build()} and at each reload
     * @param password copied; null for a store without one, or to ask the source of passwords
     * @return this builder
     */
    public BrokerTlsContextBuilder trustStore(Path file, char @Nullable [] password) {
        trust.add(ConfiguredSource.of(Objects.requireNonNull(file, "file"), password));
        return self();
    }

    /**
     * Adds the certificates of a store in memory to the trust anchors.
     *
     * @param content copied
     * @param label its name in messages
     * @param password copied; may be null
     * @return this builder
     */
    public BrokerTlsContextBuilder trustStore(byte[] content, String label, char @Nullable [] password) {
        trust.add(ConfiguredSource.of(content, label, password));
        return self();
    }

    /**
     * Sets the type of the last trust store, as {@link BrokerTlsContextBuilder#keyStoreType} does for a keystore.
     *
     * @param type {@code pem}, {@code pkcs12}, {@code jks} or {@code jceks}, in lower or upper case
     * @return this builder
     * @throws IllegalStateException if no trust store was added
     */
    public BrokerTlsContextBuilder trustStoreType(String type) {
        Objects.requireNonNull(type, "type");
        if (trust.isEmpty()) {
            throw new IllegalStateException("trustStoreType needs a trust store; call trustStore first");
        }
        trust.get(trust.size() - 1).setType(type);
        return self();
    }

    /**
     * Adds the certificates of a PEM or DER file, or of a directory of such files, to the trust anchors.
     *
     * @param fileOrDirectory read by {@link BrokerTlsContextBuilder#build()} and at each reload
     * @return this builder
     */
    public BrokerTlsContextBuilder trustCertificates(Path fileOrDirectory) {
        return trustStore(Objects.requireNonNull(fileOrDirectory, "fileOrDirectory"), null);
    }

    /**
     * Adds certificates from memory, PEM or DER, to the trust anchors.
     *
     * @param content copied
     * @param label their name in messages
     * @return this builder
     */
    public BrokerTlsContextBuilder trustCertificates(byte[] content, String label) {
        return trustStore(content, label, null);
    }

    /**
     * Adds the roots of the operating system to the trust anchors.
     *
     * @return this builder
     */
    public BrokerTlsContextBuilder trustSystem() {
        return self().option("system-trust", "yes");
    }

    /**
     * Sets the request of servers for a client certificate.
     *
     * @param mode the request; {@link BrokerTlsContext.ClientAuth#NONE} by default
     * @return this builder
     */
    public BrokerTlsContextBuilder clientAuth(BrokerTlsContext.ClientAuth mode) {
        return self().option("client-auth", Objects.requireNonNull(mode, "mode").name().toLowerCase(Locale.ROOT));
    }

    /**
     * Adds certificate revocation lists (RFC 5280 section 5), PEM or DER. May be called several times.
     * {@link BrokerTlsContextBuilder#option} configures fetches over the network: {@code fetch},
     * {@code ocsp-responder} and others.
     *
     * @param filesOrDirectories files, or directories of them; a reload reads them again
     * @return this builder
     */
    public BrokerTlsContextBuilder crl(Path... filesOrDirectories) {
        for (Path file : all(filesOrDirectories, "filesOrDirectories")) {
            if (ConfiguredSource.isOfTheSystem(file)) {
                self().option("crl", file.toString());
            } else {
                crls.add(ConfiguredSource.of(file, null));
            }
        }
        return self();
    }

    /**
     * Adds certificate revocation lists from memory.
     *
     * @param content one list or several, PEM or DER; copied
     * @param label their name in messages
     * @return this builder
     */
    public BrokerTlsContextBuilder crl(byte[] content, String label) {
        crls.add(ConfiguredSource.of(content, label, null));
        return self();
    }

    /**
     * Adds OCSP responses (RFC 6960 section 4.2) about peers, PEM or DER. May be called several times.
     *
     * @param files one response each; a reload reads them again
     * @return this builder
     */
    public BrokerTlsContextBuilder ocspResponse(Path... files) {
        for (Path file : all(files, "files")) {
            if (ConfiguredSource.isOfTheSystem(file)) {
                self().option("ocsp", file.toString());
            } else {
                ocspResponses.add(ConfiguredSource.of(file, null));
            }
        }
        return self();
    }

    /**
     * Adds OCSP responses about peers from memory.
     *
     * @param content copied
     * @param label their name in messages
     * @return this builder
     */
    public BrokerTlsContextBuilder ocspResponse(byte[] content, String label) {
        ocspResponses.add(ConfiguredSource.of(content, label, null));
        return self();
    }

    /**
     * Sets the treatment of a peer if no source knows the revocation status of its certificate. The options
     * {@code crl-mode} and {@code ocsp-mode} set it for each kind.
     *
     * @param mode the treatment; by default {@code REQUIRE} if lists or responses are added or fetched
     * @return this builder
     */
    public BrokerTlsContextBuilder revocation(BrokerTlsContext.RevocationMode mode) {
        return self().option("revocation", Objects.requireNonNull(mode, "mode").name().toLowerCase(Locale.ROOT));
    }

    /**
     * Sets the listener for peers that are revoked during their connection; it keeps or closes each connection. Without
     * a listener the peer is logged, and the connection continues.
     *
     * @param listener called under no lock. A context that it references is not garbage collected before it is closed
     * @return this builder
     */
    public BrokerTlsContextBuilder onRevoked(RevokedPeerListener listener) {
        revokedPeerListener = Objects.requireNonNull(listener, "listener");
        return self();
    }

    /**
     * Makes clients accept a trusted certificate for any host. Default: false.
     *
     * <p>INSECURE: the owner of any certificate from the same CA can then act as the server.
     *
     * @param skips true to compare no name (RFC 9525 section 6)
     * @return this builder
     */
    public BrokerTlsContextBuilder insecureSkipServerName(boolean skips) {
        return self().option("insecure-skip-server-name", skips ? "yes" : "no");
    }

    /**
     * Makes clients accept any certificate. Default: false.
     *
     * <p>INSECURE: the connection is encrypted, but the server is not authenticated.
     *
     * @param accepts true to authenticate no server
     * @return this builder
     */
    public BrokerTlsContextBuilder insecureAcceptAnyServer(boolean accepts) {
        return self().option("insecure-accept-any-server", accepts ? "yes" : "no");
    }

    /**
     * Tolerates deviations from RFC 5280 in peer certificates. Default: none. Each use is logged.
     *
     * <p>INSECURE: an attacker can forge or misuse a certificate with such a deviation more easily.
     *
     * @param deviations their names, for example {@code insecure-x509-v1}
     * @return this builder
     * @throws IllegalArgumentException for a name with a comma or colon
     */
    public BrokerTlsContextBuilder insecureAllow(String... deviations) {
        return self().option("allow", joined(deviations, "deviations", ","));
    }

    /**
     * Sets a Java trust manager, which alone accepts or refuses peers. It takes the place of trust stores.
     *
     * @param manager called by several threads, on those that run the delegated tasks of engines
     * @return this builder
     */
    public BrokerTlsContextBuilder trustManager(X509TrustManager manager) {
        trustManager = Objects.requireNonNull(manager, "manager");
        return self();
    }

    /**
     * Sets a callback that can refuse peers after the trust anchors accepted them. It cannot be combined with
     * {@link BrokerTlsContextBuilder#trustManager}.
     *
     * @param callback called by several threads, on those that run the delegated tasks of engines
     * @return this builder
     */
    public BrokerTlsContextBuilder verifyCallback(BrokerTlsContext.VerifyCallback callback) {
        verifyCallback = Objects.requireNonNull(callback, "callback");
        return self();
    }

    /** {@return the trust manager that was set, or null} */
    final @Nullable X509TrustManager trustManager() {
        return trustManager;
    }

    /** {@return the callback that was set, or null} */
    final BrokerTlsContext.@Nullable VerifyCallback verifyCallback() {
        return verifyCallback;
    }

    /**
     * Refuses settings about peers that contradict each other.
     *
     * @throws TlsFailure OPTION_CONFLICT
     */
    final void checkPeers() throws TlsFailure {
        if (trustManager != null && !trust.isEmpty()) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "trustManager and a trust store; give one of them");
        }
        if (trustManager != null && verifyCallback != null) {
            throw TlsFailure.of(ErrorCode.OPTION_CONFLICT, "trustManager and verifyCallback; give one of them");
        }
    }

    /**
     * Gives trust, revocation data and the listener to the native builder.
     *
     * @param builder has its options already, which limit the reading of stores
     * @throws TlsFailure for the first file that cannot be used
     */
    final void addPeersTo(NativeContextBuilder builder) throws TlsFailure {
        for (ConfiguredSource source : trust) {
            builder.addTrust(source.content(), source.label(), source.type(), source.password(), passwords());
        }
        for (ConfiguredSource source : crls) {
            builder.addCrl(source.content(), source.label());
        }
        for (ConfiguredSource source : ocspResponses) {
            builder.addOcspResponse(source.content(), source.label());
        }
        if (revokedPeerListener != null) {
            builder.onRevoked(report(revokedPeerListener));
        }
    }

    /** Wipes the copies of passwords and stores. */
    final void wipePeers() {
        trust.forEach(ConfiguredSource::wipe);
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

    /**
     * Refuses null among several values.
     *
     * @param <T> their type
     * @param values the values of one parameter
     * @param parameter its name, for the exception
     * @return the values
     */
    static <T> T[] all(T[] values, String parameter) {
        for (T value : Objects.requireNonNull(values, parameter)) {
            Objects.requireNonNull(value, parameter);
        }
        return values;
    }

    /**
     * Joins names for an option, in which a separator would make two of one.
     *
     * @param names the values of one parameter
     * @param parameter its name, for the exception
     * @param separator the text between two names
     * @return the value of the option
     * @throws IllegalArgumentException for a name with a comma or colon
     */
    static String joined(String[] names, String parameter, String separator) {
        for (String name : all(names, parameter)) {
            if (name.indexOf(',') >= 0 || name.indexOf(':') >= 0) {
                throw new IllegalArgumentException("each name is an argument of its own, without commas and colons: "
                        + name);
            }
        }
        return String.join(separator, names);
    }
}
