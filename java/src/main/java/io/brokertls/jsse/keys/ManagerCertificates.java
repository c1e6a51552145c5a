package io.brokertls.jsse.keys;

import io.brokertls.TlsCertificate;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/** The certificates of Java key and trust managers, as far as the managers list them. */
public final class ManagerCertificates {
    private static final String[] KEY_TYPES = {"EC", "RSA", "RSASSA-PSS", "EdDSA", "DSA"};
    private static final System.Logger LOG = System.getLogger("io.brokertls");

    private ManagerCertificates() {
    }

    /** Returns the certificates of all aliases, each with its chain. */
    public static List<TlsCertificate> of(X509KeyManager manager) {
        List<TlsCertificate> found = new ArrayList<>();
        try {
            for (String alias : aliases(manager)) {
                X509Certificate[] chain = manager.getCertificateChain(alias);
                for (X509Certificate certificate : chain == null ? new X509Certificate[0] : chain) {
                    found.add(facts("own", "key manager, alias " + alias, certificate));
                }
            }
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "the key manager does not list its certificates", e);
        }
        return found;
    }

    /** Returns the issuers that a trust manager accepts. */
    public static List<TlsCertificate> of(X509TrustManager manager) {
        List<TlsCertificate> found = new ArrayList<>();
        try {
            X509Certificate[] issuers = manager.getAcceptedIssuers();
            for (X509Certificate certificate : issuers == null ? new X509Certificate[0] : issuers) {
                found.add(facts("trust", "trust manager", certificate));
            }
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "the trust manager does not list its certificates", e);
        }
        return found;
    }

    private static Set<String> aliases(X509KeyManager manager) {
        Set<String> all = new LinkedHashSet<>();
        for (String type : KEY_TYPES) {
            for (String[] some : new String[][] {
                manager.getServerAliases(type, null), manager.getClientAliases(type, null)}) {
                if (some != null) {
                    all.addAll(List.of(some));
                }
            }
        }
        return all;
    }

    private static TlsCertificate facts(String kind, String place, X509Certificate certificate) {
        return new TlsCertificate(new String[] {kind, place, certificate.getSubjectX500Principal().getName(),
            certificate.getIssuerX500Principal().getName(), certificate.getSerialNumber().toString(16),
            key(certificate), sha256(certificate), seconds(certificate.getNotBefore().getTime()),
            seconds(certificate.getNotAfter().getTime())});
    }

    private static String seconds(long milliseconds) {
        return Long.toString(Math.floorDiv(milliseconds, 1000L));
    }

    private static String key(X509Certificate certificate) {
        if (certificate.getPublicKey() instanceof RSAPublicKey) {
            return "RSA " + ((RSAPublicKey) certificate.getPublicKey()).getModulus().bitLength();
        }
        if (certificate.getPublicKey() instanceof ECPublicKey) {
            return "EC " + ((ECPublicKey) certificate.getPublicKey()).getParams().getOrder().bitLength();
        }
        return certificate.getPublicKey().getAlgorithm();
    }

    private static String sha256(X509Certificate certificate) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
            StringBuilder text = new StringBuilder();
            for (byte each : digest) {
                text.append(String.format("%02x", each));
            }
            return text.toString();
        } catch (NoSuchAlgorithmException | CertificateEncodingException e) {
            throw new IllegalStateException(e);
        }
    }
}
