package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Provider;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** ActiveMQ's own tests of TLS: each one that SunJSSE passes must pass here too. */
public final class ActiveMqOwnStack {
    /** NIOSSLLoadTest is not run: it waits 60 seconds for 10,000 messages, which a busy machine exceeds. */
    private static final List<String> CLASSES = List.of("org.apache.activemq.transport.tcp.SslBrokerServiceTest");
    /** The least number of tests that SunJSSE passes: with fewer, they were not run as a whole. */
    private static final int LEAST = 127;
    private static final int LIMIT_MINUTES = 13;

    private ActiveMqOwnStack() {
    }

    public static void main(String[] arguments) throws Exception {
        Run reference = new Run(Files.createTempDirectory("activemq-own"));
        Path folder = Files.createTempDirectory("activemq-own");
        // The tests bind a suite with CBC, which the second engine serves with native keys.
        Run ours = new Run(folder, "-Djava.security.properties=" + securityFile(folder),
                "-Dbrokertls.legacy-engine=yes");
        Map<String, String> expected = reference.results("provider SunJSSE, by default SunJSSE");
        Map<String, String> found = ours.results("provider BrokerTLS, by default BrokerTLS");
        long wanted = expected.values().stream().filter("passed"::equals).count();
        check("SunJSSE passes " + wanted + " of " + expected.size() + " of ActiveMQ's own tests, BrokerTLS "
                + found.values().stream().filter("passed"::equals).count() + " of " + found.size(), () -> {
            if (wanted < LEAST) {
                throw new AssertionError("expected " + LEAST + " or more");
            }
            expected.forEach((test, result) -> {
                if (result.equals("passed") && !found.getOrDefault(test, "was not run").equals("passed")) {
                    throw new AssertionError(test + " " + found.get(test));
                }
            });
        });
    }

    /** Writes the settings of a process with our provider at place 1, for the default context and native keys too. */
    private static Path securityFile(Path folder) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("security.provider.1=BrokerTLS default");
        for (Provider each : Security.getProviders()) {
            lines.add("security.provider." + (lines.size() + 1) + "=" + each.getName());
        }
        lines.add("ssl.KeyManagerFactory.algorithm=BrokerTLS");
        return Files.write(folder.resolve("security.properties"), lines);
    }

    /** A process with the tests, in a folder with the stores that they open by relative names. */
    private static final class Run {
        private final Process process;
        private final Path output;

        Run(Path folder, String... options) throws Exception {
            Path resources = Files.createDirectories(folder.resolve("src/test/resources"));
            keytool(resources, "-genkeypair", "-alias", "broker", "-dname", "CN=localhost", "-keyalg", "RSA",
                    "-keysize", "2048", "-ext", "san=dns:localhost,ip:127.0.0.1", "-keystore", "server.keystore");
            keytool(resources, "-exportcert", "-rfc", "-alias", "broker", "-keystore", "server.keystore", "-file",
                    "broker.crt");
            keytool(resources, "-importcert", "-noprompt", "-alias", "broker", "-file", "broker.crt", "-keystore",
                    "client.keystore");
            List<String> command = new ArrayList<>(List.of(tool("java"), "-cp", absoluteClassPath()));
            command.addAll(List.of(options));
            command.add("io.brokertls.stacks.OwnTests");
            command.addAll(CLASSES);
            output = folder.resolve("output");
            process = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(output.toFile())
                    .redirectError(folder.resolve("log").toFile()).start();
        }

        /** Waits for the end, and returns the result of each test. */
        Map<String, String> results(String provider) throws Exception {
            if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new AssertionError("no end within " + LIMIT_MINUTES + " minutes");
            }
            List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
            check("the tests run on: " + provider, () -> equal(true, lines.contains(provider)));
            Map<String, String> results = new TreeMap<>();
            for (String line : lines) {
                if (line.startsWith("test ")) {
                    String[] parts = line.substring("test ".length()).split("\t", 2);
                    results.put(parts[0], parts[1]);
                }
            }
            return results;
        }

        private static void keytool(Path folder, String... arguments) throws Exception {
            List<String> command = new ArrayList<>(List.of(tool("keytool")));
            command.addAll(List.of(arguments));
            command.addAll(List.of("-storetype", "JKS", "-storepass", "password"));
            if (arguments[0].equals("-genkeypair")) {
                command.addAll(List.of("-keypass", "password"));
            }
            Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                    .redirectOutput(folder.resolve("keytool.log").toFile()).start();
            equal(0, process.waitFor());
        }

        private static String tool(String name) {
            return Path.of(System.getProperty("java.home"), "bin", name).toString();
        }

        private static String absoluteClassPath() {
            List<String> absolute = new ArrayList<>();
            for (String each : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
                absolute.add(Path.of(each).toAbsolutePath().toString());
            }
            return String.join(java.io.File.pathSeparator, absolute);
        }
    }
}
