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
            URLClassLoader loader = new URLClassLoader(urls(arguments[index + 1]), null);
            use(loader, arguments[index], arguments[1]);
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
    private static void use(ClassLoader loader, String program, String folder) throws InterruptedException {
        Thread thread = new Thread(() -> {
            try {
                Object said = Class.forName(program, true, loader).getMethod("use", String.class).invoke(null, folder);
                System.out.println(said);
            } catch (ReflectiveOperationException e) {
                System.out.println(e + " " + e.getCause());
            }
        });
        thread.start();
        thread.join();
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
