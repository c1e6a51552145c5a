package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.TlsCertificate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The certificates that a context lists, for monitoring of their expiry. */
class CertificatesTest {
    private static final int DAYS = 30;

    @TempDir
    static Path folder;

    private static Authority authority;
    private static KeyStore one;

    @BeforeAll
    static void issue() throws Exception {
        authority = new Authority(Files.createDirectory(folder.resolve("ca")), "ec");
        one = authority.issue("one", "ec");
        authority.issue("other", "rsa:2048");
    }

    @Test
    void ownCertificatesAndTrustAnchorsAreListedWithTheirExpiryAndChangeWithAReload() throws Exception {
        Path store = Files.copy(authority.file("one.p12"), folder.resolve("broker.p12"));
        try (BrokerTlsContext context = BrokerTlsContext.builder().keyStore(store, Authority.PASSWORD)
                .trustCertificates(authority.file("ca.pem")).build()) {
            assertEquals(List.of("OWN CN=one EC P-256", "TRUSTED CN=ca EC P-256"), lines(context));
            TlsCertificate own = context.certificates().get(0);
            X509Certificate same = (X509Certificate) one.getCertificate("one");
            assertTrue(own.place().endsWith("broker.p12, alias one"), own.place());
            assertEquals("CN=ca", own.issuer());
            assertEquals(same.getSerialNumber(), own.serialNumber());
            assertEquals(same.getNotBefore().toInstant(), own.notBefore());
            assertEquals(same.getNotAfter().toInstant(), own.notAfter());
            assertTrue(own.daysLeft() == DAYS - 1 || own.daysLeft() == DAYS, own.toString());
            assertEquals(64, own.sha256().length());
            Files.copy(authority.file("other.p12"), store, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            context.reload();
            assertEquals(List.of("OWN CN=other RSA 2048", "TRUSTED CN=ca EC P-256"), lines(context));
            assertThrows(UnsupportedOperationException.class, () -> context.certificates().clear());
        }
        BrokerTlsContext closed = BrokerTlsContext.builder().keyStore(store, Authority.PASSWORD).build();
        closed.close();
        assertThrows(IllegalStateException.class, closed::certificates);
    }

    @Test
    void certificatesOfJavaManagersAreListedAsFarAsTheManagersNameThem() throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(one, Authority.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(authority.trust());
        try (BrokerTlsContext context = BrokerTlsContext.builder()
                .keyManager((X509KeyManager) keys.getKeyManagers()[0])
                .trustManager((X509TrustManager) trust.getTrustManagers()[0]).build()) {
            assertEquals(List.of("OWN CN=one EC 256", "TRUSTED CN=ca EC 256"), lines(context));
            assertEquals("key manager, alias one", context.certificates().get(0).place());
        }
        Failing failing = new Failing();
        try (BrokerTlsContext context = BrokerTlsContext.builder().trustManager(failing).build()) {
            failing.fails = true;
            assertEquals(List.of(), lines(context));
        }
    }

    /** A manager that fails once it is in use. */
    private static final class Failing implements X509TrustManager {
        private boolean fails;

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("refused");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("refused");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            if (fails) {
                throw new IllegalStateException("a manager that fails");
            }
            return new X509Certificate[0];
        }
    }

    private static List<String> lines(BrokerTlsContext context) {
        return context.certificates().stream().map(each -> each.kind() + " " + each.subject() + " " + each.key())
                .collect(Collectors.toList());
    }
}
