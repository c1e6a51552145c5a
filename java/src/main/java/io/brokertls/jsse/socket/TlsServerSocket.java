package io.brokertls.jsse.socket;

import java.io.IOException;
import java.net.Socket;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;

/**
 * Accepts TLS sockets, without a handshake. An engine that is never used holds and checks the settings for the accepted
 * sockets.
 */
final class TlsServerSocket extends SSLServerSocket {
    private final SocketEngines engines;
    private final SSLEngine settings;

    TlsServerSocket(SocketEngines engines) throws IOException {
        this.engines = engines;
        this.settings = engines.make(null);
        settings.setUseClientMode(false);
    }

    @Override
    public Socket accept() throws IOException {
        Socket accepted = super.accept();
        try {
            TlsSocket socket = TlsSocket.over(engines, accepted, null, true, settings.getUseClientMode());
            socket.setEnableSessionCreation(settings.getEnableSessionCreation());
            socket.setSSLParameters(settings.getSSLParameters());
            return socket;
        } catch (IOException | RuntimeException e) {
            accepted.close();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            super.close();
        } finally {
            if (engines != null) {
                engines.free(settings);
            }
        }
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return settings.getSupportedCipherSuites();
    }

    @Override
    public String[] getEnabledCipherSuites() {
        return settings.getEnabledCipherSuites();
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
        settings.setEnabledCipherSuites(suites);
    }

    @Override
    public String[] getSupportedProtocols() {
        return settings.getSupportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
        return settings.getEnabledProtocols();
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
        settings.setEnabledProtocols(protocols);
    }

    @Override
    public void setNeedClientAuth(boolean need) {
        settings.setNeedClientAuth(need);
    }

    @Override
    public boolean getNeedClientAuth() {
        return settings.getNeedClientAuth();
    }

    @Override
    public void setWantClientAuth(boolean want) {
        settings.setWantClientAuth(want);
    }

    @Override
    public boolean getWantClientAuth() {
        return settings.getWantClientAuth();
    }

    @Override
    public void setUseClientMode(boolean client) {
        settings.setUseClientMode(client);
    }

    @Override
    public boolean getUseClientMode() {
        return settings.getUseClientMode();
    }

    @Override
    public void setEnableSessionCreation(boolean enabled) {
        settings.setEnableSessionCreation(enabled);
    }

    @Override
    public boolean getEnableSessionCreation() {
        return settings.getEnableSessionCreation();
    }

    @Override
    public SSLParameters getSSLParameters() {
        return settings.getSSLParameters();
    }

    @Override
    public void setSSLParameters(SSLParameters parameters) {
        settings.setSSLParameters(parameters);
    }

    @Override
    public String toString() {
        return "TlsServerSocket[" + super.toString() + "]";
    }
}
