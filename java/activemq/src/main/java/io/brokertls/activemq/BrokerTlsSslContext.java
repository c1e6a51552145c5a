package io.brokertls.activemq;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;

/**
 * The {@code <sslContext>} of a broker, with a {@link BrokerTlsContext} of its own. It has the properties of
 * SpringSslContext with the same meaning, so that a configuration changes the name of the class alone, and those of
 * {@link BrokerTlsContextBuilder}.
 *
 * <p>Keys and peers are handled by native code. A named {@code keyStoreAlgorithm} or {@code trustStoreAlgorithm}, or a
 * store type that native code does not read, such as PKCS11, selects the Java manager of that name.
 *
 * <p>Two properties have no effect: {@code secureRandomAlgorithm} and {@code secureRandom}. The native library has its
 * own random numbers. Any other setting without an effect is refused when the context is made.
 */
public class BrokerTlsSslContext extends BuilderProperties implements InitializingBean, DisposableBean {
    private static final String OWN = "BrokerTLS";
    /** Store types of one reader: the JDK's {@code jks} and {@code pkcs12} read each other's files too. */
    private static final List<String> DETECTED =
            List.of("jks", "pkcs12", "p12", "brokertls-pkcs12", "brokertls-jks");
    private static final List<String> NAMED = List.of("pem", "jceks");

    private String keyStore;
    private String keyStoreType = "jks";
    private char[] keyStorePassword;
    private char[] keyStoreKeyPassword;
    private String keyStoreAlgorithm;
    private String trustStore;
    private String trustStoreType = "jks";
    private char[] trustStorePassword;
    private String trustStoreAlgorithm;
    private String secureRandomAlgorithm = "SHA1PRNG";
    private String crlPath;
    private boolean maintenance;
    /** The setting that a reload cannot read again; null if there is none. */
    private String fixed;
    private BrokerTlsContext context;
    private boolean isDestroyed;

    /** Makes a bean without properties. */
    public BrokerTlsSslContext() {
    }

    /** Makes the context and wipes the passwords. Fails for the first setting or file that cannot be used. */
    @Override
    public synchronized void afterPropertiesSet() throws Exception {
        if (isDestroyed) {
            throw new IllegalStateException("the bean is destroyed; make another one for a broker that starts again");
        }
        if (context == null) {
            SecureRandom.getInstance(secureRandomAlgorithm);
            try {
                context = build();
            } catch (TlsFailure e) {
                // Spring and ActiveMQ show the messages of exceptions alone.
                throw new GeneralSecurityException(e.messageWithHint(), e);
            }
            wipePasswords();
            PerBrokerTransports.acquire();
            if (maintenance || needsMaintenance()) {
                context.startMaintenance();
            }
        }
    }

    /**
     * {@return the context of the broker} The first call makes it.
     *
     * @throws KeyManagementException for the first setting or file that cannot be used, and after {@link #destroy}
     */
    public synchronized BrokerTlsContext context() throws KeyManagementException {
        try {
            afterPropertiesSet();
        } catch (Exception e) {
            throw new KeyManagementException(e.getMessage(), e);
        }
        return context;
    }

    @Override
    public SSLContext getSSLContext() throws KeyManagementException {
        return context().sslContext();
    }

    /** Refused: this bean makes its own. */
    @Override
    public void setSSLContext(SSLContext other) {
        throw new IllegalArgumentException("SSLContext: this bean makes its own; use SslContext for another");
    }

    /**
     * Reads every file again. Either all of them take effect, for connections that begin later, or none does.
     *
     * @throws IllegalStateException if a setting is not a file, such as a location on the class path or a Java manager
     * @throws TlsFailure for the first file that cannot be used; the context keeps its configuration
     * @throws KeyManagementException if the context has not been made, and cannot be made
     */
    public void reload() throws TlsFailure, KeyManagementException {
        BrokerTlsContext current = context();
        if (fixed != null) {
            throw new IllegalStateException("a reload cannot read " + fixed + " again; use files");
        }
        current.reload();
    }

