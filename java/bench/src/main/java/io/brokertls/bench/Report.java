package io.brokertls.bench;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs everything and prints {@link Table}. The implementations of one row run one after the other, so that what else
 * the machine does in ten minutes meets them alike; a figure is the median of its iterations.
 */
public final class Report {
    private static final double NANOS_PER_SECOND = 1e9;
    /** The number of full handshakes allowed in a hundred resumptions. The first one of a process is full. */
    private static final double FULL_MAX = 0.01;
    private static final int WARMUPS = 4;
    private static final int ITERATIONS = 9;
    private static final int ITERATION_MS = 500;

    private final Table table = new Table();
    private final String identities;

    private Report(String identities) {
        this.identities = identities;
    }

    /** Runs all benchmarks, or those with a name that contains the argument: {@code Handshake}, {@code .wrap}. */
    public static void main(String[] arguments) throws Exception {
        String filter = arguments.length == 0 ? "" : arguments[0];
        Report report = new Report(Identities.make());
        if ("HandshakeBenchmark.handshake".contains(filter)) {
            report.handshakes();
        }
        for (String direction : List.of("wrap", "unwrap")) {
            if (("RecordBenchmark." + direction).contains(filter)) {
                report.records(direction);
            }
        }
        // Whatever the locale: the table is pasted into a page.
        report.table.print(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
    }

    private void handshakes() throws RunnerException {
        for (String kind : List.of("full", "resumed")) {
            for (String version : List.of("TLSv1.3", "TLSv1.2")) {
                for (String key : List.of("ECDSA_P256", "RSA_2048")) {
                    // A session is resumed without its key.
                    List<Side> sides = kind.equals("full") ? List.of(Side.values()) : Side.STACKS;
                    run("HandshakeBenchmark.handshake", sides, Map.of("kind", kind, "version", version, "key", key));
                }
            }
        }
    }

    private void records(String direction) throws RunnerException {
        for (String buffers : List.of("heap", "direct")) {
            for (String size : List.of("64", "1024", "16384")) {
                run("RecordBenchmark." + direction, Side.STACKS, Map.of("buffers", buffers, "size", size));
            }
        }
    }

    private void run(String benchmark, List<Side> wanted, Map<String, String> parameters) throws RunnerException {
        List<String> sides = new ArrayList<>();
        for (Side side : wanted) {
            if (side.isPresent()) {
                sides.add(side.name());
            } else {
                System.out.println(side + " cannot be made here and is left out");
            }
        }
        System.out.println(benchmark + " " + parameters.values());
        ChainedOptionsBuilder options = new OptionsBuilder().include("\\." + benchmark + "$").forks(1)
                .param("side", sides.toArray(new String[0]))
                .warmupIterations(WARMUPS).warmupTime(TimeValue.milliseconds(ITERATION_MS))
                .measurementIterations(ITERATIONS).measurementTime(TimeValue.milliseconds(ITERATION_MS))
                .jvmArgsAppend(identities, "-Xms1g", "-Xmx1g", "-Djdk.tls.namedGroups=x25519,secp256r1")
                .shouldFailOnError(true).verbosity(VerboseMode.SILENT);
        parameters.forEach((name, value) -> options.param(name, value));
        Collection<RunResult> results = new Runner(options.build()).run();
        for (RunResult result : results) {
            keep(benchmark, result);
        }
    }

    private void keep(String benchmark, RunResult result) {
        BenchmarkParams parameters = result.getParams();
        Side side = Side.valueOf(parameters.getParam("side"));
        if (benchmark.startsWith("Handshake")) {
            keepHandshakes(side, parameters, result);
            return;
        }
        String direction = benchmark.substring(benchmark.indexOf('.') + 1);
        String row = direction + ", " + parameters.getParam("size") + " B, " + parameters.getParam("buffers");
        table.put(row, side, NANOS_PER_SECOND / median(result, iteration -> iteration.getPrimaryResult().getScore()));
        table.allocated(row, side,
                median(result, iteration -> counter(iteration, "bytes") / counter(iteration, "records")));
    }

    private void keepHandshakes(Side side, BenchmarkParams parameters, RunResult result) {
        String kind = parameters.getParam("kind");
        String row = kind + " handshake, " + parameters.getParam("version") + ", "
                + parameters.getParam("key").replace('_', ' ');
        double full = median(result, iteration -> counter(iteration, "full") / counter(iteration, "handshakes"));
        if (kind.equals("full") ? full < 1 : full > FULL_MAX) {
            System.out.println(side + ": " + row + ": " + full + " of all were full; left out");
            return;
        }
        table.put(row, side, NANOS_PER_SECOND
                * median(result, iteration -> counter(iteration, "handshakes") / counter(iteration, "nanos")));
    }

    private static double median(RunResult result, ToDoubleFunction<IterationResult> figure) {
        List<Double> figures = new ArrayList<>();
        for (BenchmarkResult fork : result.getBenchmarkResults()) {
            for (IterationResult iteration : fork.getIterationResults()) {
                figures.add(figure.applyAsDouble(iteration));
            }
        }
        double[] sorted = figures.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static double counter(IterationResult iteration, String name) {
        return iteration.getSecondaryResults().get(name).getScore();
    }
}
