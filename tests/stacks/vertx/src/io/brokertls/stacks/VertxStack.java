package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import io.netty.handler.codec.mqtt.MqttQoS;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.net.PfxOptions;
import io.vertx.core.net.ServerSSLOptions;
import io.vertx.mqtt.MqttClient;
import io.vertx.mqtt.MqttClientOptions;
import io.vertx.mqtt.MqttEndpoint;
import io.vertx.mqtt.MqttServer;
import io.vertx.mqtt.MqttServerOptions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** Vert.x: the provider at place 1, for the server and the client of MQTT. */
public final class VertxStack {
    private VertxStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Pki.insertProvider();
        Vertx vertx = Vertx.vertx();
        MqttServer server = start(vertx, "server", 0);
        int port = server.actualPort();
        for (String provider : List.of(Pki.OURS, Pki.JDK)) {
            check("vertx' MQTT server carries a message of a socket on " + provider,
                    () -> equal("hello", Mqtt.exchange(Pki.context(provider, "client"), port, "hello")));
        }
        check("vertx' MQTT client carries a message", () -> equal("hello", exchange(vertx, port, "ca")));
        RawClient.strangersAreRefused("vertx' MQTT server", port, Mqtt.connect());
        refused("vertx' MQTT client refuses a server of a strange CA", "unable to find valid certification path",
                () -> exchange(vertx, port, "strange-ca"));
        int other = start(vertx, "other", 0).actualPort();
        refused("vertx' MQTT client refuses a server with another name",
                "No subject alternative DNS name matching localhost", () -> exchange(vertx, other, "ca"));
        check("vertx' MQTT server shows a new certificate after updateSSLOptions()", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            ServerSSLOptions renewed = new ServerSSLOptions().setKeyCertOptions(store("renewed"))
                    .setTrustOptions(store("ca")).setClientAuth(ClientAuth.REQUIRED);
            equal(true, server.updateSSLOptions(renewed).toCompletionStage().toCompletableFuture().get());
            equal("CN=localhost-renewed", RawClient.shownName(port));
            equal("hello", exchange(vertx, port, "ca"));
        });
        sharedPort(vertx);
    }

    /** Vert.x spreads the connections over the servers that share a port. */
    private static void sharedPort(Vertx vertx) throws Exception {
        int port = Pki.freePort();
        List<MqttServer> servers = List.of(start(vertx, "server", port), start(vertx, "server", port));
        check("vertx' MQTT servers of one port all show a new certificate after updateSSLOptions()", () -> {
            ServerSSLOptions renewed = new ServerSSLOptions().setKeyCertOptions(store("renewed"))
                    .setTrustOptions(store("ca")).setClientAuth(ClientAuth.REQUIRED);
            for (MqttServer server : servers) {
                server.updateSSLOptions(renewed, true).toCompletionStage().toCompletableFuture().get();
            }
            for (int i = 0; i < 2 * servers.size(); i++) {
                equal("CN=localhost-renewed", RawClient.shownName(port));
            }
        });
    }

    private static PfxOptions store(String name) {
        return new PfxOptions().setPath(Pki.path(name + ".p12")).setPassword(Pki.PASSWORD);
    }

    private static MqttServer start(Vertx vertx, String name, int port) throws Exception {
        MqttServerOptions options = new MqttServerOptions().setPort(port).setHost("localhost");
        options.setSsl(true).setKeyCertOptions(store(name)).setTrustOptions(store("ca"))
                .setClientAuth(ClientAuth.REQUIRED);
        MqttServer server = MqttServer.create(vertx, options).endpointHandler(VertxStack::serve);
        return server.listen().toCompletionStage().toCompletableFuture().get();
    }

    private static void serve(MqttEndpoint endpoint) {
        endpoint.subscribeHandler(subscribe -> endpoint.subscribeAcknowledge(subscribe.messageId(),
                List.of(MqttQoS.AT_MOST_ONCE)));
        endpoint.publishHandler(message -> endpoint.publish(message.topicName(), message.payload(),
                MqttQoS.AT_MOST_ONCE, false, false));
        endpoint.accept(false);
    }

    private static String exchange(Vertx vertx, int port, String trust) throws Exception {
        MqttClientOptions options = new MqttClientOptions();
        options.setSsl(true).setKeyCertOptions(store("client")).setTrustOptions(store(trust))
                .setHostnameVerificationAlgorithm("HTTPS");
        MqttClient client = MqttClient.create(vertx, options);
        CompletableFuture<String> received = new CompletableFuture<>();
        client.publishHandler(message -> received.complete(message.payload().toString()));
        try {
            client.connect(port, "localhost").toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
        client.subscribe("t", 0);
        client.publish("t", Buffer.buffer("hello"), MqttQoS.AT_MOST_ONCE, false, false);
        return received.get(60, TimeUnit.SECONDS);
    }
}
