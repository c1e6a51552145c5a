package io.brokertls.peer;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/** A trust manager with one method for all of its questions. */
public abstract class WatchedTrust extends X509ExtendedTrustManager {
    /**
     * Called for each question. Throws to refuse the peer.
     *
     * @param side {@code client} or {@code server}, the side of the peer
     * @param connection the engine, or the socket; null if the question names neither
     */
    protected abstract void judge(String side, X509Certificate[] chain, String authType, Object connection)
            throws CertificateException;

    /** Lets another manager answer a question about an engine or a socket. */
    protected static void ask(X509ExtendedTrustManager below, String side, X509Certificate[] chain, String authType,
            Object connection) throws CertificateException {
        boolean isServer = side.equals("server");
        if (connection instanceof SSLEngine) {
            SSLEngine engine = (SSLEngine) connection;
            if (isServer) {
                below.checkServerTrusted(chain, authType, engine);
            } else {
                below.checkClientTrusted(chain, authType, engine);
            }
        } else if (connection instanceof Socket) {
            Socket socket = (Socket) connection;
            if (isServer) {
                below.checkServerTrusted(chain, authType, socket);
            } else {
                below.checkClientTrusted(chain, authType, socket);
            }
        } else {
            throw new CertificateException("neither an engine nor a socket");
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        judge("client", chain, authType, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        judge("server", chain, authType, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        judge("client", chain, authType, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        judge("server", chain, authType, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        judge("client", chain, authType, null);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        judge("server", chain, authType, null);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
