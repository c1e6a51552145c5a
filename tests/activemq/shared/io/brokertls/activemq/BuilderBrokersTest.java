package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.BrokerTlsContext;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.broker.SslContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Brokers with contexts made by the builder, each its own: "In code" of java/README.md. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BuilderBrokersTest {
    @TempDir Path folder;

    private final Stores ours = Stores.ours();
    private final Stores theirs = Stores.impostor();

    @BeforeEach
    @AfterEach
    void noSettingOfTheProcess() {
        Tls.assertNoSettingOfTheProcess();
    }

    private static BrokerTlsContext context(Path keys, Path trust) throws Exception {
        return BrokerTlsContext.builder()
                .keyStore(keys, Stores.PASSWORD.toCharArray())
                .trustStore(trust, Stores.PASSWORD.toCharArray())
                .clientAuth(BrokerTlsContext.ClientAuth.NEED)
                .build();
    }

    private static BrokerTlsContext context(Stores stores) throws Exception {
        return context(Path.of(stores.path("broker.ks")), Path.of(stores.path("broker.ts")));
    }

    private static Broker broker(BrokerTlsContext tls, String scheme) throws Exception {
        SslContext forBroker = new SslContext();
        forBroker.setSSLContext(tls.sslContext());
        return new Broker(forBroker, scheme, 0, "");
    }

    private static void assertServed(Broker broker, String scheme, Stores client) throws Exception {
        for (String provider : Tls.providers()) {
            Connection connection = Clients.connect(scheme + "://localhost:" + broker.port(), client, true, provider);
            assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
            connection.close();
        }
    }

    /** Nothing in the connector's address asks for certificates: the context does. */
    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl"})
    void eachBrokerServesTheClientsOfItsContextAlone(String scheme) throws Exception {
        try (BrokerTlsContext first = context(ours); BrokerTlsContext second = context(theirs);
                Broker one = broker(first, scheme); Broker two = broker(second, scheme)) {
            for (Broker broker : List.of(one, two)) {
                Stores own = broker == one ? ours : theirs;
                Stores stranger = (broker == one ? theirs : ours).trusting(own);
                String address = scheme + "://localhost:" + broker.port();
                assertServed(broker, scheme, own);
                for (String provider : Tls.providers()) {
                    Sockets.assertRefused("certificate_required", scheme, own.clientContext(provider, false),
                            broker.port());
                    Sockets.assertRefused("unknown_ca", scheme, stranger.clientContext(provider, true), broker.port());
                    assertThrows(JMSException.class, () -> Clients.connect(address, stranger, true, provider).close());
                }
            }
        }
    }

    /** One connector, before and after its stores are replaced. */
    @Test
    void reloadedStoresCountForTheNextClient() throws Exception {
        Path keys = Files.copy(Path.of(ours.path("broker.ks")), folder.resolve("broker.ks"));
        Path trust = Files.copy(Path.of(ours.path("broker.ts")), folder.resolve("broker.ts"));
        try (BrokerTlsContext tls = context(keys, trust); Broker broker = broker(tls, "nio+ssl")) {
            assertServed(broker, "nio+ssl", ours);
            Files.copy(Path.of(theirs.path("broker.ks")), keys, StandardCopyOption.REPLACE_EXISTING);
            Files.copy(Path.of(theirs.path("broker.ts")), trust, StandardCopyOption.REPLACE_EXISTING);
            assertServed(broker, "nio+ssl", ours);
            tls.reload();
            assertServed(broker, "nio+ssl", theirs);
            Sockets.assertRefused("unknown_ca", "nio+ssl", ours.trusting(theirs).clientContext(Tls.JDK, true),
                    broker.port());
        }
    }
}
