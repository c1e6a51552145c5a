package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.peer.Authority;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies of the classes and of the library: in class loaders, in other packages, under a security manager. */
class NativeCopiesTest {
    private static final String PROGRAM = "io.brokertls.internal.LoadedProgram";
    private static final String MOVED = "com.acme.shaded.tls.internal.LoadedProgram";
    private static final String USED = " received hello, 1 judged, 1 source, FILE_UNREADABLE\n";
    private static final String ORIGINAL_USED = "io.brokertls.BrokerTlsContext" + USED;
    private static final String MOVED_USED = "com.acme.shaded.tls.BrokerTlsContext" + USED;

    @TempDir
    private Path directory;
    private Path files;
    private Path classes;
    private Path programs;
    private Path resources;

    @BeforeEach
    void makeFiles() throws Exception {
        files = Files.createDirectory(directory.resolve("files"));
        Authority authority = new Authority(files, "ec");
        authority.issue("server", "ec");
        authority.issue("other", "ec");
        authority.revoke("other");
        classes = folderOf(NativeLoader.class);
        programs = directory.resolve("programs");
        for (Class<?> program : List.of(LoadedProgram.class, ClassLoaders.class)) {
            String name = program.getName().replace('.', '/') + ".class";
            Path copy = programs.resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(folderOf(NativeCopiesTest.class).resolve(name), copy);
        }
        resources = directory.resolve("resources");
        Path library = resources.resolve(OtherJvm.LIBRARY);
        Files.createDirectories(library.getParent());
        Files.createSymbolicLink(library,
                folderOf(NativeCopiesTest.class).resolve(OtherJvm.LIBRARY));
    }

    private static Path folderOf(Class<?> type) throws Exception {
        return Path.of(OtherJvm.folderOf(type));
    }

    private static String path(Path... entries) {
        return Arrays.stream(entries).map(Path::toString).collect(Collectors.joining(":"));
    }

    private static String run(String... arguments) throws Exception {
        return OtherJvm.run(List.of(arguments));
    }

    private String original() {
        return path(classes, programs, resources);
    }

    private String moved() throws IOException {
        Relocation relocation = new Relocation("com.acme.shaded.tls");
        Path moved = relocation.move(classes, directory.resolve("moved"));
        relocation.move(programs, moved);
        return path(moved, resources);
    }

    @Test
    void everyClassWithNativeMethodsIsKnownToTheLoader() throws Exception {
        Set<Class<?>> found = new HashSet<>();
        try (Stream<Path> all = Files.list(classes.resolve("io/brokertls/internal"))) {
            for (Path file : all.collect(Collectors.toList())) {
                String name = file.getFileName().toString().replace(".class", "");
                Class<?> type = Class.forName("io.brokertls.internal." + name, false,
                        NativeLoader.class.getClassLoader());
                if (Arrays.stream(type.getDeclaredMethods()).anyMatch(one -> Modifier.isNative(one.getModifiers()))) {
                    found.add(type);
                }
            }
        }
        assertEquals(found, new HashSet<>(NativeLoader.CLASSES));
    }

    @Test
    void copyInAnotherPackageHandshakesCallsBackAndThrowsItsOwnExceptions() throws Exception {
        assertEquals(MOVED_USED, run("-cp", moved(), MOVED, files.toString()));
    }

    @Test
    void copyInAnotherPackageLoadsALibraryNamedByItsPath() throws Exception {
        Path library = resources.resolve(OtherJvm.LIBRARY);
        assertEquals(MOVED_USED,
                run("-Dbrokertls.native.library=" + library, "-cp", moved(), MOVED, files.toString()));
    }

    @Test
    void copyAndOriginalOnOneClassPathServeBoth() throws Exception {
        String both = path(classes, programs) + ":" + moved();
        assertEquals(ORIGINAL_USED, run("-cp", both, PROGRAM, files.toString()));
        assertEquals(MOVED_USED, run("-cp", both, MOVED, files.toString()));
    }

    @Test
    void classLoadersOfOneJvmHaveLibrariesOfTheirOwn() throws Exception {
        assertEquals(ORIGINAL_USED + MOVED_USED + ORIGINAL_USED,
                run("-cp", programs.toString(), ClassLoaders.class.getName(), "together", files.toString(),
                        PROGRAM, original(), MOVED, moved(), PROGRAM, original()));
    }

    @Test
    void libraryNamedByItsPathIsRefusedToASecondClassLoaderWithTheRemedy() throws Exception {
        Path library = resources.resolve(OtherJvm.LIBRARY);
        String said = run("-Dbrokertls.native.library=" + library, "-cp", programs.toString(),
                ClassLoaders.class.getName(), "together", files.toString(), PROGRAM, original(), PROGRAM, original());
        assertTrue(said.startsWith(ORIGINAL_USED + "refused brokertls: the native library cannot be loaded: "), said);
        assertTrue(said.endsWith("already loaded in another classloader; leave out -Dbrokertls.native.library, so that"
                + " each class loader unpacks a library of its own\n"), said);
    }

    @Test
    void libraryNamedByItsPathIsLoadedAgainWhenTheFirstClassLoaderIsGone() throws Exception {
        Path library = resources.resolve(OtherJvm.LIBRARY);
        String once = ORIGINAL_USED + "unloaded\n";
        assertEquals(once + once, run("-Dbrokertls.native.library=" + library, "-cp", programs.toString(),
                ClassLoaders.class.getName(), "unloaded", files.toString(), PROGRAM, original(), PROGRAM, original()));
        // The library stays in the process, and serves classes of another name next.
        assertEquals(once + MOVED_USED + "unloaded\n" + once, run("-Dbrokertls.native.library=" + library, "-cp",
                programs.toString(), ClassLoaders.class.getName(), "unloaded", files.toString(), PROGRAM, original(),
                MOVED, moved(), PROGRAM, original()));
    }

    private String runUnderPolicy(String grantedToTheLibrary) throws Exception {
        Path policy = Files.writeString(directory.resolve("policy"), "grant codeBase \"file:" + classes + "/-\" {\n"
                + grantedToTheLibrary + "};\ngrant codeBase \"file:" + programs + "/-\" {\n"
                + "permission java.net.SocketPermission \"localhost:*\", \"accept,connect,listen,resolve\";\n};\n");
        return run("-Djava.security.manager", "-Djava.security.policy==" + policy, "-cp", original(), PROGRAM,
                files.toString()).replaceAll("WARNING: .*\n", "");
    }

    @Test
    void programWithoutPermissionsUsesALibraryThatHasThemUnderASecurityManager() throws Exception {
        assertEquals(ORIGINAL_USED, runUnderPolicy("permission java.security.AllPermission;\n"));
    }

    @Test
    void libraryWithoutPermissionsIsRefusedUnderASecurityManagerWithTheRemedy() throws Exception {
        String said = runUnderPolicy("");
        assertTrue(said.startsWith("refused brokertls: the security manager does not let it be loaded: access denied"),
                said);
        assertTrue(said.endsWith("the policy must grant java.security.AllPermission to the jar of brokertls\n"), said);
    }
}
