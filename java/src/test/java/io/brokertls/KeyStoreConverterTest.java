package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversion of stores, read back by the JDK's own KeyStore. */
class KeyStoreConverterTest {
    private static final char[] OLD = "old-password".toCharArray();
    private static final char[] KEY = "key-password".toCharArray();
    private static final char[] NEW = "new-password".toCharArray();
    private static final int SECONDS_MAX = 60;
    private static final int OPTIONS_LEAST = 10;

    @TempDir
    static Path folder;

    /** A JKS with two keys under a password of their own, and a trusted certificate. */
    @BeforeAll
    static void make() throws Exception {
        for (String name : List.of("one", "two")) {
            keytool("-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name, "-storetype", "JKS",
                    "-keypass", new String(KEY));
        }
        keytool("-exportcert", "-alias", "one", "-file", "one.cer");
        keytool("-importcert", "-noprompt", "-alias", "trusted", "-file", "one.cer");
    }

    @Test
    void storeOfJavaBecomesPkcs12WithTheSameEntries() throws Exception {
        Path out = folder.resolve("same.p12");
        KeyStoreConverter.Result result = converter().outPassword(NEW).convert(folder.resolve("old.jks"), out);
        assertTrue(result.warnings().isEmpty(), () -> result.warnings().toString());
        assertEquals(0, result.content().length);
        assertEquals(List.of("key", "key", "trusted"), kinds(result));
        assertEquals(PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(out));
        KeyStore before = opened("JKS", folder.resolve("old.jks"), OLD);
        KeyStore after = opened("PKCS12", out, NEW);
        assertEquals(Collections.list(before.aliases()).size(), Collections.list(after.aliases()).size());
        for (String alias : Collections.list(before.aliases())) {
            assertEquals(before.isKeyEntry(alias), after.isKeyEntry(alias), alias);
            assertEquals(before.getCertificate(alias), after.getCertificate(alias), alias);
            if (before.isKeyEntry(alias)) {
                assertEquals(before.getKey(alias, KEY), after.getKey(alias, NEW), alias);
                assertArrayEquals(before.getCertificateChain(alias), after.getCertificateChain(alias), alias);
            }
        }
    }

    @Test
    void bytesBecomePemInMemory() throws Exception {
        byte[] store = Files.readAllBytes(folder.resolve("old.jks"));
        KeyStoreConverter.Result result = converter().alias("two").option("to", "pem").convert(store, "upload");
        String text = new String(result.content(), StandardCharsets.US_ASCII);
        assertTrue(text.startsWith("-----BEGIN PRIVATE KEY-----\n"), text);
        assertEquals(List.of("the private key in the output is not encrypted"), result.warnings());
        assertEquals("two", result.entries().get(0).alias().orElseThrow());
        assertEquals(1, result.entries().get(0).certificates());
        assertTrue(result.entries().get(0).toString().startsWith("\"two\" private key"), result.entries().toString());
    }

    @Test
    void refusalsHaveTheirCodeAndWriteNothing() throws Exception {
        Path out = folder.resolve("refused.p12");
        Path store = folder.resolve("old.jks");
        assertRefused(ErrorCode.STORE_PASSWORD_MISSING, () -> converter().convert(store, out));
        assertRefused(ErrorCode.STORE_PASSWORD_WRONG, () -> converter().outPassword(NEW).password(NEW).convert(store, out));
        assertRefused(ErrorCode.KEY_PASSWORD_WRONG,
                () -> converter().outPassword(NEW).keyPassword(null).convert(store, out));
        assertRefused(ErrorCode.ALIAS_NOT_FOUND, () -> converter().outPassword(NEW).alias("three").convert(store, out));
        assertRefused(ErrorCode.UNKNOWN_OPTION, () -> converter().option("alia", "one").convert(store, out));
        assertRefused(ErrorCode.INVALID_ARGUMENT, () -> converter().convert(new byte[1], "upload"));
        assertFalse(Files.exists(out));
        Files.writeString(out, "before");
        assertRefused(ErrorCode.FILE_UNWRITABLE, () -> converter().outPassword(NEW).convert(store, out));
        assertEquals("before", Files.readString(out));
        assertThrows(NullPointerException.class, () -> new KeyStoreConverter().option(null, "x"));
        assertThrows(NullPointerException.class, () -> new KeyStoreConverter().convert(null, "x"));
    }

    @Test
    void destinationOnAnotherFileSystemIsRefused() throws Exception {
        Path store = folder.resolve("old.jks");
        URI zip = URI.create("jar:" + folder.resolve("a.zip").toUri());
        try (FileSystem other = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
            Path out = other.getPath(folder.resolve("elsewhere.p12").toString());
            KeyStoreConverter converter = converter().outPassword(NEW);
            assertThrows(UnsupportedOperationException.class, () -> converter.convert(store, out));
        }
        assertFalse(Files.exists(folder.resolve("elsewhere.p12")));
    }

