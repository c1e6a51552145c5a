package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import org.apache.qpid.server.SystemLauncher;
import org.apache.qpid.server.SystemLauncherListener;
import org.apache.qpid.server.model.Container;
import org.apache.qpid.server.model.Port;
import org.apache.qpid.server.model.SystemConfig;
import org.apache.qpid.server.security.FileKeyStore;

/** Qpid Broker-J with the provider at place 1, and at it RabbitMQ's client with a context. */
public final class QpidStack {
    /** The header of AMQP 0-9-1. */
    private static final byte[] HEADER = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};

    private QpidStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Pki.insertProvider();
        Path store = Pki.copy("server.p12", "server.p12");
        int port = Pki.freePort();
        Container<?> broker = start(store, port);
        int other = Pki.freePort();
        start(Pki.file("other.p12"), other);
        for (String provider : List.of(Pki.OURS, Pki.JDK)) {
            check("qpid carries a message of RabbitMQ's client on " + provider,
                    () -> equal("hello", exchange(Pki.context(provider, "client"), port)));
        }
        check("RabbitMQ's client carries a message with a context of the builder",
                () -> equal("hello", exchange(Pki.client("ca").sslContext(), port)));
        // So it does with the provider of the JDK.
        RawClient.strangersAreCutOff("qpid", port, HEADER);
        refused("RabbitMQ's client refuses a server of a strange CA", "BTLS_CERT_SELF_SIGNED_IN_CHAIN",
                () -> exchange(Pki.client("strange-ca").sslContext(), port));
        refused("RabbitMQ's client refuses a server with another name", "BTLS_CERT_NAME_MISMATCH",
                () -> exchange(Pki.client("ca").sslContext(), other));
        check("qpid shows a new certificate after reload() of its keystore and updateTLS() of its port", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            for (FileKeyStore<?> keys : broker.getChildren(FileKeyStore.class)) {
                keys.reload();
            }
            for (Port<?> tls : broker.getChildren(Port.class)) {
                equal(true, tls.updateTLS());
            }
            equal("CN=localhost-renewed", RawClient.shownName(port));
            equal("hello", exchange(Pki.client("ca").sslContext(), port));
        });
    }

    private static Container<?> start(Path store, int port) throws Exception {
        Path folder = Files.createTempDirectory("qpid");
        Path file = Files.writeString(folder.resolve("config.json"), configuration(store, port));
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("type", "Memory");
        attributes.put("initialConfigurationLocation", file.toUri().toString());
        attributes.put("startupLoggedToSystemOut", "false");
        // Qpid gives a client two seconds for TLS and the header together, which a busy machine can exceed.
        attributes.put("context", Map.of("qpid.work_dir", folder.toString(), "qpid.port.protocol_handshake_timeout",
                "60000"));
        CompletableFuture<SystemConfig<?>> started = new CompletableFuture<>();
        new SystemLauncher(new SystemLauncherListener.DefaultSystemLauncherListener() {
            @Override
            public void onContainerResolve(SystemConfig<?> system) {
                started.complete(system);
            }
        }).startup(attributes);
        return started.get().getContainer();
    }

    private static String configuration(Path store, int port) {
        return "{\"name\": \"broker\", \"modelVersion\": \"9.0\",\n"
                + " \"authenticationproviders\": [{\"name\": \"all\", \"type\": \"Anonymous\"}],\n"
                + " \"keystores\": [{\"name\": \"key\", \"type\": \"FileKeyStore\", \"storeUrl\": \"" + store
                + "\", \"keyStoreType\": \"PKCS12\", \"password\": \"changeit\"}],\n"
                + " \"truststores\": [{\"name\": \"cas\", \"type\": \"FileTrustStore\", \"storeUrl\": \""
                + Pki.path("ca.p12") + "\", \"trustStoreType\": \"PKCS12\", \"password\": \"changeit\"}],\n"
                + " \"ports\": [{\"name\": \"tls\", \"port\": " + port + ", \"bindingAddress\": \"127.0.0.1\",\n"
                + "   \"authenticationProvider\": \"all\", \"keyStore\": \"key\", \"trustStores\": [\"cas\"],\n"
                + "   \"needClientAuth\": true, \"transports\": [\"SSL\"], \"protocols\": [\"AMQP_0_9_1\"],\n"
                + "   \"virtualhostaliases\": [{\"name\": \"names\", \"type\": \"nameAlias\"}]}],\n"
                + " \"virtualhostnodes\": [{\"name\": \"default\", \"type\": \"Memory\", \"defaultVirtualHostNode\": true,"
                + "\n   \"virtualHostInitialConfiguration\": \"{\\\"type\\\": \\\"Memory\\\"}\"}]}\n";
    }

    private static String exchange(SSLContext context, int port) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("localhost");
        factory.setPort(port);
        factory.useSslProtocol(context);
        factory.enableHostnameVerification();
        factory.setSaslConfig(mechanisms -> new Anonymous());
        factory.setVirtualHost("default");
        try (Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            String queue = channel.queueDeclare().getQueue();
            channel.basicPublish("", queue, null, "hello".getBytes(StandardCharsets.UTF_8));
            GetResponse response = channel.basicGet(queue, true);
            while (response == null) {
                response = channel.basicGet(queue, true);
            }
            return new String(response.getBody(), StandardCharsets.UTF_8);
        }
    }

    /** The mechanism without a user; the certificate has been verified before. */
    private static final class Anonymous implements com.rabbitmq.client.SaslMechanism {
        @Override
        public String getName() {
            return "ANONYMOUS";
        }

        @Override
        public com.rabbitmq.client.LongString handleChallenge(com.rabbitmq.client.LongString challenge, String user,
                String password) {
            return com.rabbitmq.client.impl.LongStringHelper.asLongString("");
        }
    }
}
