package io.brokertls.jsse.keys;

import java.security.Principal;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509KeyManager;

/** Gives a plain key manager the methods for engines. */
public final class ExtendedKeyManager extends DelegatingKeyManager {
    private ExtendedKeyManager(X509KeyManager manager) {
        super(manager);
    }

    /** Returns the manager itself if it is extended already. */
    public static X509ExtendedKeyManager of(X509KeyManager manager) {
        return manager instanceof X509ExtendedKeyManager
                ? (X509ExtendedKeyManager) manager : new ExtendedKeyManager(manager);
    }

    @Override
    public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
        return chooseClientAlias(keyTypes, issuers, null);
    }

    @Override
    public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
        return chooseServerAlias(keyType, issuers, null);
    }
}
