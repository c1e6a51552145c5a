package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

import io.brokertls.kafka.BrokerTlsEngineFactory;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.nio.file.Files;
import java.security.Principal;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.internals.BrokerSecurityConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.network.ConnectionMode;
import org.apache.kafka.common.security.auth.SslAuthenticationContext;
import org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder;
import org.apache.kafka.common.security.ssl.SslFactory;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;

/** Each setting of TLS that this version of Kafka has: the engine factory honours it, or refuses it by its name. */
final class KafkaSettings {
    private static final Password RIGHT = new Password(Pki.PASSWORD);
    private static final Password WRONG = new Password("wrong");

    private final Map<String, Checks.Check> cases = new TreeMap<>();

    private KafkaSettings() throws Exception {
        protocols();
        keys();
        trust();
        refusals();
        settingsOfTheBroker();
    }

    /** Checks each setting, and that there is no other. */
    static void checkAll() throws Exception {
        KafkaSettings settings = new KafkaSettings();
        check("kafka has no setting of TLS without a check", () -> equal(names(), settings.cases.keySet()));
        settings.cases.forEach((name, each) -> check("kafka's factory honours or refuses " + name, each));
    }

    private static Set<String> names() throws IllegalAccessException {
        Set<String> names = new TreeSet<>();
        for (Class<?> declaring : List.of(SslConfigs.class, BrokerSecurityConfigs.class)) {
            for (Field field : declaring.getFields()) {
                if (field.getName().startsWith("SSL_") && field.getName().endsWith("_CONFIG")) {
                    names.add((String) field.get(null));
                }
            }
        }
        return names;
    }

    private void protocols() {
        cases.put("ssl.protocol", () -> equal(List.of("TLSv1.2"),
                List.of(clientEngine(with("ssl.protocol", "TLSv1.2")).getEnabledProtocols())));
        cases.put("ssl.enabled.protocols", () -> equal(List.of("TLSv1.3"),
                List.of(serverEngine(with("ssl.enabled.protocols", List.of("TLSv1.3"))).getEnabledProtocols())));
        List<String> suite = List.of("TLS_AES_128_GCM_SHA256");
        cases.put("ssl.cipher.suites", () -> equal(suite,
                List.of(serverEngine(with("ssl.cipher.suites", suite)).getEnabledCipherSuites())));
        cases.put("ssl.endpoint.identification.algorithm", () -> {
            Map<String, Object> other = with("ssl.keystore.location", Pki.path("other.p12"));
            SSLEngine any = factory(trusting()).createClientSslEngine("localhost", 1, "");
            EngineHandshake.run(any, serverEngine(other));
            SSLEngine named = factory(trusting()).createClientSslEngine("localhost", 1, "https");
            fails("BTLS_CERT_NAME_MISMATCH", () -> EngineHandshake.run(named, serverEngine(other)));
        });
        cases.put("ssl.client.auth", () -> {
            for (String mode : List.of("none", "requested", "required")) {
                SSLEngine engine = serverEngine(with("ssl.client.auth", mode));
                equal(mode.equals("requested"), engine.getWantClientAuth());
                equal(mode.equals("required"), engine.getNeedClientAuth());
            }
            fails("ssl.client.auth", () -> factory(with("ssl.client.auth", "maybe")));
        });
    }

