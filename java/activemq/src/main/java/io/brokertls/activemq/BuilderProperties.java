package io.brokertls.activemq;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.RevokedPeerListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.apache.activemq.broker.SslContext;

/**
 * The settings of {@link BrokerTlsContextBuilder} as properties, each with the name of its method. Files are named as
 * SpringSslContext names them. The builder describes each setting.
 */
public abstract class BuilderProperties extends SslContext {
    /** By the name of the property, so that a later value replaces an earlier one. */
    private final Map<String, Consumer<BrokerTlsContextBuilder>> settings = new LinkedHashMap<>();
    private final Map<String, String> options = new LinkedHashMap<>();
    private String certificate;
    private String privateKey;
    private String keyAlias;
    private String[] trustCertificates = {};
    private String[] crl = {};
    private String[] ocspResponse = {};
    private int sessionCacheSize;
    private int sessionTimeoutSeconds;

    /** Restricted to the bean of this package. */
    BuilderProperties() {
    }

    private void set(String property, Consumer<BrokerTlsContextBuilder> setting) {
        settings.put(property, setting);
    }

    final void apply(BrokerTlsContextBuilder builder) {
        options.forEach(builder::option);
        settings.values().forEach(setting -> setting.accept(builder));
        if (sessionCacheSize != 0 || sessionTimeoutSeconds != 0) {
            builder.sessions(sessionCacheSize, sessionTimeoutSeconds);
        }
    }

    final boolean has(String property) {
        return settings.containsKey(property);
    }

    final String certificate() {
        return certificate;
    }

    final String privateKey() {
        return privateKey;
    }

    final String keyAlias() {
        return keyAlias;
    }

    final String[] trustCertificates() {
        return trustCertificates;
    }

    final String[] crl() {
        return crl;
    }

    final String[] ocspResponse() {
        return ocspResponse;
    }

    /** Returns true if a named option needs the thread of maintenance. */
    final boolean needsMaintenance() {
        return options.containsKey("fetch") || options.containsKey("staple") || options.containsKey("sleep-after-s");
    }

    /** Returns true if a named option makes the context request revocation data over the network. */
    final boolean fetches() {
        return options.containsKey("fetch");
    }

    /**
     * Sets options by their names, see {@link BrokerTlsContextBuilder#option}.
     *
     * @param named values by name, which replace those of an earlier call; copied
     */
    public void setOptions(Map<String, String> named) {
        options.clear();
        options.putAll(named);
    }

    /** {@return the options, unmodifiable} */
    public Map<String, String> getOptions() {
        return Collections.unmodifiableMap(options);
    }

    /**
     * Sets the location of a certificate chain, in place of a keystore.
     *
     * @param location a file, PEM or DER
     */
    public void setCertificate(String location) {
        certificate = location;
    }

    /**
     * Sets the location of the key of the certificate; {@code keyStoreKeyPassword} is its password.
     *
     * @param location a file, PEM or DER
     */
    public void setPrivateKey(String location) {
        privateKey = location;
    }

    /**
     * Sets the one entry of the keystore to use. By default every entry is used.
     *
     * @param alias the name of the entry
     */
    public void setKeyAlias(String alias) {
        keyAlias = alias;
    }

    /**
     * Sets locations of trusted certificates, in addition to {@code trustStore}.
     *
     * @param locations files or directories, PEM or DER; copied
     */
    public void setTrustCertificates(String[] locations) {
        trustCertificates = locations.clone();
    }

    /**
     * Sets locations of revocation lists, in addition to {@code crlPath}.
     *
     * @param locations files or directories, PEM or DER; copied
     */
    public void setCrl(String[] locations) {
        crl = locations.clone();
    }

    /**
     * Sets locations of OCSP responses.
     *
     * @param locations files, PEM or DER; copied
     */
    public void setOcspResponse(String[] locations) {
        ocspResponse = locations.clone();
    }

    /**
     * Sets whether the roots of the system are trusted.
     *
     * @param trusts false by default
     */
    public void setTrustSystem(boolean trusts) {
        set("trustSystem", builder -> builder.option("system-trust", trusts ? "yes" : "no"));
    }

    /**
     * Sets the request of the broker for client certificates, for connectors that do not name one.
     *
     * @param mode {@code NONE} by default
     */
    public void setClientAuth(BrokerTlsContext.ClientAuth mode) {
        set("clientAuth", builder -> builder.clientAuth(mode));
    }

    /**
     * Sets the treatment of peers with an unknown revocation status.
     *
     * @param mode {@code REQUIRE} by default, if there is a source of revocation data
     */
    public void setRevocation(BrokerTlsContext.RevocationMode mode) {
        set("revocation", builder -> builder.revocation(mode));
    }

    /**
     * Sets the listener for connected peers that are revoked later.
     *
     * @param listener keeps or closes each connection
     */
    public void setOnRevoked(RevokedPeerListener listener) {
        set("onRevoked", builder -> builder.onRevoked(listener));
    }

    /**
     * Sets the protocol versions.
     *
     * @param versions {@code TLSv1.2} and {@code TLSv1.3} by default
     */
    public void setProtocols(String[] versions) {
        set("protocols", builder -> builder.protocols(versions));
    }

