package io.brokertls.internal;

/**
 * What a handshake asks of Java. Called only on the thread that is in {@link NativeEngine#runTask}, never on the data path.
 *
 * <p>No method throws: what a manager throws is kept by the host, which gives it as the cause of the engine's exception.
 */
public interface HandshakeHost {
    /** Go on with what is configured. */
    int AS_CONFIGURED = 0;
    /** Go on with {@link #selectedProtocol()} as the only application protocol. */
    int PROTOCOL_SELECTED = 1;

    /**
     * A server has read a ClientHello; asked only where {@link EngineSettings#asksAboutHello} is set.
     *
     * @param serverName the name that the client sent, or null
     * @param protocols the application protocols that it offers, in its order; empty where it offers none
     * @return {@link #AS_CONFIGURED}, {@link #PROTOCOL_SELECTED}, or the number of the {@code ErrorCode} to refuse with
     */
    int clientHello(String serverName, byte[][] protocols);

    /** The protocol for {@link #PROTOCOL_SELECTED}; empty for none at all. */
    byte[] selectedProtocol();

    /**
     * Chooses the certificate to show; asked only of contexts whose identities are the host's.
     *
     * @param serverName on a server, the name that the client sent, or null
     * @param keyTypes the kinds of keys the peer can verify, its favourite first, as key managers name them: EC, RSA, EdDSA
     * @param signatureSchemes the numbers of the signature schemes that the peer offers (RFC 8446 section 4.2.3)
     * @param issuers the distinguished names (DER) that the peer asks for; empty where it names none
     * @param version on a client, {@code TLSv1.2} or {@code TLSv1.3}; null on a server: no version is chosen yet
     * @return the pointer of a {@link NativeIdentity}, 0 for none, or a negated {@code ErrorCode} number to refuse
     */
    long chooseIdentity(String serverName, String[] keyTypes, int[] signatureSchemes, byte[][] issuers, String version);

    /**
     * Says whether a client would show the same certificate as in an earlier session, which is resumed only then. The
     * arguments are those of {@link #chooseIdentity} in that session.
     *
     * @param endEntity the certificate that was shown, DER, or null if none was
     */
    boolean choosesAgain(String[] keyTypes, int[] signatureSchemes, byte[][] issuers, String version, byte[] endEntity);

    /**
     * Decides about the peer's certificates; asked only of contexts whose trust is the host's.
     *
     * @param chain DER, end entity first, as the peer sent them
     * @param version {@code TLSv1.2} or {@code TLSv1.3}
     * @param staple the OCSP response that a server sent with its certificate, or an empty array
     * @return 0 to accept, or the number of the {@code ErrorCode} to refuse with
     */
    int checkPeer(byte[][] chain, String version, byte[] staple);

    /**
     * Decides again about the peer of an earlier session, which is resumed only if it is accepted. Leaves no trace in
     * what the handshake knows of its own peer.
     *
     * @return 0 to accept, or another number to refuse, as for {@link #checkPeer}
     */
    int checkPeerAgain(byte[][] chain, String version, byte[] staple);

    /**
     * May refuse a peer whose certificates were accepted; asked only of contexts that were built so.
     *
     * @param chain DER, end entity first, as the peer sent them
     * @return 0 to let it in, or the number of the {@code ErrorCode} to refuse with
     */
    int approvePeer(byte[][] chain);

    /**
     * Checks the peer's proof that it has the private key, where the native library does not serve the key (RSA below
     * 1024 bits, for one); asked only of contexts whose trust is the host's.
     *
     * @return 0 to accept, or the number of the {@code ErrorCode} to refuse with
     */
    int checkProof(byte[] endEntity, int signatureScheme, byte[] message, byte[] signature);

    /** What the last refusal was about, for its message; may be empty. */
    String refusal();
}