    /**
     * Closes the context. Connections continue. With the last bean, ActiveMQ has its own transport factories back.
     */
    @Override
    public synchronized void destroy() {
        if (context != null && !isDestroyed) {
            PerBrokerTransports.release();
            context.close();
        }
        isDestroyed = true;
        wipePasswords();
    }

    private void wipePasswords() {
        for (char[] each : new char[][] {keyStorePassword, keyStoreKeyPassword, trustStorePassword}) {
            if (each != null) {
                Arrays.fill(each, '\0');
            }
        }
        keyStorePassword = null;
        keyStoreKeyPassword = null;
        trustStorePassword = null;
    }

    private BrokerTlsContext build() throws GeneralSecurityException, IOException {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        if (provider != null && !provider.equals(OWN)) {
            throw conflict("provider " + provider + "; this bean is " + OWN + " itself, so leave it out");
        }
        addProtocol(builder);
        apply(builder);
        addKeys(builder);
        addTrust(builder);
        for (String list : crl()) {
            addCrl(builder, Location.of("crl", list));
        }
        for (String response : ocspResponse()) {
            add("ocspResponse", response, builder::ocspResponse, bytes -> builder.ocspResponse(bytes, response));
        }
        return builder.build();
    }

    private void addProtocol(BrokerTlsContextBuilder builder) throws TlsFailure {
        String named = protocol == null ? "TLS" : protocol;
        if (named.equals("TLS") || named.equals("SSL") || named.equals("Default")) {
            return;
        }
        if (has("protocols")) {
            throw conflict("protocol " + named + " and protocols; give one of them");
        }
        if (named.equals("TLSv1.3")) {
            builder.protocols("TLSv1.2", "TLSv1.3");
        } else {
            builder.protocols(named);
        }
    }

    private void addKeys(BrokerTlsContextBuilder builder) throws GeneralSecurityException, IOException {
        X509KeyManager listed = first(getKeyManagers(), KeyManager.class, X509KeyManager.class);
        int sources = (keyStore == null ? 0 : 1) + (certificate() == null ? 0 : 1) + (listed == null ? 0 : 1)
                + (has("keyManager") ? 1 : 0);
        if (sources > 1) {
            throw conflict("keyStore, certificate, keyManager and keyManagers; give one of them");
        }
        if (certificate() != null) {
            add("certificate", certificate(), builder::certificate, bytes -> builder.certificate(bytes, certificate()));
            if (privateKey() != null) {
                add("privateKey", privateKey(), builder::privateKey, bytes -> builder.privateKey(bytes, privateKey()));
            }
            addKeyDetails(builder);
        } else if (privateKey() != null) {
            throw conflict("privateKey needs certificate");
        } else if (keyStore == null) {
            if (listed != null) {
                builder.keyManager(listed);
                fixed = "keyManagers";
            }
            if (keyAlias() != null || keyStorePassword != null || keyStoreKeyPassword != null) {
                throw conflict("keyAlias and the passwords of keys need a keystore or a certificate");
            }
        } else if (isNative(keyStoreAlgorithm, keyStoreType)) {
            add("keyStore", keyStore, file -> builder.keyStore(file, keyStorePassword),
                    bytes -> builder.keyStore(bytes, keyStore, keyStorePassword));
            if (NAMED.contains(keyStoreType.toLowerCase(Locale.ROOT))) {
                builder.keyStoreType(keyStoreType);
            }
            addKeyDetails(builder);
        } else {
            if (keyAlias() != null) {
                throw conflict("keyAlias has no effect on a Java key manager");
            }
            String algorithm = keyStoreAlgorithm == null || keyStoreAlgorithm.equals(OWN)
                    ? javax.net.ssl.KeyManagerFactory.getDefaultAlgorithm() : keyStoreAlgorithm;
            builder.keyManager(JavaManagers.keys(Location.of("keyStore", keyStore).local(), keyStoreType,
                    keyStorePassword, keyStoreKeyPassword, algorithm));
            fixed = "keyStore by a Java key manager";
        }
    }

