package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import javax.net.ssl.X509ExtendedKeyManager;
import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.transport.HttpClientTransportDynamic;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.client.transport.ClientConnectionFactoryOverHTTP2;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.ClientConnectionFactory;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SniX509ExtendedKeyManager;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.client.WebSocketClient;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** Jetty: {@code setProvider}, stores of each type, HTTP/2, WebSocket and {@code reload}. */
public final class JettyStack {
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8);

    private JettyStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Pki.addProvider();
        SslContextFactory.Server pkcs12 = tls("server.p12", "PKCS12");
        int port = start(pkcs12);
        for (String provider : new String[] {Pki.OURS, Pki.JDK}) {
            check("jetty serves HTTP/1.1 and HTTP/2 to HttpClient on " + provider, () -> {
                equal("HTTP/1.1 CN=device-7", get(provider, port, java.net.http.HttpClient.Version.HTTP_1_1));
                equal("HTTP/2.0 CN=device-7", get(provider, port, java.net.http.HttpClient.Version.HTTP_2));
            });
        }
        for (String[] store : new String[][] {{"server.jks", "JKS"}, {"server.pem", "PEM"}}) {
            int another = start(tls(store[0], store[1]));
            check("jetty serves with a keystore of the type " + store[1], () -> equal("HTTP/2.0 CN=device-7",
                    get(Pki.JDK, another, java.net.http.HttpClient.Version.HTTP_2)));
        }
        RawClient.strangersAreRefused("jetty", port, REQUEST);
        client(port);
        webSocket(port);
        protocols(port);
        reload();
        serverNames();
    }

    /** Keys of two types for two names, and one key for a name that clients must ask for. */
    private static void serverNames() throws Exception {
        KeyStore both = Pki.store("server");
        KeyStore other = Pki.store("other");
        char[] password = Pki.PASSWORD.toCharArray();
        both.setKeyEntry("other", other.getKey("other", password), password, other.getCertificateChain("other"));
        SslContextFactory.Server named = tls("server.p12", "PKCS12");
        named.setKeyStore(both);
        named.setKeyManagerPassword(Pki.PASSWORD);
        int port = start(named);
        for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
            check("jetty shows the certificate for each name over " + version, () -> {
                equal("CN=localhost", RawClient.nameShownFor("localhost", port, version));
                equal("CN=other.example", RawClient.nameShownFor("other.example", port, version));
            });
        }
        mangledAliases(both);
        SslContextFactory.Server tls = tls("server.p12", "PKCS12");
        tls.setSniRequired(true);
        int strict = start(tls);
        check("jetty with sniRequired serves its name",
                () -> equal("CN=localhost", RawClient.nameShownFor("localhost", strict, "TLSv1.3")));
        refused("jetty with sniRequired refuses another name", "Received fatal alert: handshake_failure",
                () -> RawClient.nameShownFor("absent.example", strict, "TLSv1.3"));
    }

    /**
     * The keys of the algorithm PKIX have aliases of their own, such as {@code 1.0.other}. Jetty finds no key for a name
     * by them, with SunJSSE either, unless its key manager maps them back.
     */
    private static void mangledAliases(KeyStore both) throws Exception {
        int port = start(new PkixServer(both, UnaryOperator.identity()));
        int mapped = start(new PkixServer(both, alias -> alias.substring(alias.lastIndexOf('.') + 1)));
        for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
            refused("jetty with PKIX keys finds none for a name over " + version,
                    "Received fatal alert: handshake_failure",
                    () -> RawClient.nameShownFor("localhost", port, version));
            check("jetty with PKIX keys maps their aliases over " + version, () -> {
                equal("CN=localhost", RawClient.nameShownFor("localhost", mapped, version));
                equal("CN=other.example", RawClient.nameShownFor("other.example", mapped, version));
            });
        }
    }

    /** A server with keys of the algorithm PKIX, and a mapping of their aliases. */
    private static final class PkixServer extends SslContextFactory.Server {
        private final UnaryOperator<String> mapper;

        PkixServer(KeyStore keys, UnaryOperator<String> mapper) {
            this.mapper = mapper;
            setProvider(Pki.OURS);
            setKeyStore(keys);
            setKeyManagerPassword(Pki.PASSWORD);
            setKeyManagerFactoryAlgorithm("PKIX");
        }

        @Override
        protected X509ExtendedKeyManager newSniX509ExtendedKeyManager(X509ExtendedKeyManager keys) {
            SniX509ExtendedKeyManager made = new SniX509ExtendedKeyManager(keys, this);
            made.setAliasMapper(mapper);
            return made;
        }
    }

    private static SslContextFactory.Server tls(String store, String type) {
        SslContextFactory.Server tls = new SslContextFactory.Server();
        stores(tls, store, type);
        tls.setNeedClientAuth(true);
        return tls;
    }

    private static void stores(SslContextFactory tls, String store, String type) {
        tls.setProvider("BrokerTLS");
        tls.setKeyStorePath(Pki.path(store));
        tls.setKeyStoreType(type);
        tls.setTrustStorePath(Pki.path("ca.p12"));
        tls.setTrustStoreType("PKCS12");
        tls.setTrustStorePassword(Pki.PASSWORD);
        if (!type.equals("PEM")) {
            tls.setKeyStorePassword(Pki.PASSWORD);
        }
    }

    private static int start(SslContextFactory.Server tls) throws Exception {
        Server server = new Server();
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.addCustomizer(new SecureRequestCustomizer());
        HttpConnectionFactory http = new HttpConnectionFactory(configuration);
        ALPNServerConnectionFactory alpn = new ALPNServerConnectionFactory();
        alpn.setDefaultProtocol("http/1.1");
        ServerConnector connector = new ServerConnector(server, new SslConnectionFactory(tls, "alpn"), alpn,
                new HTTP2ServerConnectionFactory(configuration), http);
        connector.setHost("localhost");
        server.addConnector(connector);
        ContextHandler context = new ContextHandler("/");
        WebSocketUpgradeHandler webSocket = WebSocketUpgradeHandler.from(server, context,
                container -> container.addMapping("/socket", (request, response, callback) -> new Echo()));
        webSocket.setHandler(new Shower());
        context.setHandler(webSocket);
        server.setHandler(context);
        server.start();
        return connector.getLocalPort();
    }

    private static String get(String provider, int port, java.net.http.HttpClient.Version version) throws Exception {
        java.net.http.HttpClient client = java.net.http.HttpClient.newBuilder()
                .sslContext(Pki.context(provider, "client")).version(version).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    private static void client(int port) throws Exception {
        SslContextFactory.Client tls = new SslContextFactory.Client();
        stores(tls, "client.p12", "PKCS12");
        check("jetty's client negotiates HTTP/2", () -> equal("HTTP/2.0 CN=device-7", request(tls, port)));
        int other = start(tls("other.p12", "PKCS12"));
        refused("jetty's client refuses a server with another name", "No subject alternative DNS name matching localhost",
                () -> request(tls, other));
        SslContextFactory.Client strange = new SslContextFactory.Client();
        stores(strange, "client.p12", "PKCS12");
        strange.setTrustStorePath(Pki.path("strange-ca.p12"));
        refused("jetty's client refuses a server of a strange CA", "unable to find valid certification path",
                () -> request(strange, port));
    }

    private static String request(SslContextFactory.Client tls, int port) throws Exception {
        ClientConnector connector = new ClientConnector();
        connector.setSslContextFactory(tls);
        HTTP2Client http2 = new HTTP2Client(connector);
        ClientConnectionFactory.Info h2 = new ClientConnectionFactoryOverHTTP2.HTTP2(http2);
        HttpClient client = new HttpClient(new HttpClientTransportDynamic(connector, h2));
        client.start();
        try {
            return client.GET("https://localhost:" + port + "/").getContentAsString();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        } finally {
            client.stop();
        }
    }

    private static void webSocket(int port) {
        check("jetty carries messages over WebSocket", () -> {
            SslContextFactory.Client tls = new SslContextFactory.Client();
            stores(tls, "client.p12", "PKCS12");
            ClientConnector connector = new ClientConnector();
            connector.setSslContextFactory(tls);
            WebSocketClient client = new WebSocketClient(new HttpClient(new HttpClientTransportDynamic(connector)));
            client.start();
            Heard heard = new Heard();
            Session session = client.connect(heard, URI.create("wss://localhost:" + port + "/socket")).get();
            String message = "x".repeat(60_000);
            session.sendText(message, org.eclipse.jetty.websocket.api.Callback.NOOP);
            equal(message, heard.messages.poll(60, TimeUnit.SECONDS));
            client.stop();
        });
    }

    private static void protocols(int port) {
        check("jetty serves HTTP/1.1 to a client that offers no protocol", () -> {
            try (RawClient client = RawClient.connect(port, "client", "TLSv1.3")) {
                client.write(REQUEST);
                equal(true, new String(client.read(), StandardCharsets.UTF_8).startsWith("HTTP/1.1 200"));
            }
        });
        for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
            refused("jetty refuses a client that offers only other protocols over " + version,
                    "Received fatal alert: no_application_protocol",
                    () -> RawClient.connect(port, "client", version, "mqtt").close());
        }
    }

    private static void reload() throws Exception {
        Path store = Pki.copy("server.p12", "server.p12");
        SslContextFactory.Server tls = tls("server.p12", "PKCS12");
        tls.setKeyStorePath(store.toString());
        int port = start(tls);
        check("jetty shows a new certificate after reload()", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            tls.reload(ignored -> {
            });
            equal("CN=localhost-renewed", RawClient.shownName(port));
        });
    }

    /** Answers with the protocol and the name of the client. */
    private static final class Shower extends Handler.Abstract {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            EndPoint.SslSessionData data =
                    (EndPoint.SslSessionData) request.getAttribute(EndPoint.SslSessionData.ATTRIBUTE);
            Content.Sink.write(response, true, request.getConnectionMetaData().getHttpVersion().asString() + " "
                    + data.peerCertificates()[0].getSubjectX500Principal().getName(), callback);
            return true;
        }
    }

    /** The server's end of a WebSocket. */
    public static final class Echo implements Session.Listener.AutoDemanding {
        private Session session;

        @Override
        public void onWebSocketOpen(Session opened) {
            session = opened;
        }

        @Override
        public void onWebSocketText(String message) {
            session.sendText(message, org.eclipse.jetty.websocket.api.Callback.NOOP);
        }
    }

    /** The client's end of a WebSocket. */
    public static final class Heard implements Session.Listener.AutoDemanding {
        private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();

        @Override
        public void onWebSocketText(String message) {
            messages.add(message);
        }
    }
}
