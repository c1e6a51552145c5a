package io.brokertls.jsse;

import java.net.Socket;
import java.security.Principal;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/** Managers made complete: plain ones wrapped, and one that trusts nobody. */
final class Fallbacks {
    private Fallbacks() {
    }

    static X509ExtendedKeyManager extended(X509KeyManager manager) {
        return manager instanceof X509ExtendedKeyManager
                ? (X509ExtendedKeyManager) manager : new PlainKeys(manager);
    }

    static X509ExtendedTrustManager extended(X509TrustManager manager) {
        return manager instanceof X509ExtendedTrustManager
                ? (X509ExtendedTrustManager) manager : new PlainTrust(manager);
    }

    /** What an empty array of trust managers means. */
    static X509ExtendedTrustManager trustingNobody() {
        return new PlainTrust(new TrustNobody());
    }

    private static final class PlainKeys extends DelegatedKeys {
        PlainKeys(X509KeyManager manager) {
            super(manager);
        }

        @Override
        public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
            return chooseClientAlias(keyTypes, issuers, null);
        }

        @Override
        public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
            return chooseServerAlias(keyType, issuers, null);
        }
    }

    /** Adds what a plain manager cannot see: the peer's name, and the constraints of the connection. */
    private static final class PlainTrust extends X509ExtendedTrustManager {
        private final X509TrustManager manager;

        PlainTrust(X509TrustManager manager) {
            this.manager = manager;
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
    }

    private static final class TrustNobody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw refusal();
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw refusal();
        }

        private static CertificateException refusal() {
            return new CertificateException(
                    "the SSLContext was given no X509TrustManager, so it trusts nobody; pass null for the default trust");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
