package io.brokertls.jsse.session;

import io.brokertls.ConnectionFacts;
import io.brokertls.TlsFailure;
import java.util.List;

/**
 * The facts of one connection that JSSE has no place for. An engine has one record for its life, and all its sessions
 * refer to it, so that a wrapper of the engine shows it too. No two engines share one, also if they resume the same
 * session. Safe for use by several threads.
 */
public final class ConnectionRecord {
    private static final String[] NONE = {};

    /** 0 before the handshake has begun. */
    private volatile long id;
    private volatile TlsFailure failure;
    private String group;
    private String[] deviations = NONE;
    private boolean isResumed;

    /** Sets the number of the connection, when its handshake begins. */
    public void begin(long number) {
        id = number;
    }

    /** Sets the facts of a complete handshake. */
    public synchronized void complete(String agreedGroup, boolean resumed, String[] tolerated) {
        group = agreedGroup;
        isResumed = resumed;
        deviations = tolerated.length == 0 ? NONE : tolerated;
    }

    /** Sets the failure that ended the connection. */
    public void fail(TlsFailure reason) {
        failure = reason;
    }

    public long id() {
        return id;
    }

    synchronized ConnectionFacts facts() {
        return new ConnectionFacts(id, isResumed, group, List.of(deviations), failure);
    }
}
