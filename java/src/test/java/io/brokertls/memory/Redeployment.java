package io.brokertls.memory;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Consumer;

/**
 * A container that starts an application and stops it, several times, on threads that live on. Prints {@code COLLECTED}
 * for each class loader of an application that the collector has taken.
 */
public final class Redeployment {
    private static final int TIMES = 2;
    private static final int LOOKS_MAX = 600;

    private Redeployment() {
    }

    public static void main(String[] arguments) throws Exception {
        ThreadPoolExecutor threads = (ThreadPoolExecutor) Executors.newFixedThreadPool(4);
        // Threads of a container are not made by an application.
        threads.prestartAllCoreThreads();
        for (int i = 0; i < TIMES; i++) {
            WeakReference<ClassLoader> loader = deploy(threads);
            for (int look = 0; look < LOOKS_MAX && loader.get() != null; look++) {
                System.gc();
                Thread.sleep(100);
            }
            System.out.println(loader.get() == null ? "COLLECTED" : "KEPT");
        }
        threads.shutdown();
    }

    @SuppressWarnings("unchecked")
    private static WeakReference<ClassLoader> deploy(ExecutorService threads) throws Exception {
        List<URL> places = new ArrayList<>();
        for (String place : System.getProperty("java.class.path").split(File.pathSeparator)) {
            places.add(new File(place).toURI().toURL());
        }
        try (URLClassLoader loader =
                new URLClassLoader("application", places.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
            Class<?> application = loader.loadClass(RedeployedApplication.class.getName());
            Consumer<ExecutorService> made =
                    (Consumer<ExecutorService>) application.getDeclaredConstructor().newInstance();
            made.accept(threads);
            return new WeakReference<>(loader);
        }
    }
}
