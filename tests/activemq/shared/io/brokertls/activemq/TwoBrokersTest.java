package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two brokers in one process, each with stores of its own and in need of certificates, with clients of both providers
 * in the same process. The certificates of both have the same names, so that it is the key that is found wrong.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TwoBrokersTest {
    private static final String NEED = "transport.needClientAuth=true&needClientAuth=true";

    private static final Stores OURS = Stores.ours();
    private static final Stores THEIRS = Stores.impostor();
    private static Broker first;
    private static Broker second;

    @BeforeAll
    static void startBoth() throws Exception {
        first = new Broker(OURS, "ssl", NEED);
        second = new Broker(THEIRS, "nio+ssl", NEED);
    }

    @AfterAll
    static void stopBoth() throws Exception {
        first.close();
        second.close();
    }

    @BeforeEach
    @AfterEach
    void noSettingOfTheProcess() {
        Tls.assertNoSettingOfTheProcess();
    }

    private static String address(Broker broker) {
        return (broker == first ? "ssl" : "nio+ssl") + "://localhost:" + broker.port();
    }

    @ParameterizedTest
    @MethodSource("io.brokertls.activemq.Tls#providers")
    void eachBrokerServesItsOwnClientsAtTheSameTime(String provider) throws Exception {
        Connection own = Clients.connect(address(first), OURS, true, provider);
        Connection other = Clients.connect(address(second), THEIRS, true, provider);
        Clients.send(own, "greetings", "one");
        Clients.send(other, "greetings", "two");
        assertEquals("two", Clients.receive(other, "greetings"));
        assertEquals("one", Clients.receive(own, "greetings"));
        own.close();
        other.close();
    }

    @ParameterizedTest
    @MethodSource("io.brokertls.activemq.Tls#providers")
    void eachClientRefusesTheOtherBroker(String provider) throws Exception {
        for (Broker broker : List.of(first, second)) {
            Stores strangers = broker == first ? THEIRS : OURS;
            String reason = Sockets.refusal(strangers.clientContext(provider, true), broker.port());
            assertTrue(reason.startsWith("SSLHandshakeException: " + Tls.untrusted(provider)), reason);
            assertTrue(reason.contains("PKIX path"), reason);
            assertThrows(JMSException.class,
                    () -> Clients.connect(address(broker), strangers, true, provider).close());
        }
    }

    /** The clients trust both brokers here, so that it is for the broker to refuse. */
    @ParameterizedTest
    @MethodSource("io.brokertls.activemq.Tls#providers")
    void eachBrokerRefusesTheOthersClients(String provider) throws Exception {
        for (Broker broker : List.of(first, second)) {
            Stores strangers = (broker == first ? THEIRS : OURS).trusting(broker == first ? OURS : THEIRS);
            SSLContext context = strangers.clientContext(provider, true);
            try (BrokerLog log = new BrokerLog()) {
                Sockets.assertRefused("certificate_unknown", broker == first ? "ssl" : "nio+ssl", context,
                        broker.port());
                String verdict = log.await("PKIX path");
                assertTrue(verdict.contains(Tls.untrusted(Tls.PROVIDER)), verdict);
            }
            try (BrokerLog log = new BrokerLog()) {
                assertThrows(JMSException.class,
                        () -> Clients.connect(address(broker), strangers, true, provider).close());
                String verdict = log.await("PKIX path");
                assertTrue(verdict.contains(Tls.untrusted(Tls.PROVIDER)), verdict);
            }
        }
    }

    /** After strangers were refused, the same two contexts serve as before. */
    @Test
    void refusedStrangersLeaveTheOthersServed() throws Exception {
        for (int round = 0; round < 5; round++) {
            for (String provider : Tls.providers()) {
                eachBrokerRefusesTheOthersClients(provider);
                eachBrokerServesItsOwnClientsAtTheSameTime(provider);
            }
        }
    }
}
