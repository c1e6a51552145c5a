package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.coyote.http2.Http2Protocol;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;

/** Tomcat: the provider at place 1; a keystore, PEM files and {@code reloadSslHostConfigs}. */
public final class TomcatStack {
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8);

    private TomcatStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Pki.insertProvider();
        Path store = Pki.copy("server.p12", "server.p12");
        Connector connector = start(certificate -> {
            certificate.setCertificateKeystoreFile(store.toString());
            certificate.setCertificateKeystoreType("PKCS12");
            certificate.setCertificateKeystorePassword(Pki.PASSWORD);
        });
        int port = connector.getLocalPort();
        Connector pem = start(certificate -> {
            certificate.setCertificateFile(Pki.path("server.chain.pem"));
            certificate.setCertificateKeyFile(Pki.path("server.key"));
        });
        for (HttpClient.Version version : HttpClient.Version.values()) {
            check("tomcat with a keystore serves " + version, () -> equal("CN=device-7", get(port, version)));
            check("tomcat with PEM files serves " + version,
                    () -> equal("CN=device-7", get(pem.getLocalPort(), version)));
        }
        RawClient.strangersAreRefused("tomcat", port, REQUEST);
        check("tomcat shows a new certificate after reloadSslHostConfigs()", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            ((AbstractHttp11Protocol<?>) connector.getProtocolHandler()).reloadSslHostConfigs();
            equal("CN=localhost-renewed", RawClient.shownName(port));
        });
    }

    @FunctionalInterface
    private interface Setting {
        void set(SSLHostConfigCertificate certificate);
    }

    private static Connector start(Setting setting) throws Exception {
        Path folder = Files.createTempDirectory("tomcat");
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(folder.toString());
        Connector connector = new Connector();
        connector.setPort(0);
        connector.setSecure(true);
        connector.setScheme("https");
        connector.setProperty("SSLEnabled", "true");
        connector.setProperty("address", "127.0.0.1");
        SSLHostConfig host = new SSLHostConfig();
        host.setCertificateVerification("required");
        host.setTruststoreFile(Pki.path("ca.p12"));
        host.setTruststoreType("PKCS12");
        host.setTruststorePassword(Pki.PASSWORD);
        SSLHostConfigCertificate certificate =
                new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.UNDEFINED);
        setting.set(certificate);
        host.addCertificate(certificate);
        connector.addSslHostConfig(host);
        connector.addUpgradeProtocol(new Http2Protocol());
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", folder.toString());
        Tomcat.addServlet(context, "shower", new Shower());
        context.addServletMappingDecoded("/", "shower");
        tomcat.start();
        return connector;
    }

    private static String get(int port, HttpClient.Version version) throws Exception {
        HttpClient client = HttpClient.newBuilder().sslContext(Pki.context(Pki.JDK, "client")).version(version).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        equal(version, response.version());
        return response.body();
    }

    /** Answers with the name of the client. */
    private static final class Shower extends HttpServlet {
        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            X509Certificate[] chain =
                    (X509Certificate[]) request.getAttribute("jakarta.servlet.request.X509Certificate");
            response.getWriter().print(chain[0].getSubjectX500Principal().getName());
        }
    }
}
