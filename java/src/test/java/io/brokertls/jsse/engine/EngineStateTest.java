package io.brokertls.jsse.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.jsse.engine.EngineState.Event;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The transitions of an engine's states: each pair of a state and an event leads to one state or is refused. */
class EngineStateTest {
    /** The next state of each state, in the order of the events; "-" is a refusal. */
    private static final Map<EngineState, String> FOLLOWERS = new EnumMap<>(Map.of(
            EngineState.NEW, "HANDSHAKING - - ABANDONED ABANDONED - ABANDONED",
            EngineState.HANDSHAKING, "- FINISHING - - ABANDONED FAILED ABANDONED",
            EngineState.FINISHING, "- - ESTABLISHED FINISHING_INPUT_CLOSED OUTPUT_CLOSED FAILED CLOSED",
            EngineState.FINISHING_INPUT_CLOSED, "- - INPUT_CLOSED - CLOSED FAILED CLOSED",
            EngineState.ESTABLISHED, "- - - INPUT_CLOSED OUTPUT_CLOSED FAILED CLOSED",
            EngineState.INPUT_CLOSED, "- - - - CLOSED FAILED CLOSED",
            EngineState.OUTPUT_CLOSED, "- - - CLOSED - FAILED CLOSED",
            EngineState.CLOSED, "- - - - - FAILED CLOSED",
            EngineState.ABANDONED, "- - - - - FAILED ABANDONED",
            EngineState.FAILED, "- - - - - - FAILED"));

    @ParameterizedTest
    @EnumSource
    void eachEventLeadsToItsStateOrIsRefused(EngineState state) {
        String[] followers = FOLLOWERS.get(state).split(" ");
        assertEquals(Event.values().length, followers.length);
        for (Event event : Event.values()) {
            String follower = followers[event.ordinal()];
            if (follower.equals("-")) {
                assertThrows(IllegalStateException.class, () -> state.after(event), event + " in " + state);
            } else {
                assertEquals(EngineState.valueOf(follower), state.after(event), event + " in " + state);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void closedDirectionsStayClosed(EngineState state) {
        for (Event event : Event.values()) {
            if (FOLLOWERS.get(state).split(" ")[event.ordinal()].equals("-")) {
                continue;
            }
            EngineState next = state.after(event);
            assertEquals(state.isInputClosed() || next.isInputClosed(), next.isInputClosed(), event + " in " + state);
            assertEquals(state.isOutputClosed() || next.isOutputClosed(), next.isOutputClosed(),
                    event + " in " + state);
        }
    }
}
