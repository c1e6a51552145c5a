package io.brokertls.kafka;

import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.BrokerTlsProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.errors.InvalidConfigurationException;

/** A store of the configuration: a file, or PEM texts in place of one. */
final class Store {
    /** No store. */
    static final Store NONE = new Store(null, null, null, null, null, null);

    private static final String PEM = "PEM";

    private final Path file;
    private final String type;
    private final Password password;
    private final Password keyPassword;
    private final Password certificates;
    private final Password key;
    private final FileTime modified;

    private Store(Path file, String type, Password password, Password keyPassword, Password certificates,
            Password key) {
        this.file = file;
        this.type = type;
        this.password = password;
        this.keyPassword = keyPassword;
        this.certificates = certificates;
        this.key = key;
        this.modified = file == null ? null : modified(file);
    }

    /** Returns the keystore of a configuration. */
    static Store ofKeys(Map<String, ?> configs) {
        Password key = (Password) configs.get(SslConfigs.SSL_KEYSTORE_KEY_CONFIG);
        Password chain = (Password) configs.get(SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG);
        if ((key == null) != (chain == null)) {
            throw new ConfigException("ssl.keystore.key and ssl.keystore.certificate.chain belong together");
        }
        return of(configs, SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG,
                (Password) configs.get(SslConfigs.SSL_KEYSTORE_PASSWORD_CONFIG),
                (Password) configs.get(SslConfigs.SSL_KEY_PASSWORD_CONFIG), chain, key);
    }

    /** Returns the trust store of a configuration. */
    static Store ofTrust(Map<String, ?> configs) {
        return of(configs, SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG,
                (Password) configs.get(SslConfigs.SSL_TRUSTSTORE_PASSWORD_CONFIG), null,
                (Password) configs.get(SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG), null);
    }

    private static Store of(Map<String, ?> configs, String typeName, String locationName, Password password,
            Password keyPassword, Password certificates, Password key) {
        String type = (String) configs.get(typeName);
        String location = (String) configs.get(locationName);
        if (type != null && !List.of("JKS", "JCEKS", "PKCS12", PEM).contains(type)) {
            throw new ConfigException(typeName, type, "expected JKS, JCEKS, PKCS12 or PEM");
        }
        if (certificates != null && !PEM.equals(type)) {
            throw new ConfigException(typeName, type, "certificates in the configuration itself need the type PEM");
        }
        if (certificates != null && location != null) {
            throw new ConfigException(locationName, location, "the certificates are in the configuration already");
        }
        if (PEM.equals(type) && password != null) {
            throw new ConfigException(typeName, type, "a PEM file has no store password; use ssl.key.password");
        }
        if (certificates == null && location == null) {
            return NONE;
        }
        return new Store(location == null ? null : Path.of(location), type, password, keyPassword, certificates, key);
    }

    boolean isGiven() {
        return this != NONE;
    }

    /** Adds the store to a builder as the own certificate and key. */
    void addIdentity(BrokerTlsContextBuilder builder) {
        if (file != null) {
            builder.keyStore(file, characters(password));
            if (PEM.equals(type)) {
                builder.keyStoreType("pem");
            }
        } else if (isGiven()) {
            builder.certificate(bytes(certificates), SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG);
            builder.privateKey(bytes(key), SslConfigs.SSL_KEYSTORE_KEY_CONFIG);
        }
        if (isGiven() && keyPassword != null) {
            builder.keyPassword(characters(keyPassword));
        }
    }

    /** Adds the store to a builder as trust anchors. */
    void addTrust(BrokerTlsContextBuilder builder) {
        if (file != null) {
            builder.trustStore(file, characters(password));
        } else if (isGiven()) {
            builder.trustCertificates(bytes(certificates), SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG);
        }
    }

    /** Returns true if the file is another than at the time of the configuration. */
    boolean isChanged() {
        return file != null && !modified.equals(modified(file));
    }

    /** Returns the store as Kafka reads it, or null without one. */
    KeyStore javaStore() {
        if (!isGiven()) {
            return null;
        }
        try {
            if (!PEM.equals(type)) {
                return KeyStore.getInstance(file.toFile(), characters(password));
            }
            KeyStore store = KeyStore.getInstance(PEM, new BrokerTlsProvider());
            store.load(new ByteArrayInputStream(file == null ? texts() : Files.readAllBytes(file)),
                    characters(keyPassword));
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw new InvalidConfigurationException("the store " + this + " cannot be read: " + e.getMessage(), e);
        }
    }

    private byte[] texts() {
        String text = certificates.value() + "\n" + (key == null ? "" : key.value());
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] bytes(Password text) {
        return text.value().getBytes(StandardCharsets.UTF_8);
    }

    private static char[] characters(Password password) {
        return password == null || password.value() == null ? null : password.value().toCharArray();
    }

    private static FileTime modified(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            // A missing file is reported with its name when it is read.
            return FileTime.fromMillis(0);
        }
    }

    @Override
    public String toString() {
        if (file != null) {
            return file.toString();
        }
        return isGiven() ? "PEM in the configuration" : "none";
    }
}
