package io.brokertls.internal;

/**
 * The callbacks of a handshake. Called only on the thread that runs {@link NativeEngine#runTask}, never on the data
 * path.
 *
 * <p>No method throws. The host keeps the exception of a manager, which becomes the cause of the engine's exception.
 */
public interface HandshakeHost {
    /** Continue with the configured application protocols. */
    int AS_CONFIGURED = 0;
    /** Continue with {@link #selectedProtocol()} as the only application protocol. */
    int PROTOCOL_SELECTED = 1;

    /**
     * Called when a server has read a ClientHello, if {@link EngineSettings#asksAboutHello} is set.
     *
     * @param serverName the name that the client sent, or null
     * @param protocols the application protocols of the client in its order; empty if it offers none
     * @param certificateSchemes the numbers of the signature schemes that the client accepts in certificates (RFC 8446
     *        section 4.2.3)
     * @param settled the settled facts: version, cipher suite, null
     * @return {@link #AS_CONFIGURED}, {@link #PROTOCOL_SELECTED}, or the number of an {@code ErrorCode} to refuse the
     *         client
     */
    int clientHello(String serverName, byte[][] protocols, int[] certificateSchemes, String[] settled);

    /** Returns the protocol for {@link #PROTOCOL_SELECTED}; an empty array means none. */
    byte[] selectedProtocol();

    /**
     * Chooses the own identity. Called if the context takes its identities from the host.
     *
     * @param serverName on a server, the name that the client sent, or null
     * @param keyTypes the key types that the peer can verify, in its order, with the names of key managers: EC, RSA,
     *         EdDSA, RSASSA-PSS
     * @param certificateSchemes the numbers of the signature schemes that the peer accepts in certificates (RFC 8446
     *        section 4.2.3)
     * @param issuers the distinguished names (DER) that the peer accepts; empty if it names none
     * @param settled the settled facts: version, cipher suite by its IANA name, application protocol. Each can be null,
     *        if it is not known yet. The protocol is empty if none is used.
     * @param peerChain on a client, the certificates of the server, DER, end entity first, which have been accepted;
     *         can be empty if {@link #checkPeer} has been called before
     * @return the pointer of a {@link NativeIdentity}, 0 for none, or the negative number of an {@code ErrorCode} to
     *         refuse
     */
    long chooseIdentity(String serverName, String[] keyTypes, int[] certificateSchemes, byte[][] issuers,
            String[] settled, byte[][] peerChain);

    /**
     * Returns true if a client would choose the same identity as in an earlier session. Only then is the session
     * resumed. The arguments are those of {@link #chooseIdentity} in that session.
     *
     * @param signatureSchemes the numbers of the signature schemes that the server accepts in handshakes
     * @param endEntity the certificate of the earlier session, DER, or null if none was sent
     * @param peerChain the certificates of the server in that session, as far as they are kept
     */
    boolean choosesAgain(String[] keyTypes, int[] signatureSchemes, byte[][] issuers, String version, byte[] endEntity,
            byte[][] peerChain);

    /**
     * Accepts or refuses the peer. Called if the host alone decides about trust.
     *
     * @param chain the certificates that the peer sent, DER, end entity first
     * @param settled the settled facts, as for {@link #chooseIdentity}; the version is not null
     * @param certificateSchemes as for {@link #chooseIdentity}; empty if the peer has not sent them yet
     * @param staple the OCSP response that a server sent with its certificate; empty if it sent none
     * @param ownChain the certificates that a server has sent, DER; empty if it has sent none, or the host chose them
     * @return 0 to accept, or the number of an {@code ErrorCode} to refuse
     */
    int checkPeer(byte[][] chain, String[] settled, int[] certificateSchemes, byte[] staple,
            byte[][] ownChain);

    /**
     * Accepts or refuses the peer of an earlier session, which is resumed only if the peer is accepted. Does not change
     * the facts of the current handshake.
     *
     * @return 0 to accept, or another number to refuse, as for {@link #checkPeer}
     */
    int checkPeerAgain(byte[][] chain, String[] settled, int[] certificateSchemes, byte[] staple,
            byte[][] ownChain);

    /**
     * Accepts or refuses a peer that the trust anchors accepted. Called if the context has a verify callback.
     *
     * @param chain the certificates that the peer sent, DER, end entity first
     * @return 0 to accept, or the number of an {@code ErrorCode} to refuse
     */
    int approvePeer(byte[][] chain);

    /**
     * Verifies the peer's signature over the handshake. Called if the host decides about trust and the native library
     * does not support the key, for example RSA below 1024 bits.
     *
     * @return 0 to accept, or the number of an {@code ErrorCode} to refuse
     */
    int checkProof(byte[] endEntity, int signatureScheme, byte[] message, byte[] signature);

    /** Returns the detail of the last refusal for its message; may be empty. */
    String refusal();
}
