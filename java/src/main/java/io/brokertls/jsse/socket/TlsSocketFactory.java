package io.brokertls.jsse.socket;

import io.brokertls.internal.OriginalHost;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Objects;
import javax.net.ssl.SSLSocketFactory;

/** Makes client sockets, and sockets layered over others, with the engines of one context. */
public final class TlsSocketFactory extends SSLSocketFactory {
    private final SocketEngines engines;

    /** Makes a factory over the engines of one context. */
    public TlsSocketFactory(SocketEngines engines) {
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
    public Socket createSocket() {
        return new TlsSocket(engines);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connect(address(host, port), null);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return connect(address(host, port), new InetSocketAddress(localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connect(new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort) throws IOException {
        return connect(new InetSocketAddress(host, port), new InetSocketAddress(localHost, localPort));
    }

    /** Returns the address of a host by its name. A host that is null is the loopback interface, as for each socket. */
    private static InetSocketAddress address(String host, int port) throws IOException {
        return host == null
                ? new InetSocketAddress(InetAddress.getByName(null), port)
                : new InetSocketAddress(host, port);
    }

    private Socket connect(InetSocketAddress peer, InetSocketAddress local) throws IOException {
        TlsSocket socket = new TlsSocket(engines);
        try {
            if (local != null) {
                socket.bind(local);
            }
            socket.connect(peer);
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Makes a client socket over {@code below}. {@code host} is the name to verify, and need not be resolvable. Without
     * one, it is the host that {@code below} is connected to.
     */
    @Override
    public Socket createSocket(Socket below, String host, int port, boolean autoClose) throws IOException {
        Objects.requireNonNull(below, "the socket to layer over");
        TlsSocket socket = TlsSocket.over(engines, below, null, autoClose, true);
        boolean hasHost = host != null && !host.isEmpty();
        InetAddress connected = hasHost ? null : below.getInetAddress();
        socket.setPeer(connected == null ? host : OriginalHost.of(connected), port);
        return socket;
    }

    /**
     * Makes a server socket over {@code below}. {@code consumed} has bytes that were read from it before, or is null.
     */
    @Override
    public Socket createSocket(Socket below, InputStream consumed, boolean autoClose) throws IOException {
        Objects.requireNonNull(below, "the socket to layer over");
        return TlsSocket.over(engines, below, consumed, autoClose, false);
    }
}
