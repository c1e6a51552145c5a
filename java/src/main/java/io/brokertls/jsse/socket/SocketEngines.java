package io.brokertls.jsse.socket;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;

/** Makes the engines of sockets, and offers the operations that {@link SSLEngine} lacks. */
public interface SocketEngines {
    /**
     * Makes an engine.
     *
     * @param socket the socket that key and trust managers get; null for the settings of a server socket
     */
    SSLEngine make(SSLSocket socket);

    /** Sets the peer, before the handshake. */
    void setPeer(SSLEngine engine, String host, int port);

    /** Frees the native memory of the engine. Its current and later calls find it closed. */
    void free(SSLEngine engine);

    /** Returns the cipher suites that are enabled by default. */
    String[] defaultCipherSuites();

    /** Returns every supported cipher suite. */
    String[] supportedCipherSuites();
}
