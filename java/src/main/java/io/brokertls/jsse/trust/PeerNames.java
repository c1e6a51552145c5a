package io.brokertls.jsse.trust;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.AlgorithmConstraints;
import java.security.CryptoPrimitive;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Checks that a plain trust manager cannot make: the host of a certificate (RFC 6125), and its algorithms. */
final class PeerNames {
    private static final int DNS = 2;
    private static final int IP = 7;
    private static final Set<CryptoPrimitive> SIGNATURE = EnumSet.of(CryptoPrimitive.SIGNATURE);

    /** Matches only valid address literals, because anything else would be resolved. */
    private static final Pattern ADDRESS = Pattern.compile(
            "((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(?=\\d)|$)){4}|(?=.*:)[0-9a-fA-F:.]+(%\\w+)?");

    private PeerNames() {
    }

    /**
     * Checks that a certificate is valid for a host. Messages begin as those of the JDK, which some programs compare.
     *
     * @throws CertificateException if it is not
     */
    static void check(X509Certificate certificate, String host) throws CertificateException {
        if (host == null || host.isEmpty()) {
            throw new CertificateException("No name matching the peer can be found: its host name is not known");
        }
        boolean isAddress = ADDRESS.matcher(host).matches();
        for (List<?> name : alternativeNames(certificate)) {
            int type = (Integer) name.get(0);
            boolean matches = isAddress
                    ? type == IP && isSameAddress(host, (String) name.get(1))
                    : type == DNS && matches(host, (String) name.get(1));
            if (matches) {
                return;
            }
        }
        throw new CertificateException((isAddress ? "No subject alternative names matching IP address "
                : "No subject alternative DNS name matching ") + host + " found.");
    }

    private static Iterable<List<?>> alternativeNames(X509Certificate certificate) throws CertificateException {
        Iterable<List<?>> names = certificate.getSubjectAlternativeNames();
        return names == null ? List.of() : names;
    }

    private static boolean isSameAddress(String host, String address) {
        try {
            // Both are literals, so that nothing is resolved.
            return InetAddress.getByName(host).equals(InetAddress.getByName(address));
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static boolean matches(String host, String pattern) {
        String name = lower(host);
        String wanted = lower(pattern);
        if (!wanted.startsWith("*.")) {
            return name.equals(wanted);
        }
        int dot = name.indexOf('.');
        // A wildcard stands for one complete label, and not for everything below a top-level domain.
        return dot > 0 && wanted.indexOf('.', 2) > 0 && name.substring(dot).equals(wanted.substring(1));
    }

    private static String lower(String name) {
        String trimmed = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        return trimmed.toLowerCase(Locale.ROOT);
    }

    static void checkConstraints(X509Certificate[] chain, AlgorithmConstraints constraints)
            throws CertificateException {
        if (constraints == null) {
            return;
        }
        for (X509Certificate certificate : chain) {
            String algorithm = certificate.getSigAlgName();
            boolean isRoot = certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
            if (!isRoot && !constraints.permits(SIGNATURE, algorithm, null)) {
                throw new CertificateException("the algorithm constraints do not permit " + algorithm);
            }
            if (!constraints.permits(SIGNATURE, certificate.getPublicKey())) {
                throw new CertificateException("the algorithm constraints do not permit the key of "
                        + certificate.getSubjectX500Principal());
            }
        }
    }
}
