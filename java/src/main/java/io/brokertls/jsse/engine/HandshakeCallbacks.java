package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.HandshakeHost;
import io.brokertls.internal.NativeIdentity;
import io.brokertls.jsse.keys.SignatureScheme;
import io.brokertls.jsse.keys.SigningKey;
import io.brokertls.jsse.session.Session;
import io.brokertls.jsse.trust.Verdicts;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIMatcher;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.security.auth.x500.X500Principal;

/** Calls the managers, matchers and selectors of one engine for its handshake. One thread at a time. */
final class HandshakeCallbacks implements HandshakeHost {
    private static final int MOST_TEXT = 300;
    private static final byte[] NO_PROTOCOL = {};
    private static final X509Certificate[] NO_CERTIFICATES = {};

    private final HandshakingEngine engine;
    private final ContextState context;
    private byte[] selectedProtocol = NO_PROTOCOL;
    private String refusal = "";
    private Principal judged;
    private Throwable cause;
    // Kept until the handshake ends, because the native side takes its reference only after the call has returned.
    private NativeIdentity chosen;

    HandshakeCallbacks(HandshakingEngine engine) {
        this.engine = engine;
        this.context = engine.context();
    }

    /** Returns the last exception of a manager or key, or null. Called on the thread of the step that failed. */
    Throwable cause(ErrorCode code) {
        return cause == null && code == ErrorCode.SIGNING_FAILED ? SigningKey.takeFailure() : cause;
    }

    /** Returns the subject of the peer that a manager or callback was asked about; null if none was. */
    Principal judged() {
        return judged;
    }

    /** Drops the state that only the handshake needs. */
    void release() {
        chosen = null;
        selectedProtocol = NO_PROTOCOL;
    }

    @Override
    public int clientHello(String serverName, byte[][] protocols, int[] certificateSchemes, String[] settled) {
        try {
            Session session = engine.handshakeSession(settled);
            session.setRequestedServerName(serverName);
            session.setPeerSignatureSchemes(certificateSchemes);
            trace(() -> "ClientHello: server name " + serverName + ", protocols " + names(protocols));
            if (serverName != null && !isServed(serverName)) {
                return refuse(ErrorCode.SERVER_NAME_REFUSED, serverName);
            }
            return protocols.length == 0 ? AS_CONFIGURED : selectProtocol(protocols);
        } catch (Throwable e) {
            return refuse(ErrorCode.INTERNAL, e);
        }
    }

    private boolean isServed(String serverName) {
        Collection<SNIMatcher> matchers = engine.getSSLParameters().getSNIMatchers();
        if (matchers == null || matchers.isEmpty()) {
            return true;
        }
        SNIHostName name = new SNIHostName(serverName.getBytes(StandardCharsets.UTF_8));
        for (SNIMatcher matcher : matchers) {
            if (matcher.getType() == name.getType() && matcher.matches(name)) {
                return true;
            }
        }
        return false;
    }

    private int selectProtocol(byte[][] protocols) {
        List<String> offered = names(protocols);
        String selected;
        if (engine.socket() != null && engine.socket().getHandshakeApplicationProtocolSelector() != null) {
            selected = engine.socket().getHandshakeApplicationProtocolSelector().apply(engine.socket(), offered);
        } else if (engine.socket() == null && engine.getHandshakeApplicationProtocolSelector() != null) {
            selected = engine.getHandshakeApplicationProtocolSelector().apply(engine, offered);
        } else {
            return AS_CONFIGURED;
        }
        if (selected == null) {
            return refuse(ErrorCode.NO_COMMON_ALPN, "the selector accepted none of " + offered);
        }
        if (!selected.isEmpty() && !offered.contains(selected)) {
            return refuse(ErrorCode.NO_COMMON_ALPN, "the selector chose " + selected + ", which was not offered");
        }
        selectedProtocol = selected.getBytes(StandardCharsets.ISO_8859_1);
        return PROTOCOL_SELECTED;
    }

    private static List<String> names(byte[][] protocols) {
        List<String> names = new ArrayList<>(protocols.length);
        for (byte[] protocol : protocols) {
            names.add(new String(protocol, StandardCharsets.ISO_8859_1));
        }
        return names;
    }