    private void keys() throws Exception {
        cases.put("ssl.keystore.location", () -> {
            equal("CN=localhost", shown(settings()));
            equal("CN=other.example", shown(with("ssl.keystore.location", Pki.path("other.p12"))));
            fails("absent.p12", () -> factory(with("ssl.keystore.location", "absent.p12")));
        });
        cases.put("ssl.keystore.password",
                () -> fails("BTLS_STORE_PASSWORD_WRONG", () -> factory(with("ssl.keystore.password", WRONG))));
        cases.put("ssl.keystore.type", () -> {
            Map<String, Object> pem = new HashMap<>();
            pem.put("ssl.keystore.type", "PEM");
            pem.put("ssl.keystore.location", Pki.path("server.pem"));
            equal("CN=localhost", shown(pem));
            fails("ssl.keystore.type", () -> factory(with("ssl.keystore.type", "BCFKS")));
        });
        cases.put("ssl.key.password", () -> {
            Map<String, Object> jks = with("ssl.keystore.location", Pki.path("server.jks"));
            jks.put("ssl.key.password", RIGHT);
            equal("CN=localhost", shown(jks));
            jks.put("ssl.key.password", WRONG);
            fails("BTLS_KEY_PASSWORD_WRONG", () -> factory(jks));
        });
        Map<String, Object> texts = new HashMap<>();
        texts.put("ssl.keystore.type", "PEM");
        texts.put("ssl.keystore.key", text("server.key"));
        texts.put("ssl.keystore.certificate.chain", text("server.chain.pem"));
        for (String name : List.of("ssl.keystore.key", "ssl.keystore.certificate.chain")) {
            cases.put(name, () -> {
                equal("CN=localhost", shown(texts));
                Map<String, Object> alone = new HashMap<>(texts);
                alone.remove(name);
                fails("ssl.keystore.key and ssl.keystore.certificate.chain belong together", () -> factory(alone));
            });
        }
    }

    private void trust() throws Exception {
        cases.put("ssl.truststore.location", () -> {
            admits("client", trusting());
            fails("BTLS_CERT_SELF_SIGNED_IN_CHAIN", () -> admits("stranger", trusting()));
        });
        cases.put("ssl.truststore.password", () -> {
            Map<String, Object> wrong = trusting();
            wrong.put("ssl.truststore.password", WRONG);
            fails("BTLS_STORE_PASSWORD_WRONG", () -> factory(wrong));
        });
        cases.put("ssl.truststore.type", () -> {
            Map<String, Object> pem = settings();
            pem.put("ssl.truststore.type", "PEM");
            pem.put("ssl.truststore.location", Pki.path("ca.crt"));
            admits("client", pem);
            fails("BTLS_CERT_SELF_SIGNED_IN_CHAIN", () -> admits("stranger", pem));
            fails("ssl.truststore.type", () -> factory(with("ssl.truststore.type", "BCFKS")));
        });
        Password ca = text("ca.crt");
        cases.put("ssl.truststore.certificates", () -> {
            Map<String, Object> texts = settings();
            texts.put("ssl.truststore.certificates", ca);
            fails("ssl.truststore.type", () -> factory(texts));
            texts.put("ssl.truststore.type", "PEM");
            admits("client", texts);
            fails("BTLS_CERT_SELF_SIGNED_IN_CHAIN", () -> admits("stranger", texts));
        });
    }

    private void refusals() {
        Map.of("ssl.provider", "SunJSSE", "ssl.keymanager.algorithm", "NewSunX509", "ssl.trustmanager.algorithm",
                "SunX509", "ssl.secure.random.implementation", "DRBG")
                .forEach((name, value) -> cases.put(name, () -> fails(name, () -> factory(with(name, value)))));
    }

    /** Kafka itself reads these, with the session and the stores of the factory. */
    private void settingsOfTheBroker() {
        cases.put("ssl.engine.factory.class", () -> {
            try (SslFactory kafka = new SslFactory(ConnectionMode.SERVER)) {
                kafka.configure(byClass(settings()));
                equal(BrokerTlsEngineFactory.class, kafka.sslEngineFactory().getClass());
            }
        });
        cases.put("ssl.principal.mapping.rules", () -> {
            SSLEngine server = admits("client", trusting());
            SslPrincipalMapper rules = SslPrincipalMapper.fromRules("RULE:^CN=(.*)$/user-$1/");
            Principal principal = new DefaultKafkaPrincipalBuilder(null, rules).build(
                    new SslAuthenticationContext(server.getSession(), InetAddress.getLoopbackAddress(), "SSL"));
            equal("user-device-7", principal.getName());
        });
        cases.put("ssl.allow.dn.changes", () -> changes("renewed.p12", "DistinguishedName", "ssl.allow.dn.changes"));
        cases.put("ssl.allow.san.changes", () -> changes("other.p12", "SubjectAltNames", "ssl.allow.dn.changes",
                "ssl.allow.san.changes"));
    }

