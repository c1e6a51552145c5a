package io.brokertls.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Locale;

/**
 * The platform of this JVM as the jar names it: system, processor, and the C library if it is not glibc. Examples are
 * {@code linux-x86_64} and {@code linux-aarch64-musl}.
 */
final class NativePlatform {
    /** The platforms that a jar can have a library for. */
    static final List<String> KNOWN =
            List.of("linux-x86_64", "linux-aarch64", "linux-x86_64-musl", "linux-aarch64-musl");
    /** The files that the process has mapped, its C library among them. */
    private static final Path MAPPED = Paths.get("/proc/self/maps");

    private NativePlatform() {}

    /** Returns the platform of this JVM. */
    static String current() {
        String system = System.getProperty("os.name");
        String architecture = System.getProperty("os.arch");
        boolean hasMusl = system.equals("Linux") && hasMusl(mapped(), Files.exists(muslLoader(architecture)));
        return of(system, architecture, hasMusl);
    }

    /** Returns the platform from the names that JVMs use. */
    static String of(String system, String architecture, boolean hasMusl) {
        String name = system.toLowerCase(Locale.ROOT).replace(' ', '_') + "-" + processor(architecture);
        return hasMusl ? name + "-musl" : name;
    }

    /**
     * Returns true if the C library of the process is musl. A system with glibc can have musl installed too, so that
     * the mapped files decide.
     *
     * @param mapped the mapped files of the process; null if they cannot be read
     * @param hasMuslLoader true if the program loader of musl is installed, which decides without mapped files
     */
    static boolean hasMusl(List<String> mapped, boolean hasMuslLoader) {
        if (mapped == null) {
            return hasMuslLoader;
        }
        return mapped.stream().map(line -> line.substring(line.lastIndexOf('/') + 1))
                .anyMatch(file -> file.startsWith("ld-musl-") || file.startsWith("libc.musl-"));
    }

    private static List<String> mapped() {
        try {
            return Files.readAllLines(MAPPED, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return null;
        }
    }

    private static Path muslLoader(String architecture) {
        return Paths.get("/lib/ld-musl-" + processor(architecture) + ".so.1");
    }

    private static String processor(String architecture) {
        String name = architecture.toLowerCase(Locale.ROOT);
        switch (name) {
            case "amd64":
            case "x86-64":
            case "x64":
                return "x86_64";
            case "arm64":
                return "aarch64";
            default:
                return name;
        }
    }
}
