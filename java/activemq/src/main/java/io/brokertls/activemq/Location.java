package io.brokertls.activemq;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.activemq.spring.Utils;
import org.springframework.core.io.Resource;

/** A location in a configuration, as SpringSslContext resolves it: a path, a URL, or a name on the class path. */
final class Location {
    private static final int MOST_BYTES = 64 << 20;
    private static final List<String> REMOTE = List.of("http", "https", "ftp");

    private final String text;
    private final Resource resource;
    private final Path file;

    private Location(String text, Resource resource, Path file) {
        this.text = text;
        this.resource = resource;
        this.file = file;
    }

    /**
     * Resolves a location.
     *
     * @param property the name of the property, for messages
     */
    static Location of(String property, String text) throws IOException {
        Resource resource = Utils.resourceFromString(text);
        Path file = resource.isFile() ? resource.getFile().toPath() : null;
        return new Location(property + " " + text, resource, file);
    }

    /** Refuses a location that another host can change on the way. */
    Location local() throws IOException {
        URL url = file == null ? resource.getURL() : null;
        if (url != null && REMOTE.contains(url.getProtocol().toLowerCase(Locale.ROOT))) {
            throw new IOException(text + " is read over the network; use a file");
        }
        return this;
    }

    /** Returns its file, which a reload reads again; null for what is not a file. */
    Path file() {
        return file;
    }

    InputStream open() throws IOException {
        return resource.getInputStream();
    }

    /** Reads all of it. */
    byte[] content() throws IOException {
        try (InputStream in = open()) {
            byte[] content = in.readNBytes(MOST_BYTES + 1);
            if (content.length > MOST_BYTES) {
                throw new IOException(text + " is larger than " + MOST_BYTES + " bytes");
            }
            return content;
        }
    }

    /** Returns the property and the text of the configuration, for messages. */
    @Override
    public String toString() {
        return text;
    }
}
