package io.brokertls.bench;

import java.net.Socket;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts one certificate, and counts how often it was shown: in each full handshake, and in none that resumes a
 * session.
 */
final class TrustCounter extends X509ExtendedTrustManager {
    private final Certificate trusted;
    private long count;

    TrustCounter(Certificate trusted) {
        this.trusted = trusted;
    }

    /** Since it was last asked. */
    long take() {
        long taken = count;
        count = 0;
        return taken;
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        count++;
        if (!chain[0].equals(trusted)) {
            throw new CertificateException("not the server's certificate");
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType,
            Socket socket) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType,
            SSLEngine engine) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("no client has a certificate");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType,
            Socket socket) throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType,
            SSLEngine engine) throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
