package io.brokertls.jetty;

import java.util.List;
import java.util.function.BiFunction;
import javax.net.ssl.SSLEngine;
import org.eclipse.jetty.alpn.server.ALPNServerConnection;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.ssl.ALPNProcessor;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.io.ssl.SslHandshakeListener;

/** Chooses the protocol of a connection to a server of Jetty. */
public final class ServerAlpn implements ALPNProcessor.Server {
    /** Made by Jetty. */
    public ServerAlpn() {
    }

    /** Returns true for the engines of this provider. */
    @Override
    public boolean appliesTo(SSLEngine engine) {
        return Engines.areOurs(engine);
    }

    /** Makes the engine ask the connection for the protocol. */
    @Override
    public void configure(SSLEngine engine, Connection connection) {
        Choice choice = new Choice((ALPNServerConnection) connection);
        engine.setHandshakeApplicationProtocolSelector(choice);
        ((SslConnection.SslEndPoint) connection.getEndPoint()).getSslConnection().addHandshakeListener(choice);
    }

    /** The choice of one connection. */
    private static final class Choice implements BiFunction<SSLEngine, List<String>, String>, SslHandshakeListener {
        private final ALPNServerConnection connection;

        Choice(ALPNServerConnection connection) {
            this.connection = connection;
        }

        /** Returns the protocol, or null if the client offers none that the connector has; the engine refuses it. */
        @Override
        public String apply(SSLEngine engine, List<String> offered) {
            try {
                connection.select(offered);
                return connection.getProtocol();
            } catch (RuntimeException e) {
                return null;
            }
        }

        /** Takes the default protocol of the connector for a client that offers none. */
        @Override
        public void handshakeSucceeded(Event event) {
            if (connection.getProtocol() == null) {
                connection.unsupported();
            }
        }
    }
}
