package io.brokertls.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Rows of figures for each implementation, printed as the table of the manual's page on performance. */
final class Table {
    /** Half a per cent is less than what two runs of the same code differ by. */
    private static final double LEVEL = 0.995;
    private static final int NAME_WIDTH = 48;

    private final Map<String, Map<Side, Double>> perSecond = new LinkedHashMap<>();
    private final Map<String, Map<Side, Double>> allocated = new LinkedHashMap<>();
    private final List<String> behind = new ArrayList<>();

    void put(String row, Side side, double operationsPerSecond) {
        perSecond.computeIfAbsent(row, absent -> new EnumMap<>(Side.class)).put(side, operationsPerSecond);
    }

    void allocated(String row, Side side, double bytes) {
        allocated.computeIfAbsent(row, absent -> new EnumMap<>(Side.class)).put(side, bytes);
    }

    void print(PrintStream out) {
        out.printf("%nServer side, in memory, AES-128-GCM, operations a second; Java %s, %s.%n%n",
                System.getProperty("java.version"), System.getProperty("os.arch"));
        line(out, "", "brokertls", "SunJSSE", "Conscrypt", "× SunJSSE", "× Conscrypt", "bytes");
        line(out, "---", "---:", "---:", "---:", "---:", "---:", "---:");
        perSecond.forEach((name, row) -> {
            print(out, name, row, Side.BROKERTLS);
            if (row.containsKey(Side.BROKERTLS_JDK_KEYS)) {
                print(out, name + ", JDK's keys", row, Side.BROKERTLS_JDK_KEYS);
            }
        });
        out.printf("%nBytes are what a record allocates in the Java heap: brokertls, SunJSSE, Conscrypt.%n");
        out.println(behind.isEmpty() ? "Ahead of both in every row." : "Not ahead in: " + behind);
    }

    private void print(PrintStream out, String name, Map<Side, Double> row, Side ours) {
        double[] ratios = {ratio(row, ours, Side.SUNJSSE), ratio(row, ours, Side.CONSCRYPT)};
        line(out, name, figure(row, ours), figure(row, Side.SUNJSSE), figure(row, Side.CONSCRYPT), text(ratios[0]),
                text(ratios[1]), bytes(allocated.get(name)));
        if (ratios[0] < LEVEL || ratios[1] < LEVEL) {
            behind.add(name);
        }
    }

    private static void line(PrintStream out, String name, String... cells) {
        out.printf("| %-" + NAME_WIDTH + "s |", name);
        for (String cell : cells) {
            out.printf(" %11s |", cell);
        }
        out.println();
    }

    private static double ratio(Map<Side, Double> row, Side ours, Side other) {
        return row.containsKey(ours) && row.containsKey(other) ? row.get(ours) / row.get(other) : Double.NaN;
    }

    private static String figure(Map<Side, Double> row, Side side) {
        return row.containsKey(side) ? String.format(Locale.ROOT, "%,.0f", row.get(side)) : "-";
    }

    private static String text(double ratio) {
        return Double.isNaN(ratio) ? "-" : String.format(Locale.ROOT, "%.2f", ratio);
    }

    private static String bytes(Map<Side, Double> row) {
        if (row == null) {
            return "";
        }
        List<String> all = new ArrayList<>();
        Side.STACKS.forEach(side -> all.add(figure(row, side)));
        return String.join(", ", all);
    }
}
