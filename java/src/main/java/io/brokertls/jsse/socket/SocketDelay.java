package io.brokertls.jsse.socket;

import java.net.Socket;
import java.net.SocketException;

/**
 * The delay of small packets (TCP_NODELAY says that there is none) of a socket below.
 *
 * <p>It is lifted from the handshake to the first data: the first packet of data would otherwise wait until the peer
 * acknowledges the handshake's last, to which it has nothing to answer, and that takes it 40 ms. What the application
 * says of the option holds, and it never sees it changed.
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
            // It is closed, which the handshake will meet, or has no such option.
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

    /** As the application says. */
    synchronized void set(boolean isNone) throws SocketException {
        isLifted = false;
        transport.setTcpNoDelay(isNone);
    }

    /** As the application knows it. */
    synchronized boolean isNone() throws SocketException {
        return transport.getTcpNoDelay() && !isLifted;
    }
}
