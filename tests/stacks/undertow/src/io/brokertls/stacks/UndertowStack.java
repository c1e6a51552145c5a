package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

import io.brokertls.BrokerTlsContext;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.xnio.Options;
import org.xnio.SslClientAuthMode;

/** Undertow: a context of the builder in {@code addHttpsListener}. */
public final class UndertowStack {
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8);

    private UndertowStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Path store = Pki.copy("server.p12", "server.p12");
        BrokerTlsContext tls = Pki.server(store);
        Undertow server = Undertow.builder().addHttpsListener(0, "localhost", tls.sslContext())
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .setSocketOption(Options.SSL_CLIENT_AUTH_MODE, SslClientAuthMode.REQUIRED)
                .setHandler(exchange -> exchange.getResponseSender().send(exchange.getConnection().getSslSessionInfo()
                        .getPeerCertificates()[0] instanceof java.security.cert.X509Certificate certificate
                                ? certificate.getSubjectX500Principal().getName()
                                : "none"))
                .build();
        server.start();
        int port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
        for (HttpClient.Version version : HttpClient.Version.values()) {
            check("undertow serves " + version, () -> equal("CN=device-7", get(port, version)));
        }
        RawClient.strangersAreRefused("undertow", port, REQUEST);
        check("undertow shows a new certificate after reload() of the context", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            tls.reload();
            equal("CN=localhost-renewed", RawClient.shownName(port));
        });
    }

    private static String get(int port, HttpClient.Version version) throws Exception {
        HttpClient client = HttpClient.newBuilder().sslContext(Pki.context(Pki.JDK, "client")).version(version).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        equal(version, response.version());
        return response.body();
    }
}
