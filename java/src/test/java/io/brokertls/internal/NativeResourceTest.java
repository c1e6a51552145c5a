package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The places that a library is found in, and jars that several class loaders have open. */
class NativeResourceTest {
    private static final String RESOURCE = OtherJvm.LIBRARY;
    private static final String CLASS = "io/brokertls/internal/NativeResource.class";

    @TempDir
    private Path directory;

    /** Makes a jar with the class and a library of these bytes. */
    private URL jar(byte[] library) throws Exception {
        Path jar = directory.resolve("brokertls.jar");
        try (OutputStream file = Files.newOutputStream(jar); JarOutputStream out = new JarOutputStream(file)) {
            out.putNextEntry(new ZipEntry(CLASS));
            Files.copy(Path.of(OtherJvm.folderOf(NativeResource.class), CLASS), out);
            out.putNextEntry(new ZipEntry(RESOURCE));
            out.write(library);
        }
        return jar.toUri().toURL();
    }

    private static InputStream open(ClassLoader loader) throws Exception {
        Method open = loader.loadClass(NativeResource.class.getName()).getDeclaredMethod("open", String.class);
        open.setAccessible(true);
        return (InputStream) open.invoke(null, "/" + RESOURCE);
    }

    @Test
    void classLoaderThatIsClosedLeavesTheOpenLibraryOfAnotherAlone() throws Exception {
        byte[] library = new byte[1 << 20];
        new Random(1).nextBytes(library);
        URL jar = jar(library);
        try (URLClassLoader one = new URLClassLoader(new URL[] {jar}, null); InputStream opened = open(one)) {
            byte[] begin = opened.readNBytes(100);
            try (URLClassLoader other = new URLClassLoader(new URL[] {jar}, null);
                    InputStream alike = other.getResourceAsStream(RESOURCE)) {
                assertEquals(begin[0], (byte) alike.read());
            }
            byte[] rest = opened.readAllBytes();
            assertEquals(library.length, begin.length + rest.length);
            assertArrayEquals(Arrays.copyOfRange(library, begin.length, library.length), rest);
        }
    }

    /** Returns the options that run the program in the module, which has no library. */
    private List<String> inModule(String... before) throws Exception {
        String program = OtherJvm.PROGRAM.replace('.', '/') + ".class";
        Path copy = directory.resolve("program").resolve(program);
        Files.createDirectories(copy.getParent());
        if (Files.notExists(copy)) {
            Files.copy(Path.of(OtherJvm.folderOf(OtherJvm.class), program), copy);
        }
        List<String> options = new ArrayList<>(List.of(before));
        options.addAll(OtherJvm.fromModulePath(directory.resolve("program").toString()));
        return options;
    }

    @Test
    void moduleFindsTheLibraryInAJarOnTheClassPath() throws Exception {
        Path library = directory.resolve("native").resolve(RESOURCE);
        Files.createDirectories(library.getParent());
        Files.copy(Path.of(OtherJvm.folderOf(OtherJvm.class), RESOURCE), library);
        String said = OtherJvm.run(inModule("-cp", directory.resolve("native").toString()));
        // Java 24 and later print a warning first.
        assertTrue(said.endsWith("loaded 2\n"), said);
    }

    @Test
    void moduleWithoutALibraryIsRefusedAndTheMessageNamesTheJarThatHidesAnother() throws Exception {
        String said = OtherJvm.run(inModule());
        assertTrue(said.startsWith("refused brokertls: there is no native library for " + OtherJvm.PLATFORM
                + ": no resource /" + RESOURCE + " (the class path has none for any platform, and on the module path"
                + " a jar of brokertls without a library hides one behind it); add the brokertls jar with the classifier"), said);
    }

    @Test
    void resourceThatIsNotThereIsNull() throws Exception {
        assertEquals(null, NativeResource.open("/META-INF/native/none"));
        assertNotNull(NativeResource.find("/META-INF/services/java.security.Provider"));
    }
}