    @Override
    public byte[] selectedProtocol() {
        return selectedProtocol;
    }

    @Override
    public long chooseIdentity(String serverName, String[] keyTypes, int[] certificateSchemes, byte[][] issuers,
            String[] settled, byte[][] peerChain) {
        try {
            X509ExtendedKeyManager manager = context.keyManager();
            if (manager == null) {
                return 0;
            }
            boolean isClient = engine.getUseClientMode();
            if (!isClient && chosen != null) {
                // rustls asks once more about the second ClientHello of a client.
                return chosen.share();
            }
            Session session = engine.handshakeSession(settled);
            session.setPeerSignatureSchemes(certificateSchemes);
            if (!isClient) {
                session.setRequestedServerName(serverName);
            }
            X509Certificate[] server = context.trustManager() == null ? readable(peerChain) : NO_CERTIFICATES;
            if (server.length > 0) {
                session.setPeerCertificates(server);
            }
            Principal[] names = principals(issuers);
            trace(() -> "the key manager is asked for a key of " + Arrays.toString(keyTypes) + ", issued by "
                    + (names == null ? "anyone" : Arrays.toString(names)));
            try {
                return isClient ? clientIdentity(manager, keyTypes, names) : serverIdentity(manager, keyTypes, names);
            } finally {
                if (server.length > 0) {
                    // From the end of the handshake on, they are read from the connection, if it keeps them.
                    session.setPeerCertificates(NO_CERTIFICATES);
                }
            }
        } catch (TlsFailure e) {
            cause = e.getCause() == null ? e : e.getCause();
            return -refuse(e.code(), detail(e));
        } catch (Throwable e) {
            return -refuse(ErrorCode.INTERNAL, e);
        }
    }

    private long clientIdentity(X509ExtendedKeyManager manager, String[] keyTypes, Principal[] issuers)
            throws GeneralSecurityException {
        String alias = clientAlias(manager, keyTypes, issuers);
        return alias == null ? 0 : take(manager, alias);
    }

    private String clientAlias(X509ExtendedKeyManager manager, String[] keyTypes, Principal[] issuers) {
        return engine.socket() == null
                ? manager.chooseEngineClientAlias(keyTypes, issuers, engine)
                : manager.chooseClientAlias(keyTypes, issuers, engine.socket());
    }

    @Override
    public boolean choosesAgain(String[] keyTypes, int[] signatureSchemes, byte[][] issuers, String version,
            byte[] endEntity, byte[][] peerChain) {
        Session session = engine.handshakeSession();
        String versionBefore = session.getProtocol();
        try {
            X509ExtendedKeyManager manager = context.keyManager();
            if (manager == null) {
                return endEntity == null;
            }
            session.setProtocol(version);
            session.setPeerSignatureSchemes("TLSv1.3".equals(version)
                    ? SignatureScheme.inCertificates(signatureSchemes) : signatureSchemes);
            session.setPeerCertificates(readable(peerChain));
            String alias = clientAlias(manager, keyTypes, principals(issuers));
            X509Certificate[] chain = alias == null ? null : manager.getCertificateChain(alias);
            boolean hasOne = chain != null && chain.length > 0 && manager.getPrivateKey(alias) != null;
            return hasOne ? Arrays.equals(chain[0].getEncoded(), endEntity) : endEntity == null;
        } catch (Throwable e) {
            trace(() -> "the key manager failed when asked about a session: " + e);
            return false;
        } finally {
            session.setPeerCertificates(NO_CERTIFICATES);
            session.setProtocol(versionBefore);
        }
    }

    private long serverIdentity(X509ExtendedKeyManager manager, String[] keyTypes, Principal[] issuers)
            throws GeneralSecurityException {
        TlsFailure unserved = null;
        for (String keyType : keyTypes) {
            String alias = engine.socket() == null
                    ? manager.chooseEngineServerAlias(keyType, issuers, engine)
                    : manager.chooseServerAlias(keyType, issuers, engine.socket());
            try {
                long identity = alias == null ? 0 : take(manager, alias);
                if (identity != 0) {
                    return identity;
                }
            } catch (TlsFailure e) {
                // The manager may have another key: EdDSA is also the type of Ed448.
                if (e.code() != ErrorCode.KEY_ALGORITHM_UNSUPPORTED) {
                    throw e;
                }
                unserved = unserved == null ? e : unserved;
            }
        }
        if (unserved != null) {
            throw unserved;
        }
        return 0;
    }