    @Test
    void passwordWithHalfOfACharacterIsRefused() {
        Path out = folder.resolve("half.p12");
        for (String half : List.of("pass\ud83d", "\udd11pass", "pa\ud83dss")) {
            assertRefused(ErrorCode.INVALID_ARGUMENT,
                    () -> converter().outPassword(half.toCharArray()).convert(folder.resolve("old.jks"), out));
        }
        assertFalse(Files.exists(out));
    }

    @Test
    void optionsAreThoseOfTheCommand() {
        Map<String, String> options = KeyStoreConverter.options();
        assertTrue(options.size() > OPTIONS_LEAST && options.get("to").startsWith("pem or pkcs12"), options.toString());
    }

    @Test
    void keysWithDifferentPasswordsAreOpenedWithThePasswordsInTurn() throws Exception {
        byte[] store = Files.readAllBytes(folder.resolve("old.jks"));
        char[] wrong = "wrong".toCharArray();
        try (KeyStoreConverter converter = new KeyStoreConverter().password(OLD).keyPassword(wrong).keyPassword(KEY)) {
            converter.outPassword(NEW).option("to", "pkcs12");
            assertEquals(List.of("key", "key", "trusted"), kinds(converter.convert(store, "upload")));
            converter.keyPassword(null).keyPassword(wrong);
            assertRefused(ErrorCode.KEY_PASSWORD_WRONG, () -> converter.convert(store, "upload"));
        }
    }

    @Test
    void settingsWithoutEffectAreRefused() throws Exception {
        byte[] store = Files.readAllBytes(folder.resolve("old.jks"));
        for (String[] setting : new String[][] {{"name", "x"}, {"iterations", "2000"}, {"force", "yes"}}) {
            assertRefused(ErrorCode.OPTION_CONFLICT, () -> converter().alias("two").option("to", "pem")
                    .option(setting[0], setting[1]).convert(store, "upload"));
        }
        assertRefused(ErrorCode.OPTION_CONFLICT, () -> new KeyStoreConverter().password(OLD).option("to", "pem")
                .option("part", "trust").outPassword(NEW).convert(store, "upload"));
        for (String form : List.of("stdin", "fd:3")) {
            assertRefused(ErrorCode.INVALID_ARGUMENT, () -> converter().option("to", "pem")
                    .option("out-password", form).convert(store, "upload"));
        }
    }

    @Test
    void closedConverterHasNoPasswordsAndIsNotUsed() throws Exception {
        char[] secret = OLD.clone();
        KeyStoreConverter converter = new KeyStoreConverter().password(secret).keyPassword(KEY).outPassword(NEW);
        assertArrayEquals(OLD, secret);
        List<char[]> kept = copiesIn(converter);
        assertEquals(3, kept.size());
        converter.close();
        converter.close();
        for (char[] copy : kept) {
            assertArrayEquals(new char[copy.length], copy);
        }
        assertTrue(copiesIn(converter).isEmpty());
        assertThrows(IllegalStateException.class, () -> converter.password(OLD));
        assertThrows(IllegalStateException.class, () -> converter.keyPassword(OLD));
        assertThrows(IllegalStateException.class, () -> converter.outPassword(OLD));
        assertThrows(IllegalStateException.class, () -> converter.option("to", "pem"));
        assertThrows(IllegalStateException.class, () -> converter.convert(new byte[1], "upload"));
    }

    /** The arrays of characters that a converter keeps. */
    private static List<char[]> copiesIn(KeyStoreConverter converter) throws IllegalAccessException {
        List<char[]> copies = new ArrayList<>();
        for (Field field : KeyStoreConverter.class.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                continue;
            }
            field.setAccessible(true);
            Object value = field.get(converter);
            for (Object element : value instanceof List ? (List<?>) value : Collections.singletonList(value)) {
                if (element instanceof char[]) {
                    copies.add((char[]) element);
                }
            }
        }
        return copies;
    }

    private interface Attempt {
        void run() throws TlsFailure;
    }

    private static void assertRefused(ErrorCode code, Attempt attempt) {
        assertEquals(code, assertThrows(TlsFailure.class, attempt::run).code());
    }

    private static KeyStoreConverter converter() {
        return new KeyStoreConverter().password(OLD).keyPassword(KEY);
    }

    private static List<String> kinds(KeyStoreConverter.Result result) {
        String[] kinds = result.entries().stream().map(KeyStoreConverter.Entry::kind).toArray(String[]::new);
        Arrays.sort(kinds);
        return List.of(kinds);
    }

    private static KeyStore opened(String type, Path file, char[] password) throws Exception {
        KeyStore store = KeyStore.getInstance(type);
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, password);
        }
        return store;
    }

    private static void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("keytool", "-J-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", "old.jks", "-storepass", new String(OLD)));
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile()).start();
        process.getOutputStream().close();
        assertTrue(process.waitFor(SECONDS_MAX, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), () -> String.join(" ", command));
    }
}
