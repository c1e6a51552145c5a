package io.brokertls.activemq;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A program beside the tests. What it prints, on both of its outputs, is collected; every wait for it has an end, and
 * so has it: closing this kills it.
 */
final class Program implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 60;

    private final List<String> command;
    private final Process process;
    private final StringBuilder printed = new StringBuilder();
    private boolean hasEnded;

    private Program(Map<String, String> environment, List<String> command) throws IOException {
        this.command = command;
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        process = builder.start();
        process.getOutputStream().close();
        Thread reader = new Thread(this::collect, "output of " + command.get(0));
        reader.setDaemon(true);
        reader.start();
    }

    static Program start(String... command) throws IOException {
        return new Program(Map.of(), List.of(command));
    }

    /** Runs a program that must succeed, with {@code environment} added to its own. */
    static void run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        try (Program program = new Program(environment, List.of(command))) {
            program.assertSucceeds();
        }
    }

    private void collect() {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                add(line + '\n');
            }
        } catch (IOException killed) {
            add("(" + killed.getMessage() + ")\n");
        }
        synchronized (this) {
            hasEnded = true;
            notifyAll();
        }
    }

    private synchronized void add(String text) {
        printed.append(text);
        notifyAll();
    }

    /** Waits until it has printed {@code words}. */
    synchronized void await(String words) throws InterruptedException {
        waitUntil(() -> hasEnded || printed.indexOf(words) >= 0);
        if (printed.indexOf(words) < 0) {
            throw new AssertionError(command + " never printed " + words + " but:\n" + printed);
        }
    }

    private synchronized void waitUntil(BooleanSupplier isEnough) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!isEnough.getAsBoolean()) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                throw new AssertionError(command + " is waited for in vain; it printed:\n" + printed);
            }
            wait(left);
        }
    }

    /** Waits for its end, and gives all that it printed. */
    String assertSucceeds() throws InterruptedException {
        return assertEnds(true);
    }

    /** Waits for its end, which must be a failure, and returns its output. */
    String assertFails() throws InterruptedException {
        return assertEnds(false);
    }

    private String assertEnds(boolean well) throws InterruptedException {
        waitUntil(() -> hasEnded);
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || (process.exitValue() == 0) != well) {
            throw new AssertionError(command + (well ? " failed" : " did not fail") + "; it printed:\n" + printed);
        }
        return printed.toString();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** The root of the project, where the programs have their sources. */
    static Path root() {
        return Path.of(System.getProperty("project.root")).toAbsolutePath().normalize();
    }
}
