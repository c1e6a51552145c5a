package io.brokertls.internal;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Finds, unpacks and loads the native library, once for this class loader. The library of the second engine follows
 * when a context asks for it, so that only such a context needs OpenSSL.
 *
 * <p>The library is a resource of the jar with the classifier of the platform. It is unpacked into a new directory that
 * only this user can enter, loaded, and deleted at once. The property {@code brokertls.native.workdir} names another
 * directory to unpack into, for a system with a temporary directory mounted noexec. The property
 * {@code brokertls.native.library} names the file itself; the library of the second engine is then looked for beside
 * it.
 *
 * <p>A copy of these classes in another package has its native methods bound one by one, because the library names them
 * after the original package.
 */
final class NativeLoader {
    static final String FILE = "libbrokertls_jni.so";
    static final String LEGACY_FILE = "libbrokertls_legacy.so";
    /** The classes with native methods. */
    static final List<Class<?>> CLASSES = List.of(NativeLoader.class, NativeContext.class, NativeContextBuilder.class,
            NativeConversion.class, NativeEngine.class, NativeIdentity.class, NativeNames.class, NativeStore.class,
            OriginalHost.class);

    /** The version that the library must report. Both change with each change of a native method. */
    private static final String VERSION = "0.1.0-13";
    private static final String LIBRARY_PROPERTY = "brokertls.native.library";
    /** In parts, because tools that relocate classes change their names in texts too. */
    private static final String ORIGINAL = String.join(".", "io", "brokertls", "internal", "NativeLoader");

    private static boolean isLoaded;
    private static UnsatisfiedLinkError refusal;

    private NativeLoader() {}

    /**
     * Loads the library, if no other class has done so. Called by static initialisers.
     *
     * @throws UnsatisfiedLinkError with the cause and a remedy
     */
    static synchronized void load() {
        if (refusal != null) {
            throw failure(refusal.getMessage(), refusal);
        }
        if (isLoaded) {
            return;
        }
        try {
            AccessController.doPrivileged((PrivilegedAction<Void>) () -> {
                loadOnce();
                return null;
            });
            isLoaded = true;
        } catch (SecurityException e) {
            refusal = failed("the security manager does not let it be loaded: " + e.getMessage()
                    + "; the policy must grant java.security.AllPermission to the jar of brokertls", e);
            throw refusal;
        } catch (UnsatisfiedLinkError e) {
            refusal = e;
            throw e;
        }
    }

    private static void loadOnce() {
        String library = System.getProperty(LIBRARY_PROPERTY);
        if (library == null) {
            unpackAndLoad(NativePlatform.current());
        } else {
            loadNamed(library);
        }
        String found = version();
        if (!VERSION.equals(found)) {
            throw failed("the native library is version " + found + " and the classes need " + VERSION
                    + "; use the jar and the library of one release", null);
        }
    }

    private static void loadNamed(String library) {
        Path file;
        try {
            file = Paths.get(library).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw failed("-D" + LIBRARY_PROPERTY + " is no path: " + e.getMessage(), e);
        }
        loadFile(file, message -> message.contains("already loaded in another classloader")
                ? "; leave out -D" + LIBRARY_PROPERTY + ", so that each class loader unpacks a library of its own"
                : remedy(message, "; check -D" + LIBRARY_PROPERTY));
    }

