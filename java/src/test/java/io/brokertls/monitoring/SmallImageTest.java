package io.brokertls.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A JVM without the modules for MBeans and JFR, as jlink makes it. */
class SmallImageTest {
    private static final int SECONDS_MAX = 120;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void libraryWorksWithoutManagementAndJfrAndRefusesAnMBeanByName(boolean isModule) throws Exception {
        Path target = Path.of(System.getProperty("basedir", "."), "target");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (isModule) {
            command.addAll(List.of("--limit-modules", "java.base,io.brokertls", "-p", "" + target.resolve("classes"),
                    "--add-modules", "io.brokertls", "--patch-module", "io.brokertls="
                    + target.resolve("test-classes"), "-m", "io.brokertls/" + Main.class.getName()));
        } else {
            command.addAll(List.of("--limit-modules", "java.base", "-cp", target.resolve("classes") + ":"
                    + target.resolve("test-classes"), Main.class.getName()));
        }
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile())
                .start();
        try {
            assertTrue(process.waitFor(SECONDS_MAX, TimeUnit.SECONDS), "the program does not end");
        } finally {
            process.destroyForcibly();
        }
        List<String> lines = Files.readAllLines(output);
        // The log, which has no place of its own here, warns of the insecure setting.
        lines.removeIf(line -> line.contains("io.brokertls.BrokerTlsContextBuilder") || line.contains("WARNING"));
        assertEquals(List.of("modules false false", "engine begun", "BTLS_OPTION_CONFLICT (104): "
                + "two settings contradict each other: an MBean needs the module java.management"), lines);
    }

    /** The program in the other JVM. */
    static final class Main {
        private Main() {
        }

        public static void main(String[] arguments) throws Exception {
            System.out.println("modules " + ModuleLayer.boot().findModule("java.management").isPresent() + " "
                    + ModuleLayer.boot().findModule("jdk.jfr").isPresent());
            try (BrokerTlsContext context = BrokerTlsContext.builder().insecureAcceptAnyServer(true).build()) {
                var engine = context.newEngine("localhost", 1);
                engine.setUseClientMode(true);
                engine.beginHandshake();
                System.out.println(BrokerTlsContext.connectionId(engine) == 1 ? "engine begun" : "no number");
            }
            try {
                BrokerTlsContext.builder().insecureAcceptAnyServer(true).registerMBean(true).build().close();
            } catch (TlsFailure e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
