package io.brokertls.jsse.trust;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.ErrorCode;
import io.brokertls.jsse.keys.KeytoolStore;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The codes of what the JDK's trust managers throw. */
class VerdictsTest {
    @TempDir
    Path folder;

    @Test
    void unknownIssuerOfTheJdkGetsItsCode() throws Exception {
        KeyStore trusted = KeytoolStore.make(folder, "-keyalg", "EC");
        KeyStore stranger = KeytoolStore.make(folder, "-keyalg", "EC", "-dname", "CN=stranger");
        assertEquals(ErrorCode.CERT_UNKNOWN_ISSUER, Verdicts.code(refusal(trusted, stranger)));
    }

    @Test
    void expiredCertificateOfTheJdkGetsItsCode() throws Exception {
        KeyStore trusted = KeytoolStore.make(folder, "-keyalg", "EC", "-startdate", "-10d", "-validity", "1");
        CertificateException thrown = assertThrows(CertificateException.class, () -> chain(trusted)[0].checkValidity());
        assertEquals(ErrorCode.CERT_EXPIRED, Verdicts.code(thrown));
    }

    @Test
    void reasonDeepInTheCausesIsFound() {
        CertificateException thrown = new CertificateException("outer",
                new CertPathValidatorException("inner", null, null, -1, BasicReason.REVOKED));
        assertEquals(ErrorCode.CERT_REVOKED, Verdicts.code(thrown));
    }

    @Test
    void anythingElseIsTheManagersRefusal() {
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, Verdicts.code(new AssertionError("broken manager")));
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, Verdicts.code(new CertificateException()));
    }

    @Test
    void endlessCausesEnd() {
        RuntimeException first = new RuntimeException("first");
        RuntimeException second = new RuntimeException("second", first);
        first.initCause(second);
        assertEquals(ErrorCode.CERT_REJECTED_BY_MANAGER, Verdicts.code(first));
    }

    private static CertificateException refusal(KeyStore trusted, KeyStore shown) throws Exception {
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        anchors.setCertificateEntry("anchor", chain(trusted)[0]);
        X509ExtendedTrustManager manager = NativeTrustManagerFactory.ofJdk(anchors);
        X509Certificate[] chain = chain(shown);
        return assertThrows(CertificateException.class, () -> manager.checkServerTrusted(chain, "UNKNOWN"));
    }

    private static X509Certificate[] chain(KeyStore store) throws Exception {
        return new X509Certificate[] {(X509Certificate) store.getCertificate(KeytoolStore.ALIAS)};
    }
}
