package io.brokertls.jsse.keys;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509KeyManager;

/** A key manager that calls another one. Subclasses add the methods for engines. */
abstract class DelegatingKeyManager extends X509ExtendedKeyManager {
    private final X509KeyManager manager;

    DelegatingKeyManager(X509KeyManager manager) {
        this.manager = manager;
    }

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
        return manager.getClientAliases(keyType, issuers);
    }

    @Override
    public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
        return manager.chooseClientAlias(keyTypes, issuers, socket);
    }

    @Override
    public String[] getServerAliases(String keyType, Principal[] issuers) {
        return manager.getServerAliases(keyType, issuers);
    }

    @Override
    public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
        return manager.chooseServerAlias(keyType, issuers, socket);
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return manager.getCertificateChain(alias);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return manager.getPrivateKey(alias);
    }
}
