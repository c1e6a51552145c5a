package io.brokertls.jsse.monitoring;

/** The facts of a handshake for an event. Texts can be null. */
public final class HandshakeFacts {
    public String context;
    public long connectionId;
    public boolean isClient;
    /** Host and port of the other side. */
    public String address;
    public String version;
    public String cipherSuite;
    public String group;
    public boolean isResumed;
    /** The name of the other side's certificate or pre-shared key. */
    public String peer;
    /** {@code full}, {@code resumed}, or the name of the code of a refusal. */
    public String result;
}
