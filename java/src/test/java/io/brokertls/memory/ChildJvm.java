package io.brokertls.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own for the program of a test. */
public final class ChildJvm {
    private static final long MINUTES_MAX = 120;

    private ChildJvm() {
    }

    /** Runs the program in the JVM of this home, and returns the lines that it printed. */
    public static List<String> run(Path home, Path output, Class<?> program, List<String> options, List<String> arguments)
            throws Exception {
        List<String> command = new ArrayList<>();
        command.add(home.resolve("bin").resolve("java").toString());
        command.addAll(options);
        Path target = Path.of(System.getProperty("basedir", "."), "target");
        command.addAll(List.of("-cp", target.resolve("classes") + ":" + target.resolve("test-classes") + ":"
                + System.getProperty("java.class.path") + ":" + System.getProperty("surefire.test.class.path", "")));
        command.add(program.getName());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        // One arena: how many malloc makes depends on threads, not on engines.
        builder.environment().put("MALLOC_ARENA_MAX", "1");
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(MINUTES_MAX, TimeUnit.MINUTES), "the program does not end");
        } finally {
            process.destroyForcibly();
        }
        List<String> lines = Files.readAllLines(output);
        assertEquals(0, process.exitValue(), lines::toString);
        return lines;
    }
}
