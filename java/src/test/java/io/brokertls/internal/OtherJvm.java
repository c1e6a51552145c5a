package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own for a program of these tests, such as that of {@link NativeLoaderTest}. */
final class OtherJvm {
    static final String PROGRAM = NativeLoaderTest.Main.class.getName();
    /** The platform that the native libraries are built for, as the jar names it. */
    static final String PLATFORM = System.getProperty("native.platform");
    /** The native library in the jar. */
    static final String LIBRARY = "META-INF/native/" + PLATFORM + "/libbrokertls_jni.so";

    private OtherJvm() {}

    static String folderOf(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }

    /** Returns the options that run the program from the class path. */
    static List<String> fromClassPath() throws Exception {
        return List.of("-cp", folderOf(NativeLoader.class) + ":" + folderOf(OtherJvm.class), PROGRAM);
    }

    /** Returns the options that run the program in the module of the library, patched with the given folder. */
    static List<String> fromModulePath(String patch) throws Exception {
        return List.of("-p", folderOf(NativeLoader.class), "--patch-module", "io.brokertls=" + patch, "-m",
                "io.brokertls/" + PROGRAM);
    }

    /** Returns what the program printed, and the JVM with it. */
    static String run(List<String> program, String... options) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(program);
        return outputOf(new ProcessBuilder(command));
    }

    /** Returns what a process printed. */
    static String outputOf(ProcessBuilder program) throws IOException, InterruptedException {
        Process process = program.redirectErrorStream(true).start();
        try (InputStream output = process.getInputStream()) {
            String said = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), said);
            return said;
        } finally {
            process.destroyForcibly();
        }
    }
}
