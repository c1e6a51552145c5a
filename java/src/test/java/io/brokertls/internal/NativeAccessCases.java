package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * JVMs that refuse native code to modules without permission, as Java 24 and later do on demand. Each case has its own
 * JVM. {@code make test-java-25} runs it.
 */
class NativeAccessCases {
    private static final String DENY = "--illegal-native-access=deny";
    private static final String LOADED = "loaded 2\n";
    private static final String REFUSED =
            "refused brokertls: this JVM refuses native code (--illegal-native-access=deny): ";

    @TempDir
    private Path directory;

    /** Returns the options that run the program in the module of the library, with its library in the module. */
    private static List<String> fromModulePath() throws Exception {
        return OtherJvm.fromModulePath(OtherJvm.folderOf(NativeAccessCases.class));
    }

    @Test
    void libraryOnTheClassPathIsRefusedWithTheOptionThatAllowsItAndLoadedWithThat() throws Exception {
        String said = OtherJvm.run(OtherJvm.fromClassPath(), DENY);
        assertTrue(said.startsWith(REFUSED), said);
        assertTrue(said.endsWith("; start it with --enable-native-access=ALL-UNNAMED, or give the jar that is started"
                + " the attribute Enable-Native-Access: ALL-UNNAMED\n"), said);
        assertEquals(LOADED, OtherJvm.run(OtherJvm.fromClassPath(), DENY, "--enable-native-access=ALL-UNNAMED"));
    }

    @Test
    void libraryOnTheModulePathIsRefusedWithTheOptionThatAllowsItAndLoadedWithThat() throws Exception {
        String said = OtherJvm.run(fromModulePath(), DENY);
        assertTrue(said.startsWith(REFUSED), said);
        assertTrue(said.endsWith("; start it with --enable-native-access=io.brokertls\n"), said);
        assertEquals(LOADED, OtherJvm.run(fromModulePath(), DENY, "--enable-native-access=io.brokertls"));
    }

    @Test
    void permissionForTheClassPathIsNotOneForTheModule() throws Exception {
        String said = OtherJvm.run(fromModulePath(), DENY, "--enable-native-access=ALL-UNNAMED");
        assertTrue(said.endsWith("; start it with --enable-native-access=io.brokertls\n"), said);
    }

    /** Makes a jar that starts the program from the class path, with or without permission in its manifest. */
    private Path jar(boolean isPermitted) throws Exception {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, OtherJvm.PROGRAM);
        attributes.put(Attributes.Name.CLASS_PATH,
                "file:" + OtherJvm.folderOf(NativeLoader.class) + "/ file:" + OtherJvm.folderOf(OtherJvm.class) + "/");
        if (isPermitted) {
            attributes.putValue("Enable-Native-Access", "ALL-UNNAMED");
        }
        Path jar = directory.resolve(isPermitted + ".jar");
        try (OutputStream file = Files.newOutputStream(jar)) {
            new JarOutputStream(file, manifest).close();
        }
        return jar;
    }

    @Test
    void attributeOfTheStartedJarIsThePermissionThatTheMessageNames() throws Exception {
        String said = OtherJvm.run(List.of("-jar", jar(false).toString()), DENY);
        assertTrue(said.startsWith(REFUSED), said);
        assertEquals(LOADED, OtherJvm.run(List.of("-jar", jar(true).toString()), DENY));
    }

    @Test
    void warningOfTheJvmNamesTheMethodThatLoadsTheLibraryUnlessItIsPermitted() throws Exception {
        String said = OtherJvm.run(OtherJvm.fromClassPath());
        assertTrue(said.contains("WARNING: java.lang.System::load has been called by"
                + " io.brokertls.internal.NativeLoader"), said);
        assertTrue(said.endsWith(LOADED), said);
        assertEquals(LOADED, OtherJvm.run(OtherJvm.fromClassPath(), "--enable-native-access=ALL-UNNAMED"));
    }
}
