package io.brokertls.bench;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures all rows and prints {@link Table}. Every implementation has a process of its own. Their rounds of a row take
 * turns, and a figure is the median of its rounds, so that whatever else the machine does meets all alike.
 */
public final class Report {
    private static final int ROUNDS = 11;
    private static final int ROUND_MS = 200;
    /** As many as the compiler of the JVM needs, also for what the client does. */
    private static final long WARMUP_HANDSHAKES = 3000;
    private static final long WARMUP_RECORDS = 100_000;

    /** The property with a page to write the table into, beside the folder. */
    private static final String PAGE = "io.brokertls.bench.page";

    private Report() {
    }

    /**
     * The arguments: a folder for the table and the plot, a part of the names of the rows to measure, and the homes of
     * more JVMs, on which this library and SunJSSE are measured too.
     */
    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        String filter = arguments[1];
        String identities = Identities.make();
        List<Contender> contenders = new ArrayList<>();
        try {
            Path home = Path.of(System.getProperty("java.home"));
            for (Side side : Side.values()) {
                contenders.add(new Contender(side, home, Runtime.version().feature(), identities));
            }
            for (String other : Arrays.asList(arguments).subList(2, arguments.length)) {
                int java = feature(Path.of(other));
                contenders.add(new Contender(Side.BROKERTLS, Path.of(other), java, identities));
                contenders.add(new Contender(Side.SUNJSSE, Path.of(other), java, identities));
            }
            Table table = new Table(contenders);
            for (Row row : Row.all()) {
                if (row.title().contains(filter)) {
                    measure(row, contenders, table);
                }
            }
            Files.write(folder.resolve("java.md"), table.text().getBytes(StandardCharsets.UTF_8));
            Files.write(folder.resolve("java.svg"), new Plot(table).text().getBytes(StandardCharsets.UTF_8));
            if (System.getProperty(PAGE) != null) {
                write(new Page(Path.of(System.getProperty(PAGE)), "make bench-java-page"), table);
            }
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8)
                    .println(table.text());
        } finally {
            contenders.forEach(Contender::close);
        }
    }

    private static void write(Page page, Table table) throws IOException {
        page.plot("java.svg", new Plot(table).text());
        // An image by a link of Markdown would be a link between pages for rustdoc.
        page.write("\n<img src=\"" + page.name()
                + "/java.svg\" alt=\"The speed of the JSSE provider divided by that of others\">\n\n" + table.text());
    }

    private static void measure(Row row, List<Contender> contenders, Table table) throws IOException {
        Map<Contender, List<double[]>> counts = new LinkedHashMap<>();
        long warmup = row.isHandshake() ? WARMUP_HANDSHAKES : WARMUP_RECORDS;
        for (Contender contender : contenders) {
            if ((contender.side != Side.BROKERTLS_JDK_KEYS || row.usesKey()) && contender.prepare(row, warmup)) {
                counts.put(contender, new ArrayList<>());
            }
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (Map.Entry<Contender, List<double[]>> each : counts.entrySet()) {
                double[] counted = each.getKey().round(ROUND_MS);
                if (counted != null) {
                    each.getValue().add(counted);
                }
            }
        }
        counts.forEach((contender, rounds) -> {
            if (rounds.size() == ROUNDS) {
                table.put(row, contender, median(rounds, 0), median(rounds, 1));
            }
        });
        System.err.println(table.line(row));
    }

    private static double median(List<double[]> rounds, int of) {
        return rounds.stream().mapToDouble(counted -> counted[of]).sorted().skip(rounds.size() / 2).findFirst()
                .orElseThrow();
    }

    private static int feature(Path home) throws IOException {
        for (String line : Files.readAllLines(home.resolve("release"))) {
            if (line.startsWith("JAVA_VERSION=")) {
                return Runtime.Version.parse(line.substring(line.indexOf('"') + 1, line.lastIndexOf('"'))).feature();
            }
        }
        throw new IOException(home + " names no version");
    }
}
