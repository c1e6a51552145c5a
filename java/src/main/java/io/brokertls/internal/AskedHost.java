package io.brokertls.internal;

/** A host that is asked on the thread that made the native call. */
final class AskedHost implements HandshakeHost {
    private final HandshakeHost host;

    AskedHost(HandshakeHost host) {
        this.host = host;
    }

    @Override
    public int clientHello(String serverName, byte[][] protocols) {
        return Workers.ask(() -> host.clientHello(serverName, protocols));
    }

    @Override
    public byte[] selectedProtocol() {
        return host.selectedProtocol();
    }

    @Override
    public long chooseIdentity(String serverName, String[] keyTypes, int[] signatureSchemes, byte[][] issuers,
            String version, byte[][] peerChain) {
        return Workers.ask(
                () -> host.chooseIdentity(serverName, keyTypes, signatureSchemes, issuers, version, peerChain));
    }

    @Override
    public boolean choosesAgain(String[] keyTypes, int[] signatureSchemes, byte[][] issuers, String version,
            byte[] endEntity, byte[][] peerChain) {
        return Workers.ask(
                () -> host.choosesAgain(keyTypes, signatureSchemes, issuers, version, endEntity, peerChain));
    }

    @Override
    public int checkPeer(byte[][] chain, String version, byte[] staple) {
        return Workers.ask(() -> host.checkPeer(chain, version, staple));
    }

    @Override
    public int checkPeerAgain(byte[][] chain, String version, byte[] staple) {
        return Workers.ask(() -> host.checkPeerAgain(chain, version, staple));
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
