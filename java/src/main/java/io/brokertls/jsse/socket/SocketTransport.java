package io.brokertls.jsse.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.Set;
import javax.net.ssl.SSLSocket;

/**
 * The TCP part of a TLS socket. It passes addresses, options and states to its transport: an own socket, or the one
 * that it is layered over.
 */
public abstract class SocketTransport extends SSLSocket {
    final Socket transport;
    final SocketDelay delay;

    SocketTransport(Socket transport) {
        this.transport = transport;
        this.delay = new SocketDelay(transport);
    }

    @Override
    public void bind(SocketAddress address) throws IOException {
        transport.bind(address);
    }

    @Override
    public InetAddress getInetAddress() {
        return transport.getInetAddress();
    }

    @Override
    public InetAddress getLocalAddress() {
        return transport.getLocalAddress();
    }

    @Override
    public int getPort() {
        return transport.getPort();
    }

    @Override
    public int getLocalPort() {
        return transport.getLocalPort();
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
        return transport.getRemoteSocketAddress();
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        return transport.getLocalSocketAddress();
    }

    /** Returns null, as sockets of the JDK do, because the bytes of the channel are ciphertext. */
    @Override
    public SocketChannel getChannel() {
        return null;
    }

    @Override
    public boolean isConnected() {
        return transport.isConnected();
    }

    @Override
    public boolean isBound() {
        return transport.isBound();
    }

    @Override
    public void setTcpNoDelay(boolean on) throws SocketException {
        delay.set(on);
    }

    @Override
    public boolean getTcpNoDelay() throws SocketException {
        return delay.isNone();
    }

    @Override
    public void setSoLinger(boolean on, int linger) throws SocketException {
        transport.setSoLinger(on, linger);
    }

    @Override
    public int getSoLinger() throws SocketException {
        return transport.getSoLinger();
    }

    /** Throws, as sockets of the JDK do, because TLS has no urgent data. */
    @Override
    public void sendUrgentData(int data) throws IOException {
        throw new SocketException("urgent data is not supported by TLS");
    }

    /** Throws, as sockets of the JDK do, because TLS has no urgent data. */
    @Override
    public void setOOBInline(boolean on) throws SocketException {
        throw new SocketException("urgent data is not supported by TLS");
    }

    /** Throws, as sockets of the JDK do, because TLS has no urgent data. */
    @Override
    public boolean getOOBInline() throws SocketException {
        throw new SocketException("urgent data is not supported by TLS");
    }

    @Override
    public void setSoTimeout(int timeoutMs) throws SocketException {
        transport.setSoTimeout(timeoutMs);
    }

    @Override
    public int getSoTimeout() throws SocketException {
        return transport.getSoTimeout();
    }

    @Override
    public void setSendBufferSize(int size) throws SocketException {
        transport.setSendBufferSize(size);
    }

    @Override
    public int getSendBufferSize() throws SocketException {
        return transport.getSendBufferSize();
    }

    @Override
    public void setReceiveBufferSize(int size) throws SocketException {
        transport.setReceiveBufferSize(size);
    }

    @Override
    public int getReceiveBufferSize() throws SocketException {
        return transport.getReceiveBufferSize();
    }

    @Override
    public void setKeepAlive(boolean on) throws SocketException {
        transport.setKeepAlive(on);
    }

    @Override
    public boolean getKeepAlive() throws SocketException {
        return transport.getKeepAlive();
    }

    @Override
    public void setTrafficClass(int trafficClass) throws SocketException {
        transport.setTrafficClass(trafficClass);
    }

    @Override
    public int getTrafficClass() throws SocketException {
        return transport.getTrafficClass();
    }

    @Override
    public void setReuseAddress(boolean on) throws SocketException {
        transport.setReuseAddress(on);
    }

    @Override
    public boolean getReuseAddress() throws SocketException {
        return transport.getReuseAddress();
    }

    @Override
    public void setPerformancePreferences(int connectionTime, int latency, int bandwidth) {
        transport.setPerformancePreferences(connectionTime, latency, bandwidth);
    }

    @Override
    public <T> Socket setOption(SocketOption<T> name, T value) throws IOException {
        if (name == StandardSocketOptions.TCP_NODELAY && value != null) {
            delay.set((Boolean) value);
        } else {
            transport.setOption(name, value);
        }
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return name == StandardSocketOptions.TCP_NODELAY ? name.type().cast(delay.isNone()) : transport.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return transport.supportedOptions();
    }
}