    /**
     * Sets the cipher suites.
     *
     * @param names by IANA or OpenSSL name, in order of preference
     */
    public void setCipherSuites(String[] names) {
        set("cipherSuites", builder -> builder.cipherSuites(names));
    }

    /**
     * Sets the key exchange groups.
     *
     * @param names in order of preference
     */
    public void setGroups(String[] names) {
        set("groups", builder -> builder.groups(names));
    }

    /**
     * Sets the application protocols.
     *
     * @param protocols in order of preference
     */
    public void setApplicationProtocols(String[] protocols) {
        set("applicationProtocols", builder -> builder.applicationProtocols(protocols));
    }

    /**
     * Sets versions, suites and groups by the name of a preset.
     *
     * @param name {@code modern} or {@code intermediate}
     */
    public void setPreset(String name) {
        set("preset", builder -> builder.preset(name));
    }

    /**
     * Makes clients accept a trusted certificate for any host. INSECURE: see the builder.
     *
     * @param skips false by default
     */
    public void setInsecureSkipServerName(boolean skips) {
        set("insecureSkipServerName", builder -> builder.insecureSkipServerName(skips));
    }

    /**
     * Makes clients accept any certificate. INSECURE: see the builder.
     *
     * @param accepts false by default
     */
    public void setInsecureAcceptAnyServer(boolean accepts) {
        set("insecureAcceptAnyServer", builder -> builder.insecureAcceptAnyServer(accepts));
    }

    /**
     * Tolerates deviations in peer certificates. INSECURE: see the builder.
     *
     * @param deviations their names; none by default
     */
    public void setInsecureAllow(String[] deviations) {
        set("insecureAllow", builder -> builder.insecureAllow(deviations));
    }

    /**
     * Sets whether the second engine serves old clients.
     *
     * @param isOn false by default
     */
    public void setLegacyEngine(boolean isOn) {
        set("legacyEngine", builder -> builder.legacyEngine(isOn));
    }

    /**
     * Allows weak parts of TLS in the second engine.
     *
     * @param parts their names; none by default
     */
    public void setLegacyAllow(String[] parts) {
        set("legacyAllow", builder -> builder.legacyAllow(parts));
    }

    /**
     * Sets the location of the library of the second engine.
     *
     * @param location a file; by default the one in the jar
     * @throws IOException if the location is not a file
     */
    public void setLegacyLibrary(String location) throws IOException {
        Path file = fileOf("legacyLibrary", location);
        set("legacyLibrary", builder -> builder.legacyLibrary(file));
    }

    /**
     * Sets the location of the pre-shared keys of clients.
     *
     * @param location a file
     * @throws IOException if the location is not a file
     */
    public void setPskFile(String location) throws IOException {
        Path file = fileOf("pskFile", location);
        set("pskFile", builder -> builder.pskFile(file));
    }

    private static Path fileOf(String property, String text) throws IOException {
        Location location = Location.of(property, text);
        if (location.file() == null) {
            throw new IOException(location + " is not a file");
        }
        return location.file();
    }

    /**
     * Sets the source of pre-shared keys of other clients.
     *
     * @param source called by several threads
     */
    public void setPsk(BrokerTlsContext.PskSource source) {
        set("psk", builder -> builder.psk(source));
    }

    /**
     * Sets whether sessions are resumed.
     *
     * @param resumes true by default
     */
    public void setResumption(boolean resumes) {
        set("resumption", builder -> builder.resumption(resumes));
    }

    /**
     * Limits the cached sessions of clients.
     *
     * @param size the number of servers with cached sessions; 0 for the default limit
     */
    public void setSessionCacheSize(int size) {
        sessionCacheSize = size;
    }

    /**
     * Limits the age of sessions that are resumed.
     *
     * @param seconds the age in seconds; 0 for the default limit
     */
    public void setSessionTimeoutSeconds(int seconds) {
        sessionTimeoutSeconds = seconds;
    }

    /**
     * Sets the source of passwords for stores and keys without one.
     *
     * @param source called when the context is made, and at each reload
     */
    public void setPasswords(BrokerTlsContext.PasswordSource source) {
        set("passwords", builder -> builder.passwords(source));
    }

    /**
     * Sets a Java key manager in place of a keystore.
     *
     * @param manager called by several threads
     */
    public void setKeyManager(X509KeyManager manager) {
        set("keyManager", builder -> builder.keyManager(manager));
    }

    /**
     * Sets a Java trust manager in place of a trust store.
     *
     * @param manager called by several threads
     */
    public void setTrustManager(X509TrustManager manager) {
        set("trustManager", builder -> builder.trustManager(manager));
    }

    /**
     * Sets the name of the context in MBeans and events.
     *
     * @param name {@code context-} and a number by default
     */
    public void setName(String name) {
        set("name", builder -> builder.name(name));
    }

    /**
     * Sets whether the context has an MBean, with its certificates, counters and the operation {@code reload}.
     *
     * @param registers false by default
     */
    public void setRegisterMBean(boolean registers) {
        set("registerMBean", builder -> builder.registerMBean(registers));
    }

    /**
     * Sets a callback that can refuse peers after the trust anchors accepted them.
     *
     * @param callback called by several threads
     */
    public void setVerifyCallback(BrokerTlsContext.VerifyCallback callback) {
        set("verifyCallback", builder -> builder.verifyCallback(callback));
    }
}
