package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.EngineSettings;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.session.ConnectionRecord;
import java.util.List;
import java.util.function.BiFunction;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** The settings of an engine: mode, peer and {@link Parameters}, guarded by the lock of the engine. */
public abstract class ConfiguredEngine extends SSLEngine {
    static final byte MODE_UNSET = 0;
    static final byte MODE_CLIENT = 1;
    static final byte MODE_SERVER = 2;
    /** The positions of the facts of a native connection. */
    static final int FACT_VERSION = 0;
    static final int FACT_CIPHER_SUITE = 1;
    static final int FACT_GROUP = 2;
    static final int FACT_SERVER_NAME = 3;
    static final int FACT_PROTOCOL = 4;

    final Object lock = new Object();
    final ContextState context;
    final SSLSocket socket;
    final Parameters parameters;
    final ConnectionRecord record = new ConnectionRecord();
    /** The event of the handshake, if it is recorded. */
    Object flight;
    String host;
    int port;
    byte mode;

    ConfiguredEngine(ContextState context, String peerHost, int peerPort, SSLSocket socket) {
        super(peerHost, peerPort);
        this.context = context;
        this.socket = socket;
        this.host = peerHost;
        this.port = peerPort;
        this.parameters = new Parameters(context);
    }

    /** Returns true once the native connection was made, or could not be made. */
    abstract boolean isBegun();

    ContextState context() {
        return context;
    }

    SSLSocket socket() {
        return socket;
    }

    /** Returns the number of the connection in its context; 0 before the handshake has begun. */
    public long connectionId() {
        return record.id();
    }

    /** Sets the peer of a socket, before the handshake. */
    public void setPeer(String peerHost, int peerPort) {
        synchronized (lock) {
            host = peerHost;
            port = peerPort;
        }
    }

    @Override
    public String getPeerHost() {
        synchronized (lock) {
            return host;
        }
    }

    @Override
    public int getPeerPort() {
        synchronized (lock) {
            return port;
        }
    }

    @Override
    public void setUseClientMode(boolean isClient) {
        synchronized (lock) {
            if (isBegun()) {
                throw new IllegalArgumentException("the mode cannot change once the handshake has begun");
            }
            mode = isClient ? MODE_CLIENT : MODE_SERVER;
        }
    }

    @Override
    public boolean getUseClientMode() {
        synchronized (lock) {
            return mode == MODE_CLIENT;
        }
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return context.supportedCipherSuites();
    }

    @Override
    public String[] getEnabledCipherSuites() {
        synchronized (lock) {
            return parameters.cipherSuites();
        }
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
        synchronized (lock) {
            parameters.setCipherSuites(suites);
        }
    }

    @Override
    public String[] getSupportedProtocols() {
        return context.supportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
        synchronized (lock) {
            return parameters.protocols();
        }
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
        synchronized (lock) {
            parameters.setProtocols(protocols);
        }
    }

    @Override
    public void setNeedClientAuth(boolean isNeeded) {
        synchronized (lock) {
            parameters.setNeedClientAuth(isNeeded);
        }
    }

    @Override
    public boolean getNeedClientAuth() {
        synchronized (lock) {
            return parameters.needsClientAuth();
        }
    }

    @Override
    public void setWantClientAuth(boolean isWanted) {
        synchronized (lock) {
            parameters.setWantClientAuth(isWanted);
        }
    }

    @Override
    public boolean getWantClientAuth() {
        synchronized (lock) {
            return parameters.wantsClientAuth();
        }
    }

    @Override
    public void setEnableSessionCreation(boolean isAllowed) {
        synchronized (lock) {
            parameters.createsSessions = isAllowed;
        }
    }

    @Override
    public boolean getEnableSessionCreation() {
        synchronized (lock) {
            return parameters.createsSessions;
        }
    }

    @Override
    public SSLParameters getSSLParameters() {
        synchronized (lock) {
            return parameters.get(mode == MODE_CLIENT);
        }
    }

    @Override
    public void setSSLParameters(SSLParameters given) {
        synchronized (lock) {
            parameters.set(given, mode == MODE_CLIENT);
        }
    }

    @Override
    public void setHandshakeApplicationProtocolSelector(BiFunction<SSLEngine, List<String>, String> selector) {
        synchronized (lock) {
            parameters.selector = selector;
        }
    }

    @Override
    public BiFunction<SSLEngine, List<String>, String> getHandshakeApplicationProtocolSelector() {
        synchronized (lock) {
            return parameters.selector;
        }
    }

    /** Returns the settings of the native connection. After an exception they can still be changed. */
    final EngineSettings settings() throws SSLException {
        boolean isClient = mode == MODE_CLIENT;
        boolean hasSocketSelector = !isClient && socket != null
                && socket.getHandshakeApplicationProtocolSelector() != null;
        try {
            return parameters.settings(isClient, host, port, hasSocketSelector);
        } catch (TlsFailure e) {
            throw Failures.exception(e, true);
        }
    }

    /** Makes the native connection. */
    final NativeEngine open(EngineSettings settings) throws TlsFailure {
        return mode == MODE_CLIENT ? connect(settings) : context.nativeContext().accept(settings);
    }

    private NativeEngine connect(EngineSettings settings) throws TlsFailure {
        try {
            return context.nativeContext().connect(parameters.serverName(host), settings);
        } catch (TlsFailure e) {
            if (e.code() != ErrorCode.INVALID_SERVER_NAME || parameters.checksServerName()) {
                throw e;
            }
            // The name cannot be sent, for example because of an underscore, but no comparison was requested.
            return context.nativeContext().connect(null, settings);
        }
    }
}
