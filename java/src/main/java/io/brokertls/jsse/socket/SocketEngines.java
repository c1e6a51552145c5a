package io.brokertls.jsse.socket;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;

/** Where sockets get their engines from: what they need of a context, and of its engines beyond {@link SSLEngine}. */
public interface SocketEngines {
    /** An engine of a socket, which key and trust managers are asked with; null for the settings of a server socket. */
    SSLEngine make(SSLSocket socket);

    /** Names the peer; before the handshake. */
    void setPeer(SSLEngine engine, String host, int port);

    /** Frees what the engine holds outside the Java heap; calls that are in it or come later find it closed. */
    void free(SSLEngine engine);

    String[] defaultCipherSuites();

    String[] supportedCipherSuites();
}
