package io.brokertls.stacks;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Time;

/** A broker of one node, which is its own controller. */
final class KafkaBroker {
    private final Map<String, Integer> ports = new TreeMap<>();

    private KafkaBroker() {
    }

    /** Formats a folder, and starts a broker with a listener for each setting. */
    static KafkaBroker start() throws Exception {
        KafkaBroker broker = new KafkaBroker();
        Path folder = Files.createTempDirectory("kafka");
        Properties settings = broker.settings(folder);
        Path file = folder.resolve("server.properties");
        try (OutputStream out = new FileOutputStream(file.toFile())) {
            settings.store(out, null);
        }
        String[] format = {"format", "--standalone", "--cluster-id", "4L6g3nShT-eMCtK--X86sw", "--config",
            file.toString()};
        int status = StorageTool.execute(format, new PrintStream(OutputStream.nullOutputStream()));
        Checks.equal(0, status);
        new KafkaRaftServer(new KafkaConfig(settings), Time.SYSTEM).startup();
        return broker;
    }

    /** Returns the port of a listener. */
    int port(String listener) {
        return ports.get(listener);
    }

    private Properties settings(Path folder) throws IOException {
        for (String listener : new String[] {"CONTROLLER", "PROVIDER", "FACTORY"}) {
            ports.put(listener, Pki.freePort());
        }
        Properties settings = new Properties();
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", "1");
        settings.put("log.dirs", folder.resolve("data").toString());
        settings.put("controller.quorum.bootstrap.servers", "localhost:" + port("CONTROLLER"));
        settings.put("controller.listener.names", "CONTROLLER");
        settings.put("inter.broker.listener.name", "FACTORY");
        settings.put("listeners", "CONTROLLER://localhost:" + port("CONTROLLER") + ",PROVIDER://localhost:"
                + port("PROVIDER") + ",FACTORY://localhost:" + port("FACTORY"));
        settings.put("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PROVIDER:SSL,FACTORY:SSL");
        settings.put("offsets.topic.replication.factor", "1");
        settings.put("security.providers", "io.brokertls.kafka.BrokerTlsProviderCreator");
        settings.put("ssl.allow.dn.changes", "true");
        settings.put("listener.name.provider.ssl.provider", "BrokerTLS");
        settings.put("listener.name.factory.ssl.engine.factory.class", "io.brokertls.kafka.BrokerTlsEngineFactory");
        for (String listener : new String[] {"provider", "factory"}) {
            String prefix = "listener.name." + listener + ".ssl.";
            settings.put(prefix + "client.auth", "required");
            settings.put(prefix + "keystore.type", "PKCS12");
            settings.put(prefix + "keystore.location", Pki.path("server.p12"));
            settings.put(prefix + "keystore.password", Pki.PASSWORD);
            settings.put(prefix + "key.password", Pki.PASSWORD);
            settings.put(prefix + "truststore.type", "PKCS12");
            settings.put(prefix + "truststore.location", Pki.path("ca.p12"));
            settings.put(prefix + "truststore.password", Pki.PASSWORD);
        }
        return settings;
    }
}
