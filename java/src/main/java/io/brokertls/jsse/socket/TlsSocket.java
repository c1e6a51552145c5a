package io.brokertls.jsse.socket;

import io.brokertls.ErrorCode;
import io.brokertls.internal.OriginalHost;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import javax.net.ssl.HandshakeCompletedEvent;
import javax.net.ssl.HandshakeCompletedListener;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * A TLS socket: an engine over a TCP socket. The TCP socket is a separate object, its own or one that it is layered
 * over.
 *
 * <p>The first read, write or {@code getSession()} performs the handshake, and so does {@code startHandshake()}.
 */
public final class TlsSocket extends SocketTransport {
    private final SocketEngines engines;
    private final SSLEngine engine;
    private final boolean autoClose;
    private final InputStream consumed;
    private final CopyOnWriteArrayList<HandshakeCompletedListener> listeners = new CopyOnWriteArrayList<>();

    private BiFunction<SSLSocket, List<String>, String> selector;

    /** Null until the socket is connected. */
    private volatile SocketConnection records;
    private volatile boolean inputShut;
    private volatile boolean outputShut;
    private volatile boolean closed;

    /** Makes a client socket that is not connected. */
    TlsSocket(SocketEngines engines) {
        this(engines, new Socket(), null, true);
        engine.setUseClientMode(true);
    }

    private TlsSocket(SocketEngines engines, Socket transport, InputStream consumed, boolean autoClose) {
        super(transport);
        this.engines = engines;
        this.consumed = consumed;
        this.autoClose = autoClose;
        this.engine = engines.make(this);
    }

    /**
     * Makes a socket over a connected one.
     *
     * @param consumed bytes that were read from the transport before, or null
     * @throws SocketException if the transport is not connected
     */
    static TlsSocket over(SocketEngines engines, Socket transport, InputStream consumed, boolean autoClose,
            boolean client) throws IOException {
        if (!transport.isConnected()) {
            throw new SocketException("Underlying socket is not connected");
        }
        TlsSocket socket = new TlsSocket(engines, transport, consumed, autoClose);
        socket.engine.setUseClientMode(client);
        if (!client && transport.getInetAddress() != null) {
            socket.setPeer(OriginalHost.of(transport.getInetAddress()), transport.getPort());
        }
        socket.attach();
        return socket;
    }

    /** Returns the engine of the connection. */
    public SSLEngine engine() {
        return engine;
    }

    void setPeer(String host, int port) {
        engines.setPeer(engine, host, port);
    }

    private void attach() throws IOException {
        records = new SocketConnection(engine, transport, delay, consumed, autoClose);
    }

    @Override
    public void connect(SocketAddress address, int timeoutMs) throws IOException {
        if (records != null) {
            throw new SocketException("Already connected");
        }
        transport.connect(address, timeoutMs);
        if (engine.getPeerHost() == null && address instanceof InetSocketAddress) {
            InetSocketAddress peer = (InetSocketAddress) address;
            // A proxy can look a name up that is not resolved here.
            setPeer(peer.isUnresolved() ? peer.getHostString() : OriginalHost.of(peer.getAddress()), peer.getPort());
        }
        attach();
    }

    @Override
    public void connect(SocketAddress address) throws IOException {
        connect(address, 0);
    }

    private SocketConnection connected() throws IOException {
        if (closed) {
            throw new SocketException("Socket is closed");
        }
        SocketConnection current = records;
        if (current == null) {
            throw new SocketException("Socket is not connected");
        }
        return current;
    }

    @Override
    public void startHandshake() throws IOException {
        SocketConnection current = connected();
        handshake(current);
        current.check();
    }

    private void handshake(SocketConnection current) throws IOException {
        if (current.handshake() && !listeners.isEmpty()) {
            HandshakeCompletedEvent event = new HandshakeCompletedEvent(this, engine.getSession());
            Runnable tell = () -> listeners.forEach(listener -> listener.handshakeCompleted(event));
            Thread thread = new Thread(null, tell, "HandshakeCompletedNotify-Thread", 0, false);
            thread.setDaemon(true);
            thread.start();
        }
    }

    /**
     * Completes the handshake and returns its session. If it fails, the session is not valid and has no cipher suite. A
     * manager that calls this during the handshake gets such a session; {@link #getHandshakeSession()} has the facts.
     */
    @Override
    public SSLSession getSession() {
        SocketConnection current = records;
        if (current != null && !current.isEstablished() && !current.isInHandshake() && !closed) {
            try {
                startHandshake();
            } catch (IOException e) {
                SSLSession none = engine.getSession();
                none.invalidate();
                return none;
            }
        }
        return engine.getSession();
    }

    @Override
    public SSLSession getHandshakeSession() {
        return engine.getHandshakeSession();
    }

    @Override
    public void addHandshakeCompletedListener(HandshakeCompletedListener listener) {
        if (listener == null) {
            throw new IllegalArgumentException("listener is null");
        }
        listeners.addIfAbsent(listener);
    }

    @Override
    public void removeHandshakeCompletedListener(HandshakeCompletedListener listener) {
        if (!listeners.remove(listener)) {
            throw new IllegalArgumentException("listener is not registered");
        }
    }

