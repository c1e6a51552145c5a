package io.brokertls.jsse;

import io.brokertls.jsse.engine.ContextState;
import io.brokertls.jsse.engine.Engine;
import io.brokertls.jsse.socket.SocketEngines;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;

/** Makes the engines of one context for its sockets. */
final class ContextEngines implements SocketEngines {
    private final ContextState context;

    ContextEngines(ContextState context) {
        this.context = context;
    }

    @Override
    public SSLEngine make(SSLSocket socket) {
        return new Engine(context, null, -1, socket);
    }

    @Override
    public void setPeer(SSLEngine engine, String host, int port) {
        ((Engine) engine).setPeer(host, port);
    }

    @Override
    public void free(SSLEngine engine) {
        ((Engine) engine).freeNow();
    }

    @Override
    public String[] defaultCipherSuites() {
        return context.defaultCipherSuites();
    }

    @Override
    public String[] supportedCipherSuites() {
        return context.supportedCipherSuites();
    }
}
