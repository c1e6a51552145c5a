package io.brokertls.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** One implementation on one JVM: a {@link Worker} and how to reach it. */
final class Contender implements AutoCloseable {
    final Side side;
    /** The feature version of its JVM. */
    final int java;
    private final Process process;
    private final PrintStream to;
    private final BufferedReader from;

    Contender(Side side, Path home, int java, String identities) throws IOException {
        this.side = side;
        this.java = java;
        process = new ProcessBuilder(List.of(home.resolve("bin").resolve("java").toString(), "-Xms512m", "-Xmx512m",
                "-XX:+UseG1GC", "-Djdk.tls.namedGroups=x25519,secp256r1", identities, "-cp",
                System.getProperty("java.class.path"), Worker.class.getName(), side.name()))
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        to = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    String title() {
        return side.title + ", Java " + java;
    }

    /** Warms up for a row. Returns true if it can measure that. */
    boolean prepare(Row row, long operations) throws IOException {
        return ask(row.toString()).equals("ready") && !ask("warm " + operations).startsWith("failed");
    }

    /** Measures for this time, and returns the nanoseconds and bytes of an operation; null if it fails. */
    double[] round(long millis) throws IOException {
        String answer = ask("round " + millis);
        return answer.startsWith("failed") ? null
                : Arrays.stream(answer.split(" ")).mapToDouble(Double::parseDouble).toArray();
    }

    private String ask(String line) throws IOException {
        to.println(line);
        String answer = from.readLine();
        if (answer == null || answer.startsWith("failed")) {
            System.err.println(title() + ": " + line + ": " + answer);
        }
        return answer == null ? "failed" : answer;
    }

    @Override
    public void close() {
        process.destroy();
    }
}
