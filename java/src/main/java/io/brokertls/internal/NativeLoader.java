package io.brokertls.internal;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Finds, unpacks and loads the native library, once for this class loader. The library of the second engine follows
 * when a context asks for it, so that only such a context needs OpenSSL.
 *
 * <p>The library is a resource of the jar with the classifier of the platform. It is unpacked into a new directory that
 * only this user can enter, loaded, and deleted at once. The property {@code brokertls.native.workdir} names another
 * directory to unpack into, for a system with a temporary directory mounted noexec. The property
 * {@code brokertls.native.library} names the file itself; the library of the second engine is then looked for beside
 * it.
 */
final class NativeLoader {
    /** The platforms of the jars with a library. */
    private static final String[] PLATFORMS = {"linux-x86_64", "linux-aarch64"};
    /** The version that the library must report. Both change with each change of a native method. */
    private static final String VERSION = "0.1.0-8";
    private static final String LIBRARY_PROPERTY = "brokertls.native.library";
    private static final String DIRECTORY_PROPERTY = "brokertls.native.workdir";
    private static final String FILE = "libbrokertls_jni.so";
    private static final String LEGACY_FILE = "libbrokertls_legacy.so";

    private NativeLoader() {}

    /**
     * Loads the library. Called by static initialisers, so that it runs once.
     *
     * @throws UnsatisfiedLinkError with the cause and a remedy
     */
    static void load() {
        String library = System.getProperty(LIBRARY_PROPERTY);
        if (library != null) {
            loadFile(Paths.get(library).toAbsolutePath(), LIBRARY_PROPERTY);
        } else {
            unpackAndLoad(platform(System.getProperty("os.name"), System.getProperty("os.arch")));
        }
        String found = version();
        if (!VERSION.equals(found)) {
            throw failure("the native library is version " + found + " and the classes need " + VERSION
                    + "; use the jar and the library of one release", null);
        }
    }

    /** Returns the platform, for example {@code linux-x86_64}, from the names that JVMs use. */
    static String platform(String system, String architecture) {
        String arch = architecture.toLowerCase(Locale.ROOT);
        if (arch.equals("amd64")) {
            arch = "x86_64";
        }
        return system.toLowerCase(Locale.ROOT).replace(' ', '_') + "-" + arch;
    }

    private static void unpackAndLoad(String platform) {
        String resource = resource(platform, FILE);
        try (InputStream content = NativeLoader.class.getResourceAsStream(resource)) {
            if (content == null) {
                throw failure("there is no native library for " + platform + " (" + present()
                        + "); add the brokertls jar with the classifier " + platform + ", or name a library by -D"
                        + LIBRARY_PROPERTY, null);
            }
            unpack(content, FILE, file -> loadFile(file, DIRECTORY_PROPERTY));
        } catch (IOException e) {
            throw failure("the native library cannot be " + unpacked(e), e);
        }
    }

    private static String unpacked(IOException e) {
        return "unpacked into " + workDirectory() + ": " + e + "; name another directory by -D" + DIRECTORY_PROPERTY;
    }

    /**
     * Loads the library of the second engine from the jar, for every context that names none. Does nothing if there is
     * none in the jar, or if the native library is not that of the jar.
     *
     * @throws TlsFailure LEGACY_UNAVAILABLE
     */
    static synchronized void bringLegacy() throws TlsFailure {
        if (System.getProperty(LIBRARY_PROPERTY) != null) {
            return;
        }
        String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
        try (InputStream content = NativeLoader.class.getResourceAsStream(resource(platform, LEGACY_FILE))) {
            if (content != null) {
                unpack(content, LEGACY_FILE, file -> bringLegacy(file.toString()));
            }
        } catch (IOException e) {
            throw TlsFailure.of(ErrorCode.LEGACY_UNAVAILABLE, LEGACY_FILE + " cannot be " + unpacked(e));
        }
    }

    private static <E extends Exception> void unpack(InputStream content, String name, Loading<E> loading)
            throws IOException, E {
        FileAttribute<?> ownerOnly =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Path directory = Files.createTempDirectory(workDirectory(), "brokertls-", ownerOnly);
        Path file = directory.resolve(name);
        try {
            Files.copy(content, file);
            loading.load(file);
        } finally {
            // The mapped library does not need its file, and no file remains however the JVM ends.
            Files.deleteIfExists(file);
            Files.deleteIfExists(directory);
        }
    }

    private static void loadFile(Path file, String property) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            String remedy = property.equals(LIBRARY_PROPERTY)
                    ? "; check -D" + LIBRARY_PROPERTY
                    : "; the file system of " + file.getParent().getParent() + fileSystem(file)
                            + " may not allow programs (mounted noexec): name a directory on another one by -D"
                            + DIRECTORY_PROPERTY;
            throw failure("the native library cannot be loaded: " + e.getMessage() + remedy, e);
        }
    }

    private static String fileSystem(Path file) {
        try {
            FileStore store = Files.getFileStore(file.getParent());
            return " (" + store + ")";
        } catch (IOException e) {
            return "";
        }
    }

    private static Path workDirectory() {
        return Paths.get(System.getProperty(DIRECTORY_PROPERTY, System.getProperty("java.io.tmpdir")));
    }

    private static String resource(String platform, String file) {
        return "/META-INF/native/" + platform + "/" + file;
    }

    /** Returns the platforms with a library on the class path, for a message. */
    private static String present() {
        List<String> found = new ArrayList<>();
        for (String platform : PLATFORMS) {
            if (NativeLoader.class.getResource(resource(platform, FILE)) != null) {
                found.add(platform);
            }
        }
        return found.isEmpty() ? "the class path has none for any platform" : "there is one for " + found;
    }

    private static UnsatisfiedLinkError failure(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError("brokertls: " + message);
        error.initCause(cause);
        return error;
    }

    private static native String version();

    private static native void bringLegacy(String file) throws TlsFailure;

    /** Loads an unpacked file, which is deleted afterwards. */
    @FunctionalInterface
    private interface Loading<E extends Exception> {
        void load(Path file) throws E;
    }
}
