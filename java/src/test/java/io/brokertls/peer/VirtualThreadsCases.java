package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Virtual threads, with two carriers and never more, so that two threads that keep theirs stop all. Needs Java 21 or
 * later; up to Java 23 a monitor keeps the carrier too. Each program has a recording of the threads that kept their
 * carrier.
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
    void refusalsAreLoggedByALoggerThatWaitsForAnotherVirtualThread() throws Exception {
        List<String> lines = run("logger", "40");
        assertTrue(lines.contains("REFUSED 40"), lines::toString);
    }

    @Test
    void handshakesThatAllWaitForAFurtherOneAreRefusedAndLaterOnesAreServed() throws Exception {
        List<String> lines = run("mutual", "1024");
        assertTrue(lines.contains("ENDED 1024 BUSY true"), lines::toString);
        assertTrue(lines.contains("SERVED 1"), lines::toString);
    }

    @Test
    void peersOfAnEngineAndASocketThatNoWorkerServesAreToldByAnAlert() throws Exception {
        List<String> lines = run("busy", "1024");
        assertTrue(lines.contains("SOCKET WORKERS_BUSY, ALERT_INTERNAL_ERROR"), lines::toString);
        assertTrue(lines.contains("ENGINE waits, WORKERS_BUSY, ALERT_INTERNAL_ERROR"), lines::toString);
        assertTrue(lines.contains("SERVED 1024"), lines::toString);
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
                "-XX:StartFlightRecording:settings=none,+jdk.VirtualThreadPinned#enabled=true,"
                        + "+jdk.VirtualThreadPinned#threshold=0ms,filename=" + recording,
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.util.logging.config.file=" + System.getProperty("java.util.logging.config.file"),
                "-cp", target.resolve("classes") + ":" + target.resolve("test-classes") + ":"
                        + System.getProperty("java.class.path") + ":"
                        + System.getProperty("surefire.test.class.path", ""),
                VirtualThreadsProgram.class.getName()));
        command.addAll(Arrays.asList(arguments));
        List<String> lines = output(command);
        List<String> printed = output(List.of(tool("jfr"), "print", "--stack-depth", "64", "--events",
                "jdk.VirtualThreadPinned", recording.toString()));
        List<String> pinned = List.of(String.join("\n", printed).split("\n\n"));
        assertTrue(pinned.stream().anyMatch(event -> event.contains("VirtualThreadsProgram$Pinning")), pinned::toString);
        assertEquals(List.of(), pinned.stream().filter(VirtualThreadsCases::isOurs).collect(Collectors.toList()));
        return lines;
    }

    /** Returns false for an event of the JVM alone, which keeps carriers while it loads a class. */
    private static boolean isOurs(String event) {
        boolean isNative = event.lines()
                .anyMatch(line -> line.contains("io.brokertls.internal.") && !line.contains(" line: "));
        boolean isLoading = event.contains("\"Contended monitor enter\"") || event.contains("ClassLoader.loadClass(")
                || event.contains("Waited for initialization of");
        return isNative || !isLoading
                && (event.contains("io.brokertls.internal.") || event.contains("io.brokertls.jsse."));
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
