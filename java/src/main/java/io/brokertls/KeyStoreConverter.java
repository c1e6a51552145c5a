package io.brokertls;

import io.brokertls.internal.NativeConversion;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Converts a store of keys and certificates (PEM, DER, PKCS#12, JKS, JCEKS) to PKCS#12 or PEM, as the command
 * {@code brokertls convert} does. Used by one thread at a time. {@link #close()} wipes the passwords.
 *
 * <pre>{@code
 * try (KeyStoreConverter converter = new KeyStoreConverter()) {
 *     converter.password(oldPassword)
 *             .outPassword(newPassword)
 *             .convert(Path.of("broker.ks"), Path.of("broker.p12"));
 * }
 * }</pre>
 */
public final class KeyStoreConverter implements AutoCloseable {
    /** The most bytes that a char becomes in UTF-8. */
    private static final int BYTES_MAX = 3;

    private final List<String> options = new ArrayList<>();
    private final List<char[]> keyPasswords = new ArrayList<>();
    private char[] password;
    private char[] outPassword;
    private boolean isClosed;

    /** Makes a converter without settings. */
    public KeyStoreConverter() {
    }

    /** {@return the options of {@link #option} with what they do, in the order of the command's help} */
    public static Map<String, String> options() {
        String[] all = NativeConversion.options();
        Map<String, String> options = new LinkedHashMap<>();
        for (int index = 0; index < all.length; index += 2) {
            options.put(all[index], all[index + 1]);
        }
        return Collections.unmodifiableMap(options);
    }

    /**
     * Sets an option by its name, as the flag of the command. It is read when the store is converted. A password as an
     * option is {@code pass:TEXT}, {@code env:VARIABLE} or {@code file:PATH}, and stays in memory as text; the methods
     * for passwords leave none.
     *
     * @param name one of {@link #options()}, for example {@code to}, {@code part} or {@code alias}
     * @param value its value as a text
     * @return this converter
     * @throws IllegalStateException if the converter has been closed
     */
    public KeyStoreConverter option(String name, String value) {
        checkOpen();
        options.add(Objects.requireNonNull(name, "name"));
        options.add(Objects.requireNonNull(value, "value"));
        return this;
    }

    /**
     * Selects an entry; may be called for several. By default, every entry is written.
     *
     * @param alias the name of the entry
     * @return this converter
     * @throws IllegalStateException if the converter has been closed
     */
    public KeyStoreConverter alias(String alias) {
        return option("alias", Objects.requireNonNull(alias, "alias"));
    }

    /**
     * Sets the password of the input.
     *
     * @param password copied; null removes it
     * @return this converter
     * @throws IllegalStateException if the converter has been closed
     */
    public KeyStoreConverter password(char @Nullable [] password) {
        checkOpen();
        this.password = replaced(this.password, password);
        return this;
    }

    /**
     * Adds a password of keys in the input. For each key, the passwords are tried in their order, and then that of the
     * input.
     *
     * @param password copied; null removes them all
     * @return this converter
     * @throws IllegalStateException if the converter has been closed
     */
    public KeyStoreConverter keyPassword(char @Nullable [] password) {
        checkOpen();
        if (password == null) {
            keyPasswords.forEach(old -> Arrays.fill(old, '\0'));
            keyPasswords.clear();
        } else {
            keyPasswords.add(password.clone());
        }
        return this;
    }

    /**
     * Sets the password of the output.
     *
     * @param password copied; null removes it
     * @return this converter
     * @throws IllegalStateException if the converter has been closed
     */
    public KeyStoreConverter outPassword(char @Nullable [] password) {
        checkOpen();
        this.outPassword = replaced(this.outPassword, password);
        return this;
    }

    /**
     * Converts a file into a new file that only its owner can read. The file is written whole or not at all. Its format
     * is that of the option {@code to}, or else of the ending of its name.
     *
     * @param source the file to read; one of another file system, such as an archive, is read there
     * @param destination the file to make, a path of the default file system
     * @return the entries and the warnings; the content is empty
     * @throws UnsupportedOperationException if the destination is a path of another file system
     * @throws TlsFailure if an option, the input or a password is wrong, or the output is there already
     * @throws IllegalStateException if the converter has been closed
     */
    public Result convert(Path source, Path destination) throws TlsFailure {
        Objects.requireNonNull(source, "source");
        String to = ConfiguredSource.systemPath(destination, "destination");
        ConfiguredSource file = ConfiguredSource.of(source, null);
        return run(file.label(), file.content(), to);
    }

    /**
     * Converts bytes. The option {@code to} must be set.
     *
     * @param content the store, which is not changed
     * @param label the name of the content in messages
     * @return the new content, the entries and the warnings
     * @throws TlsFailure if an option, the content or a password is wrong
     * @throws IllegalStateException if the converter has been closed
     */
    public Result convert(byte[] content, String label) throws TlsFailure {
        return run(Objects.requireNonNull(label, "label"), Objects.requireNonNull(content, "content"), null);
    }

    /** Wipes the passwords. The converter cannot be used after it. May be called again. */
    @Override
    public void close() {
        isClosed = true;
        password = replaced(password, null);
        outPassword = replaced(outPassword, null);
        keyPasswords.forEach(old -> Arrays.fill(old, '\0'));
        keyPasswords.clear();
        options.clear();
    }

    private void checkOpen() {
        if (isClosed) {
            throw new IllegalStateException("the converter has been closed and its passwords are wiped; make another");
        }
    }

    private Result run(String source, @Nullable Object content, @Nullable String destination) throws TlsFailure {
        checkOpen();
        byte[][] passwords = new byte[keyPasswords.size() + 2][];
        try {
            passwords[0] = utf8(password);
            passwords[1] = utf8(outPassword);
            for (int index = 0; index < keyPasswords.size(); index++) {
                passwords[index + 2] = utf8(keyPasswords.get(index));
            }
            return new Result(new NativeConversion(options.toArray(new String[0]), passwords, source, content,
                    destination));
        } finally {
            for (byte[] copy : passwords) {
                wipe(copy);
            }
        }
    }

    private static char[] replaced(char[] old, char[] replacement) {
        if (old != null) {
            Arrays.fill(old, '\0');
        }
        return replacement == null ? null : replacement.clone();
    }

    private static byte[] utf8(char[] text) throws TlsFailure {
        if (text == null) {
            return null;
        }
        ByteBuffer encoded = ByteBuffer.allocate(text.length * BYTES_MAX);
        if (StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text), encoded, true).isError()) {
            wipe(encoded.array());
            throw TlsFailure.of(ErrorCode.INVALID_ARGUMENT, "a password has half of a character (a lone surrogate)");
        }
        encoded.flip();
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes);
        wipe(encoded.array());
        return bytes;
    }

    private static void wipe(byte[] bytes) {
        if (bytes != null) {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /** The result of a conversion. */
    public static final class Result {
        private final byte[] content;
        private final List<Entry> entries;
        private final List<String> warnings;

        private Result(NativeConversion read) {
            this.content = read.bytes();
            List<Entry> entries = new ArrayList<>();
            for (int left = read.number(); left > 0; left--) {
                entries.add(new Entry(read));
            }
            this.entries = Collections.unmodifiableList(entries);
            List<String> warnings = new ArrayList<>();
            for (int left = read.number(); left > 0; left--) {
                warnings.add(read.text());
            }
            this.warnings = Collections.unmodifiableList(warnings);
        }

        /** {@return the new content, not a copy; it can hold a private key} Empty if a file was written. */
        public byte[] content() {
            return content;
        }

        /** {@return the entries that were written} */
        public List<Entry> entries() {
            return entries;
        }

        /** {@return the entries that are not in the output, and other things to know} */
        public List<String> warnings() {
            return warnings;
        }
    }

    /** An entry that was written. */
    public static final class Entry {
        private final String alias;
        private final String kind;
        private final int certificates;
        private final String shown;

        private Entry(NativeConversion read) {
            this.alias = read.text();
            this.kind = read.text();
            this.certificates = read.number();
            this.shown = read.text();
        }

        /** {@return the name of the entry; empty for a certificate that is neither trusted nor named} */
        public Optional<String> alias() {
            return Optional.ofNullable(alias);
        }

        /** {@return {@code key}, {@code trusted} or {@code certificate}} */
        public String kind() {
            return kind;
        }

        /** {@return the number of certificates: of a key, the length of its chain} */
        public int certificates() {
            return certificates;
        }

        /** Returns the entry in one line, without control characters. */
        @Override
        public String toString() {
            return shown;
        }
    }
}