    private long take(X509ExtendedKeyManager manager, String alias) throws GeneralSecurityException {
        X509Certificate[] chain = manager.getCertificateChain(alias);
        PrivateKey key = manager.getPrivateKey(alias);
        trace(() -> "the key manager chose " + alias);
        if (chain == null || chain.length == 0 || key == null) {
            return 0;
        }
        chosen = context.identity(key, chain);
        engine.handshakeSession().setLocalCertificates(chain.clone());
        return chosen.share();
    }

    /** Returns null if the peer names no issuer; managers then accept any. */
    private static Principal[] principals(byte[][] issuers) {
        if (issuers.length == 0) {
            return null;
        }
        Principal[] principals = new Principal[issuers.length];
        for (int i = 0; i < issuers.length; i++) {
            principals[i] = new X500Principal(issuers[i]);
        }
        return principals;
    }

    @Override
    public int checkPeer(byte[][] chain, String[] settled, int[] certificateSchemes, byte[] staple,
            byte[][] ownChain) {
        try {
            X509Certificate[] certificates = parse(chain);
            if (certificates.length == 0) {
                return refuse(ErrorCode.CERT_MISSING, "");
            }
            judged = certificates[0].getSubjectX500Principal();
            Session session = engine.handshakeSession(settled);
            String version = session.getProtocol();
            session.setStatusResponses(staple.length == 0 ? List.of() : List.of(staple));
            // A client of TLS 1.2 gets the server's request after its certificate.
            if (version.equals("TLSv1.3") || !engine.getUseClientMode()) {
                session.setPeerSignatureSchemes(certificateSchemes);
            }
            if (ownChain.length > 0) {
                session.setLocalCertificates(ownChain);
            }
            X509ExtendedTrustManager manager = context.trustManager();
            if (manager == null) {
                return refuse(ErrorCode.NO_TRUST, "");
            }
            trace(() -> "the trust manager is asked about " + certificates[0].getSubjectX500Principal()
                    + ", issued by " + certificates[0].getIssuerX500Principal() + ", " + certificates.length
                    + " certificates, " + version
                    + (staple.length == 0 ? "" : ", with an OCSP response"));
            String keyType = certificates[0].getPublicKey().getAlgorithm();
            if (engine.getUseClientMode()) {
                checkServer(manager, certificates, serverAuthType(version, keyType));
            } else {
                checkClient(manager, certificates, keyType);
            }
            session.setPeerCertificates(certificates);
            return 0;
        } catch (Throwable e) {
            return refuse(Verdicts.code(e), e);
        }
    }

    @Override
    public int checkPeerAgain(byte[][] chain, String[] settled, int[] certificateSchemes, byte[] staple,
            byte[][] ownChain) {
        Session session = engine.handshakeSession();
        String versionBefore = session.getProtocol();
        List<byte[]> responsesBefore = session.getStatusResponses();
        try {
            X509Certificate[] certificates = parse(chain);
            X509ExtendedTrustManager manager = context.trustManager();
            if (certificates.length == 0 || manager == null) {
                return ErrorCode.NO_TRUST.number();
            }
            String version = engine.handshakeSession(settled).getProtocol();
            session.setStatusResponses(staple.length == 0 ? List.of() : List.of(staple));
            String keyType = certificates[0].getPublicKey().getAlgorithm();
            if (engine.getUseClientMode()) {
                checkServer(manager, certificates, serverAuthType(version, keyType));
            } else {
                checkClient(manager, certificates, keyType);
            }
            return 0;
        } catch (Throwable e) {
            trace(() -> "the trust manager refuses the peer of a session: " + e);
            return ErrorCode.CERT_REJECTED_BY_MANAGER.number();
        } finally {
            session.setProtocol(versionBefore);
            session.setStatusResponses(responsesBefore);
        }
    }

