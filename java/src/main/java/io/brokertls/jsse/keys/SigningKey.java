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

/** A private key that signs where it is, a token for one, by {@link Signature}; and how any key becomes an identity. */
public final class SigningKey implements NativeIdentity.ForeignKey {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    // A key signs for many handshakes at once, each on a thread of its own that takes what it failed with.
    private static final ThreadLocal<Throwable> FAILURE = new ThreadLocal<>();

    private final PrivateKey key;
    private final Map<SignatureScheme, Provider> providers = new EnumMap<>(SignatureScheme.class);
    /** Why a provider that knows the key would not sign, where one said so. */
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
     * The identity of a key and its chain. An exportable key is copied into the native library, which is faster; any
     * other stays where it is.
     *
     * @throws TlsFailure where the key is not served, or does not belong to the first certificate
     */
    public static NativeIdentity identity(PrivateKey key, X509Certificate[] chain)
            throws TlsFailure, CertificateEncodingException {
        byte[][] der = new byte[chain.length][];
        for (int i = 0; i < chain.length; i++) {
            der[i] = chain[i].getEncoded();
        }
        byte[] pkcs8 = "PKCS#8".equals(key.getFormat()) ? key.getEncoded() : null;
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

    /** What the last signature on this thread failed with, or null; given once. */
    public static Throwable takeFailure() {
        Throwable taken = FAILURE.get();
        FAILURE.remove();
        return taken;
    }

    // The parameters of PSS come before the key in some providers; Signature itself would then settle on the first
    // provider, which need not know the key. So each is tried.
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
                // A key of another provider is refused as invalid; what fails beyond that is the key's own.
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
