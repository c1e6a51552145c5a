package io.brokertls.internal;

/** A host that is asked on the thread that made the native call. */
final class AskedHost implements HandshakeHost {
    private final HandshakeHost host;

    AskedHost(HandshakeHost host) {
        this.host = host;
    }

    @Override
    public int clientHello(String serverName, byte[][] protocols, int[] certificateSchemes, String[] settled) {
        return Workers.ask(() -> host.clientHello(serverName, protocols, certificateSchemes, settled));
    }

    @Override
    public byte[] selectedProtocol() {
        return host.selectedProtocol();
    }

    @Override
    public long chooseIdentity(String serverName, String[] keyTypes, int[] certificateSchemes, byte[][] issuers,
            String[] settled, byte[][] peerChain) {
        return Workers.ask(
                () -> host.chooseIdentity(serverName, keyTypes, certificateSchemes, issuers, settled, peerChain));
    }

    @Override
    public boolean choosesAgain(String[] keyTypes, int[] signatureSchemes, byte[][] issuers, String version,
            byte[] endEntity, byte[][] peerChain) {
        return Workers.ask(
                () -> host.choosesAgain(keyTypes, signatureSchemes, issuers, version, endEntity, peerChain));
    }

    @Override
    public int checkPeer(byte[][] chain, String[] settled, int[] certificateSchemes, byte[] staple,
            byte[][] ownChain) {
        return Workers.ask(() -> host.checkPeer(chain, settled, certificateSchemes, staple, ownChain));
    }

    @Override
    public int checkPeerAgain(byte[][] chain, String[] settled, int[] certificateSchemes, byte[] staple,
            byte[][] ownChain) {
        return Workers.ask(() -> host.checkPeerAgain(chain, settled, certificateSchemes, staple, ownChain));
    }

    @Override
    public int approvePeer(byte[][] chain) {
        return Workers.ask(() -> host.approvePeer(chain));
    }

    @Override
    public int checkProof(byte[] endEntity, int signatureScheme, byte[] message, byte[] signature) {
        return Workers.ask(() -> host.checkProof(endEntity, signatureScheme, message, signature));
    }

    @Override
    public String refusal() {
        return host.refusal();
    }
}
