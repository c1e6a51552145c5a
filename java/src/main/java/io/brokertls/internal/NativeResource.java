package io.brokertls.internal;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;

/** Finds and opens the resources with the native libraries. */
final class NativeResource {
    private NativeResource() {}

    /**
     * Returns the address of a resource, or null if there is none. A class of a module finds those of its own module;
     * those of the class path are found by its class loader.
     *
     * @param name absolute, with a leading slash
     */
    static URL find(String name) {
        URL own = NativeResource.class.getResource(name);
        ClassLoader loader = NativeResource.class.getClassLoader();
        return own != null || loader == null ? own : loader.getResource(name.substring(1));
    }

    /**
     * Opens a resource, or returns null if there is none. The open jar is not shared with other class loaders: the
     * first of them that is closed would close it for all (JDK-8205976).
     */
    static InputStream open(String name) throws IOException {
        URL found = find(name);
        if (found == null) {
            return null;
        }
        URLConnection connection = found.openConnection();
        connection.setUseCaches(false);
        return connection.getInputStream();
    }
}
