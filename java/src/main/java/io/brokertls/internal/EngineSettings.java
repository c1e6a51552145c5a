package io.brokertls.internal;

/** The settings of one engine that differ from its context. Read once, when the native engine is made. */
public final class EngineSettings {
    /** Comma-separated protocol versions; null keeps those of the context. */
    public String versions;
    /** Comma-separated cipher suites in order of preference; null keeps those of the context. */
    public String cipherSuites;
    /** Comma-separated key exchange groups in order of preference; null keeps those of the context. */
    public String groups;
    /** Comma-separated signature schemes in order of preference; null allows all. */
    public String signatureSchemes;
    /** The longest record to send in bytes, header included; 0 for no limit. */
    public int maximumRecordSize;
    /** 0 none, 1 want, 2 need; -1 keeps the setting of the context. */
    public int clientAuth = -1;
    /** Application protocols in order of preference, empty for none; null keeps those of the context. */
    public byte[][] applicationProtocols;
    /** Clients: 1 compares the server's name with its certificate, 0 does not; -1 keeps the setting of the context. */
    public int checksServerName = -1;
    /** Clients: send the host as server name (RFC 6066 section 3). */
    public boolean sendsServerName = true;
    /** Servers: prefer the own order of cipher suites to the client's. */
    public boolean prefersOwnCipherOrder;
    /** Servers: call {@link HandshakeHost#clientHello}. */
    public boolean asksAboutHello;
    /**
     * Clients cache sessions by host and this text. Servers resume only sessions of engines with the same text. Null
     * turns resumption off.
     */
    public String sessionScope = "";
    /** Clients: resume a session, and refuse a full handshake. */
    public boolean resumesOnly;
}
