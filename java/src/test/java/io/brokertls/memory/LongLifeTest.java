package io.brokertls.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Engines and sockets that were cut, refused, shared and dropped leave nothing behind. The properties ask for a longer
 * run, and for other JVMs by their homes, separated by colons.
 */
class LongLifeTest {
    private static final int ENGINES = Integer.getInteger("io.brokertls.soak.engines", 6_000);
    private static final int SOCKETS = Integer.getInteger("io.brokertls.soak.sockets", 1_000);
    private static final String JVMS = System.getProperty("io.brokertls.soak.jvms", System.getProperty("java.home"));
    private static final int CHECKED_ENGINES = 1_000;
    private static final int CHECKED_SOCKETS = 150;
    private static final int STEPS = 10;
    /** Handshake messages by their numbers, and records that are cut as one message. */
    private static final List<String> CUT_MESSAGES = List.of("TLSv1.2 message1", "TLSv1.2 message2",
            "TLSv1.2 message4", "TLSv1.2 message11", "TLSv1.2 message12", "TLSv1.2 message13", "TLSv1.2 message14",
            "TLSv1.2 message15", "TLSv1.2 message16", "TLSv1.2 record20", "TLSv1.2 record22", "TLSv1.3 message1",
            "TLSv1.3 message2", "TLSv1.3 record20", "TLSv1.3 record23");
    private static final String[] NAMES = {"heap kB", "resident kB", "direct kB", "descriptors"};
    /** Growth from the middle of the run: caches of the JDK, and pages that malloc and the compilers take. */
    private static final long[] GROWTH_MAX = {1024, 24 * 1024, 256, 4};
    private static final List<String> SETTLED_HEAP =
            List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");

    @TempDir
    Path folder;

    @Test
    void connectionsCutAtEveryMessageRefusedByManagersAndSharedByThreadsLeaveMemoryAndDescriptorsFlat()
            throws Exception {
        for (String home : JVMS.split(":")) {
            List<String> lines = run(home, SETTLED_HEAP, ENGINES, SOCKETS);
            List<long[]> figures = lines.stream().filter(line -> line.startsWith("FIGURES "))
                    .map(line -> Stream.of(line.split(" ")).skip(1).mapToLong(Long::parseLong).toArray())
                    .collect(Collectors.toList());
            assertEquals(STEPS, figures.size(), lines::toString);
            System.out.println(home + ": " + ENGINES + " engines, " + SOCKETS + " sockets: " + lines);
            List<String> grown = new ArrayList<>();
            for (int i = 0; i < NAMES.length; i++) {
                int column = i;
                long[] values = figures.stream().mapToLong(row -> row[column]).toArray();
                System.out.println("  " + NAMES[i] + " " + Arrays.toString(values));
                if (values[STEPS - 1] - values[STEPS / 2 - 1] > GROWTH_MAX[i]) {
                    grown.add(NAMES[i] + " " + Arrays.toString(values));
                }
            }
            assertEquals(List.of(), grown, home);
            assertEveryEnd(lines);
            assertEveryCut(lines);
        }
    }

    /** Every message was cut, and was the last one before a cut, at engines and at sockets. */
    private static void assertEveryCut(List<String> lines) {
        List<String> missing = new ArrayList<>();
        for (String message : CUT_MESSAGES) {
            for (String place : List.of("in", "after")) {
                String name = message.replace(" ", "." + place + ".").replace(".", "\\.");
                for (String kind : List.of("engine", "wire")) {
                    String counted = "DONE " + kind + "\\.cut\\d\\." + name + " .*";
                    if (lines.stream().noneMatch(line -> line.matches(counted))) {
                        missing.add(kind + " " + place + " " + message);
                    }
                }
            }
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void jniChecksOfTheJvmFindNothingInConnectionsOfEveryEnd() throws Exception {
        for (String home : JVMS.split(":")) {
            List<String> lines = run(home, List.of("-Xcheck:jni"), CHECKED_ENGINES, CHECKED_SOCKETS);
            assertEquals(List.of(), lines.stream().filter(line -> line.contains("in native method")
                    || line.contains("FATAL") || line.contains("WARNING: JNI")).collect(Collectors.toList()), home);
            assertEveryEnd(lines);
        }
    }

    /** A run that met only refusals, or none, would show nothing. */
    private static void assertEveryEnd(List<String> lines) {
        for (String end : List.of("engine.finished", "engine.cut0", "engine.cut1", "engine.cut2", "engine.cut3",
                "engine.IOException", "thread.IOException", "socket.finished", "socket.IOException", "wire.cut0",
                "wire.cut1", "wire.finished", "manager.CHECKED", "manager.RUNTIME", "manager.ERROR")) {
            String counted = "DONE " + end + "\\b.* [1-9]\\d*";
            assertTrue(lines.stream().anyMatch(line -> line.matches(counted)), () -> end + ": " + lines);
        }
        assertFalse(lines.stream().anyMatch(line -> line.startsWith("DONE engine.unfinished")), lines::toString);
    }

    private List<String> run(String home, List<String> options, int engines, int sockets) throws Exception {
        List<String> arguments = List.of("" + engines, "" + sockets, "" + STEPS);
        return ChildJvm.run(Path.of(home), folder.resolve("output"), LongLife.class, options, arguments);
    }
}
