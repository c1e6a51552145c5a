package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract of every TLS connector, with clients on this provider and on the JDK. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class ConnectorContract {
    static final String NEED = "transport.needClientAuth=true&needClientAuth=true";

    /**
     * In TLS 1.3 a client's first packet may come together with the end of its handshake. ActiveMQ's NIO transports
     * then process it before they are started, and now and then lose the answer, on every provider.
     */
    static final String TLS_1_2 = "transport.enabledProtocols=TLSv1.2";

    final Stores ours = Stores.ours();
    final Stores impostor = Stores.impostor();

    /** The connectors' schemes. */
    abstract List<String> schemes();

    /**
     * Sends {@code text} to a destination and receives it there: what came. {@code stores} give the client's trust and,
     * with {@code certified}, its certificate.
     */
    abstract String echo(String scheme, Broker broker, Stores stores, boolean certified, String provider, String text)
            throws Exception;

    /** A broker with {@link #ours}. */
    Broker open(String scheme, String options) throws Exception {
        boolean keepsVersion = !losesFirstPackets(scheme) || options.contains("enabledProtocols");
        return new Broker(ours, scheme, keepsVersion ? options : options + "&" + TLS_1_2);
    }

    /** Returns true if {@link #TLS_1_2} is for this connector: over NIO, with a client that sends first. */
    boolean losesFirstPackets(String scheme) {
        return scheme.contains("nio");
    }

    /** Each connector with each provider for the client. */
    Stream<Arguments> pairs() {
        return schemes().stream().flatMap(scheme -> Tls.providers().stream().map(each -> Arguments.of(scheme, each)));
    }

    @BeforeEach
    @AfterEach
    void noSettingOfTheProcess() {
        Tls.assertNoSettingOfTheProcess();
    }

    private void assertServed(String scheme, Broker broker, boolean certified, String provider) throws Exception {
        String text = "hello from " + provider;
        assertEquals(text, echo(scheme, broker, ours, certified, provider, text));
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void messageThroughConnectorArrives(String scheme, String provider) throws Exception {
        try (Broker broker = open(scheme, "")) {
            assertServed(scheme, broker, false, provider);
        }
    }

    @ParameterizedTest
    @MethodSource("schemes")
    void connectorOfOneVersionSpeaksNoOther(String scheme) throws Exception {
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            try (Broker broker = ofOneVersion(scheme, version)) {
                for (String provider : Tls.providers()) {
                    if (version.equals("TLSv1.2") || !losesFirstPackets(scheme)) {
                        assertServed(scheme, broker, false, provider);
                    }
                    assertEquals(version, Sockets.version(ours.clientContext(provider, false), broker.port()));
                }
            }
        }
    }

    Broker ofOneVersion(String scheme, String version) throws Exception {
        return open(scheme, "transport.enabledProtocols=" + version);
    }

    /** The broker refuses the client of {@code context} with {@code alert}, and its log names the reason. */
    private void assertRefusal(String verdict, String alert, String scheme, SSLContext context, Broker broker)
            throws Exception {
        try (BrokerLog log = new BrokerLog()) {
            Sockets.assertRefused(alert, scheme, context, broker.port());
            if (logsRefusals()) {
                String line = log.await("BTLS_CERT");
                assertTrue(line.contains(verdict), line);
            }
        }
    }

    /** Returns the start of the broker's verdict on a certificate that it does not trust. */
    String untrusted() {
        return Tls.untrusted(Tls.PROVIDER);
    }

    /** The alert for it. */
    String untrustedAlert() {
        return "certificate_unknown";
    }

    /** Returns true if the broker's log has the reason of a refusal. */
    boolean logsRefusals() {
        return Tls.isOurs();
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void clientWithNeededCertificateIsServed(String scheme, String provider) throws Exception {
        try (Broker broker = open(scheme, NEED)) {
            assertServed(scheme, broker, true, provider);
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void clientWithoutNeededCertificateIsRefused(String scheme, String provider) throws Exception {
        try (Broker broker = open(scheme, NEED)) {
            // TLS 1.2 has no alert of its own for it.
            String alert = losesFirstPackets(scheme) ? "handshake_failure" : "certificate_required";
            assertRefusal("BTLS_CERT_MISSING", alert, scheme, ours.clientContext(provider, false), broker);
            assertThrows(Exception.class, () -> echo(scheme, broker, ours, false, provider, "lost"));
            assertServed(scheme, broker, true, provider);
        }
    }

    /** The certificate has the name of the one that the broker trusts, so that it is sent and judged. */
    @ParameterizedTest
    @MethodSource("pairs")
    void clientWithAnUntrustedCertificateIsRefused(String scheme, String provider) throws Exception {
        Stores client = impostor.trusting(ours);
        try (Broker broker = open(scheme, NEED)) {
            assertRefusal(untrusted(), untrustedAlert(), scheme, client.clientContext(provider, true), broker);
            assertThrows(Exception.class, () -> echo(scheme, broker, client, true, provider, "lost"));
            assertServed(scheme, broker, true, provider);
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void clientThatDoesNotTrustTheBrokerRefusesIt(String scheme, String provider) throws Exception {
        try (Broker broker = open(scheme, "")) {
            String reason = Sockets.refusal(impostor.clientContext(provider, false), broker.port());
            assertTrue(reason.startsWith("SSLHandshakeException: " + Tls.untrusted(provider)), reason);
            assertTrue(reason.contains("PKIX path"), reason);
            assertThrows(Exception.class, () -> echo(scheme, broker, impostor, false, provider, "lost"));
            assertServed(scheme, broker, false, provider);
        }
    }

    /** All of it at the same time, kept open while a client is served, then cut off. */
    @ParameterizedTest
    @MethodSource("schemes")
    void connectorContinuesToServeAfterAnyInput(String scheme) throws Exception {
        List<Socket> strangers = new ArrayList<>();
        try (Broker broker = open(scheme, "")) {
            try {
                for (byte[] bytes : hostileBytes()) {
                    Socket stranger = new Socket(InetAddress.getLoopbackAddress(), broker.port());
                    strangers.add(stranger);
                    send(stranger, bytes);
                }
                assertServed(scheme, broker, false, Tls.PROVIDER);
            } finally {
                for (Socket stranger : strangers) {
                    stranger.close();
                }
            }
            assertServed(scheme, broker, false, Tls.JDK);
        }
    }

    /** Plaintext of several protocols, noise, and the beginnings of TLS records that continue as noise or end. */
    private List<byte[]> hostileBytes() throws Exception {
        byte[] noise = new byte[20_000];
        new Random(11).nextBytes(noise);
        byte[] hello = Sockets.clientHello(ours.clientContext(Tls.JDK, false));
        byte[] bent = hello.clone();
        for (int index = 50; index < bent.length; index += 7) {
            bent[index] ^= 0x55;
        }
        byte[] record = Arrays.copyOf(new byte[] {22, 3, 3, 0x3f, (byte) 0xff, 1, (byte) 0xff, (byte) 0xff,
                (byte) 0xff},
                9_000);
        byte[] hugeRecord = Arrays.copyOf(new byte[] {22, 3, 3, (byte) 0xff, (byte) 0xff}, 70_000);
        return List.of(new byte[0], "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
                "CONNECT\naccept-version:1.2\n\n\0".getBytes(StandardCharsets.US_ASCII),
                new byte[] {0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0},
                        new byte[] {'A', 'M', 'Q', 'P', 0, 1, 0, 0},
                noise, hello, Arrays.copyOf(hello, hello.length / 2), bent, record, hugeRecord,
                new byte[] {21, 3, 3, 0, 2, 2, 40}, new byte[] {23, 3, 3, 0, 1, 0}, new byte[] {22, 3, 1, 0, 0});
    }

    private static void send(Socket stranger, byte[] bytes) {
        try {
            stranger.getOutputStream().write(bytes);
        } catch (IOException refusedAlready) {
            // What the broker has read is enough for it to have closed the connection.
        }
    }
}