    /**
     * Returns the plaintext. The end of the input without close_notify throws an SSLException with the code TRUNCATED,
     * because an attacker can cause it.
     */
    @Override
    public InputStream getInputStream() throws IOException {
        connected();
        if (inputShut) {
            throw new SocketException("Socket input is shutdown");
        }
        return new Input();
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        connected();
        if (outputShut) {
            throw new SocketException("Socket output is shutdown");
        }
        return new Output();
    }

    /**
     * Makes reads return the end of the stream. Sends nothing to the peer.
     *
     * @throws javax.net.ssl.SSLException before the peer's close_notify, as sockets of the JDK do, because later data
     *         would be lost
     */
    @Override
    public void shutdownInput() throws IOException {
        SocketConnection current = connected();
        if (inputShut) {
            return;
        }
        if (!current.isInputEnded()) {
            throw SocketConnection.error(ErrorCode.WRONG_STATE, "shutdownInput() before the peer's close_notify");
        }
        inputShut = true;
    }

    /** Sends close_notify, after the handshake if that is not complete. Reading continues. */
    @Override
    public void shutdownOutput() throws IOException {
        SocketConnection current = connected();
        if (outputShut) {
            return;
        }
        outputShut = true;
        current.closeOutput();
    }

    /**
     * Sends close_notify if the peer reads it within SO_LINGER, or within one second, and closes. A thread that reads
     * or writes meanwhile gets a SocketException.
     */
    @Override
    public void close() throws IOException {
        closed = true;
        SocketConnection current = records;
        boolean isFirst = true;
        try {
            if (current != null) {
                isFirst = current.close();
            } else if (autoClose) {
                transport.close();
            }
        } finally {
            if (isFirst) {
                engines.free(engine);
            }
        }
    }

    @Override
    public boolean isClosed() {
        return closed || transport.isClosed();
    }

    @Override
    public boolean isInputShutdown() {
        return inputShut || transport.isInputShutdown();
    }

    @Override
    public boolean isOutputShutdown() {
        return outputShut || engine.isOutboundDone() || transport.isOutputShutdown();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return engine.getSupportedCipherSuites();
    }

    @Override
    public String[] getEnabledCipherSuites() {
        return engine.getEnabledCipherSuites();
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
        engine.setEnabledCipherSuites(suites);
    }

    @Override
    public String[] getSupportedProtocols() {
        return engine.getSupportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
        return engine.getEnabledProtocols();
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
        engine.setEnabledProtocols(protocols);
    }

    @Override
    public void setUseClientMode(boolean client) {
        engine.setUseClientMode(client);
    }

    @Override
    public boolean getUseClientMode() {
        return engine.getUseClientMode();
    }

    @Override
    public void setNeedClientAuth(boolean need) {
        engine.setNeedClientAuth(need);
    }

    @Override
    public boolean getNeedClientAuth() {
        return engine.getNeedClientAuth();
    }

    @Override
    public void setWantClientAuth(boolean want) {
        engine.setWantClientAuth(want);
    }

    @Override
    public boolean getWantClientAuth() {
        return engine.getWantClientAuth();
    }

    @Override
    public void setEnableSessionCreation(boolean enabled) {
        engine.setEnableSessionCreation(enabled);
    }

    @Override
    public boolean getEnableSessionCreation() {
        return engine.getEnableSessionCreation();
    }

    @Override
    public SSLParameters getSSLParameters() {
        return engine.getSSLParameters();
    }

    @Override
    public void setSSLParameters(SSLParameters parameters) {
        engine.setSSLParameters(parameters);
    }

    @Override
    public String getApplicationProtocol() {
        return engine.getApplicationProtocol();
    }

    @Override
    public String getHandshakeApplicationProtocol() {
        return engine.getHandshakeApplicationProtocol();
    }

    @Override
    public synchronized void setHandshakeApplicationProtocolSelector(
            BiFunction<SSLSocket, List<String>, String> chooser) {
        selector = chooser;
        engine.setHandshakeApplicationProtocolSelector(
                chooser == null ? null : (ours, offered) -> chooser.apply(this, offered));
    }

    @Override
    public synchronized BiFunction<SSLSocket, List<String>, String>
            getHandshakeApplicationProtocolSelector() {
        return selector;
    }

    @Override
    public String toString() {
        return "TlsSocket[" + transport + "]";
    }

    /** The received plaintext. Closing it closes the socket. */
    private final class Input extends InputStream {
        private final byte[] single = new byte[1];
        // No monitor, which would keep the carrier of a waiting virtual thread up to Java 23.
        private final ReentrantLock singleLock = new ReentrantLock();

        @Override
        public int read() throws IOException {
            singleLock.lock();
            try {
                return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
            } finally {
                singleLock.unlock();
            }
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            SocketConnection current = connected();
            if (length == 0) {
                return 0;
            }
            if (inputShut) {
                return -1;
            }
            handshake(current);
            return current.read(bytes, offset, length);
        }

        @Override
        public int available() throws IOException {
            SocketConnection current = connected();
            return inputShut ? 0 : current.available();
        }

        @Override
        public void close() throws IOException {
            TlsSocket.this.close();
        }
    }

    /** The plaintext to send. Nothing is buffered. Closing it closes the socket. */
    private final class Output extends OutputStream {
        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            SocketConnection current = connected();
            if (outputShut) {
                throw new SocketException("Socket output is shutdown");
            }
            if (length == 0) {
                return;
            }
            handshake(current);
            current.write(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            TlsSocket.this.close();
        }
    }
}
