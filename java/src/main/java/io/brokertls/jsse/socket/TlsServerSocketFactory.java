package io.brokertls.jsse.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import javax.net.ssl.SSLServerSocketFactory;

/** Makes server sockets with the engines of one context. */
public final class TlsServerSocketFactory extends SSLServerSocketFactory {
    private static final int DEFAULT_BACKLOG = 50;

    private final SocketEngines engines;

    /** Makes a factory over the engines of one context. */
    public TlsServerSocketFactory(SocketEngines engines) {
        this.engines = engines;
    }

    @Override
    public String[] getDefaultCipherSuites() {
        return engines.defaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return engines.supportedCipherSuites();
    }

    @Override
    public ServerSocket createServerSocket() throws IOException {
        return new TlsServerSocket(engines);
    }

    @Override
    public ServerSocket createServerSocket(int port) throws IOException {
        return createServerSocket(port, DEFAULT_BACKLOG, null);
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog) throws IOException {
        return createServerSocket(port, backlog, null);
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog, InetAddress address) throws IOException {
        TlsServerSocket socket = new TlsServerSocket(engines);
        try {
            socket.bind(new InetSocketAddress(address, port), backlog);
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }
}
