package io.brokertls.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs everything and prints one table: a row for each cell, a column for each implementation, and the ratios. */
public final class Report {
    private static final double NANOS_PER_SECOND = 1e9;
    /** Half a per cent is less than what two runs of the same code differ by. */
    private static final double LEVEL = 0.995;

    private final Map<String, Map<Side, Double>> perSecond = new LinkedHashMap<>();
    private final Map<String, Map<Side, Double>> allocated = new LinkedHashMap<>();
    private final String identities;

    private Report(String identities) {
        this.identities = identities;
    }

    /** With an argument, only the benchmarks whose name contains it: {@code Handshake}, {@code .wrap}. */
    public static void main(String[] arguments) throws Exception {
        String filter = arguments.length == 0 ? "" : arguments[0];
        Report report = new Report(Identities.make());
        for (String benchmark : List.of("HandshakeBenchmark.handshake", "RecordBenchmark.wrap", "RecordBenchmark.unwrap")) {
            if (benchmark.contains(filter)) {
                // Keys are used in handshakes only.
                boolean signs = benchmark.startsWith("Handshake");
                report.run("\\." + benchmark + "$", signs ? List.of(Side.values())
                        : List.of(Side.BROKERTLS, Side.SUNJSSE, Side.CONSCRYPT));
            }
        }
        report.print();
    }

    private void run(String include, List<Side> wanted) throws RunnerException {
        List<String> sides = new ArrayList<>();
        for (Side side : wanted) {
            if (side.isPresent()) {
                sides.add(side.name());
            } else {
                System.out.println(side + " cannot be made here and is left out");
            }
        }
        ChainedOptionsBuilder options = new OptionsBuilder().include(include).forks(1)
                .param("side", sides.toArray(new String[0]))
                .warmupIterations(3).warmupTime(TimeValue.seconds(1))
                .measurementIterations(4).measurementTime(TimeValue.seconds(1))
                .jvmArgsAppend(identities, "-Xms1g", "-Xmx1g", "-Djdk.tls.namedGroups=x25519,secp256r1")
                .addProfiler(GCProfiler.class).shouldFailOnError(true).verbosity(VerboseMode.SILENT);
        Collection<RunResult> results = new Runner(options.build()).run();
        for (RunResult result : results) {
            keep(result);
        }
    }

    private void keep(RunResult result) {
        BenchmarkParams parameters = result.getParams();
        Side side = Side.valueOf(parameters.getParam("side"));
        if (result.getSecondaryResults().containsKey("nanos")) {
            double nanos = result.getSecondaryResults().get("nanos").getScore();
            double count = result.getSecondaryResults().get("handshakes").getScore();
            String cell = parameters.getParam("kind") + " handshake, " + parameters.getParam("key").replace('_', ' ')
                    + ", " + parameters.getParam("version");
            cell(perSecond, cell).put(side, count * NANOS_PER_SECOND / nanos);
            return;
        }
        String benchmark = parameters.getBenchmark();
        String cell = benchmark.substring(benchmark.lastIndexOf('.') + 1) + " " + parameters.getParam("size") + " B, "
                + parameters.getParam("buffers");
        cell(perSecond, cell).put(side, NANOS_PER_SECOND / result.getPrimaryResult().getScore());
        result.getSecondaryResults().forEach((name, value) -> {
            // What the profiler counts for unwrap holds the client's batch too.
            if (name.endsWith("gc.alloc.rate.norm") && cell.startsWith("wrap")) {
                cell(allocated, cell).put(side, value.getScore());
            }
        });
    }

    private static Map<Side, Double> cell(Map<String, Map<Side, Double>> table, String name) {
        return table.computeIfAbsent(name, absent -> new LinkedHashMap<>());
    }

    private void print() {
        System.out.printf(Locale.ROOT, "%nserver side, in memory, AES-128-GCM; Java %s, %s%n",
                System.getProperty("java.version"), System.getProperty("os.arch"));
        System.out.printf("operations a second%26s %18s %10s %10s   x SunJSSE  x Conscrypt%n", "brokertls",
                "with JDK's keys", "SunJSSE", "Conscrypt");
        List<String> behind = new ArrayList<>();
        perSecond.forEach((name, cell) -> {
            double[] ratios = {ratio(cell, Side.SUNJSSE), ratio(cell, Side.CONSCRYPT)};
            System.out.printf("%-34s %10s %18s %10s %10s  %10s  %11s%n", name, figure(cell, Side.BROKERTLS),
                    figure(cell, Side.BROKERTLS_JDK_KEYS), figure(cell, Side.SUNJSSE), figure(cell, Side.CONSCRYPT),
                    text(ratios[0]), text(ratios[1]));
            if (ratios[0] < LEVEL || ratios[1] < LEVEL) {
                behind.add(name);
            }
        });
        System.out.printf("%nbytes allocated in the Java heap for each wrap%n");
        allocated.forEach((name, cell) -> System.out.printf("%-34s %10s %18s %10s %10s%n", name,
                figure(cell, Side.BROKERTLS), "", figure(cell, Side.SUNJSSE), figure(cell, Side.CONSCRYPT)));
        if (Side.BROKERTLS.isPresent()) {
            System.out.println(behind.isEmpty() ? "\nahead of both in every cell" : "\nnot ahead in: " + behind);
        }
    }

    private static double ratio(Map<Side, Double> cell, Side other) {
        return cell.containsKey(Side.BROKERTLS) && cell.containsKey(other)
                ? cell.get(Side.BROKERTLS) / cell.get(other) : Double.NaN;
    }

    private static String figure(Map<Side, Double> cell, Side side) {
        return cell.containsKey(side) ? String.format(Locale.ROOT, "%.0f", cell.get(side)) : "-";
    }

    private static String text(double ratio) {
        return Double.isNaN(ratio) ? "-" : String.format(Locale.ROOT, "%.2f", ratio);
    }
}
