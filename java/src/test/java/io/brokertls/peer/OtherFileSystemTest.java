package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContext.ClientAuth;
import io.brokertls.BrokerTlsContextBuilder;
import io.brokertls.ErrorCode;
import io.brokertls.KeyStoreConverter;
import io.brokertls.TlsFailure;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Paths of an archive: each setting reads them there, and not the file of the same name on the system, which here is
 * always one of another authority.
 */
class OtherFileSystemTest {
    private static final char[] PASSWORD = Authority.PASSWORD;

    @TempDir
    static Path shared;

    private static Authority authority;
    private static Authority stranger;

    @TempDir
    private Path folder;
    private FileSystem archive;

    @BeforeAll
    static void makeFiles() throws Exception {
        authority = authority("own");
        stranger = authority("strange");
    }

    private static Authority authority(String name) throws Exception {
        Authority made = new Authority(Files.createDirectory(shared.resolve(name)), "ec");
        for (String identity : new String[] {"server", "client", "revoked"}) {
            made.issue(identity, "ec");
        }
        try (OutputStream out = Files.newOutputStream(made.file("trust.p12"))) {
            made.trust().store(out, PASSWORD);
        }
        made.revoke("revoked");
        made.enter("server");
        made.enter("client");
        made.staple("client");
        made.staple("revoked");
        return made;
    }

    @BeforeEach
    void openArchive() throws IOException {
        URI place = URI.create("jar:" + folder.resolve("files.zip").toUri());
        archive = FileSystems.newFileSystem(place, Map.of("create", "true"));
        Files.createDirectories(archive.getPath(folder.toString()));
    }

    @AfterEach
    void closeArchive() throws IOException {
        archive.close();
    }

