package io.brokertls.kafka;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.TlsFailure;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.security.auth.SslEngineFactory;

/**
 * The engines of a listener or client of Kafka, from a context with native keys and native verification.
 *
 * <pre>{@code
 * ssl.engine.factory.class=io.brokertls.kafka.BrokerTlsEngineFactory
 * ssl.keystore.location=/etc/kafka/broker.p12
 * brokertls.crl=/etc/kafka/clients.crl
 * }</pre>
 *
 * <p>The settings of Kafka have the meaning that they have for Kafka's own factory. A setting that this one cannot
 * honour is refused. {@code brokertls.NAME} sets the option {@code NAME} of {@link BrokerTlsContextBuilder#option}, for
 * every listener. Without a trust store, the roots of the system are trusted, as by Kafka's own factory.
 */
public final class BrokerTlsEngineFactory implements SslEngineFactory {
    private static final String OPTION_PREFIX = "brokertls.";
    private static final String LISTENER_PREFIX = "listener.name.";
    private static final String CLIENT_AUTH = "ssl.client.auth";

    private Map<String, ?> configs = Map.of();
    private Store keys = Store.NONE;
    private Store trust = Store.NONE;
    private boolean onlyTls12ForClients;
    private BrokerTlsContext tls;
    private BrokerTlsContext.ClientAuth clientAuth = BrokerTlsContext.ClientAuth.NONE;

    /** Makes a factory. Kafka calls {@link #configure} next. */
    public BrokerTlsEngineFactory() {
    }

    /**
     * Reads the files of the configuration.
     *
     * @throws ConfigException for a setting that cannot be honoured
     * @throws InvalidConfigurationException for a file that cannot be used, with the {@link TlsFailure} as its cause
     */
    @Override
    public void configure(Map<String, ?> settings) {
        configs = Map.copyOf(withoutNulls(settings));
        refuseOthers();
        keys = Store.ofKeys(configs);
        trust = Store.ofTrust(configs);
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        keys.addIdentity(builder);
        trust.addTrust(builder);
        setProtocols(builder);
        List<String> suites = list(SslConfigs.SSL_CIPHER_SUITES_CONFIG);
        if (!suites.isEmpty()) {
            builder.cipherSuites(suites.toArray(new String[0]));
        }
        clientAuth = clientAuth();
        builder.clientAuth(clientAuth);
        if (!trust.isGiven() && !configs.containsKey(OPTION_PREFIX + "trust")
                && !configs.containsKey(OPTION_PREFIX + "system-trust")) {
            builder.trustSystem();
        }
        setOptions(builder);
        try {
            tls = builder.build();
        } catch (TlsFailure e) {
            throw new InvalidConfigurationException(e.getMessage() + ". " + e.hint(), e);
        }
        tls.startMaintenance();
    }

    private static Map<String, Object> withoutNulls(Map<String, ?> settings) {
        Map<String, Object> given = new HashMap<>();
        settings.forEach((key, value) -> {
            if (value != null) {
                given.put(key, value);
            }
        });
        return given;
    }

    private void refuseOthers() {
        refuseUnless(SslConfigs.SSL_PROVIDER_CONFIG, List.of("BrokerTLS"), "the engines are those of BrokerTLS");
        refuseUnless(SslConfigs.SSL_PROTOCOL_CONFIG, List.of("TLS", "TLSv1.2", "TLSv1.3"), "use ssl.enabled.protocols");
        refuseUnless(SslConfigs.SSL_KEYMANAGER_ALGORITHM_CONFIG,
                List.of(KeyManagerFactory.getDefaultAlgorithm(), "PKIX", "BrokerTLS"), "keys are native");
        refuseUnless(SslConfigs.SSL_TRUSTMANAGER_ALGORITHM_CONFIG,
                List.of(TrustManagerFactory.getDefaultAlgorithm(), "BrokerTLS"), "verification is native");
        refuseUnless(SslConfigs.SSL_SECURE_RANDOM_IMPLEMENTATION_CONFIG, List.of(), "random numbers are native");
    }

    private void refuseUnless(String name, List<String> accepted, String reason) {
        Object value = configs.get(name);
        if (value != null && !accepted.contains(value)) {
            throw new ConfigException(name, value, reason);
        }
    }

