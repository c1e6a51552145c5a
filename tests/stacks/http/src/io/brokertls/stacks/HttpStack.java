package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.brokertls.BrokerTlsContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/** The clients {@code java.net.http} and OkHttp, and the server {@code jdk.httpserver}: each with a context. */
public final class HttpStack {
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8);

    private HttpStack() {
    }

    public static void main(String[] arguments) throws Exception {
        int port = start("server");
        int other = start("other");
        check("HttpClient carries a message", () -> equal("CN=device-7", get("ca", port)));
        refused("HttpClient refuses a server of a strange CA", "BTLS_CERT_SELF_SIGNED_IN_CHAIN",
                () -> get("strange-ca", port));
        refused("HttpClient refuses a server with another name", "BTLS_CERT_NAME_MISMATCH", () -> get("ca", other));
        check("OkHttp carries a message", () -> equal("CN=device-7", call("ca", port)));
        refused("OkHttp refuses a server of a strange CA", "unable to find valid certification path",
                () -> call("strange-ca", port));
        refused("OkHttp refuses a server with another name", "BTLS_CERT_NAME_MISMATCH",
                () -> call("ca", other));
        // The server of Java 17 ends the connection first, also with the provider of the JDK.
        if (Runtime.version().feature() < 25) {
            RawClient.strangersAreCutOff("HttpsServer", port, REQUEST);
        } else {
            RawClient.strangersAreRefused("HttpsServer", port, REQUEST);
        }
    }

    private static int start(String name) throws Exception {
        BrokerTlsContext tls = Pki.server(Pki.file(name + ".p12"));
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls.sslContext()) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters needed = getSSLContext().getDefaultSSLParameters();
                needed.setNeedClientAuth(true);
                parameters.setSSLParameters(needed);
            }
        });
        server.createContext("/", exchange -> {
            byte[] answer = ((HttpsExchange) exchange).getSSLSession().getPeerPrincipal().getName()
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        return server.getAddress().getPort();
    }

    private static String get(String trust, int port) throws Exception {
        HttpClient client = HttpClient.newBuilder().sslContext(Pki.client(trust).sslContext()).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** OkHttp takes the trust manager beside the factory. */
    private static String call(String trust, int port) throws Exception {
        X509TrustManager manager = (X509TrustManager) Pki.trust(trust).getTrustManagers()[0];
        BrokerTlsContext tls = BrokerTlsContext.builder()
                .keyStore(Pki.file("client.p12"), Pki.PASSWORD.toCharArray()).trustManager(manager).build();
        OkHttpClient client = new OkHttpClient.Builder().sslSocketFactory(tls.socketFactory(), manager).build();
        try (Response response = client.newCall(new Request.Builder().url("https://localhost:" + port + "/").build())
                .execute()) {
            return response.body().string();
        }
    }
}
