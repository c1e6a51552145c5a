package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.TlsFailure;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The search for the native library, and the messages of a failure. Each case has its own JVM, as users start it. */
class NativeLoaderTest {
    private static final String RESOURCE = OtherJvm.LIBRARY;

    private static final String SECOND_ENGINE = "loaded 2\nsecond engine TLS_PSK_WITH_AES_128_GCM_SHA256\n";

    @TempDir
    private Path directory;
    /** Pre-shared keys for a context with the second engine, or null for none. */
    private Path keys;

    /** Uses the library once, in the other JVM. */
    static final class Main {
        private Main() {}

        public static void main(String[] arguments) {
            try {
                System.out.println("loaded " + NativeContext.supportedVersions().length);
                for (String keys : arguments) {
                    System.out.println("second engine " + String.join(",", legacy(keys)));
                }
            } catch (LinkageError | TlsFailure e) {
                System.out.println("refused " + e.getMessage());
            }
        }

        /** Builds two contexts with the second engine. Returns the suites of the second. */
        private static String[] legacy(String keys) throws TlsFailure {
            try (NativeContextBuilder builder = new NativeContextBuilder()) {
                builder.set("legacy-engine", "yes");
                builder.set("psk-file", keys);
                builder.set("versions", "TLSv1.2");
                builder.set("cipher-suites", "PSK-AES128-GCM-SHA256");
                builder.build().close();
                try (NativeContext context = builder.build()) {
                    return context.cipherSuites();
                }
            }
        }
    }

