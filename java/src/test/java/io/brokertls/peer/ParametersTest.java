package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.security.AlgorithmConstraints;
import java.security.AlgorithmParameters;
import java.security.CryptoPrimitive;
import java.security.Key;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each property of SSLParameters that this JVM has is kept or refused by everything that takes it. A property without a
 * row here fails, as one of a later Java would.
 */
class ParametersTest {
    /** A value that differs from the default, and values that are refused. */
    private static final class Row {
        final Object value;
        final Object[] refused;

        Row(Object value, Object... refused) {
            this.value = value;
            this.refused = refused;
        }
    }

    private static final int MANY = Integer.MAX_VALUE;
    private static final AlgorithmConstraints CONSTRAINTS = without("nothing");

    /** The rows of both Java 17 and 25. */
    private static Map<String, Row> rows() {
        Map<String, Row> rows = new LinkedHashMap<>();
        rows.put("AlgorithmConstraints", new Row(CONSTRAINTS));
        rows.put("ApplicationProtocols", new Row(new String[] {"mqtt", "amqp"}));
        rows.put("CipherSuites", new Row(new String[] {"TLS_AES_256_GCM_SHA384"},
                new String[] {}, new String[] {"TLS_NO_SUCH"}, new String[] {"SSL_RSA_WITH_RC4_128_MD5"}));
        rows.put("EnableRetransmissions", new Row(false));
        rows.put("EndpointIdentificationAlgorithm", new Row("LDAPS", "GOPHERS"));
        rows.put("MaximumPacketSize", new Row(1024, 1, 63));
        rows.put("NamedGroups", new Row(new String[] {"secp384r1", "x25519"},
                new String[] {}, new String[] {"nosuch"}, new String[] {"ffdhe2048", "secp521r1"}));
        rows.put("NeedClientAuth", new Row(true));
        rows.put("Protocols", new Row(new String[] {"TLSv1.2"}, new String[] {}, new String[] {"TLSv1"},
                new String[] {"TLSv9"}));
        rows.put("SNIMatchers", new Row(List.of(SNIHostName.createSNIMatcher("broker\\.test"))));
        rows.put("ServerNames", new Row(List.of(new SNIHostName("broker.test"))));
        rows.put("SignatureSchemes", new Row(new String[] {"rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256"},
                new String[] {}, new String[] {"nosuch"}, new String[] {"rsa_pkcs1_sha1", "ed448"}));
        rows.put("UseCipherSuitesOrder", new Row(false));
        rows.put("WantClientAuth", new Row(true));
        return rows;
    }

    /** Takes parameters: an engine or a socket. */
    private static final class Carrier {
        final String name;
        final Supplier<SSLParameters> get;
        final Consumer<SSLParameters> set;

        Carrier(String name, Supplier<SSLParameters> get, Consumer<SSLParameters> set) {
            this.name = name;
            this.get = get;
            this.set = set;
        }
    }

    private static Carrier engine(SSLContext context, boolean isClient) {
        SSLEngine engine = context.createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(isClient);
        return new Carrier(isClient ? "client" : "server", engine::getSSLParameters, engine::setSSLParameters);
    }