    /** Returns the path of a file of the authority in the archive. The system has that of the stranger there. */
    private Path archived(String name) {
        Path inside = archive.getPath(folder.resolve(name).toString());
        try {
            Files.copy(authority.file(name), inside, StandardCopyOption.REPLACE_EXISTING);
            Files.copy(stranger.file(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return inside;
    }

    private static BrokerTlsContext server(Authority issuer) throws TlsFailure {
        return BrokerTlsContext.builder().keyStore(issuer.file("server.p12"), PASSWORD).build();
    }

    private static BrokerTlsContext client(Authority trusted, String identity) throws TlsFailure {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder().trustCertificates(trusted.file("ca.pem"));
        return identity == null ? builder.build() : builder.keyStore(trusted.file(identity + ".p12"), PASSWORD).build();
    }

    private static EnginePair pair(BrokerTlsContext client, BrokerTlsContext server) {
        EnginePair pair = new EnginePair(client.newEngine(Pki.HOST, 8883), server.newEngine());
        pair.client.engine.setUseClientMode(true);
        pair.server.engine.setUseClientMode(false);
        return pair;
    }

    private static void assertRefused(ErrorCode code, EnginePair pair, boolean byServer) throws Exception {
        pair.begin().settle();
        Throwable failure = byServer ? pair.server.failure : pair.client.failure;
        assertEquals(code, ((TlsFailure) failure.getCause()).code());
    }

    private static void assertTrustsTheOwnAuthorityAlone(BrokerTlsContextBuilder builder) throws Exception {
        BrokerTlsContext client = builder.build();
        pair(client, server(authority)).handshake();
        assertRefused(ErrorCode.CERT_SIGNATURE_INVALID, pair(client, server(stranger)), false);
    }

    @Test
    void trustIsReadFromTheArchive() throws Exception {
        assertTrustsTheOwnAuthorityAlone(BrokerTlsContext.builder().trustCertificates(archived("ca.pem")));
        assertTrustsTheOwnAuthorityAlone(BrokerTlsContext.builder().trustStore(archived("trust.p12"), PASSWORD));
    }

    @Test
    void identityIsReadFromTheArchive() throws Exception {
        BrokerTlsContext store = BrokerTlsContext.builder().keyStore(archived("server.p12"), PASSWORD).build();
        pair(client(authority, null), store).handshake();
        BrokerTlsContext pem = BrokerTlsContext.builder().certificate(archived("server.pem"))
                .privateKey(archived("server.key")).build();
        pair(client(authority, null), pem).handshake();
    }

    @Test
    void revocationDataIsReadFromTheArchive() throws Exception {
        BrokerTlsContext lists = BrokerTlsContext.builder().keyStore(authority.file("server.p12"), PASSWORD)
                .trustCertificates(authority.file("ca.pem")).clientAuth(ClientAuth.NEED).crl(archived("ca.crl")).build();
        pair(client(authority, "client"), lists).handshake();
        assertRefused(ErrorCode.CERT_REVOKED, pair(client(authority, "revoked"), lists), true);
        assertTrue(lists.revocationSources().get(0).place().startsWith("jar:file:///"), lists.revocationSources()
                .toString());
        BrokerTlsContext responses = BrokerTlsContext.builder().keyStore(authority.file("server.p12"), PASSWORD)
                .trustCertificates(authority.file("ca.pem")).clientAuth(ClientAuth.NEED)
                .ocspResponse(archived("client.staple"), archived("revoked.staple")).build();
        pair(client(authority, "client"), responses).handshake();
        assertRefused(ErrorCode.CERT_REVOKED, pair(client(authority, "revoked"), responses), true);
    }

    @Test
    void preSharedKeysAreReadFromTheArchive() throws Exception {
        Path keys = archive.getPath("init.psk");
        Files.writeString(keys, "no keys");
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder().legacyEngine(true).pskFile(keys);
        TlsFailure malformed = assertThrows(TlsFailure.class, builder::build);
        assertEquals(ErrorCode.PSK_MALFORMED, malformed.code());
        assertTrue(malformed.getMessage().contains("files.zip!/init.psk"), malformed.getMessage());
        Files.writeString(keys, "device:00ff\n");
        BrokerTlsContext.builder().legacyEngine(true).pskFile(keys).build().close();
    }

    @Test
    void reloadReadsTheArchiveAgainAndKeepsItsConfigurationIfItIsClosed() throws Exception {
        Path trust = archived("ca.pem");
        BrokerTlsContext client = BrokerTlsContext.builder().trustCertificates(trust).option("resumption", "no").build();
        Files.copy(stranger.file("ca.pem"), trust, StandardCopyOption.REPLACE_EXISTING);
        pair(client, server(authority)).handshake();
        client.reload();
        pair(client, server(stranger)).handshake();
        assertRefused(ErrorCode.CERT_SIGNATURE_INVALID, pair(client, server(authority)), false);
        Files.delete(trust);
        TlsFailure missing = assertThrows(TlsFailure.class, client::reload);
        assertEquals(ErrorCode.FILE_UNREADABLE, missing.code());
        archive.close();
        TlsFailure closed = assertThrows(TlsFailure.class, client::reload);
        assertEquals(ErrorCode.FILE_UNREADABLE, closed.code());
        assertTrue(closed.getMessage().contains("files.zip!") && closed.getMessage().contains("ca.pem: ")
                && closed.getMessage().contains("ClosedFileSystemException"), closed.getMessage());
        pair(client, server(stranger)).handshake();
    }

    @Test
    void directoryOfAnArchiveIsRefusedByItsName() throws Exception {
        Path directory = Files.createDirectory(archive.getPath("anchors"));
        for (BrokerTlsContextBuilder builder : new BrokerTlsContextBuilder[] {
                BrokerTlsContext.builder().trustCertificates(directory),
                BrokerTlsContext.builder().trustCertificates(authority.file("ca.pem")).crl(directory),
                BrokerTlsContext.builder().certificate(directory)}) {
            TlsFailure refused = assertThrows(TlsFailure.class, builder::build);
            assertEquals(ErrorCode.FILE_UNREADABLE, refused.code());
            assertTrue(refused.getMessage().contains("files.zip!/anchors")
                    && refused.getMessage().contains("a directory of another file system; name its files"),
                    refused.getMessage());
        }
    }

    @Test
    void fileOfMoreThanTheLimitIsRefusedAndNotReadWhole() throws Exception {
        Path large = archive.getPath("large.pem");
        Files.write(large, new byte[100]);
        TlsFailure refused = assertThrows(TlsFailure.class, () -> BrokerTlsContext.builder()
                .option("max-content-bytes", "99").trustCertificates(large).build());
        assertEquals(ErrorCode.STORE_TOO_LARGE, refused.code());
    }

    @Test
    void libraryInAnArchiveIsRefusedByTheNameOfTheParameter() {
        Path library = archive.getPath("libbrokertls_legacy.so");
        UnsupportedOperationException refused = assertThrows(UnsupportedOperationException.class,
                () -> BrokerTlsContext.builder().legacyLibrary(library));
        assertTrue(refused.getMessage().startsWith("file is a path of another file system"), refused.getMessage());
    }

    @Test
    void converterReadsAnArchiveAndRefusesToWriteOne() throws Exception {
        Path out = folder.resolve("out.p12");
        new KeyStoreConverter().password(PASSWORD).outPassword(PASSWORD).convert(archived("server.p12"), out);
        KeyStore written = KeyStore.getInstance(out.toFile(), PASSWORD);
        assertEquals(KeyStore.getInstance(authority.file("server.p12").toFile(), PASSWORD).getCertificate("server"),
                written.getCertificate("server"));
        TlsFailure missing = assertThrows(TlsFailure.class, () -> new KeyStoreConverter().outPassword(PASSWORD)
                .convert(archive.getPath("none.p12"), folder.resolve("none.p12")));
        assertEquals(ErrorCode.FILE_UNREADABLE, missing.code());
        TlsFailure large = assertThrows(TlsFailure.class, () -> new KeyStoreConverter().password(PASSWORD)
                .outPassword(PASSWORD).option("max-content-bytes", "99")
                .convert(archived("server.p12"), folder.resolve("large.p12")));
        assertEquals(ErrorCode.STORE_TOO_LARGE, large.code());
        UnsupportedOperationException refused = assertThrows(UnsupportedOperationException.class,
                () -> new KeyStoreConverter().convert(authority.file("server.p12"), archive.getPath("out.p12")));
        assertTrue(refused.getMessage().startsWith("destination is a path of another file system"),
                refused.getMessage());
    }

    @Test
    void pathThatHasNoAddressAnyMoreIsAFileThatCannotBeRead() {
        Path inside = archived("server.p12");
        // Paths of some file systems cannot tell their address once that is closed.
        Path closed = (Path) Proxy.newProxyInstance(Path.class.getClassLoader(), new Class<?>[] {Path.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("toUri")) {
                        throw new ClosedFileSystemException();
                    }
                    return method.invoke(inside, arguments);
                });
        TlsFailure ofKeys = assertThrows(TlsFailure.class,
                () -> BrokerTlsContext.builder().keyStore(closed, PASSWORD).build());
        TlsFailure ofConverter = assertThrows(TlsFailure.class,
                () -> new KeyStoreConverter().outPassword(PASSWORD).convert(closed, folder.resolve("none.p12")));
        for (TlsFailure refused : new TlsFailure[] {ofKeys, ofConverter}) {
            assertEquals(ErrorCode.FILE_UNREADABLE, refused.code());
            assertTrue(refused.getMessage().contains(inside.toString()), refused.getMessage());
        }
    }
}
