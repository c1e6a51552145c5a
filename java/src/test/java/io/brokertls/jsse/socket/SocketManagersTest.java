package io.brokertls.jsse.socket;

import static io.brokertls.jsse.socket.SocketFixture.JDK;
import static io.brokertls.jsse.socket.SocketFixture.accept;
import static io.brokertls.jsse.socket.SocketFixture.async;
import static io.brokertls.jsse.socket.SocketFixture.connect;
import static io.brokertls.jsse.socket.SocketFixture.failure;
import static io.brokertls.jsse.socket.SocketFixture.keys;
import static io.brokertls.jsse.socket.SocketFixture.listen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.peer.WatchedKeys;
import io.brokertls.peer.WatchedTrust;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The application's own managers behind sockets: what they are asked with, and what becomes of what they throw. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketManagersTest {
    private static final Provider PROVIDER = new BrokerTlsProvider();

    /** Versions, each with a peer of our own and with the JDK's. */
    static List<Arguments> peers() {
        return List.of(Arguments.of("TLSv1.3", SocketFixture.OURS), Arguments.of("TLSv1.3", JDK),
                Arguments.of("TLSv1.2", SocketFixture.OURS), Arguments.of("TLSv1.2", JDK));
    }

    @ParameterizedTest
    @MethodSource("peers")
    void serversManagersAreAskedWithTheSocket(String version, SSLContext peer) throws Exception {
        Keys keys = new Keys();
        Trust trust = new Trust();
        try (SSLServerSocket server = listen(context(keys, trust).getServerSocketFactory(), version)) {
            server.setNeedClientAuth(true);
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            converse(peer, server);
            SSLSocket socket = (SSLSocket) accepted.join();
            assertSame(socket, keys.asked);
            assertSame(socket, trust.asked);
            assertEquals("EC", trust.authType);
            assertEquals("broker.test", trust.serverName);
            assertTrue(trust.chain[0].getSubjectX500Principal().getName().startsWith("CN=localhost"));
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void clientsManagersAreAskedWithTheSocket(String version, SSLContext peer) throws Exception {
        Keys keys = new Keys();
        Trust trust = new Trust();
        try (SSLServerSocket server = listen(peer.getServerSocketFactory(), version)) {
            server.setNeedClientAuth(true);
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            SSLSocket client = converse(context(keys, trust), server);
            accepted.join();
            assertSame(client, keys.asked);
            assertSame(client, trust.asked);
            assertEquals(version.equals("TLSv1.3") ? "UNKNOWN" : "ECDHE_ECDSA", trust.authType);
            assertEquals("localhost", trust.peerHost);
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void plainManagersServeOnBothSides(String version, SSLContext peer) throws Exception {
        SSLContext plain = context(plainKeys(), new PlainTrust());
        try (SSLServerSocket server = listen(plain.getServerSocketFactory(), version)) {
            server.setNeedClientAuth(true);
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            converse(peer, server);
            accepted.join();
        }
        try (SSLServerSocket server = listen(peer.getServerSocketFactory(), version)) {
            server.setNeedClientAuth(true);
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            converse(plain, server);
            accepted.join();
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void clientReceivesTheAlertOfTheServersTrustManager(String version, SSLContext peer) throws Exception {
        Trust trust = new Trust();
        trust.refusal = new CertificateException("not on the list");
        try (SSLServerSocket server = listen(context(new Keys(), trust).getServerSocketFactory(), version)) {
            server.setNeedClientAuth(true);
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            SSLException told = assertThrows(SSLException.class, () -> converse(peer, server));
            assertRefused(failure(accepted), trust.refusal);
            assertReported(peer, told, ErrorCode.ALERT_CERTIFICATE_UNKNOWN);
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void serverReceivesTheAlertOfTheClientsTrustManager(String version, SSLContext peer) throws Exception {
        Trust trust = new Trust();
        trust.refusal = new CertificateException("not on the list");
        try (SSLServerSocket server = listen(peer.getServerSocketFactory(), version)) {
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            SSLContext refusing = context(new Keys(), trust);
            assertRefused(assertThrows(SSLException.class, () -> converse(refusing, server)), trust.refusal);
            assertReported(peer, failure(accepted), ErrorCode.ALERT_CERTIFICATE_UNKNOWN);
        }
    }

    private static void assertRefused(Throwable failed, Throwable refusal) {
        assertInstanceOf(SSLHandshakeException.class, failed);
        TlsFailure cause = assertInstanceOf(TlsFailure.class, failed.getCause());
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, cause.code());
        assertSame(refusal, cause.getCause());
    }

    private static void assertReported(SSLContext peer, Throwable told, ErrorCode alert) {
        if (peer == JDK) {
            String name = alert.name().substring("ALERT_".length()).toLowerCase(Locale.ROOT);
            assertTrue(told.getMessage().endsWith(name), told.getMessage());
        } else {
            assertEquals(alert, assertInstanceOf(TlsFailure.class, told.getCause()).code());
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void whatAServersKeyManagerThrowsIsTheCause(String version, SSLContext peer) throws Exception {
        Keys keys = new Keys();
        keys.thrown = new IllegalStateException("token pulled out");
        try (SSLServerSocket server = listen(context(keys, new Trust()).getServerSocketFactory(), version)) {
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            SSLException told = assertThrows(SSLException.class, () -> converse(peer, server));
            assertBroken(failure(accepted), keys.thrown);
            assertReported(peer, told, ErrorCode.ALERT_INTERNAL_ERROR);
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void whatAClientsKeyManagerThrowsIsTheCause(String version, SSLContext peer) throws Exception {
        Keys keys = new Keys();
        keys.thrown = new IllegalStateException("token pulled out");
        try (SSLServerSocket server = listen(peer.getServerSocketFactory(), version)) {
            server.setNeedClientAuth(true);
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            SSLContext broken = context(keys, new Trust());
            assertBroken(assertThrows(SSLException.class, () -> converse(broken, server)), keys.thrown);
            assertReported(peer, failure(accepted), ErrorCode.ALERT_INTERNAL_ERROR);
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void keyThatNoProviderSignsWithFailsTheHandshakeWithTheReason(String version, SSLContext peer) throws Exception {
        Keys keys = new Keys();
        keys.key = new TokenKey();
        try (SSLServerSocket server = listen(context(keys, new Trust()).getServerSocketFactory(), version)) {
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            SSLException told = assertThrows(SSLException.class, () -> converse(peer, server));
            SSLException failed = assertInstanceOf(SSLHandshakeException.class, failure(accepted));
            assertEquals("BTLS_KEY_ALGORITHM_UNSUPPORTED (211): the private key's algorithm is not supported: "
                    + "no provider signs with this key of EC", failed.getMessage());
            TlsFailure cause = assertInstanceOf(TlsFailure.class, failed.getCause());
            assertEquals(ErrorCode.KEY_ALGORITHM_UNSUPPORTED, cause.code());
            assertReported(peer, told, ErrorCode.ALERT_INTERNAL_ERROR);
        }
    }

    private static void assertBroken(Throwable failed, Throwable thrown) {
        TlsFailure cause = assertInstanceOf(TlsFailure.class, failed.getCause());
        assertEquals(ErrorCode.INTERNAL, cause.code());
        assertSame(thrown, cause.getCause());
    }

    @ParameterizedTest
    @MethodSource("peers")
    void managerThatUsesTheSocketItIsAskedAboutDoesNotWaitForItself(String version, SSLContext peer) throws Exception {
        Trust trust = new Trust();
        trust.misuse = socket -> {
            assertEquals("SSL_NULL_WITH_NULL_NULL", socket.getSession().getCipherSuite());
            SSLException refused = assertThrows(SSLException.class, socket::startHandshake);
            assertEquals(ErrorCode.WRONG_STATE, assertInstanceOf(TlsFailure.class, refused.getCause()).code());
            assertThrows(SSLException.class, () -> socket.getInputStream().read());
            assertThrows(SSLException.class, () -> socket.getOutputStream().write(1));
        };
        try (SSLServerSocket server = listen(peer.getServerSocketFactory(), version)) {
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            converse(context(new Keys(), trust), server);
            accepted.join();
        }
    }

    @ParameterizedTest
    @MethodSource("peers")
    void managerMayCloseTheSocketItIsAskedAbout(String version, SSLContext peer) throws Exception {
        Trust trust = new Trust();
        trust.misuse = Socket::close;
        try (SSLServerSocket server = listen(peer.getServerSocketFactory(), version)) {
            CompletableFuture<Socket> accepted = async(() -> serve(server));
            SSLContext closing = context(new Keys(), trust);
            IOException closed = assertThrows(IOException.class, () -> converse(closing, server));
            assertEquals("Socket closed", closed.getMessage());
            assertInstanceOf(IOException.class, failure(accepted));
        }
    }

    private static SSLContext context(KeyManager keys, TrustManager trust) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", PROVIDER);
        context.init(new KeyManager[] {keys}, new TrustManager[] {trust}, null);
        return context;
    }

    private static Socket serve(SSLServerSocket server) throws IOException {
        try (Socket socket = accept(server)) {
            int asked = socket.getInputStream().read();
            socket.getOutputStream().write(asked + 1);
            assertEquals(-1, socket.getInputStream().read());
            return socket;
        }
    }

    private static SSLSocket converse(SSLContext context, SSLServerSocket server) throws IOException {
        try (SSLSocket client = connect(context.getSocketFactory(), server)) {
            SSLParameters parameters = client.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("broker.test")));
            client.setSSLParameters(parameters);
            client.getOutputStream().write(1);
            assertEquals(2, client.getInputStream().read());
            return client;
        }
    }

    /** The action of a manager with the socket of its call. */
    private interface Misuse {
        void of(SSLSocket socket) throws IOException;
    }

    /** Trusts anyone but notes what it is asked; or refuses, or misuses the socket. */
    private static final class Trust extends WatchedTrust {
        private volatile Socket asked;
        private volatile String authType;
        private volatile String peerHost;
        private volatile String serverName;
        private volatile X509Certificate[] chain;
        private volatile CertificateException refusal;
        private volatile Misuse misuse;

        @Override
        protected void judge(String side, X509Certificate[] given, String type, Object connection)
                throws CertificateException {
            asked = (Socket) connection;
            authType = type;
            chain = given;
            SSLSocket secured = (SSLSocket) connection;
            ExtendedSSLSession session = (ExtendedSSLSession) secured.getHandshakeSession();
            assertNotNull(session);
            peerHost = session.getPeerHost();
            session.getRequestedServerNames().forEach(name -> serverName = ((SNIHostName) name).getAsciiName());
            assertFalse(session.getLocalSupportedSignatureAlgorithms().length == 0);
            if (misuse != null) {
                try {
                    misuse.of(secured);
                } catch (IOException e) {
                    throw new CertificateException(e);
                }
            }
            if (refusal != null) {
                throw refusal;
            }
        }
    }

    /** The fixture's identity behind the plain interface. */
    private static X509KeyManager plainKeys() {
        X509ExtendedKeyManager below = keys();
        return (X509KeyManager) Proxy.newProxyInstance(SocketManagersTest.class.getClassLoader(),
                new Class<?>[] {X509KeyManager.class}, (proxy, method, arguments) -> method.invoke(below, arguments));
    }

    private static final class PlainTrust implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] given, String type) {
            assertEquals(1, given.length);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] given, String type) {
            assertEquals(1, given.length);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** A manager with the fixture's identity that records its calls, or throws. */
    private static final class Keys extends WatchedKeys {
        private volatile Socket asked;
        private volatile RuntimeException thrown;
        private volatile PrivateKey key;

        Keys() {
            super(keys());
        }

        @Override
        protected void asked(String side, String[] keyTypes, Principal[] issuers, Object connection) {
            asked = (Socket) connection;
            if (thrown != null) {
                throw thrown;
            }
        }

        /** The fixture's identity is its own issuer, which a server need not name. */
        @Override
        public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
            return super.chooseClientAlias(keyTypes, null, socket);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return key == null ? super.getPrivateKey(alias) : key;
        }
    }

    /** A key in a token of a provider that is not installed. */
    private static final class TokenKey implements PrivateKey {
        private static final long serialVersionUID = 1L;

        @Override
        public String getAlgorithm() {
            return "EC";
        }

        @Override
        public String getFormat() {
            return null;
        }

        @Override
        public byte[] getEncoded() {
            return null;
        }
    }
}
