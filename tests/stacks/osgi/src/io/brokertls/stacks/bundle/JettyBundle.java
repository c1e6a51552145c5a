package io.brokertls.stacks.bundle;

import io.brokertls.BrokerTlsContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** A bundle with a server of Jetty, which answers with the version of HTTP. */
public final class JettyBundle implements BundleActivator {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private BrokerTlsContext tls;
    private Server server;

    /** Made by the framework. */
    public JettyBundle() {
    }

    @Override
    public void start(BundleContext context) throws Exception {
        Path pki = Path.of(System.getProperty("stacks.pki"));
        tls = BrokerTlsContext.builder().keyStore(pki.resolve("server.p12"), PASSWORD)
                .trustStore(pki.resolve("ca.p12"), PASSWORD)
                .clientAuth(BrokerTlsContext.ClientAuth.NEED).build();
        SslContextFactory.Server factory = new SslContextFactory.Server();
        factory.setSslContext(tls.sslContext());
        factory.setNeedClientAuth(true);
        HttpConfiguration configuration = new HttpConfiguration();
        ALPNServerConnectionFactory alpn = new ALPNServerConnectionFactory();
        alpn.setDefaultProtocol("http/1.1");
        server = new Server();
        ServerConnector connector = new ServerConnector(server, new SslConnectionFactory(factory, "alpn"), alpn,
                new HTTP2ServerConnectionFactory(configuration), new HttpConnectionFactory(configuration));
        connector.setHost("localhost");
        server.addConnector(connector);
        server.setHandler(new Shower());
        server.start();
        Path result = Path.of(System.getProperty("stacks.osgi.result"));
        Path written = Files.writeString(result.resolveSibling("written"), connector.getLocalPort() + " started");
        Files.move(written, result, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void stop(BundleContext context) throws Exception {
        server.stop();
        tls.close();
    }

    private static final class Shower extends Handler.Abstract {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            Content.Sink.write(response, true, request.getConnectionMetaData().getHttpVersion().asString(), callback);
            return true;
        }
    }
}
