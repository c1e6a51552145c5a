package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** HiveMQ CE: the provider at place 1 by a file for {@code java.security.properties}, and a listener in {@code config.xml}. */
public final class HiveMqStack {
    private HiveMqStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Path store = Pki.copy("server.jks", "server.jks");
        int port = Pki.freePort();
        Path folder = Files.createTempDirectory("hivemq");
        Files.writeString(folder.resolve("config.xml"), configuration(store, port));
        EmbeddedHiveMQ broker = EmbeddedHiveMQ.builder().withConfigurationFolder(folder)
                .withDataFolder(Files.createDirectory(folder.resolve("data")))
                .withExtensionsFolder(Files.createDirectory(folder.resolve("extensions"))).build();
        broker.start().get();
        for (String provider : List.of(Pki.OURS, Pki.JDK)) {
            check("hivemq carries a message of a socket on " + provider,
                    () -> equal("hello", Mqtt.exchange(Pki.context(provider, "client"), port, "hello")));
        }
        RawClient.strangersAreRefused("hivemq", port, Mqtt.connect());
        check("hivemq shows a new certificate after a change of the keystore", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.jks");
            RawClient.awaitName(port, "CN=localhost-renewed");
        });
    }

    private static String configuration(Path store, int port) {
        return "<?xml version=\"1.0\"?>\n<hivemq>\n  <listeners>\n    <tls-tcp-listener>\n"
                + "      <port>" + port + "</port>\n      <bind-address>127.0.0.1</bind-address>\n      <tls>\n"
                + "        <keystore>\n          <path>" + store + "</path>\n"
                + "          <password>changeit</password>\n"
                + "          <private-key-password>changeit</private-key-password>\n        </keystore>\n"
                + "        <client-authentication-mode>REQUIRED</client-authentication-mode>\n"
                + "        <truststore>\n          <path>" + Pki.path("ca.jks") + "</path>\n"
                + "          <password>changeit</password>\n        </truststore>\n"
                + "      </tls>\n    </tls-tcp-listener>\n  </listeners>\n"
                + "  <anonymous-usage-statistics>\n    <enabled>false</enabled>\n  </anonymous-usage-statistics>\n"
                + "</hivemq>\n";
    }
}
