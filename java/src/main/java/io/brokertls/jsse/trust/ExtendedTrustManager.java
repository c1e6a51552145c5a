package io.brokertls.jsse.trust;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Gives a plain trust manager the methods for engines and sockets, and adds the checks that it cannot make: the peer's
 * name and the algorithm constraints of the connection.
 */
public final class ExtendedTrustManager extends X509ExtendedTrustManager {
    private final X509TrustManager manager;

    private ExtendedTrustManager(X509TrustManager manager) {
        this.manager = manager;
    }

    /** Returns the manager itself if it is extended already. */
    public static X509ExtendedTrustManager of(X509TrustManager manager) {
        return manager instanceof X509ExtendedTrustManager
                ? (X509ExtendedTrustManager) manager : new ExtendedTrustManager(manager);
    }

    /** Returns a manager that refuses every peer. An empty array of trust managers asks for it. */
    public static X509ExtendedTrustManager refusingAll() {
        return new ExtendedTrustManager(new RefusingManager());
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        manager.checkClientTrusted(chain, authType);
        check(chain, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        manager.checkServerTrusted(chain, authType);
        check(chain, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        manager.checkClientTrusted(chain, authType);
        check(chain, engine.getSSLParameters(), engine.getHandshakeSession());
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        manager.checkServerTrusted(chain, authType);
        check(chain, engine.getSSLParameters(), engine.getHandshakeSession());
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        manager.checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        manager.checkServerTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return manager.getAcceptedIssuers();
    }

    private static void check(X509Certificate[] chain, Socket socket) throws CertificateException {
        if (socket instanceof SSLSocket) {
            SSLSocket secured = (SSLSocket) socket;
            check(chain, secured.getSSLParameters(), secured.getHandshakeSession());
        }
    }

    private static void check(X509Certificate[] chain, SSLParameters parameters, SSLSession session)
            throws CertificateException {
        String identification = parameters.getEndpointIdentificationAlgorithm();
        if (identification != null && !identification.isEmpty()) {
            PeerNames.check(chain[0], session == null ? null : session.getPeerHost());
        }
        PeerNames.checkConstraints(chain, parameters.getAlgorithmConstraints());
    }

    private static final class RefusingManager implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw refusal();
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw refusal();
        }

        private static CertificateException refusal() {
            return new CertificateException("the SSLContext was given no X509TrustManager, so it refuses every peer; "
                    + "pass null for the default trust");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
