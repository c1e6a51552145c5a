package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import io.brokertls.kafka.BrokerTlsEngineFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka: {@code ssl.provider} with {@code security.providers}, and {@code ssl.engine.factory.class}. */
public final class KafkaStack {
    private static final String FACTORY = "io.brokertls.kafka.BrokerTlsEngineFactory";
    /** The first bytes of a request, of a version that no broker knows. */
    private static final byte[] REQUEST = {0, 0, 0, 8, 0, 18, 0, 0, 0, 0, 0, 1};

    private KafkaStack() {
    }

    public static void main(String[] arguments) throws Exception {
        KafkaBroker broker = KafkaBroker.start();
        int byProvider = broker.port("PROVIDER");
        int byFactory = broker.port("FACTORY");
        try (Admin admin = Admin.create(factory(byFactory, "client"))) {
            admin.createTopics(List.of(new NewTopic("orders", 1, (short) 1))).all().get();
        }
        check("kafka with ssl.provider carries messages", () -> carries(provider(byProvider, "client")));
        check("kafka with ssl.engine.factory.class carries messages", () -> carries(factory(byFactory, "client")));
        check("kafka's client on the JDK's provider is served by the factory",
                () -> carries(stores(byFactory, "client")));
        check("kafka's factory takes PEM texts of the configuration", () -> carries(texts(byFactory)));
        strangers(byProvider, byFactory);
        settings();
        KafkaSettings.checkAll();
        reload(byFactory);
    }

    private static void strangers(int byProvider, int byFactory) {
        RawClient.strangersAreRefused("kafka with ssl.provider", byProvider, REQUEST);
        RawClient.strangersAreRefused("kafka with ssl.engine.factory.class", byFactory, REQUEST);
        refused("kafka's factory refuses a broker of a strange CA", "BTLS_CERT_SELF_SIGNED_IN_CHAIN", () -> {
            Map<String, Object> config = factory(byFactory, "client");
            config.put("ssl.truststore.location", Pki.path("strange-ca.p12"));
            topics(config);
        });
        refused("kafka with ssl.provider refuses a broker of a strange CA", "unable to find valid certification path",
                () -> {
                    Map<String, Object> config = provider(byProvider, "client");
                    config.put("ssl.truststore.location", Pki.path("strange-ca.p12"));
                    topics(config);
                });
    }

    private static void settings() {
        for (String[] other : new String[][] {{"ssl.provider", "SunJSSE"}, {"ssl.protocol", "SSLv3"},
                {"ssl.secure.random.implementation", "DRBG"}, {"ssl.trustmanager.algorithm", "SunX509"},
                {"ssl.keystore.type", "BCFKS"}, {"listener.name.x.brokertls.crl", "clients.crl"}}) {
            refused("kafka's factory refuses " + other[0] + "=" + other[1], other[0], () -> {
                Map<String, Object> config = settingsOfFactory();
                config.put(other[0], other[1]);
                configure(config);
            });
        }
        refused("kafka's factory refuses an unknown option", "BTLS_UNKNOWN_OPTION", () -> {
            Map<String, Object> config = settingsOfFactory();
            config.put("brokertls.crls", "clients.crl");
            configure(config);
        });
        refused("kafka's factory refuses a file that is no list", "BTLS_CRL_MALFORMED", () -> {
            Map<String, Object> config = settingsOfFactory();
            config.put("brokertls.crl", Pki.path("ca.crt"));
            configure(config);
        });
        check("kafka's factory is rebuilt for another file under the same name", () -> {
            Path store = Pki.copy("server.p12", "server.p12");
            Map<String, Object> config = settingsOfFactory();
            config.put("ssl.keystore.location", store.toString());
            try (BrokerTlsEngineFactory factory = new BrokerTlsEngineFactory()) {
                factory.configure(config);
                equal(false, factory.shouldBeRebuilt(config));
                Pki.replace(store, "renewed.p12");
                Files.setLastModifiedTime(store, FileTime.fromMillis(1));
                equal(true, factory.shouldBeRebuilt(config));
            }
        });
        refused("kafka's factory refuses a wrong password", "BTLS_STORE_PASSWORD_WRONG", () -> {
            Map<String, Object> config = settingsOfFactory();
            config.put("ssl.keystore.password", new Password("wrong"));
            configure(config);
        });
    }

    private static Map<String, Object> settingsOfFactory() {
        Map<String, Object> config = new HashMap<>();
        config.put("ssl.keystore.location", Pki.path("server.p12"));
        config.put("ssl.keystore.password", new Password(Pki.PASSWORD));
        return config;
    }

    private static void configure(Map<String, Object> config) {
        try (BrokerTlsEngineFactory factory = new BrokerTlsEngineFactory()) {
            factory.configure(config);
        }
    }

    private static void reload(int port) {
        check("kafka shows a new certificate after a change of ssl.keystore.location", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            try (Admin admin = Admin.create(factory(port, "client"))) {
                ConfigResource node = new ConfigResource(ConfigResource.Type.BROKER, "1");
                ConfigEntry entry = new ConfigEntry("listener.name.factory.ssl.keystore.location",
                        Pki.path("renewed.p12"));
                Collection<AlterConfigOp> change = List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET));
                admin.incrementalAlterConfigs(Map.of(node, change)).all().get();
            }
            // The broker applies the change after it has answered.
            RawClient.awaitName(port, "CN=localhost-renewed");
            carries(factory(port, "client"));
        });
    }

    private static void carries(Map<String, Object> config) throws Exception {
        TopicPartition partition = new TopicPartition("orders", 0);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
                KafkaConsumer<String, String> consumer =
                        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            long offset = producer.send(new ProducerRecord<>("orders", "hello")).get().offset();
            consumer.assign(List.of(partition));
            consumer.seek(partition, offset);
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofSeconds(60));
            equal("hello", records.iterator().next().value());
        }
    }

    private static void topics(Map<String, Object> config) throws Exception {
        try (Admin admin = Admin.create(config)) {
            admin.listTopics().names().get();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    private static Map<String, Object> stores(int port, String key) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", "localhost:" + port);
        config.put("security.protocol", "SSL");
        config.put("ssl.keystore.type", "PKCS12");
        config.put("ssl.keystore.location", Pki.path(key + ".p12"));
        config.put("ssl.keystore.password", Pki.PASSWORD);
        config.put("ssl.truststore.type", "PKCS12");
        config.put("ssl.truststore.location", Pki.path("ca.p12"));
        config.put("ssl.truststore.password", Pki.PASSWORD);
        config.put("ssl.provider", Pki.JDK);
        return config;
    }

    private static Map<String, Object> provider(int port, String key) {
        Map<String, Object> config = stores(port, key);
        config.put("security.providers", "io.brokertls.kafka.BrokerTlsProviderCreator");
        config.put("ssl.provider", "BrokerTLS");
        return config;
    }

    private static Map<String, Object> factory(int port, String key) {
        Map<String, Object> config = stores(port, key);
        config.remove("ssl.provider");
        config.put("ssl.engine.factory.class", FACTORY);
        return config;
    }

    private static Map<String, Object> texts(int port) throws Exception {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", "localhost:" + port);
        config.put("security.protocol", "SSL");
        config.put("ssl.engine.factory.class", FACTORY);
        config.put("ssl.keystore.type", "PEM");
        config.put("ssl.keystore.certificate.chain", Files.readString(Pki.file("client.chain.pem")));
        config.put("ssl.keystore.key", Files.readString(Pki.file("client.key")));
        config.put("ssl.truststore.type", "PEM");
        config.put("ssl.truststore.certificates", Files.readString(Pki.file("ca.crt")));
        return config;
    }
}
