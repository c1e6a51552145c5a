package io.brokertls.jsse.trust;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.ErrorCode;
import io.brokertls.jsse.keys.KeytoolStore;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.stream.Stream;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checks beside plain trust managers. */
class PeerNamesTest {
    @TempDir
    static Path folder;

    private static X509Certificate certificate;

    @BeforeAll
    static void makeCertificate() throws Exception {
        KeyStore store = KeytoolStore.make(folder, "-keyalg", "EC",
                "-ext", "san=dns:broker.example.org,dns:*.nodes.example.org,ip:127.0.0.1,ip:0:0:0:0:0:0:0:1");
        certificate = (X509Certificate) store.getCertificate(KeytoolStore.ALIAS);
    }

    @Test
    void namesOfTheCertificateAreAccepted() {
        Stream.of("broker.example.org", "BROKER.example.org.", "one.nodes.example.org", "127.0.0.1", "::1")
                .forEach(host -> assertDoesNotThrow(() -> PeerNames.check(certificate, host), host));
    }

    @Test
    void otherNamesAreRefusedWithTheCodeOfNames() {
        Stream.of("example.org", "nodes.example.org", "a.b.nodes.example.org", "127.0.0.2", "subject", "", "*",
                ".nodes.example.org", "999.9.9.9", "127.0.0.1.", "1.2.3.4.5", "127.1", "::g", "::2", ":")
                .forEach(host -> {
                    CertificateException thrown = assertThrows(CertificateException.class,
                            () -> PeerNames.check(certificate, host), host);
                    assertEquals(ErrorCode.CERT_NAME_MISMATCH, Verdicts.code(thrown), host);
                });
    }

    @Test
    void managerOfAnEmptyArrayRefusesEveryPeer() {
        X509ExtendedTrustManager nobody = ExtendedTrustManager.refusingAll();
        X509Certificate[] chain = {certificate};
        assertThrows(CertificateException.class, () -> nobody.checkServerTrusted(chain, "UNKNOWN"));
        assertThrows(CertificateException.class, () -> nobody.checkClientTrusted(chain, "EC"));
        assertEquals(0, nobody.getAcceptedIssuers().length);
    }
}
