package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.launch.FrameworkFactory;

/** The jar as a bundle of OSGi, and what is in it beside the classes. */
class BundleTest {
    private static final Path CLASSES = Path.of("target", "classes");

    @TempDir
    Path folder;

    @Test
    void manifestExportsThePackageOfTheModuleAloneAndNeedsNoOtherBundle() throws Exception {
        Attributes headers = manifest().getMainAttributes();
        assertEquals("io.brokertls", headers.getValue("Bundle-SymbolicName"));
        assertTrue(headers.getValue("Export-Package").matches("io\\.brokertls;[^,]*"));
        String imports = headers.getValue("Import-Package").replaceAll("\"[^\"]*\"", "");
        for (String one : imports.split(",")) {
            // What an image of the JDK can be without.
            boolean optional = one.matches("(javax\\.(management|security\\.cert)|jdk\\.jfr);resolution:=optional");
            assertTrue(optional || one.matches("javax\\.[a-z0-9.]*"), one);
        }
        assertNull(headers.getValue("Automatic-Module-Name"));
        assertTrue(Files.exists(CLASSES.resolve("module-info.class")));
    }

    @Test
    void licencesOfTheProjectAreInTheJar() throws Exception {
        for (String name : List.of("LICENSE-APACHE", "LICENSE-MIT")) {
            Path packed = CLASSES.resolve("META-INF").resolve(name);
            assertEquals(Files.readString(Path.of("..", name)), Files.readString(packed), name);
        }
    }

    @Test
    void bundleStartsInAFrameworkAndItsProviderMakesAClientHello() throws Exception {
        Path bundle = folder.resolve("brokertls.jar");
        try (OutputStream file = Files.newOutputStream(bundle);
                JarOutputStream jar = new JarOutputStream(file, manifest())) {
            add(jar, CLASSES, CLASSES);
            Path tests = Path.of("target", "test-classes");
            add(jar, tests, tests.resolve(Path.of("META-INF", "native")));
        }
        String framework = Path.of(location(FrameworkFactory.class)).toString();
        String tests = Path.of("target", "test-classes").toString();
        Path printed = folder.resolve("printed");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                framework + File.pathSeparator + tests, BundleCase.class.getName(), bundle.toString(),
                folder.resolve("storage").toString()).redirectErrorStream(true).redirectOutput(printed.toFile())
                .start();
        int status = process.waitFor();
        assertEquals("io.brokertls active true\nown classes true\nNEED_UNWRAP\n", Files.readString(printed));
        assertEquals(0, status);
    }

    private static URI location(Class<?> type) throws Exception {
        return type.getProtectionDomain().getCodeSource().getLocation().toURI();
    }

    private static Manifest manifest() throws Exception {
        try (InputStream file = Files.newInputStream(CLASSES.resolve(Path.of("META-INF", "MANIFEST.MF")))) {
            return new Manifest(file);
        }
    }

    /** Adds the files in {@code from}, by their names in {@code root}. */
    private static void add(JarOutputStream jar, Path root, Path from) throws Exception {
        List<Path> files;
        try (Stream<Path> found = Files.walk(from)) {
            files = found.filter(Files::isRegularFile).collect(Collectors.toList());
        }
        for (Path file : files) {
            if (!file.endsWith("MANIFEST.MF")) {
                jar.putNextEntry(new ZipEntry(root.relativize(file).toString()));
                Files.copy(file, jar);
            }
        }
    }
}
