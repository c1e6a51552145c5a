package io.brokertls.stacks;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs named checks, and prints a line for each. */
public final class Checks {
    /** The time for one check, in seconds. It bounds a hang, and decides nothing else. */
    private static final int LIMIT_SECONDS = 90;
    private static int passed;
    private static int failed;

    /** A check. It fails if it throws. */
    @FunctionalInterface
    public interface Check {
        void run() throws Exception;
    }

    private Checks() {
    }

    /** Runs all checks of a stack, and reports the exception that ends them early. */
    static void all(Check checks) {
        try {
            checks.run();
        } catch (Exception | LinkageError e) {
            report("the checks end", e);
        }
    }

    /** Runs a check. */
    public static void check(String name, Check check) {
        report(name, failure(check));
    }

    /** Runs an action that must fail with {@code expected} in the messages of its exception and the causes. */
    public static void refused(String name, String expected, Check action) {
        Throwable failure = failure(action);
        if (failure == null) {
            report(name, new AssertionError("was not refused"));
        } else if (!texts(failure).contains(expected)) {
            report(name, new AssertionError("expected " + expected + ", got: " + texts(failure)));
        } else {
            report(name, null);
        }
    }

    /** Throws unless both are equal. */
    public static void equal(Object expected, Object actual) {
        if (!expected.equals(actual)) {
            throw new AssertionError("expected " + expected + ", got " + actual);
        }
    }

    /** Prints the count, and ends the process with 0 if every check passed. */
    public static void finish() {
        System.out.printf("counted: %d passed; %d failed%n", passed, failed);
        System.out.flush();
        // Some stacks keep threads that are no daemons.
        Runtime.getRuntime().halt(failed == 0 && passed > 0 ? 0 : 1);
    }

    private static Throwable failure(Check check) {
        FutureTask<Void> task = new FutureTask<>(() -> {
            check.run();
            return null;
        });
        Thread thread = new Thread(task, "check");
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (TimeoutException e) {
            AssertionError hang = new AssertionError("no end within " + LIMIT_SECONDS + " s");
            hang.setStackTrace(thread.getStackTrace());
            return hang;
        } catch (InterruptedException e) {
            return e;
        }
    }

    private static void report(String name, Throwable failure) {
        if (failure == null) {
            passed++;
            System.out.println("  ok      " + name);
        } else {
            failed++;
            System.out.println("  FAILED  " + name + ": " + texts(failure));
            if (Boolean.getBoolean("stacks.trace")) {
                failure.printStackTrace(System.out);
            }
        }
        System.out.flush();
    }

    /** Returns the classes and messages of an exception and its causes. */
    public static String texts(Throwable thrown) {
        StringBuilder texts = new StringBuilder();
        int depth = 0;
        for (Throwable t = thrown; t != null && depth < 12; t = t.getCause()) {
            texts.append(depth++ == 0 ? "" : " <- ").append(t.getClass().getSimpleName()).append(": ")
                    .append(String.valueOf(t.getMessage()).replace('\n', ' '));
        }
        return texts.toString();
    }
}
