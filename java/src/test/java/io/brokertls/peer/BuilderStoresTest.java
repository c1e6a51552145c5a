package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The builder over real stores: every kind, by path and from memory, and what is said of those that cannot be used. */
class BuilderStoresTest {
    private static final char[] PASSWORD = Authority.PASSWORD;
    private static final char[] KEY_PASSWORD = "of the key".toCharArray();
    private static final char[] WRONG = "wrong".toCharArray();

    @TempDir
    static Path folder;

    private static Authority authority;

    @BeforeAll
    static void makeStores() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "rsa:2048");
        KeyStore one = authority.issue("one", "ec");
        KeyStore two = authority.issue("two", "rsa:2048");
        for (String type : new String[] {"JKS", "JCEKS", "PKCS12"}) {
            char[] keyPassword = type.equals("PKCS12") ? PASSWORD : KEY_PASSWORD;
            KeyStore store = KeyStore.getInstance(type);
            store.load(null, null);
            store.setKeyEntry("one", one.getKey("one", PASSWORD), keyPassword, one.getCertificateChain("one"));
            store.setKeyEntry("two", two.getKey("two", PASSWORD), keyPassword, two.getCertificateChain("two"));
            store.setCertificateEntry("ca", authority.certificate());
            write(store, type);
            KeyStore trust = KeyStore.getInstance(type);
            trust.load(null, null);
            trust.setCertificateEntry("ca", authority.certificate());
            write(trust, "trust-" + type);
        }
        authority.run("openssl", "pkcs8", "-topk8", "-in", "one.key", "-passout", "pass:of the key", "-out",
                "one-encrypted.key");
        for (String key : new String[] {"one", "one-encrypted"}) {
            Files.writeString(authority.file(key + "-both.pem"),
                    Files.readString(authority.file("one.pem")) + Files.readString(authority.file(key + ".key")));
        }
    }

    private static void write(KeyStore store, String name) throws Exception {
        try (OutputStream out = Files.newOutputStream(authority.file(name))) {
            store.store(out, PASSWORD);
        }
    }

    @ParameterizedTest
    @CsvSource({"JKS,one", "JKS,TWO", "JCEKS,one", "JCEKS,two", "PKCS12,one", "PKCS12,Two"})
    void aliasOfAKeystoreIsServedByPathAndFromMemory(String type, String alias) throws Exception {
        char[] keyPassword = type.equals("PKCS12") ? null : KEY_PASSWORD;
        assertServes(alias, builder -> builder.keyStore(authority.file(type), PASSWORD).keyPassword(keyPassword)
                .keyAlias(alias).trustStore(authority.file("trust-" + type), PASSWORD));
        assertServes(alias, builder -> builder.keyStore(read(type), "memory", PASSWORD).keyPassword(keyPassword)
                .keyAlias(alias).keyStoreType(type).trustStore(read("trust-" + type), "trust", PASSWORD)
                .trustStoreType(type));
    }

    @Test
    void pemIsServedWithItsKeyBesideItOrInIt() throws Exception {
        Consumer<BrokerTlsContextBuilder> trust = builder -> builder.trustCertificates(authority.file("ca.pem"));
        assertServes("one", trust.andThen(builder ->
                builder.certificate(authority.file("one.pem")).privateKey(authority.file("one.key"))));
        assertServes("one", trust.andThen(builder -> builder.certificate(authority.file("one-both.pem"))));
        assertServes("one", builder -> builder.certificate(read("one.pem"), "chain").privateKey(read("one.key"), "key")
                .trustCertificates(read("ca.pem"), "ca"));
    }

    @Test
    void encryptedPemIsServedWithItsPassword() throws Exception {
        Consumer<BrokerTlsContextBuilder> trust = builder -> builder.trustCertificates(authority.file("ca.pem"));
        assertServes("one", trust.andThen(builder -> builder.certificate(authority.file("one.pem"))
                .privateKey(authority.file("one-encrypted.key")).keyPassword(KEY_PASSWORD)));
        assertServes("one", trust.andThen(builder ->
                builder.keyStore(authority.file("one-encrypted-both.pem"), KEY_PASSWORD)));
        assertServes("one", trust.andThen(builder ->
                builder.certificate(read("one.pem"), "chain").privateKey(read("one-encrypted.key"), "key")
                        .keyPassword(KEY_PASSWORD)));
    }

    @Test
    void passwordsThatAreNotGivenComeFromTheirSourceAndAgainAtAReload() throws Exception {
        List<String> asked = new ArrayList<>();
        List<char[]> given = new ArrayList<>();
        BrokerTlsContext.PasswordSource source = (label, alias) -> {
            asked.add(Path.of(label).getFileName() + " " + alias);
            given.add((alias == null ? PASSWORD : KEY_PASSWORD).clone());
            return given.get(given.size() - 1);
        };
        try (BrokerTlsContext server = BrokerTlsContext.builder().keyStore(authority.file("JKS"), null).keyAlias("one")
                .passwords(source).trustStore(authority.file("trust-JKS"), PASSWORD).build()) {
            List<String> once = List.of("JKS null", "JKS one");
            assertEquals(once, asked);
            assertEquals("CN=one", shown(server, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
            asked.clear();
            server.reload();
            assertEquals(once, asked);
        }
        for (char[] password : given) {
            assertArrayEquals(new char[password.length], password, "the source's answer is wiped");
        }
    }

    @Test
    void sourceThatGivesNoPasswordAWrongOneOrThrowsFailsTheBuild() {
        assertCode(ErrorCode.PASSWORD_UNAVAILABLE,
                builder -> builder.passwords((label, alias) -> null).keyStore(authority.file("JKS"), null));
        assertCode(ErrorCode.STORE_PASSWORD_WRONG,
                builder -> builder.passwords((label, alias) -> WRONG.clone()).keyStore(authority.file("JKS"), null));
        assertCode(ErrorCode.PASSWORD_UNAVAILABLE, builder -> builder.passwords((label, alias) -> {
            throw new IllegalStateException("the vault is closed");
        }).keyStore(authority.file("PKCS12"), null));
    }

    @Test
    void twoKeystoresAreTwoIdentities() throws Exception {
        try (BrokerTlsContext server = BrokerTlsContext.builder()
                .certificate(authority.file("one.pem")).privateKey(authority.file("one.key"))
                .keyStore(authority.file("PKCS12"), PASSWORD).keyAlias("two").build()) {
            assertEquals("CN=one", shown(server, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
            assertEquals("CN=two", shown(server, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"JKS", "JCEKS", "PKCS12"})
    void wrongPasswordsAndAliasesHaveTheirOwnCodes(String type) {
        char[] keyPassword = type.equals("PKCS12") ? PASSWORD : KEY_PASSWORD;
        assertCode(ErrorCode.STORE_PASSWORD_WRONG, builder -> builder.keyStore(authority.file(type), WRONG));
        assertCode(ErrorCode.STORE_PASSWORD_WRONG,
                builder -> builder.trustStore(authority.file("trust-" + type), WRONG));
        if (!type.equals("PKCS12")) {
            assertCode(ErrorCode.KEY_PASSWORD_WRONG, builder ->
                    builder.keyStore(authority.file(type), PASSWORD).keyPassword(WRONG));
        }
        TlsFailure missing = assertCode(ErrorCode.ALIAS_NOT_FOUND, builder -> builder
                .keyStore(authority.file(type), PASSWORD).keyPassword(keyPassword).keyAlias("three"));
        assertTrue(missing.getMessage().contains("one") && missing.getMessage().contains("two"), missing.getMessage());
        assertCode(ErrorCode.NO_PRIVATE_KEY, builder -> builder
                .keyStore(authority.file(type), PASSWORD).keyPassword(keyPassword).keyAlias("ca"));
    }

    @Test
    void pemThatCannotBeUsedFailsWithTheReason() {
        assertCode(ErrorCode.KEY_PASSWORD_MISSING, builder -> builder.certificate(authority.file("one.pem"))
                .privateKey(authority.file("one-encrypted.key")));
        assertCode(ErrorCode.KEY_PASSWORD_WRONG, builder -> builder.certificate(authority.file("one.pem"))
                .privateKey(authority.file("one-encrypted.key")).keyPassword(WRONG));
        assertCode(ErrorCode.KEY_MISMATCH, builder -> builder.certificate(authority.file("one.pem"))
                .privateKey(authority.file("two.key")));
        assertCode(ErrorCode.NO_PRIVATE_KEY, builder -> builder.certificate(authority.file("one.pem")));
        assertCode(ErrorCode.STORE_PASSWORD_MISSING, builder -> builder.keyStore(authority.file("PKCS12"), null));
        assertCode(ErrorCode.STORE_TYPE_MISMATCH, builder -> builder
                .keyStore(authority.file("PKCS12"), PASSWORD).keyStoreType("PEM"));
        assertCode(ErrorCode.FILE_UNREADABLE, builder -> builder.certificate(authority.file("nowhere.pem")));
        byte[] noise = new byte[2000];
        Arrays.fill(noise, (byte) 0x7f);
        assertCode(ErrorCode.STORE_FORMAT_UNKNOWN, builder -> builder.keyStore(noise, "noise", PASSWORD));
    }

    @Test
    void limitsOfTheOptionsHoldForStoresOfTheBuilder() {
        assertCode(ErrorCode.COST_TOO_HIGH, builder -> builder.keyStore(authority.file("PKCS12"), PASSWORD)
                .option("max-kdf-iterations", "10"));
        assertCode(ErrorCode.STORE_TOO_LARGE, builder -> builder.trustStore(read("ca.pem"), "ca", null)
                .option("max-content-bytes", "10"));
    }

    @Test
    void passwordsOfTheCallerStayAndTheCopiesAreWiped() throws Exception {
        char[] own = PASSWORD.clone();
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder().keyStore(authority.file("PKCS12"), own)
                .keyPassword(own).keyAlias("one").trustStore(authority.file("trust-PKCS12"), own);
        assertArrayEquals(PASSWORD, own);
        // A copy was taken: the caller may wipe its own at once.
        Arrays.fill(own, '\0');
        builder.build().close();
        assertWiped(builder);
        assertThrows(IllegalStateException.class, builder::build);
    }

    @Test
    void copiesAreWipedIfBuildingFails() throws Exception {
        BrokerTlsContextBuilder wrong = BrokerTlsContext.builder().keyStore(read("PKCS12"), "memory", WRONG);
        assertThrows(TlsFailure.class, wrong::build);
        assertWiped(wrong);
        BrokerTlsContextBuilder conflict = BrokerTlsContext.builder().trustStore(authority.file("JKS"), PASSWORD)
                .keyPassword(PASSWORD);
        assertThrows(TlsFailure.class, conflict::build);
        assertWiped(conflict);
    }

    /** Looks for bytes other than 0 in all that a builder holds. */
    private static void assertWiped(Object holder) throws IllegalAccessException {
        for (Field field : holder.getClass().getDeclaredFields()) {
            if (!field.getType().isPrimitive() && !Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                assertValueWiped(field.getName(), field.get(holder));
            }
        }
    }

    private static void assertValueWiped(String name, Object value) throws IllegalAccessException {
        if (value instanceof byte[]) {
            assertArrayEquals(new byte[((byte[]) value).length], (byte[]) value, name);
        } else if (value instanceof Collection) {
            for (Object each : (Collection<?>) value) {
                assertValueWiped(name, each);
            }
        } else if (value != null && value.getClass().getName().startsWith("io.brokertls.")) {
            assertWiped(value);
        }
    }

    private static TlsFailure assertCode(ErrorCode code, Consumer<BrokerTlsContextBuilder> set) {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        set.accept(builder);
        TlsFailure thrown = assertThrows(TlsFailure.class, builder::build);
        assertEquals(code, thrown.code(), thrown.getMessage());
        return thrown;
    }

    /** Both roles of one context: each shows this certificate and trusts the other's. */
    private static void assertServes(String alias, Consumer<BrokerTlsContextBuilder> set) throws Exception {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder().clientAuth(BrokerTlsContext.ClientAuth.NEED);
        set.accept(builder);
        try (BrokerTlsContext both = builder.build()) {
            EnginePair pair = pair(both, both.newEngine(Pki.HOST, 8883));
            pair.handshake();
            String name = "CN=" + alias.toLowerCase(Locale.ROOT);
            assertEquals(name, pair.client.engine.getSession().getPeerPrincipal().getName());
            assertEquals(name, pair.server.engine.getSession().getPeerPrincipal().getName());
        }
    }

    private static String shown(BrokerTlsContext server, String suite) throws Exception {
        try (BrokerTlsContext client = BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem")).build()) {
            SSLEngine engine = client.newEngine(Pki.HOST, 8883);
            engine.setEnabledCipherSuites(new String[] {suite});
            EnginePair pair = pair(server, engine);
            pair.handshake();
            return pair.client.engine.getSession().getPeerPrincipal().getName();
        }
    }

    private static EnginePair pair(BrokerTlsContext server, SSLEngine client) {
        client.setUseClientMode(true);
        SSLEngine serverEngine = server.newEngine();
        serverEngine.setUseClientMode(false);
        return new EnginePair(client, serverEngine);
    }

    private static byte[] read(String name) {
        try {
            return Files.readAllBytes(authority.file(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
