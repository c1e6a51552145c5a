package io.brokertls.internal;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs {@link LoadedProgram} in class loaders of its own, as a container runs its applications. */
final class ClassLoaders {
    private static final int COLLECTIONS_MAX = 200;
    private static final int PAUSE_MS = 20;
    /** The JVM forgets the library of a class loader some time after the class loader is gone. */
    private static final String STILL_LOADED = "already loaded in another classloader";

    private ClassLoaders() {}

    /**
     * Prints the result of each class loader.
     *
     * @param arguments {@code together} or {@code unloaded}, the folder of the program, and a class path with the class
     *         of the program in front for each class loader
     */
    public static void main(String[] arguments) throws Exception {
        boolean isUnloaded = arguments[0].equals("unloaded");
        List<ClassLoader> kept = new ArrayList<>();
        for (int index = 2; index < arguments.length; index += 2) {
            URLClassLoader loader = null;
            String said = STILL_LOADED;
            for (int attempt = 0; attempt < COLLECTIONS_MAX && said.contains(STILL_LOADED); attempt++) {
                Thread.sleep(attempt == 0 ? 0 : PAUSE_MS);
                loader = new URLClassLoader(urls(arguments[index + 1]), null);
                said = use(loader, arguments[index], arguments[1]);
                if (!isUnloaded) {
                    break;
                }
            }
            System.out.println(said);
            if (isUnloaded) {
                WeakReference<ClassLoader> gone = new WeakReference<>(loader);
                loader.close();
                loader = null;
                collect(gone);
            } else {
                kept.add(loader);
            }
        }
    }

    /** Runs the program on a thread that ends, so that no variable of a thread keeps its class loader. */
    private static String use(ClassLoader loader, String program, String folder) throws InterruptedException {
        String[] said = new String[1];
        Thread thread = new Thread(() -> {
            try {
                said[0] = String.valueOf(Class.forName(program, true, loader).getMethod("use", String.class)
                        .invoke(null, folder));
            } catch (ReflectiveOperationException e) {
                said[0] = e + " " + e.getCause();
            }
        });
        thread.start();
        thread.join();
        return said[0];
    }

    private static void collect(WeakReference<ClassLoader> loader) throws InterruptedException {
        for (int collection = 0; collection < COLLECTIONS_MAX && loader.get() != null; collection++) {
            System.gc();
            Thread.sleep(PAUSE_MS);
        }
        System.out.println(loader.get() == null ? "unloaded" : "still there");
    }

    private static URL[] urls(String path) throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String entry : path.split(File.pathSeparator)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(new URL[0]);
    }
}
