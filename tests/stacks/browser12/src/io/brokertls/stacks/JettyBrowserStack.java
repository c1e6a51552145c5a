package io.brokertls.stacks;

import java.nio.ByteBuffer;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** A browser at a server of Jetty that answers as a broker of MQTT. */
public final class JettyBrowserStack {
    private JettyBrowserStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Pki.addProvider();
        BrowserChecks.run("jetty", start("server"), start("other"));
    }

    private static int start(String name) throws Exception {
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setProvider("BrokerTLS");
        tls.setKeyStorePath(Pki.path(name + ".p12"));
        tls.setKeyStorePassword(Pki.PASSWORD);
        tls.setTrustStorePath(Pki.path("ca.p12"));
        tls.setTrustStorePassword(Pki.PASSWORD);
        tls.setNeedClientAuth(true);
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server, new SslConnectionFactory(tls, "http/1.1"),
                new HttpConnectionFactory(new HttpConfiguration()));
        connector.setHost("localhost");
        server.addConnector(connector);
        ContextHandler context = new ContextHandler("/");
        context.setHandler(WebSocketUpgradeHandler.from(server, context,
                container -> container.addMapping("/", (request, response, callback) -> {
                    response.setAcceptedSubProtocol("mqtt");
                    return new Broker();
                })));
        server.setHandler(context);
        server.start();
        return connector.getLocalPort();
    }

    /** Accepts a client and its subscription, and sends back what it publishes. */
    public static final class Broker implements Session.Listener.AutoDemanding {
        private static final int CONNECT = 1;
        private static final int PUBLISH = 3;
        private static final int SUBSCRIBE = 8;
        private Session session;

        @Override
        public void onWebSocketOpen(Session opened) {
            session = opened;
        }

        @Override
        public void onWebSocketBinary(ByteBuffer packet, Callback callback) {
            int type = (packet.get(packet.position()) & 0xff) >> 4;
            if (type == CONNECT) {
                session.sendBinary(ByteBuffer.wrap(new byte[] {0x20, 2, 0, 0}), Callback.NOOP);
            } else if (type == SUBSCRIBE) {
                byte high = packet.get(packet.position() + 2);
                byte low = packet.get(packet.position() + 3);
                session.sendBinary(ByteBuffer.wrap(new byte[] {(byte) 0x90, 3, high, low, 0}), Callback.NOOP);
            } else if (type == PUBLISH) {
                byte[] copy = new byte[packet.remaining()];
                packet.get(copy);
                session.sendBinary(ByteBuffer.wrap(copy), Callback.NOOP);
            }
            callback.succeed();
        }
    }
}
