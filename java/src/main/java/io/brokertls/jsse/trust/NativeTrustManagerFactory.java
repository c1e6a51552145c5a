package io.brokertls.jsse.trust;

import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContextBuilder;
import java.io.ByteArrayOutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.InvalidAlgorithmParameterException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.TrustManagerFactorySpi;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * The trust manager factory BrokerTLS. Trust is native in contexts of this provider, and the JDK's PKIX in any other.
 */
public final class NativeTrustManagerFactory extends TrustManagerFactorySpi {
    private TrustManager manager;

    @Override
    protected void engineInit(KeyStore store) throws KeyStoreException {
        X509ExtendedTrustManager trust = ofJdk(store);
        try {
            manager = new Native(pem(trust.getAcceptedIssuers()), trust);
        } catch (CertificateEncodingException e) {
            throw new KeyStoreException("a trusted certificate cannot be encoded", e);
        }
    }

    @Override
    protected void engineInit(ManagerFactoryParameters parameters) throws InvalidAlgorithmParameterException {
        throw new InvalidAlgorithmParameterException(
                "the BrokerTLS factory needs a KeyStore; the PKIX factory of the JDK accepts parameters");
    }

    @Override
    protected TrustManager[] engineGetTrustManagers() {
        if (manager == null) {
            throw new IllegalStateException("the TrustManagerFactory is not initialised");
        }
        return new TrustManager[] {manager};
    }

    /** Returns the JDK's manager for a store; null stands for the default trust anchors. */
    public static X509ExtendedTrustManager ofJdk(KeyStore store) throws KeyStoreException {
        // By its name, because the default of the process can be this factory.
        return of("PKIX", store);
    }

    /** Returns the manager of the default algorithm for the default trust anchors. */
    public static X509ExtendedTrustManager ofProcess() throws KeyStoreException {
        return of(TrustManagerFactory.getDefaultAlgorithm(), null);
    }

    private static X509ExtendedTrustManager of(String algorithm, KeyStore store) throws KeyStoreException {
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(algorithm);
            factory.init(store);
            for (TrustManager each : factory.getTrustManagers()) {
                if (each instanceof X509TrustManager) {
                    return ExtendedTrustManager.of((X509TrustManager) each);
                }
            }
        } catch (NoSuchAlgorithmException e) {
            throw new KeyStoreException("no provider has the trust manager " + algorithm, e);
        }
        throw new KeyStoreException("the factory " + algorithm + " has no X509TrustManager");
    }

    private static byte[] pem(X509Certificate[] certificates) throws CertificateEncodingException {
        Base64.Encoder encoder = Base64.getMimeEncoder(64, new byte[] {'\n'});
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (X509Certificate certificate : certificates) {
            out.writeBytes("-----BEGIN CERTIFICATE-----\n".getBytes(StandardCharsets.US_ASCII));
            out.writeBytes(encoder.encode(certificate.getEncoded()));
            out.writeBytes("\n-----END CERTIFICATE-----\n".getBytes(StandardCharsets.US_ASCII));
        }
        return out.toByteArray();
    }

    /** A manager of trust anchors, which contexts of this provider use in native code. */
    public static final class Native extends X509ExtendedTrustManager {
        private final byte[] pem;
        private final X509ExtendedTrustManager manager;

        Native(byte[] pem, X509ExtendedTrustManager manager) {
            this.pem = pem;
            this.manager = manager;
        }

        /** Returns true without any certificate. Every peer must then be refused. */
        public boolean isEmpty() {
            return pem.length == 0;
        }

        /** Adds the certificates to a context's trust anchors. */
        public void addTo(NativeContextBuilder builder) throws TlsFailure {
            builder.addTrust(pem.clone(), "the TrustManagerFactory's KeyStore", "pem", null, null);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
                throws CertificateException {
            manager.checkClientTrusted(chain, authType, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
                throws CertificateException {
            manager.checkServerTrusted(chain, authType, socket);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
                throws CertificateException {
            manager.checkClientTrusted(chain, authType, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
                throws CertificateException {
            manager.checkServerTrusted(chain, authType, engine);
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
    }
}