    /** Checks that a listener takes another store with these settings, and not without the last of them. */
    private static void changes(String store, String refusal, String... allowing) {
        Map<String, Object> config = byClass(settings());
        for (String name : allowing) {
            config.put(name, true);
        }
        change(config, store);
        config.put(allowing[allowing.length - 1], false);
        fails(refusal, () -> change(config, store));
    }

    private static void change(Map<String, Object> config, String store) {
        try (SslFactory kafka = new SslFactory(ConnectionMode.SERVER)) {
            kafka.configure(config);
            Map<String, Object> next = new HashMap<>(config);
            next.put("ssl.keystore.location", Pki.path(store));
            kafka.validateReconfiguration(next);
        }
    }

    private static Map<String, Object> byClass(Map<String, Object> config) {
        config.put("ssl.engine.factory.class", BrokerTlsEngineFactory.class);
        return config;
    }

    private static Map<String, Object> settings() {
        Map<String, Object> config = new HashMap<>();
        config.put("ssl.keystore.location", Pki.path("server.p12"));
        config.put("ssl.keystore.password", RIGHT);
        return config;
    }

    private static Map<String, Object> with(String name, Object value) {
        Map<String, Object> config = settings();
        config.put(name, value);
        return config;
    }

    private static Map<String, Object> trusting() {
        Map<String, Object> config = settings();
        config.put("ssl.truststore.location", Pki.path("ca.p12"));
        config.put("ssl.truststore.password", RIGHT);
        return config;
    }

    private static Password text(String file) throws Exception {
        return new Password(Files.readString(Pki.file(file)));
    }

    private static BrokerTlsEngineFactory factory(Map<String, Object> config) {
        BrokerTlsEngineFactory factory = new BrokerTlsEngineFactory();
        factory.configure(config);
        return factory;
    }

    private static SSLEngine serverEngine(Map<String, Object> config) {
        return factory(config).createServerSslEngine("localhost", 1);
    }

    private static SSLEngine clientEngine(Map<String, Object> config) {
        return factory(config).createClientSslEngine("localhost", 1, "https");
    }

    /** Returns the name in the certificate that a listener with this configuration shows to a client of the JDK. */
    private static String shown(Map<String, Object> config) throws Exception {
        SSLEngine client = jdkClient(null);
        EngineHandshake.run(client, serverEngine(config));
        return ((X509Certificate) client.getSession().getPeerCertificates()[0]).getSubjectX500Principal().getName();
    }

    /** Returns the engine of a listener that has admitted a client of the JDK. */
    private static SSLEngine admits(String key, Map<String, Object> config) throws Exception {
        Map<String, Object> strict = new HashMap<>(config);
        strict.put("ssl.client.auth", "required");
        SSLEngine server = serverEngine(strict);
        EngineHandshake.run(jdkClient(key), server);
        return server;
    }

    private static SSLEngine jdkClient(String key) throws Exception {
        SSLEngine client = Pki.context(Pki.JDK, key).createSSLEngine("localhost", 1);
        client.setUseClientMode(true);
        return client;
    }

    /** Checks that an action fails with a text in the messages of its exception and the causes. */
    private static void fails(String text, Checks.Check action) {
        try {
            action.run();
        } catch (Exception e) {
            if (Checks.texts(e).contains(text)) {
                return;
            }
            throw new AssertionError("expected " + text, e);
        }
        throw new AssertionError("was not refused: " + text);
    }
}