    private static Path folderOf(Class<?> type) throws URISyntaxException {
        return Paths.get(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static Path library() throws URISyntaxException {
        return folderOf(NativeLoaderTest.class).resolve(RESOURCE);
    }

    /** Copies the test's class alone, so that its own folder's native library is not on the class path. */
    private Path mainAlone() throws IOException, URISyntaxException {
        String name = Main.class.getName().replace('.', '/') + ".class";
        Path copy = directory.resolve("main").resolve(name);
        Files.createDirectories(copy.getParent());
        if (Files.notExists(copy)) {
            Files.copy(folderOf(NativeLoaderTest.class).resolve(name), copy);
        }
        return directory.resolve("main");
    }

    /** Returns a class path of the classes, the main class, and a folder with the library if one is given. */
    private String run(List<String> prefix, Path library, String platform, String... options)
            throws IOException, InterruptedException, URISyntaxException {
        StringBuilder path = new StringBuilder();
        path.append(folderOf(NativeLoader.class)).append(':').append(mainAlone());
        if (platform != null) {
            Path folder = directory.resolve("native");
            Path resource = folder.resolve(RESOURCE.replace(OtherJvm.PLATFORM, platform));
            Files.createDirectories(resource.getParent());
            if (Files.notExists(resource)) {
                Files.copy(library, resource);
            }
            path.append(':').append(folder);
        }
        List<String> command = new ArrayList<>(prefix);
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", path.toString(), Main.class.getName()));
        if (keys != null) {
            command.add(keys.toString());
        }
        return OtherJvm.outputOf(new ProcessBuilder(command).directory(directory.toFile()));
    }

    @Test
    void libraryInTheJarIsLoadedAndNothingOfItLeftBehind() throws Exception {
        Path work = Files.createDirectory(directory.resolve("work"));
        String said = run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work);
        assertEquals("loaded 2\n", said);
        try (Stream<Path> left = Files.list(work)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void relativeDirectoriesAreThoseBelowTheWorkingDirectory() throws Exception {
        Files.createDirectory(directory.resolve("work"));
        String loaded = "loaded 2\n";
        assertEquals(loaded, run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=work"));
        assertEquals(loaded, run(List.of(), library(), OtherJvm.PLATFORM, "-Djava.io.tmpdir=work"));
        assertEquals(loaded, run(List.of(), library(), OtherJvm.PLATFORM, "-Djava.io.tmpdir=."));
        assertEquals(loaded, run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir="));
        Files.copy(library(), directory.resolve("named.so"));
        assertEquals(loaded, run(List.of(), null, null, "-Dbrokertls.native.library=named.so"));
    }

    @Test
    void missingTemporaryDirectoryAndAFileInPlaceOfOneAreRefusedByTheNameOfTheProperty() throws Exception {
        String work = run(List.of(), library(), OtherJvm.PLATFORM, "-Djava.io.tmpdir=none/at/all");
        assertTrue(work.startsWith("refused brokertls: the native library cannot be unpacked (java.io.tmpdir is none/at"
                + "/all): java.nio.file.NoSuchFileException: " + directory.resolve("none/at/all")), work);
        assertTrue(work.endsWith("name a directory of this user by -Dbrokertls.native.workdir\n"), work);
        Path file = Files.createFile(directory.resolve("file"));
        String named = run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + file);
        assertTrue(named.contains("(brokertls.native.workdir is " + file + "): java.nio.file."), named);
    }

    /** Returns the command before one that finds a file system with these options mounted at a directory. */
    private static List<String> inMount(Path work, String options) {
        String mount = "mount -t tmpfs -o " + options + " tmpfs '" + work + "' && exec \"$@\"";
        return List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh");
    }

    @Test
    void directoryThatCannotBeWrittenIsNamedWithTheProperty() throws Exception {
        Path work = Files.createDirectory(directory.resolve("readonly"));
        List<String> inMount = inMount(work, "ro,size=32m");
        String said = run(inMount, library(), OtherJvm.PLATFORM, "-Djava.io.tmpdir=" + work);
        assertTrue(said.startsWith("refused brokertls: the native library cannot be unpacked (java.io.tmpdir is "
                + work + "): java.nio.file.FileSystemException: " + work), said);
        assertTrue(said.contains("Read-only file system; name a directory"), said);
    }

    @Test
    void fullDirectoryIsNamedWithTheProperty() throws Exception {
        Path work = Files.createDirectory(directory.resolve("full"));
        List<String> inMount = inMount(work, "size=64k");
        String said = run(inMount, library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work);
        assertTrue(said.startsWith("refused brokertls: the native library cannot be unpacked"), said);
        assertTrue(said.contains("No space left on device; name a directory"), said);
    }

    /** Makes a directory as a killed JVM leaves it. */
    private static Path leftover(Path work, String name, String permissions, Duration age) throws IOException {
        Path left = Files.createDirectory(work.resolve(name));
        Files.writeString(left.resolve("libbrokertls_jni.so"), "a part of it");
        Files.setPosixFilePermissions(left, PosixFilePermissions.fromString(permissions));
        Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(age)));
        return left;
    }

    @Test
    void directoriesOfKilledJvmsAreDeletedAfterADayAndNothingElseIs() throws Exception {
        Path work = Files.createDirectory(directory.resolve("work"));
        Duration old = Duration.ofDays(2);
        Path left = leftover(work, "brokertls-1", "rwx------", old);
        Path empty = leftover(work, "brokertls-2", "rwx------", old);
        Files.delete(empty.resolve("libbrokertls_jni.so"));
        Files.setLastModifiedTime(empty, FileTime.from(Instant.now().minus(old)));
        Path young = leftover(work, "brokertls-3", "rwx------", Duration.ofHours(1));
        Path open = leftover(work, "brokertls-4", "rwxr-xr-x", old);
        Path other = leftover(work, "brokertls-backup", "rwx------", old);
        Path elsewhere = leftover(directory, "elsewhere", "rwx------", old);
        Path link = Files.createSymbolicLink(work.resolve("brokertls-5"), elsewhere);
        Path used = leftover(work, "brokertls-6", "rwx------", old);
        Files.writeString(used.resolve("broker.key"), "not of the loader");
        Files.setLastModifiedTime(used, FileTime.from(Instant.now().minus(old)));
        assertEquals("loaded 2\n", run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work));
        assertTrue(Files.notExists(left) && Files.notExists(empty));
        for (Path kept : List.of(young, open, other, elsewhere)) {
            assertTrue(Files.exists(kept.resolve("libbrokertls_jni.so")), kept.toString());
        }
        assertTrue(Files.isSymbolicLink(link) && Files.exists(used.resolve("broker.key")));
    }

    @Test
    void jvmsThatStartAtOnceUnpackApartFromEachOther() throws Exception {
        Path work = Files.createDirectory(directory.resolve("work"));
        run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work);
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (int jvm = 0; jvm < 3; jvm++) {
            all.add(CompletableFuture.supplyAsync(() -> {
                try {
                    return run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work);
                } catch (IOException | InterruptedException | URISyntaxException e) {
                    throw new CompletionException(e);
                }
            }));
        }
        for (CompletableFuture<String> one : all) {
            assertEquals("loaded 2\n", one.get());
        }
        try (Stream<Path> left = Files.list(work)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void platformHasTheNameOfTheProcessorAndOfAnotherCLibrary() {
        for (String amd64 : List.of("amd64", "x86_64", "x64", "AMD64")) {
            assertEquals("linux-x86_64", NativePlatform.of("Linux", amd64, false));
        }
        assertEquals("linux-aarch64", NativePlatform.of("Linux", "aarch64", false));
        assertEquals("linux-aarch64-musl", NativePlatform.of("Linux", "arm64", true));
        assertEquals("linux-x86_64-musl", NativePlatform.of("Linux", "amd64", true));
        assertEquals("linux-i386", NativePlatform.of("Linux", "i386", false));
        assertEquals("windows_11-x86_64", NativePlatform.of("Windows 11", "amd64", false));
    }

    /** Returns a line of a mapped program, as Linux lists it. */
    private static String program(String path) {
        return "7f3c2a1d4000-7f3c2a22c000 r-xp 00015000 fe:00 247026                     " + path;
    }

    private static boolean hasMusl(String... lines) {
        return NativePlatform.hasMusl(List.of(lines), Paths.get("none"));
    }

    @Test
    void mappedCLibraryOfTheProcessDecidesByEachNameThatSystemsGiveIt() {
        String heap = "7f1b000-7f1c000 rw-p 00000000 00:00 0 ";
        for (String musl : List.of("/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1 (deleted)",
                "/lib/libc.musl-aarch64.so.1", "/usr/lib/x86_64-linux-musl/libc.so", "/usr/lib/libc.so")) {
            assertTrue(hasMusl(heap, program("/opt/java/lib/server/libjvm.so"), program(musl)), musl);
        }
        for (String glibc : List.of("/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib64/libc-2.17.so",
                "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/usr/glibc-compat/lib/libc.so.6")) {
            assertFalse(hasMusl(program(glibc), program("/opt/ld-musl-tools/lib/libtool.so"), heap), glibc);
        }
        assertEquals(OtherJvm.PLATFORM, NativePlatform.current());
    }

    @Test
    void jvmForGlibcOnMuslByGcompatIsOneOfMuslAndMuslReadAsAFileIsNot() {
        assertTrue(hasMusl(program("/lib/ld-linux-x86-64.so.2"), program("/lib/libgcompat.so.0"),
                program("/lib/ld-musl-x86_64.so.1")));
        assertFalse(hasMusl(program("/usr/lib/x86_64-linux-gnu/libc.so.6"),
                "7f1a000-7f1b000 r--p 00000000 08:01 123   /lib/ld-musl-x86_64.so.1"));
    }

    @Test
    void neededCLibraryOfTheJvmDecidesIfTheMappedFilesDoNot() throws Exception {
        Path ofMusl = Files.writeString(directory.resolve("musl.so"), "\177ELF\0libjvm.so\0libc.so\0");
        Path ofAlpine = Files.writeString(directory.resolve("alpine.so"), "\177ELF\0libc.musl-x86_64.so.1\0");
        Path ofGlibc = Paths.get(System.getProperty("java.home"), "lib/libjava.so");
        assertTrue(Files.exists(ofGlibc));
        for (List<String> mapped : List.of(List.<String>of(), List.of(program("/opt/java/bin/java"), "", "?"))) {
            assertTrue(NativePlatform.hasMusl(mapped, ofMusl));
            assertTrue(NativePlatform.hasMusl(mapped, ofAlpine));
            assertFalse(NativePlatform.hasMusl(mapped, ofGlibc));
            assertFalse(NativePlatform.hasMusl(mapped, Paths.get("none")));
        }
        assertFalse(NativePlatform.hasMusl(List.of(program("/lib64/libc.so.6")), ofMusl));
        assertTrue(NativePlatform.hasMusl(List.of(program("/lib/ld-musl-x86_64.so.1")), ofGlibc));
    }

    @Test
    void processThatHidesItsMappedFilesGetsTheLibraryForTheCLibraryOfItsJvm() throws Exception {
        String hide = "mount --bind /dev/null /proc/$$/maps && exec \"$@\"";
        List<String> prefix = List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", hide, "sh");
        assertEquals("loaded 2\n", run(prefix, library(), OtherJvm.PLATFORM));
    }

    private static Path legacyLibrary() throws URISyntaxException {
        return library().resolveSibling("libbrokertls_legacy.so");
    }

    @Test
    void libraryOfTheSecondEngineInTheJarServesEveryContextAndNothingOfItIsLeftBehind() throws Exception {
        keys = Files.writeString(directory.resolve("init.psk"), "device:00ff\n");
        Path beside = directory.resolve("native").resolve(RESOURCE).resolveSibling("libbrokertls_legacy.so");
        Files.createDirectories(beside.getParent());
        Files.copy(legacyLibrary(), beside);
        Path work = Files.createDirectory(directory.resolve("work"));
        String said = run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work);
        assertEquals(SECOND_ENGINE, said);
        try (Stream<Path> left = Files.list(work)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void libraryOfTheSecondEngineIsFoundBesideALibraryNamedByItsPath() throws Exception {
        keys = Files.writeString(directory.resolve("init.psk"), "device:00ff\n");
        Path folder = Files.createDirectory(directory.resolve("opt"));
        Path named = Files.copy(library(), folder.resolve("libbrokertls_jni.so"));
        Files.copy(legacyLibrary(), folder.resolve("libbrokertls_legacy.so"));
        assertEquals(SECOND_ENGINE, run(List.of(), null, null, "-Dbrokertls.native.library=" + named));
    }

    @Test
    void fileInTheJarThatIsNoLibraryOfTheSecondEngineIsRefused() throws Exception {
        keys = Files.writeString(directory.resolve("init.psk"), "device:00ff\n");
        Path beside = directory.resolve("native").resolve(RESOURCE).resolveSibling("libbrokertls_legacy.so");
        Files.createDirectories(beside.getParent());
        Files.writeString(beside, "no library");
        String said = run(List.of(), library(), OtherJvm.PLATFORM);
        assertTrue(said.startsWith("loaded 2\nrefused BTLS_LEGACY_UNAVAILABLE (117)"), said);
        assertTrue(said.contains("libbrokertls_legacy.so: file too short"), said);
    }

    @Test
    void libraryNamedByItsPathIsLoaded() throws Exception {
        assertEquals("loaded 2\n", run(List.of(), null, null, "-Dbrokertls.native.library=" + library()));
    }

    @Test
    void missingPlatformIsNamedWithThosePresent() throws Exception {
        String said = run(List.of(), library(), "linux-aarch64");
        assertTrue(said.startsWith("refused brokertls: there is no native library for " + OtherJvm.PLATFORM), said);
        assertTrue(said.contains("[linux-aarch64]"), said);
        assertTrue(said.contains("-Dbrokertls.native.library"), said);
    }

    @Test
    void platformThatNoJarIsForIsNotSentToAClassifier() throws Exception {
        String said = run(List.of(), library(), OtherJvm.PLATFORM, "-Dos.arch=riscv64");
        assertEquals("refused brokertls: there is no native library for linux-riscv64: no resource /META-INF/native/"
                + "linux-riscv64/libbrokertls_jni.so (there is one for [" + OtherJvm.PLATFORM
                + "]); build one for it, and name it by -Dbrokertls.native.library\n", said);
    }

    @Test
    void jarWithoutAnyLibraryAsksForTheClassifier() throws Exception {
        String said = run(List.of(), null, null);
        assertTrue(said.contains("none for any platform"), said);
        assertTrue(said.contains("classifier " + OtherJvm.PLATFORM), said);
    }

    @Test
    void directoryWithoutProgramsIsNamedWithTheProperty() throws Exception {
        Path work = Files.createDirectory(directory.resolve("noexec"));
        List<String> inMount = inMount(work, "noexec,size=32m");
        String said = run(inMount, library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work);
        assertTrue(said.startsWith("refused brokertls: the native library cannot be loaded"), said);
        assertTrue(said.contains(work.toString()), said);
        assertTrue(said.contains("noexec"), said);
        assertTrue(said.contains("-Dbrokertls.native.workdir"), said);
    }

    @Test
    void directoryThatIsNotThereIsNamedWithTheProperty() throws Exception {
        Path work = directory.resolve("none");
        String said = run(List.of(), library(), OtherJvm.PLATFORM, "-Dbrokertls.native.workdir=" + work);
        assertTrue(said.startsWith("refused brokertls: the native library cannot be unpacked"
                + " (brokertls.native.workdir is " + work + "): java.nio.file.NoSuchFileException: " + work), said);
        assertTrue(said.contains("-Dbrokertls.native.workdir"), said);
    }

    @Test
    void fileThatIsNoLibraryIsRefused() throws Exception {
        Path text = Files.writeString(directory.resolve("text.so"), "no library");
        String said = run(List.of(), null, null, "-Dbrokertls.native.library=" + text);
        assertTrue(said.contains("refused brokertls: the native library cannot be loaded: " + text)
                && said.contains("-Dbrokertls.native.library"), said);
    }
}
