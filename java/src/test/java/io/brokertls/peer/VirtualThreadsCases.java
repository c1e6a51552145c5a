package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Virtual threads, with two carriers and never more, so that two threads that keep theirs stop all. Needs Java 25, on
 * which monitors keep no carrier. Each program has a recording of the threads that kept their carrier.
 */
class VirtualThreadsCases {
    private static final long MINUTES_MAX = 5;

    @TempDir
    Path folder;

    @Test
    void tenThousandThreadsWithTrustManagersThatWaitAreServedByABoundedNumberOfWorkers() throws Exception {
        List<String> lines = run("managers", "10000");
        assertTrue(lines.contains("SERVED 10000 FAILURE null"), lines::toString);
        assertTrue(lines.contains("WORKERS true"), lines::toString);
    }

    @Test
    void socketsOnVirtualThreadsAreServedWhileManagersAndReadsWait() throws Exception {
        List<String> lines = run("sockets", "200");
        assertTrue(lines.contains("SERVED 200"), lines::toString);
    }

    @Test
    void everyOtherThreadContinuesWhileHandshakesWaitForAMuteResponder() throws Exception {
        List<String> lines = run("responder", "8", folder.toString());
        assertTrue(lines.contains("OTHER 100 EARLY 0"), lines::toString);
        assertTrue(lines.contains("REFUSED 8"), lines::toString);
    }

    @Test
    void managersThatMakeConnectionsOfTheirOwnAreServedBeyondTheUsualNumberOfWorkers() throws Exception {
        List<String> lines = run("nested", "400");
        assertTrue(lines.contains("SERVED 400"), lines::toString);
    }

    @Test
    void managerRunsOnTheThreadOfTheHandshakeAndWhateverItThrowsLosesNoWorker() throws Exception {
        List<String> lines = run("context", "1500");
        assertTrue(lines.contains("MANAGER value, interrupted, interrupted"), lines::toString);
        assertTrue(lines.contains("REFUSED 1500"), lines::toString);
        assertTrue(lines.contains("WORKERS true"), lines::toString);
    }

    /** Runs the program, and checks that no thread kept its carrier in the code of this library. */
    private List<String> run(String... arguments) throws Exception {
        Path recording = folder.resolve("recording.jfr");
        Path target = Path.of(System.getProperty("basedir", "."), "target");
        List<String> command = new ArrayList<>(List.of(tool("java"), "-Xmx512m",
                "-Djdk.virtualThreadScheduler.parallelism=2", "-Djdk.virtualThreadScheduler.maxPoolSize=2",
                "-XX:StartFlightRecording:settings=none,jdk.VirtualThreadPinned#enabled=true,"
                        + "jdk.VirtualThreadPinned#threshold=0ms,filename=" + recording,
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.util.logging.config.file=" + System.getProperty("java.util.logging.config.file"),
                "-cp", target.resolve("classes") + ":" + target.resolve("test-classes") + ":"
                        + System.getProperty("java.class.path") + ":"
                        + System.getProperty("surefire.test.class.path", ""),
                VirtualThreadsProgram.class.getName()));
        command.addAll(Arrays.asList(arguments));
        List<String> lines = output(command);
        List<String> pinned = output(List.of(tool("jfr"), "print", "--stack-depth", "64", "--events",
                "jdk.VirtualThreadPinned", recording.toString()));
        assertEquals(0, pinned.stream().filter(line -> line.contains("io.brokertls.internal.")
                || line.contains("io.brokertls.jsse.")).count(), pinned::toString);
        return lines;
    }

    private static String tool(String name) {
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }

    private List<String> output(List<String> command) throws Exception {
        Path output = folder.resolve("printed");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        try {
            assertTrue(process.waitFor(MINUTES_MAX, TimeUnit.MINUTES), () -> command + " does not end");
        } finally {
            process.destroyForcibly();
        }
        List<String> lines = Files.readAllLines(output);
        assertEquals(0, process.exitValue(), lines::toString);
        return lines;
    }
}
