package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.spring.SpringSslContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** "Certificate revocation" of "How do I use SSL?": a list at {@code crlPath}, and OCSP by the file java.security. */
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RevocationTest {
    @TempDir static Path folder;

    private static Authority authority;
    private static Stores good;
    private static Stores revoked;

    @BeforeAll
    static void makeAuthority() throws Exception {
        authority = new Authority(folder.resolve("authority"));
        good = authority.issue("device-7");
        revoked = authority.issue("device-8");
        authority.revoke("device-8");
    }

    @AfterAll
    static void stopResponder() {
        authority.close();
    }

    private static void assertOnlyTheRevokedIsRefused(String scheme, int port) throws Exception {
        String address = scheme + "://localhost:" + port;
        for (String provider : Tls.providers()) {
            Connection connection = Clients.connect(address, good, true, provider);
            assertEquals("hello", Clients.echo(connection, "greetings", "hello"), provider);
            connection.close();
            assertThrows(JMSException.class, () -> Clients.connect(address, revoked, true, provider).close());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl", "nio+ssl"})
    void certificateOnTheListAtCrlPathIsRefused(String scheme) throws Exception {
        SpringSslContext context = Broker.context(good);
        context.setCrlPath(authority.revocationList().toString());
        try (Broker broker = new Broker(context, scheme, 0, ConnectorContract.NEED)) {
            try (BrokerLog log = new BrokerLog()) {
                Sockets.assertRefused("certificate_revoked", scheme, revoked.clientContext(Tls.PROVIDER, true),
                        broker.port());
                String line = log.await("revoked");
                assertTrue(line.contains(Tls.isOurs() ? "BTLS_CERT_REVOKED" : "revoked"), line);
            }
            assertOnlyTheRevokedIsRefused(scheme, broker.port());
        }
    }

    @Test
    void certificateThatTheResponderOfJavaSecurityRevokesIsRefused() throws Exception {
        Path security = Files.writeString(folder.resolve("java.security"), "security.provider.13=BrokerTLS\n"
                + "ocsp.enable=true\nocsp.responderURL=" + authority.startResponder() + "\n");
        Path xml = SpringBrokerTest.activemqXml(folder,
                "<broker xmlns=\"http://activemq.apache.org/schema/core\" brokerName=\"ocsp\">\n"
                + "<sslContext><sslContext provider=\"" + Tls.PROVIDER + "\" keyStore=\"file:" + good.path("broker.ks")
                + "\" keyStorePassword=\"password\" trustStore=\"file:" + good.path("broker.ts")
                + "\" trustStorePassword=\"password\"/></sslContext>\n"
                + "<transportConnectors>\n"
                + "  <transportConnector name=\"ssl\" uri=\"ssl://0.0.0.0:61617?transport.needClientAuth=true\"/>\n"
                + "  <transportConnector name=\"nio\" uri=\"nio+ssl://0.0.0.0:61618?transport.needClientAuth=true\"/>\n"
                + "</transportConnectors></broker>\n");
        try (ForkedBroker broker = new ForkedBroker(folder, xml, "-Djava.security.properties=" + security)) {
            assertOnlyTheRevokedIsRefused("ssl", broker.port("ssl"));
            assertOnlyTheRevokedIsRefused("nio+ssl", broker.port("nio"));
            Sockets.assertRefused("certificate_revoked", "ssl", revoked.clientContext(Tls.PROVIDER, true),
                    broker.port("ssl"));
        }
    }
}