    private static List<Carrier> carriers(SSLContext context) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket();
        return List.of(engine(context, true), engine(context, false),
                new Carrier("socket", socket::getSSLParameters, socket::setSSLParameters),
                new Carrier("listener", listener::getSSLParameters, listener::setSSLParameters));
    }

    private static SSLContext ours() {
        return Stack.OURS_WITH_JDK_MANAGERS.context("ec");
    }

    /** The names of all properties of this JVM. */
    private static Set<String> properties() {
        Set<String> names = new TreeSet<>();
        for (Method method : SSLParameters.class.getMethods()) {
            if (method.getName().startsWith("set")) {
                names.add(method.getName().substring("set".length()));
            }
        }
        return names;
    }

    private static Method method(String prefix, String property) {
        String name = prefix + property;
        return Arrays.stream(SSLParameters.class.getMethods()).filter(each -> each.getName().equals(name)).findAny()
                .orElseThrow(() -> new AssertionError("SSLParameters has no " + name));
    }

    private static Object read(SSLParameters parameters, String property) throws ReflectiveOperationException {
        return method("get", property).invoke(parameters);
    }

    private static SSLParameters with(SSLParameters parameters, String property, Object value) {
        try {
            method("set", property).invoke(parameters, new Object[] {value});
            return parameters;
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(property, e);
        }
    }

    private static void assertSameValue(Object expected, Object actual, String what) {
        if (expected instanceof Object[]) {
            assertArrayEquals((Object[]) expected, (Object[]) actual, what);
        } else if (expected instanceof Collection) {
            assertEquals(List.copyOf((Collection<?>) expected), List.copyOf((Collection<?>) actual), what);
        } else {
            assertEquals(expected, actual, what);
        }
    }

    @Test
    void everyPropertyOfThisJvmHasARow() {
        assertTrue(rows().keySet().containsAll(properties()), () -> "without a row: " + properties());
        boolean isLater = Runtime.version().feature() >= 20;
        assertEquals(isLater, properties().contains("NamedGroups"));
    }

    @Test
    void everyPropertyIsGivenBackByWhatTakesIt() throws Exception {
        for (String property : properties()) {
            Row row = rows().get(property);
            for (Carrier carrier : carriers(ours())) {
                SSLParameters before = carrier.get.get();
                if (!property.equals("AlgorithmConstraints")) {
                    assertNotEquals(row.value, read(before, property), "the row has the default: " + property);
                }
                carrier.set.accept(with(before, property, row.value));
                assertSameValue(row.value, read(carrier.get.get(), property), carrier.name + " " + property);
                carrier.set.accept(carrier.get.get());
                assertSameValue(row.value, read(carrier.get.get(), property), "again: " + carrier.name + " " + property);
            }
        }
    }

    @Test
    void everyValueThatCannotBeHonouredIsRefusedAndChangesNothing() throws Exception {
        for (String property : properties()) {
            for (Object value : rows().get(property).refused) {
                for (Carrier carrier : carriers(ours())) {
                    SSLParameters wrong = carrier.get.get();
                    wrong.setUseCipherSuitesOrder(false);
                    wrong.setApplicationProtocols(new String[] {"mqtt"});
                    if (property.equals("CipherSuites")) {
                        wrong.setProtocols(new String[] {"TLSv1.2"});
                    }
                    with(wrong, property, value);
                    assertThrows(IllegalArgumentException.class, () -> carrier.set.accept(wrong),
                            carrier.name + " " + property);
                    SSLParameters after = carrier.get.get();
                    assertTrue(after.getUseCipherSuitesOrder(), "a refused call changes nothing");
                    assertEquals(0, after.getApplicationProtocols().length, "a refused call changes nothing");
                    assertEquals(2, after.getProtocols().length, "a refused call changes nothing");
                }
            }
        }
    }

    @Test
    void parametersOfTheContextKeepWhatItWasBuiltWith() throws Exception {
        KeyManagerFactory keys = Stack.JDK.keyManagers();
        keys.init(Pki.get().identity("ec"), Pki.PASSWORD);
        try (BrokerTlsContext built = BrokerTlsContext.builder()
                .keyManager((X509ExtendedKeyManager) keys.getKeyManagers()[0]).trustSystem()
                .clientAuth(BrokerTlsContext.ClientAuth.WANT).applicationProtocols("mqtt").build()) {
            SSLEngine engine = built.sslContext().createSSLEngine();
            engine.setUseClientMode(false);
            engine.setSSLParameters(built.sslContext().getDefaultSSLParameters());
            assertTrue(engine.getWantClientAuth());
            assertArrayEquals(new String[] {"mqtt"}, engine.getSSLParameters().getApplicationProtocols());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noServerNamesAreSentForAnEmptyListAndTheHostForNone(boolean isEmpty) throws Exception {
        SSLEngine engine = ours().createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        if (isEmpty) {
            parameters.setServerNames(List.of());
        }
        engine.setSSLParameters(parameters);
        assertEquals(!isEmpty, Hello.of(engine).has(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {Pairing.TLS12, Pairing.TLS13})
    void noRecordIsLongerThanTheMaximumPacketSize(String version) throws Exception {
        for (int most : new int[] {64, 512, 1300, 16_000, 100_000}) {
            SSLEngine client = limited(Stack.OURS.context("client"), true, most);
            client.setEnabledProtocols(new String[] {version});
            SSLEngine server = limited(Stack.OURS.context("long"), false, most);
            server.setNeedClientAuth(true);
            EnginePair pair = new EnginePair(client, server);
            pair.begin();
            boolean isMoving = true;
            while (isMoving) {
                isMoving = client.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING && pair.client.step(MANY);
                isMoving |= pair.server.step(MANY);
                assertRecords(pair.server, most);
                isMoving |= pair.client.step(MANY);
                assertRecords(pair.client, most);
            }
            byte[] content = new byte[40_000];
            ByteBuffer source = ByteBuffer.wrap(content);
            while (source.hasRemaining()) {
                pair.client.wrap(source);
            }
            assertRecords(pair.server, most);
            pair.server.readAll(MANY);
            assertArrayEquals(content, pair.server.takePlaintext());
        }
    }

    private static SSLEngine limited(SSLContext context, boolean isClient, int most) {
        SSLEngine engine = context.createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(isClient);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setMaximumPacketSize(most);
        engine.setSSLParameters(parameters);
        return engine;
    }

    /** Looks at the records on their way to this side. */
    private static void assertRecords(EnginePair.Side side, int most) {
        byte[] waiting = side.takeIncoming();
        int start = 0;
        while (start < waiting.length) {
            int length = 5 + ((waiting[start + 3] & 0xff) << 8 | waiting[start + 4] & 0xff);
            assertTrue(length <= most, length + " bytes");
            start += length;
        }
        side.receive(waiting);
    }

    /** Constraints that refuse whatever has this name. */
    static AlgorithmConstraints without(String name) {
        return new AlgorithmConstraints() {
            @Override
            public boolean permits(Set<CryptoPrimitive> primitives, String algorithm, AlgorithmParameters parameters) {
                return !algorithm.equalsIgnoreCase(name);
            }

            @Override
            public boolean permits(Set<CryptoPrimitive> primitives, Key key) {
                return true;
            }

            @Override
            public boolean permits(Set<CryptoPrimitive> primitives, String algorithm, Key key,
                    AlgorithmParameters parameters) {
                return permits(primitives, algorithm, parameters);
            }
        };
    }

    private static Hello helloWithout(String name) throws Exception {
        SSLEngine engine = ours().createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(true);
        engine.setSSLParameters(with(engine.getSSLParameters(), "AlgorithmConstraints", without(name)));
        return Hello.of(engine);
    }

    @Test
    void constraintsLimitWhatAClientOffers() throws Exception {
        Hello all = helloWithout("nothing");
        assertEquals(List.of(0x11ec, 0x1d, 0x17, 0x18), all.numbers(10));
        assertEquals(List.of(0x1d, 0x17, 0x18), helloWithout("X25519MLKEM768").numbers(10));
        assertEquals(List.of(0x11ec, 0x17, 0x18), helloWithout("x25519").numbers(10));
        assertEquals(List.of(0x11ec, 0x1d), helloWithout("EC").numbers(10));
        assertTrue(helloWithout("RSASSA-PSS").numbers(13).stream().noneMatch(number -> number >> 8 == 8
                && number != 0x0807));
        assertEquals(all.suites.size() - 1, helloWithout("TLS_AES_128_GCM_SHA256").suites.size());
        assertEquals(List.of(0x0303), helloWithout("TLSv1.3").versions());
    }

    @Test
    void constraintsThatLeaveNothingAreReportedWhenTheHandshakeBegins() {
        SSLEngine engine = ours().createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3"});
        parameters.setAlgorithmConstraints(without("TLSv1.3"));
        engine.setSSLParameters(parameters);
        Exception refused = assertThrows(SSLException.class, engine::beginHandshake);
        assertTrue(refused.getMessage().contains("permit none of the protocols"), refused.getMessage());
    }
}
