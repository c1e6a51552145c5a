package io.brokertls.memory;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Handshakes of an application that has used up its stack. */
class DeepStackTest {
    /** Compiled frames would be shorter than those that were measured. */
    private static final List<String> OPTIONS = List.of("-XX:CompileCommand=quiet",
            "-XX:CompileCommand=exclude,io.brokertls.memory.DeepStack::measure",
            "-XX:CompileCommand=exclude,io.brokertls.memory.DeepStack::deepen");

    @TempDir
    Path folder;

    @Test
    void handshakesAtTheEndOfTheStackFailAndTheProcessContinues() throws Exception {
        List<String> lines = ChildJvm.run(Path.of(System.getProperty("java.home")), folder.resolve("output"),
                DeepStack.class, OPTIONS, List.of());
        for (String expected : List.of("FAILED [1-9]\\d*", "SERVED [1-9]\\d*", "AFTERWARDS served")) {
            assertTrue(lines.stream().anyMatch(line -> line.matches(expected)), () -> expected + ": " + lines);
        }
    }
}
