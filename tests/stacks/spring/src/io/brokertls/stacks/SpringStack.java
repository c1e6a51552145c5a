package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Spring Boot: the provider at place 1; bundles of PEM files and of keystores, with hot reload. */
@SpringBootApplication
@RestController
public class SpringStack {
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8);

    /** Answers with the name of the client. */
    @GetMapping("/")
    public String show(HttpServletRequest request) {
        X509Certificate[] chain = (X509Certificate[]) request.getAttribute("jakarta.servlet.request.X509Certificate");
        return chain[0].getSubjectX500Principal().getName();
    }

    public static void main(String[] arguments) throws Exception {
        Pki.insertProvider();
        Path chain = Pki.copy("server.chain.pem", "server.pem");
        Path key = Pki.copy("server.key", "server.key");
        int pem = start("pem", Map.of("keystore.certificate", chain.toString(), "keystore.private-key", key.toString(),
                "truststore.certificate", Pki.path("ca.crt")));
        Path store = Pki.copy("server.jks", "server.jks");
        int jks = start("jks", Map.of("keystore.location", store.toString(), "keystore.type", "JKS",
                "keystore.password", "changeit", "truststore.location", Pki.path("ca.jks"), "truststore.type", "JKS",
                "truststore.password", "changeit"));
        check("spring boot serves with a bundle of PEM files", () -> equal("CN=device-7", get(pem)));
        check("spring boot serves with a bundle of keystores", () -> equal("CN=device-7", get(jks)));
        RawClient.strangersAreRefused("spring boot", pem, REQUEST);
        check("spring boot shows a new certificate after a change of PEM files", () -> {
            equal("CN=localhost", RawClient.shownName(pem));
            Pki.replace(key, "renewed.key");
            Pki.replace(chain, "renewed.chain.pem");
            RawClient.awaitName(pem, "CN=localhost-renewed");
        });
        check("spring boot shows a new certificate after a change of the keystore", () -> {
            equal("CN=localhost", RawClient.shownName(jks));
            Pki.replace(store, "renewed.jks");
            RawClient.awaitName(jks, "CN=localhost-renewed");
        });
    }

    private static int start(String kind, Map<String, String> bundle) {
        Map<String, Object> settings = new HashMap<>();
        bundle.forEach((name, value) -> settings.put("spring.ssl.bundle." + kind + ".web." + name, value));
        settings.put("spring.ssl.bundle." + kind + ".web.reload-on-update", "true");
        settings.put("spring.ssl.bundle.watch.file.quiet-period", "200ms");
        settings.put("server.ssl.bundle", "web");
        settings.put("server.ssl.client-auth", "need");
        settings.put("server.port", "0");
        settings.put("server.address", "127.0.0.1");
        SpringApplication application = new SpringApplication(SpringStack.class);
        application.setDefaultProperties(settings);
        return ((ServletWebServerApplicationContext) application.run()).getWebServer().getPort();
    }

    private static String get(int port) throws Exception {
        HttpClient client = HttpClient.newBuilder().sslContext(Pki.context(Pki.JDK, "client")).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
}
