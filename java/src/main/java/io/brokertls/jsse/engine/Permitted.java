package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.jsse.keys.SignatureScheme;
import java.security.AlgorithmConstraints;
import java.security.AlgorithmParameters;
import java.security.CryptoPrimitive;
import java.security.GeneralSecurityException;
import java.security.spec.ECGenParameterSpec;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The names that AlgorithmConstraints permit in a handshake, asked for as SunJSSE does. */
final class Permitted {
    private static final Set<CryptoPrimitive> AGREEMENT = EnumSet.of(CryptoPrimitive.KEY_AGREEMENT);
    private static final Set<CryptoPrimitive> SIGNATURE = EnumSet.of(CryptoPrimitive.SIGNATURE);

    private final AlgorithmConstraints constraints;

    Permitted(AlgorithmConstraints constraints) {
        this.constraints = constraints;
    }

    /** Returns the permitted versions. */
    String[] protocols(String[] names) throws TlsFailure {
        return kept("protocols", names, name -> constraints.permits(AGREEMENT, name, null));
    }

    /** Returns the permitted suites. */
    String[] cipherSuites(String[] names) throws TlsFailure {
        return kept("cipher suites", names, name -> constraints.permits(AGREEMENT, name, null));
    }

    /** Returns the permitted groups. Constraints can name the group, or the algorithm with its curve. */
    String[] groups(String[] names) throws TlsFailure {
        return kept("groups", names, this::permitsGroup);
    }

    private boolean permitsGroup(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.contains("mlkem")) {
            return constraints.permits(AGREEMENT, name, null);
        }
        boolean isCurve = lower.startsWith("secp");
        String algorithm = isCurve ? "EC" : lower.startsWith("x") ? "XDH" : "DiffieHellman";
        return constraints.permits(AGREEMENT, lower, null)
                && constraints.permits(AGREEMENT, algorithm, isCurve ? curve(lower) : null);
    }

    private static AlgorithmParameters curve(String name) {
        try {
            AlgorithmParameters made = AlgorithmParameters.getInstance("EC");
            made.init(new ECGenParameterSpec(name));
            return made;
        } catch (GeneralSecurityException e) {
            // No provider of this JVM has the curve. Constraints then decide by name alone.
            return null;
        }
    }

    /** Returns the permitted signature schemes. */
    String[] signatureSchemes(String[] names) throws TlsFailure {
        return kept("signature schemes", names, name -> {
            SignatureScheme scheme = SignatureScheme.named(name);
            return constraints.permits(SIGNATURE, name, null) && (scheme == null
                    || constraints.permits(SIGNATURE, scheme.jcaName, scheme.parameters())
                            && constraints.permits(SIGNATURE, scheme.keyType, null));
        });
    }

    private static String[] kept(String what, String[] names, Predicate<String> isPermitted) throws TlsFailure {
        String[] kept = Stream.of(names).filter(isPermitted).toArray(String[]::new);
        if (kept.length == 0) {
            throw TlsFailure.of(ErrorCode.INVALID_ARGUMENT, "the AlgorithmConstraints permit none of the " + what);
        }
        return kept;
    }
}
