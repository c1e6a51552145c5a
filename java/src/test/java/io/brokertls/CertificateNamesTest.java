package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.CertificateNames.Kind;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names of certificates as programs take them for users. */
class CertificateNamesTest {
    private static final Path CASES = Path.of("../tests/fixtures/cases");

    @TempDir
    Path folder;

    private static X509Certificate read(Path file) throws Exception {
        try (InputStream in = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static CertificateNames names(String file) throws Exception {
        return CertificateNames.of(read(CASES.resolve(file)));
    }

    private X509Certificate made(String... options) throws Exception {
        Path file = folder.resolve("made.pem");
        List<String> command = new java.util.ArrayList<>(List.of("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder.resolve("key").toString(), "-days", "2", "-out",
                file.toString()));
        command.addAll(List.of(options));
        Process made = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(made.getInputStream().readAllBytes());
        assertEquals(0, made.waitFor(), printed);
        return read(file);
    }

    @Test
    void subjectsThatDifferHaveTextsThatDiffer() throws Exception {
        assertEquals("CN=alice\\, O\\=Admins",
                names("05-subject-text-not-escaped/a4-cn-comma.der").subject().toString());
        assertEquals("O=Admins,CN=alice", names("05-subject-text-not-escaped/a4-plain-two.der").subject().toString());
        CertificateNames one = names("06-subjects-in-teletex-collapse/one.der");
        CertificateNames two = names("06-subjects-in-teletex-collapse/two.der");
        assertNotEquals(one.subject().toString(), two.subject().toString());
        assertNotEquals(one.lastCommonName(), two.lastCommonName());
        assertEquals(Optional.of("ger\u00e4t-1"),
                names("06-subjects-in-teletex-collapse/a3-cn-bmp.der").lastCommonName());
    }

    @Test
    void attributesAreFoundByTypeAndInOrder() throws Exception {
        X509Certificate certificate = made("-subj", "/O=Test/CN=first/CN=second+OU=Ops", "-multivalue-rdn",
                "-set_serial", "0x80ff");
        CertificateNames names = CertificateNames.of(certificate);
        assertEquals(Optional.of("first"), names.firstCommonName());
        assertEquals(Optional.of("second"), names.lastCommonName());
        List<String> oids = names.subject().attributes().stream().map(one -> one.oid()).collect(Collectors.toList());
        assertEquals(List.of("2.5.4.10", "2.5.4.3", "2.5.4.11", "2.5.4.3"), oids);
        List<CertificateNames.Attribute> attributes = names.subject().attributes();
        assertEquals(attributes.get(2).relativeName(), attributes.get(3).relativeName());
        assertNotEquals(attributes.get(1).relativeName(), attributes.get(2).relativeName());
        assertEquals(List.of(), names.subject().attributes("2.5.4.6"));
        assertArrayEquals(certificate.getSubjectX500Principal().getEncoded(), names.subject().der());
        assertArrayEquals(certificate.getIssuerX500Principal().getEncoded(), names.issuer().der());
        assertEquals("80ff", names.serial());
        assertEquals(BigInteger.valueOf(0x80ff), names.serialNumber());
    }

    @Test
    void negativeSerialNumberKeepsItsSign() throws Exception {
        CertificateNames names = CertificateNames.of(made("-subj", "/CN=x", "-set_serial", "-1"));
        assertEquals("-01", names.serial());
        assertEquals(BigInteger.ONE.negate(), names.serialNumber());
    }

    @Test
    void alternativeNamesHaveKindsAndValues() throws Exception {
        CertificateNames names = names("25-user-principal-name/a8-upn.der");
        assertEquals(List.of(Kind.UPN, Kind.EMAIL, Kind.REGISTERED_ID, Kind.DIRECTORY),
                names.alternativeNames().stream().map(name -> name.kind()).collect(Collectors.toList()));
        CertificateNames.AlternativeName user = names.alternativeNames(Kind.UPN).get(0);
        assertEquals(Optional.of("pump7@corp.example"), user.value());
        assertEquals(Optional.of("1.3.6.1.4.1.311.20.2.3"), user.oid());
        assertEquals("UPN:pump7@corp.example", user.toString());
        assertEquals("dirName:CN=x\\, y", names.alternativeNames(Kind.DIRECTORY).get(0).toString());
        assertEquals(List.of(), names.alternativeNames(Kind.DNS));
        CertificateNames other = CertificateNames.of(made("-subj", "/CN=x", "-addext",
                "subjectAltName=otherName:1.3.6.1.5.5.7.8.5;UTF8:chat@corp"));
        CertificateNames.AlternativeName chat = other.alternativeNames(Kind.OTHER).get(0);
        assertFalse(chat.value().isPresent());
        assertEquals("otherName:1.3.6.1.5.5.7.8.5;#0c096368617440636f7270", chat.toString());
        assertEquals(11, chat.der().length);
    }

    @Test
    void certificateThatCannotBeReadIsRefused() {
        Certificate broken = new Certificate("X.509") {
            @Override
            public byte[] getEncoded() {
                return new byte[] {0x30, 1};
            }

            @Override
            public void verify(PublicKey key) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void verify(PublicKey key, String provider) {
                throw new UnsupportedOperationException();
            }

            @Override
            public String toString() {
                return "broken";
            }

            @Override
            public PublicKey getPublicKey() {
                return null;
            }
        };
        TlsFailure failure = assertThrows(TlsFailure.class, () -> CertificateNames.of(broken));
        assertEquals(ErrorCode.CERTIFICATE_MALFORMED, failure.code());
    }
}
