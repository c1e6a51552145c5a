package io.brokertls.stacks;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** The jars to install: those of the class path, and bundles that are made of classes of this folder. */
final class Bundles {
    private static final Path FOLDER = Path.of(System.getProperty("java.io.tmpdir"));

    private Bundles() {
    }

    /** Returns the jars of the class path with a name of the artifact that fits. */
    static List<Path> jars(String artifact) {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).map(Path::of)
                .filter(file -> file.getFileName().toString().matches(artifact + "-[0-9].*\\.jar"))
                .collect(Collectors.toList());
    }

    /** Returns a jar of the class path by the name of its artifact. */
    static Path jar(String artifact) {
        return jars(artifact).get(0);
    }

    /** Makes a bundle of one class and those inside it, with the class as its activator. */
    static Path of(Class<?> activator, String name, String imports) throws IOException {
        Manifest manifest = manifest(name);
        Attributes headers = manifest.getMainAttributes();
        headers.putValue("Bundle-Activator", activator.getName());
        headers.putValue("Import-Package", imports);
        Path classes = Path.of(System.getProperty("java.class.path").split(File.pathSeparator)[0]);
        String prefix = activator.getName().replace('.', '/');
        List<Path> files;
        try (Stream<Path> found = Files.walk(classes)) {
            files = found.filter(file -> classes.relativize(file).toString().startsWith(prefix))
                    .collect(Collectors.toList());
        }
        Path bundle = FOLDER.resolve(name + ".jar");
        try (OutputStream file = Files.newOutputStream(bundle);
                JarOutputStream jar = new JarOutputStream(file, manifest)) {
            for (Path each : files) {
                jar.putNextEntry(new ZipEntry(classes.relativize(each).toString()));
                Files.copy(each, jar);
            }
        }
        return bundle;
    }

    /** Makes a bundle of a jar that is none. It exports all packages, as Karaf's {@code wrap:} does. */
    static Path wrapped(String name) throws IOException {
        String version = jar(name).getFileName().toString().replaceAll(".*-([0-9.]+)\\.jar", "$1");
        Path bundle = FOLDER.resolve(name + "-wrapped.jar");
        try (JarFile content = new JarFile(jar(name).toFile())) {
            TreeSet<String> packages = new TreeSet<>();
            content.stream().map(JarEntry::getName).filter(entry -> entry.matches("(?!META-INF/).*/[^/]*\\.class"))
                    .forEach(entry -> packages.add(entry.substring(0, entry.lastIndexOf('/')).replace('/', '.')
                            + ";version=" + version));
            Manifest manifest = manifest(name);
            manifest.getMainAttributes().putValue("Export-Package", String.join(",", packages));
            manifest.getMainAttributes().putValue("DynamicImport-Package", "*");
            copy(content, bundle, manifest);
        }
        return bundle;
    }

    /** Makes a copy of a bundle with another name, for two of them in one framework. */
    static Path renamed(Path bundle, String name) throws IOException {
        Path copy = FOLDER.resolve(name + ".jar");
        try (JarFile content = new JarFile(bundle.toFile())) {
            Manifest manifest = content.getManifest();
            manifest.getMainAttributes().putValue("Bundle-SymbolicName", name);
            copy(content, copy, manifest);
        }
        return copy;
    }

    private static void copy(JarFile content, Path bundle, Manifest manifest) throws IOException {
        try (OutputStream file = Files.newOutputStream(bundle);
                JarOutputStream jar = new JarOutputStream(file, manifest)) {
            for (JarEntry entry : (Iterable<JarEntry>) content.stream()::iterator) {
                if (!entry.isDirectory() && !entry.getName().equals(JarFile.MANIFEST_NAME)) {
                    jar.putNextEntry(new ZipEntry(entry.getName()));
                    try (InputStream source = content.getInputStream(entry)) {
                        source.transferTo(jar);
                    }
                }
            }
        }
    }

    private static Manifest manifest(String name) {
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.putValue("Bundle-ManifestVersion", "2");
        headers.putValue("Bundle-SymbolicName", name);
        return manifest;
    }
}
