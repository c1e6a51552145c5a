package io.brokertls.internal;

/** The settings of one engine where they differ from its context's. Read once, when the native engine is made. */
public final class EngineSettings {
    /** Comma-separated protocol versions; null keeps the context's. */
    public String versions;
    /** Comma-separated cipher suites in order of preference; null keeps the context's. */
    public String cipherSuites;
    /** -1 keeps the context's; 0 none, 1 want, 2 need. */
    public int clientAuth = -1;
    /** Application protocols in order of preference; null keeps the context's, empty means none. */
    public byte[][] applicationProtocols;
    /** Clients: -1 keeps the context's; 0 does not compare the server's name with its certificate, 1 does. */
    public int checksServerName = -1;
    /** Clients: whether the host is sent as server name (RFC 6066 section 3). */
    public boolean sendsServerName = true;
    /** Servers: whether the order of the cipher suites here decides; else the client's does. */
    public boolean prefersOwnCipherOrder;
    /** Servers: whether {@link HandshakeHost#clientHello} is asked. */
    public boolean asksAboutHello;
    /**
     * Clients: sessions are remembered by host and this text. Servers: they are resumed by engines with the same text
     * alone. Null remembers and resumes none.
     */
    public String sessionScope = "";
    /** Clients: only an earlier session may be resumed; a full handshake is refused. */
    public boolean resumesOnly;
}
