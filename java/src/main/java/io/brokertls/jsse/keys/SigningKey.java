package io.brokertls.jsse.keys;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeIdentity;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.ProviderException;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/** A private key that signs with {@link Signature}: one in a token that cannot be exported, or one for RSASSA-PSS. */
public final class SigningKey implements NativeIdentity.ForeignKey {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    // Several handshakes use a key at once, each on its own thread, which reads its own failure.
    private static final ThreadLocal<Throwable> FAILURE = new ThreadLocal<>();

    private final PrivateKey key;
    private final Map<SignatureScheme, Provider> providers = new EnumMap<>(SignatureScheme.class);
    /** The exception of a provider that knows the key and refused to sign, or null. */
    private Throwable refusal;

    SigningKey(PrivateKey key, X509Certificate endEntity) {
        this.key = key;
        for (SignatureScheme scheme : SignatureScheme.forSigning(endEntity.getPublicKey().getAlgorithm())) {
            Provider provider = providerOf(scheme);
            if (provider != null) {
                providers.put(scheme, provider);
            }
        }
    }

    /**
     * Makes the identity of a key and its chain. A key that can be exported is copied into the native library, which is
     * faster.
     *
     * @throws TlsFailure if the key is not supported, or does not belong to the first certificate
     */
    public static NativeIdentity identity(PrivateKey key, X509Certificate[] chain)
            throws TlsFailure, CertificateEncodingException {
        byte[][] der = new byte[chain.length][];
        for (int i = 0; i < chain.length; i++) {
            der[i] = chain[i].getEncoded();
        }
        // The native library has no keys for RSASSA-PSS alone.
        boolean isNative = !chain[0].getPublicKey().getAlgorithm().equals("RSASSA-PSS");
        byte[] pkcs8 = isNative && "PKCS#8".equals(key.getFormat()) ? key.getEncoded() : null;
        if (pkcs8 == null) {
            SigningKey foreign = new SigningKey(key, chain[0]);
            foreign.requireProvider();
            return new NativeIdentity(der, foreign);
        }
        try {
            return new NativeIdentity(der, pkcs8);
        } finally {
            Arrays.fill(pkcs8, (byte) 0);
        }
    }

    private void requireProvider() throws TlsFailure {
        if (providers.isEmpty()) {
            ErrorCode code = refusal == null ? ErrorCode.KEY_ALGORITHM_UNSUPPORTED : ErrorCode.SIGNING_FAILED;
            TlsFailure failure = TlsFailure.of(code, "no provider signs with this key of " + key.getAlgorithm());
            failure.initCause(refusal);
            throw failure;
        }
    }

    @Override
    public int[] schemes() {
        return providers.keySet().stream().mapToInt(scheme -> scheme.number).toArray();
    }

    @Override
    public byte[] sign(int number, byte[] message) {
        SignatureScheme scheme = SignatureScheme.of(number);
        Provider provider = scheme == null ? null : providers.get(scheme);
        if (provider == null) {
            return null;
        }
        try {
            Signature signature = begin(scheme, provider);
            signature.update(message);
            return signature.sign();
        } catch (Throwable e) {
            FAILURE.set(e);
            return null;
        }
    }

    /** Returns the exception of the last signature on this thread, or null, and clears it. */
    public static Throwable takeFailure() {
        Throwable taken = FAILURE.get();
        FAILURE.remove();
        return taken;
    }

    // Some providers need the PSS parameters before the key. Signature would then select the first provider, which
    // need not know the key. So each provider is tried.
    private Provider providerOf(SignatureScheme scheme) {
        Provider[] candidates = Security.getProviders("Signature." + scheme.jcaName);
        if (candidates == null) {
            return null;
        }
        for (Provider candidate : candidates) {
            try {
                begin(scheme, candidate);
                return candidate;
            } catch (GeneralSecurityException | ProviderException | UnsupportedOperationException e) {
                LOG.log(System.Logger.Level.DEBUG, candidate.getName() + " does not sign with " + scheme.jcaName, e);
                // A key of another provider is refused as invalid. Any other failure is that of the key itself.
                boolean isOfKey = e instanceof ProviderException || e.getCause() instanceof ProviderException;
                refusal = isOfKey ? e : refusal;
            }
        }
        return null;
    }

    private Signature begin(SignatureScheme scheme, Provider provider) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(scheme.jcaName, provider);
        scheme.setParameters(signature);
        signature.initSign(key);
        return signature;
    }
}
