package io.brokertls.peer;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/** A key manager that shows each question for an alias to one method, and lets another manager answer. */
public abstract class WatchedKeys extends X509ExtendedKeyManager {
    private final X509ExtendedKeyManager below;

    protected WatchedKeys(X509ExtendedKeyManager below) {
        this.below = below;
    }

    /**
     * Called before each choice of an alias.
     *
     * @param side {@code client} or {@code server}, the side of the key
     * @param connection the engine, or the socket
     */
    protected abstract void asked(String side, String[] keyTypes, Principal[] issuers, Object connection);

    @Override
    public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
        asked("client", keyTypes, issuers, engine);
        return below.chooseEngineClientAlias(keyTypes, issuers, engine);
    }

    @Override
    public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
        asked("server", new String[] {keyType}, issuers, engine);
        return below.chooseEngineServerAlias(keyType, issuers, engine);
    }

    @Override
    public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
        asked("client", keyTypes, issuers, socket);
        return below.chooseClientAlias(keyTypes, issuers, socket);
    }

    @Override
    public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
        asked("server", new String[] {keyType}, issuers, socket);
        return below.chooseServerAlias(keyType, issuers, socket);
    }

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
        return below.getClientAliases(keyType, issuers);
    }

    @Override
    public String[] getServerAliases(String keyType, Principal[] issuers) {
        return below.getServerAliases(keyType, issuers);
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return below.getCertificateChain(alias);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return below.getPrivateKey(alias);
    }
}