    private void setProtocols(BrokerTlsContextBuilder builder) {
        List<String> protocols = list(SslConfigs.SSL_ENABLED_PROTOCOLS_CONFIG);
        if (!protocols.isEmpty()) {
            builder.protocols(protocols.toArray(new String[0]));
        }
        // As the JDK does: the name of a context limits its clients alone.
        onlyTls12ForClients = "TLSv1.2".equals(configs.get(SslConfigs.SSL_PROTOCOL_CONFIG));
        if (onlyTls12ForClients && !protocols.isEmpty() && !protocols.contains("TLSv1.2")) {
            throw new ConfigException(SslConfigs.SSL_PROTOCOL_CONFIG, "TLSv1.2",
                    SslConfigs.SSL_ENABLED_PROTOCOLS_CONFIG + " does not name it");
        }
    }

    private BrokerTlsContext.ClientAuth clientAuth() {
        Object value = configs.get(CLIENT_AUTH);
        if (value == null || value.equals("none")) {
            return BrokerTlsContext.ClientAuth.NONE;
        }
        if (value.equals("requested")) {
            return BrokerTlsContext.ClientAuth.WANT;
        }
        if (value.equals("required")) {
            return BrokerTlsContext.ClientAuth.NEED;
        }
        throw new ConfigException(CLIENT_AUTH, value, "expected none, requested or required");
    }

    private void setOptions(BrokerTlsContextBuilder builder) {
        for (Map.Entry<String, ?> setting : new TreeMap<>(configs).entrySet()) {
            String name = setting.getKey();
            if (name.startsWith(OPTION_PREFIX)) {
                Object value = setting.getValue();
                builder.option(name.substring(OPTION_PREFIX.length()),
                        value instanceof Password ? ((Password) value).value() : value.toString());
            } else if (name.startsWith(LISTENER_PREFIX) && name.contains("." + OPTION_PREFIX)) {
                throw new ConfigException(name, "(hidden)",
                        "options of brokertls hold for every listener; leave out the name of the listener");
            }
        }
    }

    private List<String> list(String name) {
        Object value = configs.get(name);
        if (value == null) {
            return List.of();
        }
        if (value instanceof List) {
            return ((List<?>) value).stream().map(Object::toString).collect(Collectors.toList());
        }
        throw new ConfigException(name, value, "expected a list");
    }

    @Override
    public SSLEngine createClientSslEngine(String peerHost, int peerPort, String endpointIdentification) {
        SSLEngine engine = tls.sslContext().createSSLEngine(peerHost, peerPort);
        engine.setUseClientMode(true);
        if (onlyTls12ForClients) {
            engine.setEnabledProtocols(new String[] {"TLSv1.2"});
        }
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm(endpointIdentification == null ? "" : endpointIdentification);
        engine.setSSLParameters(parameters);
        return engine;
    }

    @Override
    public SSLEngine createServerSslEngine(String peerHost, int peerPort) {
        SSLEngine engine = tls.sslContext().createSSLEngine(peerHost, peerPort);
        engine.setUseClientMode(false);
        return engine;
    }

    /** Returns true after a change of a setting, or of a file that the configuration names. */
    @Override
    public boolean shouldBeRebuilt(Map<String, Object> nextConfigs) {
        return !withoutNulls(nextConfigs).equals(configs) || keys.isChanged() || trust.isChanged();
    }

    @Override
    public Set<String> reconfigurableConfigs() {
        Set<String> names = new HashSet<>(SslConfigs.RECONFIGURABLE_CONFIGS);
        names.addAll(configs.keySet().stream().filter(name -> name.startsWith(OPTION_PREFIX))
                .collect(Collectors.toSet()));
        return names;
    }

    /** Returns the certificates of the keystore, which Kafka compares before it takes a new one; null without one. */
    @Override
    public KeyStore keystore() {
        return keys.javaStore();
    }

    /** Returns the trusted certificates; null without a trust store. */
    @Override
    public KeyStore truststore() {
        return trust.javaStore();
    }

    /**
     * Leaves the context to the garbage collector. Kafka closes a factory before it takes the next one, and until then
     * asks the closed one for engines.
     */
    @Override
    public void close() {
    }

    @Override
    public String toString() {
        return "BrokerTlsEngineFactory(keystore=" + keys + ", truststore=" + trust + ")";
    }
}
