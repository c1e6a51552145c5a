package io.brokertls.bench;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * The process of one implementation. Each has one of its own, so that no implementation meets the compiled code of
 * another. A line of its input is a {@link Row} to prepare, or a command with a number.
 */
public final class Worker {
    /** The longest warm-up. */
    private static final int WARMUP_MS = 15_000;

    private Worker() {
    }

    public static void main(String[] arguments) throws Exception {
        Side side = Side.valueOf(arguments[0]);
        PrintStream out = System.out;
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Measured measured = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            try {
                switch (words[0]) {
                    case "warm":
                        out.println(run(measured, WARMUP_MS, Long.parseLong(words[1])));
                        break;
                    case "round":
                        out.println(run(measured, Long.parseLong(words[1]), Long.MAX_VALUE));
                        break;
                    default:
                        measured = Row.valueOf(line).measured(side);
                        out.println("ready");
                        break;
                }
            } catch (Exception e) {
                out.println(("failed: " + e).replace('\n', ' '));
            }
        }
    }

    private static Counts run(Measured measured, long millis, long operations) throws Exception {
        Counts counts = new Counts();
        measured.begin();
        long start = System.nanoTime();
        while (System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(millis) && counts.operations() < operations
                && !counts.isFull()) {
            measured.sample(counts);
        }
        if (operations == Long.MAX_VALUE) {
            measured.check(counts);
        }
        return counts;
    }
}
