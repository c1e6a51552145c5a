package io.brokertls.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

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
    /** A library of every JVM, which names the C library that it needs. */
    private static final String OF_JVM = "lib/libjava.so";
    /** The names of musl's one file: that of Alpine, and that of musl's own makefile. */
    private static final Pattern MUSL = Pattern.compile("(ld-musl-.+\\.so\\.1|libc\\.musl-.+\\.so\\.1|libc\\.so)");
    /** The names of glibc's files, the second ones before version 2.34. */
    private static final Pattern GLIBC = Pattern.compile("(ld-linux.*|libc)\\.so\\.[0-9]+|(ld|libc)-2\\..*so");

    private NativePlatform() {}

    /** Returns the platform of this JVM. */
    static String current() {
        String system = System.getProperty("os.name");
        boolean hasMusl = system.equals("Linux")
                && hasMusl(mapped(), Paths.get(System.getProperty("java.home", ""), OF_JVM));
        return of(system, System.getProperty("os.arch"), hasMusl);
    }

    /** Returns the platform from the names that JVMs use. */
    static String of(String system, String architecture, boolean hasMusl) {
        String name = system.toLowerCase(Locale.ROOT).replace(' ', '_') + "-" + processor(architecture);
        return hasMusl ? name + "-musl" : name;
    }

    /**
     * Returns true if the C library of the process is musl. A system can have both C libraries installed, so that only
     * what the process has mapped decides. With the package gcompat, a JVM for glibc runs on musl.
     *
     * @param mapped the mapped files of the process as Linux lists them; empty if they cannot be read
     * @param ofJvm a library of the JVM; the C library that it needs decides if the mapped files do not
     */
    static boolean hasMusl(List<String> mapped, Path ofJvm) {
        List<String> programs = mapped.stream().map(NativePlatform::program).collect(Collectors.toList());
        if (programs.stream().anyMatch(file -> MUSL.matcher(file).matches())) {
            return true;
        }
        return programs.stream().noneMatch(file -> GLIBC.matcher(file).matches()) && needsMusl(ofJvm);
    }

    /** Returns the name of a mapped file without its folders, or an empty text if it is not mapped as a program. */
    private static String program(String line) {
        // Addresses, permissions, offset, device, inode, path.
        String[] fields = line.split(" +", 6);
        if (fields.length < 6 || !fields[1].contains("x")) {
            return "";
        }
        // A package that replaces the file of a running process leaves this mark.
        String path = fields[5].replace(" (deleted)", "");
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Returns true if musl is among the names of the libraries that a library needs. */
    private static boolean needsMusl(Path library) {
        try {
            String content = Files.readString(library, StandardCharsets.ISO_8859_1);
            return content.contains("\0libc.musl-") || content.contains("\0libc.so\0");
        } catch (IOException e) {
            return false;
        }
    }

    private static List<String> mapped() {
        try {
            return Files.readAllLines(MAPPED, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return List.of();
        }
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
