package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Engines and sockets that sleep, by a call or by themselves: records flow as before. */
class SleepTest {
    private static final byte[] LINE = {1, 2, 3};
    private static final int ENGINES = 100;
    private static final int ROUNDS = 50;

    @TempDir
    static Path folder;

    private static Authority authority;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(folder, "ec");
        authority.issue("server", "ec");
    }

    private static BrokerTlsContext server(String version, String seconds) throws TlsFailure {
        return BrokerTlsContext.builder().certificate(authority.file("server.pem"))
                .privateKey(authority.file("server.key")).option("versions", version).option("sleep-after-s", seconds)
                .build();
    }

    private static BrokerTlsContext client() throws TlsFailure {
        return BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem")).option("sleep-after-s", "1").build();
    }

    private static EnginePair pair(BrokerTlsContext client, BrokerTlsContext server) {
        SSLEngine connecting = client.newEngine(Pki.HOST, 8883);
        connecting.setUseClientMode(true);
        SSLEngine accepting = server.newEngine();
        accepting.setUseClientMode(false);
        return new EnginePair(connecting, accepting);
    }

    private static EnginePair connect(BrokerTlsContext client, BrokerTlsContext server) throws Exception {
        EnginePair pair = pair(client, server);
        pair.handshake();
        return pair;
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void engineSleepsByACallAndWakesAtItsNextRecordInEachDirection(String version) throws Exception {
        try (BrokerTlsContext server = server(version, "0"); BrokerTlsContext client = client()) {
            EnginePair pair = pair(client, server);
            BrokerTlsContext.sleep(pair.server.engine);
            pair.begin();
            BrokerTlsContext.sleep(pair.client.engine);
            pair.handshake();
            for (int round = 0; round < 3; round++) {
                BrokerTlsContext.sleep(pair.server.engine);
                BrokerTlsContext.sleep(pair.client.engine);
                pair.exchange(pair.client, LINE);
                pair.exchange(pair.server, LINE);
            }
            assertTrue(server.maintain().compareTo(Duration.ofSeconds(1)) > 0);
            pair.client.engine.closeOutbound();
            pair.settle();
            BrokerTlsContext.sleep(pair.client.engine);
            BrokerTlsContext.sleep(pair.server.engine);
        }
    }

    @Test
    void enginesAndSocketsOfOthersAreRefused() throws Exception {
        SSLContext foreign = SSLContext.getInstance("TLS", "SunJSSE");
        foreign.init(null, null, null);
        assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.sleep(foreign.createSSLEngine()));
        try (SSLSocket socket = (SSLSocket) foreign.getSocketFactory().createSocket()) {
            assertThrows(IllegalArgumentException.class, () -> BrokerTlsContext.sleep(socket));
        }
        try (BrokerTlsContext client = client();
                SSLSocket socket = (SSLSocket) client.socketFactory().createSocket()) {
            BrokerTlsContext.sleep(socket);
        }
    }

    @Test
    void timeOfMoreThanADayIsRefused() {
        TlsFailure failure = assertThrows(TlsFailure.class, () -> server("TLSv1.3", "86401"));
        assertEquals(ErrorCode.INVALID_ARGUMENT, failure.code());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void enginesInUseAreNeverRefusedForMaintenanceThatLetsThemSleep(String version) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (BrokerTlsContext server = server(version, "1"); BrokerTlsContext client = client()) {
            AtomicBoolean isOver = new AtomicBoolean();
            Future<?> maintenance = threads.submit(() -> {
                while (!isOver.get()) {
                    assertFalse(server.maintain().compareTo(Duration.ofSeconds(1)) > 0);
                    client.maintain();
                }
            });
            List<EnginePair> pairs = new ArrayList<>();
            for (int i = 0; i < ENGINES; i++) {
                pairs.add(connect(client, server));
            }
            for (int round = 0; round < ROUNDS; round++) {
                for (EnginePair pair : pairs) {
                    pair.exchange(pair.client, LINE);
                    pair.exchange(pair.server, LINE);
                }
            }
            for (EnginePair pair : pairs) {
                pair.client.engine.closeOutbound();
                pair.settle();
            }
            isOver.set(true);
            maintenance.get();
        } finally {
            threads.shutdownNow();
        }
    }
}
