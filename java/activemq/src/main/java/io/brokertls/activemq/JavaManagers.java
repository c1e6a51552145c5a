package io.brokertls.activemq;

import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.CRL;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.X509CertSelector;
import java.util.Collection;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/** Makes Java managers with the steps of SpringSslContext, for algorithms and store types that are named. */
final class JavaManagers {
    private JavaManagers() {
    }

    /** Returns true if Java checks OCSP for the whole process. */
    static boolean isOcspEnabled() {
        return Boolean.parseBoolean(Security.getProperty("ocsp.enable"));
    }

    static X509KeyManager keys(Location store, String type, char[] password, char[] keyPassword, String algorithm)
            throws GeneralSecurityException, IOException {
        KeyManagerFactory factory = KeyManagerFactory.getInstance(algorithm);
        factory.init(load(store, type, password), keyPassword == null ? password : keyPassword);
        for (KeyManager manager : factory.getKeyManagers()) {
            if (manager instanceof X509KeyManager) {
                return (X509KeyManager) manager;
            }
        }
        throw new GeneralSecurityException("keyStoreAlgorithm " + algorithm + " gives no manager for X.509");
    }

    /** @param crls null for none */
    static X509TrustManager trust(Location store, String type, char[] password, String algorithm, Location crls)
            throws GeneralSecurityException, IOException {
        KeyStore anchors = load(store, type, password);
        TrustManagerFactory factory = TrustManagerFactory.getInstance(algorithm);
        boolean isPkix = algorithm.equalsIgnoreCase("PKIX");
        if (crls != null && !isPkix) {
            // SpringSslContext ignores the list without a word.
            throw new GeneralSecurityException("crlPath has no effect with trustStoreAlgorithm " + algorithm
                    + "; use PKIX or BrokerTLS, or leave trustStoreAlgorithm out");
        }
        if (isPkix && (crls != null || isOcspEnabled())) {
            PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
            if (crls != null) {
                parameters.setRevocationEnabled(true);
                parameters.addCertStore(CertStore.getInstance("Collection",
                        new CollectionCertStoreParameters(crls(crls))));
            }
            factory.init(new CertPathTrustManagerParameters(parameters));
        } else {
            factory.init(anchors);
        }
        for (TrustManager manager : factory.getTrustManagers()) {
            if (manager instanceof X509TrustManager) {
                return (X509TrustManager) manager;
            }
        }
        throw new GeneralSecurityException("trustStoreAlgorithm " + algorithm + " gives no manager for X.509");
    }

    private static Collection<? extends CRL> crls(Location location) throws GeneralSecurityException, IOException {
        try (InputStream in = location.open()) {
            return CertificateFactory.getInstance("X.509").generateCRLs(in);
        }
    }

    private static KeyStore load(Location store, String type, char[] password)
            throws GeneralSecurityException, IOException {
        KeyStore loaded = KeyStore.getInstance(type);
        try (InputStream in = store.open()) {
            loaded.load(in, password);
        }
        return loaded;
    }
}
