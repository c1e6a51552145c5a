package io.brokertls.jsse.keys;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/** The signature schemes of RFC 8446 section 4.2.3, with their numbers and Java names. */
public enum SignatureScheme {
    ECDSA_SECP256R1_SHA256(0x0403, "SHA256withECDSA", "EC", 0),
    ECDSA_SECP384R1_SHA384(0x0503, "SHA384withECDSA", "EC", 0),
    ECDSA_SECP521R1_SHA512(0x0603, "SHA512withECDSA", "EC", 0),
    ED25519(0x0807, "Ed25519", "EdDSA", 0),
    ED448(0x0808, "Ed448", "EdDSA", 0),
    RSA_PSS_RSAE_SHA256(0x0804, "RSASSA-PSS", "RSA", 256),
    RSA_PSS_RSAE_SHA384(0x0805, "RSASSA-PSS", "RSA", 384),
    RSA_PSS_RSAE_SHA512(0x0806, "RSASSA-PSS", "RSA", 512),
    RSA_PSS_PSS_SHA256(0x0809, "RSASSA-PSS", "RSASSA-PSS", 256),
    RSA_PSS_PSS_SHA384(0x080a, "RSASSA-PSS", "RSASSA-PSS", 384),
    RSA_PSS_PSS_SHA512(0x080b, "RSASSA-PSS", "RSASSA-PSS", 512),
    RSA_PKCS1_SHA256(0x0401, "SHA256withRSA", "RSA", 0),
    RSA_PKCS1_SHA384(0x0501, "SHA384withRSA", "RSA", 0),
    RSA_PKCS1_SHA512(0x0601, "SHA512withRSA", "RSA", 0),
    DSA_SHA256(0x0402, "SHA256withDSA", "DSA", 0),
    ECDSA_SHA1(0x0203, "SHA1withECDSA", "EC", 0),
    RSA_PKCS1_SHA1(0x0201, "SHA1withRSA", "RSA", 0),
    DSA_SHA1(0x0202, "SHA1withDSA", "DSA", 0),
    ECDSA_SHA224(0x0303, "SHA224withECDSA", "EC", 0),
    RSA_PKCS1_SHA224(0x0301, "SHA224withRSA", "RSA", 0),
    DSA_SHA224(0x0302, "SHA224withDSA", "DSA", 0);

    private static final int BITS_PER_BYTE = 8;
    private static final int FIRST_OF_SHA256 = 0x0400;

    public final int number;
    public final String jcaName;
    /** The algorithm of its keys. */
    public final String keyType;
    private final int pssBits;

    SignatureScheme(int number, String jcaName, String keyType, int pssBits) {
        this.number = number;
        this.jcaName = jcaName;
        this.keyType = keyType;
        this.pssBits = pssBits;
    }

    /** Returns the scheme of a number, or null if Java has no name for it. */
    public static SignatureScheme of(int number) {
        for (SignatureScheme scheme : values()) {
            if (scheme.number == number) {
                return scheme;
            }
        }
        return null;
    }

    /** Returns the scheme of a name in TLS, such as ecdsa_secp256r1_sha256, or null if there is none. */
    public static SignatureScheme named(String name) {
        for (SignatureScheme scheme : values()) {
            if (scheme.name().equalsIgnoreCase(name)) {
                return scheme;
            }
        }
        return null;
    }

    /** Returns the numbers of the names in TLS, without unknown ones. */
    public static int[] numbers(String[] names) {
        return Arrays.stream(names).map(SignatureScheme::named).filter(Objects::nonNull)
                .mapToInt(scheme -> scheme.number).toArray();
    }

    /** Returns the names in TLS of the schemes that handshakes here can use, best first. */
    public static String[] handshakeNames() {
        List<String> names = new ArrayList<>();
        for (SignatureScheme scheme : values()) {
            if (!scheme.isWeak() && !scheme.keyType.equals("DSA") && scheme != ED448) {
                names.add(scheme.name().toLowerCase(Locale.ROOT));
            }
        }
        return names.toArray(new String[0]);
    }

    /** Returns the names that managers compare, each once, without unknown schemes. */
    public static String[] jcaNames(int[] schemes) {
        Set<String> names = new LinkedHashSet<>();
        for (int number : schemes) {
            SignatureScheme scheme = of(number);
            if (scheme != null) {
                names.add(scheme.jcaName);
            }
        }
        return names.toArray(new String[0]);
    }

    /**
     * Returns the schemes that a TLS 1.3 server accepts in certificates, derived from those that it accepts in
     * handshakes. Certificates can be signed with PKCS #1, and handshakes cannot (RFC 8446 section 4.2.3).
     */
    public static int[] inCertificates(int[] inHandshakes) {
        List<Integer> all = new ArrayList<>();
        for (int number : inHandshakes) {
            all.add(number);
        }
        for (SignatureScheme scheme : List.of(RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512)) {
            int pss = RSA_PSS_RSAE_SHA256.number + scheme.ordinal() - RSA_PKCS1_SHA256.ordinal();
            if (all.contains(pss) && !all.contains(scheme.number)) {
                all.add(scheme.number);
            }
        }
        return all.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Returns the schemes for a key algorithm that are strong enough to sign with. */
    static List<SignatureScheme> forSigning(String keyAlgorithm) {
        List<SignatureScheme> found = new ArrayList<>();
        for (SignatureScheme scheme : values()) {
            if (!scheme.isWeak() && scheme.signsWith(keyAlgorithm)) {
                found.add(scheme);
            }
        }
        return found;
    }

    /** Returns true for a hash before SHA-256. Peers can offer such schemes, and managers see them. */
    private boolean isWeak() {
        return number < FIRST_OF_SHA256;
    }

    private boolean signsWith(String keyAlgorithm) {
        boolean isEdwards = keyType.equals("EdDSA") && jcaName.equals(keyAlgorithm);
        return keyType.equals(keyAlgorithm) || isEdwards;
    }

    /** Returns the parameters of a PSS signature; null for other schemes. */
    public AlgorithmParameters parameters() {
        if (pssBits == 0) {
            return null;
        }
        try {
            AlgorithmParameters made = AlgorithmParameters.getInstance("RSASSA-PSS");
            made.init(pss());
            return made;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no RSASSA-PSS", e);
        }
    }

    private PSSParameterSpec pss() {
        String digest = "SHA-" + pssBits;
        return new PSSParameterSpec(digest, "MGF1", new MGF1ParameterSpec(digest), pssBits / BITS_PER_BYTE,
                PSSParameterSpec.TRAILER_FIELD_BC);
    }

    /** Sets the parameters of a PSS signature. Call it before the signature is initialised. */
    public void setParameters(Signature signature) throws GeneralSecurityException {
        if (pssBits != 0) {
            signature.setParameter(pss());
        }
    }
}