    private void addKeyDetails(BrokerTlsContextBuilder builder) {
        if (keyStoreKeyPassword != null) {
            builder.keyPassword(keyStoreKeyPassword);
        }
        if (keyAlias() != null) {
            builder.keyAlias(keyAlias());
        }
    }

    private void addTrust(BrokerTlsContextBuilder builder) throws GeneralSecurityException, IOException {
        X509TrustManager listed = first(getTrustManagers(), TrustManager.class, X509TrustManager.class);
        boolean isNative = isNative(trustStoreAlgorithm, trustStoreType);
        if ((listed != null || has("trustManager")) && (trustStore != null || crlPath != null)) {
            throw conflict("trustManagers and trustStore or crlPath; give one of them");
        }
        if (listed != null) {
            builder.trustManager(listed);
            fixed = "trustManagers";
        } else if (trustStore != null && !isNative) {
            String algorithm = trustStoreAlgorithm == null || trustStoreAlgorithm.equals(OWN)
                    ? javax.net.ssl.TrustManagerFactory.getDefaultAlgorithm() : trustStoreAlgorithm;
            builder.trustManager(JavaManagers.trust(Location.of("trustStore", trustStore).local(), trustStoreType,
                    trustStorePassword, algorithm, crlPath == null ? null : Location.of("crlPath", crlPath)));
            fixed = "trustStore by a Java trust manager";
            return;
        } else if (trustStore != null) {
            addNativeTrust(builder);
        } else if (trustStorePassword != null) {
            throw conflict("trustStorePassword needs trustStore");
        }
        for (String each : trustCertificates()) {
            add("trustCertificates", each, builder::trustCertificates,
                    bytes -> builder.trustCertificates(bytes, each));
        }
        if (crlPath != null) {
            addCrl(builder, Location.of("crlPath", crlPath));
        }
    }

    private void addNativeTrust(BrokerTlsContextBuilder builder) throws GeneralSecurityException, IOException {
        if (JavaManagers.isOcspEnabled() && !fetches()) {
            throw conflict("the security property ocsp.enable has no effect on native trust; set the option fetch, "
                    + "or trustStoreAlgorithm PKIX");
        }
        add("trustStore", trustStore, file -> builder.trustStore(file, trustStorePassword),
                bytes -> builder.trustStore(bytes, trustStore, trustStorePassword));
        if (NAMED.contains(trustStoreType.toLowerCase(Locale.ROOT))) {
            builder.trustStoreType(trustStoreType);
        }
    }

    private static boolean isNative(String algorithm, String type) {
        String lower = type.toLowerCase(Locale.ROOT);
        return (algorithm == null || algorithm.equals(OWN)) && (DETECTED.contains(lower) || NAMED.contains(lower));
    }

    /** Adds the file of a location, or else its content. */
    private void add(String property, String text, Consumer<Path> addFile, Consumer<byte[]> addContent)
            throws IOException {
        Location location = Location.of(property, text).local();
        if (location.file() != null) {
            addFile.accept(location.file());
        } else {
            addContent.accept(location.content());
            fixed = location.toString();
        }
    }

    /** Adds lists. Their signatures protect them, so they can come over the network. */
    private void addCrl(BrokerTlsContextBuilder builder, Location location) throws IOException {
        if (location.file() != null) {
            builder.crl(location.file());
        } else {
            builder.crl(location.content(), location.toString());
            fixed = location.toString();
        }
    }

    /** Returns the first manager of a kind, which alone counts in JSSE; null if there is none. */
    private static <A, T> T first(List<A> managers, Class<A> any, Class<T> kind) throws TlsFailure {
        for (A manager : managers) {
            if (kind.isInstance(manager)) {
                return kind.cast(manager);
            }
        }
        if (!managers.isEmpty()) {
            throw conflict("a list of " + any.getSimpleName() + " has no " + kind.getSimpleName());
        }
        return null;
    }

    private static TlsFailure conflict(String detail) {
        return TlsFailure.of(ErrorCode.OPTION_CONFLICT, detail);
    }

    private static char[] characters(String text) {
        return text == null ? null : text.toCharArray();
    }

