package io.brokertls.jsse.socket;

import java.net.Socket;
import java.net.SocketException;

/**
 * Turns off the delay of small packets (sets TCP_NODELAY) from the handshake to the first data.
 *
 * <p>The first data would otherwise wait for the acknowledgement of the last handshake packet, which the peer delays by
 * 40 ms. The application does not see this change, and its own setting has priority.
 */
final class SocketDelay {
    private final Socket transport;
    private volatile boolean isLifted;

    SocketDelay(Socket transport) {
        this.transport = transport;
    }

    synchronized void lift() {
        try {
            if (!transport.getTcpNoDelay()) {
                transport.setTcpNoDelay(true);
                isLifted = true;
            }
        } catch (SocketException e) {
            // The socket is closed, and the handshake fails, or it has no such option.
        }
    }

    void restore() {
        if (isLifted) {
            restoreOnce();
        }
    }

    private synchronized void restoreOnce() {
        try {
            if (isLifted) {
                isLifted = false;
                transport.setTcpNoDelay(false);
            }
        } catch (SocketException e) {
            // It is closed.
        }
    }

    /** Sets the option for the application. */
    synchronized void set(boolean isNone) throws SocketException {
        isLifted = false;
        transport.setTcpNoDelay(isNone);
    }

    /** Returns the setting of the application. */
    synchronized boolean isNone() throws SocketException {
        return transport.getTcpNoDelay() && !isLifted;
    }
}
