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

    /** Sets options by their names, see {@link BrokerTlsContextBuilder#option}. */
    public void setOptions(Map<String, String> named) {
        options.clear();
        options.putAll(named);
    }

    /** Returns the options. */
    public Map<String, String> getOptions() {
        return Collections.unmodifiableMap(options);
    }

    /** Sets the location of a certificate chain, in place of a keystore. */
    public void setCertificate(String location) {
        certificate = location;
    }

    /** Sets the location of the key of the certificate; {@code keyStoreKeyPassword} is its password. */
    public void setPrivateKey(String location) {
        privateKey = location;
    }

    /** Sets the one entry of the keystore to use. */
    public void setKeyAlias(String alias) {
        keyAlias = alias;
    }

    /** Sets locations of trusted certificates, PEM or DER, or of directories, in addition to {@code trustStore}. */
    public void setTrustCertificates(String[] locations) {
        trustCertificates = locations.clone();
    }

    /** Sets locations of revocation lists, in addition to {@code crlPath}. */
    public void setCrl(String[] locations) {
        crl = locations.clone();
    }

    /** Sets locations of OCSP responses. */
    public void setOcspResponse(String[] locations) {
        ocspResponse = locations.clone();
    }

    /** Sets whether the roots of the system are trusted. */
    public void setTrustSystem(boolean trusts) {
        set("trustSystem", builder -> builder.option("system-trust", trusts ? "yes" : "no"));
    }

    /** Sets the request of the broker for client certificates, for connectors that do not name one. */
    public void setClientAuth(BrokerTlsContext.ClientAuth mode) {
        set("clientAuth", builder -> builder.clientAuth(mode));
    }

    /** Sets the treatment of peers with an unknown revocation status. */
    public void setRevocation(BrokerTlsContext.RevocationMode mode) {
        set("revocation", builder -> builder.revocation(mode));
    }

    /** Sets the listener for connected peers that are revoked later. */
    public void setOnRevoked(RevokedPeerListener listener) {
        set("onRevoked", builder -> builder.onRevoked(listener));
    }

    /** Sets the protocol versions. */
    public void setProtocols(String[] versions) {
        set("protocols", builder -> builder.protocols(versions));
    }

    /** Sets the cipher suites in order of preference. */
    public void setCipherSuites(String[] names) {
        set("cipherSuites", builder -> builder.cipherSuites(names));
    }

    /** Sets the key exchange groups in order of preference. */
    public void setGroups(String[] names) {
        set("groups", builder -> builder.groups(names));
    }

    /** Sets the application protocols in order of preference. */
    public void setApplicationProtocols(String[] protocols) {
        set("applicationProtocols", builder -> builder.applicationProtocols(protocols));
    }

    /** Sets versions, suites and groups by the name of a preset. */
    public void setPreset(String name) {
        set("preset", builder -> builder.preset(name));
    }

    /** Makes clients accept a trusted certificate for any host. INSECURE: see the builder. */
    public void setInsecureSkipServerName(boolean skips) {
        set("insecureSkipServerName", builder -> builder.insecureSkipServerName(skips));
    }

    /** Makes clients accept any certificate. INSECURE: see the builder. */
    public void setInsecureAcceptAnyServer(boolean accepts) {
        set("insecureAcceptAnyServer", builder -> builder.insecureAcceptAnyServer(accepts));
    }

    /** Tolerates deviations in peer certificates. INSECURE: see the builder. */
    public void setInsecureAllow(String[] deviations) {
        set("insecureAllow", builder -> builder.insecureAllow(deviations));
    }

    /** Sets whether the second engine serves old clients. */
    public void setLegacyEngine(boolean isOn) {
        set("legacyEngine", builder -> builder.legacyEngine(isOn));
    }

    /** Allows weak parts of TLS in the second engine. */
    public void setLegacyAllow(String[] parts) {
        set("legacyAllow", builder -> builder.legacyAllow(parts));
    }

    /** Sets the location of the library of the second engine; it must be a file. */
    public void setLegacyLibrary(String location) throws IOException {
        Path file = fileOf("legacyLibrary", location);
        set("legacyLibrary", builder -> builder.legacyLibrary(file));
    }

    /** Sets the location of the pre-shared keys of clients; it must be a file. */
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

    /** Sets the source of pre-shared keys of other clients. */
    public void setPsk(BrokerTlsContext.PskSource source) {
        set("psk", builder -> builder.psk(source));
    }

    /** Sets whether sessions are resumed. */
    public void setResumption(boolean resumes) {
        set("resumption", builder -> builder.resumption(resumes));
    }

    /** Sets the number of servers with cached sessions, in clients. */
    public void setSessionCacheSize(int size) {
        sessionCacheSize = size;
    }

    /** Sets the age in seconds after which a session is not resumed. */
    public void setSessionTimeoutSeconds(int seconds) {
        sessionTimeoutSeconds = seconds;
    }

    /** Sets the source of passwords for stores and keys without one. */
    public void setPasswords(BrokerTlsContext.PasswordSource source) {
        set("passwords", builder -> builder.passwords(source));
    }

    /** Sets a Java key manager in place of a keystore. */
    public void setKeyManager(X509KeyManager manager) {
        set("keyManager", builder -> builder.keyManager(manager));
    }

    /** Sets a Java trust manager in place of a trust store. */
    public void setTrustManager(X509TrustManager manager) {
        set("trustManager", builder -> builder.trustManager(manager));
    }

    /** Sets the name of the context in MBeans and events. */
    public void setName(String name) {
        set("name", builder -> builder.name(name));
    }

    /** Sets whether the context has an MBean, with its certificates, counters and the operation {@code reload}. */
    public void setRegisterMBean(boolean registers) {
        set("registerMBean", builder -> builder.registerMBean(registers));
    }

    /** Sets a callback that can refuse peers after the trust anchors accepted them. */
    public void setVerifyCallback(BrokerTlsContext.VerifyCallback callback) {
        set("verifyCallback", builder -> builder.verifyCallback(callback));
    }
}
