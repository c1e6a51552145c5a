package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The search for the native library, and the messages of a failure. Each case has its own JVM, as users start it. */
class NativeLoaderTest {
    private static final String RESOURCE = "META-INF/native/linux-x86_64/libbrokertls_jni.so";

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
        Files.copy(folderOf(NativeLoaderTest.class).resolve(name), copy);
        return directory.resolve("main");
    }

    /** Returns a class path of the classes, the main class, and a folder with the library if one is given. */
    private String run(List<String> prefix, Path library, String platform, String... options)
            throws IOException, InterruptedException, URISyntaxException {
        StringBuilder path = new StringBuilder();
        path.append(folderOf(NativeLoader.class)).append(':').append(mainAlone());
        if (platform != null) {
            Path folder = directory.resolve("native");
            Path resource = folder.resolve(RESOURCE.replace("linux-x86_64", platform));
            Files.createDirectories(resource.getParent());
            Files.copy(library, resource);
            path.append(':').append(folder);
        }
        List<String> command = new ArrayList<>(prefix);
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", path.toString(), Main.class.getName()));
        if (keys != null) {
            command.add(keys.toString());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (InputStream output = process.getInputStream()) {
            String said = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), said);
            return said;
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void libraryInTheJarIsLoadedAndNothingOfItLeftBehind() throws Exception {
        Path work = Files.createDirectory(directory.resolve("work"));
        String said = run(List.of(), library(), "linux-x86_64", "-Dbrokertls.native.workdir=" + work);
        assertEquals("loaded 2\n", said);
        try (Stream<Path> left = Files.list(work)) {
            assertEquals(0, left.count());
        }
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
        String said = run(List.of(), library(), "linux-x86_64", "-Dbrokertls.native.workdir=" + work);
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
        String said = run(List.of(), library(), "linux-x86_64");
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
        assertTrue(said.startsWith("refused brokertls: there is no native library for linux-x86_64"), said);
        assertTrue(said.contains("[linux-aarch64]"), said);
        assertTrue(said.contains("-Dbrokertls.native.library"), said);
    }

    @Test
    void jarWithoutAnyLibraryAsksForTheClassifier() throws Exception {
        String said = run(List.of(), null, null);
        assertTrue(said.contains("none for any platform"), said);
        assertTrue(said.contains("classifier linux-x86_64"), said);
    }

    @Test
    void directoryWithoutProgramsIsNamedWithTheProperty() throws Exception {
        Path work = Files.createDirectory(directory.resolve("noexec"));
        String mount = "mount -t tmpfs -o noexec,size=32m tmpfs '" + work + "' && exec \"$@\"";
        List<String> inMount = List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh");
        String said = run(inMount, library(), "linux-x86_64", "-Dbrokertls.native.workdir=" + work);
        assertTrue(said.startsWith("refused brokertls: the native library cannot be loaded"), said);
        assertTrue(said.contains(work.toString()), said);
        assertTrue(said.contains("noexec"), said);
        assertTrue(said.contains("-Dbrokertls.native.workdir"), said);
    }

    @Test
    void directoryThatIsNotThereIsNamedWithTheProperty() throws Exception {
        Path work = directory.resolve("none");
        String said = run(List.of(), library(), "linux-x86_64", "-Dbrokertls.native.workdir=" + work);
        assertTrue(said.startsWith("refused brokertls: the native library cannot be unpacked into " + work), said);
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