    private static void unpackAndLoad(String platform) {
        String resource = resource(platform, FILE);
        try (InputStream content = NativeResource.open(resource)) {
            if (content == null) {
                String remedy = NativePlatform.KNOWN.contains(platform)
                        ? "add the brokertls jar with the classifier " + platform + ", or name a library by -D"
                        : "build one for it, and name it by -D";
                throw failed("there is no native library for " + platform + ": no resource " + resource + " ("
                        + present() + "); " + remedy + LIBRARY_PROPERTY, null);
            }
            NativeUnpacking.unpack(content, FILE, NativeLoader::loadUnpacked);
        } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
            throw failed("the native library cannot be " + unpacked(e), e);
        }
    }

    private static void loadUnpacked(Path file) {
        loadFile(file, message -> remedy(message, "; the file system of " + file.getParent().getParent()
                + fileSystem(file) + " may not allow programs (mounted noexec): name a directory on another one by -D"
                + NativeUnpacking.DIRECTORY_PROPERTY));
    }

    private static void loadFile(Path file, UnaryOperator<String> remedy) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            throw failed("the native library cannot be loaded: " + e.getMessage() + remedy.apply(e.getMessage()), e);
        } catch (IllegalCallerException e) {
            Module module = NativeLoader.class.getModule();
            throw failed("this JVM refuses native code (--illegal-native-access=deny): " + e.getMessage()
                    + "; start it with --enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED"
                    + ", or give the jar that is started the attribute Enable-Native-Access: ALL-UNNAMED"), e);
        }
        if (!NativeLoader.class.getName().equals(ORIGINAL)) {
            bindCopy();
        }
    }

    /** Returns what helps against a cause that the loader of the system names, or else the given text. */
    private static String remedy(String message, String otherwise) {
        if (message.contains("GLIBC_")) {
            return "; the C library of this system is older than the library needs: build one on this system, and name"
                    + " it by -D" + LIBRARY_PROPERTY;
        }
        if (message.contains("libgcc_s")) {
            return "; install the package of this system with libgcc_s.so.1 (libgcc or libgcc-s1)";
        }
        if (message.contains("ld-linux") || message.contains("libc.so: ") || message.contains("wrong ELF class")
                || message.contains("Possible cause") || message.contains("Error relocating")) {
            return "; the library is one for another processor or C library than this JVM has ("
                    + NativePlatform.current() + ")";
        }
        return otherwise;
    }

    private static String unpacked(Exception e) {
        String directory = System.getProperty(NativeUnpacking.DIRECTORY_PROPERTY);
        String from = directory == null
                ? "java.io.tmpdir is " + System.getProperty("java.io.tmpdir")
                : NativeUnpacking.DIRECTORY_PROPERTY + " is " + directory;
        return "unpacked (" + from + "): " + e + "; name a directory of this user by -D"
                + NativeUnpacking.DIRECTORY_PROPERTY;
    }

    /**
     * Loads the library of the second engine from the jar, for every context that names none. Does nothing if there is
     * none in the jar, or if the native library is not that of the jar.
     *
     * @throws TlsFailure LEGACY_UNAVAILABLE
     */
    static synchronized void bringLegacy() throws TlsFailure {
        try {
            AccessController.doPrivileged((PrivilegedExceptionAction<Void>) () -> {
                bringUnpackedLegacy();
                return null;
            });
        } catch (PrivilegedActionException e) {
            throw (TlsFailure) e.getException();
        }
    }

    private static void bringUnpackedLegacy() throws TlsFailure {
        if (System.getProperty(LIBRARY_PROPERTY) != null) {
            return;
        }
        String resource = resource(NativePlatform.current(), LEGACY_FILE);
        try (InputStream content = NativeResource.open(resource)) {
            if (content != null) {
                NativeUnpacking.unpack(content, LEGACY_FILE, file -> bringLegacy(file.toString()));
            }
        } catch (IOException e) {
            throw TlsFailure.of(ErrorCode.LEGACY_UNAVAILABLE, LEGACY_FILE + " cannot be " + unpacked(e));
        }
    }

    /** Binds the native methods of classes with other names than those in the library. */
    private static void bindCopy() {
        try {
            for (Class<?> type : CLASSES) {
                for (Method method : type.getDeclaredMethods()) {
                    if (Modifier.isNative(method.getModifiers())) {
                        String signature = MethodType.methodType(method.getReturnType(), method.getParameterTypes())
                                .toMethodDescriptorString();
                        bind(type, method.getName(), signature, type.getSimpleName() + "_" + method.getName());
                    }
                }
            }
        } catch (UnsatisfiedLinkError | IllegalArgumentException e) {
            throw failed("this copy of its classes, " + NativeLoader.class.getName() + ", cannot be bound to the"
                    + " library: " + e.getMessage() + "; keep the names of the classes of "
                    + "io/brokertls/internal, which are looked up".replace('/', '.'), e);
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

    private static String resource(String platform, String file) {
        return "/META-INF/native/" + platform + "/" + file;
    }

    /** Returns the platforms with a library on the class path, for a message. */
    private static String present() {
        List<String> found = new ArrayList<>();
        for (String platform : NativePlatform.KNOWN) {
            if (NativeResource.find(resource(platform, FILE)) != null) {
                found.add(platform);
            }
        }
        if (!found.isEmpty()) {
            return "there is one for " + found;
        }
        // The module path takes the first jar of a module alone.
        return "the class path has none for any platform" + (NativeLoader.class.getModule().isNamed()
                ? ", and on the module path a jar of brokertls without a library hides one behind it" : "");
    }

    private static UnsatisfiedLinkError failed(String message, Throwable cause) {
        return failure("brokertls: " + message, cause);
    }

    private static UnsatisfiedLinkError failure(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }

    private static native String version();

    private static native void bringLegacy(String file) throws TlsFailure;

    /** Binds one native method to the function with this name after that of the package. */
    private static native void bind(Class<?> type, String method, String signature, String function);
}
