package io.brokertls;

import io.brokertls.internal.NativeFile;
import io.brokertls.jsse.keys.Passwords;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A file or bytes that a builder has been given, with its password. */
final class ConfiguredSource {
    /** A {@code byte[]} or {@link NativeFile}; null for a path that the native library reads. */
    private final @Nullable Object content;
    private final String label;
    private final byte @Nullable [] password;
    private @Nullable String type;

    private ConfiguredSource(@Nullable Object content, String label, byte @Nullable [] password) {
        this.content = content;
        this.label = label;
        this.password = password;
    }

    /**
     * Makes a source of bytes.
     *
     * @param content copied
     * @param label its name in messages
     * @param password copied; may be null
     * @return the source
     */
    static ConfiguredSource of(byte[] content, String label, char @Nullable [] password) {
        Objects.requireNonNull(content, "content");
        Objects.requireNonNull(label, "label");
        return new ConfiguredSource(content.clone(), label, Passwords.utf8(password));
    }

    /**
     * Makes a source of a file, which its own file system reads.
     *
     * @param file the file
     * @param password copied; may be null
     * @return the source
     */
    static ConfiguredSource of(Path file, char @Nullable [] password) {
        byte[] secret = Passwords.utf8(password);
        return isOfTheSystem(file)
                ? new ConfiguredSource(null, file.toString(), secret)
                : new ConfiguredSource(reader(file), labelOf(file), secret);
    }

    /** Returns the address of a path, or its text if its file system has been closed and has no address any more. */
    private static String labelOf(Path file) {
        try {
            return file.toUri().toString();
        } catch (RuntimeException e) {
            return file.toString();
        }
    }

    /**
     * {@return true if native code can read the path}
     *
     * @param file the path
     */
    static boolean isOfTheSystem(Path file) {
        return file.getFileSystem() == FileSystems.getDefault();
    }

    /**
     * {@return the text of a path that native code reads by itself}
     *
     * @param file the path
     * @param parameter its name, for the exception
     * @throws UnsupportedOperationException if the path is one of another file system
     */
    static String systemPath(Path file, String parameter) {
        if (!isOfTheSystem(Objects.requireNonNull(file, parameter))) {
            throw new UnsupportedOperationException(parameter + " is a path of another file system, which native code"
                    + " cannot open: " + labelOf(file));
        }
        return file.toString();
    }

    private static NativeFile reader(Path file) {
        return limit -> {
            try {
                if (Files.isDirectory(file)) {
                    throw new IOException("a directory of another file system; name its files");
                }
                try (InputStream in = Files.newInputStream(file)) {
                    return in.readNBytes(limit == Integer.MAX_VALUE ? limit : limit + 1);
                }
            } catch (RuntimeException e) {
                // For example, the file system has been closed.
                throw new IOException(e.toString(), e);
            }
        };
    }

    /** {@return a {@code byte[]} or {@link NativeFile}; null for a path that the native library reads} */
    @Nullable Object content() {
        return content;
    }

    /** {@return the name of the source in messages; for a path that the native library reads, the path} */
    String label() {
        return label;
    }

    /** {@return the password in UTF-8, not a copy; may be null} */
    byte @Nullable [] password() {
        return password;
    }

    /** {@return the type of the store in lower case; null if its content decides} */
    @Nullable String type() {
        return type;
    }

    /**
     * Sets the type of the store.
     *
     * @param name in lower or upper case
     */
    void setType(String name) {
        type = name.toLowerCase(Locale.ROOT);
    }

    /** Wipes the password, and the content if it is in memory. */
    void wipe() {
        Passwords.wipe(password);
        if (content instanceof byte[]) {
            Passwords.wipe((byte[]) content);
        }
    }
}
