package io.brokertls.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/**
 * Unpacks a library into a new directory that only this user can enter, and deletes it when it is loaded. A JVM that is
 * killed in between leaves its directory; later ones of the same user delete it when it is a day old.
 */
final class NativeUnpacking {
    /** The property with the directory to unpack into, in place of the temporary directory. */
    static final String DIRECTORY_PROPERTY = "brokertls.native.workdir";

    private static final String PREFIX = "brokertls-";
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");
    private static final Duration LEFT_AFTER = Duration.ofDays(1);
    /** A directory with more entries is not searched to its end. */
    private static final int ENTRIES_MAX = 10_000;

    private NativeUnpacking() {}

    /** Loads an unpacked file, which is deleted afterwards. */
    @FunctionalInterface
    interface Loading<E extends Exception> {
        void load(Path file) throws E;
    }

    /** Returns the directory to unpack into as an absolute path, as the loader of the system wants it. */
    static Path workDirectory() {
        String named = System.getProperty(DIRECTORY_PROPERTY, System.getProperty("java.io.tmpdir"));
        return Paths.get(named).toAbsolutePath();
    }

    /**
     * Unpacks the content into a file with this name, and loads it.
     *
     * @throws IOException if the work directory cannot take it
     */
    static <E extends Exception> void unpack(InputStream content, String name, Loading<E> loading)
            throws IOException, E {
        FileAttribute<?> ownerOnly = PosixFilePermissions.asFileAttribute(OWNER_ONLY);
        Path work = workDirectory();
        Path directory = Files.createTempDirectory(work, PREFIX, ownerOnly);
        try {
            deleteLeftovers(work, Files.getOwner(directory), Instant.now().minus(LEFT_AFTER));
            Path file = directory.resolve(name);
            Files.copy(content, file);
            loading.load(file);
        } finally {
            // The mapped library does not need its file.
            delete(directory);
        }
    }

    /** Deletes the directories that killed JVMs of this user left before the given time. */
    private static void deleteLeftovers(Path work, UserPrincipal user, Instant before) {
        int left = ENTRIES_MAX;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(work)) {
            for (Path entry : entries) {
                if (left-- == 0) {
                    return;
                }
                if (isLeftover(entry, user, before)) {
                    delete(entry);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // The directory can be one that is not to be listed. What is left there harms nothing.
        }
    }

    private static boolean isLeftover(Path entry, UserPrincipal user, Instant before) throws IOException {
        String name = entry.getFileName().toString();
        if (!name.matches(PREFIX + "[0-9]+")) {
            return false;
        }
        PosixFileAttributes found;
        try {
            found = Files.readAttributes(entry, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return false;
        }
        return found.isDirectory() && found.owner().equals(user) && found.permissions().equals(OWNER_ONLY)
                && found.lastModifiedTime().toInstant().isBefore(before);
    }

    /**
     * Deletes the libraries in a directory, and then the directory. Never follows a link, and ignores every failure:
     * the file systems of networks keep a mapped file under another name.
     */
    private static void delete(Path directory) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            if (entries instanceof SecureDirectoryStream && isOwn((SecureDirectoryStream<Path>) entries, directory)) {
                for (String library : List.of(NativeLoader.FILE, NativeLoader.LEGACY_FILE)) {
                    deleteFile((SecureDirectoryStream<Path>) entries, library);
                }
            }
            Files.deleteIfExists(directory);
        } catch (IOException | DirectoryIteratorException e) {
            // Nothing else can be done about it.
        }
    }

    /** Returns true if the open directory, and not only its name, belongs to the owner of a leftover. */
    private static boolean isOwn(SecureDirectoryStream<Path> open, Path directory) throws IOException {
        PosixFileAttributes found = open.getFileAttributeView(PosixFileAttributeView.class).readAttributes();
        PosixFileAttributes named =
                Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return named.isDirectory() && found.permissions().equals(OWNER_ONLY)
                && found.fileKey().equals(named.fileKey());
    }

    private static void deleteFile(SecureDirectoryStream<Path> directory, String name) throws IOException {
        try {
            directory.deleteFile(Paths.get(name));
        } catch (NoSuchFileException e) {
            // The JVM was killed before it was written.
        }
    }
}
