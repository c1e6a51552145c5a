package io.brokertls.jsse.monitoring;

import java.util.Collection;
import java.util.function.Supplier;

/** The events of JFR. Without the module jdk.jfr there are none. */
public interface Flight {
    /** The events of this process. */
    Flight EVENTS = FlightOfProcess.find();

    /** Returns the event of a handshake that begins now; null if none is recorded. */
    Object begin();

    /** Records a handshake that {@link #begin} has begun. */
    void handshake(Object begun, HandshakeFacts facts);

    /** Returns true if a recording wants handshakes or refusals. */
    boolean records();

    /** Records a refusal, if refusals are recorded. */
    void refusal(HandshakeFacts facts, String message, String hint);

    /** Returns the event of a reload or of maintenance that begins now; null if none is recorded. */
    Object beginReload();

    /** Records a reload. */
    void reload(Object begun, String context, String failure);

    /** Records certificates and sources of revocation data of these contexts, as often as a recording wants. */
    void watch(Supplier<Collection<Watched>> contexts);

    /** Ends {@link #watch}. */
    void forget();
}
