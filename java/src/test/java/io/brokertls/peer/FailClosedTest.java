package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.KeyManagementException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIMatcher;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Demands on peers that calls in an unusual order, or with unusual values, do not take back. */
class FailClosedTest {
    private static final int PATIENCE_S = 60;
    private static final int OTHER_TYPE = 7;

    private interface Connecting {
        Socket to(SSLSocketFactory factory, InetAddress address, int port) throws IOException;
    }

    private static boolean isAccepted(Stack stack, InetAddress address, Connecting connecting) throws Exception {
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (SSLServerSocket listener = (SSLServerSocket) Stack.JDK.context("ec").getServerSocketFactory()
                .createServerSocket(0, 1, address)) {
            Future<Boolean> served = other.submit(() -> {
                try (Socket accepted = listener.accept()) {
                    return accepted.getInputStream().read() == 1;
                } catch (IOException e) {
                    return false;
                }
            });
            SSLSocketFactory factory = stack.context(null).getSocketFactory();
            try (SSLSocket socket = (SSLSocket) connecting.to(factory, address, listener.getLocalPort())) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.getOutputStream().write(1);
            } catch (SSLHandshakeException e) {
                assertFalse(served.get(PATIENCE_S, TimeUnit.SECONDS));
                return false;
            }
            return served.get(PATIENCE_S, TimeUnit.SECONDS);
        } finally {
            other.shutdownNow();
        }
    }

    private static final List<Connecting> CONNECTING = List.of(
            (factory, address, port) -> factory.createSocket(address, port),
            (factory, address, port) -> {
                Socket socket = factory.createSocket();
                socket.connect(new InetSocketAddress(address, port));
                return socket;
            },
            (factory, address, port) -> factory.createSocket(new Socket(address, port), (String) null, port, true),
            (factory, address, port) -> factory.createSocket(new Socket(address, port), "", port, true));

    /** The certificate is for the host localhost, and for no address. */
    @ParameterizedTest
    @EnumSource(Stack.class)
    void nameThatWasLookedUpForAnAddressIsNotTheNameToVerify(Stack stack) throws Exception {
        byte[] loopback = {127, 0, 0, 1};
        for (Connecting connecting : CONNECTING) {
            assertTrue(isAccepted(stack, InetAddress.getByName(Pki.HOST), connecting));
            assertTrue(isAccepted(stack, InetAddress.getByAddress(Pki.HOST, loopback), connecting));
            assertFalse(isAccepted(stack, InetAddress.getByAddress(loopback), connecting));
            InetAddress lookedUp = InetAddress.getByAddress(loopback);
            assertEquals(Pki.HOST, lookedUp.getHostName());
            assertFalse(isAccepted(stack, lookedUp, connecting));
        }
    }

    private static BrokerTlsContext needing() throws Exception {
        return BrokerTlsContext.builder()
                .keyManager((X509ExtendedKeyManager) Stack.JDK.keyManagersOf("ec")[0]).trustSystem()
                .clientAuth(BrokerTlsContext.ClientAuth.NEED).build();
    }

    @Test
    void parametersOfAClientKeepWhatTheContextDemandsOfClients() throws Exception {
        try (BrokerTlsContext built = needing()) {
            SSLEngine server = built.newEngine();
            server.setUseClientMode(true);
            SSLParameters parameters = server.getSSLParameters();
            assertFalse(parameters.getNeedClientAuth());
            parameters.setApplicationProtocols(new String[] {"mqtt"});
            server.setSSLParameters(parameters);
            server.setUseClientMode(false);
            assertTrue(server.getNeedClientAuth());
            SSLEngine client = Stack.JDK.context(null).createSSLEngine(Pki.HOST, 1);
            client.setUseClientMode(true);
            EnginePair pair = new EnginePair(client, server);
            pair.begin().settle();
            TlsFailure refused = assertInstanceOf(TlsFailure.class, pair.server.failure.getCause());
            assertEquals(ErrorCode.CERT_MISSING, refused.code());
        }
    }

    @Test
    void contextOfTheBuilderIsNotInitialisedAgain() throws Exception {
        try (BrokerTlsContext built = needing()) {
            KeyManagementException refused = assertThrows(KeyManagementException.class,
                    () -> built.sslContext().init(null, null, null));
            assertTrue(refused.getMessage().contains("init would replace all of them"), refused.getMessage());
            assertTrue(built.newEngine().getNeedClientAuth());
        }
    }

    /** The key of the server is RSA, and that of its issuer is EC. */
    @ParameterizedTest
    @EnumSource(value = Stack.class, names = {"JDK", "OURS_WITH_JDK_MANAGERS"})
    void constraintsHoldForTheIssuersOfThePeerToo(Stack stack) throws Exception {
        for (String version : new String[] {Pairing.TLS12, Pairing.TLS13}) {
            for (String forbidden : new String[] {"nothing", "EC"}) {
                SSLEngine client = stack.context(null).createSSLEngine(Pki.HOST, 1);
                client.setUseClientMode(true);
                SSLParameters parameters = client.getSSLParameters();
                parameters.setProtocols(new String[] {version});
                parameters.setAlgorithmConstraints(ParametersTest.without(forbidden));
                client.setSSLParameters(parameters);
                SSLEngine server = Stack.JDK.context("rsa").createSSLEngine();
                server.setUseClientMode(false);
                EnginePair pair = new EnginePair(client, server);
                pair.begin().settle();
                assertEquals(forbidden.equals("EC"), pair.client.failure != null, version + " without " + forbidden);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "h2,"})
    void protocolNamesThatDoNotFitAreRefused(String before) {
        SSLEngine engine = Stack.OURS.context(null).createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(true);
        String[] many = new String[129];
        Arrays.setAll(many, index -> "p".repeat(254));
        SSLParameters parameters = engine.getSSLParameters();
        String[][] refusedLists = {(before + "n".repeat(256)).split(","), (before + "n".repeat(258)).split(","),
            (before + "€").split(","), many};
        for (String[] names : refusedLists) {
            parameters.setApplicationProtocols(names);
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> engine.setSSLParameters(parameters));
            assertEquals(ErrorCode.INVALID_ALPN, ((TlsFailure) refused.getCause()).code());
            assertEquals(0, engine.getSSLParameters().getApplicationProtocols().length);
        }
        parameters.setApplicationProtocols((before + "n".repeat(255)).split(","));
        engine.setSSLParameters(parameters);
    }

    @Test
    void serverNameOfAnotherTypeIsRefusedAndTheHostNotSentInItsPlace() {
        SNIServerName other = new SNIServerName(OTHER_TYPE, new byte[] {1}) { };
        for (List<SNIServerName> names : List.of(List.of(other), List.of(new SNIHostName("a.test"), other))) {
            SSLEngine engine = Stack.OURS.context(null).createSSLEngine("secret.test", 1);
            engine.setUseClientMode(true);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setServerNames(names);
            engine.setSSLParameters(parameters);
            SSLException refused = assertThrows(SSLException.class, engine::beginHandshake);
            assertEquals(ErrorCode.INVALID_ARGUMENT, ((TlsFailure) refused.getCause()).code());
        }
    }

    /** As the JDK has it: a name that no matcher takes is refused, also if no matcher is for its type. */
    @ParameterizedTest
    @EnumSource(Stack.class)
    void nameIsRefusedByAServerWithMatchersOfAnotherTypeAlone(Stack stack) throws Exception {
        SSLEngine server = stack.context("ec").createSSLEngine();
        server.setUseClientMode(false);
        SSLParameters parameters = server.getSSLParameters();
        parameters.setSNIMatchers(List.of(new SNIMatcher(OTHER_TYPE) {
            @Override
            public boolean matches(SNIServerName name) {
                return true;
            }
        }));
        server.setSSLParameters(parameters);
        SSLEngine client = Stack.OURS.context(null).createSSLEngine("host.test", 1);
        client.setUseClientMode(true);
        EnginePair pair = new EnginePair(client, server);
        pair.begin().settle();
        TlsFailure told = assertInstanceOf(TlsFailure.class, pair.client.failure.getCause());
        assertEquals(ErrorCode.ALERT_UNRECOGNIZED_NAME, told.code());
    }
}
