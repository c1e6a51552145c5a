package io.brokertls.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import io.brokertls.peer.Authority;
import io.brokertls.peer.EnginePair;
import io.brokertls.peer.Pki;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The events of JFR. */
class FlightTest {
    private static final List<String> NAMES = List.of("Handshake", "Refusal", "Reload", "Certificate", "Revocation");

    @TempDir
    static Path folder;

    private static MonitoredBroker broker;

    @BeforeAll
    static void issue() throws Exception {
        broker = new MonitoredBroker(Files.createDirectory(folder.resolve("ca")), "one\nforged");
    }

    @Test
    void handshakesRefusalsReloadsCertificatesAndRevocationAreRecorded() throws Exception {
        Path store = Files.copy(broker.store(), folder.resolve("broker.p12"));
        List<RecordedEvent> events;
        try (Recording recording = recording();
                BrokerTlsContext server = BrokerTlsContext.builder().keyStore(store, Authority.PASSWORD)
                        .trustCertificates(broker.file("ca.pem")).crl(broker.file("ca.crl")).name("orders")
                        .build();
                BrokerTlsContext client = broker.client().name("device").build()) {
            for (int i = 0; i < 2; i++) {
                EnginePair pair = MonitoredBroker.pair(client, Pki.HOST, server);
                pair.handshake();
            }
            assertThrows(Exception.class, () -> MonitoredBroker.pair(client, "elsewhere.test", server).handshake());
            server.reload();
            Files.writeString(store, "no store");
            assertThrows(TlsFailure.class, server::reload);
            events = stop(recording);
        }
        List<RecordedEvent> handshakes = of(events, "Handshake", "orders");
        assertEquals(List.of("full", "resumed"), handshakes.stream().filter(event -> !event.getBoolean("client"))
                .map(event -> event.getString("result")).limit(2).collect(Collectors.toList()));
        RecordedEvent ofClient = of(events, "Handshake", "device").get(0);
        assertEquals("TLSv1.3", ofClient.getString("version"));
        assertEquals("localhost:8883", ofClient.getString("address"));
        assertFalse(ofClient.getString("peer").contains("\n"), "a name cannot forge a line");
        assertTrue(ofClient.getString("group") != null && ofClient.getString("cipherSuite").startsWith("TLS_"));
        assertTrue(ofClient.getDuration().toNanos() > 0);
        RecordedEvent refusal = of(events, "Refusal", "device").get(0);
        assertEquals("CERT_NAME_MISMATCH", refusal.getString("code"));
        assertTrue(refusal.getString("message").startsWith("BTLS_CERT_NAME_MISMATCH (303)"));
        assertTrue(refusal.getString("hint").startsWith("Connect to a name in the certificate"));
        assertEquals("elsewhere.test:8883", refusal.getString("address"));
        List<RecordedEvent> reloads = of(events, "Reload", "orders");
        assertEquals(List.of(true, false),
                reloads.stream().map(event -> event.getBoolean("successful")).collect(Collectors.toList()));
        assertTrue(reloads.get(1).getString("failure").startsWith("BTLS_STORE_FORMAT_UNKNOWN (201)"));
        List<RecordedEvent> certificates = of(events, "Certificate", "orders");
        assertTrue(certificates.stream().anyMatch(event -> event.getString("kind").equals("OWN")
                && event.getLong("daysLeft") >= 29), certificates.toString());
        RecordedEvent source = of(events, "Revocation", "orders").get(0);
        assertEquals(1, source.getLong("entries"));
    }

    @Test
    void contextThatIsClosedIsRecordedNoMore() throws Exception {
        broker.server().name("gone").build().close();
        try (Recording recording = recording(); BrokerTlsContext server = broker.server().name("there").build()) {
            List<RecordedEvent> events = stop(recording);
            assertEquals(List.of(), of(events, "Certificate", "gone"));
            assertFalse(of(events, "Certificate", server.name()).isEmpty());
        }
    }

    private static Recording recording() {
        Recording recording = new Recording();
        NAMES.forEach(name -> recording.enable("io.brokertls." + name).withoutThreshold());
        recording.enable("io.brokertls.Revocation").with("period", "endChunk");
        recording.start();
        return recording;
    }

    private static List<RecordedEvent> stop(Recording recording) throws Exception {
        recording.stop();
        Path file = Files.createTempFile(folder, "events", ".jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file);
    }

    private static List<RecordedEvent> of(List<RecordedEvent> events, String name, String context) {
        return events.stream().filter(event -> event.getEventType().getName().equals("io.brokertls." + name)
                && event.getString("context").equals(context)).collect(Collectors.toList());
    }
}
