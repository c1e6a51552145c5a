package io.brokertls.jetty;

import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.eclipse.jetty.alpn.client.ALPNClientConnection;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.ssl.ALPNProcessor;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.io.ssl.SslHandshakeListener;

/** Offers the protocols of a client of Jetty. */
public final class ClientAlpn implements ALPNProcessor.Client {
    /** Made by Jetty. */
    public ClientAlpn() {
    }

    /** Returns true for the engines of this provider. */
    @Override
    public boolean appliesTo(SSLEngine engine) {
        return Engines.areOurs(engine);
    }

    /** Sets the protocols of the engine, and reports the chosen one after the handshake. */
    @Override
    public void configure(SSLEngine engine, Connection connection) {
        ALPNClientConnection alpn = (ALPNClientConnection) connection;
        List<String> protocols = alpn.getProtocols();
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setApplicationProtocols(protocols.toArray(new String[0]));
        engine.setSSLParameters(parameters);
        ((SslConnection.SslEndPoint) connection.getEndPoint()).getSslConnection()
                .addHandshakeListener(new Chosen(alpn));
    }

    /** Reports the protocol that the server chose. */
    private static final class Chosen implements SslHandshakeListener {
        private final ALPNClientConnection connection;

        Chosen(ALPNClientConnection connection) {
            this.connection = connection;
        }

        @Override
        public void handshakeSucceeded(Event event) {
            String protocol = event.getSSLEngine().getApplicationProtocol();
            connection.selected(protocol == null || protocol.isEmpty() ? null : protocol);
        }
    }
}