    /** Returns the locations, and no password. */
    @Override
    public String toString() {
        return "BrokerTlsSslContext[keyStore=" + (keyStore == null ? certificate() : keyStore) + ", trustStore="
                + trustStore + "]";
    }

    // The properties of SpringSslContext. Passwords can be set and not read, and are wiped when they have been used.

    /** {@return the location of the keystore with the own certificates and keys} */
    public String getKeyStore() {
        return keyStore;
    }

    /**
     * Sets the location of the keystore with the own certificates and keys.
     *
     * @param location a file, a local URL or a name on the class path
     */
    public void setKeyStore(String location) {
        keyStore = location;
    }

    /** {@return the type of the keystore} */
    public String getKeyStoreType() {
        return keyStoreType;
    }

    /**
     * Sets the type of the keystore.
     *
     * @param type {@code jks} by default, which reads PKCS#12 too; {@code PEM} and {@code JCEKS} are native as well
     */
    public void setKeyStoreType(String type) {
        keyStoreType = type;
    }

    /**
     * Sets the password of the keystore.
     *
     * @param password kept as text, as Spring has it; null for none
     */
    public void setKeyStorePassword(String password) {
        keyStorePassword = characters(password);
    }

    /**
     * Sets the password of the keys.
     *
     * @param password that of the keystore by default
     */
    public void setKeyStoreKeyPassword(String password) {
        keyStoreKeyPassword = characters(password);
    }

    /** {@return the algorithm of the key manager} */
    public String getKeyStoreAlgorithm() {
        return keyStoreAlgorithm;
    }

    /**
     * Sets the algorithm of the key manager.
     *
     * @param algorithm {@code BrokerTLS} by default; any other selects a Java manager
     */
    public void setKeyStoreAlgorithm(String algorithm) {
        keyStoreAlgorithm = algorithm;
    }

    /** {@return the location of the store with the trusted certificates} */
    public String getTrustStore() {
        return trustStore;
    }

    /**
     * Sets the location of the store with the trusted certificates.
     *
     * @param location a file, a local URL or a name on the class path
     */
    public void setTrustStore(String location) {
        trustStore = location;
    }

    /** {@return the type of the trust store} */
    public String getTrustStoreType() {
        return trustStoreType;
    }

    /**
     * Sets the type of the trust store.
     *
     * @param type {@code jks} by default, which reads PKCS#12 too; {@code PEM} and {@code JCEKS} are native as well
     */
    public void setTrustStoreType(String type) {
        trustStoreType = type;
    }

    /**
     * Sets the password of the trust store.
     *
     * @param password kept as text, as Spring has it; null for none
     */
    public void setTrustStorePassword(String password) {
        trustStorePassword = characters(password);
    }

    /** {@return the algorithm of the trust manager} */
    public String getTrustStoreAlgorithm() {
        return trustStoreAlgorithm;
    }

    /**
     * Sets the algorithm of the trust manager.
     *
     * @param algorithm {@code BrokerTLS} by default; any other selects a Java manager
     */
    public void setTrustStoreAlgorithm(String algorithm) {
        trustStoreAlgorithm = algorithm;
    }

    /** {@return the algorithm of the random numbers, which must exist and has no other effect} */
    public String getSecureRandomAlgorithm() {
        return secureRandomAlgorithm;
    }

    /**
     * Sets the algorithm of the random numbers, which must exist and has no other effect.
     *
     * @param algorithm {@code SHA1PRNG} by default
     */
    public void setSecureRandomAlgorithm(String algorithm) {
        secureRandomAlgorithm = algorithm;
    }

    /** {@return the location of revocation lists} */
    public String getCrlPath() {
        return crlPath;
    }

    /**
     * Sets the location of revocation lists.
     *
     * @param location a file, a URL or a name on the class path; it may be read over the network
     */
    public void setCrlPath(String location) {
        crlPath = location;
    }

    /**
     * Sets whether a thread performs maintenance. It also does if the options need it.
     *
     * @param isOn false by default
     */
    public void setMaintenance(boolean isOn) {
        maintenance = isOn;
    }
}