    @Override
    public int approvePeer(byte[][] chain) {
        try {
            X509Certificate[] certificates = parse(chain);
            judged = certificates[0].getSubjectX500Principal();
            context.verifyCallback().verify(certificates);
            return 0;
        } catch (Throwable e) {
            return refuse(ErrorCode.CERT_REJECTED_BY_CALLBACK, e);
        }
    }

    private void checkServer(X509ExtendedTrustManager manager, X509Certificate[] chain, String authType)
            throws CertificateException {
        if (engine.socket() == null) {
            manager.checkServerTrusted(chain.clone(), authType, engine);
        } else {
            manager.checkServerTrusted(chain.clone(), authType, engine.socket());
        }
    }

    private void checkClient(X509ExtendedTrustManager manager, X509Certificate[] chain, String authType)
            throws CertificateException {
        if (engine.socket() == null) {
            manager.checkClientTrusted(chain.clone(), authType, engine);
        } else {
            manager.checkClientTrusted(chain.clone(), authType, engine.socket());
        }
    }

    private static String serverAuthType(String version, String keyType) {
        if (version.equals("TLSv1.3")) {
            return "UNKNOWN";
        }
        return keyType.startsWith("RSA") ? "ECDHE_RSA" : "ECDHE_ECDSA";
    }

    @Override
    public int checkProof(byte[] endEntity, int signatureScheme, byte[] message, byte[] signature) {
        try {
            SignatureScheme scheme = SignatureScheme.of(signatureScheme);
            if (scheme == null) {
                return refuse(ErrorCode.CERT_ALGORITHM_UNSUPPORTED, String.format("scheme 0x%04x", signatureScheme));
            }
            PublicKey key = parse(new byte[][] {endEntity})[0].getPublicKey();
            Signature verifier = Signature.getInstance(scheme.jcaName);
            scheme.setParameters(verifier);
            verifier.initVerify(key);
            verifier.update(message);
            return verifier.verify(signature) ? 0 : refuse(ErrorCode.CERT_PROOF_INVALID, "");
        } catch (Throwable e) {
            return refuse(ErrorCode.CERT_PROOF_INVALID, e);
        }
    }

    @Override
    public String refusal() {
        return refusal;
    }

    private static X509Certificate[] parse(byte[][] chain) throws CertificateException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate[] certificates = new X509Certificate[chain.length];
        for (int i = 0; i < chain.length; i++) {
            certificates[i] = (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(chain[i]));
        }
        return certificates;
    }

    /** Returns no certificates for a chain that only the native library can read. */
    private static X509Certificate[] readable(byte[][] chain) {
        try {
            return parse(chain);
        } catch (CertificateException e) {
            return NO_CERTIFICATES;
        }
    }

    /** The peer influences these texts, and they can be long. */
    private void trace(Supplier<String> text) {
        context.log().log(System.Logger.Level.TRACE, () -> printable(text.get()));
    }

    private int refuse(ErrorCode code, Throwable thrown) {
        cause = thrown;
        String message = thrown.getMessage();
        return refuse(code, message == null ? thrown.getClass().getName() : message);
    }

    private int refuse(ErrorCode code, String text) {
        refusal = printable(text);
        return code.number();
    }

    /** Returns the detail of a failure without the text of its code. */
    private static String detail(TlsFailure failure) {
        String bare = TlsFailure.of(failure.code(), "").getMessage();
        String message = failure.getMessage();
        return message.startsWith(bare + ": ") ? message.substring(bare.length() + 2) : "";
    }

    /** Replaces characters that can control a terminal. Peers influence these texts, and logs are read on terminals. */
    static String printable(String text) {
        char[] characters = text.substring(0, Math.min(text.length(), MOST_TEXT)).toCharArray();
        for (int i = 0; i < characters.length; i++) {
            if (Character.isISOControl(characters[i]) || Character.isSurrogate(characters[i])
                    || Character.getType(characters[i]) == Character.FORMAT) {
                characters[i] = '?';
            }
        }
        return new String(characters);
    }
}
