package io.brokertls.bench;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The figures of all contenders, as a table in Markdown. */
final class Table {
    private static final int NAME_WIDTH = 42;
    private static final double NANOS_PER_MICRO = 1e3;

    private final List<Contender> contenders;
    private final Map<Row, Map<Contender, Double>> nanos = new LinkedHashMap<>();
    private final Map<Row, Map<Contender, Double>> bytes = new LinkedHashMap<>();

    Table(List<Contender> contenders) {
        this.contenders = contenders;
    }

    void put(Row row, Contender contender, double nanosEach, double bytesEach) {
        nanos.computeIfAbsent(row, absent -> new LinkedHashMap<>()).put(contender, nanosEach);
        bytes.computeIfAbsent(row, absent -> new LinkedHashMap<>()).put(contender, bytesEach);
    }

    List<Row> rows() {
        return new ArrayList<>(nanos.keySet());
    }

    /** Returns the others that this library is compared with. */
    List<Contender> others() {
        List<Contender> others = new ArrayList<>(contenders);
        others.removeIf(contender -> isOurs(contender));
        return others;
    }

    static boolean isOurs(Contender contender) {
        return contender.side == Side.BROKERTLS || contender.side == Side.BROKERTLS_JDK_KEYS;
    }

    /**
     * Returns the other's time divided by this library's on the same JVM: 1.5 is one and a half times as fast. NaN if
     * one was not measured.
     */
    double ratio(Row row, Contender other) {
        Map<Contender, Double> figures = nanos.getOrDefault(row, Map.of());
        for (Contender ours : contenders) {
            if (ours.side == Side.BROKERTLS && ours.java == other.java && figures.containsKey(ours)
                    && figures.containsKey(other)) {
                return figures.get(other) / figures.get(ours);
            }
        }
        return Double.NaN;
    }

    /** Returns the table: figures of each contender, then the ratios. */
    String text() {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT,
                "Server side, in memory, AES-128-GCM; %s, %s. Handshakes in µs, records in MB/s. A column with × is%n"
                        + "this library's speed divided by the other's on the same Java.%n%n",
                System.getProperty("os.arch"), LocalDate.now(ZoneOffset.UTC)));
        text.append(head());
        nanos.keySet().forEach(row -> text.append(line(row)).append('\n'));
        text.append('\n').append(allocations());
        return text.toString();
    }

    private String head() {
        StringBuilder head = new StringBuilder(cell(""));
        StringBuilder rule = new StringBuilder(cell("---"));
        for (Contender contender : contenders) {
            head.append(" | ").append(contender.title());
            rule.append(" | ---:");
        }
        for (Contender other : others()) {
            head.append(" | × ").append(other.title());
            rule.append(" | ---:");
        }
        return head + " |\n" + rule + " |\n";
    }

    String line(Row row) {
        StringBuilder line = new StringBuilder(cell(row.title()));
        Map<Contender, Double> figures = nanos.getOrDefault(row, Map.of());
        for (Contender contender : contenders) {
            line.append(" | ").append(figure(row, figures.get(contender)));
        }
        for (Contender other : others()) {
            double ratio = ratio(row, other);
            line.append(" | ").append(Double.isNaN(ratio) ? "-" : String.format(Locale.ROOT, "%.2f", ratio));
        }
        return line + " |";
    }

    private static String figure(Row row, Double nanosEach) {
        if (nanosEach == null) {
            return "-";
        }
        return row.isHandshake() ? String.format(Locale.ROOT, "%.1f", nanosEach / NANOS_PER_MICRO)
                : String.format(Locale.ROOT, "%,.0f", row.size() * NANOS_PER_MICRO / nanosEach);
    }

    /** Returns the most bytes of the Java heap that a record takes, for each contender. */
    private String allocations() {
        StringBuilder text = new StringBuilder("Most bytes of the Java heap for a record:\n\n");
        for (Contender contender : contenders) {
            double most = bytes.entrySet().stream().filter(row -> !row.getKey().isHandshake())
                    .mapToDouble(row -> row.getValue().getOrDefault(contender, 0.0)).max().orElse(0);
            text.append(String.format(Locale.ROOT, "- %s: %,.0f%n", contender.title(), most));
        }
        return text.toString();
    }

    private static String cell(String name) {
        return String.format("| %-" + NAME_WIDTH + "s", name);
    }
}
