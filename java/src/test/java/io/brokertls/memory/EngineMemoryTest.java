package io.brokertls.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.peer.Stack;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The memory of engines, which is freed when they are dropped, and of their callers. Each test has its own JVM. */
class EngineMemoryTest {
    private static final int IDLE_BYTES_MAX = 8192;
    private static final int IDLE_ENGINES = 10_000;
    private static final int DROPPED_ENGINES = 200_000;
    private static final int STEPS = 10;
    /** Pages that malloc and the compilers take as they please, however many engines there were. */
    private static final long GROWTH_KILOBYTES_MAX = 24 * 1024;

    @TempDir
    Path folder;

    @Test
    void enginesDroppedWithoutCloseLeaveMemoryFlat() throws Exception {
        List<String> lines = run(List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"),
                "drop", Stack.OURS.name(), "" + DROPPED_ENGINES, "" + DROPPED_ENGINES / STEPS);
        List<Long> sizes = figures(lines, "RSS ");
        assertEquals(STEPS, sizes.size(), lines::toString);
        long settled = sizes.get(STEPS / 2 - 1);
        long last = sizes.get(STEPS - 1);
        System.out.println(DROPPED_ENGINES + " engines made and dropped: resident kB " + sizes);
        assertTrue(last - settled <= GROWTH_KILOBYTES_MAX, () -> "resident memory grows: " + sizes);
    }

    @Test
    void idleEngineTakesAtMostEightKibibytes() throws Exception {
        List<String> lines = run(List.of("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC",
                // The compiler that takes least memory: what it takes counts as the engines'.
                "-XX:TieredStopAtLevel=1"),
                "idle", Stack.OURS.name(), "" + IDLE_ENGINES);
        long heap = figures(lines, "HEAP ").get(0);
        long outside = figures(lines, "NATIVE ").get(0);
        System.out.println("an idle engine: " + heap + " bytes of Java heap, " + outside + " bytes native");
        assertTrue(heap + outside <= IDLE_BYTES_MAX, () -> heap + " + " + outside);
    }

    /** The JVM complains if a native method calls it between the pinning of an array and its release. */
    @Test
    void recordsInArraysAndARefusalAmongThemCallTheJvmOnlyAfterTheArraysAreReleased() throws Exception {
        List<String> lines = run(List.of("-Xcheck:jni"), "pinned", Stack.OURS.name(), "50");
        assertEquals(List.of(), lines.stream().filter(line -> line.contains("Critical") || line.contains("FATAL"))
                .collect(Collectors.toList()));
        assertRefusal(lines);
        assertTrue(lines.contains("PINS true"), lines::toString);
    }

    /** HotSpot gives copies of arrays with -Xcheck:jni, and a copy written back would undo what other threads write. */
    @Test
    void recordsAreCopiedIfTheJvmGivesCopiesOfArraysOrThePropertySaysSo() throws Exception {
        for (String option : List.of("-Xcheck:jni", "-Dbrokertls.native.pin=false")) {
            List<String> lines = run(List.of(option), "arrays", Stack.OURS.name(), "50");
            assertRefusal(lines);
            assertTrue(lines.contains("PINS false"), lines::toString);
        }
        assertTrue(run(List.of(), "arrays", Stack.OURS.name(), "50").contains("PINS true"));
    }

    /** Its threads live on, and some of what it made was never closed. */
    @Test
    void applicationThatWasStoppedLeavesNothingOfItsClassLoaderBehind() throws Exception {
        List<String> lines = runProgram(Redeployment.class, List.of("-Xmx256m"));
        assertEquals(2, lines.stream().filter("COLLECTED"::equals).count(), lines::toString);
    }

    private static void assertRefusal(List<String> lines) {
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("REFUSED BTLS_DECRYPT_FAILED (")), lines::toString);
        assertTrue(lines.stream().anyMatch(line -> line.matches(".*WARNING: connection \\d+: BTLS_DECRYPT_FAILED \\(.*")), lines::toString);
    }

    private List<String> run(List<String> options, String... arguments) throws Exception {
        return runProgram(EngineSoak.class, options, arguments);
    }

    private List<String> runProgram(Class<?> program, List<String> options, String... arguments) throws Exception {
        return ChildJvm.run(Path.of(System.getProperty("java.home")), folder.resolve("output"), program, options,
                List.of(arguments));
    }

    private static List<Long> figures(List<String> lines, String name) {
        List<Long> found = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith(name)) {
                found.add(Long.parseLong(line.substring(name.length())));
            }
        }
        return found;
    }
}
