package io.brokertls.jsse.engine;

import io.brokertls.internal.NativeEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;

/**
 * The results of one engine's calls in one direction. They are immutable, and an equal result is returned again, so
 * that records of one length allocate nothing.
 */
final class Results {
    private static final SSLEngineResult[][] NOTHING =
            new SSLEngineResult[Status.values().length][HandshakeStatus.values().length];

    static {
        for (Status status : Status.values()) {
            for (HandshakeStatus handshake : HandshakeStatus.values()) {
                NOTHING[status.ordinal()][handshake.ordinal()] = new SSLEngineResult(status, handshake, 0, 0);
            }
        }
    }

    private SSLEngineResult last = NOTHING[0][0];

    /** Returns the result of a call that moved no bytes. */
    static SSLEngineResult nothing(Status status, HandshakeStatus handshake) {
        return NOTHING[status.ordinal()][handshake.ordinal()];
    }

    /** Returns the result of a call that moved data, after which nothing else is to do. */
    SSLEngineResult plain(long packed) {
        return moved(Status.OK, HandshakeStatus.NOT_HANDSHAKING, NativeEngine.consumed(packed),
                NativeEngine.produced(packed));
    }

    SSLEngineResult moved(Status status, HandshakeStatus handshake, int consumed, int produced) {
        SSLEngineResult before = last;
        if (before.bytesConsumed() == consumed && before.bytesProduced() == produced && before.getStatus() == status
                && before.getHandshakeStatus() == handshake) {
            return before;
        }
        last = new SSLEngineResult(status, handshake, consumed, produced);
        return last;
    }
}
