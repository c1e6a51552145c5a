package io.brokertls.jsse.keys;

import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.internal.NativeIdentity;
import java.security.InvalidAlgorithmParameterException;
import java.security.Key;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.KeyManagerFactorySpi;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509KeyManager;

/** The key manager factory BrokerTLS. Its keys are native in contexts of this provider, and usable in any other. */
public final class NativeKeyManagerFactory extends KeyManagerFactorySpi {
    private KeyManager manager;

    @Override
    protected void engineInit(KeyStore store, char[] password)
            throws KeyStoreException, NoSuchAlgorithmException, UnrecoverableKeyException {
        List<NativeIdentity> identities = new ArrayList<>();
        if (store != null) {
            for (String alias : Collections.list(store.aliases())) {
                if (store.isKeyEntry(alias)) {
                    addIdentity(identities, store, alias, password);
                }
            }
        }
        // The algorithm of the JDK by its name, because the default of the process can be this factory.
        KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
        factory.init(store, password);
        for (KeyManager each : factory.getKeyManagers()) {
            if (each instanceof X509KeyManager) {
                manager = new Native(identities, ExtendedKeyManager.of((X509KeyManager) each));
            }
        }
    }

    private static void addIdentity(List<NativeIdentity> identities, KeyStore store, String alias, char[] password)
            throws KeyStoreException, NoSuchAlgorithmException, UnrecoverableKeyException {
        Key key = store.getKey(alias, password);
        Certificate[] chain = store.getCertificateChain(alias);
        if (!(key instanceof PrivateKey) || chain == null || chain.length == 0) {
            return;
        }
        X509Certificate[] certificates = new X509Certificate[chain.length];
        for (int i = 0; i < chain.length; i++) {
            if (!(chain[i] instanceof X509Certificate)) {
                return;
            }
            certificates[i] = (X509Certificate) chain[i];
        }
        try {
            identities.add(SigningKey.identity((PrivateKey) key, certificates));
        } catch (TlsFailure | CertificateEncodingException e) {
            throw new KeyStoreException("the entry " + alias + ": " + e.getMessage(), e);
        }
    }

    @Override
    protected void engineInit(ManagerFactoryParameters parameters) throws InvalidAlgorithmParameterException {
        throw new InvalidAlgorithmParameterException("the BrokerTLS factory is initialised with a KeyStore");
    }

    @Override
    protected KeyManager[] engineGetKeyManagers() {
        if (manager == null) {
            throw new IllegalStateException("the KeyManagerFactory is not initialised");
        }
        return new KeyManager[] {manager};
    }

    /** A manager of native identities, which contexts of this provider use directly. */
    public static final class Native extends DelegatingKeyManager {
        private final List<NativeIdentity> identities;
        private final X509ExtendedKeyManager manager;

        Native(List<NativeIdentity> identities, X509ExtendedKeyManager manager) {
            super(manager);
            this.identities = identities;
            this.manager = manager;
        }

        /** Adds each identity to a context's. */
        public void addTo(NativeContextBuilder builder) {
            for (NativeIdentity identity : identities) {
                builder.addIdentity(identity);
            }
        }

        @Override
        public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
            return manager.chooseEngineClientAlias(keyTypes, issuers, engine);
        }

        @Override
        public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
            return manager.chooseEngineServerAlias(keyType, issuers, engine);
        }
    }
}
